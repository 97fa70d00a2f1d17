"""What is free right now, read for just the items that a question can touch, as a plan for the planning core.

Whose minutes and goods count: placed orders always; holds only while they live; the asker's own holds never, so that a
buyer does not compete with themselves.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Literal, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.db import among, is_reading, table_of
from backoffice.erp import bookings, claiming, decisions, lots
from backoffice.erp import factory as masters
from backoffice.erp import models as t
from backoffice.erp.classes import RETAIL
from backoffice.erp.company import get_company, get_warehouse, local_today
from backoffice.planning.model import Booking, Supply
from backoffice.planning.outcome import Outcome
from backoffice.planning.plan import Plan, SellFrom, ShipsOn

# what a supply is called in the plan:
# ("stock", warehouse) | ("lot", stock lot) | ("kept", allotment) | ("po", purchase order line) | ("mo", order)
SupplyKey = tuple[Literal["stock", "lot", "kept", "po", "mo"], int]
Back = Counter[tuple[str, int, int]]  # (kind, supply, item) → pegged by reservations that do not count


_NOW, _OWN = sa.bindparam("now", type_=t.Reservation.expires_at.type), sa.bindparam("own", type_=sa.Text)


def ignored(now: datetime | sa.BindParameter[datetime], own: str | sa.BindParameter[str] | None) -> sa.ColumnElement[bool]:
    """Return the condition for reservations that do not count for this asker: expired holds, and their own."""
    conditions = [sa.and_(t.Reservation.state == "held", t.Reservation.expires_at <= now)]
    if own is not None:
        conditions.append(sa.and_(t.Reservation.owner_ref == own, t.Reservation.state.in_(["held", "paying"])))
    return sa.or_(*conditions)


def load(
    session: Session,
    item_ids: Iterable[int],
    *,
    now: datetime,
    own: str | None = None,
    customer_class: str = RETAIL,
    sell_from: SellFrom = "production",
    reclaimed: bool = False,
    from_log: bool = False,
    ships_on: ShipsOn | None = None,
) -> Plan:
    """Return the plan as it stands at the works for questions about `item_ids`, with what is kept for the asker's class.

    reclaimed: the asker has just released every expired hold on them and every one that keeps minutes, and has none of their own.
    from_log: what is booked is known from the log, as it is to whoever only reads; a commit on it asks `are_free` first.
    ships_on: for goods that expire, the day on which what is ready at an instant must still be good.

    sell_from: what may answer them, so that no more is read: stock; incoming = stock and receipts; production = also all
    their components and the work centres.
    """
    master = masters.load(session, now=now)
    made = sell_from == "production"
    items = sorted(master.below(item_ids) if made else set(item_ids))
    back, not_counted = (Back(), set[int]()) if reclaimed else _given_back(session, items, now=now, own=own)
    kept = _Kept(session, items, back, customer_class, now)
    works = get_warehouse(session).id
    supplies = _free(session, _SHELF if sell_from == "stock" else _SUPPLIES, items, back, kept, now, warehouse=works)
    given = claiming.claims(session, items, works, ignored(now, own), receipts=sell_from != "stock", now=now)
    if not made:
        return Plan(master.factory, now, supplies, (), ships_on, claims=given, flat=True)
    centres = master.centres(items)
    if from_log or is_reading(session):
        booked = bookings.at(session, master.factory, centres, not_counted, now=now)
        return Plan(master.factory, now, supplies, (), ships_on, booked=booked, claims=given, flat=True)
    return Plan(master.factory, now, supplies, _bookings(session, centres, now=now, own=own), ships_on, claims=given, flat=True)


def prepare(session: Session, item_ids: Iterable[int] | None, *, now: datetime) -> None:
    """Make ready what `load` keeps in memory for questions about these items (None: about any), where it is not yet."""
    master = masters.load(session, now=now)
    centres = master.factory.centre_by.keys() if item_ids is None else master.centres(master.below(item_ids))
    bookings.prepare(session, master.factory, [cast(int, one) for one in centres], now=now)


def load_shelf(
    session: Session,
    item_ids: Iterable[int],
    warehouse_id: int,
    *,
    now: datetime,
    own: str | None = None,
    customer_class: str = RETAIL,
    ships_on: ShipsOn | None = None,
) -> Plan:
    """Return a plan of nothing but what stands ready of `item_ids` in one warehouse. ships_on: as for `load`."""
    items = sorted(set(item_ids))
    back, _ = _given_back(session, items, now=now, own=own)
    kept = _Kept(session, items, back, customer_class, now)
    lying = _free(session, _SHELF, items, back, kept, now, warehouse=warehouse_id)
    given = claiming.claims(session, items, warehouse_id, ignored(now, own), receipts=False, now=now)
    return Plan(masters.load(session, now=now).factory, now, lying, (), ships_on, claims=given, flat=True)


def free_without(session: Session, item_ids: Iterable[int], reservation_ids: Iterable[int], *, now: datetime) -> list[Supply]:
    """Return what would be free of exactly these items, in every warehouse, if these reservations had nothing any more.

    Of what is kept for a class of customers, that of every class.
    """
    items, without = sorted(set(item_ids)), set(reservation_ids)
    back, _ = _given_back(session, items, now=now, own=None, without=without)
    return _free(session, _SUPPLIES, items, back, _Kept(session, items, back, None, now), now, without=without)


@cache
def _pegged(own: bool, without: bool) -> sa.Select[Any]:
    """Return the statement for the reservations that do not count, with what they have of some items."""
    not_counted = ignored(_NOW, _OWN if own else None)
    if without:
        not_counted = sa.or_(not_counted, among(t.Reservation.id, "without"))
    peg = table_of(t.Peg).c
    own_key = sa.func.coalesce(peg.allotment_id, peg.lot_id)
    supply = (own_key, peg.warehouse_id, peg.purchase_order_line_id, peg.supply_order_id)
    kind = sa.case((peg.allotment_id.is_not(None), "kept"), (peg.lot_id.is_not(None), "lot"), else_=peg.kind)
    pegged = sa.and_(peg.reservation_id == t.Reservation.id, among(peg.item_id, "item_ids"), peg.used.is_(False))
    return sa.select(t.Reservation.id, kind, *supply, peg.item_id, peg.quantity).outerjoin(t.Peg, pegged).where(not_counted)


def _given_back(
    session: Session, items: list[int], *, now: datetime, own: str | None, without: Iterable[int] = ()
) -> tuple[Back, set[int]]:
    """Return what of these items is pegged by reservations that do not count, and which reservations these are."""
    asked = {"now": now, "own": own, "without": without, "item_ids": items}
    pegs = session.execute(_pegged(own is not None, bool(without)), asked)
    back, reservations = Back(), set[int]()
    for reservation_id, kind, own_key, warehouse_id, line_id, order_id, item_id, quantity in pegs:
        reservations.add(reservation_id)
        if kind is not None and kind != "buy":
            back[kind, own_key or warehouse_id or line_id or order_id or 0, item_id] += quantity
    return back, reservations


_OF, _LINE, _PURCHASE, _ORDER = (table_of(one).c for one in (t.Stock, t.PurchaseOrderLine, t.PurchaseOrder, t.ProductionOrder))
_NEVER, _NOBODY = sa.cast(sa.null(), _LINE.due_at.type), sa.cast(sa.null(), _ORDER.reservation_id.type)
# figures from outside that are too old: nothing is sold from them
_TOO_OLD = sa.exists().where(t.OutsideStock.warehouse_id == _OF.warehouse_id, t.OutsideStock.good_until <= _NOW)
# kind, row, item, what nobody was promised, how much of that is kept, when, for which reservation it is made
_SHELF = sa.select(
    sa.literal("stock").label("kind"),
    _OF.warehouse_id.label("key"),
    _OF.item_id,
    _OF.on_hand - _OF.allocated - _OF.reserved,
    _OF.allotted,
    _NEVER,
    _NOBODY,
).where(among(_OF.item_id, "item_ids"), ~_TOO_OLD)
_RECEIPTS = (
    sa.select(
        sa.literal("receipt"),
        _LINE.id,
        _LINE.item_id,
        _LINE.quantity - _LINE.received - _LINE.pegged,
        _LINE.allotted,
        _LINE.due_at,
        _NOBODY,
    )
    .join(t.PurchaseOrder, _PURCHASE.id == _LINE.purchase_order_id)
    .where(among(_LINE.item_id, "item_ids"), _PURCHASE.state == "ordered")
)
_MAKING = sa.select(
    sa.literal("make"),
    _ORDER.id,
    _ORDER.item_id,
    _ORDER.quantity - _ORDER.pegged,
    sa.literal(0),
    _ORDER.ready_at,
    _ORDER.reservation_id,
).where(
    among(_ORDER.item_id, "item_ids"),
    _ORDER.state == "planned",
    sa.or_(_ORDER.quantity > _ORDER.pegged, among(_ORDER.id, "given")),
)
_SUPPLIES = sa.union_all(_SHELF, _RECEIPTS, _MAKING).order_by(sa.desc("kind"), "key")
_NAMES: Mapping[str, Literal["stock", "po", "mo"]] = {"stock": "stock", "receipt": "po", "make": "mo"}


def _free(
    session: Session,
    statement: sa.Select[Any] | sa.CompoundSelect[Any],
    items: list[int],
    back: Back,
    kept: _Kept,
    now: datetime,
    *,
    warehouse: int | None = None,
    without: Collection[int] = (),
) -> list[Supply]:
    """Return what is free of each item, of each supply first what is kept for the asker; of goods in lots, of each lot.

    statement: what is looked at. warehouse: of stock only what lies there. without: what is made for these does not count.
    """
    given = sorted(supply for kind, supply, _ in back if kind == "make")
    in_lots = masters.load(session, now=now).lots
    supplies = []
    for kind, row, item_id, there, allotted, at, reservation_id in session.execute(
        statement, {"item_ids": items, "given": given, "now": now}
    ):
        if reservation_id in without or (kind == "stock" and (warehouse not in (None, row) or item_id in in_lots)):
            continue
        for key, quantity in kept.divide((_NAMES[kind], row), item_id, there + back[kind, row, item_id], allotted):
            supplies.append(Supply(key, item_id, quantity, at or now, "stock" if kind == "stock" else "receipt"))
    if wanted := sorted(in_lots.keys() & set(items)):
        supplies += _lots(session, wanted, in_lots, back, now, warehouse)
    return supplies


def _lots(
    session: Session, items: list[int], in_lots: Mapping[int, int], back: Back, now: datetime, warehouse: int | None
) -> Iterable[Supply]:
    """Yield what is free of each lot of these items, good until it is too old for who asks."""
    of = t.StockLot
    rows = sa.select(of.id, of.item_id, of.on_hand - of.pegged, of.best_before_on).where(of.item_id.in_(items), of.on_hand > 0)
    here = rows if warehouse is None else rows.where(of.warehouse_id == warehouse)
    for lot_id, item_id, free, best_before_on in session.execute(here.order_by(of.best_before_on, of.id)):
        quantity = free + back["lot", lot_id, item_id]
        if quantity > 0:
            until = lots.expires_on(best_before_on, in_lots[item_id])
            yield Supply(("lot", lot_id), item_id, quantity, now, "stock", until)


class _Kept:
    """What is kept of some items, as somebody of a class sees it (None: of any class): theirs, and others'."""

    def __init__(self, session: Session, items: list[int], back: Back, customer_class: str | None, now: datetime) -> None:
        """Read the allotments of these items. No statement where there are none."""
        self._back, self._class = back, customer_class
        self._rows: dict[tuple[SupplyKey, int], list[t.Allotment]] = defaultdict(list)
        given = sorted(supply for kind, supply, _ in back if kind == "kept")
        wanted = sorted(masters.load(session, now=now).allotted.intersection(items))
        if not given and not wanted:
            return
        self._today = local_today(get_company(session), now)
        open_ones = sa.and_(t.Allotment.item_id.in_(wanted), t.Allotment.released_at.is_(None))
        rows = sa.select(t.Allotment).where(sa.or_(open_ones, t.Allotment.id.in_(given))).order_by(t.Allotment.id)
        for one in session.scalars(rows.execution_options(populate_existing=True)):
            line_id = one.purchase_order_line_id
            supply: SupplyKey = ("po", line_id) if line_id else ("stock", one.warehouse_id or 0)
            self._rows[supply, one.item_id].append(one)

    def divide(self, supply: SupplyKey, item_id: int, there: int, allotted: int) -> Iterator[tuple[SupplyKey, int]]:
        """Yield what of a supply is kept for the asker, by allotment, then what is anybody's.

        there: what nobody was promised, `allotted` of it kept; a count or a supplier may have found fewer.
        """
        free = there - allotted
        for one in self._rows.get((supply, item_id), ()):
            given = self._back["kept", one.id, item_id]
            left = given if one.released_at is not None else one.quantity - one.taken + given
            there += given
            if one.released_at is not None or one.release_on <= self._today:
                free += left
            elif self._class in (None, one.customer_class) and min(left, there) > 0:
                yield ("kept", one.id), min(left, there)
                there -= min(left, there)
        if free > 0:
            yield supply, free


def are_free(session: Session, outcome: Outcome, *, now: datetime) -> bool:
    """Tell whether the rows, too, know of nobody who has the minutes of an answer: the log might be behind them.

    Expired holds have been released. What is booked on a lane does not overlap, so the first that ends later decides.
    """
    centres = masters.load(session, now=now).factory.centre_by
    slots = [one for make in outcome.makes for one in make.slots if one.starts_at < one.ends_at]
    asked: dict[str, Any] = {}
    for number, one in enumerate(slots):
        asked |= {f"centre{number}": one.work_centre, f"lane{number}": one.lane, f"lanes{number}": centres[one.work_centre].lanes}
        asked |= {f"starts_at{number}": one.starts_at, f"ends_at{number}": one.ends_at}
    return not slots or not session.scalar(_meeting(len(slots)), asked)


@cache
def _meeting(number: int) -> sa.Select[bool]:
    """Return the statement that tells whether something is booked where one of so many slots goes."""
    slot, order = table_of(t.OperationSlot).c, table_of(t.ProductionOrder).c
    meets = []
    for n in range(number):
        there = sa.and_(slot.lane % sa.bindparam(f"lanes{n}") == sa.bindparam(f"lane{n}"), slot.starts_at < slot.ends_at)
        first = (
            sa.select(slot.starts_at)
            .join(t.ProductionOrder, order.id == slot.production_order_id)
            .where(
                slot.work_centre_id == sa.bindparam(f"centre{n}"),
                slot.ends_at > sa.bindparam(f"starts_at{n}"),
                # said bare, PostgreSQL expects it of one row in 600, and reads all that is booked later to find the first
                sa.case((there, sa.true()), else_=sa.false()),
                order.state.in_(decisions.OPEN),
            )
            .order_by(slot.ends_at)
            .limit(1)
        )
        meets.append(first.scalar_subquery() < sa.bindparam(f"ends_at{n}", type_=slot.ends_at.type))
    return sa.select(sa.or_(*meets))


def _bookings(session: Session, centre_ids: set[int], *, now: datetime, own: str | None) -> Iterable[Booking]:
    """Yield what is booked at these work centres, read from the rows."""
    slot, order = t.OperationSlot, t.ProductionOrder
    rows = session.execute(
        sa.select(slot.work_centre_id, slot.lane, slot.starts_at, slot.ends_at)
        .join(order, order.id == slot.production_order_id)
        .outerjoin(t.Reservation, t.Reservation.id == order.reservation_id)
        .where(
            slot.ends_at > now,
            slot.work_centre_id.in_(sorted(centre_ids)),
            order.state.in_(decisions.OPEN),
            sa.or_(order.reservation_id.is_(None), sa.not_(ignored(now, own))),
        )
    )
    for work_centre_id, lane, starts_at, ends_at in rows:
        if starts_at < ends_at:
            yield Booking(work_centre_id, lane, starts_at, ends_at)
