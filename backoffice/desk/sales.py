"""The sales desk: answer who asked, in time, knowing who they are."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice.crm import leads
from backoffice.desk import context, forms, inbox
from backoffice.desk.inbox import Filters
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.public.errors import BadInput, ShopError
from backoffice.public.promise import Promise

bp = Blueprint("sales", __name__, url_prefix="/desk/sales")


@bp.get("")
def home() -> ResponseReturnValue:
    """List who waits for an answer."""
    filters = Filters.parse(request.args)
    found = _inbox(filters)
    if filters.page > found.pages:
        return redirect(url_for("sales.home", **filters.args(page=found.pages)), 303)
    return render_template("desk/sales/inbox.html", filters=filters, inbox=found, choices=_choices())


@bp.get("/next", endpoint="next")
def next_lead() -> ResponseReturnValue:
    """Open the lead that is due first, of mine and of what nobody took."""
    lead_id = context.read(lambda db: inbox.find_next(db, context.me().id))
    if lead_id is None:
        flash(_("Nobody waits for an answer."))
        return redirect(url_for("sales.home"), 303)
    return redirect(url_for("sales.lead", lead_id=lead_id), 303)


@bp.get("/leads/<int:lead_id>")
def lead(lead_id: int) -> ResponseReturnValue:
    """Show one lead beside the list."""
    return _lead_page(lead_id)


@bp.post("/leads/<int:lead_id>/take")
def take(lead_id: int) -> ResponseReturnValue:
    """Take a lead that nobody has."""
    me, version, now = context.me(), forms.version(), context.now()
    return _save(lead_id, lambda db: leads.take(db, lead_id, staff_id=me.id, version=version, now=now), _("You have it now."))


@bp.post("/leads/<int:lead_id>/take-over")
def take_over(lead_id: int) -> ResponseReturnValue:
    """Take a lead from a colleague."""
    me, version, now = context.me(), forms.version(), context.now()
    return _save(
        lead_id,
        lambda db: leads.take_over(db, lead_id, staff_id=me.id, version=version, now=now),
        _("You have it now."),
    )


@bp.post("/leads/<int:lead_id>/note")
def note(lead_id: int) -> ResponseReturnValue:
    """Write a note that only we see."""
    me, version, now, words = context.me(), forms.version(), context.now(), forms.text("note")
    return _save(
        lead_id,
        lambda db: leads.note(db, lead_id, words, staff=me, version=version, now=now),
        _("Note kept."),
        field="note",
    )


@bp.post("/leads/<int:lead_id>/answer")
def answer(lead_id: int) -> ResponseReturnValue:
    """Answer by mail."""
    me, version, now, words = context.me(), forms.version(), context.now(), forms.text("answer")
    return _save(
        lead_id,
        lambda db: leads.answer(db, lead_id, words, staff=me, version=version, now=now),
        _("Your answer is on its way by mail."),
        field="answer",
    )


@bp.post("/leads/<int:lead_id>/done")
def done(lead_id: int) -> ResponseReturnValue:
    """Close a lead."""
    me, version, now = context.me(), forms.version(), context.now()
    return _save(lead_id, lambda db: leads.done(db, lead_id, staff=me, version=version, now=now), _("Closed."))


@bp.post("/leads/<int:lead_id>/release")
def release(lead_id: int) -> ResponseReturnValue:
    """Put a doubtful lead among the others."""
    me, version, now = context.me(), forms.version(), context.now()
    return _save(
        lead_id,
        lambda db: leads.release(db, lead_id, staff=me, version=version, now=now),
        _("It is in the inbox now."),
    )


@bp.get("/order/<number>")
def order(number: str) -> ResponseReturnValue:
    """Open an order on its own page."""
    return redirect(url_for("orders.order", number=number), 303)


def _save(lead_id: int, work: Callable[[Session], object], said: str, *, field: str = "") -> ResponseReturnValue:
    """Do it and go back to the lead; if it cannot be done, show the lead as it is now with what was typed."""
    try:
        context.write(work)
    except ShopError as error:
        if error.status == 404:
            raise
        wrong = error.fields.get("text", "") if isinstance(error, BadInput) else ""
        typed = {"field": field, "wrong": wrong, "text": forms.text(field) if field else "", "problem": explain(error)}
        return _lead_page(lead_id, typed, error.status)
    flash(said)
    return redirect(url_for("sales.lead", lead_id=lead_id, **Filters.parse(request.args).args()), 303)


def _lead_page(lead_id: int, typed: dict[str, str] | None = None, status: int = 200) -> ResponseReturnValue:
    filters = Filters.parse(request.args)
    sheet = context.read(lambda db: inbox.get_sheet(db, lead_id))
    promise, no_promise = _today_promise(sheet)
    page = render_template(
        "desk/sales/lead.html",
        filters=filters,
        inbox=_inbox(filters),
        choices=_choices(),
        sheet=sheet,
        promise=promise,
        no_promise=no_promise,
        typed=typed or {},
    )
    return page, status


def _today_promise(sheet: inbox.Sheet) -> tuple[Promise | None, str]:
    """Return the day that may be named to this customer now, or why there is none."""
    lead = sheet.lead
    if not lead.sku or lead.state == "done":
        return None, ""
    ask = context.services().shop.promises.quote
    try:
        return ask(lead.sku, lead.quantity or 1, postcode=lead.postcode or None, cart=None, now=context.now()), ""
    except BadInput as error:
        if error.code != "unknown_postcode":
            return None, explain(error)
    except ShopError as error:
        return None, explain(error)
    try:
        return ask(lead.sku, lead.quantity or 1, postcode=None, cart=None, now=context.now()), ""
    except ShopError as error:
        return None, explain(error)


def _inbox(filters: Filters) -> inbox.Inbox:
    me, now = context.me().id, context.now()
    return context.read(lambda db: inbox.find_inbox(db, filters, staff_id=me, now=now))


def _choices() -> dict[str, tuple[str, ...]]:
    return {"whose": inbox.WHOSE, "state": inbox.STATES, "kind": inbox.KINDS}
