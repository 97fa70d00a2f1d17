"""How often the first promise is kept, how far off the rest is, and how long the promises are: by month and by basis.

A line counts in the month of its first promised day, once that day is over or its goods have arrived. It is *kept* if they
arrived by then and *broken* if they arrived later or have not left although the day is over. What left and whose arrival
nobody has noted is counted apart, neither kept nor broken. Lines of cancelled orders do not count. The measure is the first
promise, never the newest expected day. So that a longer promise cannot buy a better rate unseen, how many days ahead was
promised stands beside it, and the width: within how many days of the promise the middle 80 in 100 arrived.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal
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
    alike: dict[tuple[date, Basis | None], list[_Alike]] = {}
    for month, basis, *counts in session.execute(_gathered(lines)):
        month_on = date(int(month) // 12, int(month) % 12 + 1, 1)
        for part in (None, basis):
            alike.setdefault((month_on, part), []).append(_Alike(*(None if one is None else int(one) for one in counts)))
    found = [_sum_up(month_on, basis, some) for (month_on, basis), some in alike.items()]
    return sorted(found, key=lambda one: (-one.month.toordinal(), BASES.index(one.basis) + 1 if one.basis else 0))


@dataclass(frozen=True, slots=True)
class _Alike:
    """How many lines of a month and basis are alike in what counts. off: days from promise to arrival; None: not here."""

    off: Any
    lines: Any
    kept: Any
    broken: Any
    promised_days: Any
    margin_days: Any
    by_plan: Any


def _sum_up(month: date, basis: Basis | None, some: Sequence[_Alike]) -> Kept:
    """Add up the lines of a month. Pure: percentiles by nearest rank."""
    kept, broken = sum(one.kept for one in some), sum(one.broken for one in some)
    arrived: dict[int, int] = {}
    for one in some:
        if one.off is not None:
            arrived[one.off] = arrived.get(one.off, 0) + one.lines
    return Kept(
        month,
        basis,
        kept,
        broken,
        unknown=sum(one.lines for one in some) - kept - broken,
        promised_days=sum(one.promised_days for one in some),
        margin_days=sum(one.margin_days for one in some),
        by_plan=sum(one.by_plan for one in some),
        early=_percentile(arrived, 1),
        late=_percentile(arrived, 9),
        earliest=min(arrived, default=None),
        latest=max(arrived, default=None),
    )


def _percentile(arrived: Mapping[int, int], tenths: int) -> int | None:
    """Return the first number of days that so many tenths of what arrived do not pass; nothing arrived: None. Pure."""
    reached, all_of_them = 0, sum(arrived.values())
    for off in sorted(arrived):
        reached += arrived[off]
        if TENTH * reached >= tenths * all_of_them:
            return off
    return None


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


def _gathered(lines: sa.CTE) -> sa.Select[Any]:
    """Count the lines that are alike: some hundred rows, however many lines there are."""
    one = lines.c
    number = sa.func.count()

    def count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.sum(sa.case((condition, 1), else_=0))

    sums = (sa.func.sum(one.ahead), sa.func.sum(one.margin), sa.func.sum(one.by_plan))
    counts = (number, count(one.kept.is_(True)), count(one.kept.is_(False)), *sums)
    return sa.select(one.month, one.basis, one.off, *counts).group_by(one.month, one.basis, one.off)


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
