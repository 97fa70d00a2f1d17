"""Read model: the list of orders. One query for a page of it, two for what stands beside each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm.models import Checkout, Order, OrderLine, Party
from backoffice.desk.listing import PAGE, Filters, contains, total
from backoffice.payments.models import Refund, RefundRequest

WHICH = ("open", "late", "refund", "shipped", "delivered", "cancelled", "any")
SORTS = ("new", "old", "day")
OPEN = ("placed", "confirmed", "picking")
UNDER_WAY = (*OPEN, "shipped")
NOT_BACK_YET = ("requested", "pending")


@dataclass(frozen=True, slots=True)
class Row:
    """One order. promised_on, expected_on: of its last line; refund: money is asked for or on its way back.

    is_past: it has not left although its day is past.
    """

    order: Order
    name: str
    company: str
    promised_on: date
    expected_on: date
    refund: bool
    is_past: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of the list, and how many there are."""

    rows: Sequence[Row]
    total: int


def find_orders(session: Session, filters: Filters, *, today: date) -> Listed:
    """Return one page of orders. today: late is also what has not left although its day is past."""
    wanted = sa.select(Order, Checkout.name, Checkout.company).join(Checkout, Checkout.id == Order.checkout_id)
    condition = _which(filters.which, today)
    if condition is not None:
        wanted = wanted.where(condition)
    if filters.query:
        wanted = wanted.join(Party, Party.id == Order.party_id).where(
            contains(filters.query, Order.number, Checkout.name, Checkout.email, Checkout.company, Checkout.postcode, Party.name)
        )
    day = sa.select(sa.func.max(OrderLine.expected_on)).where(OrderLine.order_id == Order.id).correlate(Order).scalar_subquery()
    order = {"new": (Order.id.desc(),), "old": (Order.id,), "day": (day, Order.id)}[filters.sort]
    found = session.execute(wanted.order_by(*order).limit(PAGE).offset((filters.page - 1) * PAGE)).all()
    days, back = _days(session, [one.id for one, *_ in found]), _waits_for_money(session, [one.id for one, *_ in found])
    rows = [
        Row(one, name, company, *days[one.id], one.id in back, one.state in OPEN and days[one.id][1] < today)
        for one, name, company in found
    ]
    return Listed(rows, total(session, wanted))


def _which(which: str, today: date) -> sa.ColumnElement[bool] | None:
    if which == "any":
        return None
    if which == "open":
        return Order.state.in_(OPEN)
    if which == "late":
        late = sa.exists().where(
            OrderLine.order_id == Order.id,
            OrderLine.actual_on.is_(None),
            sa.or_(
                OrderLine.expected_on > OrderLine.promised_on,
                OrderLine.moved_cause["day_known"].as_boolean() == sa.false(),
                sa.and_(Order.state.in_(OPEN), OrderLine.promised_on < today),
            ),
        )
        return sa.and_(Order.state.in_(UNDER_WAY), late)
    if which == "refund":
        return Order.payment_id.in_(_payments_waiting())
    return Order.state == which


def _payments_waiting() -> sa.CompoundSelect[int]:
    asked = sa.select(RefundRequest.payment_id).where(RefundRequest.state == "waiting")
    return asked.union_all(sa.select(Refund.payment_id).where(Refund.state.in_(NOT_BACK_YET)))


def _days(session: Session, ids: Sequence[int]) -> dict[int, tuple[date, date]]:
    last = sa.select(OrderLine.order_id, sa.func.max(OrderLine.promised_on), sa.func.max(OrderLine.expected_on))
    rows = session.execute(last.where(OrderLine.order_id.in_(ids)).group_by(OrderLine.order_id))
    return {order_id: (promised_on, expected_on) for order_id, promised_on, expected_on in rows}


def _waits_for_money(session: Session, ids: Sequence[int]) -> set[int]:
    waiting = sa.select(Order.id).where(Order.id.in_(ids), Order.payment_id.in_(_payments_waiting()))
    return set(session.scalars(waiting))
