"""Shards `restore` and `restore-sqlite` (R20, I19): a backup under load, brought back elsewhere; what was paid since is found.

gunicorn, a worker, the double of an outside ERP; buyers pay at the double of Stripe, whose messages arrive twice. While they buy,
`shopfloor backup` runs; they go on buying; the database is gone. The backup comes back into another one, `rebuild-orders` asks
the provider, the worker carries what waits. Wanted: every order that was paid, under its number, once, and once at the
ERP; each confirmed, and again only whose confirmation had left before the loss; nothing sent back; `verify` finds nothing, and
`pg_amcheck` nothing in what was restored.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy as sa

from backoffice import migrate
from backoffice.clock import utc_now
from backoffice.config import Settings
from backoffice.crm.models import Order
from backoffice.db import Database
from backoffice.erp import models as t
from tests import stripe_double
from tests.bench.generate import MADE_EVERY, grow
from tests.buyers import Browser, to_pay
from tests.erp_double import ErpDouble
from tests.faults.lines import started_worker
from tests.faults.rows import Row
from tests.need import ROOT, Gunicorn, postgres_database, postgres_programs

AT_ONCE, PRODUCTS = 6, 200
_CONFIRMED = re.compile(r"^Message-ID: <order_confirmed\.(SF-[^@.]+)@", re.MULTILINE)


def rows(database: str = "postgresql", before: str = "40", after: str = "40") -> Iterator[Row]:
    """Yield what the drill showed. before, after: orders paid until the backup begins, and after it ended."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if database == "sqlite":
            lost, found = (f"sqlite:///{folder}/{name}.db" for name in ("lost", "found"))
        else:
            lost, found = (stack.enter_context(postgres_database()) for _ in range(2))
        double = stack.enter_context(stripe_double.running())
        double.now = time.time
        erp = ErpDouble(utc_now)
        stack.callback(erp.stop)
        yield from Drill(lost, found, folder, double, erp.start()).played(int(before), int(after))


class Drill:
    """One company, its provider, its ERP, and the database that it loses."""

    def __init__(self, lost: str, found: str, folder: Path, double: stripe_double.StripeDouble, erp: ErpDouble) -> None:
        self.lost, self.found, self.folder, self.double, self.erp = lost, found, folder, double, erp
        self.numbers: dict[str, str] = {}  # of orders, by their link
        self.lock, self.gone = threading.Lock(), threading.Event()

    def played(self, before: int, after: int) -> Iterator[Row]:
        """Yield the rows."""
        self._open()
        self._said(self.lost, "worker", "--once")  # the ERP says what there is
        shop = Gunicorn(self._settings(self.lost), workers=2, threads=8, log=self.folder / "shop.log")
        working = started_worker(self._settings(self.lost), self.folder / "worker.log")
        try:
            shop.wait_until_ready()
            buyers = [threading.Thread(target=self._buy, args=(shop.address, number)) for number in range(AT_ONCE)]
            for buyer in buyers:
                buyer.start()
            self._wait_for(before)
            self._wait(lambda: bool(self._confirmed()))  # its worker is at work
            self._said(self.lost, "backup", str(self.folder / "copy"))
            self._wait_for(len(self.numbers) + after)
            self.gone.set()
            for buyer in buyers:
                buyer.join()
        finally:
            shop.stop()
            working.close()
        before_loss, mailed = sum(self.erp.by_reference().values()), self._confirmed()
        paid = sorted(self.numbers.values())
        started = time.perf_counter()
        self._said(self.found, "restore", str(self.folder / "copy"))
        kept = len(self._orders(self.found))
        missing = len(paid) - kept
        whole = self._said(self.found, "verify")
        yield Row("R20 verify after the restore", "All … rules hold.", whole.splitlines()[-1], "rules hold" in whole)
        self._said(self.found, "rebuild-orders")
        seconds = time.perf_counter() - started
        back = self._orders(self.found)
        yield from self._amchecked()
        figure = f"{len(back) - kept} of {missing} missing, {len(set(paid) & set(back))} of {len(paid)} in all"
        yield Row("R20 orders found at the provider", "every one, under its number", figure, back == paid and missing > 0)
        yield Row("R20 time to be back", "60 s", f"{seconds:.1f} s", seconds <= 60)
        again = self._said(self.found, "rebuild-orders")
        yield Row("R20 asked once more", "all known", again.splitlines()[-1], again.splitlines()[-1] == f"{len(paid)} known")
        self._said(self.found, "worker", "--once")
        yield self._at_the_erp(paid, before_loss)
        yield self._mails(paid, mailed)
        refunds = len(self.double.refunds)
        yield Row("R20 money sent back", "0", str(refunds), refunds == 0)
        whole = self._said(self.found, "verify")
        yield Row("R20 verify in the end", "All … rules hold.", whole.splitlines()[-1], "rules hold" in whole)

    def _open(self) -> None:
        migrate.upgrade(self.lost)
        db = Database(self.lost)
        grow(db, PRODUCTS, now=datetime.now(UTC))
        with db.read() as session:  # it has on its shelves what we believe
            shelves = session.execute(sa.select(t.Item.sku, t.Stock.on_hand).join(t.Item, t.Item.id == t.Stock.item_id))
            self.erp.on_hand = {sku: on_hand for sku, on_hand in shelves if on_hand}
        db.dispose()

    def _settings(self, url: str) -> Settings:
        return Settings(
            database_url=url,
            var_dir=self.folder / "var",
            secret_key="b" * 40,
            trusted_hosts="127.0.0.1",
            log_json=True,
            reoptimise_seconds=0,
            stripe_secret_key=self.double.secret_key,
            stripe_webhook_secret=self.double.webhook_secret,
            stripe_api_base=self.double.base,
            erp_url=self.erp.url,
            erp_max_processing_seconds=20,
        )

    def _said(self, url: str, *words: str) -> str:
        """Run a command of ours; return what it said. Raises RuntimeError when it failed."""
        given = self._settings(url).model_dump(exclude_none=True)
        environment = os.environ | {f"SHOPFLOOR_{name.upper()}": str(value) for name, value in given.items()}
        if not url.startswith("sqlite"):
            environment["PATH"] = f"{postgres_programs(url)}:{environment['PATH']}"
        command = [sys.executable, "-m", "backoffice.cli", *words]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if done.returncode and words != ("verify",):
            raise RuntimeError(f"{words}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout

    def _wait_for(self, orders: int) -> None:
        self._wait(lambda: len(self.numbers) >= orders)

    def _wait(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 120
        while not done():
            if time.monotonic() > deadline:
                raise TimeoutError(f"only {len(self.numbers)} orders, {len(self._confirmed())} mails")
            self.gone.wait(0.02)

    def _buy(self, address: str, number: int) -> None:
        """Buy one thing after the other until the end; each payment's message arrives, twice."""
        who = number * 10_000
        things = [n for n in range(number, PRODUCTS, AT_ONCE) if n % MADE_EVERY]
        while not self.gone.is_set():
            who += 1
            thing = things[who % len(things)]
            browser = Browser(address)
            answer, pay_url = to_pay(browser, f"thing-{thing}", f"SKU-{thing}", who)
            if answer == "refused":
                continue
            assert answer == "opened", answer
            session = pay_url.rsplit("/", 1)[1]
            self.double.pay(session)
            [event] = [one for one in self.double.events if one["data"]["object"]["id"] == session]
            for _ in range(2):
                assert self.double.deliver(address, event) == 200
            path = urlsplit(self.double.sessions[session]["success_url"]).path
            _, _, page = browser.open("GET", path)
            with self.lock:
                self.numbers[path] = page[page.index("SF-") :][:12]

    def _orders(self, url: str) -> list[str]:
        db = Database(url)
        try:
            with db.read() as session:
                return sorted(session.scalars(sa.select(Order.number)))
        finally:
            db.dispose()

    def _at_the_erp(self, paid: list[str], before: int) -> Row:
        """Let workers carry until the ERP has all, a minute at most: of what was under way before, it is asked later."""
        deadline = time.monotonic() + 60
        while set(self.erp.by_reference()) != set(paid) and time.monotonic() < deadline:
            self._said(self.found, "worker", "--once")
        there = self.erp.by_reference()
        twice, missing = sum(many > 1 for many in there.values()), len(set(paid) - set(there))
        figure = f"{twice} twice, {missing} missing of {len(paid)}; {before} there before"
        return Row("R20 the ERP's books", "each order once", figure, (twice, missing, len(there)) == (0, 0, len(paid)))

    def _amchecked(self) -> Iterator[Row]:
        """Check each table and index of the restored database page by page, where there is a program for it."""
        if self.found.startswith("sqlite"):
            return
        program, url = Path(postgres_programs(self.found)) / "pg_amcheck", sa.make_url(self.found).set(drivername="postgresql")
        if not program.exists():
            print("    no pg_amcheck here: not tried", flush=True)
            return
        command = [str(program), "--install-missing", "--heapallindexed", url.render_as_string(hide_password=False)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        said = (done.stdout + done.stderr).strip().splitlines()
        for line in said[:5]:
            print("   ", line)
        yield Row("R20 pg_amcheck", "clean", f"{len(said)} lines", done.returncode == 0 and not said)

    def _confirmed(self) -> Counter[str]:
        """Return how many mails confirm each order, by the Message-ID under which a program that reads mail shows them once."""
        mails = (path.read_text(errors="replace") for path in (self.folder / "var" / "mail").glob("*order_confirmed*.eml"))
        return Counter(found[1] for text in mails if (found := _CONFIRMED.search(text)))

    def _mails(self, paid: list[str], mailed: Counter[str]) -> Row:
        """Judge the confirmations. mailed: those that had left when the database was lost, which nobody knows of any more."""
        now = self._confirmed()
        twice = {number for number, many in now.items() if many > 1}
        figure = f"{len(now)} of {len(paid)}, {len(twice)} of {len(mailed)} again, at most {max(now.values())}"
        as_wanted = set(now) == set(paid) and twice <= set(mailed) and max(now.values()) <= 2
        return Row("R20 confirmations", "each; again only what left before", figure, as_wanted)
