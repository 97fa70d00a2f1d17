"""Messages that leave the house: in order, none lost, none stuck."""

from __future__ import annotations

import sqlalchemy as sa

from backoffice.bridge.models import OutboxMessage
from backoffice.bridge.outbox import STUCK_AFTER
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
    return (
        sa.select(OutboxMessage.id, OutboxMessage.target, OutboxMessage.aggregate, OutboxMessage.attempts)
        .where(OutboxMessage.state == "pending", OutboxMessage.available_at < sa.bindparam("now"))
        .order_by(OutboxMessage.id)
    )


RULES = (
    Rule("I9", "{target} of {aggregate}: {many} messages, the last is number {last}", _gaps()),
    Rule("I9", "message {id} ({target} of {aggregate}) waits since long, after {attempts} tries", _stuck(), STUCK_AFTER),
)
