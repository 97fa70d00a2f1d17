"""The loop of `shopfloor worker`: says that it lives, carries the outbox, does what is due from time to time.

Any number of workers may run, on any machine: leases and the `periodic` rows keep them apart.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from backoffice.bridge import outbox
from backoffice.bridge.lanes import LANES
from backoffice.bridge.models import Heartbeat, Periodic
from backoffice.bridge.outbox import Away, Message, Undeliverable, Unsettled
from backoffice.db import Database

BEAT_EVERY = timedelta(seconds=10)
FORGET_AFTER = timedelta(days=1)
PAUSE_SECONDS = 1.0
log = structlog.get_logger("shopfloor.worker")

Carrier = Callable[[Message], None]


class Job(NamedTuple):
    """Work that is due every `seconds`; `run` is given the present instant and opens its own transactions.

    aside: it takes long, so it is done beside the loop, in a thread that may be cut off at any time; never twice at once.
    next_at: tells when it is due again instead of `seconds`, of work that has its hour.
    """

    name: str
    seconds: float
    run: Callable[[datetime], object]
    aside: bool = False
    next_at: Callable[[Session, datetime], datetime] | None = None


class Worker:
    """One worker. carriers: who delivers the messages of a target. name: unique among all workers that run."""

    def __init__(
        self,
        db: Database,
        carriers: Mapping[str, Carrier],
        jobs: Sequence[Job],
        *,
        name: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._db = db
        self._carriers = carriers
        self._jobs = jobs
        self._aside: dict[str, threading.Thread] = {}
        self._name = name
        self._clock = clock
        self._beat_at: datetime | None = None

    def run(self, stopped: Callable[[], bool], sleep: Callable[[float], object]) -> None:
        """Work until `stopped()`: what was begun is finished first."""
        while not stopped():
            try:
                busy = self.turn(stopped)
            except OperationalError:  # the database is away or busy: leases keep what we held, so wait and go on
                log.exception("the database does not answer")
                busy = False
            if not busy and not stopped():
                sleep(PAUSE_SECONDS)

    def turn(self, stopped: Callable[[], bool] = lambda: False) -> bool:
        """Go round once. Tell whether there was anything to carry, so that there may be more."""
        self._beat()
        for job in self._jobs:
            if stopped():
                return False
            self._do_if_due(job)
        return self._carry(stopped)

    def finish(self) -> None:
        """Wait for what is done aside."""
        for thread in self._aside.values():
            thread.join()

    def _beat(self) -> None:
        now = self._clock()
        if self._beat_at is not None and now - self._beat_at < BEAT_EVERY:
            return
        self._db.run(lambda session: beat(session, self._name, now=now))
        self._beat_at = now

    def _do_if_due(self, job: Job) -> None:
        if job.name in self._aside and self._aside[job.name].is_alive():
            return
        now = self._clock()
        with self._db.read() as session:
            due = session.scalar(sa.select(Periodic.next_at).where(Periodic.name == job.name))
        if due is not None and due > now:
            return
        if not self._db.run(lambda session: take(session, job, now=now)):
            return
        if job.aside:
            self._aside[job.name] = threading.Thread(target=self._do, args=(job, now), name=job.name, daemon=True)
            self._aside[job.name].start()
        else:
            self._do(job, now)

    def _do(self, job: Job, now: datetime) -> None:
        try:
            job.run(now)
        except Exception:  # one job's trouble must not stop the others: it is due again, and the log says why
            log.exception("periodic work failed", job=job.name)

    def _carry(self, stopped: Callable[[], bool]) -> bool:
        now = self._clock()
        with self._db.read() as session:
            if not outbox.is_waiting(session, now=now):
                return False
        messages = self._db.run(lambda session: outbox.lease(session, self._name, now=now))
        self._carry_together([message for message in messages if message.target in LANES])
        for message in messages:
            if message.target in LANES:
                continue
            if stopped() or self._clock() >= message.leased_until:
                break  # its lease runs out, and another worker takes it
            self._deliver(message)
        return bool(messages)

    def _carry_together(self, messages: Sequence[Message]) -> None:
        """Deliver messages at the same time, so that a slow receiver does not make each wait for all the others."""
        if len(messages) < 2:
            for message in messages:
                self._deliver(message)
            return
        with ThreadPoolExecutor(len(messages), "carrier") as pool:
            for carried in [pool.submit(self._deliver, message) for message in messages]:
                carried.result()

    def _deliver(self, message: Message) -> None:
        """Hand a message to its carrier, with no transaction open, and note how it went."""
        about = {"message": message.id, "target": message.target, "kind": message.kind, "attempt": message.attempts}
        try:
            carrier = self._carriers.get(message.target)
            if carrier is None:
                raise Undeliverable(f"nobody carries to {message.target}")
            carrier(message)
        except (Away, Unsettled) as error:
            self._put_off(message, error)
        except Exception as error:  # whatever a carrier meets belongs to this message, never to the next one
            final = isinstance(error, Undeliverable)
            reason = f"{type(error).__name__}: {error}"
            log.warning("not delivered", final=final, reason=type(error).__name__, **about)
            self._db.run(lambda session: outbox.fail(session, message, self._name, reason, now=self._clock(), final=final))
        else:
            log.info("delivered", **about)
            self._db.run(lambda session: outbox.done(session, message, self._name, now=self._clock()))

    def _put_off(self, message: Message, error: Away | Unsettled) -> None:
        """Try later: whoever should take the message is away, or has not said what became of it."""
        why, now = f"{type(error).__name__}: {error}", self._clock()
        until, counts = (error.until, error.counts) if isinstance(error, Unsettled) else (None, False)
        log.warning("put off", message=message.id, target=message.target, kind=message.kind, reason=type(error).__name__)
        self._db.run(lambda session: outbox.put_off(session, message, self._name, why, until=until, counts=counts, now=now))


def beat(session: Session, name: str, *, now: datetime) -> None:
    """Note that a worker lives; forget those that have been silent for a day."""
    session.execute(sa.delete(Heartbeat).where(Heartbeat.at < now - FORGET_AFTER, Heartbeat.name != name))
    session.merge(Heartbeat(name=name, at=now))


def take(session: Session, job: Job, *, now: datetime) -> bool:
    """Take a job that is due: of all workers that ask at once, one gets True. Due again `seconds` from now, or at its hour."""
    next_at = job.next_at(session, now) if job.next_at else now + timedelta(seconds=job.seconds)
    on_postgresql = session.get_bind().dialect.name == "postgresql"
    insert = postgresql.insert(Periodic) if on_postgresql else sqlite.insert(Periodic)
    session.execute(insert.values(name=job.name, next_at=now).on_conflict_do_nothing())
    taken = session.execute(
        sa.update(Periodic)
        .where(Periodic.name == job.name, Periodic.next_at <= now)
        .values(next_at=next_at)
        .returning(Periodic.name)
        .execution_options(synchronize_session=False)
    ).first()
    return taken is not None
