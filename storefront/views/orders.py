"""The order page behind its secret link: where is it now, when does it come, why, and a way to ask."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, request, url_for

from backoffice.public.errors import BadInput, Refused
from backoffice.public.orders import OrderView, PendingOrder
from storefront import wording
from storefront.front import Front, see
from storefront.moving import how_it_came
from storefront.ordering import now_sentence, stages_of, why
from storefront.tax_words import percent_of


def guard(response: Response) -> Response:
    """Keep the secret link out of caches, search engines and other sites' logs."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@dataclass(frozen=True, slots=True)
class Views:
    """The order's addresses."""

    front: Front

    def order(self, token: str) -> Response:
        """Show the order, or how its payment stands."""
        return self._show(token, self.front.clock(), {}, {})

    def order_paper(self, token: str, number: str) -> Response:
        """Show an invoice or a credit note, to be printed or kept."""
        now = self.front.clock()
        found = self.front.shop.orders.get_paper(token, number)
        return guard(self.front.page("storefront/paper.html", now, paper=found, token=token, percent=percent_of))

    def order_ask(self, token: str) -> Response:
        """Take a question about the order."""
        now = self.front.clock()
        message = request.form.get("message", "")
        key = request.form.get("key", "") or secrets.token_urlsafe(24)
        try:
            self.front.shop.orders.ask(token, message, key=key, now=now)
        except BadInput as error:
            fields = wording.say_fields(error.fields) or {"message": wording.say_field(error.code)}
            return self._show(token, now, {"message": message}, fields, status=error.status)
        return guard(see(url_for("shop.order", token=token, asked=1) + "#ask"))

    def order_cancel(self, token: str) -> Response:
        """Ask whether the order is really to be cancelled."""
        return self._ask_to_cancel(token, self.front.clock())

    def order_cancel_submit(self, token: str) -> Response:
        """Cancel the order."""
        now = self.front.clock()
        key = request.form.get("key", "") or secrets.token_urlsafe(24)
        try:
            self.front.shop.orders.cancel(token, key=key, now=now)
        except Refused as error:
            return self._ask_to_cancel(token, now, wording.say(error), status=error.status)
        return guard(see(url_for("shop.order", token=token)))

    def _ask_to_cancel(self, token: str, now: datetime, problem: str = "", *, status: int = 200) -> Response:
        found = self.front.shop.orders.get(token, now=now)
        if isinstance(found, PendingOrder):
            return guard(see(url_for("shop.order", token=token)))
        page = "storefront/order_cancel.html"
        key = secrets.token_urlsafe(24)
        return guard(self.front.page(page, now, status=status, order=found, token=token, problem=problem, key=key))

    def _show(
        self, token: str, now: datetime, typed: Mapping[str, str], problems: Mapping[str, str], *, status: int = 200
    ) -> Response:
        found = self.front.shop.orders.get(token, now=now)
        if isinstance(found, PendingOrder):
            response = self.front.page("storefront/pending.html", now, pending=found, token=token)
            return guard(response)
        return guard(self._page(found, token, now, typed, problems, status))

    def _page(
        self,
        order: OrderView,
        token: str,
        now: datetime,
        typed: Mapping[str, str],
        problems: Mapping[str, str],
        status: int,
    ) -> Response:
        formats = self.front.formats(self.front.profile(), now)
        return self.front.page(
            "storefront/order.html",
            now,
            status=status,
            order=order,
            token=token,
            sentence=now_sentence(order, formats),
            stages=stages_of(order, formats),
            how_it_came=how_it_came,
            why=lambda line: why(line.moved_cause, line.moved_because, formats),
            typed=typed,
            problems=problems,
            asked="asked" in request.args,
            withdrawn="withdrawn" in request.args,
            key=secrets.token_urlsafe(24),
        )


def register(routes: Blueprint, front: Front) -> None:
    """Add the order's addresses."""
    views = Views(front)
    routes.add_url_rule("/o/<token>", "order", views.order)
    routes.add_url_rule("/o/<token>/papers/<number>", "order_paper", views.order_paper)
    routes.add_url_rule("/o/<token>/ask", "order_ask", views.order_ask, methods=["POST"])
    routes.add_url_rule("/o/<token>/cancel", "order_cancel", views.order_cancel)
    routes.add_url_rule("/o/<token>/cancel", "order_cancel_submit", views.order_cancel_submit, methods=["POST"])
