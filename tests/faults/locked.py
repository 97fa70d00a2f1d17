"""Shard `locked` (R14): the same race over SQLite, while somebody reads for half a minute in one transaction.

A long reader keeps the write-ahead log from being folded back, and one writer at a time waits for the other. Wanted: what the
race wants on PostgreSQL, nobody is told that the database is locked (503 at worst), and the log stays below 64 MB.
"""

from __future__ import annotations

import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from random import Random

from tests.faults.buyers import Race
from tests.faults.rows import Row

READS_FOR, MOST_BYTES = 30.0, 64 * 2**20


def rows(seed: str = "1", buyers: str = "600", pieces: str = "150", kills: str = "8", web: str = "3") -> Iterator[Row]:
    """Yield what came of it (R1's own numbers: 2000 500 20). web: so many processes."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        race = Race(f"sqlite:///{folder}/shop.db", folder, Random(int(seed)), int(pieces), web=int(web))  # noqa: S311 - the same race each time
        race.open(stack)
        over = threading.Event()
        largest: list[int] = []
        people = [
            threading.Thread(target=_read, args=(folder / "shop.db", over)),
            threading.Thread(target=_measure, args=(folder / "shop.db-wal", over, largest)),
        ]
        for one in people:
            one.start()
        race.run(int(buyers), int(kills))
        over.set()
        for one in people:
            one.join()
        yield from race.judged(int(buyers), f"R14 seed {seed}")
        broken = {status: many for status, many in race.lost.items() if status.isdigit() and status != "503"}
        log = (folder / "shop.log").read_text(errors="replace")
        yield Row("R14 answers of 5xx", "503 at worst", str(broken or "none but 503"), not broken)
        yield Row("R14 unhandled errors", "0", str(log.count("unhandled error")), "unhandled error" not in log)
        yield Row("R14 write-ahead log", "< 64 MB", f"{max(largest) / 2**20:.1f} MB", max(largest) < MOST_BYTES)


def _read(path: Path, over: threading.Event) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM item").fetchone()
        over.wait(READS_FOR)
        reader.execute("COMMIT")


def _measure(path: Path, over: threading.Event, largest: list[int]) -> None:
    largest.append(0)
    while not over.wait(0.2):
        if path.exists():
            largest.append(path.stat().st_size)
