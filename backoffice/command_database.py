"""The database of a command: opened by the settings, closed when the command ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from backoffice import tables
from backoffice.config import Settings
from backoffice.db import Database

# the command may be the first to touch the database: every table is known by then
assert tables.metadata.tables


@contextmanager
def opened() -> Iterator[Database]:
    """Give the database of the settings."""
    db = Database(Settings().database_url)
    try:
        yield db
    finally:
        db.dispose()
