"""Something else instead: which listed alternative costs no more and comes sooner, and putting it in an item's place.

Which items may stand in for which is master data (ItemSubstitute), one way and by priority. What it may cost and by when it
must come is the caller's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import causes
from backoffice.erp import cancelling, fulfilment, gaining, holds, margins, plan, promising, proposing, replan, splitting
from backoffice.erp import models as t
from backoffice.erp.sources import Buyer
from backoffice.public.errors import BadInput, Refused
from backoffice.public.promise import Promise

MOST = 3
HELD_MINUTES = 15  # between holding it and giving it to the order, within one transaction


@dataclass(frozen=True, slots=True)
class Alternative:
    """An item that may stand in, what can be promised of it, and when it arrives with the rest of its parcel."""

    item: t.Item
    promise: Promise
    arrives_on: date


def find(
    session: Session,
    item_id: int,
    quantity: int,
    buyer: Buyer,
    *,
    most_minor: int,
    currency: str,
    by: date | None,
    with_on: date,
    now: datetime,
) -> Sequence[Alternative]:
    """Return at most three alternatives of an item for a buyer that cost at most `most_minor` a piece, by priority.

    by: the day on which the item itself would arrive (None: nobody knows); one of the same price must come sooner, a cheaper
    one no later. with_on: when the rest of its parcel arrives, which it waits for. Leaves no trace.
    """
    found: list[Alternative] = []
    for item in candidates(session, item_id, currency=currency):
        if item.price_minor > most_minor or item.source == "kit":  # a line that is swapped stays one parcel's
            continue
        try:
            promise = promising.quote(
                session,
                item,
                quantity,
                country=buyer.country,
                postcode=buyer.postcode,
                customer_class=buyer.customer_class,
                service=buyer.service,
                now=now,
            )
        except (Refused, BadInput):
            continue
        arrives_on = max(promise.deliver_on, with_on)
        if suits(arrives_on, by, cheaper=item.price_minor < most_minor):
            found.append(Alternative(item, promise, arrives_on))
        if len(found) == MOST:
            break
    return found


def candidates(session: Session, item_id: int, *, currency: str) -> Sequence[t.Item]:
    """Return what may stand in for an item and is on sale in a currency, by priority, whatever it costs and whenever it comes."""
    return session.scalars(
        sa.select(t.Item)
        .join(t.ItemSubstitute, t.ItemSubstitute.substitute_id == t.Item.id)
        .where(
            t.ItemSubstitute.item_id == item_id,
            t.Item.on_sale,
            t.Item.product_id.is_not(None),
            t.Item.currency == currency,
        )
        .order_by(t.ItemSubstitute.priority, t.ItemSubstitute.id)
    ).all()


def suits(on: date, by: date | None, *, cheaper: bool) -> bool:
    """Tell whether an alternative that arrives on a day is worth offering instead of what arrives `by` (None: unknown)."""
    return by is None or on < by or (cheaper and on == by)


def is_possible(session: Session, reservation_id: int) -> bool:
    """Tell whether a line's goods can still become others: whole, and in a parcel that nobody has begun to pick."""
    shipment = _parcel_of(session, reservation_id)
    return shipment is not None and splitting.family(session, reservation_id) == {reservation_id}


def rest_on(session: Session, reservation_id: int, *, now: datetime) -> date | None:
    """Return the day on which the rest of a line's parcel arrives without it, at the earliest the promised one.

    None: the line is in no parcel that nobody has begun, or nobody has a day for the rest.
    """
    shipment = _parcel_of(session, reservation_id)
    if shipment is None:
        return None
    others = [line.reservation_id for line in fulfilment.lines_of(session, shipment.id) if line.reservation_id != reservation_id]
    if not others:
        return shipment.promised_on
    rows = [session.get_one(t.Reservation, one) for one in others]
    if not all(row.chain for row in rows):
        return None
    way = fulfilment.way_of(session, shipment, now=now)
    days = promising.days_for(session, rows, way, now=now)
    if days is None:
        return None
    was = margins.Days(shipment.ship_by_on, shipment.expected_on or shipment.promised_on)
    return margins.told(*days, was, shipment.promised_on).deliver_on


def swap(session: Session, reservation_id: int, item: t.Item, buyer: Buyer, *, order_ref: str, now: datetime) -> t.Reservation:
    """Give an order another item in the place of a reservation's, in the same parcel; return the new reservation.

    buyer: as it was quoted to.
    What was kept, made and proposed for the old one is free again. Locks the plan. Raises Refused(too_late_to_swap) once
    somebody picks it, Refused(not_available); the caller takes everything back then.
    """
    plan.bump(session)
    touched = replan.with_dependants(session, {reservation_id})
    replan.lock(session, touched)
    if not is_possible(session, reservation_id):
        raise Refused("too_late_to_swap")
    shipment = _parcel_of(session, reservation_id, lock=True)
    if shipment is None:
        raise Refused("too_late_to_swap")
    old = session.get_one(t.Reservation, reservation_id, populate_existing=True)
    session.execute(sa.delete(t.ShipmentLine).where(t.ShipmentLine.reservation_id == reservation_id))
    freed = gaining.of_orders(session, [reservation_id])
    cancelling.take_back(session, reservation_id, now=now)
    if others := touched - {reservation_id}:
        replan.after_change(session, others, cause=causes.of("maker_cancelled"), now=now)
    new = holds.hold(
        session,
        item,
        old.quantity,
        owner=f"order:{order_ref}",
        customer_class=buyer.customer_class,
        minutes=HELD_MINUTES,
        country=buyer.country,
        postcode=buyer.postcode,
        service=buyer.service,
        now=now,
    )
    holds.start_paying(session, new.id, now=now)
    converted = holds.convert(session, new.id, order_ref=order_ref, now=now)
    assert converted is not None  # planned just now, it begins from now on
    new, pegs = converted
    proposing.propose(session, new, pegs, now=now)
    session.add(t.ShipmentLine(shipment_id=shipment.id, reservation_id=new.id, item_id=item.id, quantity=new.quantity))
    session.flush()
    for line in fulfilment.lines_of(session, shipment.id):
        fulfilment.reschedule(session, session.get_one(t.Reservation, line.reservation_id), now=now)
    gaining.after_freeing(session, freed, now=now)
    return new


def _parcel_of(session: Session, reservation_id: int, *, lock: bool = False) -> t.Shipment | None:
    """Return the parcel that nobody has begun to pick and that holds a reservation."""
    query = (
        sa.select(t.Shipment)
        .join(t.ShipmentLine, t.ShipmentLine.shipment_id == t.Shipment.id)
        .where(t.ShipmentLine.reservation_id == reservation_id)
        .execution_options(populate_existing=True)
    )
    shipment = session.scalar(query.with_for_update(of=t.Shipment) if lock else query)
    return shipment if shipment is not None and shipment.state in splitting.PARTED else None
