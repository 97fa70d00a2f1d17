"""What an outside ERP is to hear of orders: a message in the transaction in which it happens, without a word of whose it is.

What is sent is read from the tables when it leaves (`documents`), so that nobody's address stands in the outbox.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from backoffice import events
from backoffice.bridge import outbox

TARGET = "erp"


def listen() -> None:
    """Tell of every order from now on."""
    events.listen(events.OrderPlaced, on_placed)
    events.listen(events.OrderCancelled, on_cancelled)
    events.listen(events.OrderRedirected, on_redirected)
    events.listen(events.ShipmentShipped, on_shipped)
    events.listen(events.ShipmentDelivered, on_delivered)


def on_placed(session: Session, happened: events.OrderPlaced) -> None:
    """Hand a new order over."""
    _put(session, happened.order_ref, "placed", happened.at)


def on_cancelled(session: Session, happened: events.OrderCancelled) -> None:
    """Take it back."""
    _put(session, happened.order_ref, "cancelled", happened.at)


def on_redirected(session: Session, happened: events.OrderRedirected) -> None:
    """Say where it goes now."""
    _put(session, happened.order_ref, "redirected", happened.at)


def on_shipped(session: Session, happened: events.ShipmentShipped) -> None:
    """Say that a parcel left."""
    _put(session, happened.order_ref, "shipped", happened.at, parcel=happened.parcel)


def on_delivered(session: Session, happened: events.ShipmentDelivered) -> None:
    """Say that all of it arrived."""
    if happened.complete:
        _put(session, happened.order_ref, "delivered", happened.at)


def aggregate_of(order_ref: str) -> str:
    """Return what the messages of an order are kept in sequence by."""
    return f"order:{order_ref}"


def _put(session: Session, order_ref: str, kind: str, at: datetime, **values: int) -> None:
    payload = {"order": order_ref, "at": at.isoformat(), **values}
    outbox.put(session, TARGET, aggregate_of(order_ref), kind, payload, now=at)
