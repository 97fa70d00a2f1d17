"""What is sent to the database while something happens: for tests that count."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from backoffice.db import Database


@contextmanager
def sent(db: Database) -> Iterator[list[str]]:
    """Collect the statements that are sent meanwhile, whichever kind of transaction they are in. BEGIN is none."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if not statement.startswith("BEGIN"):
            found.append(statement)

    for engine in db.engines:
        sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        for engine in db.engines:
            sa.event.remove(engine, "before_cursor_execute", note)


def count(db: Database, work: Callable[[], object]) -> int:
    """Return how many statements `work` sends."""
    with sent(db) as found:
        work()
    return len(found)
