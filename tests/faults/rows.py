"""What a shard prints: test, target, figure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from backoffice import verify
from backoffice.db import Database


class Row(NamedTuple):
    """One line of the table. met: whether the figure is what the target asks for."""

    test: str
    target: str
    figure: str
    met: bool


def adds_up(url: str, name: str) -> Row:
    """Check every rule of `shopfloor verify` over a database that was attacked, and print the first breaches."""
    found = breaches_in(url)
    for line in found[:5]:
        print("   ", line)
    return Row(f"{name}: verify", "0 breaches", f"{len(found)} breaches", not found)


def breaches_in(url: str) -> list[str]:
    """Return what `shopfloor verify` finds in a database, a line for each."""
    db = Database(url)
    try:
        with db.read() as session:
            return [str(one) for one in verify.breaches(session, now=datetime.now(UTC))]
    finally:
        db.dispose()
