"""The order page behind its secret link: where is it now, when does it come, why, and a way to ask."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, request, url_for

from backoffice.public.cases import CaseForm
from backoffice.public.errors import BadInput, Refused, TooOften
from backoffice.public.orders import OrderView, PendingOrder
from storefront import case_words, wording
from storefront.front import Front, see
from storefront.moving import how_it_came
from storefront.ordering import now_sentence, stages_of, why
from storefront.tax_words import percent_of

ASKED = ("kind", "message", "parcel", "line")


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
        found = self.front.shop.orders.get_paper(token, number, reader=self.front.reader(), now=now)
        return guard(self.front.page("storefront/paper.html", now, paper=found, token=token, percent=percent_of))

    def order_ask(self, token: str) -> Response:
        """Take a question about the order, or about a part of it."""
        now, typed = self.front.clock(), {name: request.form.get(name, "") for name in ASKED}
        key = request.form.get("key", "") or secrets.token_urlsafe(24)
        form = CaseForm(key, typed["kind"], typed["message"], typed["parcel"], typed["line"], request.remote_addr or "")
        try:
            self.front.shop.cases.open(token, form, now=now)
        except BadInput as error:
            fields = wording.say_fields(error.fields) or {"message": wording.say_field(error.code)}
            return self._show(token, now, typed, fields, status=error.status)
        except TooOften as error:
            return self._show(token, now, typed, {"message": wording.say(error)}, status=error.status)
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
        found = self.front.shop.orders.get(token, reader=self.front.reader(), now=now)
        if isinstance(found, PendingOrder):
            return guard(see(url_for("shop.order", token=token)))
        page = "storefront/order_cancel.html"
        key = secrets.token_urlsafe(24)
        return guard(self.front.page(page, now, status=status, order=found, token=token, problem=problem, key=key))

    def _show(
        self, token: str, now: datetime, typed: Mapping[str, str], problems: Mapping[str, str], *, status: int = 200
    ) -> Response:
        found = self.front.shop.orders.get(token, reader=self.front.reader(), now=now)
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
            questions=self.front.shop.cases.of_order(token),
            question_kinds=case_words.kinds(),
            question_states=case_words.states(),
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
