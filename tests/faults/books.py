"""Every row of a database, copied and put back: what a backup that is a moment old does to a shop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from backoffice.db import Database
from backoffice.tables import metadata

Books = dict[sa.Table, list[dict[str, Any]]]


@contextmanager
def copied(db: Database) -> Iterator[Books]:
    """Copy every row as it is now."""
    with db.engine.connect() as connection:
        yield {table: [dict(row) for row in connection.execute(table.select()).mappings()] for table in metadata.sorted_tables}


def put_back(db: Database, books: Books) -> None:
    """Let the database hold these rows and no other; what processes keep in memory of it is forgotten."""
    with db.engine.connect() as connection, _without_triggers(connection):
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
        for table, rows in books.items():
            if rows:
                connection.execute(table.insert(), rows)
        connection.commit()
    db.kept.clear()


@contextmanager
def _without_triggers(connection: sa.Connection) -> Iterator[None]:
    """Let also go what is written once (papers, the record of changes): a restored database has it from its file."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        yield
        return
    made = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all()
    for name, _ in made:
        connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
    yield
    for _, written in made:
        connection.exec_driver_sql(written)
    connection.commit()
