"""A day that has moved: the page that its mail leads to, without login and without a script. Only a POST chooses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, request, url_for

from backoffice.public.errors import BadInput, Refused
from storefront import wording
from storefront.front import Front, see
from storefront.moving import back_words, chosen_words, how_it_came
from storefront.ordering import why
from storefront.views.orders import guard


@dataclass(frozen=True, slots=True)
class Views:
    """A slip's addresses. Mail scanners follow links: what is opened changes nothing."""

    front: Front

    def order_moved(self, token: str, slip_id: int) -> Response:
        """Show what moved and what may be chosen, or what was."""
        return self._page(token, slip_id, self.front.clock())

    def order_moved_submit(self, token: str, slip_id: int) -> Response:
        """Do what was chosen."""
        now = self.front.clock()
        choice, option = request.form.get("choice", ""), request.form.get("option", "")
        try:
            self.front.shop.slips.choose(token, slip_id, choice, option, now=now)
        except (Refused, BadInput) as error:
            return self._page(token, slip_id, now, wording.say(error), status=error.status)
        return guard(see(url_for("shop.order_moved", token=token, slip_id=slip_id)))

    def _page(self, token: str, slip_id: int, now: datetime, problem: str = "", *, status: int = 200) -> Response:
        slip = self.front.shop.slips.get(token, slip_id, now=now)
        formats = self.front.formats(self.front.profile(), now)
        page = self.front.page(
            "storefront/moved.html",
            now,
            status=status,
            slip=slip,
            token=token,
            problem=problem,
            chosen=chosen_words(slip, formats),
            why=lambda line: why(line.cause, None, formats),
            how_it_came=how_it_came,
            back=lambda amount: back_words(formats.money(amount), slip.charge),
        )
        return guard(page)


def register(routes: Blueprint, front: Front) -> None:
    """Add a slip's addresses."""
    views = Views(front)
    rule = "/o/<token>/moved/<int:slip_id>"
    routes.add_url_rule(rule, "order_moved", views.order_moved)
    routes.add_url_rule(rule, "order_moved_submit", views.order_moved_submit, methods=["POST"])
