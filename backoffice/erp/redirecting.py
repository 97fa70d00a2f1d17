"""Sending an order's parcels to another place of the same country, as long as none is closed and no day gets later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import factory as masters
from backoffice.erp import fulfilment, promising, shipping
from backoffice.erp import models as t
from backoffice.erp.cancelling import TOO_LATE
from backoffice.public.errors import Refused


def redirect(session: Session, order_ref: str, ship_to: Mapping[str, Any], *, now: datetime) -> None:
    """Send every open parcel of an order to `ship_to`: what its label says from now on; the expected days stay.

    Raises Refused(too_late_to_redirect) once one parcel is closed, BadInput(unknown_postcode),
    Refused(later_there, on) with the day on which it would arrive; nothing has changed then.
    """
    parcels = session.scalars(
        sa.select(t.Shipment)
        .where(t.Shipment.order_ref == order_ref, t.Shipment.state != "cancelled")
        .order_by(t.Shipment.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    if not parcels or any(parcel.state in TOO_LATE for parcel in parcels):
        raise Refused("too_late_to_redirect", order_ref=order_ref)
    days = {parcel.id: _days(session, parcel, ship_to, now) for parcel in parcels}
    late = [on for _ship_on, on, latest in days.values() if on > latest]
    if late:
        raise Refused("later_there", on=max(late))
    for parcel in parcels:
        if parcel.ship_to["postcode"] != ship_to["postcode"]:
            parcel.ship_by_on = days[parcel.id][0]
        parcel.ship_to = dict(ship_to)
        parcel.version += 1
    session.flush()


def is_possible(session: Session, order_ref: str) -> bool:
    """Tell whether an order could still go elsewhere: none of its parcels is closed, and not all are cancelled."""
    states = set(session.scalars(sa.select(t.Shipment.state).where(t.Shipment.order_ref == order_ref)))
    return bool(states - {"cancelled"}) and not states & set(TOO_LATE)


def _days(session: Session, parcel: t.Shipment, ship_to: Mapping[str, Any], now: datetime) -> tuple[date, date, date]:
    """Return when a parcel would leave for and arrive at the new place, and the latest day that keeps what was said."""
    way = shipping.destination(
        session,
        masters.load(session, now=now),
        country=ship_to["country"],
        postcode=ship_to["postcode"],
        warehouse_id=parcel.warehouse_id,
        service=ship_to.get("service", ""),
        now=now,
    )
    ids = [line.reservation_id for line in fulfilment.lines_of(session, parcel.id)]
    goods = session.scalars(sa.select(t.Reservation).where(t.Reservation.id.in_(ids))).all()
    there, here = (promising.days_for(session, goods, one, now=now) for one in (way, fulfilment.way_of(session, parcel, now=now)))
    if there is None:
        raise Refused("not_available")
    latest = max(parcel.expected_on or parcel.promised_on, parcel.promised_on, here[1].deliver_on if here else parcel.promised_on)
    return there[1].ship_on, there[1].deliver_on, latest
