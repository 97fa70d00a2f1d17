"""Hand orders over to an outside ERP that fails in every way (R10, R11) and by workers that are killed (R13).

Orders by the hundred are copies of one that was really bought: what is measured is the way from the outbox to the ERP's books.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from backoffice import bootstrap, events, verify
from backoffice.bootstrap import Services
from backoffice.bridge.models import OutboxMessage
from backoffice.bridge.worker import Worker
from backoffice.config import Settings
from backoffice.crm.models import Checkout, Order
from backoffice.db import Database
from backoffice.erp.models import ExternalRef
from backoffice.payments import cancelling
from backoffice.public.errors import Refused
from tests.company import open_company
from tests.erp_double import ErpDouble
from tests.integration.chain.conftest import Workshop

CALL_SECONDS = 0.2  # how long a round of calls takes by the virtual clock


@dataclass
class Outcome:
    """What became of a run. wrong: one line for each thing that must not be."""

    orders: int = 0
    seconds: float = 0.0  # by the virtual clock, from when the ERP is back
    most_at_once: int = 0
    wrong: list[str] = field(default_factory=list)


class Hall:
    """A shop with stools enough, its worker and its ERP, all on one clock."""

    def __init__(self, settings: Settings, clock: Any, erp: ErpDouble, *, stools: int = 2_000) -> None:
        self.clock, self.erp = clock, erp
        self.services: Services = bootstrap.build(settings, clock=clock)
        self.services.db.run(lambda session: open_company(session, now=clock(), stools=stools))
        self.shop = Workshop(self.services, clock())
        self.jobs = {job.name: job for job in bootstrap.periodic(self.services)}
        self.worker = Worker(self.services.db, bootstrap.carriers(self.services), [], name="hall", clock=clock)
        erp.on_hand = {"STOOL": stools, "LEG": 12, "BOARD": 20}

    def stop(self) -> None:
        """End."""
        self.services.db.dispose()

    def pull(self) -> Any:
        """Ask for stock, as the worker does each minute."""
        return self.jobs["read_stock"].run(self.clock())

    def copy(self, count: int, kinds: Sequence[str] = ("placed",)) -> list[str]:
        """Place copies of the first order, each followed by what else becomes of it; return their numbers."""
        return self.services.db.run(lambda session: copy_orders(session, count, kinds, now=self.clock()))

    def carry(self, seconds: float, *, pause: float = 1.0) -> None:
        """Let the worker carry for so long, pausing where there is nothing to do."""
        until = self.clock() + timedelta(seconds=seconds)
        while self.clock() < until:
            busy = self.worker.turn()
            self.clock.advance(seconds=CALL_SECONDS if busy else pause)

    def drain(self, *, most: float = 36_000) -> float:
        """Carry until nothing waits; return the seconds that it took."""
        started = self.clock()
        while self.waiting():
            if (self.clock() - started).total_seconds() > most:
                break
            self.carry(1)
        return float((self.clock() - started).total_seconds())

    def waiting(self) -> int:
        """Return how many messages wait for the ERP."""
        waits = sa.select(sa.func.count()).where(OutboxMessage.target == "erp", OutboxMessage.state == "pending")
        with self.services.db.read() as session:
            return int(session.scalars(waits).one())


def copy_orders(session: Session, count: int, kinds: Sequence[str], *, now: datetime) -> list[str]:
    """Write copies of the first order and say what became of them, as the shop does."""
    order = session.scalars(sa.select(Order).order_by(Order.id)).first()
    assert order is not None
    checkout = session.get_one(Checkout, order.checkout_id)
    last = session.scalar(sa.select(sa.func.max(Order.id))) or 0
    numbers = []
    for one in range(last + 1, last + 1 + count):
        number = f"SF-C{one:06}"
        copied = _copy(checkout, key=f"copy-{one}", token_hash=f"copy-{one}")
        session.add(copied)
        session.flush()
        session.add(_copy(order, number=number, checkout_id=copied.id, payment_id=1_000_000 + one, placed_at=now))
        session.flush()
        for kind in kinds:
            happened = {
                "placed": events.OrderPlaced(number, order.party_id, copied.id, None, now),
                "redirected": events.OrderRedirected(number, now),
                "cancelled": events.OrderCancelled(number, now),
            }[kind]
            _tell_the_erp(session, happened)
        numbers.append(number)
    return numbers


def _tell_the_erp(session: Session, happened: object) -> None:
    """Publish to the ERP's listener alone: the others want the whole of an order."""
    for listener in events._listeners[type(happened)]:
        if listener.__module__.endswith("handing_over"):
            listener(session, happened)


def _copy(row: Any, **changes: Any) -> Any:
    values = {column.key: getattr(row, column.key) for column in sa.inspect(type(row)).columns if column.key != "id"}
    return type(row)(**(values | changes))


def away_for_an_hour(hall: Hall, *, orders: int) -> Outcome:
    """R10: the ERP is away for an hour while orders come in; then it is back."""
    shop, clock, came = hall.shop, hall.clock, Outcome(orders=orders)
    hall.pull()
    hall.erp.stop()
    bought = [shop.buy(STOOL=1).number for _ in range(min(20, orders // 5))]
    hall.carry(14 * 60, pause=15)
    shop.now = clock()
    bought.append(shop.buy(STOOL=1).number)  # the figures are still young enough
    hall.carry(61, pause=15)
    shop.now = clock()
    try:
        shop.buy(STOOL=1)
        came.wrong.append("sold from figures that are too old")
    except Refused:
        pass
    rest = orders - len(bought)
    changed = [hall.copy(1, ["placed", "cancelled"] if one % 2 else ["placed"])[0] for one in range(rest // 2)]
    hall.carry(22 * 60, pause=15)
    changed += hall.copy(rest - rest // 2, ["placed", "redirected"])
    shop.now = clock()
    cancel = {"by": "customer", "now": clock()}
    hall.services.db.run(lambda session: cancelling.cancel(session, bought[0], **cancel))
    hall.carry(23 * 60, pause=15)
    if hall.erp.by_reference():
        came.wrong.append("handed over to nobody")
    with hall.services.db.read() as session:
        if not any(line.startswith("I9 message") for line in verify.breaches(session, now=clock())):
            came.wrong.append("nobody was told")
    hall.erp.most_at_once = 0
    hall.erp.start()
    came.seconds = hall.drain(most=600)
    came.wrong += books(hall.erp, hall.services.db, [*bought, *changed])
    came.most_at_once = hall.erp.most_at_once
    return came


def with_all_faults(hall: Hall, *, orders: int, kinds: Sequence[str] = ("placed",)) -> Outcome:
    """R11: every call may be refused, lost or late."""
    numbers = [hall.shop.buy(STOOL=1).number]
    for _ in range(0, orders - 1, 500):
        numbers += hall.copy(min(500, orders - len(numbers)), kinds)
    seconds = hall.drain()
    return Outcome(orders, seconds, hall.erp.most_at_once, books(hall.erp, hall.services.db, numbers))


def books(erp: ErpDouble, db: Database, numbers: Sequence[str]) -> list[str]:
    """Return what is otherwise in the ERP's books than it must be."""
    there, told = erp.by_reference(), erp.told()
    wrong = [f"{number}: there {there[number]} times" for number in {*numbers, *there} if there[number] != 1]
    with db.read() as session:
        of = OutboxMessage
        states = sa.select(of.aggregate, of.state, sa.func.count()).where(of.target == "erp")
        rows = session.execute(states.group_by(of.aggregate, of.state))
        sent = Counter[str]()
        for aggregate, state, count in rows:
            if state != "done":
                wrong.append(f"{aggregate}: {count} {state}")
            sent[aggregate.removeprefix("order:")] += count
        bound = session.scalar(sa.select(sa.func.count()).where(ExternalRef.system == "erp"))
    wrong += [f"{number}: told {told.get(number)}" for number in numbers if told.get(number) != [*range(1, sent[number] + 1)]]
    if bound != len(numbers):
        wrong.append(f"{bound} bound of {len(numbers)}")
    if erp.most_at_once > 10:
        wrong.append(f"{erp.most_at_once} at once")
    return wrong


# --- R13: processes that are killed --------------------------------------------------------------------------------


def killed_workers(
    settings: Settings, erp: ErpDouble, clock: FastClock, *, orders: int, workers: int, kills: int, seed: int, poison: bool
) -> Outcome:
    """R13: workers carry and are killed in the middle; four messages for each order, one of which may be poison."""
    services = bootstrap.build(settings, clock=clock)
    services.db.run(lambda session: open_company(session, now=clock(), stools=100))
    shop, kinds = Workshop(services, clock()), ["placed", "redirected", "redirected", "cancelled"]
    shop.buy(STOOL=1)
    services.db.run(lambda session: session.execute(sa.delete(OutboxMessage)))
    numbers = services.db.run(lambda session: copy_orders(session, orders, kinds, now=clock()))
    erp.poison = {numbers[orders // 2]} if poison else set()
    draw, context = random.Random(seed), multiprocessing.get_context("spawn")  # noqa: S311 - when somebody dies, no secret
    stop = context.Event()

    def start() -> Any:
        process = context.Process(target=_carry, args=(settings.model_dump(), clock, stop), daemon=True)
        process.start()
        return process

    running, began, killed = [start() for _ in range(workers)], time.monotonic(), 0
    deadline = began + 540
    while time.monotonic() < deadline and (left := _left(services)):
        stop.wait(0.2)
        done = len(numbers) * len(kinds) - left
        if killed < kills and done > (killed + 1) * len(numbers) * len(kinds) / (kills + 2):
            victim = draw.randrange(workers)
            os.kill(running[victim].pid, signal.SIGKILL)
            running[victim].join()
            running[victim], killed = start(), killed + 1
    stop.set()
    for process in running:
        process.join(20)
    outcome = Outcome(orders, time.monotonic() - began, erp.most_at_once, _after_kills(services, erp, numbers, kinds))
    if killed < kills:
        outcome.wrong.append(f"only {killed} killed")
    services.db.dispose()
    return outcome


@dataclass(frozen=True)
class FastClock:
    """The wall clock, `speed` times as fast since `began`: the same in every process."""

    began: float
    speed: float

    def __call__(self) -> datetime:
        """Return the instant."""
        ahead = (time.time() - self.began) * self.speed
        return datetime(2026, 11, 24, 8, 0, tzinfo=UTC) + timedelta(seconds=ahead)


def hush() -> None:
    """Say nothing of each call that failed, in this process."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def _carry(values: dict[str, Any], clock: FastClock, stop: Any) -> None:
    hush()
    services = bootstrap.build(Settings(**values), clock=clock)
    name = f"worker {os.getpid()}"
    Worker(services.db, bootstrap.carriers(services), [], name=name, clock=clock).run(stop.is_set, lambda _s: stop.wait(0.05))


def _left(services: Services) -> int:
    """Return how much may still leave: what waits behind a dead letter may not."""
    with services.db.read() as session:
        of = OutboxMessage
        dead = sa.select(of.aggregate).where(of.state == "dead")
        waits = sa.select(sa.func.count()).where(of.target == "erp", of.state == "pending", of.aggregate.not_in(dead))
        return int(session.scalars(waits).one())


def _after_kills(services: Services, erp: ErpDouble, numbers: Sequence[str], kinds: Sequence[str]) -> list[str]:
    there, told, wrong = erp.by_reference(), erp.told(), []
    for number in numbers:
        expected = (0, None) if number in erp.poison else (1, [*range(1, len(kinds) + 1)])
        if (there[number], told.get(number)) != expected:
            wrong.append(f"{number}: {there[number]} times, told {told.get(number)}")
    with services.db.read() as session:
        of = OutboxMessage
        rows = session.execute(sa.select(of.aggregate, of.kind, of.attempts - of.excused).where(of.state == "dead")).all()
    expected_dead = [(f"order:{number}", "placed", 8) for number in erp.poison]
    if [tuple(row) for row in rows] != expected_dead:
        wrong.append(f"dead: {rows}")
    return wrong
