"""The small folder, and the importer bound to a test's database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from backoffice.db import Database
from backoffice.imports.adventureworks import Report, import_folder
from tests.integration.adventureworks.folder import write_folder

Import = Callable[..., Report]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The small folder, to be changed at will."""
    return write_folder(tmp_path / "adventureworks")


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """Where photos go."""
    return tmp_path / "media"


@pytest.fixture
def run(folder: Path, media: Path, now: datetime) -> Import:
    """Import the folder into a database, at the test's instant unless told otherwise."""

    def run(db: Database, *, at: datetime = now, made: Sequence[str] = ()) -> Report:
        return import_folder(db, folder, media=media, made=made, now=at)

    return run
