"""Parting an order by day: what can keep the promised day leaves for it, the rest follows, each on a day of its own.

In words: each open parcel's goods are put together by the day on which they would arrive. What lies on the shelf of a line
counts by itself. Everything that arrives by the promised day stays together; a parcel with one day is left as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import decisions, fulfilment, margins, plan, promising, replan, splitting
from backoffice.erp import models as t
from backoffice.public.errors import Refused


@dataclass(frozen=True, slots=True)
class Part:
    """Goods that arrive together. on: the day, None: nobody knows; goods: (item's name, quantity) of each."""

    on: date | None
    goods: Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class _Share:
    """A part of a parcel's line that would arrive on a day."""

    line: t.ShipmentLine
    quantity: int


_Days = Mapping[date | None, list[_Share]]


def parts_of(session: Session, order_ref: str, *, now: datetime) -> Sequence[Part]:
    """Return how an order's open parcels would be parted, by day; empty where parting would gain nothing."""
    together: dict[date | None, list[tuple[str, int]]] = defaultdict(list)
    gains = False
    for shipment in _open(session, order_ref):
        days = _days(session, shipment, now)
        gains |= len(days) > 1
        for on, shares in days.items():
            together[on] += [(session.get_one(t.Item, one.line.item_id).name, one.quantity) for one in shares]
    return [Part(on, together[on]) for on in _in_order(together)] if gains else []


def part(session: Session, order_ref: str, *, now: datetime) -> Sequence[t.Shipment]:
    """Part an order's open parcels by day; return the new ones. Locks the plan.

    Raises Refused(nothing_to_part): all of it arrives on one day, or the warehouse has begun with it.
    """
    plan.bump(session)
    decisions.because(session, "parted", now=now)
    inside = sa.select(t.ShipmentLine.reservation_id).join(t.Shipment, t.Shipment.id == t.ShipmentLine.shipment_id)
    replan.lock(session, set(session.scalars(inside.where(t.Shipment.order_ref == order_ref))))
    made = [new for shipment in _open(session, order_ref, lock=True) for new in _part(session, shipment, now)]
    if not made:
        raise Refused("nothing_to_part")
    return made


def _part(session: Session, shipment: t.Shipment, now: datetime) -> list[t.Shipment]:
    days = _days(session, shipment, now)
    order = _in_order(days)
    later = [_take_out(session, share) for on in order[1:] for share in days[on]]
    counts = [len(days[on]) for on in order[1:]]
    session.flush()
    made = []
    for count in counts:
        made.append(splitting.follow(session, shipment, later[:count]))
        later = later[count:]
    if made:
        for parcel in (shipment, *made):
            _date(session, parcel, now)
    return made


def _take_out(session: Session, share: _Share) -> t.Reservation:
    """Take a share out of its parcel; return the reservation that it is then."""
    reservation = session.get_one(t.Reservation, share.line.reservation_id)
    if share.quantity == reservation.quantity:
        session.delete(share.line)
        return reservation
    rest = splitting.part_off(session, reservation, share.quantity)
    share.line.quantity = reservation.quantity
    reservation.ready_at = max(peg.available_at for peg in splitting.direct_pegs(session, reservation.id))
    return rest


def _date(session: Session, parcel: t.Shipment, now: datetime) -> None:
    """Let a parcel be picked if it can be, and expect it when its goods do."""
    for line in fulfilment.lines_of(session, parcel.id):
        fulfilment.reschedule(session, session.get_one(t.Reservation, line.reservation_id), now=now)


def _days(session: Session, shipment: t.Shipment, now: datetime) -> _Days:
    """Return what of a parcel would arrive on which day, if it need not wait for the rest."""
    way = fulfilment.way_of(session, shipment, now=now)

    was = margins.Days(shipment.ship_by_on, shipment.promised_on)  # each day is named anew, as for a parcel of its own

    def rest(reservation: t.Reservation) -> date | None:
        days = promising.days_for(session, [reservation], way, now=now) if reservation.chain else None
        return margins.told(*days, was, shipment.promised_on).deliver_on if days else None

    from_here = promising.day_for(now, way, now=now)
    here_on = max(from_here.deliver_on, shipment.promised_on) if from_here else None
    found: dict[date | None, list[_Share]] = defaultdict(list)
    for line in fulfilment.lines_of(session, shipment.id):
        reservation = session.get_one(t.Reservation, line.reservation_id)
        rest_on = rest(reservation)
        here = min(splitting.on_the_shelf(session, reservation.id), line.quantity)
        if here and (here == line.quantity or here_on != rest_on):
            found[here_on].append(_Share(line, here))
        if here < line.quantity:
            whole = line.quantity if here_on == rest_on else line.quantity - here
            found[rest_on].append(_Share(line, whole))
    return found


def _in_order(days: Mapping[date | None, object]) -> list[date | None]:
    """Return the days, the first one first, the unknown one last."""
    return sorted(days, key=lambda on: on or date.max)


def _open(session: Session, order_ref: str, *, lock: bool = False) -> Sequence[t.Shipment]:
    """Return the parcels of an order that nobody has begun to pick."""
    query = sa.select(t.Shipment).where(t.Shipment.order_ref == order_ref).order_by(t.Shipment.id)
    query = query.with_for_update() if lock else query
    found = session.scalars(query.execution_options(populate_existing=True)).all()
    return [one for one in found if one.state in splitting.PARTED]
