"""Bring the database to the program's tables, from any folder."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


@lru_cache(maxsize=1)
def head() -> str:
    """Return the newest revision of the migrations folder."""
    from alembic.script import ScriptDirectory

    newest = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    if newest is None:
        raise RuntimeError(f"no migrations in {MIGRATIONS}")
    return newest


def find_revision(connection: sa.Connection) -> str | None:
    """Return the revision that the database is at, or None for a database without migrations."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def config(url: str) -> Config:
    """Return Alembic's configuration for a database address."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    made.attributes["url"] = url
    return made


def upgrade(url: str, revision: str = "head") -> None:
    """Apply what is missing, each migration in one transaction. Two callers at once: the second finds it done."""
    from alembic import command

    command.upgrade(config(url), revision)


def downgrade(url: str, revision: str) -> None:
    """Take migrations back, down to `revision` ("base" = all)."""
    from alembic import command

    command.downgrade(config(url), revision)
