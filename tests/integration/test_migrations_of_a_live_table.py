"""What a migration does to tables that shops are writing to: read by `squawk`, from what PostgreSQL was really told."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from backoffice import migrate
from backoffice.db import Database
from tests import need

pytestmark = pytest.mark.postgresql

NOT_ASKED = (
    "prefer-identity",  # a table's key is declared once for both databases; BIGSERIAL numbers as well
    "prefer-robust-stmts",  # a migration is one transaction; what is built beside it begins with IF EXISTS
)
BEFORE_ANY_SHOP = ("6ef99c6cd30f", "4d0e829a8f92")  # the first tables: nobody had rows in them
PLACES = {  # (revision, rule) → why it may
    ("b7d2c94e1a60", "ban-drop-table"): "a table that no program had written to",
    ("b1d4c07e5a62", "constraint-missing-not-valid"): "see the next",
    ("b1d4c07e5a62", "disallowed-unique-constraint"): "of a column that is new and empty in every row",
    ("b1d4c07e5a62", "require-concurrent-index-creation"): "only of companies that told a VAT number, the fewest of all rows",
    ("d0075b1e4a2c", "constraint-missing-not-valid"): "see the next",
    (
        "d0075b1e4a2c",
        "disallowed-unique-constraint",
    ): "of a column that this migration fills, while it holds the table anyway",
}
LISTS = "ban-drop-constraint"  # a list of words that grew: the old rule goes in the transaction in which the longer one comes


@dataclass
class Told:
    """What PostgreSQL was told: statements, and in which transaction (0: in none)."""

    transaction: int = 1
    said: list[tuple[int, str]] = field(default_factory=list)

    def script(self) -> str:
        """Write it as a file that `psql` would read."""
        lines = []
        for transaction, one in groupby(self.said, lambda said: said[0]):
            statements = [re.sub(r"%\(\w+\)s", "NULL", statement.strip()) for _, statement in one]
            lines += ["BEGIN", *statements, "COMMIT"] if transaction else statements
        return ";\n".join(lines) + ";\n"


@contextmanager
def overheard() -> Iterator[Told]:
    """Hear what any engine is told that changes tables, or how long it waits for them."""
    told = Told()

    def hear(connection: sa.Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.lstrip().upper().startswith(("SELECT", "DO ", "CREATE EXTENSION")):
            alone = connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
            told.said.append((0 if alone else told.transaction, statement))

    def end(_connection: sa.Connection) -> None:
        told.transaction += 1

    heard = (("before_cursor_execute", hear), ("commit", end))
    for what, listener in heard:
        sa.event.listen(sa.Engine, what, listener)
    try:
        yield told
    finally:
        for what, listener in heard:
            sa.event.remove(sa.Engine, what, listener)


def asked(script: Path) -> list[dict[str, str]]:
    """Return what `squawk` says of a file."""
    program = Path(sys.executable).with_name("squawk")
    words = [str(program), "--pg-version", "15", "--reporter", "json", "--exclude", ",".join(NOT_ASKED), str(script)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("["), done.stderr
    found: list[dict[str, str]] = json.loads(done.stdout)
    return found


def before_what_stays(told: Told) -> list[str]:
    """Return what was done in a transaction before the last statement in none: should that fail, it would be done again."""
    last = max(number for number, (transaction, _) in enumerate(told.said) if transaction == 0)
    before = [statement for transaction, statement in told.said[:last] if transaction]
    return [statement for statement in before if not statement.lstrip().startswith("SET ")]


def test_squawk_finds_nothing_in_what_migrations_do_that_has_no_reason(tmp_path: Path) -> None:
    found, used = [], set()
    with need.postgres_database() as url:
        chain = [one.revision for one in ScriptDirectory(str(migrate.MIGRATIONS)).walk_revisions()]
        for revision in reversed(chain):
            with overheard() as told:
                migrate.upgrade(url, revision)
            if revision in BEFORE_ANY_SHOP:
                continue
            script = tmp_path / f"{revision}.sql"
            script.write_text(told.script(), encoding="utf-8")
            lines = told.script().splitlines()
            for one in asked(script):
                place = (revision, one["rule_name"])
                used.add(place)
                if one["rule_name"] != LISTS and place not in PLACES:
                    found.append((*place, lines[int(one["line"])]))
            if any(transaction == 0 for transaction, _ in told.said):
                found += [(revision, "not to be done twice", line) for line in before_what_stays(told)]
    assert found == []
    assert set(PLACES) <= used, "an exception that nothing needs any more"


def test_it_hears_and_squawk_sees_an_index_that_keeps_writers_waiting(tmp_path: Path) -> None:
    with need.postgres_database() as url:
        migrate.upgrade(url)
        database = Database(url)
        with overheard() as told, database.engine.begin() as connection:
            connection.execute(sa.text("SET lock_timeout = '200ms'"))
            connection.execute(sa.text("SET statement_timeout = 0"))
            connection.execute(sa.text("CREATE INDEX ix_seen ON orders (placed_at)"))
        database.dispose()
    script = tmp_path / "seen.sql"
    script.write_text(told.script(), encoding="utf-8")
    assert [one["rule_name"] for one in asked(script)] == ["require-concurrent-index-creation"]


def test_a_rule_of_a_table_that_is_there_holds_at_once_and_for_old_rows_afterwards() -> None:
    with need.postgres_database() as url:
        with overheard() as told:
            migrate.upgrade(url)
        ours = [line for _, line in told.said if re.search(r"\b(ck_lead_stage|fk_lead_lost_reason_id)\b", line)]
        said = [("NOT VALID" in line, "VALIDATE CONSTRAINT" in line) for line in ours]
        assert said == [(True, False), (True, False), (False, True), (False, True)]
        database = Database(url)
        with database.engine.begin() as connection:
            assert list(connection.scalars(sa.text("SELECT conname FROM pg_constraint WHERE NOT convalidated"))) == []
        database.dispose()


def test_an_old_row_that_breaks_a_new_rule_is_said_and_once_mended_the_next_call_goes_through() -> None:
    unsure = sa.text("SELECT conname FROM pg_constraint WHERE NOT convalidated")
    with need.postgres_database() as url:
        migrate.upgrade(url)
        database = Database(url)
        at = {"at": datetime(2026, 11, 25, 9, tzinfo=UTC)}
        with database.engine.begin() as connection:
            connection.execute(sa.text("INSERT INTO verification (at, found, breaches) VALUES (:at, -1, '[]')"), at)
            rule = "ALTER TABLE verification ADD CONSTRAINT ck_verification_found CHECK (found >= 0) NOT VALID"
            connection.execute(sa.text(rule))
        with pytest.raises(sa.exc.IntegrityError, match="ck_verification_found"):
            migrate.upgrade(url)
        with database.engine.begin() as connection:
            assert list(connection.scalars(unsure)) == ["ck_verification_found"]
            connection.execute(sa.text("UPDATE verification SET found = 0"))
        migrate.upgrade(url)
        with database.engine.begin() as connection:
            assert list(connection.scalars(unsure)) == []
        database.dispose()


def test_an_index_that_was_broken_off_is_built_anew_and_the_migration_goes_on() -> None:
    """As after the server's end, or a wait that was too long, in the middle of building it."""
    with need.postgres_database() as url:
        migrate.upgrade(url, "c5a41d70e2b8")
        database = Database(url)
        with database.engine.begin() as connection:
            connection.execute(sa.text("CREATE INDEX ix_activity_case_id ON activity (id)"))
            broken = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_activity_case_id'::regclass"
            connection.execute(sa.text(broken))
        migrate.upgrade(url)
        with database.engine.begin() as connection:
            built = connection.execute(
                sa.text(
                    "SELECT indisvalid, pg_get_indexdef(indexrelid) FROM pg_index"
                    " WHERE indexrelid = 'ix_activity_case_id'::regclass"
                )
            ).one()
        database.dispose()
    wanted = "CREATE INDEX ix_activity_case_id ON public.activity USING btree (case_id) WHERE (case_id IS NOT NULL)"
    assert (built.indisvalid, built[1]) == (True, wanted)
