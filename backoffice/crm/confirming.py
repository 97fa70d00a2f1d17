"""Confirm what was chosen after a slip: one mail with the day that now holds, whoever noted the choice.

A choice is made once (`slips.mark`), so it is confirmed once. Who cancels is told by the mail of the cancelled order instead.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import events
from backoffice.crm.models import Order, Slip
from backoffice.crm.orders import lines_of, mail_frame
from backoffice.erp.models import Reservation, Shipment, ShipmentLine

STILL_TO_COME = ("waiting", "to_pick", "picking", "packed")


def confirm(session: Session, order: Order, slip: Slip, *, charge: str, now: datetime) -> None:
    """Write to the customer of an order whose slip was chosen: accepted, parted or substituted. charge: how it is paid."""
    parts = _parts(session, order)
    amount = {"amount_minor": slip.choice.get("refund_minor", 0), "currency": order.currency}
    payload = mail_frame(session, order) | {
        "choice": slip.state,
        "item": slip.choice.get("item", ""),
        "instead_of": slip.choice.get("instead_of", ""),
        "by_phone": "said_by" in slip.choice,
        "amount": amount,
        "charge": charge,
        "parts": parts,
        "deliver_on": "" if any(not part["on"] for part in parts) else max(part["on"] for part in parts),
    }
    events.publish(session, events.MailWanted("choice_noted", f"order:{order.number}", payload, now))


def _parts(session: Session, order: Order) -> list[dict[str, Any]]:
    """Return what is still to come, by day, as a mail carries it; a day that nobody knows is empty and last."""
    lines = {line.reservation_id: line for line in lines_of(session, order.id)}
    root = sa.func.coalesce(Reservation.split_from_id, Reservation.id)
    rows = session.execute(
        sa.select(root, ShipmentLine.quantity, Shipment.id, Shipment.expected_on, Reservation.chain)
        .join(ShipmentLine, ShipmentLine.reservation_id == Reservation.id)
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(Shipment.order_ref == order.number, Shipment.state.in_(STILL_TO_COME))
        .order_by(Shipment.parcel, ShipmentLine.id)
    ).all()
    unknown = {shipment_id for _, _, shipment_id, _, chain in rows if not chain}  # no step leads to some of its goods
    together: dict[date | None, list[dict[str, Any]]] = defaultdict(list)
    for reservation_id, quantity, shipment_id, expected_on, _ in rows:
        line = lines[reservation_id]
        on = None if shipment_id in unknown else expected_on
        together[on].append({"name": line.name, "options": line.options, "quantity": quantity})
    in_order = sorted(together.items(), key=lambda part: part[0] or date.max)
    return [{"on": on.isoformat() if on else "", "goods": goods} for on, goods in in_order]
