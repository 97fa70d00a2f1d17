"""Shard `doors` (S2, S5, S9, S10): guessed links, told-apart accounts, bots, tries at one moment."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench import doors
from tests.faults.rows import Row


def rows() -> Iterator[Row]:
    """Yield the figures of each test."""
    for tried in doors.attack():
        yield Row(*tried)
