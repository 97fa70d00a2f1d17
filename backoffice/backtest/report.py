"""What the methods were worth: how often in time, how many days named, how far off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from math import ceil

from backoffice.backtest.simulate import Record
from backoffice.backtest.world import World

MOST_DAYS = 400
"""Open days up to which a margin is looked for."""


@dataclass(frozen=True, slots=True)
class Row:
    """A method's year. Days are calendar days; `days` is the margin or lead time in open days where it is one number.

    on_time: share of orders ready by the day first named. promised: mean days from order to that day. width: mean and 90th
    percentile of how far the day was off, to either side. early: mean days that orders were ready before it.
    """

    method: str
    orders: int
    on_time: float
    promised: float
    width: float
    width_p90: int
    early: float
    days: int | None = None


def rows(world: World, records: Sequence[Record]) -> list[Row]:
    """Return a row per method over the orders that count, then what others need to be in time as often as this engine.

    The latter are chosen with hindsight, which no shop has: the smallest number of open days for the whole year.
    """
    counted = [record for record in records if record.ordered_on >= world.first]
    if not counted:
        return []
    engine = _row("this engine", counted, lambda record: record.engine_promised)
    return [
        engine,
        _row("a static lead time, learnt", counted, lambda record: record.static_promised),
        _row("infinite capacity", counted, lambda record: record.infinite_on),
        _row("this engine without its margin", counted, lambda record: record.engine_on),
        _as_often(world, "a static lead time, same rate", counted, lambda record: record.ordered_on, engine.on_time),
        _as_often(world, "infinite capacity, same rate", counted, lambda record: record.infinite_on, engine.on_time),
    ]


def table(found: Sequence[Row]) -> str:
    """Return the rows as text."""
    head = f"{'method':32} {'in time':>8} {'days named':>11} {'off by':>7} {'p90':>4} {'early by':>9}  open days"
    return "\n".join([head, *map(_line, found)])


def as_json(found: Sequence[Row]) -> list[dict[str, object]]:
    """Return the rows as plain data."""
    return [asdict(row) for row in found]


def _line(row: Row) -> str:
    days = "" if row.days is None else str(row.days)
    text = f"{row.method:32} {row.on_time:8.2%} {row.promised:11.1f} {row.width:7.1f} {row.width_p90:4d} {row.early:9.1f}  {days}"
    return text.rstrip()


def _as_often(world: World, method: str, records: Sequence[Record], guess: Callable[[Record], date], rate: float) -> Row:
    """Return the row of the fewest open days after `guess` that are in time as often as `rate`; the share grows with them."""

    def row(days: int) -> Row:
        return _row(method, records, lambda record: world.plant.add_open_days(guess(record), days) or date.max, days)

    low, high = 0, MOST_DAYS
    while low < high:
        middle = (low + high) // 2
        if row(middle).on_time >= rate:
            high = middle
        else:
            low = middle + 1
    return row(low)


def _row(method: str, records: Sequence[Record], promised: Callable[[Record], date], days: int | None = None) -> Row:
    named = [promised(record) for record in records]
    off = [(actual_day(record) - day).days for record, day in zip(records, named, strict=True)]
    count = len(records)
    widths = sorted(map(abs, off))
    return Row(
        method,
        count,
        round(sum(late <= 0 for late in off) / count, 4),
        round(sum((day - record.ordered_on).days for record, day in zip(records, named, strict=True)) / count, 2),
        round(sum(widths) / count, 2),
        widths[ceil(0.9 * count) - 1],
        round(sum(max(0, -late) for late in off) / count, 2),
        days,
    )


def actual_day(record: Record) -> date:
    """Return the day an order was ready; every order is, at the end."""
    assert record.actual_on is not None
    return record.actual_on
