"""Orders behind their secret link, over the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from backoffice import causes
from backoffice.crm import links, showing, slips
from backoffice.crm.models import Activity, Checkout, Order, Slip
from backoffice.crm.models import OrderLine as LineRow
from backoffice.db import Database
from backoffice.erp import cancelling as cancelling_goods
from backoffice.erp import catalogue, plan, promising, services
from backoffice.erp import models as t
from backoffice.local import papers
from backoffice.local.checkout import Till
from backoffice.payments import cancelling, captures, on_account, refunds
from backoffice.payments import settle as settling
from backoffice.payments.gateway import GatewayError
from backoffice.payments.models import Payment, Refund
from backoffice.public import addresses
from backoffice.public.catalogue import Picture
from backoffice.public.errors import BadInput, NotFound
from backoffice.public.hiding import hide_email, hide_words
from backoffice.public.money import Money
from backoffice.public.orders import (
    NOBODY_KNOWN,
    OrderEvent,
    OrderLine,
    OrderParcel,
    OrderRefund,
    OrderView,
    PaperView,
    PendingOrder,
    Reader,
)

log = structlog.get_logger()

SHOWN = (
    "order",
    "picking",
    "packed",
    "shipped",
    "day_moved",
    "day_unknown",
    "chosen",
    "message",
    "answer",
    "cancelled",
    "refunded",
    "withdrawn",
    "came_back",
)  # what the customer sees of the timeline


class LocalOrders:
    """Read an order by its secret token."""

    def __init__(self, db: Database, till: Till, secret_key: str) -> None:
        """Read from `db`; ask the till about a payment under way. secret_key: proofs and codes are derived of it."""
        self._db = db
        self._till = till
        self._secret_key = secret_key

    def get(self, token: str, *, reader: Reader = NOBODY_KNOWN, now: datetime) -> OrderView | PendingOrder:
        """Return the order, or the payment still under way: its provider is asked first, in case its message was lost."""
        found = self._read(token, reader, now)
        if isinstance(found, PendingOrder) and found.pay_url is not None:
            self._ask_provider(token, now)
            found = self._read(token, reader, now)
        return found

    def _ask_provider(self, token: str, now: datetime) -> None:
        with self._db.read() as session:
            payment = settling.find_by_checkout(session, _found(session, token)[0].id)
            ref = payment.provider_ref if payment else None
        if ref is None:
            return
        try:
            self._till.look_up(ref, now=now)
        except GatewayError as error:  # the page says that the payment is under way; the poll asks again
            log.warning("payment_lookup_failed", error=error.reason)

    def _read(self, token: str, reader: Reader, now: datetime) -> OrderView | PendingOrder:
        with self._db.read() as session:
            checkout, order, refunded, slipped, invoiced, paid = _look_up(session, token)
            if order is None:
                payment = settling.find_by_checkout(session, checkout.id)
                state = payment.state if payment else "expired"
                still_open = state in ("opened", "processing")
                open_one = payment if payment and still_open else None
                return PendingOrder(
                    state=state,
                    pay_url=open_one.pay_url if open_one else None,
                    by_link=checkout.lead_id is not None,
                    pay_until=open_one.expires_at if open_one else None,
                )
            view = _view(session, order, checkout, refunded=refunded, slipped=slipped, invoiced=invoiced, paid=paid)
            if showing.may_read(session, order, checkout, reader, secret_key=self._secret_key, now=now):
                return view
        name, email, lines = hide_words(view.name), hide_email(view.email), [hide_words(line) for line in view.address]
        return replace(view, hidden=True, name=name, email=email, address=lines)

    def get_paper(self, token: str, number: str, *, reader: Reader = NOBODY_KNOWN, now: datetime) -> PaperView:
        """Return a paper of this order."""
        with self._db.read() as session:
            checkout, order = _found(session, token)
            paper = papers.get(session, order.number if order else "", number)
            if order is None or showing.may_read(session, order, checkout, reader, secret_key=self._secret_key, now=now):
                return paper
        return replace(paper, hidden=True, buyer=[hide_words(line) for line in paper.buyer])

    def send_code(self, token: str, *, now: datetime) -> None:
        """Mail a code to the order's customer."""
        self._db.run(lambda session: showing.send_code(session, token, now=now))

    def show(self, token: str, code: str, *, now: datetime) -> str:
        """Return the proof for a code."""
        proof = self._db.run(lambda session: showing.find_proof(session, token, code, secret_key=self._secret_key, now=now))
        if proof is None:
            raise BadInput("invalid_form", {"code": "wrong_code"})
        return proof

    def cancel(self, token: str, *, key: str, now: datetime) -> None:  # noqa: ARG002 - an order is cancelled once, whatever the key
        """Cancel the whole order and give the money back; pressed twice it is once."""

        def work(session: Session) -> None:
            _, order = _found(session, token)
            if order is None:
                raise NotFound("unknown_order")
            by = cancelling.BY_CUSTOMER
            cancelling.cancel(session, order.number, by=by, now=now)

        self._db.run(work)


_OF_LINK = (
    sa.select(
        Checkout,
        Order,
        sa.exists().where(Refund.payment_id == Order.payment_id).label("refunded"),
        sa.exists().where(Slip.order_id == Order.id, Slip.state == "open").label("slipped"),
        sa.exists().where(t.Invoice.order_ref == Order.number).label("invoiced"),
        sa.select(sa.case((Payment.provider == on_account.PROVIDER, on_account.PROVIDER), else_=Payment.state))
        .where(Payment.id == Order.payment_id)
        .scalar_subquery()
        .label("paid"),
        *plan.SEEN,
    )
    .outerjoin(Order, Order.checkout_id == Checkout.id)
    .where(Checkout.token_hash == sa.bindparam("token_hash"))
)


def _found(session: Session, token: str) -> tuple[Checkout, Order | None]:
    """Return the checkout of a link and the order that it became. Raises NotFound(unknown_order)."""
    return _look_up(session, token)[:2]


def _look_up(session: Session, token: str) -> tuple[Checkout, Order | None, bool, bool, bool, str]:
    """Do as `_found`, and tell whether any money goes back, a choice is waited for, there is an invoice; and how it is paid."""
    found = session.execute(_OF_LINK, {"token_hash": links.hash_token(token)}).first()
    if found is None:
        raise NotFound("unknown_order")
    plan.note(session, found)
    return found[0], found[1], bool(found[2]), bool(found[3]), bool(found[4]), found[5] or ""


_HAPPENED = (
    sa.select(Activity)
    .where(Activity.order_ref == sa.bindparam("order_ref"), Activity.kind.in_(SHOWN), Activity.case_id.is_(None))
    .order_by(Activity.at, Activity.id)
)


def _view(
    session: Session, order: Order, checkout: Checkout, *, refunded: bool, slipped: bool, invoiced: bool, paid: str
) -> OrderView:
    found = _lines_with_goods(session, order)
    pictures = catalogue.pictures_of(session, {product.id for _, _, product in found if product})
    lines = [_line(row, item, product, pictures, order.currency) for row, item, product in found]
    parcels = _parcels(session, order.number)
    subtotal = sum(line.total.amount_minor for line in lines)
    happened = session.scalars(_HAPPENED, {"order_ref": order.number})
    waiting = slips.find_open(session, order.id) if slipped else None
    given_back = refunds.of_payment(session, order.payment_id) if refunded else []
    return OrderView(
        number=order.number,
        state=order.state,
        placed_at=order.placed_at,
        email=checkout.email,
        name=checkout.name,
        address=addresses.write(addresses.of({part: getattr(checkout, part) for part in addresses.PARTS})),
        country=checkout.country,
        lines=lines,
        subtotal=Money(subtotal, order.currency),
        shipping=Money(order.shipping_minor, order.currency),
        total=Money(order.total_minor, order.currency),
        promised_on=max(line.promised_on for line in lines),
        expected_on=max(line.expected_on for line in lines),
        tracking=order.tracking or None,
        refunds=[
            OrderRefund(Money(one.amount_minor, one.currency), one.state, one.reason, one.settled_at or one.requested_at)
            for one in given_back
        ],
        parcels=[_parcel(one, contents) for one, contents in parcels.items()],
        cancellable=order.state != "cancelled" and cancelling_goods.is_open(one.state for one in parcels),
        events=[_event(one) for one in happened],
        service=services.name_of(session, checkout.service),
        slip_id=waiting.id if waiting else None,
        discount=Money(order.discount_minor, order.currency) if order.discount_minor else None,
        papers=papers.of_order(session, order.number) if invoiced else [],
        charge="let_go" if paid == "authorised" and order.state == "cancelled" else captures.CHARGES.get(paid, ""),
    )


def _event(entry: Activity) -> OrderEvent:
    amount = entry.values.get("amount_minor")
    return OrderEvent(
        kind=entry.kind,
        at=entry.at,
        text=entry.text,
        item=str(entry.values.get("item", "")),
        cause=causes.read(entry.values.get("cause")),
        amount=Money(amount, str(entry.values.get("currency"))) if isinstance(amount, int) else None,
        choice=str(entry.values.get("choice", "")),
    )


_LINES = (
    sa.select(LineRow, t.Item, t.Product)
    .join(t.Item, t.Item.id == LineRow.item_id)
    .outerjoin(t.Product, t.Product.id == t.Item.product_id)
    .where(LineRow.order_id == sa.bindparam("order_id"))
    .order_by(LineRow.id)
)


def _lines_with_goods(session: Session, order: Order) -> list[tuple[LineRow, t.Item, t.Product | None]]:
    return [(row[0], row[1], row[2]) for row in session.execute(_LINES, {"order_id": order.id})]


_PARCELS = (
    sa.select(t.Shipment, t.Item.sku, t.Item.name, t.ShipmentLine.quantity)
    .outerjoin(t.ShipmentLine, t.ShipmentLine.shipment_id == t.Shipment.id)
    .outerjoin(t.Item, t.Item.id == t.ShipmentLine.item_id)
    .where(t.Shipment.order_ref == sa.bindparam("order_ref"))
    .order_by(t.Shipment.parcel, t.ShipmentLine.id)
)


def _parcels(session: Session, order_ref: str) -> Mapping[t.Shipment, list[tuple[str, str, int]]]:
    """Return an order's parcels, the first one first, with (SKU, name, quantity) of what is in each."""
    parcels: dict[t.Shipment, list[tuple[str, str, int]]] = {}
    for shipment, sku, name, quantity in session.execute(_PARCELS, {"order_ref": order_ref}):
        contents = parcels.setdefault(shipment, [])
        if sku is not None:
            contents.append((sku, name, quantity))
    return parcels


def _parcel(shipment: t.Shipment, contents: Sequence[tuple[str, str, int]]) -> OrderParcel:
    return OrderParcel(
        number=shipment.parcel,
        state=shipment.state,
        lines=contents,
        expected_on=shipment.expected_on or shipment.promised_on,
        tracking=shipment.tracking or None,
    )


def _line(
    row: LineRow, item: t.Item, product: t.Product | None, pictures: Mapping[int, Sequence[t.Picture]], currency: str
) -> OrderLine:
    shown = pictures.get(product.id, []) if product else []
    own = [one for one in shown if one.item_id == item.id] or shown
    return OrderLine(
        sku=row.sku,
        slug=product.slug if product else None,
        name=row.name,
        options=row.options,
        picture=Picture(own[0].file, own[0].alt) if own else None,
        quantity=row.quantity,
        unit_price=Money(row.unit_price_minor, currency),
        total=Money(row.unit_price_minor, currency) * row.quantity,
        basis=row.basis,
        requested_on=row.requested_on,
        promised_on=row.promised_on,
        expected_on=row.expected_on,
        actual_on=row.actual_on,
        steps=promising.rows_to_steps(row.promise.get("steps", [])),
        moved_because=row.moved_because,
        moved_cause=causes.read(row.moved_cause),
        day_known=causes.is_day_known(row.moved_cause),
    )
