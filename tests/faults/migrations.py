"""Shard `migrations` (R19): each migration runs down, then up, under people who buy and a report that reads for seconds.

PostgreSQL with thousands of orders. Eight threads read and write the rows that a purchase touches, each request a transaction;
one more reads with a transaction open for two seconds at a time, so that whoever wants a table for themselves has to wait.
Wanted: no request fails, none takes half a second longer than the longest without any migration, and after each step up what the
program of before writes (a row of each table with the columns that it knew) is still taken.

Today's program cannot serve a database that is behind it, so what both have in common is tried: their locks, and the rows. The
pages of programs of before are tried by shard `upgrade`.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic.script import ScriptDirectory
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from backoffice import migrate
from backoffice.db import Database, is_retryable
from tests.bench.generate import grow
from tests.bench.verify import settle_totals, write_orders
from tests.faults.rows import Row
from tests.need import postgres_database

BUYERS, MOST_STALL, READS_FOR, RESTS = 8, 0.5, 2.0, 6.0
NOT_WRITTEN = {"b7d2c94e1a60": ("product_facet",)}  # the program of before had the table and wrote nothing to it
SQL = {  # what a purchase touches, in the order in which all of them lock
    "read": ("item", "offer", "party", "stock_movement"),
    "written": ("cart", "checkout", "lead", "order_line", "orders", "outbox_message", "payment", "peg", "reservation", "stock"),
}


def rows(orders: str = "1000", steps: str = "", calm: str = "10") -> Iterator[Row]:
    """Yield what came of it.

    steps: how many of the newest migrations; else all but the two with which the shop began. calm: seconds without any, before.
    """
    with ExitStack() as stack:
        url = stack.enter_context(postgres_database())
        migrate.upgrade(url)
        db = Database(url, pool_size=BUYERS + 2)
        stack.callback(db.dispose)
        now = datetime.now(UTC)
        grow(db, 1_000, now=now)
        for start in range(0, int(orders), 5_000):
            write_orders(db, range(start + 1, min(start + 5_000, int(orders)) + 1), now)
        db.run(settle_totals)
        chain = [one.revision for one in ScriptDirectory(str(migrate.MIGRATIONS)).walk_revisions()]
        chain = chain[: int(steps) + 1] if steps else chain[:-1]
        crowd = _Crowd(db, int(orders))
        crowd.come()
        stack.callback(crowd.go)
        time.sleep(float(calm))
        undisturbed = crowd.take("calm")
        went = []
        for after in chain[1:]:
            migrate.downgrade(url, after)
            went.append(crowd.take(f"down to {after}"))
        refused = []
        for after in reversed(chain[:-1]):
            before = {table: names for table, names in _columns(db).items() if table not in NOT_WRITTEN.get(after, ())}
            migrate.upgrade(url, after)
            went.append(crowd.take(f"up to {after}"))
            refused += [f"{after}: {line}" for line in _written_as_before(db, before)]
        crowd.go()
        yield from _judged(undisturbed, went, refused)


@dataclass
class Met:
    """What requests met meanwhile. slowest: seconds."""

    name: str
    requests: int = 0
    slowest: float = 0.0
    again: int = 0
    failed: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Say it in a line."""
        return (
            f"{self.name}: {self.requests} requests, slowest {self.slowest:.2f} s, {self.again} again, {len(self.failed)} failed"
        )


class _Crowd:
    """People who buy, and one report."""

    def __init__(self, db: Database, orders: int) -> None:
        self._db, self._orders = db, orders
        self._lock, self._over = threading.Lock(), threading.Event()
        self._met = Met("")
        self._threads = [threading.Thread(target=self._buy, args=(number,)) for number in range(BUYERS)]
        self._threads.append(threading.Thread(target=self._report))

    def come(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def go(self) -> None:
        """End."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def take(self, name: str) -> Met:
        """Return what was met since the last time, under a name."""
        time.sleep(0.5)  # whoever waited for it is done
        with self._lock:
            met, self._met = self._met, Met("")
        met.name = name
        print(f"    {met}", flush=True)
        return met

    def _buy(self, number: int) -> None:
        draw = random.Random(number)  # noqa: S311 - any row
        while not self._over.is_set():
            began, again, failed = time.perf_counter(), 0, ""
            for attempt in range(1, 7):
                try:
                    self._request(draw)
                    break
                except SQLAlchemyError as error:
                    if attempt < 6 and isinstance(error, OperationalError) and is_retryable(error):
                        again += 1
                        continue
                    failed = f"{type(error).__name__}: {error.args[0] if error.args else ''}"
                    break
            seconds = time.perf_counter() - began
            with self._lock:
                self._met.requests += 1
                self._met.slowest = max(self._met.slowest, seconds)
                self._met.again += again
                self._met.failed += [failed] if failed else []
            time.sleep(0.05)

    def _request(self, draw: random.Random) -> None:
        """Read three rows and write three, in one transaction."""
        with self._db.engine.begin() as connection:
            for table in draw.sample(SQL["read"], 3):
                connection.execute(_reading(table), {"id": draw.randint(1, 1_000)})
            for table in sorted(draw.sample(SQL["written"], 3)):
                connection.execute(_writing(table), {"id": draw.randint(1, self._orders)})

    def _report(self) -> None:
        while not self._over.is_set():
            with self._db.engine.begin() as connection:
                for table in (*SQL["read"], *SQL["written"]):
                    connection.execute(sa.text(f"SELECT count(*) FROM {table}"))  # noqa: S608 - a name of ours
                self._over.wait(READS_FOR)
            self._over.wait(RESTS)


def _reading(table: str) -> sa.TextClause:
    key = "item_id" if table == "offer" else "id"
    return sa.text(f"SELECT {key} FROM {table} WHERE {key} = :id")  # noqa: S608 - names of ours


def _writing(table: str) -> sa.TextClause:
    return sa.text(f"UPDATE {table} SET id = id WHERE id = :id")  # noqa: S608 - a name of ours


def _columns(db: Database) -> dict[str, list[str]]:
    seen = sa.inspect(db.engine)
    return {table: [column["name"] for column in seen.get_columns(table)] for table in seen.get_table_names()}


def _written_as_before(db: Database, before: dict[str, list[str]]) -> list[str]:
    """Write a copy of a row of each table with the columns of before, and take it back; return what was refused."""
    refused = []
    for table, columns in sorted(before.items()):
        names = ", ".join(f'"{column}"' for column in columns)
        copy = f'INSERT INTO "{table}" ({names}) SELECT {names} FROM "{table}" LIMIT 1 ON CONFLICT DO NOTHING'  # noqa: S608 - our tables
        with db.engine.connect() as connection:
            try:
                connection.execute(sa.text(copy))
            except SQLAlchemyError as error:
                refused.append(f"{table}: {str(error).splitlines()[0]}")
            connection.rollback()
    return refused


def _judged(calm: Met, went: Sequence[Met], refused: Sequence[str]) -> Iterator[Row]:
    worst = sorted(went, key=lambda one: one.slowest, reverse=True)
    failed = [f"{one.name}: {line}" for one in went for line in one.failed]
    for line in [*worst[:5], *failed[:5], *refused[:10]]:
        print("   ", line)
    for way in ("down", "up"):
        mine = [one for one in went if one.name.startswith(way)]
        many, lost = sum(one.requests for one in mine), sum(len(one.failed) for one in mine)
        yield Row(f"R19 {len(mine)} migrations {way}: requests", "0 fail", f"{lost} of {many} failed", many > 0 and not lost)
        stall = max(one.slowest for one in mine) - calm.slowest
        figure = f"{stall:+.2f} s beyond {calm.slowest:.2f} s"
        yield Row(
            f"R19 {len(mine)} migrations {way}: stall", f"<= {MOST_STALL} s longer than without", figure, stall <= MOST_STALL
        )
    yield Row("R19 rows of the program before", "all taken", f"{len(refused)} refused", not refused)
