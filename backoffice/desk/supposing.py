"""What if: asked in the address, worked out on a copy of the plan, saved nowhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice.crm.models import Order, OrderLine, Party
from backoffice.desk import context, forms, item_search, planning_lists, step_words
from backoffice.desk.formats import day_of, local, period
from backoffice.desk.phrases import gettext as _
from backoffice.desk.phrases import ngettext
from backoffice.desk.planning import MOST_HOURS
from backoffice.desk.wording import explain
from backoffice.erp import what_if
from backoffice.erp.models import PurchaseOrderLine
from backoffice.erp.what_if import Incoming, Moved, Supposed
from backoffice.public.errors import BadInput, NotFound, ShopError

bp = Blueprint("supposing", __name__, url_prefix="/desk/planning/what-if")
MOST_DAYS = 366
SHOWN = 200


@dataclass(frozen=True, slots=True)
class Named:
    """A moved line with whose and what it is."""

    moved: Moved
    customer: str
    name: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What was asked, in words, and what would happen. incoming: the answer for a new order."""

    what: str
    supposed: Supposed | None = None
    moved: Sequence[Named] = ()
    incoming: Incoming | None = None
    steps: Sequence[step_words.Said] = ()


@bp.get("")
def home() -> ResponseReturnValue:
    """Show the questions that may be asked and, if one was, its answer."""
    asked = forms.text("ask")
    try:
        answer = _QUESTIONS[asked]() if asked in _QUESTIONS else None
    except ShopError as error:
        return _page(None, explain(error), dict(error.fields) if isinstance(error, BadInput) else {}), error.status
    return _page(answer, "", {})


def _page(answer: Answer | None, problem: str, fields: Mapping[str, str]) -> str:
    now = context.now()
    coming, total = context.read(lambda db: planning_lists.find_coming(db, now=now, only=planning_lists.is_ordered()))
    chosen = forms.text("receipt")
    if chosen.isdecimal() and len(chosen) < 12 and all(str(one.line.id) != chosen for one in coming):
        own, _total = context.read(lambda db: planning_lists.find_coming(db, now=now, only=PurchaseOrderLine.id == int(chosen)))
        coming = [*own, *coming]
    return render_template(
        "desk/planning/what_if.html",
        answer=answer,
        problem_text=problem,
        fields=fields,
        asked=request.args,
        coming=coming,
        more_coming=total - len(coming),
        work_centres=context.read(planning_lists.find_work_centres),
        local_now=local(now),
        shown=SHOWN,
    )


def _receipt() -> Answer:
    days, line_id, now = forms.number("days", most=MOST_DAYS, wrong="bad_days"), _id("receipt"), context.now()
    due_at, supposed = context.read(lambda db: what_if.receipt_later(db, line_id, days, now=now))
    one = context.read(lambda db: planning_lists.get_coming(db, line_id, now=now))
    later = ngettext("%(num)d day later", "%(num)d days later", days)
    words = {"item": one.item.name, "ref": one.order.number, "later": later, "day": day_of(due_at)}
    return _answered(_("If %(item)s from %(ref)s came %(later)s, on %(day)s", **words), supposed)


def _stop() -> Answer:
    centre_id, now = _id("work_centre"), context.now()
    starts_at = forms.moment("starts_at", context.house().zone)
    ends_at = starts_at + timedelta(hours=forms.number("hours", most=MOST_HOURS, wrong="bad_hours"))
    supposed = context.read(lambda db: what_if.stop(db, centre_id, starts_at, ends_at, now=now))
    name = next(one.name for one in context.read(planning_lists.find_work_centres) if one.id == centre_id)
    return _answered(_("If %(name)s stood still, %(period)s", name=name, period=period(starts_at, ends_at)), supposed)


def _cancel() -> Answer:
    number, now = forms.text("order").strip()[:40], context.now()
    if not number:
        raise BadInput("invalid_form", {"order": "missing"})
    try:
        supposed = context.read(lambda db: what_if.cancelled(db, number, now=now))
    except NotFound:
        raise BadInput("invalid_form", {"order": "unknown_order"}) from None
    return _answered(_("If %(number)s were cancelled", number=number), supposed)


def _order() -> Answer:
    sku, now, postcode = forms.text("sku").strip()[:100], context.now(), forms.text("postcode").strip()[:12]
    quantity = forms.number("quantity")
    if not sku:
        raise BadInput("invalid_form", {"sku": "missing"})
    item = context.read(lambda db: item_search.find_item(db, sku))
    if item is None:
        raise BadInput("invalid_form", {"sku": "unknown_item"})
    found = context.read(lambda db: what_if.incoming(db, item.sku, quantity, postcode=postcode or None, now=now))
    what = _("If %(quantity)s × %(item)s were ordered now", quantity=quantity, item=found.item.name)
    return Answer(what, incoming=found, steps=[step_words.say(step) for step in found.promise.steps])


def _answered(what: str, supposed: Supposed) -> Answer:
    return Answer(what, supposed, context.read(lambda db: _named(db, supposed.moved)))


def _named(session: Session, moved: Sequence[Moved]) -> Sequence[Named]:
    rows = session.execute(
        sa.select(OrderLine.reservation_id, Party.name, OrderLine.name, OrderLine.quantity)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Party, Party.id == Order.party_id)
        .where(OrderLine.reservation_id.in_([one.reservation_id for one in moved]))
    )
    known = {reservation_id: (customer, name, quantity) for reservation_id, customer, name, quantity in rows}
    return [Named(one, *known[one.reservation_id]) for one in moved if one.reservation_id in known]


def _id(name: str) -> int:
    return forms.number(name, wrong="bad_choice")


_QUESTIONS: Mapping[str, Callable[[], Answer]] = {"receipt": _receipt, "stop": _stop, "order": _order, "cancel": _cancel}
