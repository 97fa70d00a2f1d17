"""Migrations: one head, up and down and up again, and the same tables as the models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from backoffice import migrate
from backoffice.db import Database
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
    """Return what a database holds: columns, constraints and indexes of each table."""
    seen = sa.inspect(database.engine)
    return {
        table: {
            "columns": [(c["name"], str(c["type"]), c["nullable"]) for c in seen.get_columns(table)],
            "checks": sorted((str(c["name"]), c["sqltext"]) for c in seen.get_check_constraints(table)),
            "unique": sorted((str(c["name"]), c["column_names"]) for c in seen.get_unique_constraints(table)),
            "foreign": sorted(
                (str(c["name"]), c["constrained_columns"], c["referred_table"], str(c["options"]))
                for c in seen.get_foreign_keys(table)
            ),
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
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
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
