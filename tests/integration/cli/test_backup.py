"""A backup is whole, private, and of a known state; it comes back where nothing is lost by it, or where that was said."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from backoffice import migrate
from backoffice.backup import engines
from backoffice.cli import main
from backoffice.db import Database
from backoffice.erp.models import Item
from tests.company import open_company
from tests.conftest import NOW, empty
from tests.need import postgres_programs


@pytest.fixture
def shop(db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A database with a company in it, at this program's tables, and the settings that name it."""
    return fill(db, tmp_path, monkeypatch)


@pytest.fixture
def postgres_shop(postgres_db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The same, on PostgreSQL."""
    return fill(postgres_db, tmp_path, monkeypatch)


def fill(db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Write the company, and let the settings name this database."""

    def work(session: sa.orm.Session) -> None:
        open_company(session, now=NOW)
        session.execute(sa.text("CREATE TABLE IF NOT EXISTS alembic_version (version_num TEXT)"))
        session.execute(sa.text("DELETE FROM alembic_version"))
        session.execute(sa.text("INSERT INTO alembic_version VALUES (:head)"), {"head": migrate.head()})

    db.run(work)
    monkeypatch.setenv("SHOPFLOOR_DATABASE_URL", db.url)
    monkeypatch.setenv("SHOPFLOOR_VAR_DIR", str(tmp_path / "var"))
    if not db.is_sqlite:
        monkeypatch.setenv("PATH", postgres_programs(db.url), prepend=":")
    return db


def run(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def rename(db: Database, name: str) -> None:
    db.run(lambda session: session.execute(sa.update(Item).where(Item.sku == "STOOL").values(name=name)))


def name(db: Database) -> str | None:
    db.dispose()
    with db.read() as session:
        return session.scalar(sa.select(Item.name).where(Item.sku == "STOOL"))


def test_there_and_back(shop: Database, tmp_path: Path) -> None:
    rename(shop, "Before")
    file = tmp_path / "copy"
    done = run("backup", str(file))
    assert (done.exit_code, done.output.startswith(str(file))) == (0, True)
    rename(shop, "After")
    refused = run("restore", str(file))
    assert (refused.exit_code, "not empty" in refused.output, name(shop)) == (1, True, "After")
    back = run("restore", "--replace", str(file))
    assert back.exit_code == 0, back.output
    assert name(shop) == "Before"
    rename(shop, "It can be written")
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("copy*")} == {0o600}
    assert not list(tmp_path.glob(".copy*"))


@pytest.mark.postgresql
def test_a_restore_that_breaks_gives_everything_back(
    postgres_shop: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, file, real = postgres_shop, tmp_path / "copy", engines._Postgresql._run
    rename(shop, "Before")
    assert run("backup", str(file)).exit_code == 0
    rename(shop, "After")

    def broken(engine: engines._Postgresql, *command: str) -> None:
        if "-d" in command:
            raise engines.BackupError("pg_restore failed: the disk is full")
        real(engine, *command)

    monkeypatch.setattr(engines._Postgresql, "_run", broken)
    refused = run("restore", "--replace", str(file))
    assert (refused.exit_code, "the disk is full" in refused.output, name(shop)) == (1, True, "After")
    words = sa.text("SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_lead_words' AND schemaname = 'public'")
    with shop.read() as session:
        assert "gin_trgm_ops" in str(session.scalar(words))
    monkeypatch.setattr(engines._Postgresql, "_run", real)
    assert run("restore", "--replace", str(file)).exit_code == 0
    assert name(shop) == "Before"


def test_the_last_one_is_noted_and_none_is_overwritten(shop: Database, tmp_path: Path) -> None:
    assert "backup_old" in run("check", "--deploy").output
    assert run("backup", str(tmp_path / "copy")).exit_code == 0
    again = run("backup", str(tmp_path / "copy"))
    assert (again.exit_code, "there already" in again.output) == (1, True)
    assert "backup_old" not in run("check", "--deploy").output
    noted = json.loads((tmp_path / "var/backups/last.json").read_text())
    assert (noted["file"], noted["schema"], noted["bytes"]) == (
        str(tmp_path / "copy"),
        migrate.head(),
        (tmp_path / "copy").stat().st_size,
    )


def _shortened(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def _unknown(file: Path) -> None:
    file.with_name("copy.json").unlink()


def _of_tomorrow(file: Path) -> None:
    record = file.with_name("copy.json")
    record.write_text(json.dumps(json.loads(record.read_text()) | {"schema": "feedfeedfeed"}))


def _of_another_kind(file: Path) -> None:
    record = file.with_name("copy.json")
    record.write_text(json.dumps(json.loads(record.read_text()) | {"kind": "another"}))


@pytest.mark.parametrize("spoil", [_shortened, _unknown, _of_tomorrow, _of_another_kind])
def test_what_is_not_whole_or_not_ours_is_refused_and_changes_nothing(
    shop: Database, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    assert run("backup", str(tmp_path / "copy")).exit_code == 0
    rename(shop, "After")
    spoil(tmp_path / "copy")
    done = run("restore", "--replace", str(tmp_path / "copy"))
    assert (done.exit_code, done.output[:6], name(shop)) == (1, "Error:", "After")


def test_a_place_that_cannot_be_written_to_is_told_of(shop: Database, tmp_path: Path) -> None:
    done = run("backup", str(tmp_path / "nowhere" / "copy"))
    assert (done.exit_code, "cannot be written" in done.output) == (1, True)


def test_nothing_to_rebuild_where_payments_are_a_sandbox(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPFLOOR_SECRET_KEY", "a key for tests only, 32 letters!")
    done = run("rebuild-orders")
    assert (done.exit_code, "Nothing was paid" in done.output) == (0, True)


@pytest.fixture(autouse=True)
def tables_again(request: pytest.FixtureRequest) -> object:
    """Leave the server's tables to the next test without the one that these make."""
    yield
    if "postgres_url" in request.fixturenames:
        empty(request.getfixturevalue("postgres_url"))
