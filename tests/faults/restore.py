"""Shard `restore` (R20, I19): a backup under load, brought back elsewhere; what was paid since is found at the provider.

gunicorn and PostgreSQL; buyers pay at the double of Stripe, whose messages arrive twice. While they buy, `shopfloor backup` runs;
they go on buying; the database is gone. The backup comes back into another one, `rebuild-orders` asks the provider, the worker
carries what waits. Wanted: every order that was paid, under its number, once; nothing sent back; `verify` finds nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy as sa

from backoffice import migrate
from backoffice.config import Settings
from backoffice.crm.models import Order
from backoffice.db import Database
from tests import stripe_double
from tests.bench.generate import MADE_EVERY, grow
from tests.buyers import Browser, to_pay
from tests.faults.rows import Row
from tests.need import ROOT, Gunicorn, postgres_database, postgres_programs

AT_ONCE, PRODUCTS = 6, 200


def rows(before: str = "40", after: str = "40") -> Iterator[Row]:
    """Yield what the drill showed. before, after: orders paid until the backup begins, and after it ended."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        lost, found = (stack.enter_context(postgres_database()) for _ in range(2))
        double = stack.enter_context(stripe_double.running())
        double.now = time.time
        yield from Drill(lost, found, folder, double).played(int(before), int(after))


class Drill:
    """One company, its provider, and the database that it loses."""

    def __init__(self, lost: str, found: str, folder: Path, double: stripe_double.StripeDouble) -> None:
        self.lost, self.found, self.folder, self.double = lost, found, folder, double
        self.numbers: dict[str, str] = {}  # of orders, by their link
        self.lock, self.gone = threading.Lock(), threading.Event()

    def played(self, before: int, after: int) -> Iterator[Row]:
        """Yield the rows."""
        self._open()
        shop = Gunicorn(self._settings(self.lost), workers=2, threads=8, log=self.folder / "shop.log")
        try:
            shop.wait_until_ready()
            buyers = [threading.Thread(target=self._buy, args=(shop.address, number)) for number in range(AT_ONCE)]
            for buyer in buyers:
                buyer.start()
            self._wait_for(before)
            self._said(self.lost, "backup", str(self.folder / "copy"))
            self._wait_for(len(self.numbers) + after)
            self.gone.set()
            for buyer in buyers:
                buyer.join()
        finally:
            shop.stop()
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
        figure = f"{len(back) - kept} of {missing} missing, {len(set(paid) & set(back))} of {len(paid)} in all"
        yield Row("R20 orders found at the provider", "every one, under its number", figure, back == paid and missing > 0)
        yield Row("R20 time to be back", "60 s", f"{seconds:.1f} s", seconds <= 60)
        again = self._said(self.found, "rebuild-orders")
        yield Row("R20 asked once more", "all known", again.splitlines()[-1], again.splitlines()[-1] == f"{len(paid)} known")
        self._said(self.found, "worker", "--once")
        yield self._mails(paid)
        refunds = len(self.double.refunds)
        yield Row("R20 money sent back", "0", str(refunds), refunds == 0)
        whole = self._said(self.found, "verify")
        yield Row("R20 verify in the end", "All … rules hold.", whole.splitlines()[-1], "rules hold" in whole)

    def _open(self) -> None:
        migrate.upgrade(self.lost)
        db = Database(self.lost)
        grow(db, PRODUCTS, now=datetime.now(UTC))
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
        )

    def _said(self, url: str, *words: str) -> str:
        """Run a command of ours; return what it said. Raises RuntimeError when it failed."""
        given = self._settings(url).model_dump(exclude_none=True)
        environment = os.environ | {f"SHOPFLOOR_{name.upper()}": str(value) for name, value in given.items()}
        environment["PATH"] = f"{postgres_programs(url)}:{environment['PATH']}"
        command = [sys.executable, "-m", "backoffice.cli", *words]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if done.returncode and words != ("verify",):
            raise RuntimeError(f"{words}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout

    def _wait_for(self, orders: int) -> None:
        deadline = time.monotonic() + 120
        while len(self.numbers) < orders:
            if time.monotonic() > deadline:
                raise TimeoutError(f"only {len(self.numbers)} orders")
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

    def _mails(self, paid: list[str]) -> Row:
        texts = [path.read_text(errors="replace") for path in (self.folder / "var" / "mail").glob("*order_confirmed*.eml")]
        each = [sum(number in text for text in texts) for number in paid]
        figure = f"{min(each)} to {max(each)} for each of {len(paid)}"
        return Row("R20 confirmations", "1 for each order", figure, set(each) == {1})
