"""The ledger of lost demand: what visitors asked for in vain, by item and week, beside what is free to cover it.

In words: a visitor counts once for an item and a week, with the most that they could not have. While a week is young its
wishes are rows of their own, so that the same visitor is not counted again by another process; a week after its end they are
added up and the rows go. Whoever left an address ("tell me when") is a lead, and is counted as one. They looked at the page
too: so of those who wait and those who looked in vain the larger counts, not both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from backoffice.crm.models import DemandMark, Lead, LostDemand, Party
from backoffice.crm.telling import STILL_OPEN
from backoffice.db import table_of
from backoffice.erp import models as t
from backoffice.erp.search import fold

WEEKS = 4  # looked back over where nothing else is said
KEPT_WEEKS = 104
LONGEST_WORDS = 60
FEWEST = 2  # visitors who searched for the same, or their words are shown to nobody
PERSONAL = re.compile(r"@|\d(?:\W?\d){5}")  # an address or a number that somebody may be reached by
Wish = tuple[str, str, str]  # sku, words, mark


@dataclass(frozen=True, slots=True)
class Wanted:
    """One visitor's wish, to be counted."""

    week_on: date
    kind: str
    sku: str
    words: str
    mark: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Lost:
    """What of one item was asked for in vain. people, quantity: by kind of wish; waiting: pieces that somebody waits for.

    free: pieces that nobody has and that are here or on their way.
    """

    item: t.Item
    people: Mapping[str, int]
    quantity: Mapping[str, int]
    waiting: int
    waiters: int
    free: int

    @property
    def asked(self) -> int:
        """Return the pieces asked for in vain: a day that was not met is no piece that could not be had."""
        return max(self.waiting, self.quantity.get("viewed", 0) + self.quantity.get("quantity", 0))

    @property
    def uncovered(self) -> int:
        """Return how many of them nothing that is free would cover."""
        return max(0, self.asked - self.free)

    @property
    def worth_minor(self) -> int:
        """Return what those would bring, by the price of today."""
        return self.uncovered * self.item.price_minor


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody who left an address to be told when an item can be had. quantity: None = did not say."""

    lead_id: int
    number: str
    sku: str
    name: str
    quantity: int | None
    needed_by_on: date | None
    created_at: datetime


def week_of(now: datetime) -> date:
    """Return the Monday of an instant's week, UTC."""
    day = now.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())


def words_of(typed: str) -> str:
    """Return words as they are counted, folded and cut; empty if they may name a person or how to reach one."""
    return "" if PERSONAL.search(typed) else fold(typed)[:LONGEST_WORDS].strip()


def record(session: Session, wanted: Iterable[Wanted]) -> None:
    """Count wishes: of the same visitor, item and week the one for the most pieces stays."""
    insert = _insert(session)(table_of(DemandMark))
    counted = insert.on_conflict_do_update(
        index_elements=["week_on", "sku", "words", "mark"],
        set_={"quantity": insert.excluded.quantity, "kind": insert.excluded.kind},
        where=insert.excluded.quantity > DemandMark.quantity,
    )
    rows = sorted(wanted, key=lambda one: (one.week_on, one.sku, one.words, one.mark))  # the order in which rows are locked
    if rows:
        session.execute(counted, [{name: getattr(one, name) for name in Wanted.__slots__} for one in rows])


def add_up(session: Session, *, now: datetime) -> None:
    """Add the wishes of weeks that are over up and forget who they were of; forget what is two years old.

    Words that fewer than two visitors of a week searched for are forgotten with them.
    """
    mark, before = DemandMark, week_of(now) - timedelta(weeks=1)
    people = sa.func.count()
    summed = (
        sa.select(mark.week_on, mark.kind, mark.sku, mark.words, people, sa.func.sum(mark.quantity))
        .where(mark.week_on < before)
        .group_by(mark.week_on, mark.kind, mark.sku, mark.words)
        .having(sa.or_(mark.words == "", people >= FEWEST))
    )
    insert = _insert(session)(table_of(LostDemand)).from_select(["week_on", "kind", "sku", "words", "people", "quantity"], summed)
    session.execute(
        insert.on_conflict_do_update(
            index_elements=["week_on", "kind", "sku", "words"],
            set_={
                "people": LostDemand.people + insert.excluded.people,
                "quantity": LostDemand.quantity + insert.excluded.quantity,
            },
        )
    )
    session.execute(sa.delete(mark).where(mark.week_on < before))
    session.execute(sa.delete(LostDemand).where(LostDemand.week_on < before - timedelta(weeks=KEPT_WEEKS)))


def find_lost(session: Session, *, now: datetime, weeks: int = WEEKS, item_ids: Sequence[int] | None = None) -> Sequence[Lost]:
    """Return the items asked for in vain in the last weeks or still waited for, what nothing covers first. Four statements."""
    counted: dict[str, tuple[dict[str, int], dict[str, int]]] = {}
    found = _counted(now, weeks)
    per_item = sa.select(found.c.sku, found.c.kind, sa.func.sum(found.c.people), sa.func.sum(found.c.quantity))
    for sku, kind, people, quantity in session.execute(per_item.where(found.c.sku != "").group_by(found.c.sku, found.c.kind)):
        in_people, in_pieces = counted.setdefault(sku, ({}, {}))
        in_people[kind], in_pieces[kind] = int(people), int(quantity)
    waits = {sku: (int(pieces), int(people)) for sku, pieces, people in session.execute(_waits())}
    items = sa.select(t.Item).where(t.Item.sku.in_(sorted(counted.keys() | waits.keys())))
    if item_ids is not None:
        items = items.where(t.Item.id.in_(sorted(item_ids)))
    rows = session.scalars(items).all()
    free = free_pieces(session, [one.id for one in rows])
    lost = [Lost(one, *counted.get(one.sku, ({}, {})), *waits.get(one.sku, (0, 0)), free=free.get(one.id, 0)) for one in rows]
    return sorted(lost, key=lambda one: (-one.uncovered, -one.worth_minor, -one.asked, one.item.sku))


def find_weeks(session: Session, *, now: datetime, weeks: int = WEEKS) -> Sequence[tuple[date, str, str, int, int]]:
    """Return week, sku, kind, people and pieces, the newest week first."""
    found = _counted(now, weeks)
    sums = (sa.func.sum(found.c.people), sa.func.sum(found.c.quantity))
    rows = session.execute(
        sa.select(found.c.week_on, found.c.sku, found.c.kind, *sums)
        .where(found.c.sku != "")
        .group_by(found.c.week_on, found.c.sku, found.c.kind)
        .order_by(found.c.week_on.desc(), found.c.sku, found.c.kind)
    )
    return [(week, sku, kind, int(people), int(quantity)) for week, sku, kind, people, quantity in rows]


def find_searches(session: Session, *, now: datetime, weeks: int = WEEKS, most: int = 50) -> Sequence[tuple[str, int]]:
    """Return words that found nothing and how many visitors typed them, the most first; never what only one typed."""
    found = _counted(now, weeks)
    people = sa.func.sum(found.c.people)
    rows = session.execute(
        sa.select(found.c.words, people)
        .where(found.c.kind == "search")
        .group_by(found.c.words)
        .having(people >= FEWEST)
        .order_by(people.desc(), found.c.words)
        .limit(most)
    )
    return [(words, int(number)) for words, number in rows]


def find_waiting(session: Session, *, most: int = 200) -> Sequence[Waiting]:
    """Return who waits for an item, by item and the longest wait first."""
    rows = session.execute(
        sa.select(Lead.id, Lead.number, Lead.sku, Party.name, Lead.quantity, Lead.needed_by_on, Lead.created_at)
        .join(Party, Party.id == Lead.party_id)
        .where(*_is_waiting())
        .order_by(Lead.sku, Lead.created_at, Lead.id)
        .limit(most)
    )
    return [Waiting(*row) for row in rows]


def free_pieces(session: Session, item_ids: Sequence[int]) -> Mapping[int, int]:
    """Return item → pieces that nobody has: on the shelf beyond the safety stock, and to come with orders that are placed."""
    line, made = t.PurchaseOrderLine, t.ProductionOrder
    free: dict[int, int] = dict.fromkeys(item_ids, 0)
    shelf = sa.func.sum(t.Stock.on_hand - t.Stock.allocated - t.Stock.reserved - t.Stock.allotted)
    on_shelf = (
        sa.select(t.Stock.item_id, shelf - sa.func.max(t.Item.safety_stock), sa.literal(0))
        .join(t.Item, t.Item.id == t.Stock.item_id)
        .where(t.Stock.item_id.in_(item_ids))
        .group_by(t.Stock.item_id)
    )
    bought = (
        sa.select(line.item_id, sa.func.sum(line.quantity - line.received - line.pegged), sa.literal(1))
        .join(t.PurchaseOrder, t.PurchaseOrder.id == line.purchase_order_id)
        .where(line.item_id.in_(item_ids), t.PurchaseOrder.state.in_(("proposed", "ordered")))
        .group_by(line.item_id)
    )
    own = (
        sa.select(made.item_id, sa.func.sum(made.quantity - made.pegged), sa.literal(2))
        .where(made.item_id.in_(item_ids), made.state == "planned")
        .group_by(made.item_id)
    )
    for item_id, pieces, _source in session.execute(sa.union_all(on_shelf, bought, own)):
        free[item_id] += max(0, int(pieces))
    return free


def _counted(now: datetime, weeks: int) -> sa.Subquery:
    """Select what was counted since so many weeks, added up or not."""
    mark, since = DemandMark, week_of(now) - timedelta(weeks=weeks - 1)
    young = (
        sa.select(
            mark.week_on,
            mark.kind,
            mark.sku,
            mark.words,
            sa.func.count().label("people"),
            sa.func.sum(mark.quantity).label("quantity"),
        )
        .where(mark.week_on >= since)
        .group_by(mark.week_on, mark.kind, mark.sku, mark.words)
    )
    old = LostDemand
    added_up = sa.select(old.week_on, old.kind, old.sku, old.words, old.people, old.quantity).where(old.week_on >= since)
    return sa.union_all(young, added_up).subquery()


def _waits() -> sa.Select[str, int, int]:
    pieces = sa.func.sum(sa.func.coalesce(Lead.quantity, 1))
    people = sa.func.count(sa.distinct(Lead.party_id))
    return sa.select(Lead.sku, pieces, people).where(*_is_waiting()).group_by(Lead.sku)


def _is_waiting() -> tuple[sa.ColumnElement[bool], ...]:
    return (Lead.kind == "tell_me", Lead.state.in_(STILL_OPEN), Lead.sku != "")


def _insert(session: Session) -> Any:
    return postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
