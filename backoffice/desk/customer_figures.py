"""What a customer is worth to us, how we kept our word to them, and what they may want next: each with where it comes from.

What they may want next is no guess of a machine. Their own rhythm: an item that they bought at least three times, the middle
of the days between, counted on from the last time. And others': of the last customers who bought what they bought last, how
many bought which item in a later order. Fewer than three of them say nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import median_low

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from backoffice.crm.models import Order, OrderLine
from backoffice.erp.company import get_company
from backoffice.payments.models import Payment
from backoffice.wording import day_in

LINES = 500  # of their newest, for their rhythm
OTHERS = 200  # the last customers that are looked at
FEWEST = 3


@dataclass(frozen=True, slots=True)
class Worth:
    """Their orders that stand, what was paid for them less what went back, in one currency."""

    currency: str
    orders: int
    total_minor: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Again:
    """An item that they buy about every so many days, and when that would be next."""

    name: str
    times: int
    days: int
    next_on: date


@dataclass(frozen=True, slots=True)
class Others:
    """So many of those who also bought `bought` bought `name` later."""

    bought: str
    name: str
    some: int
    of: int


@dataclass(frozen=True, slots=True)
class Figures:
    """kept, broken: promised days of theirs that were and were not kept."""

    worth: Sequence[Worth]
    kept: int
    broken: int
    again: Again | None
    others: Others | None


def find_figures(session: Session, party_ids: Sequence[int], *, now: datetime) -> Figures:
    """Return the figures of these people together."""
    theirs = Order.party_id.in_(party_ids), Order.state != "cancelled"
    sums = (
        sa.select(Order.currency, sa.func.count(), sa.func.sum(Order.total_minor - Payment.refunded_minor), sa.func.max(Order.id))
        .join(Payment, Payment.id == Order.payment_id)
        .where(*theirs)
        .group_by(Order.currency)
        .order_by(Order.currency)
    )
    worth = [
        Worth(currency, count, int(total), session.get_one(Order, newest).placed_at)
        for currency, count, total, newest in session.execute(sums)
    ]
    today = day_in(get_company(session).timezone, now)
    in_time = sa.func.count(sa.case((OrderLine.actual_on <= OrderLine.promised_on, 1)))
    late = sa.or_(
        OrderLine.actual_on > OrderLine.promised_on, sa.and_(OrderLine.actual_on.is_(None), OrderLine.promised_on < today)
    )
    lines = sa.select(in_time, sa.func.count(sa.case((late, 1)))).join(Order, Order.id == OrderLine.order_id)
    kept, broken = session.execute(lines.where(*theirs)).one()
    return Figures(worth, kept, broken, *_next(session, party_ids, today))


def _next(session: Session, party_ids: Sequence[int], today: date) -> tuple[Again | None, Others | None]:
    newest = (
        sa.select(OrderLine.item_id, OrderLine.name, Order.placed_at, Order.id)
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.party_id.in_(party_ids), Order.state != "cancelled")
        .order_by(Order.id.desc(), OrderLine.id)
        .limit(LINES)
    )
    rows = session.execute(newest).all()
    if not rows:
        return None, None
    bought: dict[int, list[date]] = defaultdict(list)
    for item_id, _name, placed_at, _order in reversed(rows):
        bought[item_id].append(day_in(get_company(session).timezone, placed_at))
    names = {row.item_id: row.name for row in reversed(rows)}
    return _rhythm(bought, names, today), _others(session, party_ids, rows[0].item_id, rows[0].name, set(bought))


def _rhythm(bought: dict[int, list[date]], names: dict[int, str], today: date) -> Again | None:
    """Return the item of theirs whose time comes next, or came last."""
    found = []
    for item_id, on in bought.items():
        days = sorted(set(on))
        if len(days) >= FEWEST:
            between = median_low([(later - sooner).days for sooner, later in pairwise(days)])
            found.append(Again(names[item_id], len(days), between, days[-1] + timedelta(days=between)))
    return min(found, key=lambda one: (abs(one.next_on - today), one.name), default=None)


def _others(session: Session, party_ids: Sequence[int], item_id: int, name: str, known: set[int]) -> Others | None:
    first = (
        sa.select(Order.party_id, sa.func.min(Order.id).label("order_id"))
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(OrderLine.item_id == item_id, Order.state != "cancelled", Order.party_id.not_in(party_ids))
        .group_by(Order.party_id)
        .order_by(sa.func.min(Order.id).desc())
        .limit(OTHERS)
        .subquery()
    )
    of = session.scalar(sa.select(sa.func.count()).select_from(first)) or 0
    later, line = aliased(Order), aliased(OrderLine)
    people = sa.func.count(sa.distinct(later.party_id))
    rows = (
        sa.select(sa.func.max(line.name), people)
        .select_from(first)
        .join(later, sa.and_(later.party_id == first.c.party_id, later.id > first.c.order_id, later.state != "cancelled"))
        .join(line, line.order_id == later.id)
        .where(line.item_id.not_in(known))
        .group_by(line.item_id)
        .order_by(people.desc(), line.item_id)
        .limit(1)
    )
    best = session.execute(rows).one_or_none()
    return Others(name, best[0], best[1], of) if best is not None and best[1] >= FEWEST else None
