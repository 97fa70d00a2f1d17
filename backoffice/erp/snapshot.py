"""What is free right now, read for just the items that a question can touch, as a plan for the planning core.

Whose minutes and goods count: placed orders always; holds only while they live; the asker's own holds never, so that a
buyer does not compete with themselves.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.db import is_reading, table_of
from backoffice.erp import bookings, claiming, lots
from backoffice.erp import factory as masters
from backoffice.erp import models as t
from backoffice.erp.classes import RETAIL
from backoffice.erp.company import get_company, get_warehouse, local_today
from backoffice.planning.model import Booking, Supply
from backoffice.planning.plan import Plan, SellFrom, ShipsOn

# what a supply is called in the plan:
# ("stock", warehouse) | ("lot", stock lot) | ("kept", allotment) | ("po", purchase order line) | ("mo", order)
SupplyKey = tuple[Literal["stock", "lot", "kept", "po", "mo"], int]
Back = Counter[tuple[str, int, int]]  # (kind, supply, item) → pegged by reservations that do not count


def ignored(now: datetime, own: str | None, without: Iterable[int] = ()) -> sa.ColumnElement[bool]:
    """Return the condition for reservations that do not count for this asker: expired holds, their own, and `without`."""
    conditions = [sa.and_(t.Reservation.state == "held", t.Reservation.expires_at <= now)]
    if own is not None:
        conditions.append(sa.and_(t.Reservation.owner_ref == own, t.Reservation.state.in_(["held", "paying"])))
    if ids := sorted(without):
        conditions.append(t.Reservation.id.in_(ids))
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
    ships_on: ShipsOn | None = None,
) -> Plan:
    """Return the plan as it stands at the works for questions about `item_ids`, with what is kept for the asker's class.

    reclaimed: the asker has just released every expired hold on them, and has none of their own.
    ships_on: for goods that expire, the day on which what is ready at an instant must still be good.

    sell_from: what may answer them, so that no more is read: stock; incoming = stock and receipts; production = also all
    their components and the work centres.
    """
    master = masters.load(session, now=now)
    made = sell_from == "production"
    items = sorted(master.below(item_ids) if made else set(item_ids))
    back = Back() if reclaimed else _given_back(session, items, now=now, own=own)
    kept = _Kept(session, items, back, customer_class, now)
    works = get_warehouse(session).id
    supplies = list(_stock(session, items, back, now, works, kept))
    given = claiming.claims(session, items, works, ignored(now, own), receipts=sell_from != "stock", now=now)
    if sell_from != "stock":
        supplies += [*_receipts(session, items, back, kept), *_making(session, items, back)]
    if not made:
        return Plan(master.factory, now, supplies, (), ships_on, claims=given, flat=True)
    centres = master.centres(items)
    if is_reading(session):  # a question: from what is kept in memory; who commits reads the rows
        booked = bookings.at(session, centres, ignored(now, own), now=now)
        return Plan(master.factory, now, supplies, (), ships_on, booked=booked, claims=given, flat=True)
    return Plan(master.factory, now, supplies, _bookings(session, centres, now=now, own=own), ships_on, claims=given, flat=True)


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
    back = _given_back(session, items, now=now, own=own)
    return Plan(
        masters.load(session, now=now).factory,
        now,
        list(_stock(session, items, back, now, warehouse_id, _Kept(session, items, back, customer_class, now))),
        (),
        ships_on,
        claims=claiming.claims(session, items, warehouse_id, ignored(now, own), receipts=False, now=now),
        flat=True,
    )


def free_without(session: Session, item_ids: Iterable[int], reservation_ids: Iterable[int], *, now: datetime) -> list[Supply]:
    """Return what would be free of exactly these items, in every warehouse, if these reservations had nothing any more.

    Of what is kept for a class of customers, that of every class.
    """
    items, without = sorted(set(item_ids)), sorted(set(reservation_ids))
    back = _given_back(session, items, now=now, own=None, without=without)
    kept = _Kept(session, items, back, None, now)
    stock = _stock(session, items, back, now, None, kept)
    return [*stock, *_receipts(session, items, back, kept), *_making(session, items, back, without)]


def _given_back(session: Session, items: list[int], *, now: datetime, own: str | None, without: Iterable[int] = ()) -> Back:
    """Return what is pegged by reservations that do not count."""
    pegs = session.execute(
        sa.select(
            sa.case((t.Peg.allotment_id.is_not(None), "kept"), (t.Peg.lot_id.is_not(None), "lot"), else_=t.Peg.kind),
            sa.func.coalesce(t.Peg.allotment_id, t.Peg.lot_id),
            t.Peg.warehouse_id,
            t.Peg.purchase_order_line_id,
            t.Peg.supply_order_id,
            t.Peg.item_id,
            t.Peg.quantity,
        )
        .join(t.Reservation, t.Reservation.id == t.Peg.reservation_id)
        .where(ignored(now, own, without), t.Peg.item_id.in_(items), t.Peg.used.is_(False))
    )
    back = Back()
    for kind, own_id, warehouse_id, line_id, order_id, item_id, quantity in pegs:
        if kind != "buy":
            back[kind, own_id or warehouse_id or line_id or order_id or 0, item_id] += quantity
    return back


_OF = table_of(t.Stock).c
_SHELVES = sa.select(_OF.warehouse_id, _OF.item_id, _OF.on_hand - _OF.allocated - _OF.reserved, _OF.allotted).where(
    _OF.item_id.in_(sa.bindparam("item_ids", expanding=True))
)
_SHELF = _SHELVES.where(_OF.warehouse_id == sa.bindparam("warehouse_id"))


def _stock(
    session: Session,
    items: list[int],
    back: Back,
    now: datetime,
    warehouse: int | None,
    kept: _Kept,
) -> Iterable[Supply]:
    """Yield what is free of each item in a warehouse (None: in each), first what is kept for the asker."""
    shelves = _SHELVES if warehouse is None else _SHELF
    in_lots = masters.load(session, now=now).lots
    for warehouse_id, item_id, there, allotted in session.execute(shelves, {"item_ids": items, "warehouse_id": warehouse}):
        if item_id in in_lots:
            continue
        there += back["stock", warehouse_id, item_id]
        for key, quantity in kept.divide(("stock", warehouse_id), item_id, there, allotted):
            yield Supply(key, item_id, quantity, now, "stock")
    if wanted := sorted(in_lots.keys() & set(items)):
        yield from _lots(session, wanted, in_lots, back, now, warehouse)


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


def _receipts(session: Session, items: list[int], back: Back, kept: _Kept) -> Iterable[Supply]:
    line = t.PurchaseOrderLine
    rows = session.execute(
        sa.select(line.id, line.item_id, line.quantity - line.received - line.pegged, line.allotted, line.due_at)
        .join(t.PurchaseOrder, t.PurchaseOrder.id == line.purchase_order_id)
        .where(line.item_id.in_(items), t.PurchaseOrder.state == "ordered")
    )
    for line_id, item_id, there, allotted, due_at in rows:
        there += back["receipt", line_id, item_id]
        for key, quantity in kept.divide(("po", line_id), item_id, there, allotted):
            yield Supply(key, item_id, quantity, due_at, "receipt")


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


def _making(session: Session, items: list[int], back: Back, without: Iterable[int] = ()) -> Iterable[Supply]:
    """Yield what production orders make beyond what is promised of it; not those made for `without`."""
    order = t.ProductionOrder
    kept = sa.or_(order.reservation_id.is_(None), order.reservation_id.not_in(sorted(without)))
    rows = session.execute(
        sa.select(order.id, order.item_id, order.quantity - order.pegged, order.ready_at).where(
            order.item_id.in_(items), order.state == "planned", kept
        )
    )
    for order_id, item_id, free, ready_at in rows:
        quantity = free + back["make", order_id, item_id]
        if quantity > 0:
            yield Supply(("mo", order_id), item_id, quantity, ready_at, "receipt")


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
            order.state.in_(["held", "planned"]),
            sa.or_(order.reservation_id.is_(None), sa.not_(ignored(now, own))),
        )
    )
    for work_centre_id, lane, starts_at, ends_at in rows:
        if starts_at < ends_at:
            yield Booking(work_centre_id, lane, starts_at, ends_at)
