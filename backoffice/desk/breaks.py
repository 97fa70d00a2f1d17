"""What breaks a plan, written down by the planner, and what would bring a late day back."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice.crm.models import Order, OrderLine
from backoffice.desk import context, forms, moved, planning, planning_lists
from backoffice.desk.formats import day, moment
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.erp import bringing_back, production, shortening
from backoffice.public.errors import BadInput, NotFound, ShopError

bp = Blueprint("breaks", __name__, url_prefix="/desk/planning")


class _Looked(Exception):
    def __init__(self, ways: Sequence[bringing_back.Way], line: OrderLine, order: Order) -> None:
        super().__init__("looked")
        self.ways, self.line, self.order = ways, line, order


@bp.get("/late/<int:line_id>")
def ways(line_id: int) -> ResponseReturnValue:
    """Show what would bring a late line's day back: each is tried on the plan and taken back."""
    now = context.now()

    def look(session: Session) -> None:
        line = session.get(OrderLine, line_id)
        if line is None:
            raise NotFound("unknown_record")
        order = session.get_one(Order, line.order_id)
        found = bringing_back.find(session, line.reservation_id, line.promised_on, now=now)
        session.refresh(line)
        session.refresh(order)
        session.expunge_all()
        raise _Looked(found, line, order)

    try:
        context.services().db.run(look)
    except _Looked as looked:
        return render_template("desk/planning/ways.html", ways=looked.ways, line=looked.line, order=looked.order)
    raise AssertionError("unreachable")


@bp.post("/receipts/<int:line_id>/shorten")
def shorten(line_id: int) -> ResponseReturnValue:
    """Note that fewer come than were ordered; what it moves is shown before it is saved."""
    me, now, version, watch = context.me(), context.now(), forms.version(), moved.Watch(forms.text("seen"))
    one = context.read(lambda db: planning_lists.get_coming(db, line_id, now=now))
    try:
        pieces = forms.number("quantity", least=0)
        quantity = one.line.received + pieces * one.item.parts_per_unit
        fresh = context.write(
            watch.over(lambda db: shortening.shorten(db, line_id, quantity, version=version, by=me.email, role=me.role, now=now)),
            scope=f"shorten:{line_id}",
        )
    except moved.Unseen as unseen:
        what = _("%(item)s from %(ref)s: only %(num)s still come", item=one.item.name, ref=one.order.number, num=pieces)
        return moved.ask_page(unseen, what=what, back="planning.receipts")
    except ShopError as error:
        wrong = next(iter(error.fields.values()), "") if isinstance(error, BadInput) else ""
        typed = {"fewer": str(line_id), "text": forms.text("quantity"), "wrong": wrong, "problem": explain(error)}
        return planning.receipts_page(typed, error.status)
    if fresh:
        flash(_("Saved. %(moved)s", moved=watch.words()))
    return redirect(url_for("planning.receipts", **forms.place()), 303)


@bp.post("/shifts")
def shift() -> ResponseReturnValue:
    """Let a work centre's shift be missing on a day; what it moves is shown before it is saved."""
    actor, now, watch = context.me().name, context.now(), moved.Watch(forms.text("seen"))
    try:
        centre_id = forms.number("shift_centre", wrong="bad_choice")
        on_day = forms.day("on_day", earliest=context.today())
        reason = forms.text("shift_reason").replace("\x00", " ")
        fresh = context.write(
            watch.over(lambda db: production.miss_shift(db, centre_id, on_day, reason=reason, actor=actor, now=now)),
            scope="shift",
        )
    except moved.Unseen as unseen:
        what = _("%(name)s: the shift is missing on %(day)s", name=planning.centre_name(centre_id), day=day(on_day))
        return moved.ask_page(unseen, what=what, back="planning.work_centres")
    except ShopError as error:
        return planning.load_page_with(error)
    if fresh:
        flash(_("Noted: the shift is missing. %(moved)s", moved=watch.words()))
    return redirect(url_for("planning.work_centres"), 303)


@bp.post("/production/<int:order_id>/delay")
def delay(order_id: int) -> ResponseReturnValue:
    """Note that a production order cannot begin before an instant; what it moves is shown before it is saved."""
    me, now, watch = context.me(), context.now(), moved.Watch(forms.text("seen"))
    try:
        until = forms.moment("not_before", context.house().zone)
        fresh = context.write(
            watch.over(lambda db: production.delay(db, order_id, until, by=me.email, role=me.role, now=now)),
            scope=f"delay:{order_id}",
        )
    except moved.Unseen as unseen:
        return moved.ask_page(unseen, what=_("It begins only %(at)s", at=moment(until)), back="planning.production_orders")
    except ShopError as error:
        wrong = next(iter(error.fields.values()), "") if isinstance(error, BadInput) else ""
        typed = {"id": str(order_id), "text": forms.text("not_before"), "wrong": wrong, "problem": explain(error)}
        return planning.production_page(typed, error.status)
    if fresh:
        flash(_("Saved. %(moved)s", moved=watch.words()))
    return redirect(url_for("planning.production_orders", **forms.place()), 303)


@bp.post("/production/<int:order_id>/begin")
def begin(order_id: int) -> ResponseReturnValue:
    """Note that a production order can begin after all."""
    me, now, watch = context.me(), context.now(), moved.Watch()
    try:
        context.write(watch.over(lambda db: production.begin(db, order_id, by=me.email, role=me.role, now=now)))
    except ShopError as error:
        return planning.production_page({"id": str(order_id), "problem": explain(error)}, error.status)
    flash(_("Saved. %(moved)s", moved=watch.words()))
    return redirect(url_for("planning.production_orders", **forms.place()), 303)
