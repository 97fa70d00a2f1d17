"""The record of changes: whoever changes it is found, on both databases, and its rows have one order however they come."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from backoffice import audit
from backoffice.audit import AuditChain, AuditEntry
from backoffice.db import Database
from backoffice.verify import changes

NOTED = {"z": 1, "a": {"ä": [1.5, None, True]}, 7: "seven"}


def write(db: Database, number: int, now: datetime) -> None:
    db.run(lambda s: audit.record(s, "test.do", f"thing:{number}", actor="ada", role="admin", details=NOTED, now=now))


def broken(db: Database, now: datetime) -> list[str]:
    with db.read() as session:
        return [line for rule in changes.RULES for line in rule.lines(session, now)]


def by_hand(db: Database, *statements: str) -> None:
    """Change rows as somebody does who owns the tables: without the triggers."""
    with db.write() as session:
        if db.is_sqlite:
            for name in ("audit_entry_stays", "audit_entry_never_goes"):
                session.execute(sa.text(f"DROP TRIGGER IF EXISTS {name}"))
        else:
            session.execute(sa.text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            session.execute(sa.text(statement))


def test_rows_follow_one_another(db: Database, now: datetime) -> None:
    assert broken(db, now) == []
    for number in range(3):
        write(db, number, now)
    db.run(lambda s: [audit.record(s, "test.do", f"thing:{n}", actor="ada", now=now) for n in (3, 4)])
    with db.read() as session:
        rows = session.scalars(sa.select(AuditEntry).order_by(AuditEntry.number)).all()
        assert [(row.number, row.subject) for row in rows] == [(n + 1, f"thing:{n}") for n in range(5)]
        end = session.get_one(AuditChain, 1)
        assert (end.number, end.hash) == (5, rows[-1].hash)
    assert broken(db, now) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET actor = 'eve' WHERE id = 1",
        "UPDATE audit_entry SET details = '{\"a\": 2}' WHERE id = 1",
        "UPDATE audit_entry SET details = '{}' WHERE id = 1",
        "UPDATE audit_entry SET details = '{}', salt = '', subject = 'x' WHERE id = 1",
        "UPDATE audit_entry SET number = NULL WHERE id = 1",
        "DELETE FROM audit_entry",
        "DELETE FROM audit_entry WHERE id = 2",
    ],
)
def test_the_database_refuses_to_change_or_delete_a_row(db: Database, now: datetime, statement: str) -> None:
    write(db, 0, now)
    write(db, 1, now)
    with pytest.raises(DatabaseError, match="stays as it is"), db.write() as session:
        session.execute(sa.text(statement.replace("': ", r"'\: ").replace('": ', r'"\: ')))
    assert broken(db, now) == []


@pytest.mark.postgresql
def test_postgresql_refuses_to_empty_the_table(postgres_db: Database, now: datetime) -> None:
    write(postgres_db, 0, now)
    with pytest.raises(DatabaseError, match="stays as it is"), postgres_db.write() as session:
        session.execute(sa.text("TRUNCATE audit_entry"))


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (["UPDATE audit_entry SET actor = 'eve' WHERE id = 2"], "I16 change 2 (row 2, test.do) is not as it was written"),
        (
            ["UPDATE audit_entry SET details = '{}' WHERE id = 2"],
            "I16 change 2 (row 2, test.do): its details are not as they were written",
        ),
        (
            ["UPDATE audit_entry SET details = '{}', salt = '' WHERE id = 2"],
            "I16 change 2: its details were emptied, and nobody wrote down why",
        ),
        (["DELETE FROM audit_entry WHERE id = 1"], "I16 change 1 is missing"),
        (["DELETE FROM audit_entry WHERE id = 3"], "I16 the chain ends at change 2, it should at 3"),
        (
            ["DELETE FROM audit_entry WHERE id = 3", "UPDATE audit_chain SET number = 2"],
            "I16 the chain ends at change 2, it should at 2",
        ),
        (
            [
                "UPDATE audit_entry SET number = -number WHERE id IN (1, 2)",
                "UPDATE audit_entry SET number = 3 + number WHERE id < 3",
            ],
            "I16 change 1 (row 2, test.do) is not as it was written",
        ),
    ],
)
def test_who_changes_it_by_hand_is_found(db: Database, now: datetime, statements: list[str], said: str) -> None:
    for number in range(3):
        write(db, number, now)
    by_hand(db, *statements)
    assert broken(db, now) == [said]


def test_a_row_past_the_program_is_found_and_placed_with_the_next(db: Database, now: datetime) -> None:
    write(db, 0, now)
    row = "INSERT INTO audit_entry (at, actor, role, action, subject, details) VALUES (:at, 'old', '', 'x', 'y', '{}')"
    with db.write() as session:
        session.execute(sa.text(row).bindparams(sa.bindparam("at", type_=AuditEntry.at.type)), {"at": now})
    assert broken(db, now) == ["I16 row 2 was written past the program: it has no place in the chain"]
    write(db, 1, now)
    assert broken(db, now) == []


def test_what_is_rolled_back_leaves_no_gap(db: Database, now: datetime) -> None:
    def work(session: Session) -> None:
        with session.begin_nested() as trial:
            audit.record(session, "test.tried", "thing:1", actor="ada", now=now)
            trial.rollback()
        audit.record(session, "test.done", "thing:2", actor="ada", now=now)

    db.run(work)

    def fail(session: Session) -> None:
        audit.record(session, "test.failed", "thing:3", actor="ada", now=now)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        db.run(fail)
    write(db, 4, now)
    with db.read() as session:
        rows = session.execute(sa.select(AuditEntry.number, AuditEntry.action).order_by(AuditEntry.number)).all()
    assert rows == [(1, "test.done"), (2, "test.do")]
    assert broken(db, now) == []


def test_forgetting_empties_the_details_and_says_so(db: Database, now: datetime) -> None:
    for number in range(2):
        write(db, number, now)
    named: dict[str, Any] = {"actor": "ada", "role": "admin", "subject": "party:1", "now": now}
    db.run(lambda s: audit.forget(s, [2], **named))
    with db.read() as session:
        rows = session.scalars(sa.select(AuditEntry).order_by(AuditEntry.number)).all()
    assert [row.details for row in rows[1:]] == [{}, {"entries": [2]}]
    assert broken(db, now) == []


@pytest.mark.postgresql
def test_many_at_once_make_one_chain(postgres_db: Database, now: datetime) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: write(postgres_db, number, now), range(80)))
    with postgres_db.read() as session:
        assert session.scalars(sa.select(AuditEntry.number).order_by(AuditEntry.number)).all() == list(range(1, 81))
    assert broken(postgres_db, now) == []
