"""The sandbox provider's payment page, and the message it then sends us, as a real provider's webhook would."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from babel import Locale
from babel.numbers import format_currency
from flask import Blueprint, abort, redirect, render_template, request
from flask_babel import get_locale
from werkzeug.wrappers import Response

from backoffice.payments.gateway import GatewayError, PaymentSession
from backoffice.payments.sandbox import session_of
from backoffice.wording import decimal_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from backoffice.payments.sandbox import SandboxGateway


class Settles(Protocol):
    """Where the provider's message goes."""

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
        return render_template("sandbox/pay.html", book=book, session=session, amount=amount, locale=locale)

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
        return redirect(book.return_url if news.state in ("paid", "authorised") else book.cancel_url, 303)

    return pages
