"""Tables whose rows are written once: the database itself refuses to change or delete them."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

REFUSED = "rows of {table} are written once"


def forbid_changes(table: sa.Table) -> None:
    """Let the database refuse UPDATE and DELETE of a table's rows, from its making on; a migration does the same by hand."""
    for dialect in ("sqlite", "postgresql"):
        for statement in _statements(dialect, table.name):
            ddl = sa.DDL(statement)  # type: ignore[no-untyped-call]  # SQLAlchemy has not typed it
            sa.event.listen(table, "after_create", ddl.execute_if(dialect=dialect))


def _statements(dialect: str, table: str) -> Iterator[str]:
    said = REFUSED.format(table=table)
    if dialect == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            yield f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, '{said}'); END"
        return
    yield (
        f"CREATE OR REPLACE FUNCTION {table}_is_written_once() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{said}' USING ERRCODE = 'restrict_violation'; END $$"
    )
    yield (
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_is_written_once()"
    )
