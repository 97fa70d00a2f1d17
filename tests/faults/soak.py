"""Shard `soak` (R24): eight days of a shop, its worker and an outside ERP by a clock that jumps, with a fault every five seconds.

PostgreSQL. In each round people buy, leave their carts and cancel, pages are looked at, parcels leave, the worker goes round, and
then it is forty minutes later. Beside it connections are cut, the ERP goes away, comes back and turns bad, the payment provider
and the mail server are away for some rounds, and the worker dies with a mail handed over and not yet noted. In the end everything
must add up, each order is in the ERP once, and nothing grows that is only borrowed: open transactions, connections,
files, the database's log.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError

from backoffice import bootstrap, verify
from backoffice.bridge.outbox import Message
from backoffice.bridge.worker import Carrier, Worker
from backoffice.clock import utc_now
from backoffice.crm.models import Order
from backoffice.db import Database
from backoffice.erp import fulfilment
from backoffice.erp import models as t
from backoffice.payments import cancelling
from backoffice.payments.gateway import GatewayError
from backoffice.public.errors import ShopError
from backoffice.tables import metadata
from tests.conftest import FixedClock
from tests.erp_double import BAD, GOOD, ErpDouble
from tests.faults.crash import settings_for
from tests.faults.hand_off import Hall, hush
from tests.faults.rows import Row
from tests.faults.stage import ASKED, Killed, in_turn
from tests.need import postgres_database

ROUND_MINUTES, FAULT_EVERY, STOOLS = 40, 5.0, 4_000
AWAY_ROUNDS = 3  # fewer than tries after which somebody has to look at a message
TOLERATED = (ShopError, DBAPIError)  # somebody was refused, or the database was away: they come again
PAGES = ("/", "/p/stool", "/p/table", "/cart", "/c/furniture", "/search?q=stool", "/readyz")
OURS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
MORE = 4  # connections or files that may be there by chance when somebody looks


class Look(NamedTuple):
    """What is borrowed at one instant. open_long: transactions older than ten seconds; log: bytes."""

    open_long: int
    connections: int
    files: int
    log: int


def rows(days: str = "8", seed: str = "1", every: str = str(FAULT_EVERY)) -> Iterator[Row]:
    """Yield what came of it."""
    with tempfile.TemporaryDirectory() as name, postgres_database() as url:
        db = Database(url)
        metadata.create_all(db.engine)
        db.dispose()
        soak = Soak(url, Path(name), int(seed))
        try:
            soak.live(float(days), float(every))
            yield from soak.judged(float(days))
        finally:
            soak.stop()


class Soak:
    """The shop and all who use it. met: what was done and what went wrong on the way, in words."""

    def __init__(self, url: str, folder: Path, seed: int) -> None:
        from wsgi import create_app

        self.random, self.met, self.wrong = Random(seed), Counter[str](), list[str]()  # noqa: S311 - no secret
        self.clock = FixedClock(utc_now())
        self.erp = ErpDouble(self.clock, seed=seed).start()
        settings = settings_for(url, folder).model_copy(
            update={"erp_url": self.erp.url, "erp_max_snapshot_age_seconds": 3 * 3600, "trusted_hosts": "localhost"}
        )
        self.hall = Hall(settings, self.clock, self.erp, stools=STOOLS)
        self.app: Flask = create_app(settings, clock=self.clock)
        hush()  # the site has set up its log meanwhile
        services = self.hall.services
        self.round, self.unpaid_until, self.unposted_until, self.dies = 0, 0, 0, False
        for name in ASKED:
            setattr(services.gateway, name, self._asking(getattr(services.gateway, name)))
        self.worker = self._hired()
        self.watcher = sa.create_engine(services.db.url, isolation_level="AUTOCOMMIT", pool_size=1)
        self.looks, self.over = list[Look](), threading.Event()

    def _hired(self) -> Worker:
        """Return a new worker process, so to say."""
        services = self.hall.services
        jobs = in_turn(bootstrap.periodic(services))
        carriers = bootstrap.carriers(services)
        carriers["mail"] = self._posting(carriers["mail"])
        return Worker(services.db, carriers, jobs, name=f"soak {self.met['worker killed']}", clock=self.clock)

    def _asking(self, ask: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            if self.round < self.unpaid_until:
                raise GatewayError("the payment provider is away")
            return ask(*given, **named)

        return call

    def _posting(self, carry: Carrier) -> Carrier:
        def deliver(message: Message) -> None:
            if self.round < self.unposted_until:
                raise ConnectionRefusedError("the mail server is away")
            carry(message)
            if self.dies:
                self.dies = False
                raise Killed("a mail was handed over")

        return deliver

    def stop(self) -> None:
        """End."""
        self.watcher.dispose()
        self.app.extensions["shopfloor"].db.dispose()
        self.hall.stop()
        self.erp.stop()

    def live(self, days: float, every: float) -> None:
        """Go through the days, then let all be carried that waits."""
        faults = threading.Thread(target=self._spoil, args=(every,))
        faults.start()
        people: list[Callable[[], object]] = [self._buy, self._leave, self._cancel, self._look, self._ship, self._work]
        with ThreadPoolExecutor(len(people)) as pool:
            for _ in range(round(days * 24 * 60 / ROUND_MINUTES)):
                self.round += 1
                self.hall.shop.now = self.clock()
                for name, done in [(one.__name__, pool.submit(one)) for one in people]:
                    self._note(name, done.exception())
                self.clock.advance(minutes=ROUND_MINUTES)
        self.over.set()
        faults.join()
        self._mend()
        for _ in range(200):
            self._note("_work", _raised(self._work))
            if not self.hall.waiting():
                break
            self.clock.advance(minutes=1)
        for _ in range(3):  # what comes of it: papers, mails
            self.clock.advance(minutes=10)
            self._work()

    def judged(self, days: float) -> Iterator[Row]:
        """Yield a row for each thing that must hold."""
        with self.hall.services.db.read() as session:
            numbers = set(session.scalars(sa.select(Order.number)))
            found = verify.breaches(session, now=self.clock())
        for line in [*found[:5], *self.wrong[:5]]:
            print("   ", line)
        print(f"    {dict(self.met)}", flush=True)
        yield Row(f"R24 {days:g} days: verify", "0 breaches", f"{len(found)} breaches, {len(numbers)} orders", not found)
        there = self.erp.by_reference()
        well = set(there) == numbers and all(many == 1 for many in there.values())
        yield Row("R24 the ERP's books", "each order once", f"{len(there)} there, {sum(there.values())} in all", well)
        yield Row("R24 errors", "refusals, and a database that is away", f"{len(self.wrong)} others", not self.wrong)
        early, late = self.looks[: max(1, len(self.looks) // 2)], self.looks[-max(1, len(self.looks) // 4) :]
        for what, more in (("open_long", 0), ("connections", MORE), ("files", MORE)):
            before, after = (max(getattr(one, what) for one in looks) for looks in (early, late))
            yield Row(f"R24 {what}", "no growth", f"{before}, in the end {after}", after <= before + more)
        log = self.looks[-1].log
        yield Row("R24 the database's log", "≤ max_wal_size (1 GB)", f"{log / 2**20:.0f} MB", log <= 2**30)

    def _buy(self) -> None:
        self.hall.shop.buy(STOOL=self.random.randrange(1, 3), **({"TABLE": 1} if self.random.random() < 0.05 else {}))

    def _leave(self) -> None:
        self.hall.shop.cart(STOOL=1)

    def _cancel(self) -> None:
        parcels = self.hall.shop.rows(t.Shipment, state="to_pick")
        if len(parcels) > 3:
            number = parcels[-1].order_ref
            how: dict[str, Any] = {"by": "customer", "now": self.clock()}
            self.hall.services.db.run(lambda session: cancelling.cancel(session, number, **how))

    def _look(self) -> None:
        with self.app.test_client() as browser:
            for page in PAGES:
                status = browser.get(page).status_code
                self.met[f"page {status}"] += 1
                if status not in (200, 503):
                    raise AssertionError(f"{page}: {status}")

    def _ship(self) -> None:
        shop = self.hall.shop
        for parcel in shop.rows(t.Shipment, state="to_pick")[:2]:
            shop.do(fulfilment.start, parcel.id)
            for line in shop.rows(t.ShipmentLine, shipment_id=parcel.id):
                [item] = shop.rows(t.Item, id=line.item_id)
                shop.do(fulfilment.pick, parcel.id, item.sku, line.quantity)
            shop.do(fulfilment.pack, parcel.id)
            shop.do(fulfilment.ship, parcel.id, tracking="JD")

    def _work(self) -> None:
        for _ in range(20):
            try:
                if not self.worker.turn():
                    return
            except Killed:
                self.met["worker killed"] += 1
                self.worker = self._hired()

    def _note(self, name: str, error: BaseException | None) -> None:
        word = f"{name[1:]} {'done' if error is None else getattr(error, 'code', '') or type(error).__name__}"
        self.met[word] += 1
        if error is not None and not isinstance(error, TOLERATED):
            self.wrong.append(f"{name[1:]}: {type(error).__name__}: {error}")

    # -- what goes wrong ---------------------------------------------------------------------------------------------

    def _spoil(self, every: float) -> None:
        faults = (self._cut, self._away, self._bad, self._mend, self._unpaid, self._unposted, self._die)
        random = Random(7)  # noqa: S311 - the same trouble each time
        while not self.over.wait(every):
            self.looks.append(self._borrowed())
            fault = random.choice(faults)
            fault()
            self.met[f"fault {fault.__name__[1:]}"] += 1
        self.looks.append(self._borrowed())

    def _cut(self) -> None:
        """Cut every connection to the database but ours."""
        with self.watcher.connect() as connection:
            connection.execute(sa.text(f"SELECT count(pg_terminate_backend(pid)) {OURS}"))

    def _away(self) -> None:
        self.erp.stop()

    def _bad(self) -> None:
        self.erp.faults = BAD

    def _unpaid(self) -> None:
        self.unpaid_until = self.round + AWAY_ROUNDS

    def _unposted(self) -> None:
        self.unposted_until = self.round + AWAY_ROUNDS

    def _die(self) -> None:
        self.dies = True

    def _mend(self) -> None:
        self.unpaid_until = self.unposted_until = 0
        self.dies = False
        self.erp.faults = GOOD
        if self.erp._server is None:
            self.erp.start()

    def _borrowed(self) -> Look:
        with self.watcher.connect() as connection:

            def one(query: str) -> int:
                return int(connection.execute(sa.text(query)).scalar_one() or 0)

            return Look(
                one(f"SELECT count(*) {OURS} AND now() - xact_start > interval '10 seconds'"),
                one(f"SELECT count(*) {OURS}"),
                len(os.listdir("/proc/self/fd")),
                one("SELECT sum(size) FROM pg_ls_waldir()"),
            )


def _raised(work: Callable[[], object]) -> BaseException | None:
    try:
        work()
    except Exception as error:  # the caller says which may be
        return error
    return None
