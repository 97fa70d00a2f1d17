"""The outbox: what has to leave the house, kept in order, carried by whoever holds the lease.

    put ──▶ pending ──lease──▶ (carried, outside any transaction) ──done──▶ done
               ▲                        │
               └──── fail: back-off ────┤──▶ dead after 8 tries, or at once when trying again cannot help
               └──── replay ◀───────────┘──▶ given_up, by a person who says why

The row is the truth: a worker that dies simply lets its lease run out and another takes the message. So a message is
delivered at least once, and whoever delivers must make the second time harmless.

A target with a lane of its own (LANES) is treated with care: only so many of its messages are on their way at once, whoever
carries them; a dead message holds up the later ones of its aggregate; tries that found the receiver away are not counted, and
after a few of them in a row nobody tries but one, now and then.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.dml import ReturningInsert

from backoffice.bridge import lanes
from backoffice.bridge.lanes import LANES, LONGEST_WAIT, wait_after
from backoffice.bridge.models import OutboxMessage
from backoffice.db import UtcDateTime, table_of
from backoffice.public.errors import NotFound

LEASE = timedelta(seconds=120)
MOST_TRIES = 8
MAILS_KEPT = timedelta(days=90)  # what was written to somebody is of use as long as they may ask about it
STUCK_AFTER = timedelta(minutes=15)  # a message that waits longer needs somebody's eye


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
    sequence: int = 1
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class New:
    """A message that is to be added. payload: as for `put`."""

    aggregate: str
    kind: str
    payload: Mapping[str, Any]
    at: datetime


class Undeliverable(Exception):
    """Say that trying again cannot help: the message goes to the dead letters at once."""


class Away(Exception):
    """Say that the receiver is away or too busy: nothing was done, and the try is not counted."""


class Unsettled(Exception):
    """Say that the receiver was asked and it is not known what it did. counts: whether the message may be what is wrong."""

    def __init__(self, why: str, until: datetime, *, counts: bool) -> None:
        """Name the instant from which on the answer can be known."""
        super().__init__(why)
        self.until, self.counts = until, counts


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

    Other workers do not get them until LEASE (or their lane's) has passed; waiting for each other they do not, but for a lane.
    """
    _bury_worn_out(session, now)
    chosen = list(session.scalars(_leasable(now, OutboxMessage.target.not_in(LANES), limit)))
    for target in LANES:
        waits = session.scalar(_deliverable(now).where(OutboxMessage.target == target).limit(1)) is not None
        room = min(lanes.room(session, target, now=now), limit - len(chosen)) if waits and len(chosen) < limit else 0
        if room > 0:
            chosen += session.scalars(_leasable(now, OutboxMessage.target == target, room))
    if not chosen:
        return []
    rows = session.execute(
        sa.update(OutboxMessage)
        .where(OutboxMessage.id.in_(chosen), _is_free(now))
        .values(leased_by=worker, leased_until=_leased_until(now), attempts=OutboxMessage.attempts + 1)
        .returning(OutboxMessage)
        .execution_options(populate_existing=True)
    ).scalars()
    taken = [
        Message(
            row.id,
            row.target,
            row.aggregate,
            row.kind,
            row.payload,
            row.attempts,
            row.leased_until or now,
            row.created_at,
            row.sequence,
            row.asked_at,
        )
        for row in rows
    ]
    return sorted(taken, key=lambda message: message.id)


def _leased_until(now: datetime) -> sa.Case[datetime]:
    lanes_own = [
        (table_of(OutboxMessage).c.target == name, sa.literal(now + lane.lease, UtcDateTime)) for name, lane in LANES.items()
    ]
    return sa.case(*lanes_own, else_=sa.literal(now + LEASE, UtcDateTime))


def _leasable(now: datetime, whose: sa.ColumnElement[bool], limit: int) -> sa.Select[int]:
    return _deliverable(now).where(whose).limit(limit).with_for_update(skip_locked=True)


def ask(session: Session, message: Message, *, now: datetime) -> bool:
    """Note, before the receiver is asked for something, that it is: whoever comes next knows that an answer may be missing.

    False, with nothing noted, when the lease has gone to another worker: then nobody may ask.
    """
    noted = session.execute(
        sa.update(OutboxMessage)
        .where(
            OutboxMessage.id == message.id,
            OutboxMessage.state == "pending",
            OutboxMessage.attempts == message.attempts,
            OutboxMessage.leased_until > now,
        )
        .values(asked_at=now)
        .returning(OutboxMessage.id)
    ).first()
    return noted is not None


def not_asked(session: Session, message: Message) -> None:
    """Take `ask` back: it is certain that the receiver never heard it."""
    session.execute(
        sa.update(OutboxMessage)
        .where(OutboxMessage.id == message.id, OutboxMessage.attempts == message.attempts)
        .values(asked_at=None)
    )


def done(session: Session, message: Message, worker: str, *, now: datetime) -> bool:
    """Mark a message as delivered; False when the lease has gone to another worker in the meantime."""
    lanes.found_there(session, message.target)
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
    again_at = now + _pause(message, jitter())
    state = "dead" if final else _dead_when_worn_out()
    return _settle(session, message, worker, state=state, available_at=again_at, last_error=error[:2000])


def put_off(
    session: Session,
    message: Message,
    worker: str,
    error: str,
    *,
    now: datetime,
    until: datetime | None = None,
    counts: bool = False,
    jitter: Callable[[], float] = random.random,
) -> bool:
    """Note a try that the receiver, not the message, let fail: unless it `counts`, it is none of the eight. False as in `done`.

    until: not before then; None: the receiver was away, which after a few times in a row closes its lane for a while.
    """
    if until is None and message.target in LANES:
        lanes.found_away(session, message.target, now=now, jitter=jitter())
    again_at = until or now + _pause(message, jitter())
    how = {"state": _dead_when_worn_out()} if counts else {"excused": table_of(OutboxMessage).c.excused + 1}
    return _settle(session, message, worker, available_at=again_at, last_error=error[:2000], **how)


def _dead_when_worn_out() -> sa.Case[str]:
    of = table_of(OutboxMessage).c
    return sa.case((of.attempts - of.excused >= MOST_TRIES, "dead"), else_="pending")


def _pause(message: Message, jitter: float) -> timedelta:
    lane = LANES.get(message.target)
    return wait_after(message.attempts, jitter, lane.longest if lane else LONGEST_WAIT)


def find_dead(session: Session) -> Sequence[OutboxMessage]:
    """Return the dead letters, oldest first."""
    return session.scalars(sa.select(OutboxMessage).where(OutboxMessage.state == "dead").order_by(OutboxMessage.id)).all()


def replay(session: Session, message_id: int, *, now: datetime) -> None:
    """Try a dead letter again from its first try. Raises NotFound(unknown_record) when it is not a dead letter."""
    changed = session.execute(
        sa.update(OutboxMessage)
        .where(OutboxMessage.id == message_id, OutboxMessage.state == "dead")
        .values(state="pending", attempts=0, excused=0, available_at=now)
        .returning(OutboxMessage.id)
    ).first()
    if changed is None:
        raise NotFound("unknown_record", id=message_id)


def give_up(session: Session, message_id: int) -> OutboxMessage:
    """Never try a dead letter again and forget what it carried; what came after it may leave.

    Raises NotFound(unknown_record) as `replay` does.
    """
    message = session.get(OutboxMessage, message_id, with_for_update=True, populate_existing=True)
    if message is None or message.state != "dead":
        raise NotFound("unknown_record", id=message_id)
    message.state, message.payload = "given_up", {}
    session.flush()
    return message


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
        sa.or_(earlier.state == "pending", sa.and_(earlier.state == "dead", earlier.target.in_(LANES))),
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
        .where(_is_free(now), OutboxMessage.attempts - OutboxMessage.excused >= MOST_TRIES)
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


def empty_old_mails(session: Session, *, now: datetime) -> int:
    """Empty the mails that nobody will send again: whom they went to, and of what, is known elsewhere. Return how many."""
    row = OutboxMessage
    old = sa.update(row).where(row.target == "mail", row.state.in_(("done", "given_up")), row.available_at < now - MAILS_KEPT)
    full = old.where(sa.cast(row.payload, sa.Text) != "{}").values(payload={}).execution_options(synchronize_session=False)
    return cast("CursorResult[Any]", session.execute(full)).rowcount
