"""How often the first promise is kept, how far off the rest is, and how long the promises are: by month and by basis.

A line counts in the month of its first promised day, once that day is over or its goods have arrived. It is *kept* if they
arrived by then and *broken* if they arrived later or have not left although the day is over. What left and whose arrival
nobody has noted is counted apart, neither kept nor broken. Lines of cancelled orders do not count. The measure is the first
promise, never the newest expected day. So that a longer promise cannot buy a better rate unseen, how many days ahead was
promised stands beside it, and the width: within how many days of the promise the middle 80 in 100 arrived.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm.models import Order, OrderLine
from backoffice.erp.company import get_company

Basis = Literal["stock", "incoming", "production"]
BASES: tuple[Basis, ...] = ("stock", "incoming", "production")
TENTH = 10  # percentiles are counted in tenths: of n lines the 10th is the first that at least n/10 do not pass
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Kept:
    """A month's promises of one basis. month: its first day; basis: None = all of them together.

    early, late: days from the promise (negative: before it) between which the middle 80 in 100 of what arrived came, by
    nearest rank; None if nothing arrived. earliest, latest: the same of all. promised_days: sum over all lines of the days
    from order to first promised day; margin_days: those of them that were added to the plan's own day. by_plan: how many
    arrived by that.
    """

    month: date
    basis: Basis | None
    kept: int
    broken: int
    unknown: int
    promised_days: int
    margin_days: int
    by_plan: int
    early: int | None
    late: int | None
    earliest: int | None
    latest: int | None

    @property
    def rate(self) -> float | None:
        """Return kept of kept and broken; None while there is neither."""
        judged = self.kept + self.broken
        return self.kept / judged if judged else None

    @property
    def mean_days(self) -> float | None:
        """Return the mean of days from order to first promised day; None without a line."""
        lines = self.kept + self.broken + self.unknown
        return self.promised_days / lines if lines else None

    @property
    def mean_margin(self) -> float | None:
        """Return the mean of days that were added to the plan's own; None without a line."""
        lines = self.kept + self.broken + self.unknown
        return self.margin_days / lines if lines else None

    @property
    def plan_rate(self) -> float | None:
        """Return what the rate had been if the plan's own days had been promised; None while nothing can be judged."""
        judged = self.kept + self.broken
        return self.by_plan / judged if judged else None

    @property
    def width(self) -> int | None:
        """Return within how many days the middle 80 in 100 arrived; 0 = all of them equally far from their promise."""
        return None if self.early is None or self.late is None else self.late - self.early


def find_kept(session: Session, first: date, last: date, *, today: date) -> Sequence[Kept]:
    """Return the months from that of `first` to that of `last`, the newest first, in each all together, then each basis.

    A basis without a line that counts is left out, and so is a month. today: the company's date.
    """
    zone = ZoneInfo(get_company(session).timezone)
    lines = _lines(first.replace(day=1), _next_month(last) - timedelta(days=1), today, zone)
    rows = [*session.execute(_summed(lines, by_basis=False)), *session.execute(_summed(lines, by_basis=True))]
    found = [Kept(date(int(row.month) // 12, int(row.month) % 12 + 1, 1), *_values(row)) for row in rows]
    return sorted(found, key=lambda one: (-one.month.toordinal(), BASES.index(one.basis) + 1 if one.basis else 0))


def _values(row: sa.Row[Any]) -> tuple[Any, ...]:
    basis = cast(Basis, row.basis) or None
    sums = (row.kept, row.broken, row.unknown, row.promised_days, row.margin_days, row.by_plan)
    spread = (row.early, row.late, row.earliest, row.latest)
    return basis, *(int(one) for one in sums), *(None if one is None else int(one) for one in spread)


def _lines(first: date, last: date, today: date, zone: ZoneInfo) -> sa.CTE:
    """Select every line that counts: month, basis, off (days from promise to arrival), ahead (days from order to promise)."""
    line, gone = OrderLine, Order.state.in_(("shipped", "delivered"))
    planned_on = sa.func.coalesce(line.earliest_on, line.promised_on)
    here = line.actual_on.is_not(None)
    basis = sa.case((line.basis == "stock", "stock"), (line.basis == "receipt", "incoming"), else_="production")
    return (
        sa.select(
            (sa.extract("year", line.promised_on) * 12 + sa.extract("month", line.promised_on) - 1).label("month"),
            basis.label("basis"),
            sa.case((here, _day_number(line.actual_on) - _day_number(line.promised_on))).label("off"),
            sa.case((here, line.actual_on <= line.promised_on), (gone, sa.null()), else_=sa.false()).label("kept"),
            sa.case((sa.and_(here, line.actual_on <= planned_on), 1), else_=0).label("by_plan"),
            (_day_number(line.promised_on) - _day_number(planned_on)).label("margin"),
            (_day_number(line.promised_on) - _local_day_number(Order.placed_at, first, last, zone)).label("ahead"),
        )
        .join(Order, Order.id == line.order_id)
        .where(line.promised_on.between(first, last), Order.state != "cancelled", sa.or_(here, line.promised_on < today))
        .cte("counted")
    )


def _summed(lines: sa.CTE, *, by_basis: bool) -> sa.Select[Any]:
    groups = [lines.c.month, lines.c.basis] if by_basis else [lines.c.month]
    arrived = sa.func.count(lines.c.off).over(partition_by=groups)
    # how many arrived no later than this one: its peers included, as RANGE is what a window means by itself
    reached = sa.func.count(lines.c.off).over(partition_by=groups, order_by=sa.func.coalesce(lines.c.off, 1_000_000))
    ranked = sa.select(lines, arrived.label("arrived"), reached.label("reached")).subquery()
    one, off = ranked.c, ranked.c.off

    def count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.sum(sa.case((condition, 1), else_=0))

    def percentile(tenths: int) -> sa.ColumnElement[int]:
        return sa.func.min(sa.case((TENTH * one.reached >= tenths * one.arrived, off)))

    return sa.select(
        one.month,
        (one.basis if by_basis else sa.literal("")).label("basis"),
        count(one.kept.is_(True)).label("kept"),
        count(one.kept.is_(False)).label("broken"),
        count(one.kept.is_(None)).label("unknown"),
        sa.func.sum(one.ahead).label("promised_days"),
        sa.func.sum(one.margin).label("margin_days"),
        sa.func.sum(one.by_plan).label("by_plan"),
        percentile(1).label("early"),
        percentile(9).label("late"),
        sa.func.min(off).label("earliest"),
        sa.func.max(off).label("latest"),
    ).group_by(one.month, *([one.basis] if by_basis else []))


def _day_number(column: Any) -> sa.ColumnElement[int]:
    """Return a date as days since 1970, on both databases."""
    return sa.cast(sa.extract("epoch", column), sa.BigInteger) // _DAY


def _local_day_number(column: Any, first: date, last: date, zone: ZoneInfo) -> sa.ColumnElement[int]:
    """Return the day of an instant where the company is, as days since 1970: databases know no common way to say a zone."""
    low = datetime.combine(first, time(), UTC) - timedelta(days=730)  # an order for a day of these may be that old
    offsets = _offsets(zone, low, datetime.combine(last, time(), UTC) + timedelta(days=2))
    shift = sa.case(*((column < until, seconds) for until, seconds in offsets[:-1]), else_=offsets[-1][1])
    if len(offsets) == 1:
        shift = sa.literal(offsets[0][1])  # type: ignore[assignment] # a plain number adds up like a CASE of numbers
    seconds = sa.cast(sa.extract("epoch", column) * 1_000_000, sa.BigInteger) // 1_000_000  # cut, where a cast would round
    return (seconds + shift) // _DAY


def _offsets(zone: ZoneInfo, low: datetime, high: datetime) -> list[tuple[datetime, int]]:
    """Return (until, seconds east of UTC) for each stretch between two changes of the clocks; changes fall on quarter hours."""
    found: list[tuple[datetime, int]] = []
    at = low
    while at < high:
        after = at + timedelta(days=1)
        if _offset(after, zone) != _offset(at, zone):
            change = next(
                at + timedelta(minutes=15 * n)
                for n in range(97)
                if _offset(at + timedelta(minutes=15 * n), zone) != _offset(at, zone)
            )
            found.append((change, _offset(at, zone)))
        at = after
    return [*found, (high, _offset(high, zone))]


def _offset(at: datetime, zone: ZoneInfo) -> int:
    offset = at.astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset else 0


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
