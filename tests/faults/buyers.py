"""Shard `buyers` (R1): 2,000 people, 100 at once, want 500 pieces, while web and worker processes are killed.

gunicorn with three processes, a worker, PostgreSQL, the double of Stripe, which sends each of its messages one to three times,
the double of an outside ERP, which answers 503 to 15 % of the calls about an order and does another 15 % without an answer.
Twenty times one of our processes ends by SIGKILL, web and worker in turn; who got no answer sends the same request again, the
same key in it. Wanted: 500 orders, each once in the ERP's books, everybody else refused in plain words, nothing sold twice,
nothing paid for nothing.

A cart whose answer was lost keeps its piece for a minute and nobody knows of it: who was refused comes again until all is sold.
"""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from backoffice import migrate, verify
from backoffice.bridge.models import OutboxMessage
from backoffice.clock import utc_now
from backoffice.crm.models import Order
from backoffice.db import Database
from backoffice.erp import models as t
from backoffice.payments.models import Refund
from tests import stripe_double
from tests.buyers import Browser, form_of
from tests.company import item_id, open_company
from tests.erp_double import ErpDouble, Faults
from tests.faults.hand_off import books
from tests.faults.lines import site
from tests.faults.rows import Row
from tests.need import ROOT, Gunicorn, postgres_database

AT_ONCE, TRIES, PAUSE = 100, 400, 0.25
GONE_AGAIN = 75.0  # seconds until a hold that nobody knows of has run out
CARRIED = 900.0  # seconds for what is to leave the house: of 500 orders one is expected to fail five times (500 × 0.3⁵ = 1.2)
FAILING = Faults(busy=0.15, lost=0.15)
LONGEST = 20  # seconds that this ERP may take with a call that it did not answer: the least that may be set


class Visitor(Browser):
    """Somebody from an address of their own, who sends again what was not answered."""

    def __init__(self, address: str, number: int, lost: Counter[str]) -> None:
        super().__init__(address)
        self._number, self._lost = number, lost

    @property
    def more(self) -> dict[str, str]:
        """Return the header that a proxy in front would add."""
        return {"X-Forwarded-For": f"10.{self._number >> 16 & 255}.{self._number >> 8 & 255}.{self._number & 255}"}

    def open(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str, str]:
        """Send a request until it is answered by anything but 5xx."""
        for _ in range(TRIES):
            try:
                answer = super().open(method, path, form)
            except (OSError, http.client.HTTPException):
                self._lost["no answer"] += 1
            else:
                if answer[0] < 500:
                    return answer
                self._lost[str(answer[0])] += 1
            time.sleep(PAUSE)
        raise TimeoutError(f"{method} {path} was never answered")


def rows(
    seed: str = "1", buyers: str = "2000", pieces: str = "500", kills: str = "20", erp: str = "outside", web: str = "3"
) -> Iterator[Row]:
    """Yield what came of it. erp: anything but outside: the shop is the ERP. web: so many processes."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(postgres_database())
        other = ErpDouble(utc_now, seed=int(seed), faults=FAILING) if erp == "outside" else None
        race = Race(url, folder, Random(int(seed)), int(pieces), other, web=int(web))  # noqa: S311 - the same race each time, not a secret
        race.open(stack)
        race.run(int(buyers), int(kills))
        yield from race.judged(int(buyers), f"R1 seed {seed}")


class Race:
    """One race: who is here, what they met. erp: an outside one; without it the shop is the ERP."""

    def __init__(
        self, url: str, folder: Path, random: Random, pieces: int, erp: ErpDouble | None = None, *, web: int = 3
    ) -> None:
        self.url, self.folder, self.random, self.pieces, self.erp = url, folder, random, pieces, erp
        self.web = web  # how many processes
        self.said, self.lost, self.killed = Counter[str](), Counter[str](), Counter[str]()
        self.lock, self.over = threading.Lock(), threading.Event()
        self.seconds, self.carried = 0.0, 0.0
        self.took: list[float] = []

    def open(self, stack: ExitStack) -> None:
        """Start everything."""
        migrate.upgrade(self.url)
        self.db = Database(self.url)
        stack.callback(self.db.dispose)
        self.db.run(lambda session: open_company(session, now=utc_now(), stools=self.pieces))
        self.double = stack.enter_context(stripe_double.running())
        self.double.now = time.time
        settings = site(
            self.url,
            self.folder,
            hold_minutes=1,
            stripe_secret_key=self.double.secret_key,
            stripe_webhook_secret=self.double.webhook_secret,
            stripe_api_base=self.double.base,
            **self._open_erp(stack),
        )
        self.shop = Gunicorn(settings, workers=self.web, threads=8, log=self.folder / "shop.log")
        stack.callback(self.shop.stop)
        given = {f"SHOPFLOOR_{name.upper()}": str(value) for name, value in settings.model_dump(exclude_none=True).items()}
        self.environment = os.environ | given
        self.worker = self._start_worker()
        stack.callback(lambda: (self.worker.kill(), self.worker.wait()))
        self.shop.wait_until_ready()
        if self.erp is not None:  # nothing is sold before it has said what there is
            self._wait(lambda: self._count(t.StockSnapshot.state == "applied"), 60)

    def _open_erp(self, stack: ExitStack) -> dict[str, Any]:
        """Start the ERP, which has on its shelf what we believe; return the settings that name it."""
        if self.erp is None:
            return {}
        self.erp.on_hand = {"STOOL": self.pieces, "LEG": 12, "BOARD": 20}
        self.erp.start()
        stack.callback(self.erp.stop)
        return {"erp_url": self.erp.url, "erp_max_processing_seconds": LONGEST}

    def run(self, buyers: int, kills: int) -> None:
        """Let everybody come, and kill meanwhile; whoever was refused while somebody unknown kept a piece comes again."""
        started = time.perf_counter()
        killer = threading.Thread(target=self._kill, args=(buyers, kills))
        killer.start()
        self._come(range(buyers))
        self.over.set()
        killer.join()
        deadline = time.monotonic() + GONE_AGAIN
        while self._sold() < self.pieces and self.said["refused"] and time.monotonic() < deadline:
            time.sleep(1)
            again = min(self.said["refused"], self.pieces - self._sold())
            self.said["refused"] -= again
            self._come(range(buyers, buyers + again))
            buyers += again
        self.seconds = time.perf_counter() - started
        self._wait(lambda: not self._count(OutboxMessage.state == "pending"), CARRIED)
        self.carried = time.perf_counter() - started
        self.worker.kill()
        self.worker.wait()
        subprocess.run([*_PROGRAM, "worker", "--once"], cwd=ROOT, env=self.environment, capture_output=True, check=True)

    def judged(self, buyers: int, name: str) -> Iterator[Row]:
        """Yield a row for each thing that must hold."""
        with self.db.read() as session:
            orders = session.scalar(sa.select(sa.func.count(Order.id))) or 0
            twice = orders - (session.scalar(sa.select(sa.func.count(sa.distinct(Order.payment_id)))) or 0)
            stock = session.scalars(sa.select(t.Stock).where(t.Stock.item_id == item_id(session, "STOOL"))).one()
            mails = session.scalar(sa.select(sa.func.count()).where(OutboxMessage.kind == "order_confirmed")) or 0
            refunds = session.scalar(sa.select(sa.func.count(Refund.id))) or 0
            found = verify.breaches(session, now=utc_now())
            numbers = session.scalars(sa.select(Order.number)).all()
        paid = sum(one["payment_status"] == "paid" for one in self.double.sessions.values())
        for line in found[:5]:
            print("   ", line)
        p95 = sorted(self.took)[int(0.95 * len(self.took))]
        met = f"{sum(self.killed.values())} killed {dict(self.killed)}, unanswered {dict(self.lost)}"
        print(
            f"    {self.seconds:.0f} s, all carried after {self.carried:.0f} s, p95 of a purchase {p95:.1f} s, {met}", flush=True
        )
        said = {word: many for word, many in self.said.items() if many}
        want = {"bought": self.pieces, "refused": buyers - self.pieces}
        yield Row(f"{name}: people", f"{self.pieces} bought, {buyers - self.pieces} refused", str(said), said == want)
        figure = f"{orders} orders, {twice} twice, {paid - orders} paid for nothing, {refunds} refunds"
        yield Row(
            f"{name}: orders", f"{self.pieces}, 0, 0, 0", figure, (orders, twice, paid, refunds) == (self.pieces, 0, orders, 0)
        )
        left = (stock.on_hand, stock.allocated, stock.reserved)
        yield Row(f"{name}: the shelf", "all allocated, none more", str(left), left == (self.pieces, self.pieces, 0))
        yield Row(f"{name}: confirmations", str(self.pieces), str(mails), mails == self.pieces)
        if self.erp is not None:
            wrong = books(self.erp, self.db, numbers)
            for line in wrong[:5]:
                print("   ", line)
            asked, there = self.erp.calls["POST orders"], len(self.erp.orders)
            figure = f"{there} there, {asked} times asked, {len(wrong)} wrong"
            yield Row(f"{name}: the ERP's books", f"{self.pieces}, each once", figure, not wrong and there == self.pieces)
        yield Row(f"{name}: verify", "0 breaches", f"{len(found)} breaches", not found)

    def _come(self, numbers: range) -> None:
        waiting = iter(numbers)

        def run() -> None:
            while True:
                with self.lock:
                    number = next(waiting, None)
                if number is None:
                    return
                began = time.perf_counter()
                try:
                    word = self._buy(number)
                except Exception as error:  # whatever went wrong is what the judge compares
                    word = f"{type(error).__name__}: {error}"
                with self.lock:
                    self.said[word] += 1
                    self.took.append(time.perf_counter() - began)

        threads = [threading.Thread(target=run) for _ in range(min(AT_ONCE, len(numbers)))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _buy(self, number: int) -> str:
        browser = Visitor(self.shop.address, number, self.lost)
        form = {"sku": "STOOL", "slug": "stool", "quantity": "1", "postcode": "10115"}
        status, _, _ = browser.open("POST", "/cart/add", form)
        if status == 409:
            return "refused"
        assert status == 303, status
        status, _, page = browser.open("GET", "/checkout")
        if status != 200:
            return f"checkout {status}"
        sent = form_of(page, number)
        for _ in range(TRIES):
            status, pay_url, page = browser.open("POST", "/checkout", sent)
            if status != 409 or "payment provider" not in page:
                break
        if status == 409:  # so slow that its hold had run out
            return "refused"
        assert status == 303, (status, page[:200])
        session = pay_url.rsplit("/", 1)[1]
        self.double.pay(session)
        [event] = [one for one in self.double.events if one["data"]["object"]["id"] == session]
        self._deliver(event)
        path = urlsplit(self.double.sessions[session]["success_url"]).path
        for _ in range(TRIES):
            status, _, page = browser.open("GET", path)
            if status == 200 and "SF-" in page:
                return "bought"
            time.sleep(PAUSE)
        return "paid, and no order"

    def _deliver(self, event: dict[str, object]) -> None:
        """Send one to three copies at once; each until it is taken."""

        def send() -> None:
            for _ in range(TRIES):
                try:
                    if self.double.deliver(self.shop.address, event) == 200:
                        return
                except (OSError, http.client.HTTPException):
                    self.lost["message"] += 1
                time.sleep(PAUSE)

        copies = [threading.Thread(target=send) for _ in range(self.random.randint(1, 3))]
        for copy in copies:
            copy.start()
        for copy in copies:
            copy.join()

    def _kill(self, buyers: int, kills: int) -> None:
        """Kill a web process, then the worker, and so on, evenly over the race."""
        for number in range(kills):
            while len(self.took) < buyers * (number + 0.5) / kills and not self.over.is_set():
                self.over.wait(0.02)
            if number % 2:
                self.worker.kill()
                self.worker.wait()
                self.worker = self._start_worker()
                self.killed["worker"] += 1
            else:
                children = Path(f"/proc/{self.shop.pid}/task/{self.shop.pid}/children").read_text().split()
                if children:
                    os.kill(int(self.random.choice(children)), signal.SIGKILL)
                    self.killed["web"] += 1

    def _start_worker(self) -> subprocess.Popen[bytes]:
        with (self.folder / "worker.log").open("ab") as log:
            return subprocess.Popen([*_PROGRAM, "worker"], cwd=ROOT, env=self.environment, stdout=log, stderr=log)

    def _sold(self) -> int:
        return self._count(Order.id.is_not(None))

    def _count(self, those: sa.ColumnElement[bool]) -> int:
        with self.db.read() as session:
            return session.scalar(sa.select(sa.func.count()).where(those)) or 0

    def _wait(self, done: Callable[[], object], seconds: float) -> None:
        """Return when it is so, or after so many seconds: what is missing then the judge finds."""
        deadline = time.monotonic() + seconds
        while not done() and time.monotonic() < deadline:
            time.sleep(0.2)


_PROGRAM = (sys.executable, "-m", "backoffice.cli")
