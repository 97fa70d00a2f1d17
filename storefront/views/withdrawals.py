"""Withdrawing from a contract: choose what, look at it again, confirm. Without login or a script; only a POST does it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, Response, request, url_for

from backoffice.public.errors import BadInput, Refused
from storefront import wording
from storefront.front import Front, see
from storefront.views.orders import guard

FIELD = "take-"


@dataclass(frozen=True, slots=True)
class Views:
    """The withdrawal's addresses."""

    front: Front

    def order_withdraw(self, token: str) -> Response:
        """Show what may be taken back; once something is chosen, show that alone, to be confirmed."""
        try:
            chosen = _chosen(request.args) if "chosen" in request.args else {}
        except BadInput as error:
            return self._page(token, {}, wording.say_field("bad_quantity"), status=error.status)
        return self._page(token, chosen, confirm="chosen" in request.args)

    def order_withdraw_submit(self, token: str) -> Response:
        """Take back what was confirmed."""
        now, key = self.front.clock(), request.form.get("key", "")[:64] or secrets.token_urlsafe(24)
        try:
            self.front.shop.withdrawals.withdraw(token, _chosen(request.form), key=key, now=now)
        except BadInput as error:
            return self._page(token, {}, wording.say_field("bad_quantity"), status=error.status)
        except Refused as error:
            return self._page(token, {}, wording.say(error), status=error.status)
        return guard(see(url_for("shop.order", token=token, withdrawn=1)))

    def _page(
        self, token: str, chosen: Mapping[int, int], problem: str = "", *, confirm: bool = False, status: int = 200
    ) -> Response:
        now = self.front.clock()
        found = self.front.shop.withdrawals.get(token, reader=self.front.reader(), now=now)
        left = {line.id: line.left for line in found.lines}
        if confirm and (not any(chosen.values()) or any(count > left.get(one, 0) for one, count in chosen.items())):
            problem, confirm, status = wording.say_field("bad_quantity"), False, 422
        page = self.front.page(
            "storefront/withdraw.html",
            now,
            status=status,
            found=found,
            token=token,
            chosen=chosen,
            confirm=confirm and found.is_open,
            problem=problem,
            key=secrets.token_urlsafe(24),
        )
        return guard(page)


def _chosen(typed: Mapping[str, str]) -> dict[int, int]:
    """Return how many of each line are taken back, as typed. Raises BadInput(invalid_form, lines)."""
    chosen = {}
    for name, count in typed.items():
        if not name.startswith(FIELD):
            continue
        line, count = name.removeprefix(FIELD), count.strip() or "0"
        if not (line.isascii() and line.isdecimal() and count.isascii() and count.isdecimal()) or max(len(line), len(count)) > 9:
            raise BadInput("invalid_form", {"lines": "bad_quantity"})
        chosen[int(line)] = int(count)
    return chosen


def register(routes: Blueprint, front: Front) -> None:
    """Add the withdrawal's addresses."""
    views = Views(front)
    routes.add_url_rule("/o/<token>/withdraw", "order_withdraw", views.order_withdraw)
    routes.add_url_rule("/o/<token>/withdraw", "order_withdraw_submit", views.order_withdraw_submit, methods=["POST"])
