"""What is sent to an outside ERP, read from the tables when it leaves."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.bridge.outbox import Message, Undeliverable
from backoffice.bridge.outside.port import Document
from backoffice.crm.models import Checkout, Order, OrderLine
from backoffice.crm.orders import SHIP_TO
from backoffice.erp import models as t


def of(session: Session, message: Message) -> Document:
    """Return the document of a message. Raises Undeliverable when its order is not there."""
    order = session.scalar(sa.select(Order).where(Order.number == message.payload["order"]))
    if order is None:
        raise Undeliverable("there is no such order")
    head = {"reference": order.number, "sequence": message.sequence, "event": message.kind, "at": message.payload["at"]}
    if message.kind == "placed":
        return head | _placed(session, order)
    if message.kind == "redirected":
        return head | {"ship_to": _ship_to(session, order)}
    if message.kind == "shipped":
        return head | {"parcel": _parcel(session, order, int(message.payload["parcel"]))}
    return head


def _placed(session: Session, order: Order) -> dict[str, Any]:
    lines = session.scalars(sa.select(OrderLine).where(OrderLine.order_id == order.id).order_by(OrderLine.id))
    return {
        "placed_at": order.placed_at.isoformat(),
        "currency": order.currency,
        "shipping_minor": order.shipping_minor,
        "total_minor": order.total_minor,
        "ship_to": _ship_to(session, order),
        "lines": [
            {
                "sku": line.sku,
                "quantity": line.quantity,
                "unit_price_minor": line.unit_price_minor,
                "promised_on": line.promised_on.isoformat(),
            }
            for line in lines
        ],
    }


def _ship_to(session: Session, order: Order) -> dict[str, str]:
    checkout = session.get_one(Checkout, order.checkout_id)
    return {name: getattr(checkout, name) for name in SHIP_TO} | {"email": checkout.email}


def _parcel(session: Session, order: Order, number: int) -> dict[str, Any]:
    parcel = session.scalars(
        sa.select(t.Shipment).where(t.Shipment.order_ref == order.number, t.Shipment.parcel == number)
    ).one_or_none()
    if parcel is None:
        raise Undeliverable("there is no such parcel")
    rows = session.execute(
        sa.select(t.Item.sku, sa.func.sum(t.ShipmentLine.quantity))
        .join(t.Item, t.Item.id == t.ShipmentLine.item_id)
        .where(t.ShipmentLine.shipment_id == parcel.id)
        .group_by(t.Item.sku)
        .order_by(t.Item.sku)
    )
    lines = [{"sku": sku, "quantity": int(quantity)} for sku, quantity in rows]
    return {"number": number, "carrier": parcel.carrier, "tracking": parcel.tracking, "lines": lines}
