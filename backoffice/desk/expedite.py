"""Make things come earlier: ask a supplier, write down that they cannot, plan a production order anew."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue

from backoffice.desk import context, forms, moved, planning
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.erp import expediting
from backoffice.public.errors import BadInput, ShopError

bp = Blueprint("expedite", __name__, url_prefix="/desk/planning")


@bp.post("/receipts/<int:line_id>/ask")
def ask(line_id: int) -> ResponseReturnValue:
    """Note that the supplier was asked for an earlier day."""
    me, now = context.me(), context.now()
    by, note = {"actor": me.name, "by": me.email, "role": me.role}, forms.text("note").replace("\x00", " ")
    try:
        wanted_on = forms.day("wanted_on", earliest=context.today())
        context.write(lambda db: expediting.ask(db, line_id, wanted_on, note=note, now=now, **by), scope=f"ask:{line_id}")
    except ShopError as error:
        wrong = next(iter(error.fields.values()), "") if isinstance(error, BadInput) else ""
        typed = {"asking": str(line_id), "text": forms.text("wanted_on"), "note": note, "wrong": wrong, "problem": explain(error)}
        return planning.receipts_page(typed, error.status)
    flash(_("Noted. Move the day when they answer; no promise has moved yet."))
    return redirect(url_for("planning.receipts", **forms.place(), _anchor=f"receipt-{line_id}"), 303)


@bp.post("/receipts/<int:line_id>/declined")
def decline(line_id: int) -> ResponseReturnValue:
    """Note that the supplier cannot deliver earlier."""
    me, now = context.me(), context.now()
    try:
        context.write(lambda db: expediting.decline(db, line_id, by=me.email, role=me.role, now=now))
    except ShopError as error:
        return planning.receipts_page({"problem": explain(error)}, error.status)
    flash(_("Noted. The day stays."))
    return redirect(url_for("planning.receipts", **forms.place(), _anchor=f"receipt-{line_id}"), 303)


@bp.post("/production/<int:order_id>/earlier")
def earlier(order_id: int) -> ResponseReturnValue:
    """Plan a production order's promise anew, if that brings it forward."""
    me, now, watch = context.me(), context.now(), moved.Watch()
    try:
        context.write(watch.over(lambda db: expediting.earlier(db, order_id, by=me.email, role=me.role, now=now)))
    except ShopError as error:
        return planning.production_page({"id": str(order_id), "problem": explain(error)}, error.status)
    flash(_("Planned earlier. %(moved)s", moved=watch.words()))
    return redirect(url_for("planning.production_orders", **forms.place()), 303)
