"""Shard `full` (R15): the disk of an SQLite shop is full, and later it is not.

gunicorn and a worker over a database on a small tmpfs (it takes the right to mount one). A file fills the rest of it while people
write to us; then it goes. Wanted: who was answered well has been heard, who was not was told to come back (503, the form in the
page), pages are shown all along, `/readyz` says 503 once the worker cannot say that it lives, and all is well within a minute
of there being room.
"""

from __future__ import annotations

import sqlite3
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

from backoffice import migrate
from backoffice.db import Database
from tests.bench.generate import grow
from tests.buyers import Browser, hidden
from tests.faults.lines import site, started_worker
from tests.faults.rows import Row, adds_up
from tests.need import Gunicorn

MEGABYTES, PEOPLE = 12, 40
BACK_WITHIN, SILENT_AFTER = 60.0, 90.0


class Visitor(Browser):
    """Somebody from an address of their own."""

    number = 0

    @property
    def more(self) -> dict[str, str]:
        """Return the header that a proxy in front would add."""
        return {"X-Forwarded-For": f"10.1.{self.number >> 8}.{self.number & 255}"}


def rows() -> Iterator[Row]:
    """Yield what came of it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        disk = folder / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(disk)], check=True)
        stack.callback(lambda: subprocess.run(["umount", "-l", str(disk)], check=True))
        url = f"sqlite:///{disk}/shop.db"
        migrate.upgrade(url)
        db = Database(url)
        grow(db, 50, now=datetime.now(UTC))
        db.dispose()
        settings = site(url, folder)
        shop = Gunicorn(settings, workers=2, threads=4, log=folder / "shop.log")
        stack.callback(shop.stop)
        stack.enter_context(started_worker(settings, folder / "worker.log"))
        shop.wait_until_ready()
        yield from _played(shop.address, disk, folder / "shop.log")
        yield adds_up(url, "R15")


def _played(address: str, disk: Path, log: Path) -> Iterator[Row]:
    heard, said = list[str](), Counter[str]()
    write_to_us(address, range(PEOPLE), heard, said)
    yield Row("R15 while there is room", f"{PEOPLE} heard", str(dict(said)), said == {"303": PEOPLE})
    fill(disk / "ballast")
    said.clear()
    write_to_us(address, range(PEOPLE, 3 * PEOPLE), heard, said)
    refused = {status for status in said if status not in ("303", "503 with the form")}
    yield Row("R15 while it is full", "503 with the form, or heard", str(dict(said)), not refused and "503 with the form" in said)
    pages = Counter(str(Browser(address).open("GET", f"/p/thing-{number}")[0]) for number in range(1, 21))
    yield Row("R15 pages meanwhile", "20 shown", str(dict(pages)), pages == {"200": 20})
    took = until(lambda: Browser(address).open("GET", "/readyz")[0] == 503, SILENT_AFTER)
    yield Row("R15 /readyz", f"503 within {SILENT_AFTER:.0f} s", f"{took:.0f} s", took < SILENT_AFTER)
    (disk / "ballast").unlink()
    said.clear()
    took = until(lambda: bool(write_to_us(address, [999], heard, said)) and said["303"] > 0, BACK_WITHIN)
    yield Row("R15 room again", "heard within 60 s", f"{took:.1f} s", took < BACK_WITHIN)
    took = until(lambda: Browser(address).open("GET", "/readyz")[0] == 200, BACK_WITHIN)
    yield Row("R15 /readyz again", "200 within 60 s", f"{took:.0f} s", took < BACK_WITHIN)
    with closing(sqlite3.connect(disk / "shop.db")) as there:
        [[whole]] = there.execute("PRAGMA integrity_check").fetchall()
        kept = {" ".join(text.split()) for (text,) in there.execute("SELECT message FROM lead")}
    lost = [text for text in heard if text not in kept]
    figure = f"{len(lost)} of {len(heard)} lost, {whole}, {log.read_text().count('unhandled error')} unhandled errors"
    yield Row(
        "R15 what was answered",
        "0 lost, ok, 0 unhandled",
        figure,
        not lost and whole == "ok" and "unhandled error" not in log.read_text(),
    )


def write_to_us(address: str, numbers: Iterable[int], heard: list[str], said: Counter[str]) -> bool:
    """Let people write; add what was heard, and count what they were told."""
    for number in numbers:
        browser = Visitor(address)
        browser.number = number
        status, _, page = browser.open("GET", "/contact")
        if status != 200:
            said[f"GET {status}"] += 1
            continue
        words = f"Question {number} at {time.monotonic()}: " + "is it bright? " * 80
        form = {"key": hidden(page, "key"), "name": "Ada", "email": f"ada{number}@example.test", "message": words, "website": ""}
        status, _, page = browser.open("POST", "/contact", form)
        again = status == 503 and words in page and browser.retry_after
        said["503 with the form" if again else str(status)] += 1
        if status == 303:
            heard.append(" ".join(words.split()))
    return True


def fill(path: Path) -> None:
    """Write until there is no room."""
    with path.open("wb", buffering=0) as file:
        for size in (65_536, 4_096, 1):
            try:
                while file.write(b"x" * size):
                    continue
            except OSError:
                continue


def until(met: Callable[[], bool], seconds: float) -> float:
    """Return how long it took, `seconds` if it did not come about."""
    started = time.monotonic()
    while (took := time.monotonic() - started) < seconds:
        if met():
            return took
        time.sleep(1)
    return seconds
