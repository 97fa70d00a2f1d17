"""Small worlds whose year can be worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from backoffice.backtest.world import Luck, Order, World
from backoffice.planning import BomLine, Calendar, Factory, Item, Operation, Stop, WorkCentre

BERLIN = ZoneInfo("Europe/Berlin")
PLANT = Calendar("Europe/Berlin", {day: [(360, 840)] for day in range(5)})  # Monday to Friday, 06:00 to 14:00
MONDAY = date(2026, 3, 2)


def berlin(text: str) -> datetime:
    """Return the instant at which clocks in Berlin show "YYYY-MM-DD HH:MM"."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def world(orders: Sequence[tuple[str, str, int]], *, luck: Luck | None = None, breakdowns: Sequence[Stop] = ()) -> World:
    """Return a world from Monday, 2 March 2026 on: BOARD is an hour at the saw, TABLE the same and a LEG, bought in two days."""
    factory = Factory(
        {"plant": PLANT},
        [Item("LEG", "buy", 2, "plant"), Item("BOARD", "make"), Item("TABLE", "make")],
        {"TABLE": [BomLine("LEG", 1)]},
        {name: [Operation("SAW", minutes_per_unit=Fraction(60))] for name in ("BOARD", "TABLE")},
        [WorkCentre("SAW", "plant")],
        timezone="Europe/Berlin",
    )
    taken = [Order(number, berlin(at), item, quantity) for number, (at, item, quantity) in enumerate(orders, start=1)]
    return World(factory, PLANT, MONDAY, MONDAY, taken, breakdowns=breakdowns, luck=luck or Luck())
