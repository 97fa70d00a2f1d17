"""The database: reads and writes as two kinds of transaction, portable column types.

SQLite: WAL, foreign keys, `BEGIN IMMEDIATE` for writes, plain `BEGIN` for reads; the driver's own transaction handling is
off, because it starts transactions late and loses updates. PostgreSQL: psycopg 3, read committed, with time-outs; reads go
over connections of their own, which the server itself keeps from writing. Under read committed each statement sees what is
committed by then, in a transaction or not, so reads there need none: two round trips less for each.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache
from typing import Any, ClassVar, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Session, make_transient_to_detached
from sqlalchemy.orm.attributes import instance_state, set_committed_value
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from backoffice import connecting
from backoffice.clock import SharedClock, utc_now
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


class Numbers(TypeDecorator[Sequence[int]]):
    """Whole numbers as one parameter: an array on PostgreSQL, JSON on SQLite."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(sa.Text() if dialect.name == "sqlite" else sa.ARRAY(sa.BigInteger))

    def process_bind_param(self, value: Collection[int] | None, dialect: Dialect) -> Any:
        numbers = sorted(value or ())
        return json.dumps(numbers) if dialect.name == "sqlite" else numbers


class among(FunctionElement[bool]):
    """Tell whether a column is among the numbers of a parameter: `among(column, "ids")`.

    Unlike `IN` its text is one for any number of them, so that the server plans it once and no other statement's plan is
    forgotten for it.
    """

    type = sa.Boolean()
    inherit_cache = True

    def __init__(self, column: sa.ColumnElement[Any] | InstrumentedAttribute[Any], name: str) -> None:
        super().__init__(column, sa.bindparam(name, type_=Numbers))


@compiles(among, "postgresql")
def _among_array(element: among, compiler: SQLCompiler, **options: Any) -> str:
    column, numbers = (compiler.process(one, **options) for one in element.clauses)
    return f"{column} = ANY ({numbers})"


@compiles(among, "sqlite")
def _among_json(element: among, compiler: SQLCompiler, **options: Any) -> str:
    column, numbers = (compiler.process(one, **options) for one in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({numbers}))"  # noqa: S608 - a column and the name of a parameter


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


def table_of(model: type[Base]) -> sa.Table:
    """Return a model's table: a statement on it goes past the session's objects, so it is for rows that nobody holds as one."""
    return cast(sa.Table, model.__table__)


Row = TypeVar("Row", bound=Base)


def write_rows(session: Session, rows: Sequence[Base]) -> None:
    """Write new rows of one table that nobody needs as objects afterwards: the session never knows them.

    It costs a third of `add` and `flush`, where customers wait.
    """
    given = [{name: value for name, value in row.__dict__.items() if name != "_sa_instance_state"} for row in rows]
    named = dict.fromkeys(name for one in given for name in one)
    if given:
        session.execute(_inserting(type(rows[0])), [{**named, **one} for one in given] if len(given) > 1 else given[0])


def write_row(session: Session, row: Row) -> Row:
    """Write one new row at once; from then on the session knows it, as after `add` and `flush`, at half the cost."""
    session.flush()  # what it may refer to
    given = {name: value for name, value in row.__dict__.items() if name != "_sa_instance_state"}
    model = type(row)
    written = cast("sa.CursorResult[Any]", session.execute(_inserting(model), given))
    known = dict(cast("dict[str, Any]", written.last_inserted_params()))
    known |= zip(_key(model), cast("sa.Row[Any]", written.inserted_primary_key), strict=True)
    for name in table_of(model).columns.keys() - given.keys():
        set_committed_value(row, name, known.get(name))
    make_transient_to_detached(row)
    session.add(row)
    return row


@cache
def _key(model: type[Base]) -> tuple[str, ...]:
    return tuple(column.key for column in table_of(model).primary_key)


@cache
def _inserting(model: type[Base]) -> sa.Insert:
    return sa.insert(table_of(model))


def update_rows(session: Session, rows: Iterable[Base], *names: str) -> None:
    """Write these columns of rows that objects stand for, in one statement; of them the objects have nothing to write any more.

    rows: of one table, numbered by `id`; the caller has locked them.
    """
    changed = sorted({row.id: row for row in rows}.items())  # type: ignore[attr-defined]  # every table that this is for has one
    if not changed:
        return
    given = [{"changed": key, **{f"new_{name}": getattr(row, name) for name in names}} for key, row in changed]
    with session.no_autoflush:  # which would write the same columns first, row by row
        session.execute(_updating(type(changed[0][1]), names), given if len(given) > 1 else given[0])
    for _, row in changed:
        for name in names:
            set_committed_value(row, name, getattr(row, name))
        _settle(session, row)


def _settle(session: Session, row: Base) -> None:
    """Let a row that has nothing left to write count as unchanged: else the next statement looks through all of them first."""
    state = instance_state(row)
    if not state.committed_state:
        state._commit_all(state.dict, session.identity_map)  # as a flush does that finds nothing


@cache
def _updating(model: type[Base], names: tuple[str, ...]) -> sa.Update:
    table = table_of(model)
    new = {name: sa.bindparam(f"new_{name}", type_=table.c[name].type) for name in names}
    return sa.update(table).where(table.c.id == sa.bindparam("changed")).values(new)


def normalise_url(url: str) -> str:
    """Return the address with our driver: `postgresql://` means psycopg 3."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url[len(prefix) :]
    return url


_noted: ContextVar[dict[Any, Any] | None] = ContextVar("noted", default=None)
_INSTANT = sa.select(sa.func.clock_timestamp(type_=UtcDateTime))
KEPT = "kept"  # where a session carries `Database.kept`
READS = "reads"  # where it says that it only reads
VERSIONS = "versions"  # where it notes the versions that what is kept goes by


def kept(session: Session) -> dict[str, Any]:
    """Return what is kept of the session's database; a session of nobody's keeps for itself."""
    found: dict[str, Any] = session.info.setdefault(KEPT, {})
    return found


def is_reading(session: Session) -> bool:
    """Tell whether a session was opened to read: nothing that it finds is committed."""
    return READS in session.info


class Database:
    """Hand out read and write transactions.

    kept: what was read of this database once and stands until its version changes; each session carries it (`session.info`).
    Within a request (`begin_request`, `end_request`) reads hand on what they noted there, until something is written; the
    versions that were read go on from reads to a write and back.
    clock: called for the present instant, which is the same on every machine that uses this database.
    """

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self.url = normalise_url(url)
        self.is_sqlite = self.url.startswith("sqlite")
        self.kept: dict[str, Any] = {}
        # hide_parameters: an error in the log must not carry a customer's address
        options: dict[str, Any] = {"hide_parameters": True}
        if self.is_sqlite:
            options["connect_args"] = {"timeout": 10, "isolation_level": None, "check_same_thread": False}
            self.engine = self._reader = sa.create_engine(self.url, **options)
            event.listen(self.engine, "connect", connecting.prepare_sqlite)
            event.listen(self.engine, "begin", connecting.begin_sqlite)
        else:
            options |= {"pool_size": pool_size, "max_overflow": pool_size, "pool_timeout": connecting.CONNECT_SECONDS}
            self.engine = connecting.postgresql(self.url, options, "shopfloor")
            reads = options | {"isolation_level": "AUTOCOMMIT"}
            self._reader = connecting.postgresql(self.url, reads, "shopfloor-reads", " -c default_transaction_read_only=on")
        self.clock: Callable[[], datetime] = utc_now if self.is_sqlite else SharedClock(self._find_instant)
        self._writer = self.engine.execution_options(shopfloor_write=True)
        self._alone = self.engine if self.is_sqlite else self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session that reads: what is changed in it is never written."""
        noted = _noted.get()
        info = {KEPT: self.kept, READS: True, **(noted or {})}
        with Session(self._reader, expire_on_commit=False, autoflush=False, info=info) as session:
            yield session
            if noted is not None:
                noted.update(session.info)
            session.expunge_all()  # what was read stays readable after the transaction
            session.rollback()

    @contextmanager
    def still(self) -> Iterator[Session]:
        """Open a session that reads, and in which all statements see one instant, whatever others commit meanwhile."""
        engine = self._reader
        if not self.is_sqlite:
            engine = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with Session(engine, autoflush=False, info={KEPT: self.kept}) as session:
            yield session
            session.rollback()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open a write transaction: commits at the end, rolls back on any exception."""
        noted, info = _noted.get(), {KEPT: self.kept}
        if noted is not None:
            info |= {name: noted[name] for name in (VERSIONS,) if name in noted}
            noted.clear()
        with Session(self._writer, expire_on_commit=False, info=info) as session, session.begin():
            yield session
        if noted is not None and VERSIONS in session.info:
            noted[VERSIONS] = session.info[VERSIONS]

    @contextmanager
    def single(self) -> Iterator[Session]:
        """Open a session for one statement that writes: it is a transaction by itself, without the two round trips around it."""
        if self.is_sqlite:  # which would begin one that reads
            with self.write() as session:
                yield session
            return
        with Session(self._alone, expire_on_commit=False, autoflush=False, info={KEPT: self.kept}) as session:
            yield session
            session.expunge_all()  # as in `read`
            session.rollback()

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

    def begin_request(self) -> None:
        """Let the reads of what follows in this thread know of each other, and none wait too long, until `end_request`."""
        _noted.set({})
        connecting.patience.set([connecting.REQUEST_SECONDS])

    def end_request(self, _error: BaseException | None = None) -> None:
        """Forget what they noted."""
        _noted.set(None)
        connecting.patience.set(None)

    def _find_instant(self) -> datetime | None:
        """Return what the clock of PostgreSQL shows; None if it does not answer."""
        try:
            with self._reader.connect() as connection:
                return cast(datetime, connection.scalar(_INSTANT))
        except SQLAlchemyError:
            return None

    @property
    def engines(self) -> set[sa.Engine]:
        """Return the engines that statements go through: one for both kinds, or one each."""
        return {self.engine, self._reader}

    def dispose(self) -> None:
        """Close every connection."""
        for engine in self.engines:
            engine.dispose()


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
