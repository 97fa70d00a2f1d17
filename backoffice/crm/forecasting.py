"""The forecast: what customers will probably order, what of it stock and capacity can carry, and what enquiries may bring.

Orders by item and month since its first one are its history; the running month is not over and does not count, cancelled orders
and withdrawn pieces do not either. What could not be sold is no order: it stands beside it (crm.lost_demand).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import pipeline
from backoffice.crm.models import DemandForecast, Lead, Order, OrderLine
from backoffice.db import Database, write_rows
from backoffice.erp import in_time, sources
from backoffice.erp import models as t
from backoffice.erp.company import get_company, local_today
from backoffice.forecast.methods import Expected, class_of, forecast

MONTHS = 3
YEARS = 5  # of history
BATCH = 50
PRICED = ("quote_request", "question", "phone", "refused_day")  # kinds that speak of pieces to buy


@dataclass(frozen=True, slots=True)
class Gap:
    """What of one item is expected until the end of the last month, and what of it can be promised by then."""

    item: t.Item
    months: Sequence[DemandForecast]

    @property
    def last(self) -> DemandForecast:
        """Return the last month."""
        return self.months[-1]

    @property
    def pieces(self) -> int:
        """Return how many pieces cannot be promised in time, in the month in which most are missing."""
        return max(one.until - one.deliverable for one in self.months)

    @property
    def worth_minor(self) -> int:
        """Return what they would bring, by the price of today."""
        return self.pieces * self.item.price_minor


@dataclass(frozen=True, slots=True)
class Deals:
    """Enquiries that are wanted in one month (None: nobody said when), in one currency."""

    month: date | None
    currency: str
    number: int
    value_minor: int
    weighted_minor: int


def month_of(day: date, by: int = 0) -> date:
    """Return the first day of a date's month, or of one so many months later."""
    number = day.year * 12 + day.month - 1 + by
    return date(number // 12, number % 12 + 1, 1)


def histories(session: Session, *, now: datetime) -> Mapping[int, list[int]]:
    """Return item → pieces ordered in each month since its first one, the last whole month last. One statement."""
    today = local_today(get_company(session), now)
    this, zone = month_of(today), ZoneInfo(get_company(session).timezone)
    since = month_of(today, -12 * YEARS)
    edges = [month_of(since, by) for by in range(12 * YEARS + 1)]
    begins = [datetime.combine(one, time(), zone).astimezone(UTC) for one in edges]
    number = sa.case(*((Order.placed_at < end, at) for at, end in enumerate(begins[1:])), else_=len(edges) - 1)
    monthly = (
        sa.select(OrderLine.item_id, number.label("month"), sa.func.sum(OrderLine.quantity - OrderLine.withdrawn))
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.placed_at >= begins[0], Order.placed_at < begins[-1], Order.state != "cancelled")
        .group_by(OrderLine.item_id, number)
        .order_by(OrderLine.item_id, number)
    )
    assert edges[-1] == this
    found: dict[int, list[int]] = {}
    for item_id, month, pieces in session.execute(monthly):
        series = found.get(item_id)
        if series is None:
            series = found[item_id] = [0] * (len(edges) - 1 - int(month))
        series[int(month) - len(edges) + 1] = int(pieces)
    return found


def make(db: Database, *, now: datetime) -> int:
    """Work the forecast of every item on sale out and keep it; return of how many. A transaction for every fifty of them."""
    with db.read() as session:
        known = histories(session, now=now)
        on_sale = sa.select(t.Item.id).where(t.Item.on_sale, t.Item.id.in_(sorted(known))).order_by(t.Item.id)
        ids = list(session.scalars(on_sale))
        first = month_of(local_today(get_company(session), now))
    months = [month_of(first, by) for by in range(1, MONTHS + 1)]
    for start in range(0, len(ids), BATCH):
        expected = {one: forecast(known[one], MONTHS) for one in ids[start : start + BATCH]}
        with db.read() as session:
            rows = [row for one in expected for row in _rows(session, one, known[one], expected[one], months, now)]
        db.run(lambda session, rows=rows: _keep(session, rows))  # type: ignore[misc]  # a default argument binds the loop's value
    db.run(lambda session: session.execute(sa.delete(DemandForecast).where(DemandForecast.made_at < now)))
    return len(ids)


def find_gaps(session: Session, *, most: int = 200) -> Sequence[Gap]:
    """Return items with what is expected of them, those with the dearest gap first. One statement."""
    rows = session.execute(
        sa.select(DemandForecast, t.Item)
        .join(t.Item, t.Item.id == DemandForecast.item_id)
        .order_by(DemandForecast.item_id, DemandForecast.month_on)
    )
    found: dict[t.Item, list[DemandForecast]] = {}
    for row, item in rows:
        found.setdefault(item, []).append(row)
    gaps = [Gap(item, months) for item, months in found.items()]
    return sorted(gaps, key=lambda one: (-one.worth_minor, -one.pieces, -one.last.until, one.item.sku))[:most]


def find_pipeline(session: Session) -> Sequence[Deals]:
    """Return what open enquiries may bring, by month and currency, weighted by their stage. Two statements."""
    deal = _open_deals(pipeline.probabilities(session)).subquery()
    month = sa.extract("year", deal.c.expected_on) * 12 + sa.extract("month", deal.c.expected_on) - 1
    value = deal.c.value_minor
    rows = session.execute(
        sa.select(month, deal.c.currency, sa.func.count(), sa.func.sum(value), sa.func.sum(value * deal.c.percent))
        .group_by(month, deal.c.currency)
        .order_by(month.is_(None), month, deal.c.currency)
    )
    return [
        Deals(None if one is None else date(int(one) // 12, int(one) % 12 + 1, 1), currency, n, int(total), int(weighted) // 100)
        for one, currency, n, total, weighted in rows
    ]


def _open_deals(percents: Mapping[str, int]) -> sa.Select[Any]:
    """Select expected_on, value_minor, currency and percent of every enquiry that may still be won.

    Where its seller wrote down what it may bring and when, that; else an item's price times the quantity asked for, by the day
    that it is needed. percents: stage → how many of a hundred become orders.
    """
    percent = sa.case(*((Lead.stage == stage, share) for stage, share in percents.items()), else_=0)
    asked = sa.case((Lead.kind.in_(PRICED), sa.func.coalesce(Lead.quantity, 1) * t.Item.price_minor))
    value = sa.func.coalesce(Lead.value_minor, asked)
    return (
        sa.select(
            sa.func.coalesce(Lead.expected_on, Lead.needed_by_on).label("expected_on"),
            value.label("value_minor"),
            sa.case((Lead.value_minor.is_not(None), Lead.currency), else_=t.Item.currency).label("currency"),
            percent.label("percent"),
        )
        .join(t.Item, t.Item.sku == Lead.sku, isouter=True)
        .where(Lead.state.in_(("new", "working", "answered")), Lead.outcome == "", value.is_not(None))
    )


def _rows(
    session: Session, item_id: int, history: Sequence[int], expected: Sequence[Expected], months: Sequence[date], now: datetime
) -> list[DemandForecast]:
    item = session.get_one(t.Item, item_id)
    until = [math.ceil(round(one, 6)) for one in accumulate(one.mean for one in expected)]
    anybody = sources.Buyer(get_company(session).country, None)
    found = []
    for month, one, pieces in zip(months, expected, until, strict=True):
        by = month_of(month, 1) - timedelta(days=1)
        can = in_time.most(session, item, pieces, anybody, by=by, now=now) if pieces else 0
        kept = {"mean": one.mean, "low": one.low, "high": one.high, "until": pieces, "deliverable": can}
        found.append(
            DemandForecast(item_id=item_id, month_on=month, method=class_of(history), months=len(history), made_at=now, **kept)
        )
    return found


def _keep(session: Session, rows: Sequence[DemandForecast]) -> None:
    ids = sorted({row.item_id for row in rows})
    session.execute(sa.delete(DemandForecast).where(DemandForecast.item_id.in_(ids)))
    write_rows(session, rows)
