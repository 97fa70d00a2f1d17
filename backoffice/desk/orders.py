"""Orders at the sales desk: how each stands and why, and what sales may do with it."""

from __future__ import annotations

from collections.abc import Mapping

from babel import Locale
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from sqlalchemy.orm import Session

from backoffice.crm import redirecting, relinking
from backoffice.desk import amounts, context, forms, order_lists, order_sheets
from backoffice.desk.listing import PAGE, Filters, pages_of
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.payments import cancelling, captures, requests
from backoffice.public.errors import BadInput, ShopError

bp = Blueprint("orders", __name__, url_prefix="/desk/sales/orders")
Typed = Mapping[str, str]
LONGEST_TYPED = 5_100  # what a page gives back of a field at most


@bp.get("")
def home() -> ResponseReturnValue:
    """List orders."""
    filters = Filters.parse(request.args, order_lists.WHICH, order_lists.SORTS)
    listed = context.read(lambda db: order_lists.find_orders(db, filters, today=context.today()))
    if filters.page > 1 and not listed.rows:
        return redirect(url_for("orders.home", **filters.args(page=pages_of(listed.total))), 303)
    return render_template(
        "desk/sales/orders.html",
        filters=filters,
        listed=listed,
        whiches=order_lists.WHICH,
        sorts=order_lists.SORTS,
        page_size=PAGE,
    )


@bp.get("/<number>")
def order(number: str) -> ResponseReturnValue:
    """Show one order."""
    return _page("order", number)


@bp.post("/<number>/charge")
def charge(number: str) -> ResponseReturnValue:
    """Take money now that is only set aside."""
    me, now = context.me(), context.now()
    asked = context.write(lambda db: captures.take_at_desk(db, number, by=me, now=now))
    flash(_("The provider is asked to take the money.") if asked else _("This was asked for before."))
    return redirect(url_for("orders.order", number=number), 303)


@bp.post("/<number>/address")
def address(number: str) -> ResponseReturnValue:
    """Send an order to another address."""
    me, now, version = context.me(), context.now(), forms.version()
    typed = {name: _text(name) for name in redirecting.FIELDS}
    try:
        context.write(lambda db: redirecting.redirect(db, number, typed, version=version, by=me, now=now))
    except ShopError as error:
        return _refused("order", number, error, typed | {"form": "address"})
    flash(_("The address is changed; the day stays."))
    return redirect(url_for("orders.order", number=number), 303)


@bp.post("/<number>/link")
def renew_link(number: str) -> ResponseReturnValue:
    """Give an order another link, and mail it."""
    me, now, version = context.me(), context.now(), forms.version()
    secret_key = context.services().settings.secret_key
    try:
        context.write(lambda db: relinking.renew_link(db, number, version=version, secret_key=secret_key, by=me, now=now))
    except ShopError as error:
        return _refused("order", number, error, {})
    flash(_("The new link is on its way to the customer; the old one no longer works."))
    return redirect(url_for("orders.order", number=number), 303)


@bp.get("/<number>/cancel")
def cancel(number: str) -> ResponseReturnValue:
    """Ask whether an order is to be cancelled, and why."""
    return _page("cancel", number)


@bp.post("/<number>/cancel")
def cancel_submit(number: str) -> ResponseReturnValue:
    """Cancel an order: its goods are free again; its money goes back, above the limit once a second person approves it."""
    me, now, typed, done = context.me(), context.now(), {"reason": _text("reason")}, [(False, False)]

    def work(db: Session) -> None:
        first = cancelling.cancel_at_desk(db, number, reason=typed["reason"], by=me, now=now)
        done[0] = first, requests.waits(db, number)

    try:
        context.write(work)
    except ShopError as error:
        return _refused("cancel", number, error, typed)
    first, waits = done[0]
    asked = _("Cancelled. The money goes back once a second person approves it.")
    flash((asked if waits else _("Cancelled. The money is on its way back.")) if first else _("It was cancelled before."))
    return redirect(url_for("orders.order", number=number), 303)


@bp.post("/<number>/refund")
def refund(number: str) -> ResponseReturnValue:
    """Ask for a part of the money to be given back."""
    me, now, key = context.me(), context.now(), forms.text("key")[:64]
    typed = {"amount": _text("amount"), "reason": _text("reason"), "key": key, "form": "refund"}
    states: list[str] = []

    def work(db: Session) -> None:
        currency = order_sheets.get_sheet(db, number).payment.currency
        amount = amounts.minor(typed["amount"], currency, get_locale() or Locale("en"))
        if amount is None or amount < 1 or not key:
            raise BadInput("invalid_form", {"amount": "bad_amount"})
        asked = requests.ask(db, number, amount, reason=typed["reason"], key=key, by=me, now=now)
        states.append(asked.state)

    try:
        context.write(work)
    except ShopError as error:
        return _refused("order", number, error, typed | {"key": forms.kept_key(error)})
    at_once = states[-1] == "within_limit"
    flash(
        _("The money is on its way back.") if at_once else _("Asked for. The money goes back once a second person approves it.")
    )
    return redirect(url_for("orders.order", number=number), 303)


def _text(name: str) -> str:
    return forms.text(name)[:LONGEST_TYPED].replace("\x00", "")


def _refused(page: str, number: str, error: ShopError, typed: Typed) -> ResponseReturnValue:
    if error.status == 404:
        raise error
    fields = error.fields if isinstance(error, BadInput) else {}
    return _page(page, number, {**typed, "problem": explain(error)}, fields, error.status)


def _page(
    page: str, number: str, typed: Typed | None = None, fields: Mapping[str, str] | None = None, status: int = 200
) -> ResponseReturnValue:
    sheet = context.read(lambda db: order_sheets.get_sheet(db, number))
    template = "desk/sales/order.html" if page == "order" else "desk/sales/order_cancel.html"
    return render_template(template, sheet=sheet, typed=typed or {}, fields=fields or {}), status
