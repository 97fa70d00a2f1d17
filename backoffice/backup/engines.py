"""How each database is copied while it is in use, emptied, and filled again.

SQLite: the online backup of its own library, a copy of one instant. PostgreSQL: pg_dump and pg_restore, whose version must be
the server's or newer; the password goes through the environment, because a command line can be read by others.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa


class BackupError(Exception):
    """It cannot be done; the text says why, and nothing was changed."""


class Engine(Protocol):
    """One kind of database."""

    kind: str
    suffix: str

    def dump(self, path: Path) -> None:
        """Write a copy of one instant to a file that is there, empty and ours."""

    def check(self, path: Path) -> None:
        """Raise BackupError unless a file can be read to its end as a backup of this kind."""

    def is_empty(self) -> bool:
        """Tell whether the database has no tables."""

    def restore(self, path: Path) -> None:
        """Replace all that the database has by a backup: all of it or nothing."""


def of(url: str) -> Engine:
    """Return the engine of a database's address."""
    made = sa.make_url(url)
    return _Sqlite(made) if made.get_backend_name() == "sqlite" else _Postgresql(made)


class _Sqlite:
    kind, suffix = "sqlite", ".db"

    def __init__(self, url: sa.URL) -> None:
        self._path = Path(url.database or "")

    def dump(self, path: Path) -> None:
        if not self._path.exists():
            raise BackupError(f"There is no database at {self._path}.")
        with closing(sqlite3.connect(self._path)) as source, closing(sqlite3.connect(path)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it

    def check(self, path: Path) -> None:
        try:
            with closing(sqlite3.connect(f"file:{path.absolute()}?mode=ro", uri=True)) as copy:
                [[found]] = copy.execute("PRAGMA integrity_check(1)").fetchall()
        except sqlite3.DatabaseError as error:
            raise BackupError(f"{path} is not a database: {error}.") from error
        if found != "ok":
            raise BackupError(f"{path} is damaged: {found}.")

    def is_empty(self) -> bool:
        if not self._path.exists():
            return True
        with closing(sqlite3.connect(self._path)) as there:
            return bool(there.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,))

    def restore(self, path: Path) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path)) as copy, closing(sqlite3.connect(self._path, timeout=10)) as there:
            try:
                copy.backup(there)
                there.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError as error:
                raise BackupError(f"{self._path} is in use: stop web and worker first.") from error


def _trigrams_to(schema: str) -> str:
    """Return the statement that moves what searches words: one database has it once, and what is restored looks for it in public.

    Where it is not installed there is nothing to move. Where somebody else owns it, it stays: pg_restore then says what is
    missing, and nothing has changed.
    """
    return f"""DO $$ BEGIN
        ALTER EXTENSION pg_trgm SET SCHEMA {schema};
        EXCEPTION WHEN undefined_object OR insufficient_privilege THEN NULL; END $$"""


class _Postgresql:
    kind, suffix = "postgresql", ".dump"

    def __init__(self, url: sa.URL) -> None:
        self._url = url.set(drivername="postgresql")
        self._password = url.password or ""

    def dump(self, path: Path) -> None:
        self._run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={path}", self._address)

    def check(self, path: Path) -> None:
        self._run("pg_restore", f"--file={os.devnull}", str(path))

    def is_empty(self) -> bool:
        with self._connect() as connection:
            return not sa.inspect(connection).get_table_names()

    def restore(self, path: Path) -> None:
        # as PostgreSQL itself makes it: other roles see into it, what they may do there is granted anew
        anew = "CREATE SCHEMA public", "GRANT USAGE ON SCHEMA public TO PUBLIC"
        self._say("ALTER SCHEMA public RENAME TO before_restore", *anew, _trigrams_to("public"))
        how = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", "--no-comments")
        try:
            self._run("pg_restore", *how, "-d", self._address, str(path))
        except BackupError:
            self._say(
                _trigrams_to("before_restore"), "DROP SCHEMA public CASCADE", "ALTER SCHEMA before_restore RENAME TO public"
            )
            raise
        self._say("DROP SCHEMA before_restore CASCADE")

    @property
    def _address(self) -> str:
        return self._url.set(password=None).render_as_string(hide_password=False)

    def _connect(self) -> sa.Connection:
        try:
            return sa.create_engine(self._url.set(drivername="postgresql+psycopg"), poolclass=sa.NullPool).connect()
        except sa.exc.OperationalError as error:
            raise BackupError("The database does not answer.") from error

    def _say(self, *statements: str) -> None:
        with self._connect() as connection, connection.begin():
            connection.execute(sa.text("SET LOCAL lock_timeout = '5s'"))
            for statement in statements:
                connection.execute(sa.text(statement))

    def _run(self, *command: str) -> None:
        environment = os.environ | ({"PGPASSWORD": self._password} if self._password else {})
        try:
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
        except FileNotFoundError as error:
            raise BackupError(f"{command[0]} is not installed: it comes with PostgreSQL's client programs.") from error
        if done.returncode:
            raise BackupError(f"{command[0]} failed: {done.stderr.strip()[-600:]}")
