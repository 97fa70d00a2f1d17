"""Who changed what: one row for each change that somebody answers for, written in the transaction that makes it.

The rows are a chain: each has its number and a SHA-256 over the one before and itself, so a row that is changed, taken out or
slipped in later is found by `shopfloor verify`. A row gets its place as the last thing before its transaction commits: the
lock on the chain's end is then the last one taken, and nobody waits for anything while holding it. Purchases write no row.

What a row tells of a person may have to be forgotten. The chain therefore covers a salted hash of `details`, not the details:
both can be emptied, nothing else can, and only in the company of a row that names which (`forget`).
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Mapped, Session, mapped_column, object_session

from backoffice.db import Base, BigId, table_of

UNPLACED = "audit_unplaced"  # where a session notes that it wrote a row
FORGET = "person.forget"  # what names the rows whose details were emptied


class AuditEntry(Base):
    """Somebody did something to something. details: values before and after, never a secret. No row is ever changed.

    number: its place in the chain, from 1 on, given when its transaction commits.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (sa.Index("ix_audit_entry_subject_at", "subject", "at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str]  # a colleague's e-mail, "worker", "customer", "key:<prefix>"
    role: Mapped[str] = mapped_column(default="")
    action: Mapped[str]  # staff.add, settings.change, refund.request …
    subject: Mapped[str]  # staff:3, order:SF-…
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    number: Mapped[int | None] = mapped_column(unique=True)
    salt: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))
    details_hash: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))
    hash: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))


class AuditChain(Base):
    """The chain's end, one row: how many rows there are, and the hash of the last."""

    __tablename__ = "audit_chain"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[int]
    hash: Mapped[str]


def record(
    session: Session,
    action: str,
    subject: str,
    *,
    actor: str,
    role: str = "",
    details: Mapping[str, Any] | None = None,
    now: datetime,
) -> None:
    """Write down that `actor` did `action` to `subject`."""
    session.add(AuditEntry(at=now, actor=actor, role=role, action=action, subject=subject, details=dict(details or {})))
    session.flush()


def has_recorded(session: Session) -> bool:
    """Tell whether this transaction has written a row."""
    return UNPLACED in session.info


def hash_details(details: object, salt: str) -> str:
    """Return what the chain covers of the details."""
    return hashlib.sha256((salt + _canonical(details)).encode()).hexdigest()


def hash_entry(before: str, row: sa.Row[Any] | AuditEntry, number: int, details_hash: str) -> str:
    """Return the hash of a row in its place. before: the hash of the row in front of it, empty for the first."""
    told = [before, number, row.at.isoformat(), row.actor, row.role, row.action, row.subject, details_hash]
    return hashlib.sha256(_canonical(told).encode()).hexdigest()


def forget(
    session: Session,
    entry_ids: Collection[int],
    *,
    actor: str,
    role: str,
    subject: str,
    details: Mapping[str, Any] | None = None,
    now: datetime,
) -> None:
    """Empty the details of these rows, and write down which: the chain still holds, and nobody does it unseen.

    details: what else is written down of it, nothing of a person.
    """
    table = table_of(AuditEntry)
    wanted = sa.select(AuditEntry.number).where(AuditEntry.id.in_(entry_ids)).order_by(AuditEntry.number)
    numbers = list(session.scalars(wanted))
    session.execute(sa.update(table).where(table.c.id.in_(entry_ids)).values(details={}, salt=""))
    record(session, FORGET, subject, actor=actor, role=role, details={**(details or {}), "entries": numbers}, now=now)


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


@event.listens_for(AuditEntry, "after_insert")
def _note(_mapper: object, _connection: sa.Connection, entry: AuditEntry) -> None:
    session = object_session(entry)
    if session is not None:
        session.info[UNPLACED] = True


@event.listens_for(Session, "before_commit")
def _place(session: Session) -> None:
    """Give this transaction's rows their places. Not before a savepoint's end: it may still be rolled back."""
    if session.in_nested_transaction():
        return
    session.flush()
    if session.info.pop(UNPLACED, False):
        _lengthen(session.connection())


def _lengthen(connection: sa.Connection) -> None:
    chain, table = table_of(AuditChain), table_of(AuditEntry)
    end = sa.select(chain.c.number, chain.c.hash).where(chain.c.id == 1).with_for_update()
    last = connection.execute(end).first()
    if last is None:
        connection.exec_driver_sql("INSERT INTO audit_chain (id, number, hash) VALUES (1, 0, '') ON CONFLICT DO NOTHING")
        last = connection.execute(end).one()
    number, before, placed = last.number, last.hash, []
    # whatever has no place yet: this transaction's, and what a program of before wrote during an update
    for row in connection.execute(sa.select(table).where(table.c.number.is_(None)).order_by(table.c.id)):
        number, salt = number + 1, secrets.token_hex(16)
        details_hash = hash_details(row.details, salt)
        before = hash_entry(before, row, number, details_hash)
        placed.append({"row": row.id, "number": number, "salt": salt, "details_hash": details_hash, "hash": before})
    if placed:
        columns: dict[str, Any] = {name: sa.bindparam(name) for name in ("number", "salt", "details_hash", "hash")}
        connection.execute(sa.update(table).where(table.c.id == sa.bindparam("row")).values(columns), placed)
        connection.execute(sa.update(chain).where(chain.c.id == 1).values(number=number, hash=before))


_KEPT = ("id", "number", "at", "actor", "role", "action", "subject", "details_hash", "hash")
_SAME = " AND ".join(f"NEW.{name} = OLD.{name}" for name in _KEPT)
_REFUSAL = "a row of the record of changes stays as it is"
_ON_SQLITE = (
    f"CREATE TRIGGER audit_entry_stays BEFORE UPDATE ON audit_entry WHEN NOT (OLD.number IS NULL"
    f" OR ({_SAME} AND NEW.salt = '' AND NEW.details = '{{}}')) BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END",
    f"CREATE TRIGGER audit_entry_never_goes BEFORE DELETE ON audit_entry BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END",
)
_ON_POSTGRESQL = (
    "CREATE OR REPLACE FUNCTION audit_entry_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " IF TG_OP = 'UPDATE' THEN"
    f" IF OLD.number IS NULL OR ({_SAME} AND NEW.salt = '' AND NEW.details::text = '{{}}') THEN RETURN NEW; END IF;"
    f" END IF; RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$",
    "CREATE TRIGGER audit_entry_stays BEFORE UPDATE OR DELETE ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_entry_stays()",
    "CREATE TRIGGER audit_entry_never_goes BEFORE TRUNCATE ON audit_entry EXECUTE FUNCTION audit_entry_stays()",
)
for _dialect, _statements in (("sqlite", _ON_SQLITE), ("postgresql", _ON_POSTGRESQL)):
    for _statement in _statements:
        _made = sa.DDL(_statement).execute_if(dialect=_dialect)  # type: ignore[no-untyped-call] # the library's own gap
        event.listen(table_of(AuditEntry), "after_create", _made)
