"""Make a backup, bring one back."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from backoffice import migrate
from backoffice.backup import engines, record
from backoffice.backup.engines import BackupError
from backoffice.backup.record import Record
from backoffice.db import Database


def back_up(url: str, path: Path | None, *, var_dir: Path, now: datetime) -> Record:
    """Copy the database to a file (none named: one below the var folder) while it is in use; return its record.

    The file is there whole or not at all, and only we may read it. Raises BackupError.
    """
    engine = engines.of(url)
    own = record.folder(var_dir)
    own.mkdir(parents=True, exist_ok=True, mode=0o700)
    target = path or own / f"shopfloor-{now:%Y%m%dT%H%M%SZ}{engine.suffix}"
    if target.exists():
        raise BackupError(f"{target} is there already: nothing was written.")
    beside = target.with_name(f".{target.name}.part")
    try:
        record.open_private(beside).close()
        schema = _schema(url)
        engine.dump(beside)
        beside.replace(target)
    except OSError as error:
        raise BackupError(f"{target} cannot be written: {error.strerror}.") from error
    finally:
        with suppress(OSError):
            beside.unlink()
    made = record.make(target, kind=engine.kind, schema=schema, now=now)
    record.write(made, record.of_file(target), own / record.LAST)
    return made


def restore(url: str, path: Path, *, replace: bool) -> Record:
    """Fill the database from a backup; return its record.

    replace: also where there are tables, which go. Raises BackupError, and has changed nothing then.
    """
    engine = engines.of(url)
    try:
        known = record.read(record.of_file(path))
    except (OSError, ValueError) as error:
        raise BackupError(
            f"{record.of_file(path)} is missing or no record: without it nobody knows whether it is whole."
        ) from error
    if known.kind != engine.kind:
        raise BackupError(f"{path} is of {known.kind}, the database is {engine.kind}.")
    if not path.exists() or record.sum_of(path) != known.sha256:
        raise BackupError(f"{path} is not the file that was written: its sum differs.")
    if known.schema and known.schema not in migrate.revisions():
        raise BackupError(f"{path} has tables of a newer program ({known.schema}): install that one first.")
    engine.check(path)
    if not engine.is_empty() and not replace:
        raise BackupError("The database is not empty. --replace puts the backup in place of all that is in it.")
    engine.restore(path)
    return known


def _schema(url: str) -> str:
    db = Database(url)
    try:
        with db.engine.connect() as connection:
            return migrate.find_revision(connection) or ""
    except sa.exc.OperationalError as error:
        raise BackupError("The database does not answer.") from error
    finally:
        db.dispose()
