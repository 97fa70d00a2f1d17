"""Shards `money-…` (R3 to R6): the provider's messages come often, in any order, too late, or never."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from backoffice.config import Settings
from backoffice.db import Database
from backoffice.tables import metadata
from tests.bench import money
from tests.conftest import empty
from tests.faults.crash import settings_for
from tests.faults.rows import Row
from tests.need import postgres_database


def repeated(orders: str = "300") -> Iterator[Row]:
    """R3: five copies of a message, the way back and the poll at the same moment."""
    with _opener() as open_settings:
        yield from _as_rows(money.repeated(open_settings, orders=int(orders)))


def shuffled() -> Iterator[Row]:
    """R4: over SQLite, where each order of messages is a transaction taken back."""
    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite:///{name}/shop.db"
        _make_tables(url)
        yield from _as_rows(money.shuffled(lambda: settings_for(url, Path(name))))


def at_the_last_second(buyers: str = "1000") -> Iterator[Row]:
    """R5a: a fifth pays in the last second of its page."""
    with _opener() as open_settings:
        yield from _as_rows(money.at_the_last_second(open_settings, buyers=int(buyers)))


def late(buyers: str = "2000", units: str = "500") -> Iterator[Row]:
    """R5b: all the money comes after everybody was told that their payment failed."""
    with _opener() as open_settings:
        yield from _as_rows(money.too_late(open_settings, buyers=int(buyers), units=int(units)))


def unheard(minutes: str = "10") -> Iterator[Row]:
    """R6: not one message arrives for so many minutes."""
    with _opener() as open_settings:
        yield from _as_rows(money.unheard(open_settings, minutes=int(minutes)))


def _as_rows(found: Iterator[money.Found]) -> Iterator[Row]:
    return (Row(one.test, one.target, one.figure, one.met) for one in found)


@contextmanager
def _opener() -> Iterator[Callable[[], Settings]]:
    """Return what gives the settings of an empty shop on PostgreSQL."""
    with tempfile.TemporaryDirectory() as name, postgres_database() as url:
        _make_tables(url)

        def open_settings() -> Settings:
            empty(url)
            return settings_for(url, Path(name))

        yield open_settings


def _make_tables(address: str) -> None:
    db = Database(address)
    metadata.create_all(db.engine)
    db.dispose()
