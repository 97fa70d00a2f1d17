"""A steady stream of visitors: they look around, buy, and log in at a desk, so and so many requests a second."""

from __future__ import annotations

import http.client
import itertools
import re
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from urllib.parse import urlsplit

from tests.buyers import Browser, buy, hidden

AT_ONCE = 16
LOOKS_AT_ONE_TIME = 6


@dataclass
class Tally:
    """What the visitors met."""

    took: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)  # in words
    said: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str, started: float, status: int) -> None:
        """Count an answer; one of 500 and more is a failure."""
        with self.lock:
            self.took.append(time.perf_counter() - started)
            if status >= 500:
                self.failed.append(f"{what}: {status}")


class Visitors:
    """Everybody who is here; `logs_in`: e-mail and password of somebody who works here."""

    def __init__(self, address: str, products: Sequence[int], *, per_second: float, logs_in: tuple[str, str]) -> None:
        self.address, self.tally = address, Tally()
        self._products, self._login = products, logs_in
        self._pause, self._slots = 1 / per_second, itertools.count()
        self._gone, self._started = threading.Event(), time.perf_counter()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(AT_ONCE)]

    def __enter__(self) -> Visitors:
        """Let them come."""
        self._started = time.perf_counter()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_why: object) -> None:
        """Let them go; each ends what it is doing."""
        self._gone.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, requests: int, seconds: float = 120) -> None:
        """Return when so many requests were answered or failed, from now on. Raises TimeoutError."""
        until, deadline = len(self.tally.took) + len(self.tally.failed) + requests, time.perf_counter() + seconds
        while len(self.tally.took) + len(self.tally.failed) < until:
            if time.perf_counter() > deadline:
                raise TimeoutError(f"no {requests} answers within {seconds} s")
            self._gone.wait(0.02)

    def turn(self) -> None:
        """Wait for the next request's turn: they come evenly, however fast they are answered."""
        due = self._started + next(self._slots) * self._pause
        self._gone.wait(max(0.0, due - time.perf_counter()))

    def _run(self, number: int) -> None:
        random, who = Random(number), number * 100_000  # noqa: S311 - the same crowd each time, not a secret
        while not self._gone.is_set():
            who += 1
            kind = random.random()
            try:
                if kind < 0.70:
                    said = self._look(random)
                elif kind < 0.95:
                    product = random.choice(self._products)
                    said = buy(self.address, f"thing-{product}", f"SKU-{product}", who, _Counted(self))
                else:
                    said = self._log_in()
            except (OSError, http.client.HTTPException) as error:
                said = f"{type(error).__name__}: {error}"
            with self.tally.lock:
                self.tally.said[said] += 1
                if said not in {"looked", "bought", "refused", "logged in"}:
                    self.tally.failed.append(said)

    def _look(self, random: Random) -> str:
        """Look at some pages over one kept connection, as a browser does: what belongs to a page is fetched the first time."""
        connection = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=60)
        has = set[str]()
        try:
            for _ in range(LOOKS_AT_ONE_TIME):
                product = random.choice(self._products)
                path = random.choice(["/", f"/c/range-{product % 40}", f"/p/thing-{product}", "/search?q=oak", "/cart"])
                status, page = self._get(connection, path)
                for file in _files(page) - has if status == 200 else ():
                    has.add(file)
                    status, _ = self._get(connection, path := file)
                    if status != 200:
                        break
                if status != 200:
                    return f"GET {path}: {status}"
        finally:
            connection.close()
        return "looked"

    def _get(self, connection: http.client.HTTPConnection, path: str) -> tuple[int, str]:
        """Ask for something when it is its turn; return (status, body)."""
        self.turn()
        started = time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        self.tally.note(f"GET {path}", started, answer.status)
        return answer.status, body.decode(errors="replace")

    def _log_in(self) -> str:
        browser = _Counted(self)
        _, _, page = browser.open("GET", "/desk/login")
        form = {"email": self._login[0], "password": self._login[1], "csrf_token": hidden(page, "csrf_token")}
        status, _, _ = browser.open("POST", "/desk/login", form)
        if status != 303:
            return f"log-in {status}"
        status, _, _ = browser.open("GET", "/desk/sales")
        return "logged in" if status == 200 else f"desk {status}"


def _files(page: str) -> set[str]:
    """Return the paths of the files that a page is drawn with: its style, its scripts, its pictures."""
    return set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page))


class _Counted(Browser):
    """A browser whose every request waits for its turn and is counted."""

    def __init__(self, visitors: Visitors) -> None:
        super().__init__(visitors.address)
        self._visitors = visitors

    def open(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str, str]:
        """Send one request; return (status, where to, body)."""
        self._visitors.turn()
        started = time.perf_counter()
        answer = super().open(method, path, form)
        self._visitors.tally.note(f"{method} {path}", started, answer[0])
        return answer
