"""Connections: how each database is connected to, and how a transaction begins there."""

from __future__ import annotations

import select
import time
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult
from sqlalchemy import event
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

REQUEST_SECONDS = 6.0  # that one request may wait for the database in all; then it is told to come back
ANSWER_SECONDS = 25.0  # that anybody else waits for one answer: longer than the server lets a statement run
CONNECT_SECONDS = 3
QUIET_SECONDS = 30  # after which a connection is asked whether it still lives: somebody between us may have forgotten it


patience: ContextVar[list[float] | None] = ContextVar("patience", default=None)  # seconds that a request may still wait


class PatientConnection(psycopg.Connection[Any]):
    """A connection that does not wait for ever: a server that is silent, or an answer that was lost, looks like a slow one.

    What the server itself limits (`statement_timeout`) is of no help where its word does not arrive.
    """

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer; after too long the connection is closed, because that answer may still come."""
        budget, began = patience.get(), time.monotonic()
        left = ANSWER_SECONDS if budget is None else max(0.1, budget[0])
        try:
            return super().wait(gen, interval, left if timeout is None else min(left, timeout))
        except psycopg.errors._WaitTimeout as error:  # private, but named in what `wait` says it raises
            self.close()
            raise psycopg.OperationalError("the database did not answer in time") from error
        finally:
            if budget is not None:
                budget[0] -= time.monotonic() - began


class _Cursor(psycopg.Cursor[Any]):
    """The driver's cursor, telling its columns when somebody looks: SQLAlchemy does once for each statement, and then knows."""

    @property
    def description(self) -> Any:
        """Return the columns of what was found, None where nothing was asked for. Source: PEP 249."""
        found = self.pgresult
        if found is None or not (found.nfields or found.status == ExecStatus.TUPLES_OK):
            return None
        return _Columns(self, found)


class _Columns(Sequence[tuple[Any, ...]]):
    """The columns of an answer: of each its name and type alone, for nobody asks for more, and a row has up to eighty."""

    __slots__ = ("_cursor", "_found")

    def __init__(self, cursor: _Cursor, found: PGresult) -> None:
        self._cursor, self._found = cursor, found

    def __len__(self) -> int:
        return self._found.nfields

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        found, letters = self._found, self._cursor.connection.info.encoding
        for n in range(found.nfields):
            yield ((found.fname(n) or b"").decode(letters), found.ftype(n), None, None, None, None, None)

    def __getitem__(self, which: Any) -> Any:
        return list(self)[which]


def postgresql(url: str, options: dict[str, Any], name: str, session_options: str = "") -> sa.Engine:
    """Return an engine whose connections have time-outs and are looked at before they are used."""
    engine = sa.create_engine(
        url,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "cursor_factory": _Cursor,
            "application_name": name,
            "options": "-c timezone=UTC -c lock_timeout=8s -c statement_timeout=20s"
            f" -c idle_in_transaction_session_timeout=30s{session_options}",
        },
        **options,
    )

    def connect(_dialect: Dialect, _record: Any, words: Any, named: Any) -> PatientConnection:
        budget, began = patience.get(), time.monotonic()
        if budget is not None and budget[0] <= 0:
            raise psycopg.OperationalError("this request has waited for the database long enough")
        try:
            return PatientConnection.connect(*words, **named)
        finally:
            if budget is not None:
                budget[0] -= time.monotonic() - began

    def require_alive(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
        """Refuse a connection of the pool that has died meanwhile; the pool then opens another.

        On one that lives there is nothing to read: whoever shut the server down has sent its last word. That costs no round
        trip, as asking on every use does; only one that was quiet for long is asked.
        """
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN)
        if poll.poll(0):
            if "used_at" not in record.info:  # a new one: the pool would give up with an error that looks like ours
                raise psycopg.OperationalError("the database ended a new connection at once")
            raise DisconnectionError
        if time.monotonic() - record.info.get("used_at", time.monotonic()) > QUIET_SECONDS:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as error:
                raise DisconnectionError from error

    def note_use(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["used_at"] = time.monotonic()

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "checkout", require_alive)
    event.listen(engine, "checkin", note_use)
    return engine


def prepare_sqlite(connection: Any, _record: Any) -> None:
    """Set up a new connection."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.close()


def begin_sqlite(connection: sa.Connection) -> None:
    """Begin a transaction: one that writes takes the lock at once."""
    write = connection.get_execution_options().get("shopfloor_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
