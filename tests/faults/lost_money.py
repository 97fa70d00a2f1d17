"""Shard `money` (R3 to R6): the provider's messages come often, in any order, too late, or never."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
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
    with tempfile.TemporaryDirectory() as name, postgres_database() as url:
        folder = Path(name)
        for address in (url, f"sqlite:///{folder}/shop.db"):
            db = Database(address)
            metadata.create_all(db.engine)
            db.dispose()

        def open_settings() -> Settings:
            empty(url)
            return settings_for(url, folder)

        for one in money.all_of(open_settings, lambda: settings_for(f"sqlite:///{folder}/shop.db", folder)):
            yield Row(one.test, one.target, one.figure, one.met)
