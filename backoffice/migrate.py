"""Bring the database to the program's tables, from any folder."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

if TYPE_CHECKING:
    from alembic.config import Config

REVISION = re.compile(r"^revision = [\"'](\w+)[\"']$", re.MULTILINE)
DOWN_REVISION = re.compile(r"^down_revision = [\"'](\w+)[\"']$", re.MULTILINE)
LOCK_TIMEOUT = "200ms"  # that a migration waits for a table, and everybody who comes after it
TRIES, PAUSE_SECONDS = 400, 0.3
GIVES_WAY = ("55P03", "40P01", "57014")  # SQLSTATE: lock_not_available, deadlock_detected, query_canceled (see lock_together)
MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


@lru_cache(maxsize=1)
def head() -> str:
    """Return the newest revision of the migrations folder: the one that no other follows.

    Read from the files, because Alembic takes as long to import as the rest of a start.
    """
    written = _written()
    followed = {match[1] for text in written if (match := DOWN_REVISION.search(text))}
    [newest] = {match[1] for text in written if (match := REVISION.search(text))} - followed
    return newest


@lru_cache(maxsize=1)
def revisions() -> frozenset[str]:
    """Return every revision that this program knows."""
    return frozenset(match[1] for text in _written() if (match := REVISION.search(text)))


def _written() -> list[str]:
    return [path.read_text(encoding="utf-8") for path in sorted((MIGRATIONS / "versions").glob("*.py"))]


def find_revision(connection: sa.Connection) -> str | None:
    """Return the revision that the database is at, or None for a database without migrations."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def compare_default(_context: Any, _found: Any, column: sa.Column[Any], *_defaults: Any) -> bool | None:
    """Tell Alembic not to ask PostgreSQL whether two JSON defaults are equal: json has no such operator."""
    return False if isinstance(column.type, sa.JSON) else None


def compare_index(thing: Any, _name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
    """Tell Alembic to leave indexes by an expression alone: it compares their texts, and every server writes them its own way."""
    return kind != "index" or all(isinstance(one, sa.Column) for one in thing.expressions)


def config(url: str) -> Config:
    """Return Alembic's configuration for a database address."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    made.attributes["url"] = url
    return made


def upgrade(url: str, revision: str = "head", *, sleep: Callable[[float], object] = time.sleep) -> None:
    """Apply what is missing, each migration in one transaction. Two callers at once: the second finds it done.

    Waits for a table for a moment only, because whoever else wants it then waits behind us; then it tries again. Raises
    IntegrityError if rows of before break a new rule: it holds for new rows then, and the next call looks at the old ones again.
    """
    from alembic import command

    made = config(url)
    made.attributes["validate_later"] = True
    _until_it_has_its_locks(lambda: command.upgrade(made, revision), sleep)


def downgrade(url: str, revision: str, *, sleep: Callable[[float], object] = time.sleep) -> None:
    """Take migrations back, down to `revision` ("base" = all)."""
    from alembic import command

    _until_it_has_its_locks(lambda: command.downgrade(config(url), revision), sleep)


def lock_together(connection: sa.Connection, *tables: str) -> None:
    """Take several tables for one migration, or none: whoever took them one after another would hold the first while it waits
    for the last, and everybody behind it waits for the sum. On SQLite the database is ours already.
    """
    if connection.dialect.name == "postgresql":
        names = ", ".join(connection.dialect.identifier_preparer.quote(table) for table in sorted(tables))
        wait = sa.text("SELECT set_config('statement_timeout', :wait, true)")
        connection.execute(wait, {"wait": LOCK_TIMEOUT})  # of the wait for all of them
        connection.execute(_ddl("LOCK TABLE %(names)s IN ACCESS EXCLUSIVE MODE", names=names))
        connection.execute(sa.text("SET LOCAL statement_timeout = 0"))


def build_indexes(indexes: Mapping[str, str]) -> None:
    """Build indexes of tables that others write to: name → table, columns and condition, in SQL.

    On PostgreSQL beside who writes, each by itself; a broken attempt is begun anew. That cannot be taken back with the rest of
    its migration, so it is the last that a migration does, and what it does before may be done twice.
    """
    from alembic import op

    if op.get_context().dialect.name == "sqlite":
        for name, what in indexes.items():
            op.execute(_ddl("CREATE INDEX %(name)s ON %(what)s", name=name, what=what))
        return
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '60s'")  # it waits for open transactions, and keeps nobody waiting
        for name, what in indexes.items():
            op.execute(_ddl("DROP INDEX CONCURRENTLY IF EXISTS %(name)s", name=name))
            op.execute(_ddl("CREATE INDEX CONCURRENTLY %(name)s ON %(what)s", name=name, what=what))
        op.execute(_ddl("SET lock_timeout = '%(wait)s'", wait=LOCK_TIMEOUT))


def unvalidated_constraints(connection: sa.Connection) -> list[sa.DDL]:
    """Return what validates each constraint that holds for new rows only so far, beside whoever reads and writes.

    Each belongs into a transaction of its own, and raises IntegrityError for a row that breaks it. (PostgreSQL manual,
    ALTER TABLE, *Notes*: VALIDATE CONSTRAINT takes a SHARE UPDATE EXCLUSIVE lock.)
    """
    unvalidated = "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE NOT convalidated ORDER BY conrelid, conname"
    quote = connection.dialect.identifier_preparer.quote
    found = connection.execute(sa.text(unvalidated)).all()
    return [_ddl("ALTER TABLE %(table)s VALIDATE CONSTRAINT %(name)s", table=table, name=quote(name)) for table, name in found]


def _ddl(statement: str, **names: str) -> sa.DDL:
    return sa.DDL(statement, context=names)  # type: ignore[no-untyped-call] # the library's own gap


def _until_it_has_its_locks(run: Callable[[], object], sleep: Callable[[float], object]) -> None:
    """Run again what did not get a table in time, or was chosen to give way: the migration that met it was taken back."""
    for attempt in range(1, TRIES + 1):
        try:
            run()
            return
        except OperationalError as error:
            if attempt == TRIES or getattr(error.orig, "sqlstate", None) not in GIVES_WAY:
                raise
        sleep(PAUSE_SECONDS)
