"""The worker's loop: heartbeat, delivery outside transactions, periodic work once, a clean stop. No sleeping here."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.bridge import outbox
from backoffice.bridge.models import Heartbeat, OutboxMessage, Periodic
from backoffice.bridge.outbox import Away, Message, Undeliverable
from backoffice.bridge.worker import Job, Worker, take
from backoffice.db import Database


def put(db: Database, aggregate: str, now: datetime, target: str = "mail") -> None:
    db.run(lambda session: outbox.put(session, target, aggregate, "note", {}, now=now))


def states(db: Database) -> list[tuple[str, str]]:
    with db.read() as session:
        rows = session.execute(sa.select(OutboxMessage.state, OutboxMessage.last_error).order_by(OutboxMessage.id))
        return [(row.state, row.last_error) for row in rows]


def test_a_poisoned_message_does_not_hold_up_the_others(db: Database, clock: Any) -> None:
    carried: list[str] = []

    def carry(message: Message) -> None:
        if message.aggregate == "order:1":
            raise RuntimeError("poison")
        carried.append(message.aggregate)

    for number in (1, 2, 3):
        put(db, f"order:{number}", clock())
    worker = Worker(db, {"mail": carry}, [], name="w", clock=clock)
    assert worker.turn()
    assert carried == ["order:2", "order:3"]
    assert states(db) == [("pending", "RuntimeError: poison"), ("done", ""), ("done", "")]
    assert not worker.turn()  # the poisoned one waits its turn


def test_a_hopeless_message_and_one_without_a_carrier_are_dead_at_once(db: Database, clock: Any) -> None:
    def refuse(message: Message) -> None:
        raise Undeliverable("no such address")

    put(db, "order:1", clock())
    put(db, "order:2", clock(), target="fax")
    Worker(db, {"mail": refuse}, [], name="w", clock=clock).turn()
    assert states(db) == [
        ("dead", "Undeliverable: no such address"),
        ("dead", "Undeliverable: nobody carries to fax"),
    ]


def test_whoever_is_away_for_a_day_is_waited_for(db: Database, clock: Any) -> None:
    there = [False]

    def carry(message: Message) -> None:
        if not there[0]:
            raise Away("ConnectionRefusedError")

    put(db, "order:1", clock())
    worker = Worker(db, {"mail": carry}, [], name="w", clock=clock)
    for _ in range(24):
        worker.turn()
        clock.advance(hours=1)
    assert states(db) == [("pending", "Away: ConnectionRefusedError")]
    there[0] = True
    worker.turn()
    assert states(db)[0][0] == "done"


def test_no_transaction_is_open_while_delivering(db: Database, clock: Any) -> None:
    def carry(message: Message) -> None:
        assert db.engine.pool.checkedout() == 0  # type: ignore[attr-defined] # both pools count
        put(db, "order:2", clock())  # nobody holds the write lock of SQLite

    put(db, "order:1", clock())
    Worker(db, {"mail": carry}, [], name="w", clock=clock).turn()
    assert [state for state, _ in states(db)] == ["done", "pending"]


def test_a_lease_that_ran_out_on_the_way_is_left_to_others(db: Database, clock: Any) -> None:
    carried: list[str] = []

    def carry_slowly(message: Message) -> None:
        carried.append(message.aggregate)
        clock.advance(seconds=121)

    put(db, "order:1", clock())
    put(db, "order:2", clock())
    Worker(db, {"mail": carry_slowly}, [], name="slow", clock=clock).turn()
    assert carried == ["order:1"]
    with db.read() as session:
        assert outbox.is_waiting(session, now=clock())


def test_the_heart_beats_at_most_every_ten_seconds_and_old_ones_are_forgotten(db: Database, clock: Any) -> None:
    def beats() -> dict[str, datetime]:
        with db.read() as session:
            return {row.name: row.at for row in session.execute(sa.select(Heartbeat.name, Heartbeat.at))}

    start = clock()
    with db.write() as session:
        session.add(Heartbeat(name="long gone", at=start - timedelta(days=1, seconds=1)))
        session.add(Heartbeat(name="neighbour", at=start - timedelta(hours=1)))
    worker = Worker(db, {}, [], name="w", clock=clock)
    worker.turn()
    assert beats() == {"neighbour": start - timedelta(hours=1), "w": start}
    clock.advance(seconds=9)
    worker.turn()
    assert beats()["w"] == start
    clock.advance(seconds=1)
    worker.turn()
    assert beats()["w"] == start + timedelta(seconds=10)


def test_ten_workers_do_periodic_work_once_per_interval(db: Database, clock: Any) -> None:
    ran: list[datetime] = []
    workers = [Worker(db, {}, [Job("sweep", 30, ran.append)], name=f"w{n}", clock=clock) for n in range(10)]
    start = clock()
    for worker in workers:
        worker.turn()
    assert ran == [start]
    clock.advance(seconds=29)
    for worker in workers:
        worker.turn()
    assert ran == [start]
    clock.advance(seconds=1)
    for worker in workers:
        worker.turn()
    assert ran == [start, start + timedelta(seconds=30)]


def test_a_job_is_taken_once_until_it_is_due_again(db: Database, now: datetime) -> None:
    job = Job("sweep", 30, lambda at: at)
    instants = [now, now, now + timedelta(seconds=29), now + timedelta(seconds=30), now + timedelta(seconds=30)]
    assert [db.run(lambda session, at=at: take(session, job, now=at)) for at in instants] == [True, False, False, True, False]


def test_work_that_has_its_hour_is_due_then_however_late_it_was_done(db: Database, now: datetime) -> None:
    six = now.replace(hour=6)
    job = Job("count", 1, lambda at: at, next_at=lambda _, at: six + timedelta(days=(at - six).days + 1))
    instants = [now, now + timedelta(hours=1), six + timedelta(days=1), six + timedelta(days=1, hours=9), six + timedelta(days=2)]
    assert [db.run(lambda session, at=at: take(session, job, now=at)) for at in instants] == [True, False, True, False, True]


@pytest.mark.postgresql
def test_of_ten_workers_at_the_same_moment_one_takes_the_job(postgres_db: Database, now: datetime) -> None:
    job = Job("sweep", 30, lambda at: at)
    start = threading.Barrier(10)
    taken: list[bool] = []

    def ask() -> None:
        start.wait()
        taken.append(postgres_db.run(lambda session: take(session, job, now=now)))

    threads = [threading.Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False] * 9 + [True]


def test_a_failing_job_stops_neither_the_others_nor_the_mail(db: Database, clock: Any) -> None:
    ran: list[str] = []

    def fail(now: datetime) -> None:
        raise RuntimeError("broken")

    put(db, "order:1", clock())
    jobs = [Job("broken", 5, fail), Job("sound", 5, lambda now: ran.append("sound"))]
    Worker(db, {"mail": lambda message: ran.append("mail")}, jobs, name="w", clock=clock).turn()
    assert ran == ["sound", "mail"]
    with db.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Periodic)) == 2


def test_what_takes_long_is_done_aside_and_never_twice_at_once(db: Database, clock: Any) -> None:
    begun, go_on, ran = threading.Semaphore(0), threading.Event(), list[str]()

    def take_long(now: datetime) -> None:
        begun.release()
        assert go_on.wait(30)
        ran.append(f"long {now:%H:%M}")

    jobs = [Job("long", 60, take_long, aside=True), Job("short", 60, lambda now: ran.append(f"short {now:%H:%M}"))]
    worker = Worker(db, {}, jobs, name="w", clock=clock)
    for _ in range(2):
        worker.turn()
        clock.advance(seconds=60)
    assert begun.acquire(timeout=30)
    assert ran == ["short 08:00", "short 08:01"]
    go_on.set()
    worker.finish()
    worker.turn()  # it is due again, as nobody took it while it was at it
    worker.finish()
    assert ran[2:] in (["long 08:00", "long 08:02", "short 08:02"], ["long 08:00", "short 08:02", "long 08:02"])


def test_trouble_aside_is_written_down_and_it_is_due_again(db: Database, clock: Any) -> None:
    ran: list[datetime] = []

    def fail(now: datetime) -> None:
        ran.append(now)
        raise RuntimeError("broken")

    worker = Worker(db, {}, [Job("long", 60, fail, aside=True)], name="w", clock=clock)
    for _ in range(2):
        worker.turn()
        worker.finish()
        clock.advance(seconds=60)
    assert len(ran) == 2


def test_it_sleeps_only_when_there_is_nothing_to_do_and_stops_when_told(db: Database, clock: Any) -> None:
    slept: list[float] = []
    stop = threading.Event()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        stop.set()

    put(db, "order:1", clock())
    put(db, "order:1", clock())
    worker = Worker(db, {"mail": lambda message: None}, [], name="w", clock=clock)
    worker.run(stop.is_set, sleep)
    assert [state for state, _ in states(db)] == ["done", "done"]
    assert slept == [1.0]


def test_a_stop_between_two_messages_leaves_the_second_to_others(db: Database, clock: Any) -> None:
    stop = threading.Event()
    put(db, "order:1", clock())
    put(db, "order:2", clock())
    worker = Worker(db, {"mail": lambda message: stop.set()}, [], name="w", clock=clock)
    worker.run(stop.is_set, lambda seconds: None)
    assert [state for state, _ in states(db)] == ["done", "pending"]
