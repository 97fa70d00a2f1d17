"""The sandbox provider's payment page, and the message it then sends us, as a real provider's webhook would."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from babel import Locale
from babel.numbers import format_currency
from flask import Blueprint, abort, redirect, render_template, request
from flask_babel import get_locale
from werkzeug.wrappers import Response

from backoffice.payments.gateway import GatewayError, Hears, PaymentSession
from backoffice.payments.sandbox import session_of
from backoffice.wording import decimal_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from backoffice.payments.sandbox import SandboxGateway


class Settles(Hears, Protocol):
    """Where the provider's messages go."""

    def settle(self, news: PaymentSession, *, event_id: str, now: datetime, keep: bool = False) -> object:
        """Act on the provider's word."""
        ...


def blueprint(gateway: SandboxGateway, till: Settles, clock: Callable[[], datetime]) -> Blueprint:
    """Return the pages below /sandbox/pay/."""
    pages = Blueprint("sandbox", __name__, url_prefix="/sandbox")

    @pages.get("/pay/<ref>")
    def pay(ref: str) -> str:
        try:
            book = gateway.page(ref)
        except GatewayError:
            abort(404)
        session = session_of(book, clock())
        locale = get_locale() or Locale("en")
        amount = format_currency(decimal_of(book.amount_minor, book.currency), book.currency, locale=locale)
        disputed = session.state == "paid" and gateway.is_disputed(ref)
        paid, not_paid = gateway.ways_back(book)
        shown = {"book": book, "session": session, "amount": amount, "locale": locale, "disputed": disputed}
        return render_template("sandbox/pay.html", **shown, paid=paid, not_paid=not_paid)

    @pages.post("/pay/<ref>")
    def pay_submit(ref: str) -> Response:
        now = clock()
        action = request.form.get("action", "")
        try:
            book = gateway.press(ref, action if action in ("decline", "cancel") else "pay", now=now)
        except GatewayError:
            abort(404)
        if action == "decline":
            return redirect(f"/sandbox/pay/{ref}", 303)
        news = session_of(book, now)
        till.settle(news, event_id=f"sandbox:{ref}:{news.state}", now=now, keep=True)
        paid, not_paid = gateway.ways_back(book)
        return redirect(paid if news.state in ("paid", "authorised") else not_paid, 303)

    @pages.post("/pay/<ref>/dispute")
    def dispute(ref: str) -> Response:
        """Do what the buyer's bank does: dispute the payment, then decide for the shop (won) or for the buyer (lost)."""
        now, state = clock(), request.form.get("state", "open")
        try:
            event = gateway.dispute(ref, now=now) if state == "open" else gateway.decide(ref, state)
        except GatewayError:
            abort(404)
        till.hear(event, now=now)
        return redirect(f"/sandbox/pay/{ref}", 303)

    return pages
