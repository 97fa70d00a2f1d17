"""Migrations: one head, up and down and up again, and the same tables as the models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from backoffice import migrate
from backoffice.db import Database
from backoffice.erp import decisions
from backoffice.tables import metadata
from tests import need


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def blank(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without any table."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path}/blank.db")
        yield database
        database.dispose()
        return
    with need.postgres_database() as url:
        database = Database(url)
        yield database
        database.dispose()


def shape(database: Database) -> dict[str, Any]:
    """Return what a database holds: columns, constraints and indexes of each table, as the server itself writes those."""
    seen = sa.inspect(database.engine)
    written: dict[str, list[str]] = {}
    if not database.is_sqlite:
        with database.engine.connect() as connection:
            rows = connection.execute(
                sa.text("SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 2")
            )
            for table, definition in rows:
                written.setdefault(table, []).append(definition)
    return {
        table: {
            "columns": sorted((c["name"], str(c["type"]), c["nullable"]) for c in seen.get_columns(table)),
            "checks": sorted((str(c["name"]), c["sqltext"]) for c in seen.get_check_constraints(table)),
            "unique": sorted((str(c["name"]), c["column_names"]) for c in seen.get_unique_constraints(table)),
            "foreign": sorted(
                (str(c["name"]), c["constrained_columns"], c["referred_table"], str(c["options"]))
                for c in seen.get_foreign_keys(table)
            ),
            "written": written.get(table, []),
            "indexes": sorted((str(i["name"]), i["column_names"], bool(i["unique"])) for i in seen.get_indexes(table)),
        }
        for table in sorted(seen.get_table_names())
        if table != "alembic_version"
    }


def test_there_is_one_head_and_every_file_name_begins_with_its_date() -> None:
    scripts = ScriptDirectory(str(migrate.MIGRATIONS))
    assert scripts.get_heads() == [migrate.head()]
    for script in scripts.walk_revisions():
        assert Path(script.path).name[:11].replace("_", "").isdigit(), script.path


def test_up_gives_the_models_tables(blank: Database) -> None:
    migrate.upgrade(blank.url)
    with blank.engine.connect() as connection:
        assert migrate.find_revision(connection) == migrate.head()
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "compare_server_default": migrate.compare_default,
                "include_object": migrate.compare_index,
            },
        )
        assert compare_metadata(context, metadata) == []
    migrated = shape(blank)
    assert migrated.keys() == metadata.tables.keys()
    migrate.downgrade(blank.url, "base")
    metadata.create_all(blank.engine)
    assert shape(blank) == migrated  # CHECKs too, which Alembic does not compare


def test_up_and_down_and_up_again(blank: Database) -> None:
    migrate.upgrade(blank.url)
    first = shape(blank)
    migrate.downgrade(blank.url, "base")
    assert shape(blank) == {}
    migrate.upgrade(blank.url)
    assert shape(blank) == first


def test_a_live_carts_lines_survive_a_table_made_anew(blank: Database) -> None:
    """SQLite makes a table anew to give it a constraint; the rows that point to the old one must not go with it."""
    migrate.upgrade(blank.url, "6ef99c6cd30f")
    now = "2026-11-24 08:00:00+00:00" if not blank.is_sqlite else "2026-11-24 08:00:00"
    rows = [  # every value is written here
        "INSERT INTO cart (id, token_hash, version, country, state, created_at, updated_at)"
        " VALUES (7, 'h', 1, 'DE', 'open', 'NOW', 'NOW')",
        "INSERT INTO item (id, sku, name, unit, parts_per_unit, source, sell_from, safety_stock, lot_minimum, lot_multiple,"
        " on_sale, options, position, price_minor, currency, bin)"
        " VALUES (3, 'A', 'A', 'EA', 1, 'none', 'stock', 0, 0, 1, true, '{}', 0, 1, 'EUR', '')",
        "INSERT INTO cart_line (id, cart_id, item_id, quantity, shown_price_minor, added_at) VALUES (1, 7, 3, 2, 1, 'NOW')",
    ]
    with blank.write() as session:
        for row in rows:
            session.execute(sa.text(row.replace("NOW", now.replace(":", r"\:"))))
    migrate.upgrade(blank.url)
    with blank.read() as session:
        assert session.execute(sa.text("SELECT cart_id, quantity FROM cart_line")).all() == [(7, 2)]
        assert session.execute(sa.text("SELECT id, parcels FROM cart")).all() == [(7, "one")]


def test_a_second_upgrade_changes_nothing(blank: Database) -> None:
    migrate.upgrade(blank.url)
    migrate.upgrade(blank.url)
    with blank.engine.connect() as connection:
        assert migrate.find_revision(connection) == migrate.head()


def test_it_works_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "else where 100%"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    migrate.upgrade("sqlite:///here.db")
    database = Database(f"sqlite:///{elsewhere}/here.db")
    with database.engine.connect() as connection:
        assert migrate.find_revision(connection) == migrate.head()
    database.dispose()


def test_the_plan_that_is_there_is_the_first_checkpoint(blank: Database) -> None:
    migrate.upgrade(blank.url, "d4f7a93c1e58")
    columns = "id, number, item_id, quantity, pegged, state, starts_at, ready_at"
    item = (
        "INSERT INTO item (id, sku, name, unit, parts_per_unit, source, sell_from, safety_stock, lot_minimum, lot_multiple,"
        " on_sale, options, position, price_minor, currency, bin)"
        " VALUES (3, 'A', 'A', 'EA', 1, 'make', 'production', 0, 0, 1, true, '{}', 0, 1, 'EUR', '')"
    )
    start, end = (f"2026-11-24 0{hour}:00:00.000000{'' if blank.is_sqlite else '+00'}" for hour in (8, 9))
    orders = [f"({n}, 'MO-{n}', 3, 2, 0, '{state}', '{start}', '{end}')" for n, state in ((5, "planned"), (6, "done"))]
    made = f"INSERT INTO production_order ({columns}) VALUES {', '.join(orders)}"  # noqa: S608 - our own values
    with blank.engine.begin() as connection:
        for statement in (item, made):
            connection.exec_driver_sql(statement)
    migrate.upgrade(blank.url)
    with blank.read() as session:
        number, state = decisions.as_logged(session)
        assert number == 0
        assert state.as_data() == [["order", 5, [3, 2, "planned", None, 1795507200000000, 1795510800000000, None]]]
        assert decisions.as_rows(session) == state


@pytest.mark.postgresql
def test_a_migration_behind_somebody_who_reads_gives_way_and_comes_again() -> None:
    """Whoever waits for a table keeps all waiting who come after it: so it waits for a moment only."""
    with need.postgres_database() as url:
        migrate.upgrade(url, "c47a0e9b52d1")
        engine = sa.create_engine(url)
        reader = engine.connect()
        reader.execute(sa.text("SELECT count(*) FROM outbox_message"))
        gave_way: list[int] = []

        def pause(_seconds: float) -> None:
            with engine.connect() as other:  # what it keeps nobody from
                gave_way.append(other.execute(sa.text("SELECT count(*) FROM outbox_message")).scalar_one())
            if len(gave_way) == 2:
                reader.close()

        migrate.upgrade(url, "f0e3a7c1b254", sleep=pause)
        with engine.connect() as connection:
            assert (migrate.find_revision(connection), gave_way) == ("f0e3a7c1b254", [0, 0])
        engine.dispose()


@pytest.mark.postgresql
def test_a_migration_of_seven_tables_waits_once_for_all_of_them_and_holds_none_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """The money tables: with two of them read, it waited for each in turn while it kept those before."""
    with need.postgres_database() as url:
        migrate.upgrade(url, "e5a1c09d74b3")
        engine = sa.create_engine(url)
        reader = engine.connect()
        reader.execute(sa.text("SELECT count(*) FROM payment"))
        causes: list[str] = []
        together = migrate.lock_together

        def noted(connection: sa.Connection, *tables: str) -> None:
            try:
                together(connection, *tables)
            except sa.exc.OperationalError as error:
                causes.append(str(error.orig.sqlstate))  # type: ignore[union-attr]  # psycopg says it of all that the server refuses
                raise

        monkeypatch.setattr(migrate, "lock_together", noted)
        migrate.downgrade(url, "d0075b1e4a2c", sleep=lambda _seconds: reader.close())
        with engine.connect() as connection:
            assert migrate.find_revision(connection) == "d0075b1e4a2c"
            assert connection.execute(sa.text("SHOW statement_timeout")).scalar_one() == "0"
        assert len(causes) == 1
        assert causes[0] in migrate.GIVES_WAY
        engine.dispose()


@pytest.mark.postgresql
def test_who_may_not_switch_the_trigrams_on_gets_the_tables_without_the_index_of_words() -> None:
    with need.postgres_database() as url:
        database, role = Database(url), f"shopfloor_test_{uuid4().hex[:12]}"

        def words(connection: sa.Connection) -> list[str]:
            found = "SELECT indexname FROM pg_indexes WHERE indexname LIKE '%\\_words' ORDER BY 1"
            return list(connection.scalars(sa.text(found)))

        with database.engine.connect() as connection:
            for statement in (f"CREATE ROLE {role}", f"GRANT USAGE, CREATE ON SCHEMA public TO {role}", f"SET ROLE {role}"):
                connection.execute(sa.text(statement))
            metadata.create_all(connection)
            assert words(connection) == []
            connection.execute(sa.text("RESET ROLE"))
            connection.rollback()
            metadata.create_all(connection)
            assert words(connection) == ["ix_lead_words", "ix_party_words"]
            connection.rollback()
        database.dispose()
