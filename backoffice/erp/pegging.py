"""Pegs as rows: give supplies to a reservation, take them back, hand them on. Each guarded by the database.

Totals follow the reservation's state: a hold's stock is *reserved*, a placed order's is *allocated*.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from backoffice.db import table_of, update_rows, write_rows
from backoffice.erp import allotting, decisions, lots, margins, stock, taking
from backoffice.erp import models as t
from backoffice.erp.company import get_company
from backoffice.erp.snapshot import SupplyKey
from backoffice.erp.taking import Taking
from backoffice.planning.outcome import Outcome, Peg, Slot, Surplus
from backoffice.wording import day_in

COMMITTED = ("converted", "shipped")


def total_of(state: str) -> str:
    """Return which stock total carries the pegs of a reservation in this state."""
    return "allocated" if state in COMMITTED else "reserved"


@dataclass(frozen=True, slots=True)
class Given:
    """What the plan has found for a reservation of `item`.

    reuse: its own production orders that were stripped before and may carry the new work under their old numbers. commit: which
    answer of the plan it is, where later ones may stand on what its lots yield. in_lots: items kept in lots, of which pegs say
    when they are used; arrives_on: when that is, of what is reserved.
    """

    reservation: t.Reservation
    outcome: Outcome
    item: t.Item
    reuse: Sequence[t.ProductionOrder] = ()
    commit: int | None = None
    in_lots: Collection[int] = ()
    arrives_on: date | None = None


Made = dict[int, Sequence[t.ProductionOrder]]  # answer of the plan → the production orders that were written for it


def write(
    session: Session,
    reservation: t.Reservation,
    outcome: Outcome,
    *,
    item: t.Item,
    in_lots: Collection[int] = (),
    arrives_on: date | None = None,
) -> None:
    """Write an outcome's production orders, slots and pegs for a reservation of `item`. The caller flushes.

    in_lots, arrives_on: see `Given`. Raises PlanMoved when a supply has gone in the meantime: ask the plan again.
    """
    write_all(session, [Given(reservation, outcome, item, in_lots=in_lots, arrives_on=arrives_on)])


def write_all(session: Session, given: Sequence[Given], made: Made | None = None) -> None:
    """Write outcomes as `write` does, all in one go; what each may take is as if it were written after the ones before it.

    made: of answers of the same plan that were written before; those of these are added to it.
    """
    orders = _write_orders(session, given)
    made = {} if made is None else made
    fresh = {one.commit: own for one, own in zip(given, orders, strict=True) if one.commit is not None}
    made |= fresh
    asked, rows = Taking(), []
    for one, own in zip(given, orders, strict=True):
        pegs = [_peg_row(one, peg, own, asked, made, fresh.keys()) for peg in one.outcome.pegs]
        _say_when_used(session, one, pegs, own)
        rows += pegs
    asked.give(session)
    write_rows(session, [row for row in rows if not decisions.is_planned(row)])
    session.add_all(row for row in rows if decisions.is_planned(row))  # the plan's log sees what goes through the session


def _say_when_used(session: Session, given: Given, rows: Sequence[t.Peg], orders: Sequence[t.ProductionOrder]) -> None:
    if not given.in_lots:
        return
    begin = {order.id: day_in(get_company(session).timezone, order.starts_at) for order in orders}
    for row in rows:
        if row.item_id in given.in_lots:
            row.use_on = begin[row.production_order_id] if row.production_order_id else given.arrives_on


def _write_orders(session: Session, given: Sequence[Given]) -> list[list[t.ProductionOrder]]:
    """Return for each outcome its production orders, with their slots."""
    shared = _shared(given)
    found = [_orders_of(one, shared) for one in given]
    new = [order for orders in found for order in orders if order.id is None]
    for number, order in enumerate(new):
        order.number = f"new-{order.reservation_id}-{number}"
    session.add_all(new)
    if new:
        session.flush()
        for order in new:
            order.number = f"MO-{order.id:05d}"
        update_rows(session, new, "number")
    fresh = set(new)
    again = [order for orders in found for order in orders if order not in fresh]
    update_rows(session, again, *_REUSED)
    for order in again:
        decisions.note(session, order)
    for one, orders in zip(given, found, strict=True):
        session.add_all(_slot(order, slot) for make, order in zip(one.outcome.makes, orders, strict=True) for slot in make.slots)
    return found


_REUSED = ("quantity", "pegged", "state", "starts_at", "ready_at", "learns", "first_ready_at")


def _shared(given: Sequence[Given]) -> Mapping[tuple[int | None, int], int]:
    """Return (answer, number of its production order) → how much of it later ones of these answers are given."""
    taken = Counter[tuple[int | None, int]]()
    for peg in (peg for one in given for peg in one.outcome.pegs):
        if isinstance(peg.supply, Surplus):
            taken[peg.supply.commit, cast(int, peg.supply.make)] += int(peg.quantity)
    return taken


def _orders_of(given: Given, shared: Mapping[tuple[int | None, int], int]) -> list[t.ProductionOrder]:
    reservation, outcome, reuse = given.reservation, given.outcome, list(given.reuse)
    taken = Counter[int]()
    for peg in outcome.pegs:
        if peg.kind == "make":
            taken[cast(int, peg.supply)] += int(peg.quantity)
    orders: list[t.ProductionOrder] = []
    for number, make in enumerate(outcome.makes):
        order = next((old for old in reuse if old.item_id == make.item), None)
        if order is None:
            # with all that one of them may have: those of one answer are written by one statement
            order = t.ProductionOrder(item_id=cast(int, make.item), reservation_id=reservation.id, learns="")
        else:
            reuse.remove(order)
        order.quantity, order.pegged = int(make.quantity), taken[number] + shared.get((given.commit, number), 0)
        order.state = "planned" if reservation.state in COMMITTED else "held"
        order.starts_at, order.ready_at = make.starts_at, make.ready_at
        if make.demand is None and not order.learns:
            order.learns, order.first_ready_at = margins.of_made(outcome), make.ready_at
        orders.append(order)
    return orders


def _slot(order: t.ProductionOrder, slot: Slot) -> t.OperationSlot:
    return t.OperationSlot(
        production_order_id=order.id,
        work_centre_id=cast(int, slot.work_centre),
        position=slot.position,
        lane=slot.lane,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
    )


def _peg_row(given: Given, peg: Peg, orders: Sequence[t.ProductionOrder], asked: Taking, made: Made, fresh: Set[int]) -> t.Peg:
    reservation = given.reservation
    row = t.Peg(
        reservation_id=reservation.id,
        production_order_id=None if peg.demand is None else orders[peg.demand].id,
        item_id=cast(int, peg.item),
        quantity=int(peg.quantity),
        kind=peg.kind,
        available_at=peg.available_at,
    )
    if peg.kind == "make":
        row.supply_order_id = orders[cast(int, peg.supply)].id
    elif peg.kind == "buy":
        row.supplier_id = cast(int, peg.supply)
    else:
        keep = given.item.safety_stock if row.item_id == given.item.id else 0
        total, whose = total_of(reservation.state), reservation.customer_class
        supply = peg.supply
        if isinstance(supply, Surplus):  # what an earlier answer makes beyond its need
            order = made[supply.commit][cast(int, supply.make)]
            if supply.commit in fresh:  # a row that this transaction has just written: nobody else can see it
                row.kind, row.supply_order_id = "make", order.id
                return row
            supply = ("mo", order.id)
        asked.ask(row, cast(SupplyKey, supply), total=total, customer_class=whose, keep=keep)
    return row


def lock(session: Session, *conditions: sa.ColumnElement[bool]) -> None:
    """Lock the reservations whose pegs match, in order: until we are done nobody converts, ships or releases one of them.

    Read pegs and states after this, never before: who had the lock until now may have changed them.
    """
    ids = sa.select(t.Peg.reservation_id).where(*conditions)
    session.execute(sa.select(t.Reservation.id).where(t.Reservation.id.in_(ids)).order_by(t.Reservation.id).with_for_update())


_IN_ORDER = sa.select(t.Peg).order_by(t.Peg.kind, t.Peg.item_id, t.Peg.id).execution_options(populate_existing=True)
_UNUSED = _IN_ORDER.where(t.Peg.reservation_id == sa.bindparam("reservation_id"), t.Peg.used.is_(False))


def pegs_of(session: Session, reservation_id: int) -> list[t.Peg]:
    """Return the pegs of a reservation that are not used up yet, in locking order."""
    return list(session.scalars(_UNUSED, {"reservation_id": reservation_id}))


def pegs_of_all(session: Session, reservation_ids: Sequence[int]) -> dict[int, list[t.Peg]]:
    """Return the pegs of each of these reservations, as `pegs_of` does."""
    found: dict[int, list[t.Peg]] = {one: [] for one in reservation_ids}
    if found:
        mine = t.Peg.reservation_id.in_(sorted(found)), t.Peg.used.is_(False)
        for peg in session.scalars(_IN_ORDER.where(*mine)):
            found[peg.reservation_id].append(peg)
    return found


def strip(session: Session, reservation: t.Reservation, *, state: str) -> list[t.ProductionOrder]:
    """Take every unused supply from a reservation (whose totals stand as for `state`); return its open production orders.

    They are cancelled, so that nobody takes what they no longer make for a supply; `write` may put them to use again.
    """
    return strip_all(session, {reservation.id: state})[reservation.id][1]


def strip_all(session: Session, states: Mapping[int, str]) -> dict[int, tuple[list[t.Peg], list[t.ProductionOrder]]]:
    """Strip reservations as `strip` does, all in one go; return for each the pegs that it had and its production orders.

    states: reservation → the state that its totals stand as. The pegs are rows no more: they are only to look at.
    """
    found: dict[int, tuple[list[t.Peg], list[t.ProductionOrder]]] = {one: ([], []) for one in states}
    mine = t.Peg.reservation_id.in_(sorted(states)), t.Peg.used.is_(False)
    pegs = session.scalars(_IN_ORDER.where(*mine)).all()
    orders = session.scalars(
        sa.select(t.ProductionOrder)
        .where(t.ProductionOrder.reservation_id.in_(sorted(states)), t.ProductionOrder.state.in_(["held", "planned"]))
        .order_by(t.ProductionOrder.id)
        .execution_options(populate_existing=True)
    ).all()
    for order in orders:
        found[order.reservation_id or 0][1].append(order)
    given = Counter[_Supplied]()
    for peg in pegs:
        found[peg.reservation_id][0].append(peg)
        given[_supply_of(peg, states[peg.reservation_id])] += peg.quantity
    own = {order.id: given.pop(("make", order.item_id, order.id, "", 0, 0), 0) for order in orders}
    for supply, quantity in sorted(given.items()):
        _return(session, supply, quantity)
    _cancel(session, orders, own)
    _delete(session, pegs)
    return found


def take_off(session: Session, pegs: Sequence[tuple[t.Peg, str]]) -> None:
    """Take pegs off what they stand on, each with the state that its reservation's totals stand as. They are rows no more."""
    given = Counter[_Supplied]()
    for peg, state in pegs:
        given[_supply_of(peg, state)] += peg.quantity
    for supply, quantity in sorted(given.items()):
        _return(session, supply, quantity)
    _delete(session, [peg for peg, _ in pegs])


def _delete(session: Session, pegs: Sequence[t.Peg]) -> None:
    gone = sa.delete(t.Peg).where(t.Peg.id.in_([peg.id for peg in pegs]))
    session.execute(gone.execution_options(synchronize_session=False, **decisions.NOTED))
    for peg in pegs:
        decisions.note(session, peg, gone=True)
        session.expunge(peg)


def _cancel(session: Session, orders: Sequence[t.ProductionOrder], given: Mapping[int, int]) -> None:
    """Cancel production orders and their slots. given: order → what is not pegged of it any more."""
    if not orders:
        return
    slots = sa.delete(t.OperationSlot).where(t.OperationSlot.production_order_id.in_(sorted(given)))
    session.execute(slots.execution_options(synchronize_session="fetch", **decisions.NOTED))  # with their orders, below
    table = table_of(t.ProductionOrder)
    cancel = sa.update(table).where(table.c.id == sa.bindparam("cancelled_id"))
    session.connection().execute(
        cancel.values(state="cancelled", pegged=table.c.pegged - sa.bindparam("given")),
        [{"cancelled_id": order_id, "given": quantity} for order_id, quantity in sorted(given.items())],
    )
    for order in orders:
        set_committed_value(order, "state", "cancelled")
        set_committed_value(order, "pegged", order.pegged - given[order.id])
        decisions.note(session, order)


def give_back(session: Session, peg: t.Peg, *, state: str) -> None:
    """Return one peg's quantity to its supply."""
    _return(session, _supply_of(peg, state), peg.quantity)


_Supplied = tuple[str, int, int, str, int, int]  # kind, item, row, of stock the total that carries it, allotment, lot


def _supply_of(peg: t.Peg, state: str) -> _Supplied:
    """Return what a peg stands on, in the order of locking."""
    number = peg.warehouse_id or peg.purchase_order_line_id or peg.supply_order_id or 0
    total = total_of(state) if peg.kind == "stock" else ""
    return peg.kind, peg.item_id, number, total, peg.allotment_id or 0, peg.lot_id or 0


def _return(session: Session, supply: _Supplied, quantity: int) -> None:
    kind, item_id, number, total, allotment_id, lot_id = supply
    kept = quantity if allotment_id and allotting.give_back(session, allotment_id, quantity) else 0
    if kind == "stock":
        stock.change(session, item_id, number, **{total: -quantity}, **({"allotted": kept} if kept else {}))
        if lot_id:
            lots.change(session, lot_id, pegged=-quantity)
    elif kind == "receipt":
        if kept:
            allotting.change_line(session, number, kept)
        taking.change_receipt(session, number, -quantity)
    elif kind == "make":
        taking.change_production(session, number, -quantity)


def to_stock(
    session: Session, peg: t.Peg, warehouse_id: int, quantity: int, *, lot_id: int | None = None, now: datetime
) -> t.Peg:
    """Say that `quantity` of a peg now lies in the warehouse; what is still to come stays a peg of its own.

    The stock totals are the caller's: they change with the movement that brought the goods.
    """
    if quantity < peg.quantity:
        rest = t.Peg(
            reservation_id=peg.reservation_id,
            production_order_id=peg.production_order_id,
            item_id=peg.item_id,
            quantity=peg.quantity - quantity,
            kind=peg.kind,
            purchase_order_line_id=peg.purchase_order_line_id,
            supply_order_id=peg.supply_order_id,
            allotment_id=peg.allotment_id,
            available_at=peg.available_at,
            use_on=peg.use_on,
        )
        session.add(rest)
        peg.quantity = quantity
    peg.kind, peg.warehouse_id, peg.lot_id, peg.available_at = "stock", warehouse_id, lot_id, now
    peg.purchase_order_line_id = peg.supply_order_id = peg.allotment_id = None
    session.flush()
    return peg
