"""The database: one engine, reads and writes as two kinds of transaction, portable column types.

SQLite: WAL, foreign keys, `BEGIN IMMEDIATE` for writes, plain `BEGIN` for reads; the driver's own transaction handling is
off, because it starts transactions late and loses updates. PostgreSQL: psycopg 3, read committed, with time-outs.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from backoffice.public.errors import Refused

T = TypeVar("T")

NAMES = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """Store instants in UTC; refuse naive ones; return aware ones on both databases."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# BIGINT on PostgreSQL; on SQLite only a column called exactly INTEGER numbers itself
BigId = sa.BigInteger().with_variant(sa.Integer, "sqlite")


class Base(DeclarativeBase):
    """Base of every table."""

    metadata = sa.MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        int: sa.BigInteger().with_variant(sa.Integer, "sqlite"),
        str: sa.Text,
        dict[str, Any]: sa.JSON,
        list[Any]: sa.JSON,
    }


def normalise_url(url: str) -> str:
    """Return the address with our driver: `postgresql://` means psycopg 3."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url[len(prefix) :]
    return url


class Database:
    """Hand out read and write transactions."""

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self.url = normalise_url(url)
        self.is_sqlite = self.url.startswith("sqlite")
        # hide_parameters: an error in the log must not carry a customer's address
        options: dict[str, Any] = {"pool_pre_ping": not self.is_sqlite, "hide_parameters": True}
        if self.is_sqlite:
            options["connect_args"] = {"timeout": 10, "isolation_level": None, "check_same_thread": False}
        else:
            options |= {
                "pool_size": pool_size,
                "max_overflow": pool_size,
                "connect_args": {
                    "connect_timeout": 5,
                    "options": "-c timezone=UTC -c lock_timeout=8s -c statement_timeout=20s"
                    " -c idle_in_transaction_session_timeout=30s",
                },
            }
        self.engine = sa.create_engine(self.url, **options)
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        self._writer = self.engine.execution_options(shopfloor_write=True)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a read-only transaction: what is changed in it is thrown away."""
        with Session(self.engine, expire_on_commit=False, autoflush=False) as session:
            yield session
            session.expunge_all()  # what was read stays readable after the transaction
            session.rollback()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open a write transaction: commits at the end, rolls back on any exception."""
        with Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    def run(self, work: Callable[[Session], T], *, tries: int = 6) -> T:
        """Run `work` in one write transaction; again from the start on deadlock, serialisation failure or plan conflict."""
        for attempt in range(1, tries + 1):
            try:
                with self.write() as session:
                    return work(session)
            except (OperationalError, PlanMoved) as error:
                if attempt == tries or not is_retryable(error):
                    raise
                time.sleep(random.uniform(0.005, 0.02) * 2**attempt)  # noqa: S311 - jitter, not a secret
        raise AssertionError("unreachable")

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()


class PlanMoved(Refused):
    """What a promise was to stand on has just gone to somebody else: compute it again; a caller of `run` sees it as busy."""

    def __init__(self, what: str) -> None:
        """Say which supply it was."""
        super().__init__("busy", what=what)


def is_retryable(error: Exception) -> bool:
    """Tell whether running the same transaction again can succeed (deadlock 40P01, serialisation 40001, SQLite busy)."""
    if isinstance(error, PlanMoved):
        return True
    original = getattr(error, "orig", None)
    if getattr(original, "sqlstate", None) in {"40P01", "40001"}:
        return True
    return "database is locked" in str(original)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    write = connection.get_execution_options().get("shopfloor_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
