"""Shard `overload` (R23): five times as many requests as the shop can answer, for a minute.

gunicorn with two processes, a worker, PostgreSQL. What it can answer is measured first: every request of sixteen people who buy
one thing after the other, and of 16 lookers who ask again as soon as they have their answer. Then the flood looks around five
times as fast as all of them and waits for nobody, while sixteen others buy. Wanted: so many are really sent; whoever was let in
(something lies in the cart) ends with an order; whoever is refused is told when to come back; memory stays flat; and as soon as
the flood is over everybody is answered again.
"""

from __future__ import annotations

import http.client
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from random import Random

from backoffice import migrate, verify
from backoffice.clock import utc_now
from backoffice.db import Database
from tests.bench.generate import MADE_EVERY, grow
from tests.bench.serving import percentile
from tests.buyers import buy
from tests.faults import flood
from tests.faults.journeys import Visitor
from tests.faults.lines import site, started_worker
from tests.faults.processes import memory_of
from tests.faults.rows import Row
from tests.need import Gunicorn, postgres_database

PRODUCTS, BUYERS, LOOKERS = 200, 16, 16
FLOODS = 4  # processes: each keeps so many connections open as one can
NEARLY = 0.99  # of what was to be offered: the last moment of a second may be cut off
COMES_BACK = 1.0  # seconds until somebody who was turned away at the door tries again
WELL, IN_A_ROW = 1.0, 20  # it is back when so many pages in a row came within so many seconds
MOST_MEMORY = 50 * 2**20
THINGS = [number for number in range(PRODUCTS) if number % MADE_EVERY]
PATHS = [f"/p/thing-{number}" for number in THINGS[:40]] + [f"/c/range-{number}" for number in range(8)] + ["/", "/search?q=oak"]


def rows(times: str = "5", seconds: str = "60", measured: str = "8") -> Iterator[Row]:
    """Yield what came of it. measured: seconds in which it is seen, twice, what the shop can answer."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(postgres_database())
        migrate.upgrade(url)
        db = Database(url)
        stack.callback(db.dispose)
        grow(db, PRODUCTS, now=utc_now(), stools=100)
        settings = site(url, folder, demo=True)
        shop = Gunicorn(settings, workers=2, threads=8, log=folder / "shop.log")
        stack.callback(shop.stop)
        stack.enter_context(started_worker(settings, folder / "worker.log"))
        shop.wait_until_ready()
        capacity = _capacity(shop, float(measured))
        wanted = float(times) * capacity
        crowd = Crowd(shop.address, 1)
        before = memory_of(shop.pid)
        with crowd, flood.running(shop.address, PATHS, per_second=wanted, seconds=float(seconds), parts=FLOODS) as flooded:
            most = _most_memory(shop, flooded)
            met = flooded.met()
        back = _back_after(shop)
        print(f"    {capacity:.0f} a second answered before; flood: {dict(met.said)}, {met.held_back} held back, {_times(met)}")
        print(f"    buyers: {dict(crowd.said)}", flush=True)
        offered = met.sent / float(seconds)
        figure = f"{offered:.0f} a second, {offered / capacity:.1f} times as many"
        yield Row("R23 offered", f"≥ {times} × {capacity:.0f} a second", figure, offered >= NEARLY * wanted)
        yield from _judged(crowd, met, most - before, back)
        with db.read() as session:
            found = [line for line in verify.breaches(session, now=utc_now()) if not line.startswith("I9")]
        yield Row("R23 verify", "0 breaches", f"{len(found)} breaches", not found)


def _judged(crowd: Crowd, met: flood.Flooded, grown: int, back: float) -> Iterator[Row]:
    let_in = sum(many for word, many in crowd.said.items() if word not in {"turned away", "sold out"})
    share = crowd.said["bought"] / let_in if let_in else 0.0
    figure = f"{crowd.said['bought']} of {let_in} bought, {crowd.said['turned away']} turned away"
    yield Row("R23 who was let in", "≥ 99.9 % bought", figure, share >= 0.999)
    refused = {word: many for word, many in met.said.items() if word != "200"}
    yield Row("R23 who was refused", "503 with Retry-After", str(refused), set(refused) == {"503"})
    yield Row("R23 memory of the web processes", "< +50 MB", f"{grown / 2**20:+.1f} MB", grown < MOST_MEMORY)
    yield Row("R23 back after the flood", "≤ 5 s", f"{back:.1f} s", back <= 5)


def _capacity(shop: Gunicorn, seconds: float) -> float:
    """Return how many requests a second are answered to people who buy and who look, each again at once; all is warm then."""
    for again in (False, True):  # the first one fills what is kept in memory
        crowd, began = Crowd(shop.address, 0), time.monotonic()
        with crowd if again else nullcontext(), _lookers(shop, seconds) as looking:
            met = looking.met()
            asked = crowd.asked / (time.monotonic() - began)
    return met.said["200"] / seconds + asked


def _lookers(shop: Gunicorn, seconds: float) -> AbstractContextManager[flood.Flood]:
    return flood.running(shop.address, PATHS, at_once=LOOKERS, seconds=seconds)


def _most_memory(shop: Gunicorn, flooded: flood.Flood) -> int:
    most = 0
    while not flooded.poll(0.5):
        most = max(most, memory_of(shop.pid))
    return max(most, memory_of(shop.pid))


def _back_after(shop: Gunicorn) -> float:
    """Return the seconds until pages come quickly again."""
    began, since, well = time.monotonic(), 0.0, 0
    while well < IN_A_ROW and time.monotonic() - began < 60:
        sent = time.monotonic()
        try:
            status = Visitor(shop.address).open("GET", PATHS[well])[0]
        except (OSError, http.client.HTTPException):
            status = 0
        if status == 200 and time.monotonic() - sent < WELL:
            well += 1
        else:
            well, since = 0, time.monotonic() - began
    return since


def _times(met: flood.Flooded) -> str:
    said = []
    for name, took in (("pages", met.took), ("refusals", met.turned_away)):
        if took:
            said.append(f"{name} p50 {1000 * percentile(took, 0.5):.0f} ms, p99 {1000 * percentile(took, 0.99):.0f} ms")
    return ", ".join(said)


class _Counted(Visitor):
    """A browser that counts what it asks, for all of its crowd."""

    crowd: Crowd

    def open(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str, str]:
        """Send one request, and count it once it is answered."""
        answer = super().open(method, path, form)
        self.crowd.count()
        return answer


class Crowd:
    """People who buy one thing after the other; who is turned away at the door comes back a little later."""

    def __init__(self, address: str, crowd: int) -> None:
        """crowd: which one, 0 to 9; its people are others than those of the one before."""
        self.said, self.asked = Counter[str](), 0
        self._crowd = crowd
        self._address, self._over, self._lock = address, threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(BUYERS)]

    def __enter__(self) -> Crowd:
        """Let them come."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_why: object) -> None:
        """Let each end what it is doing."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def count(self) -> None:
        """Note that somebody was answered."""
        with self._lock:
            self.asked += 1

    def _run(self, number: int) -> None:
        random, who = Random(number), number * 100_000 + self._crowd * 10_000  # noqa: S311 - the same crowd each time, not a secret
        while not self._over.is_set():
            who, thing = who + 1, random.choice(THINGS)
            browser = _Counted(self._address, comes_from=f"10.{number}.{who >> 8 & 255}.{who & 255}")
            browser.crowd = self
            try:
                word = buy(self._address, f"thing-{thing}", f"SKU-{thing}", who, browser)
            except (OSError, http.client.HTTPException) as error:
                word = type(error).__name__
            word = "turned away" if word.startswith("add 503") else "sold out" if word == "refused" else word[:60]
            with self._lock:
                self.said[word] += 1
            if word == "turned away":
                self._over.wait(COMES_BACK)
