"""Lanes of the outbox: targets that must not be asked for too much at once, and are left alone while they are away.

After a few tries in a row that found nobody there the lane closes for a while; then one message tries, and all go once one did.
(Source: the circuit breaker of Nygard's Release It!, kept in a row that all workers share.)
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from backoffice.bridge.models import OutboxLane, OutboxMessage
from backoffice.db import table_of

AWAY_AFTER = 5  # so many tries in a row that found nobody there close the lane
LONGEST_CLOSED = timedelta(seconds=30)
FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(hours=1)  # with a factor of 3, eight tries outlive an outage of two hours


@dataclass(frozen=True, slots=True)
class Lane:
    """How a target wants to be treated. at_once: messages on their way; longest: pause between two tries of a message.

    lease: longer than its calls take; while one of a dead worker lasts, it keeps a place in the lane.
    """

    at_once: int
    longest: timedelta
    lease: timedelta


# a message is at most two calls, of 20 seconds each (`outside.door`)
LANES = {"erp": Lane(at_once=10, longest=timedelta(seconds=60), lease=timedelta(seconds=60))}


def room(session: Session, target: str, *, now: datetime) -> int:
    """Lock a lane and return how many more of its messages may be on their way; one by one while the receiver seems away."""
    session.execute(
        (sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert)(table_of(OutboxLane))
        .values(target=target, failures=0)
        .on_conflict_do_nothing()
    )
    lane = session.get_one(OutboxLane, target, with_for_update=True, populate_existing=True)
    if lane.closed_until is not None and lane.closed_until > now:
        return 0
    on_their_way = sa.select(sa.func.count()).where(
        OutboxMessage.target == target, OutboxMessage.state == "pending", OutboxMessage.leased_until > now
    )
    return (1 if lane.failures >= AWAY_AFTER else LANES[target].at_once) - (session.scalar(on_their_way) or 0)


def found_there(session: Session, target: str) -> None:
    """Open a lane again: somebody took a message."""
    if target in LANES:
        closed = sa.update(OutboxLane).where(OutboxLane.target == target, OutboxLane.failures > 0)
        session.execute(closed.values(failures=0, closed_until=None).execution_options(synchronize_session=False))


def found_away(session: Session, target: str, *, now: datetime, jitter: float) -> None:
    """Count a try that found nobody there."""
    lane = session.get(OutboxLane, target, with_for_update=True, populate_existing=True)
    if lane is None:
        return
    lane.failures += 1
    if lane.failures >= AWAY_AFTER:
        lane.closed_until = now + wait_after(lane.failures - AWAY_AFTER + 1, jitter, LONGEST_CLOSED)
    session.flush()


def wait_after(attempts: int, jitter: float, longest: timedelta = LONGEST_WAIT) -> timedelta:
    """Return the pause after the given number of tries; jitter in [0, 1) spreads it over its upper half."""
    pause = min(FIRST_WAIT * int(3 ** min(attempts - 1, 10)), longest)
    return pause * (0.5 + jitter / 2)
