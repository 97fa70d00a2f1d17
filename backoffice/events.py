"""What happened: event types. Writers publish, listeners are wired in bootstrap; both run in the same transaction.

erp never imports crm: it says what happened here, and crm listens.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from backoffice.public.orders import Cause


@dataclass(frozen=True, slots=True)
class PickingStarted:
    """Somebody began to pick an order's shipment."""

    order_ref: str
    at: datetime
    actor: str


@dataclass(frozen=True, slots=True)
class PickingTakenOver:
    """Somebody went on picking an order's shipment in the place of `was`."""

    order_ref: str
    at: datetime
    actor: str
    was: str


@dataclass(frozen=True, slots=True)
class ShipmentPacked:
    """An order's shipment is packed."""

    order_ref: str
    at: datetime
    actor: str


@dataclass(frozen=True, slots=True)
class ShipmentShipped:
    """A parcel of an order was handed to the carrier; `deliver_on` = the day it should arrive.

    parcel: its number within the order, of `parcels`. complete: nothing of the order is left to send.
    reservation_ids: whose goods it holds; contents: (name, quantity) of each.
    """

    order_ref: str
    at: datetime
    actor: str
    tracking: str
    deliver_on: date
    parcel: int = 1
    parcels: int = 1
    complete: bool = True
    reservation_ids: tuple[int, ...] = ()
    contents: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ShipmentDelivered:
    """A parcel of an order arrived on a day. complete: nothing of the order is still to come."""

    order_ref: str
    at: datetime
    actor: str
    on: date
    complete: bool
    reservation_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Move:
    """Goods that are now ready at another instant; None: nobody knows. cause: see backoffice/causes.py."""

    reservation_id: int
    ready_at: datetime | None
    cause: Cause


@dataclass(frozen=True, slots=True)
class ExpectedDaysMoved:
    """Goods of placed orders are now ready at other instants: all that one change has moved. moves: order → what of it."""

    moves: Mapping[str, tuple[Move, ...]]
    at: datetime


@dataclass(frozen=True, slots=True)
class MailWanted:
    """Somebody is to be written to. kind: a template's name; payload: to, name, language, shop and what the kind needs."""

    kind: str
    aggregate: str  # order:SF-… | lead:L-…: mails of one aggregate leave in order
    payload: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class MailsWanted:
    """Many are to be written to about one change, each once: no two mails are of one aggregate."""

    mails: tuple[MailWanted, ...]


@dataclass(frozen=True, slots=True)
class ConsentGiven:
    """Somebody allowed us something."""

    consent_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class OrderPlaced:
    """A paid checkout became an order. lead_id: the enquiry that it came from."""

    order_ref: str
    party_id: int
    checkout_id: int
    lead_id: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class OrderCancelled:
    """A placed order was taken back."""

    order_ref: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OrderRedirected:
    """A placed order goes to another address."""

    order_ref: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PaymentOpened:
    """The payment page of an enquiry's checkout stands at the provider, and can be paid until `expires_at`."""

    checkout_id: int
    lead_id: int
    expires_at: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class PaymentEnded:
    """A checkout was not paid: its time ran out, the payment failed, or it was taken back. by: a colleague's name or empty."""

    checkout_id: int
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class GoodsCameBack:
    """Goods of a return were received. received: (reservation, pieces) of this time; version: which time of this return it is."""

    order_ref: str
    return_id: int
    version: int
    received: tuple[tuple[int, int], ...]
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CaptureEnds:
    """Money that is set aside is to be taken or let go: the provider must be asked, once this transaction has ended."""

    payment_id: int
    ending: str  # capture | void
    aggregate: str  # payment:7
    at: datetime


@dataclass(frozen=True, slots=True)
class RefundWanted:
    """Money is to be given back: the provider must be asked, once this transaction has ended."""

    refund_id: int
    aggregate: str  # payment:7
    at: datetime


E = TypeVar("E")
Listener = Callable[[Session, Any], None]
_listeners: dict[type, list[Listener]] = defaultdict(list)


def listen(kind: type[E], listener: Callable[[Session, E], None]) -> None:
    """Call `listener` for each event of `kind`, once however often it is wired."""
    if listener not in _listeners[kind]:
        _listeners[kind].append(listener)


def unwire() -> None:
    """Forget every listener: a program wires its own once, a test as often as it builds one."""
    _listeners.clear()


def publish(session: Session, happened: object) -> None:
    """Tell every listener, inside the writer's transaction."""
    for listener in _listeners[type(happened)]:
        listener(session, happened)
