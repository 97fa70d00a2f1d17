"""What an order learns when its parcels arrive."""

from __future__ import annotations

from sqlalchemy.orm import Session

from backoffice import events
from backoffice.crm import orders, timeline
from backoffice.erp import delivering, splitting


def on_delivered(session: Session, happened: events.ShipmentDelivered) -> None:
    """Note the day on each line whose last parcel has arrived; the order is delivered with its last parcel."""
    order = orders.find_by_number(session, happened.order_ref)
    if order is None:
        return
    if happened.complete:
        orders.mark(session, order.number, "delivered")
    for line in orders.lines_of(session, order.id):
        goods = splitting.family(session, line.reservation_id)
        if set(happened.reservation_ids) & goods:
            line.actual_on = delivering.arrived_on(session, sorted(goods))
    timeline.record(session, order.party_id, "delivered", order_ref=order.number, actor=happened.actor, now=happened.at)
