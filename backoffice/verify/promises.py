"""Days that were promised: not before what the plan permits, with what they stand on, and nobody is left to find out alone."""

from __future__ import annotations

import sqlalchemy as sa

from backoffice.bridge.models import OutboxMessage
from backoffice.crm.models import Order, OrderLine, Slip
from backoffice.crm.moving import DAY_MOVED, DAY_UNKNOWN
from backoffice.crm.orders import PAID_AFTER_THE_LAST_PARCEL, PAID_TOO_LATE_TO_BEGIN
from backoffice.verify.rule import Query, Rule

SAID_AT_ONCE = (PAID_TOO_LATE_TO_BEGIN.code, PAID_AFTER_THE_LAST_PARCEL.code)  # the confirmation itself names the later day


def _before_the_plan() -> Query:
    """Return lines whose day lay before the plan's own; a substitute keeps the day of what it came instead of."""
    swapped = sa.exists().where(Slip.order_id == OrderLine.order_id, Slip.state == "substituted")
    return (
        sa.select(Order.number, OrderLine.id, OrderLine.promised_on, OrderLine.earliest_on)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(OrderLine.earliest_on > OrderLine.promised_on, ~swapped)
        .order_by(OrderLine.id)
    )


def _unexplained() -> Query:
    """Return lines that do not say as of which plan they were promised."""
    return (
        sa.select(Order.number, OrderLine.id)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(OrderLine.promise["plan_version"].as_string().is_(None))
        .order_by(OrderLine.id)
    )


def _untold() -> Query:
    """Return orders whose day moved, and whom nobody wrote to."""
    told = sa.exists().where(
        OutboxMessage.target == "mail",
        OutboxMessage.aggregate == sa.literal("order:") + Order.number,
        OutboxMessage.kind.in_((DAY_MOVED, DAY_UNKNOWN)),
    )
    moved = OrderLine.moved_cause["code"].as_string()
    return (
        sa.select(Order.number, OrderLine.id, OrderLine.promised_on, OrderLine.expected_on)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(moved.is_not(None), moved.not_in(SAID_AT_ONCE), ~told)
        .order_by(OrderLine.id)
    )


RULES = (
    Rule("I10", "order {number}, line {id}: promised for {promised_on}, and the plan permits {earliest_on}", _before_the_plan()),
    Rule("I10", "order {number}, line {id} does not say as of which plan it was promised", _unexplained()),
    Rule("I10", "order {number}, line {id}: {promised_on} became {expected_on}, and nobody was told", _untold()),
)
