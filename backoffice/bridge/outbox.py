"""The outbox: what has to leave the house, kept in order, carried by whoever holds the lease.

    put ──▶ pending ──lease──▶ (carried, outside any transaction) ──done──▶ done
               ▲                        │
               └──── fail: back-off ────┤──▶ dead after 8 tries, or at once when trying again cannot help
               └──── replay ◀───────────┘

The row is the truth: a worker that dies simply lets its lease run out and another takes the message. So a message is
delivered at least once, and whoever delivers must make the second time harmless.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.dml import ReturningInsert

from backoffice.bridge.models import OutboxMessage
from backoffice.db import table_of
from backoffice.public.errors import NotFound

LEASE = timedelta(seconds=120)
MOST_TRIES = 8
FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(hours=1)  # with a factor of 3, eight tries outlive an outage of two hours


@dataclass(frozen=True, slots=True)
class Message:
    """A message as its carrier sees it. attempts: this try's number, which also proves who holds the lease."""

    id: int
    target: str
    aggregate: str
    kind: str
    payload: Mapping[str, Any]
    attempts: int
    leased_until: datetime
    created_at: datetime


@dataclass(frozen=True, slots=True)
class New:
    """A message that is to be added. payload: as for `put`."""

    aggregate: str
    kind: str
    payload: Mapping[str, Any]
    at: datetime


class Undeliverable(Exception):
    """Say that trying again cannot help: the message goes to the dead letters at once."""


def put(session: Session, target: str, aggregate: str, kind: str, payload: Mapping[str, Any], *, now: datetime) -> None:
    """Add a message behind the earlier ones of its aggregate, in the transaction that causes it.

    payload: JSON values only (days and instants as ISO text, money as {"amount_minor", "currency"}).
    """
    _put(session, _values(target, New(aggregate, kind, payload, now)))


def put_all(session: Session, target: str, messages: Sequence[New]) -> None:
    """Add messages as `put` does, all of them in two statements; no two of one aggregate (else ValueError)."""
    waiting = {one.aggregate: one for one in sorted(messages, key=lambda one: one.aggregate)}
    if len(waiting) != len(messages):
        raise ValueError("two messages of one aggregate")
    if not messages:
        return
    of = table_of(OutboxMessage).c
    earlier = sa.select(of.aggregate, sa.func.max(of.sequence)).where(of.target == target, of.aggregate.in_(waiting))
    last = dict(session.execute(earlier.group_by(of.aggregate)).all())
    rows = [{**_values(target, one), "sequence": last.get(one.aggregate, 0) + 1} for one in waiting.values()]
    insert = _insert(session.get_bind().dialect.name).on_conflict_do_nothing().returning(of.aggregate)
    written = set(session.scalars(insert, rows))
    for aggregate in waiting.keys() - written:  # somebody else has put one there since we looked
        _put(session, _values(target, waiting[aggregate]))


def _put(session: Session, values: dict[str, Any]) -> None:
    # another transaction may have taken this number; the insert waited for its commit, so the next one reads past it
    while session.scalar(_putting(session.get_bind().dialect.name), values) is None:
        pass


def _values(target: str, new: New) -> dict[str, Any]:
    return {
        "target": target,
        "aggregate": new.aggregate,
        "kind": new.kind,
        "payload": dict(new.payload),
        "state": "pending",
        "attempts": 0,
        "available_at": new.at,
        "last_error": "",
        "created_at": new.at,
    }


def _insert(dialect: str) -> sqlite.Insert | postgresql.Insert:
    message = table_of(OutboxMessage)
    return sqlite.insert(message) if dialect == "sqlite" else postgresql.insert(message)


@cache
def _putting(dialect: str) -> ReturningInsert[tuple[int]]:
    message = table_of(OutboxMessage)
    last = sa.select(sa.func.coalesce(sa.func.max(message.c.sequence), 0)).where(
        message.c.target == sa.bindparam("target"), message.c.aggregate == sa.bindparam("aggregate")
    )
    given = ("target", "aggregate", "kind", "payload", "state", "attempts", "available_at", "last_error", "created_at")
    values: dict[str, Any] = {name: sa.bindparam(name) for name in given} | {"sequence": last.scalar_subquery() + 1}
    return _insert(dialect).values(values).on_conflict_do_nothing().returning(message.c.id)


def is_waiting(session: Session, *, now: datetime) -> bool:
    """Tell whether there is anything to carry now, without taking it."""
    return session.scalar(_deliverable(now).limit(1)) is not None


def lease(session: Session, worker: str, *, now: datetime, limit: int = 10) -> Sequence[Message]:
    """Take up to `limit` messages for `worker`, the oldest first, at most one of each (target, aggregate).

    Other workers do not get them until LEASE has passed; waiting for each other they do not either.
    """
    _bury_worn_out(session, now)
    chosen = _deliverable(now).limit(limit).with_for_update(skip_locked=True)
    rows = session.execute(
        sa.update(OutboxMessage)
        .where(OutboxMessage.id.in_(list(session.scalars(chosen))), _is_free(now))
        .values(leased_by=worker, leased_until=now + LEASE, attempts=OutboxMessage.attempts + 1)
        .returning(OutboxMessage)
        .execution_options(populate_existing=True)
    ).scalars()
    taken = [
        Message(row.id, row.target, row.aggregate, row.kind, row.payload, row.attempts, now + LEASE, row.created_at)
        for row in rows
    ]
    return sorted(taken, key=lambda message: message.id)


def done(session: Session, message: Message, worker: str, *, now: datetime) -> bool:
    """Mark a message as delivered; False when the lease has gone to another worker in the meantime."""
    return _settle(session, message, worker, state="done", done_at=now)


def fail(
    session: Session,
    message: Message,
    worker: str,
    error: str,
    *,
    now: datetime,
    final: bool = False,
    jitter: Callable[[], float] = random.random,
) -> bool:
    """Note a failed try: again later, or dead after the last one or when it is `final`. False as in `done`."""
    dead = final or message.attempts >= MOST_TRIES
    return _settle(
        session,
        message,
        worker,
        state="dead" if dead else "pending",
        available_at=now + wait_after(message.attempts, jitter()),
        last_error=error[:2000],
    )


def wait_after(attempts: int, jitter: float) -> timedelta:
    """Return the pause after the given number of tries; jitter in [0, 1) spreads it over its upper half."""
    longest = min(FIRST_WAIT * int(3 ** (attempts - 1)), LONGEST_WAIT)
    return longest * (0.5 + jitter / 2)


def find_dead(session: Session) -> Sequence[OutboxMessage]:
    """Return the dead letters, oldest first."""
    return session.scalars(sa.select(OutboxMessage).where(OutboxMessage.state == "dead").order_by(OutboxMessage.id)).all()


def replay(session: Session, message_id: int, *, now: datetime) -> None:
    """Try a dead letter again from its first try. Raises NotFound(unknown_record) when it is not a dead letter."""
    changed = session.execute(
        sa.update(OutboxMessage)
        .where(OutboxMessage.id == message_id, OutboxMessage.state == "dead")
        .values(state="pending", attempts=0, available_at=now)
        .returning(OutboxMessage.id)
    ).first()
    if changed is None:
        raise NotFound("unknown_record", id=message_id)


def _is_free(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(
        OutboxMessage.state == "pending",
        sa.or_(OutboxMessage.leased_until.is_(None), OutboxMessage.leased_until <= now),
    )


def _deliverable(now: datetime) -> sa.Select[int]:
    earlier = aliased(OutboxMessage)
    blocked = sa.exists().where(
        earlier.target == OutboxMessage.target,
        earlier.aggregate == OutboxMessage.aggregate,
        earlier.sequence < OutboxMessage.sequence,
        earlier.state == "pending",
    )
    return (
        sa.select(OutboxMessage.id)
        .where(_is_free(now), OutboxMessage.available_at <= now, ~blocked)
        .order_by(OutboxMessage.available_at, OutboxMessage.id)
    )


def _bury_worn_out(session: Session, now: datetime) -> None:
    """A message that outlived its worker on the last try is not tried again: it may be what killed them."""
    session.execute(
        sa.update(OutboxMessage)
        .where(_is_free(now), OutboxMessage.attempts >= MOST_TRIES)
        .values(state="dead", leased_by=None, leased_until=None, last_error="the worker never came back from the last try")
    )


def _settle(session: Session, message: Message, worker: str, **values: object) -> bool:
    settled = session.execute(
        sa.update(OutboxMessage)
        .where(
            OutboxMessage.id == message.id,
            OutboxMessage.state == "pending",
            OutboxMessage.leased_by == worker,
            OutboxMessage.attempts == message.attempts,
        )
        .values(leased_by=None, leased_until=None, **values)
        .returning(OutboxMessage.id)
    ).first()
    return settled is not None
