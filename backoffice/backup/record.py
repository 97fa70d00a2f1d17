"""What is written beside each backup: of which database, from when, with which tables, and the sum of the file."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

LAST = "last.json"


@dataclass(frozen=True, slots=True)
class Record:
    """kind: postgresql | sqlite. schema: the migration that the tables are at; empty: none. sha256: of the file."""

    file: str
    kind: str
    schema: str
    made_at: str
    bytes: int
    sha256: str


def folder(var_dir: Path) -> Path:
    """Return where backups go that no file was named for, and where the last one is noted."""
    return var_dir / "backups"


def of_file(path: Path) -> Path:
    """Return where the record of a backup stands."""
    return path.with_name(f"{path.name}.json")


def make(path: Path, *, kind: str, schema: str, now: datetime) -> Record:
    """Return the record of a file that was just written."""
    return Record(str(path.absolute()), kind, schema, now.isoformat(), path.stat().st_size, sum_of(path))


def write(record: Record, *paths: Path) -> None:
    """Write a record to each of these places, whole or not at all, for nobody else to read."""
    for path in paths:
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        with open_private(beside) as file:
            file.write(json.dumps(asdict(record), indent=1).encode())
        beside.replace(path)


def read(path: Path) -> Record:
    """Return a record. Raises ValueError when it is not one, OSError when there is none."""
    try:
        return Record(**json.loads(path.read_text(encoding="utf-8")))
    except TypeError as error:
        raise ValueError("not a record of a backup") from error


def find_last(var_dir: Path) -> Record | None:
    """Return the record of the last backup that was made from here."""
    try:
        return read(folder(var_dir) / LAST)
    except (OSError, ValueError):
        return None


def sum_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_private(path: Path):  # type: ignore[no-untyped-def] # a binary file, whose type has no short name
    """Open a new file that nobody else can read."""
    return os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")
