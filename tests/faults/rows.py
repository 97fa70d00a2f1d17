"""What a shard prints: test, target, figure."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """One line of the table. met: whether the figure is what the target asks for."""

    test: str
    target: str
    figure: str
    met: bool
