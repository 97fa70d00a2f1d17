"""Read model: one order with its lines, parcels, money and what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import causes
from backoffice.crm import orders, slips
from backoffice.crm.models import Activity, Checkout, Order, OrderLine, Party, ServiceCase
from backoffice.desk import case_sheets, step_words
from backoffice.erp import cancelling, fulfilment, promising, redirecting
from backoffice.erp.models import Item, Shipment, ShipmentLine, Staff
from backoffice.payments import refunds, requests
from backoffice.payments.models import Payment, Refund, RefundRequest
from backoffice.public.errors import NotFound

MOST_ENTRIES = 300


@dataclass(frozen=True, slots=True)
class Line:
    """An order line and how we came to its first day."""

    row: OrderLine
    day_known: bool
    steps: Sequence[step_words.Said]


@dataclass(frozen=True, slots=True)
class Parcel:
    """A parcel, with (quantity, name) of what is in it."""

    row: Shipment
    goods: Sequence[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """An order, opened. left_minor: what may still be given back; limit_minor: how much of that without a second person.

    choosing: its customer was told of a later day and has not chosen yet.
    """

    order: Order
    checkout: Checkout
    party: Party
    company: Party | None
    lines: Sequence[Line]
    parcels: Sequence[Parcel]
    payment: Payment
    refunds: Sequence[Refund]
    requests: Sequence[RefundRequest]
    staff: Mapping[int, str]
    entries: Sequence[Activity]
    cancellable: bool
    redirectable: bool
    choosing: bool
    cases: Sequence[ServiceCase]
    left_minor: int
    limit_minor: int


def get_sheet(session: Session, number: str) -> Sheet:
    """Return everything about an order. Raises NotFound(unknown_order)."""
    order = orders.find_by_number(session, number)
    if order is None:
        raise NotFound("unknown_order")
    party, payment = session.get_one(Party, order.party_id), session.get_one(Payment, order.payment_id)
    asked = requests.of_order(session, number)
    happened = sa.select(Activity).where(Activity.order_ref == number).order_by(Activity.at.desc(), Activity.id.desc())
    parcels = _parcels(session, number)
    left = payment.amount_minor - payment.refunded_minor if payment.state in refunds.PAID else 0
    return Sheet(
        order,
        session.get_one(Checkout, order.checkout_id),
        party,
        session.get(Party, party.company_id) if party.company_id else None,
        [_line(row) for row in orders.lines_of(session, order.id)],
        parcels,
        payment,
        refunds.of_payment(session, payment.id),
        asked,
        _names(session, asked),
        session.scalars(happened.limit(MOST_ENTRIES)).all(),
        order.state != "cancelled" and cancelling.is_open(one.row.state for one in parcels),
        redirecting.is_possible(session, number),
        slips.find_open(session, order.id) is not None,
        case_sheets.find_of_order(session, number),
        left,
        max(min(left, requests.limit_minor(payment.currency) - payment.refunded_minor), 0),
    )


def _line(row: OrderLine) -> Line:
    steps = promising.rows_to_steps(row.promise.get("steps", []))
    return Line(row, causes.is_day_known(row.moved_cause), [step_words.say(one) for one in steps])


def _parcels(session: Session, number: str) -> Sequence[Parcel]:
    shipments = fulfilment.parcels_of(session, number)
    inside = (
        sa.select(ShipmentLine.shipment_id, ShipmentLine.quantity, Item.name)
        .join(Item, Item.id == ShipmentLine.item_id)
        .where(ShipmentLine.shipment_id.in_([one.id for one in shipments]))
        .order_by(ShipmentLine.id)
    )
    goods: dict[int, list[tuple[int, str]]] = {}
    for shipment_id, quantity, name in session.execute(inside):
        goods.setdefault(shipment_id, []).append((quantity, name))
    return [Parcel(one, goods.get(one.id, [])) for one in shipments]


def _names(session: Session, asked: Sequence[RefundRequest]) -> dict[int, str]:
    ids = {one.asked_by_id for one in asked} | {one.decided_by_id for one in asked if one.decided_by_id}
    return {row.id: row.name for row in session.scalars(sa.select(Staff).where(Staff.id.in_(ids)))}
