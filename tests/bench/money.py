"""The shards `money-…` of `make bench-faults`: messages of the provider that come often, in any order, too late, or never."""

from __future__ import annotations

import itertools
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice import bootstrap, verify
from backoffice.bridge.models import OutboxMessage
from backoffice.bridge.worker import Worker
from backoffice.config import Settings
from backoffice.crm.models import Order
from backoffice.erp.models import Item, Stock
from backoffice.payments.models import Dispute, Payment, Refund
from tests.conftest import NOW, FixedClock
from tests.faults.stage import in_turn
from tests.integration.payments.conftest import Paying, open_paying
from tests.integration.payments.test_permutations import differs, messages
from tests.stripe_double import running

Opener = Callable[[], Settings]


@dataclass(frozen=True, slots=True)
class Found:
    """What a test found. met: whether that is what it asks for."""

    test: str
    target: str
    figure: str
    met: bool


@contextmanager
def shop(open_settings: Opener, stools: int) -> Iterator[Paying]:
    """Open a shop with so many stools that is paid at a double of Stripe."""
    with running() as double:
        paying = open_paying(open_settings(), double, FixedClock(NOW), stools=stools)
        before = logging.root.manager.disable
        logging.disable(logging.CRITICAL)  # a line for each of thousands of requests
        try:
            yield paying
        finally:
            logging.disable(before)  # a small one is among the tests, and others read what is logged
            paying.services.db.dispose()


def counts(paying: Paying) -> dict[str, int]:
    """Return how many orders, payments, refunds and confirmations there are."""
    with paying.db.read() as session:

        def count(table: Any, *where: Any) -> int:
            return session.scalar(sa.select(sa.func.count()).select_from(table).where(*where)) or 0

        return {
            "orders": count(Order),
            "paid": count(Payment, Payment.settled_at.is_not(None)),
            "refunds": count(Refund),
            "mails": count(OutboxMessage, OutboxMessage.kind == "order_confirmed"),
        }


def allocated(paying: Paying) -> tuple[int, int, int]:
    """Return (on hand, allocated, reserved) of the stools."""
    with paying.db.read() as session:
        row = session.execute(
            sa.select(Stock.on_hand, Stock.allocated, Stock.reserved)
            .join(Item, Item.id == Stock.item_id)
            .where(Item.sku == "STOOL")
        ).one()
    return row[0], row[1], row[2]


def started(paying: Paying) -> Any:
    """Let somebody go to pay for a stool."""
    return paying.start(paying.cart(STOOL=1))


def breaches(paying: Paying) -> int:
    """Return how many rules of money are broken; papers and mails wait for a worker that does not run here."""
    with paying.db.read() as session:
        return sum(
            line.startswith(("I2", "I4", "I5 order", "I5 payment", "I6", "I7"))
            for line in verify.breaches(session, now=paying.now)
        )


def repeated(open_settings: Opener, *, orders: int = 300) -> Iterator[Found]:
    """R3: of each order five copies of the message, its customer's way back and the poll at the same moment."""
    with shop(open_settings, orders) as paying:
        for _ in range(orders):
            start = started(paying)
            paying.double.pay(paying.session(start))
            event = paying.double.events[-1]
            people: list[Callable[[], object]] = [lambda event=event: paying.deliver(event)] * 5  # type: ignore[misc] # bound early
            people.append(lambda start=start: paying.app.test_client().get(f"/o/{start.order_token}"))  # type: ignore[misc] # bound early
            people.append(lambda: paying.services.till.poll(now=paying.now))
            with ThreadPoolExecutor(len(people)) as pool:
                for one in [pool.submit(person) for person in people]:
                    one.result()
        found, stock, broken = counts(paying), allocated(paying), breaches(paying)
    wanted = {"orders": orders, "paid": orders, "refunds": 0, "mails": orders}
    figure = f"{found['orders']} orders, {found['mails']} mails, {found['refunds']} refunds, {broken} breaches"
    yield Found("R3 repeated", f"{orders} orders, each once", figure, (found, stock, broken) == (wanted, (orders, orders, 0), 0))


def shuffled(open_settings: Opener) -> Iterator[Found]:
    """R4: six messages of a payment in all their orders, once and again."""
    with shop(open_settings, 5) as paying, pytest.MonkeyPatch.context() as patch:
        orders = list(itertools.permutations(messages(paying)))
        wrong = [said for order in orders if (said := differs(paying, order, patch))]
    for said in wrong[:3]:
        print("   ", said)
    yield Found("R4 shuffled", "720 orders of messages, one end", f"{len(orders)} tried, {len(wrong)} ended otherwise", not wrong)


def at_the_last_second(open_settings: Opener, *, buyers: int = 1000) -> Iterator[Found]:
    """R5a: a fifth pays in the last second of its page; then the poll closes what is left."""
    with shop(open_settings, buyers) as paying:
        starts = [started(paying) for _ in range(buyers)]
        paying.later(minutes=31, seconds=-1)
        for start in starts[::5]:
            paying.double.pay(paying.session(start))
        paying.later(seconds=2)
        while paying.services.till.poll(now=paying.now):
            pass
        found, stock, broken = counts(paying), allocated(paying), breaches(paying)
    paid = len(starts[::5])
    figure = f"{found['orders']} orders, {found['refunds']} refunds, {stock[2]} still held, {broken} breaches"
    met = (found["orders"], found["refunds"], stock, broken) == (paid, 0, (buyers, paid, 0), 0)
    yield Found("R5a paid at the last second", f"{paid} orders, 0 refunds", figure, met)


def too_late(open_settings: Opener, *, buyers: int, units: int) -> Iterator[Found]:
    """R5b: all buyers of a few goods were told that their payment failed, and then all the money comes."""
    with shop(open_settings, units) as paying:
        sessions = []
        for _ in range(buyers):
            session = paying.session(started(paying))
            paying.double.pay(session, slow=True)
            paying.double.money_comes(session, well=False)
            for event in paying.double.events[-2:]:
                paying.deliver(event)
            sessions.append(session)
        for session in sessions:
            paying.double.money_comes(session)
        with ThreadPoolExecutor(4) as pool:
            late = paying.double.events[-buyers:] * 2
            said = Counter(one.result().status_code for one in [pool.submit(paying.deliver, event) for event in late])
        paying.work()
        found, stock, broken = counts(paying), allocated(paying), breaches(paying)
        back = sum(one.state == "refunded" for one in paying.rows(Payment))
    figure = f"{found['orders']} orders, {back} given back, {broken} breaches"
    met = (found["orders"], back, found["refunds"], stock, broken, set(said)) == (
        units, buyers - units, buyers - units, (units, units, 0), 0, {200},
    )  # fmt: skip
    yield Found("R5b paid too late", f"{units} orders, {buyers - units} given back", figure, met)


def unheard(open_settings: Opener, *, minutes: int = 10, every: int = 10) -> Iterator[Found]:
    """R6: no message arrives for ten minutes; the worker's own jobs run by the clock."""
    with shop(open_settings, 200) as paying:
        services = paying.services
        jobs = in_turn(bootstrap.periodic(services))
        worker = Worker(services.db, bootstrap.carriers(services), jobs, name="bench", clock=paying.clock)
        paid_at: dict[str, datetime] = {}
        healed: dict[str, timedelta] = {}
        by_hand, disputed = [], []
        for second in range(0, (minutes + 5) * 60, every):
            if second < minutes * 60:
                session = paying.session(started(paying))
                paying.double.pay(session)
                paid_at[session] = paying.now
                if second % 60 == 0 and second:
                    by_hand.append(paying.double.refund_by_hand(list(paid_at)[-7], 700)["id"])
                    disputed.append(paying.double.dispute(list(paid_at)[-6])["id"])
            paying.later(seconds=every)
            while worker.turn():
                pass
            for one in paying.rows(Payment):
                if one.settled_at and one.provider_ref not in healed:
                    healed[one.provider_ref] = paying.now - paid_at[one.provider_ref]
        found, broken = counts(paying), breaches(paying)
        heard = {one.provider_ref for one in paying.rows(Refund)} >= set(by_hand)
        heard = heard and {one.provider_ref for one in paying.rows(Dispute)} == set(disputed)
    longest = max(healed.values()).total_seconds()
    figure = f"{found['orders']} orders, after {longest:.0f} s at most, {broken} breaches"
    target = f"{len(paid_at)} orders within 300 s; refunds, disputes heard"
    met = (found["orders"], len(healed), broken, heard) == (len(paid_at), len(paid_at), 0, True) and longest <= 300
    yield Found("R6 messages all lost", target, figure, met)
