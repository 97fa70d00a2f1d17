"""What recipes are written with, and the parts that several pieces of furniture share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Parts = Mapping[str, int]
Steps = Sequence[tuple[str, int, int]]  # (work centre, minutes to set up, minutes a piece)


@dataclass(frozen=True, slots=True)
class Bought:
    """Something that we buy. parts: smallest units in one counted unit; stock: counted units on the shelf."""

    sku: str
    name: str
    unit: str
    supplier: str
    lead_days: int
    minimum: int
    multiple: int
    price_cents: int
    stock: int
    parts: int = 1


@dataclass(frozen=True, slots=True)
class Made:
    """Something that we make: what goes into one, and the steps."""

    sku: str
    name: str
    parts: Parts
    steps: Steps


Answer = tuple[list[Made], Parts, Steps]  # the sub-assemblies, the parts of one piece, the steps


def drawer(upper: str) -> Made:
    """Return the drawer that desks, tables and chests have, in a wood."""
    return Made(f"DRAWER-{upper}", f"Drawer, {upper.lower()}", {f"BOARD-{upper}": 1, "RUNNER": 1, "GLUE": 30}, [("CNC", 10, 18)])


def panel(wood: str, upper: str) -> Made:
    """Return the glued panel that cases are made of."""
    return Made(
        f"PANEL-{upper}", f"Panel, {wood.lower()}", {f"BOARD-{upper}": 2, "GLUE": 60}, [("SAW", 10, 8), ("SANDING", 5, 6)]
    )
