"""The outbox: order per aggregate, leases, back-off, dead letters."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from backoffice.bridge import lanes, outbox
from backoffice.bridge.models import OutboxMessage
from backoffice.db import Database
from backoffice.public.errors import NotFound
from tests.statements import count


def put(db: Database, aggregate: str, kind: str, now: datetime) -> None:
    db.run(lambda session: outbox.put(session, "mail", aggregate, kind, {"to": "a@b.test"}, now=now))


def lease(db: Database, worker: str, now: datetime, limit: int = 10) -> list[outbox.Message]:
    return list(db.run(lambda session: outbox.lease(session, worker, now=now, limit=limit)))


def row(db: Database, message_id: int) -> OutboxMessage:
    with db.read() as session:
        found = session.get(OutboxMessage, message_id)
        assert found is not None
        session.expunge(found)
    return found


def test_messages_of_one_aggregate_leave_one_after_the_other(db: Database, now: datetime) -> None:
    put(db, "order:1", "order_confirmed", now)
    put(db, "order:1", "order_shipped", now)
    put(db, "order:2", "order_confirmed", now)

    first = lease(db, "a", now)
    assert [(m.aggregate, m.kind, m.attempts) for m in first] == [
        ("order:1", "order_confirmed", 1),
        ("order:2", "order_confirmed", 1),
    ]
    assert lease(db, "a", now) == []  # the second of order:1 waits for the first

    assert db.run(lambda session: outbox.done(session, first[0], "a", now=now))
    assert [(m.aggregate, m.kind) for m in lease(db, "a", now)] == [("order:1", "order_shipped")]
    assert row(db, first[0].id).state == "done"
    assert row(db, first[0].id).done_at == now


def test_two_workers_never_hold_the_same_message(db: Database, now: datetime) -> None:
    for number in range(5):
        put(db, f"order:{number}", "order_confirmed", now)
    one = lease(db, "one", now, limit=3)
    two = lease(db, "two", now, limit=3)
    assert [m.id for m in one] == [1, 2, 3]
    assert [m.id for m in two] == [4, 5]


@pytest.mark.postgresql
def test_workers_at_the_same_moment_skip_what_another_is_taking(postgres_db: Database, now: datetime) -> None:
    for number in range(4):
        put(postgres_db, f"order:{number}", "order_confirmed", now)
    with postgres_db.write() as first, postgres_db.write() as second:
        one = outbox.lease(first, "one", now=now, limit=2)
        two = outbox.lease(second, "two", now=now, limit=4)  # waits for nobody
    assert [m.id for m in one] == [1, 2]
    assert [m.id for m in two] == [3, 4]


def test_an_expired_lease_goes_to_another_worker_and_the_first_cannot_settle(db: Database, now: datetime) -> None:
    put(db, "order:1", "order_confirmed", now)
    [lost] = lease(db, "one", now)
    assert lease(db, "two", now + timedelta(seconds=119)) == []
    later = now + timedelta(seconds=120)
    [taken] = lease(db, "two", later)
    assert (taken.id, taken.attempts) == (lost.id, 2)
    assert not db.run(lambda session: outbox.done(session, lost, "one", now=later))
    assert not db.run(lambda session: outbox.fail(session, lost, "one", "too late", now=later))
    assert db.run(lambda session: outbox.done(session, taken, "two", now=later))


def test_a_worker_that_takes_its_own_expired_lease_again_settles_only_the_new_one(db: Database, now: datetime) -> None:
    put(db, "order:1", "order_confirmed", now)
    [before] = lease(db, "one", now)
    [again] = lease(db, "one", now + timedelta(seconds=121))
    assert not db.run(lambda session: outbox.done(session, before, "one", now=now))
    assert db.run(lambda session: outbox.done(session, again, "one", now=now))


@pytest.mark.parametrize(
    ("attempts", "jitter", "seconds"),
    [(1, 0.0, 5), (1, 1.0, 10), (2, 1.0, 30), (3, 0.5, 67.5), (6, 1.0, 2430), (7, 1.0, 3600), (8, 0.0, 1800)],
)
def test_the_pause_triples_up_to_an_hour_and_spreads(attempts: int, jitter: float, seconds: float) -> None:
    assert lanes.wait_after(attempts, jitter) == timedelta(seconds=seconds)


def test_a_failed_message_waits_and_holds_back_only_its_own_aggregate(db: Database, now: datetime) -> None:
    put(db, "order:1", "order_confirmed", now)
    put(db, "order:1", "order_shipped", now)
    put(db, "order:2", "order_confirmed", now)
    failed, other = lease(db, "a", now)
    assert db.run(lambda session: outbox.fail(session, failed, "a", "no route", now=now, jitter=lambda: 1.0))
    assert db.run(lambda session: outbox.done(session, other, "a", now=now))

    assert lease(db, "a", now + timedelta(seconds=9)) == []
    assert not db.run(lambda session: outbox.is_waiting(session, now=now + timedelta(seconds=9)))
    assert db.run(lambda session: outbox.is_waiting(session, now=now + timedelta(seconds=10)))
    [again] = lease(db, "a", now + timedelta(seconds=10))
    assert (again.id, again.attempts) == (failed.id, 2)
    assert row(db, failed.id).last_error == "no route"


def test_a_poisoned_message_is_dead_after_eight_tries_and_lets_the_next_pass(db: Database, now: datetime) -> None:
    put(db, "order:1", "poison", now)
    put(db, "order:1", "order_shipped", now)
    at = now
    for attempt in range(1, 9):
        [message] = lease(db, "a", at)
        assert (message.kind, message.attempts) == ("poison", attempt)
        db.run(lambda session, m=message, at=at: outbox.fail(session, m, "a", "boom", now=at))
        at += timedelta(hours=1)
    assert row(db, 1).state == "dead"
    assert [m.kind for m in lease(db, "a", at)] == ["order_shipped"]


def test_a_message_that_kills_its_worker_each_time_is_buried_too(db: Database, now: datetime) -> None:
    put(db, "order:1", "poison", now)
    for attempt in range(8):
        assert len(lease(db, "a", now + timedelta(minutes=3 * attempt))) == 1
    assert lease(db, "a", now + timedelta(minutes=24)) == []
    assert row(db, 1).state == "dead"


def test_a_hopeless_message_is_dead_at_once_and_can_be_replayed(db: Database, now: datetime) -> None:
    put(db, "order:1", "order_confirmed", now)
    [message] = lease(db, "a", now)
    db.run(lambda session: outbox.fail(session, message, "a", "no such address", now=now, final=True))
    with db.read() as session:
        assert [(m.id, m.last_error) for m in outbox.find_dead(session)] == [(1, "no such address")]
    db.run(lambda session: outbox.replay(session, 1, now=now))
    assert [(m.id, m.attempts) for m in lease(db, "a", now)] == [(1, 1)]
    with pytest.raises(NotFound):
        db.run(lambda session: outbox.replay(session, 1, now=now))


def test_a_rolled_back_cause_leaves_no_message(db: Database, now: datetime) -> None:
    class Changed(Exception):
        pass

    def cause(session: object) -> None:
        outbox.put(session, "mail", "order:1", "order_confirmed", {}, now=now)  # type: ignore[arg-type] # a Session
        raise Changed

    with pytest.raises(Changed):
        db.run(cause)
    assert lease(db, "a", now) == []


def test_many_writers_of_one_aggregate_get_different_numbers(db: Database, now: datetime) -> None:
    start = threading.Barrier(6)

    def write() -> None:
        start.wait()
        put(db, "order:1", "note", now)

    writers = [threading.Thread(target=write) for _ in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    with db.read() as session:
        sequences = sorted(message.sequence for message in session.query(OutboxMessage))
    assert sequences == [1, 2, 3, 4, 5, 6]


def _all(db: Database, new: list[outbox.New]) -> None:
    db.run(lambda session: outbox.put_all(session, "mail", new))


def _numbers(db: Database) -> list[tuple[str, int, str]]:
    with db.read() as session:
        of = OutboxMessage
        rows = session.execute(sa.select(of.aggregate, of.sequence, of.kind).order_by(of.aggregate, of.sequence))
        return [(row.aggregate, row.sequence, row.kind) for row in rows]


def test_many_messages_are_put_behind_the_earlier_ones_in_two_statements(db: Database, now: datetime) -> None:
    put(db, "order:2", "order_confirmed", now)
    new = [outbox.New(f"order:{number}", "day_moved", {"to": "a@b.test"}, now) for number in (3, 2, 1)]
    assert count(db, lambda: _all(db, new)) == count(db, lambda: _all(db, new[:1])) == 2
    assert _numbers(db) == [
        ("order:1", 1, "day_moved"),
        ("order:2", 1, "order_confirmed"),
        ("order:2", 2, "day_moved"),
        ("order:3", 1, "day_moved"),
        ("order:3", 2, "day_moved"),
    ]
    assert (row(db, 2).state, row(db, 2).payload, row(db, 2).available_at) == ("pending", {"to": "a@b.test"}, now)
    _all(db, [])
    with pytest.raises(ValueError, match="two messages of one aggregate"):
        _all(db, [new[0], new[0]])
    assert len(_numbers(db)) == 5


@pytest.mark.postgresql
def test_a_message_that_another_writer_puts_meanwhile_is_no_number_twice(postgres_db: Database, now: datetime) -> None:
    """The other one writes between our look at the numbers and our insert; both messages stay."""
    new = [outbox.New(f"order:{number}", "day_moved", {}, now) for number in (1, 2)]

    def meanwhile(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if statement.startswith("INSERT INTO outbox_message") and not others:
            others.append(1)
            put(postgres_db, "order:2", "order_shipped", now)

    others: list[int] = []
    sa.event.listen(postgres_db.engine, "before_cursor_execute", meanwhile)
    try:
        _all(postgres_db, new)
    finally:
        sa.event.remove(postgres_db.engine, "before_cursor_execute", meanwhile)
    assert _numbers(postgres_db) == [("order:1", 1, "day_moved"), ("order:2", 1, "order_shipped"), ("order:2", 2, "day_moved")]
