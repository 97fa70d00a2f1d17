"""Shards `money` (R3 to R6) and `money-late` (R5b): the provider's messages come often, in any order, too late, or never."""

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


def rows() -> Iterator[Row]:
    """Yield the figures of each test."""
    with _opener() as (open_settings, folder):
        small = f"sqlite:///{folder}/shop.db"
        _make_tables(small)
        for one in money.all_of(open_settings, lambda: settings_for(small, folder)):
            yield Row(one.test, one.target, one.figure, one.met)


def late(buyers: str = "2000", units: str = "500") -> Iterator[Row]:
    """R5b: all the money comes after everybody was told that their payment failed."""
    with _opener() as (open_settings, _folder):
        for one in money.too_late(open_settings, buyers=int(buyers), units=int(units)):
            yield Row(one.test, one.target, one.figure, one.met)


@contextmanager
def _opener() -> Iterator[tuple[Callable[[], Settings], Path]]:
    """Return what gives the settings of an empty shop on PostgreSQL, and the folder that it is in."""
    with tempfile.TemporaryDirectory() as name, postgres_database() as url:
        _make_tables(url)

        def open_settings() -> Settings:
            empty(url)
            return settings_for(url, Path(name))

        yield open_settings, Path(name)


def _make_tables(address: str) -> None:
    db = Database(address)
    metadata.create_all(db.engine)
    db.dispose()
