"""Parting what was to leave together: some goods go now, the rest follows in a parcel of its own.

A line that is parted becomes two reservations: the first keeps what lies on the shelf, the second (`split_from_id`) all that
is still to come, with the production that makes it. So a reservation is always in one parcel, and its pegs add up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import causes
from backoffice.erp import decisions, fulfilment, lot_picking, lots, offers, pegging, plan, replan, stock
from backoffice.erp import models as t
from backoffice.public.errors import BadInput, NotFound, Refused

PARTED = ("waiting", "to_pick")  # states in which a parcel may be sent in part
NOT_ON_THE_SHELF = causes.of("not_on_the_shelf")


def family(session: Session, reservation_id: int) -> set[int]:
    """Return a line's reservations: the first one and all that were parted from it."""
    parted = sa.select(t.Reservation.id).where(t.Reservation.split_from_id == reservation_id)
    return {reservation_id, *session.scalars(parted)}


def root(reservation: t.Reservation) -> int:
    """Return the reservation that the order's line names."""
    return reservation.split_from_id or reservation.id


def last_day(session: Session, reservation_id: int) -> date | None:
    """Return the day on which the last parcel with goods of this line is expected; None where none has a day."""
    return last_days(session, [reservation_id])[reservation_id]


def last_days(session: Session, reservation_ids: Iterable[int]) -> dict[int, date | None]:
    """Return the last day of each of these lines, as `last_day` does."""
    own, found = t.Reservation, dict.fromkeys(reservation_ids)
    line = sa.func.coalesce(own.split_from_id, own.id)
    wanted = sorted(found)
    days = (
        sa.select(line, sa.func.max(t.Shipment.expected_on))
        .join(t.ShipmentLine, t.ShipmentLine.reservation_id == own.id)
        .join(t.Shipment, t.Shipment.id == t.ShipmentLine.shipment_id)
        .where(sa.or_(own.id.in_(wanted), own.split_from_id.in_(wanted)), t.Shipment.state != "cancelled")
        .group_by(line)
    )
    return found | dict(session.execute(days).all())


def lacking(session: Session, reservation_ids: Iterable[int]) -> set[int]:
    """Return those of these lines of which some goods that were ordered have no supply: nobody knows when all of it is there."""
    own, wanted = t.Reservation, sorted(reservation_ids)
    line = sa.func.coalesce(own.split_from_id, own.id)
    sent = sa.exists().where(t.ShipmentLine.reservation_id == own.id)  # what a kit is named by has no goods of its own
    pegged = sa.exists().where(t.Peg.reservation_id == own.id)
    without = sa.select(line).where(
        sa.or_(own.id.in_(wanted), own.split_from_id.in_(wanted)), own.state == "converted", sent, ~pegged
    )
    return set(session.scalars(without))


def roots(session: Session, reservation_ids: Iterable[int]) -> dict[int, int]:
    """Return reservation → the one that its order's line names, as `root` does."""
    own = t.Reservation
    named = sa.select(own.id, sa.func.coalesce(own.split_from_id, own.id)).where(own.id.in_(sorted(set(reservation_ids))))
    return dict(session.execute(named).all())


def send_part(session: Session, shipment_id: int, *, now: datetime) -> t.Shipment:
    """Let what is here of a waiting parcel leave now; return the new parcel with the rest. Locks the plan.

    Raises NotFound(unknown_shipment), Refused(wrong_state), Refused(nothing_here), Refused(all_here).
    """
    shipment = lock_parcel(session, shipment_id)
    decisions.because(session, "parted", now=now)
    if shipment.state not in PARTED:
        raise Refused("wrong_state", state=shipment.state)
    here = {line.id: on_the_shelf(session, line.reservation_id) for line in fulfilment.lines_of(session, shipment.id)}
    if not any(here.values()):
        raise Refused("nothing_here")
    later: list[t.Reservation] = []
    for line in fulfilment.lines_of(session, shipment.id):
        reservation = session.get_one(t.Reservation, line.reservation_id)
        if here[line.id] >= line.quantity:
            continue
        if here[line.id] == 0:
            session.delete(line)
            later.append(reservation)
        else:
            later.append(part_off(session, reservation, reservation.quantity - here[line.id]))
            line.quantity = reservation.quantity
    if not later:
        raise Refused("all_here")
    session.flush()
    rest = follow(session, shipment, later)
    fulfilment.wake(session, [line.reservation_id for line in fulfilment.lines_of(session, shipment.id)])
    for part in later:
        fulfilment.reschedule(session, part, now=now)
    return rest


def short_pick(
    session: Session,
    shipment_id: int,
    sku: str,
    found: int,
    *,
    lot: str = "",
    actor: str,
    staff_id: int | None = None,
    now: datetime,
) -> t.Shipment | None:
    """Say that of a line being picked only `found` are there: the parcel goes on without the rest, which is planned anew.

    Returns the parcel with the rest; None when nothing else was in this one, which then waits for it itself. What is
    missing leaves the stock figures. lot: of that lot only `found` are there, the others are. Locks the plan.
    Raises NotFound(unknown_shipment | not_in_parcel | unknown_lot), Refused(wrong_state | taken), BadInput(bad_quantity).
    """
    shipment = lock_parcel(session, shipment_id)
    decisions.because(session, "not_on_the_shelf", now=now)
    fulfilment.start(session, shipment.id, actor=actor, staff_id=staff_id, now=now)
    named = [line for line, _ in fulfilment.find_lines(session, shipment.id, sku)]
    if not named:
        raise NotFound("not_in_parcel", sku=sku)
    line = next((one for one in named if one.picked < one.quantity), named[0])
    of_lot = _of_lot(session, line, lot) if lot else line.quantity
    if not 0 <= found < of_lot:
        raise BadInput("bad_quantity", most=of_lot - 1)
    missing = of_lot - found
    found = line.quantity - missing
    reservation = session.get_one(t.Reservation, line.reservation_id)
    record = t.ShortPick(shipment_id=shipment.id, item_id=line.item_id, missing=missing, actor=actor, at=now)
    session.add(record)
    session.flush()
    _write_off(session, reservation, missing, lot, record.id, actor, now)
    rest = reservation
    if found:
        rest = part_off(session, reservation, missing)
        line.quantity, line.picked = found, min(line.picked, found)
        lot_picking.agree(session, [line])
    session.flush()
    parcel = _without(session, shipment, line, rest, found)
    replan.after_change(session, [rest.id], cause=NOT_ON_THE_SHELF, now=now)
    offers.touch(session, [line.item_id], now=now)
    return parcel


def has_something(session: Session, shipment_id: int) -> bool:
    """Tell whether a part of a parcel lies on the shelf, so that it could leave without the rest."""
    return any(on_the_shelf(session, line.reservation_id) for line in fulfilment.lines_of(session, shipment_id))


def _without(session: Session, shipment: t.Shipment, line: t.ShipmentLine, rest: t.Reservation, found: int) -> t.Shipment | None:
    """Put the rest into a parcel of its own, unless it is all that this one holds."""
    if not found and len(fulfilment.lines_of(session, shipment.id)) == 1:
        return None
    if not found:
        session.delete(line)
        session.flush()
    return follow(session, shipment, [rest])


def lock_parcel(session: Session, shipment_id: int) -> t.Shipment:
    """Lock the plan, the reservations of a parcel, then the parcel."""
    plan.bump(session)
    lines = sa.select(t.ShipmentLine.reservation_id).where(t.ShipmentLine.shipment_id == shipment_id)
    replan.lock(session, set(session.scalars(lines)))
    return fulfilment.get_shipment(session, shipment_id, lock=True)


def _of_lot(session: Session, line: t.ShipmentLine, lot: str) -> int:
    """Return how much of a line is to be picked from a lot. Raises NotFound(unknown_lot)."""
    named = [
        peg.quantity for peg, one in lots.named_for(session, [line.reservation_id])[line.reservation_id] if one.number == lot
    ]
    if not named:
        raise NotFound("unknown_lot", number=lot)
    return sum(named)


def direct_pegs(session: Session, reservation_id: int) -> list[t.Peg]:
    """Return the unused pegs that a reservation itself stands on."""
    return [peg for peg in pegging.pegs_of(session, reservation_id) if peg.production_order_id is None]


def on_the_shelf(session: Session, reservation_id: int) -> int:
    return sum(peg.quantity for peg in direct_pegs(session, reservation_id) if peg.kind == "stock")


def part_off(session: Session, reservation: t.Reservation, quantity: int) -> t.Reservation:
    """Part `quantity` off: whatever does not lie on the shelf goes to the new reservation, with its production."""
    rest = t.Reservation(
        item_id=reservation.item_id,
        quantity=quantity,
        state=reservation.state,
        owner_ref=reservation.owner_ref,
        order_ref=reservation.order_ref,
        basis=reservation.basis,
        ready_at=reservation.ready_at,
        expires_at=reservation.expires_at,
        plan_version=reservation.plan_version,
        chain=list(reservation.chain),
        warehouse_id=None,
        customer_class=reservation.customer_class,
        split_from_id=root(reservation),
        margin_days=reservation.margin_days,
    )
    session.add(rest)
    session.flush()
    reservation.quantity, reservation.margin_days = reservation.quantity - quantity, 0  # what lies there can come no later
    for peg in pegging.pegs_of(session, reservation.id):
        if peg.production_order_id is not None or peg.kind != "stock":
            peg.reservation_id = rest.id
    mine = t.ProductionOrder.reservation_id == reservation.id, t.ProductionOrder.state.in_(["held", "planned"])
    for order in session.scalars(sa.select(t.ProductionOrder).where(*mine).order_by(t.ProductionOrder.id)):
        order.reservation_id = rest.id
    session.flush()
    return rest


def follow(session: Session, shipment: t.Shipment, later: Sequence[t.Reservation]) -> t.Shipment:
    """Add the parcel that follows another one with what it had to leave behind. It comes from the works."""
    number = 1 + (
        session.scalar(sa.select(sa.func.max(t.Shipment.parcel)).where(t.Shipment.order_ref == shipment.order_ref)) or 0
    )
    parcel = fulfilment.Parcel(later, shipment.promised_on, shipment.ship_by_on)
    return fulfilment.add_parcel(session, shipment.order_ref, number, dict(shipment.ship_to), parcel)


def _write_off(
    session: Session, reservation: t.Reservation, missing: int, lot: str, number: int, actor: str, now: datetime
) -> None:
    """Take what is not there (of a lot) out of the stock figures and from the reservation that stood on it.

    Of several lots it is the last one to be picked that is missing first.
    """
    left, pegs = missing, [peg for peg in direct_pegs(session, reservation.id) if peg.kind == "stock"]
    named = [peg for peg, one in lots.named_for(session, [reservation.id])[reservation.id] if lot in ("", one.number)]
    for peg in reversed(named) if named else pegs:
        if left == 0:
            break
        part = min(left, peg.quantity)
        assert peg.warehouse_id is not None
        stock.move(
            session,
            peg.item_id,
            peg.warehouse_id,
            -part,
            cause="count",
            ref=f"short:{number}:{peg.id}",
            actor=actor,
            now=now,
            allocated=-part,
            lot_id=peg.lot_id,
        )
        left -= part
        if part == peg.quantity:
            session.delete(peg)
        else:
            peg.quantity, peg.picked = peg.quantity - part, min(peg.picked, peg.quantity - part)
    session.flush()
