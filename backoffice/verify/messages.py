"""Messages that leave the house: in order, none lost, none stuck."""

from __future__ import annotations

import sqlalchemy as sa

from backoffice.bridge.lanes import LANES
from backoffice.bridge.models import OutboxMessage
from backoffice.bridge.outbox import STUCK_AFTER
from backoffice.bridge.outside.carrying import KIND, SYSTEM
from backoffice.bridge.outside.handing_over import TARGET, aggregate_of
from backoffice.crm.models import Order
from backoffice.erp.models import ExternalRef
from backoffice.verify.rule import Query, Rule


def _gaps() -> Query:
    """Return each aggregate whose messages are not numbered 1, 2, 3 …"""
    message = OutboxMessage
    many, last = sa.func.count(), sa.func.max(message.sequence)
    return (
        sa.select(message.target, message.aggregate, many.label("many"), last.label("last"))
        .group_by(message.target, message.aggregate)
        .having(many != last)
        .order_by(message.target, message.aggregate)
    )


def _stuck() -> Query:
    """Return what nobody carries though it may be carried; and what waits for a receiver that is away."""
    late = sa.or_(
        OutboxMessage.available_at < sa.bindparam("now"),
        sa.and_(OutboxMessage.target.in_(LANES), OutboxMessage.created_at < sa.bindparam("now")),
    )
    return (
        sa.select(OutboxMessage.id, OutboxMessage.target, OutboxMessage.aggregate, OutboxMessage.attempts)
        .where(OutboxMessage.state == "pending", late)
        .order_by(OutboxMessage.id)
    )


_AT_THE_ERP = sa.and_(ExternalRef.system == SYSTEM, ExternalRef.kind == KIND)


def _bound_twice() -> Query:
    many = sa.func.count().label("many")
    return (
        sa.select(Order.number, many)
        .join(ExternalRef, sa.and_(_AT_THE_ERP, ExternalRef.our_id == Order.id))
        .group_by(Order.number)
        .having(sa.func.count() > 1)
        .order_by(Order.number)
    )


def _unbound() -> Query:
    """Return each order that an outside ERP was given, whose number there nobody knows."""
    known = sa.exists().where(_AT_THE_ERP, ExternalRef.our_id == Order.id)
    return (
        sa.select(OutboxMessage.id, Order.number)
        .join(Order, OutboxMessage.aggregate == sa.literal(aggregate_of("")) + Order.number)
        .where(OutboxMessage.target == TARGET, OutboxMessage.kind == "placed", OutboxMessage.state == "done", ~known)
        .order_by(OutboxMessage.id)
    )


RULES = (
    Rule("I9", "{target} of {aggregate}: {many} messages, the last is number {last}", _gaps()),
    Rule("I8", "order {number} is bound to {many} orders of the ERP", _bound_twice()),
    Rule("I8", "order {number} was handed to the ERP, and its number there is not known", _unbound()),
    Rule("I9", "message {id} ({target} of {aggregate}) waits since long, after {attempts} tries", _stuck(), STUCK_AFTER),
)
