"""A target with a lane: so many at once, in order also past a dead letter, left alone while it is away."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from backoffice.bridge import outbox
from backoffice.bridge.models import OutboxLane, OutboxMessage
from backoffice.bridge.outbox import Message
from backoffice.db import Database


def put(db: Database, aggregate: str, kind: str, now: datetime) -> None:
    db.run(lambda session: outbox.put(session, "erp", aggregate, kind, {}, now=now))


def lease(db: Database, worker: str, now: datetime, limit: int = 10) -> list[Message]:
    return list(db.run(lambda session: outbox.lease(session, worker, now=now, limit=limit)))


def away(db: Database, message: Message, now: datetime) -> None:
    assert db.run(lambda session: outbox.put_off(session, message, "a", "away", now=now, jitter=lambda: 0.0))


def state(db: Database, message_id: int) -> tuple[str, int, int]:
    with db.read() as session:
        of = OutboxMessage
        row = session.execute(sa.select(of.state, of.attempts, of.excused).where(of.id == message_id)).one()
    return row.state, row.attempts, row.excused


def test_at_most_ten_are_on_their_way_whoever_carries_them(db: Database, now: datetime) -> None:
    for number in range(13):
        put(db, f"order:{number}", "placed", now)
    first, second = lease(db, "a", now, 7), lease(db, "b", now, 7)
    assert (len(first), len(second), len(lease(db, "c", now))) == (7, 3, 0)
    assert db.run(lambda session: outbox.done(session, first[0], "a", now=now))
    assert len(lease(db, "c", now)) == 1


def test_mails_do_not_wait_for_a_full_lane(db: Database, now: datetime) -> None:
    for number in range(12):
        put(db, f"order:{number}", "placed", now)
    lease(db, "a", now)
    db.run(lambda session: outbox.put(session, "mail", "order:1", "order_confirmed", {}, now=now))
    assert [message.target for message in lease(db, "b", now)] == ["mail"]


@pytest.mark.postgresql
def test_two_workers_at_the_same_moment_share_the_ten(postgres_db: Database, now: datetime) -> None:
    for number in range(30):
        put(postgres_db, f"order:{number}", "placed", now)
    with postgres_db.write() as first, postgres_db.write() as second:
        taken = len(outbox.lease(first, "one", now=now))
        second.execute(sa.text("SET LOCAL lock_timeout = '100ms'"))
        with pytest.raises(sa.exc.OperationalError):  # it queues on the lane's row
            outbox.lease(second, "two", now=now)
        second.rollback()
    assert (taken, len(lease(postgres_db, "two", now))) == (10, 0)


def test_what_comes_after_a_dead_letter_waits_until_it_is_given_up(db: Database, now: datetime) -> None:
    put(db, "order:1", "placed", now)
    put(db, "order:1", "cancelled", now)
    [first] = lease(db, "a", now)
    assert (first.sequence, first.asked_at) == (1, None)
    assert db.run(lambda session: outbox.fail(session, first, "a", "refused", now=now, final=True))
    assert lease(db, "a", now) == []
    db.run(lambda session: outbox.give_up(session, first.id))
    assert [(one.kind, one.sequence) for one in lease(db, "a", now)] == [("cancelled", 2)]


def test_tries_that_found_nobody_there_are_not_counted(db: Database, now: datetime) -> None:
    put(db, "order:1", "placed", now)
    for _ in range(20):
        [message] = lease(db, "a", now)
        away(db, message, now)
        assert lease(db, "a", now + timedelta(seconds=4)) == []
        now += timedelta(seconds=60)
    assert state(db, 1) == ("pending", 20, 20)
    for _ in range(8):
        assert state(db, 1)[0] == "pending"
        [message] = lease(db, "a", now)
        with db.write() as session:
            assert outbox.fail(session, message, "a", "500", now=now)
        now += timedelta(seconds=60)
    assert state(db, 1) == ("dead", 28, 20)


def test_after_five_times_one_tries_now_and_then_and_all_do_once_it_is_back(db: Database, now: datetime) -> None:
    for number in range(20):
        put(db, f"order:{number}", "placed", now)
    for message in lease(db, "a", now, 5):
        away(db, message, now)
    with db.read() as session:
        lane = session.get_one(OutboxLane, "erp")
        assert (lane.failures, lane.closed_until) == (5, now + timedelta(seconds=5))
    assert lease(db, "a", now + timedelta(seconds=4)) == []
    now += timedelta(seconds=5)
    [probe] = lease(db, "a", now)  # one, to see whether somebody is there again
    assert lease(db, "b", now) == []
    away(db, probe, now)
    now += timedelta(seconds=15)
    [probe] = lease(db, "a", now)
    assert db.run(lambda session: outbox.done(session, probe, "a", now=now))
    assert len(lease(db, "a", now)) == 10


def test_whoever_lost_the_lease_may_not_ask(db: Database, now: datetime) -> None:
    put(db, "order:1", "placed", now)
    [lost] = lease(db, "a", now)
    later = now + timedelta(seconds=120)
    [taken] = lease(db, "b", later)
    assert not db.run(lambda session: outbox.ask(session, lost, now=later))
    assert db.run(lambda session: outbox.ask(session, taken, now=later))
    [again] = lease(db, "c", later + timedelta(seconds=120))
    assert again.asked_at == later
