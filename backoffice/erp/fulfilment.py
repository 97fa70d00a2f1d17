"""From the shelf to the carrier: a shipment comes with the order, wakes when its goods are there, is picked, packed, shipped.

States (SHIPMENT_MOVES). Every step is a conditional update, so pressing a button twice does nothing the second time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from backoffice import events
from backoffice.db import write_row, write_rows
from backoffice.erp import factory as masters
from backoffice.erp import holding_back, kits, lot_picking, margins, offers, pegging, pickers, promising, shipping, stock
from backoffice.erp import models as t
from backoffice.erp.company import get_warehouse
from backoffice.erp.margins import Days
from backoffice.public.errors import BadInput, NotFound, Refused

SHIPMENT_MOVES: dict[str, tuple[str, ...]] = {
    "waiting": ("to_pick", "cancelled"),
    "to_pick": ("picking", "waiting", "cancelled"),
    "picking": ("packed", "waiting", "cancelled"),  # back to waiting: the shelf held less than we thought
    "packed": ("shipped",),
    "shipped": ("delivered",),
    "delivered": (),
    "cancelled": (),
}


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is to leave together, from one warehouse (none: the works). ready: all of it lies on the shelf."""

    reservations: Sequence[t.Reservation]
    promised_on: date
    ship_by_on: date
    warehouse_id: int | None = None
    ready: bool | None = None  # None: nobody has looked yet


def hand_over(session: Session, *, order_ref: str, ship_to: Mapping[str, Any], parcels: Sequence[Parcel]) -> list[t.Shipment]:
    """Take a new order over for shipping; each parcel waits until all that belongs into it is there."""
    return [add_parcel(session, order_ref, number, dict(ship_to), parcel) for number, parcel in enumerate(parcels, start=1)]


def add_parcel(session: Session, order_ref: str, number: int, ship_to: dict[str, Any], parcel: Parcel) -> t.Shipment:
    """Write the order's parcel `number` (1, 2 …); it may be picked at once if its goods are there."""
    warehouse = get_warehouse(session, parcel.warehouse_id)
    name = f"SH-{order_ref.removeprefix('SF-')}"
    shipment = t.Shipment(
        number=name if number == 1 else f"{name}-{number}",
        order_ref=order_ref,
        parcel=number,
        warehouse_id=warehouse.id,
        ship_to=ship_to,
        promised_on=parcel.promised_on,
        ship_by_on=parcel.ship_by_on,
        expected_on=parcel.promised_on,
        carrier=warehouse.carrier,
        state="to_pick" if _is_ready(session, parcel) else "waiting",
    )
    write_row(session, shipment)
    lines = [
        t.ShipmentLine(shipment_id=shipment.id, reservation_id=one.id, item_id=one.item_id, quantity=one.quantity)
        for one in parcel.reservations
    ]
    write_rows(session, lines)
    return shipment


def lies_ready(reservation: t.Reservation, pegs: Iterable[t.Peg]) -> bool:
    """Tell whether all goods of a reservation that stands on these pegs lie on the shelf."""
    lying = (peg.quantity for peg in pegs if peg.kind == "stock" and peg.production_order_id is None)
    return sum(lying) >= reservation.quantity


def _is_ready(session: Session, parcel: Parcel) -> bool:
    if parcel.ready is not None:
        return parcel.ready
    lying = _on_the_shelf(session, [one.id for one in parcel.reservations])
    return all(lying.get(one.id, 0) >= one.quantity for one in parcel.reservations)


def wake(session: Session, reservation_ids: Iterable[int]) -> None:
    """Let the shipments of these reservations be picked if all their goods are there, and wait if they are not.

    A parcel that is being picked is put back on the shelf when its goods are promised from elsewhere now.
    """
    with_them = sa.select(t.ShipmentLine.shipment_id).where(t.ShipmentLine.reservation_id.in_(sorted(set(reservation_ids))))
    shipments = session.scalars(
        sa.select(t.Shipment)
        .where(t.Shipment.id.in_(with_them), t.Shipment.state.in_(["waiting", "to_pick", "picking"]))
        .order_by(t.Shipment.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    if not shipments:
        return
    inside = lines_in(session, [shipment.id for shipment in shipments])
    lying = _on_the_shelf(session, {line.reservation_id for lines in inside.values() for line in lines})
    for shipment in shipments:
        lines = inside[shipment.id]
        if any(lying.get(line.reservation_id, 0) < line.quantity for line in lines):
            shipment.state = "waiting"
            pickers.let_go(shipment)
            _put_back(session, lines)
        elif shipment.state == "waiting":
            shipment.state = "to_pick"
        else:
            lot_picking.agree(session, lines)
    session.flush()


def _on_the_shelf(session: Session, reservation_ids: Iterable[int]) -> Mapping[int, int]:
    """Return reservation → how much of its goods lies there."""
    pegged = session.execute(
        sa.select(t.Peg.reservation_id, sa.func.sum(t.Peg.quantity).label("quantity"))
        .where(t.Peg.reservation_id.in_(sorted(reservation_ids)), t.Peg.production_order_id.is_(None), t.Peg.kind == "stock")
        .group_by(t.Peg.reservation_id)
    )
    return {row.reservation_id: row.quantity for row in pegged}


def lines_of(session: Session, shipment_id: int) -> list[t.ShipmentLine]:
    """Return a shipment's lines."""
    return lines_in(session, [shipment_id])[shipment_id]


def lines_in(session: Session, shipment_ids: Iterable[int]) -> dict[int, list[t.ShipmentLine]]:
    """Return the lines of each of these shipments."""
    found: dict[int, list[t.ShipmentLine]] = {one: [] for one in shipment_ids}
    wanted = sa.select(t.ShipmentLine).where(t.ShipmentLine.shipment_id.in_(sorted(found))).order_by(t.ShipmentLine.id)
    for line in session.scalars(wanted):
        found[line.shipment_id].append(line)
    return found


def drop(session: Session, shipment: t.Shipment, *, now: datetime) -> None:
    """Cancel a parcel that is not closed yet: what was picked goes back. Raises Refused(wrong_state)."""
    if shipment.state == "cancelled":
        return
    _step(session, shipment, "cancelled", **pickers.NOBODY, cancelled_at=now)
    _put_back(session, lines_of(session, shipment.id))
    session.flush()


def _put_back(session: Session, lines: Sequence[t.ShipmentLine]) -> None:
    """Say that what was picked lies on the shelf again."""
    if any(line.picked for line in lines):
        lot_picking.put_back(session, [line.reservation_id for line in lines])
    for line in lines:
        line.picked = 0


def parcels_of(session: Session, order_ref: str) -> Sequence[t.Shipment]:
    """Return an order's parcels, the first one first."""
    return session.scalars(sa.select(t.Shipment).where(t.Shipment.order_ref == order_ref).order_by(t.Shipment.parcel)).all()


def reschedule(session: Session, reservation: t.Reservation, *, now: datetime) -> None:
    """Move the ship-by day of a reservation's shipment to what the plan now says."""
    reschedule_all(session, [reservation], now=now)


def reschedule_all(session: Session, reservations: Iterable[t.Reservation], *, now: datetime) -> None:
    """Move the ship-by days of the shipments that hold these reservations to what the plan now says."""
    by_id = {one.id: one for one in reservations}
    rows = session.execute(
        sa.select(t.Shipment, t.ShipmentLine.reservation_id)
        .join(t.ShipmentLine, t.ShipmentLine.shipment_id == t.Shipment.id)
        .where(t.ShipmentLine.reservation_id.in_(sorted(by_id)), t.Shipment.state.in_(["waiting", "to_pick", "picking"]))
        .order_by(t.Shipment.id, t.ShipmentLine.id)
    ).all()
    if not rows:
        return
    followed = [_follow_its_goods(session, shipment, by_id[reservation_id]) for shipment, reservation_id in rows]
    wake(session, [reservation_id for _, reservation_id in rows])
    inside = lines_in(session, {shipment.id for shipment in followed})
    others = {line.reservation_id for lines in inside.values() for line in lines} - by_id.keys()
    if others:
        by_id |= {one.id: one for one in session.scalars(sa.select(t.Reservation).where(t.Reservation.id.in_(sorted(others))))}
    for shipment in {one.id: one for one in followed}.values():
        goods = [by_id[line.reservation_id] for line in inside[shipment.id]]
        days = promising.days_for(session, goods, way_of(session, shipment, now=now), now=now)
        if days is not None:
            was = Days(shipment.ship_by_on, shipment.expected_on or shipment.promised_on)
            shipment.ship_by_on, shipment.expected_on = margins.told(*days, was, shipment.promised_on)


def _follow_its_goods(session: Session, shipment: t.Shipment, reservation: t.Reservation) -> t.Shipment:
    """Return the parcel that a reservation leaves in, now that it may stand on the goods of another warehouse."""
    warehouse = get_warehouse(session, reservation.warehouse_id)
    if shipment.warehouse_id == warehouse.id:
        return shipment
    inside = lines_of(session, shipment.id)
    if len(inside) == 1:  # nothing else is in it: the parcel itself changes its warehouse
        shipment.warehouse_id, shipment.carrier, shipment.state = warehouse.id, warehouse.carrier, "waiting"
        pickers.let_go(shipment)
        _put_back(session, inside)
        session.flush()
        return shipment
    session.execute(sa.delete(t.ShipmentLine).where(t.ShipmentLine.reservation_id == reservation.id))
    parcel = Parcel([reservation], shipment.promised_on, shipment.ship_by_on, reservation.warehouse_id)
    number = max(one.parcel for one in parcels_of(session, shipment.order_ref)) + 1
    moved = add_parcel(session, shipment.order_ref, number, dict(shipment.ship_to), parcel)
    wake(session, [line.reservation_id for line in lines_of(session, shipment.id)])  # what stays may be complete now
    return moved


def way_of(session: Session, shipment: t.Shipment, *, now: datetime) -> shipping.Destination:
    """Return the way that a parcel goes, from its warehouse to its customer."""
    return shipping.destination(
        session,
        masters.load(session, now=now),
        country=shipment.ship_to["country"],
        postcode=shipment.ship_to["postcode"],
        warehouse_id=shipment.warehouse_id,
        service=shipment.ship_to.get("service", ""),
        now=now,
    )


def get_shipment(session: Session, shipment_id: int, *, lock: bool = False) -> t.Shipment:
    """Return a shipment; `lock`: nobody else moves it until we are done. Raises NotFound(unknown_shipment)."""
    shipment = session.get(t.Shipment, shipment_id, populate_existing=True, with_for_update=lock or None)
    if shipment is None:
        raise NotFound("unknown_shipment")
    return shipment


def start(session: Session, shipment_id: int, *, actor: str, staff_id: int | None = None, now: datetime) -> None:
    """Begin to pick, or go on: the shipment is this picker's. Raises Refused(wrong_state | taken, who)."""
    shipment = get_shipment(session, shipment_id, lock=True)
    if shipment.state == "picking":
        pickers.go_on(shipment, actor, staff_id, now=now)
        return
    _step(session, shipment, "picking", **pickers.begun(actor, staff_id, now=now))
    events.publish(session, events.PickingStarted(shipment.order_ref, now, actor))


def pick(
    session: Session, shipment_id: int, scanned: str, quantity: int, *, actor: str, staff_id: int | None = None, now: datetime
) -> t.ShipmentLine:
    """Put `quantity` of a scanned SKU, or of the lot that was scanned, into the parcel; starts picking if nobody has.

    Raises NotFound(not_in_parcel), Refused(too_many | wrong_state | taken), Refused(lot_too_old | lot_promised, number),
    BadInput(bad_quantity).
    """
    _take_in_hand(session, shipment_id, quantity, actor, staff_id, now)
    return _count(session, shipment_id, scanned, quantity, now)


def unpick(
    session: Session, shipment_id: int, scanned: str, quantity: int, *, actor: str, staff_id: int | None = None, now: datetime
) -> t.ShipmentLine:
    """Take `quantity` back out of the parcel. Raises as `pick`."""
    _take_in_hand(session, shipment_id, quantity, actor, staff_id, now)
    return _count(session, shipment_id, scanned, -quantity, now)


def _take_in_hand(session: Session, shipment_id: int, quantity: int, actor: str, staff_id: int | None, now: datetime) -> None:
    if quantity < 1:
        raise BadInput("bad_quantity")
    lot_picking.lock(session, shipment_id)
    start(session, shipment_id, actor=actor, staff_id=staff_id, now=now)


def pack(session: Session, shipment_id: int, *, actor: str, now: datetime) -> None:
    """Close the parcel. Raises Refused(not_all_picked | wrong_state)."""
    shipment = get_shipment(session, shipment_id, lock=True)
    if shipment.state == "packed":
        return
    if any(line.picked < line.quantity for line in lines_of(session, shipment_id)):
        raise Refused("not_all_picked")
    _step(session, shipment, "packed", packed_at=now)
    events.publish(session, events.ShipmentPacked(shipment.order_ref, now, actor))


def ship(session: Session, shipment_id: int, *, tracking: str, actor: str, now: datetime) -> None:
    """Hand the parcel to the carrier: goods leave the stock, the order is shipped. Raises Refused(wrong_state)."""
    mine = sa.select(t.ShipmentLine.reservation_id).where(t.ShipmentLine.shipment_id == shipment_id)
    pegging.lock(session, t.Peg.reservation_id.in_(mine))  # before the shipment, as who plans anew does
    shipment = get_shipment(session, shipment_id, lock=True)
    if shipment.state in ("shipped", "delivered"):
        return
    tracking = " ".join(tracking.split())[:80]
    _step(session, shipment, "shipped", shipped_at=now, tracking=tracking)
    touched = []
    lines = lines_of(session, shipment_id)
    for line in lines:
        pegs = session.scalars(
            sa.select(t.Peg).where(t.Peg.reservation_id == line.reservation_id, t.Peg.production_order_id.is_(None))
        )
        for peg in pegs:
            assert peg.warehouse_id is not None
            stock.move(
                session,
                peg.item_id,
                peg.warehouse_id,
                -peg.quantity,
                cause="shipment",
                ref=f"ship:{shipment.number}:{peg.id}",
                actor=actor,
                now=now,
                allocated=-peg.quantity,
                lot_id=peg.lot_id,
            )
            peg.used = True
        session.get_one(t.Reservation, line.reservation_id).state = "shipped"
        touched.append(line.item_id)
    way = way_of(session, shipment, now=now)
    kits.settle(session, [session.get_one(t.Reservation, line.reservation_id) for line in lines])
    days, plain = promising.day_for(now, way, now=now), promising.day_for(now, way.without_margin(), now=now)
    shipment.expected_on = deliver_on = days.deliver_on if days else shipment.promised_on
    shipment.carrier_on = plain.deliver_on if plain else None
    offers.touch(session, touched, now=now)
    events.publish(session, _shipped(session, shipment, lines, deliver_on, actor, now))


def _shipped(
    session: Session, shipment: t.Shipment, lines: Sequence[t.ShipmentLine], deliver_on: date, actor: str, now: datetime
) -> events.ShipmentShipped:
    states = session.scalars(
        sa.select(t.Shipment.state).where(t.Shipment.order_ref == shipment.order_ref, t.Shipment.state != "cancelled")
    ).all()
    return events.ShipmentShipped(
        shipment.order_ref,
        now,
        actor,
        shipment.tracking,
        deliver_on,
        parcel=shipment.parcel,
        parcels=len(states),
        complete=all(state in ("shipped", "delivered") for state in states),
        reservation_ids=tuple(line.reservation_id for line in lines),
        contents=tuple((session.get_one(t.Item, line.item_id).name, line.quantity) for line in lines),
    )


def find_lines(session: Session, shipment_id: int, sku: str) -> list[tuple[t.ShipmentLine, t.Item]]:
    """Return the lines of a parcel with this SKU, fresh, and their item: several where a kit has it too."""
    rows = session.execute(
        sa.select(t.ShipmentLine, t.Item)
        .join(t.Item, t.Item.id == t.ShipmentLine.item_id)
        .where(t.ShipmentLine.shipment_id == shipment_id, sa.func.lower(t.Item.sku) == sku.strip().lower())
        .order_by(t.ShipmentLine.id)
        .execution_options(populate_existing=True)
    )
    return [(line, item) for line, item in rows]


def _count(session: Session, shipment_id: int, scanned: str, delta: int, now: datetime) -> t.ShipmentLine:
    """Put pieces into the parcel, or take them out. Whoever calls has locked the parcel."""
    lot = None
    found = find_lines(session, shipment_id, scanned)
    if not found and (lot := lot_picking.find_lot(session, shipment_id, scanned)) is not None:
        found = find_lines(session, shipment_id, session.get_one(t.Item, lot.item_id).sku)
    if not found:
        raise NotFound("not_in_parcel", sku=scanned)
    left = abs(delta)
    for line, item in found if delta > 0 else reversed(found):
        part = min(left, line.quantity - line.picked if delta > 0 else line.picked)
        if part == 0:
            continue
        left -= part
        line.picked += part if delta > 0 else -part
        session.flush()
        touched = line
        if item.days_left is not None:
            way = shipping.arrival(way_of(session, get_shipment(session, shipment_id), now=now), now=now)
            lot_picking.count(session, line, item, part if delta > 0 else -part, lot, arrives_on=way(now))
    if left:
        line, item = found[0]
        raise Refused("too_many", sku=item.sku, picked=line.picked, quantity=line.quantity)
    return touched


def _step(session: Session, shipment: t.Shipment, new: str, **values: Any) -> None:
    """Move a shipment one state on by conditional update. Raises Refused(wrong_state | on_hold)."""
    if new in holding_back.STEPS:
        holding_back.require_free(session, shipment.order_ref)
    allowed = [old for old, news in SHIPMENT_MOVES.items() if new in news]
    result = session.execute(
        sa.update(t.Shipment)
        .where(t.Shipment.id == shipment.id, t.Shipment.state.in_(allowed))
        .values(state=new, version=t.Shipment.version + 1, **values)
        .execution_options(synchronize_session="fetch")
    )
    if cast("CursorResult[Any]", result).rowcount != 1:
        raise Refused("wrong_state", state=shipment.state)
    session.refresh(shipment)
