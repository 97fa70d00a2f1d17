"""Orders behind their secret link, and leads, over the database."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from backoffice import causes
from backoffice.crm import consents, leads, links, orders, slips
from backoffice.crm.models import Activity, Checkout, Order
from backoffice.crm.models import OrderLine as LineRow
from backoffice.db import Database
from backoffice.erp import cancelling as goods
from backoffice.erp import catalogue, fulfilment, promising
from backoffice.erp import models as t
from backoffice.erp.company import get_company
from backoffice.local.checkout import Till
from backoffice.payments import cancelling, refunds
from backoffice.payments import settle as settling
from backoffice.payments.gateway import GatewayError
from backoffice.public import addresses
from backoffice.public.catalogue import Picture
from backoffice.public.errors import NotFound
from backoffice.public.leads import ConsentView, LeadForm, LeadReceipt
from backoffice.public.money import Money
from backoffice.public.orders import OrderEvent, OrderLine, OrderParcel, OrderRefund, OrderView, PendingOrder

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
)  # what the customer sees of the timeline


class LocalOrders:
    """Read an order by its secret token."""

    def __init__(self, db: Database, till: Till) -> None:
        """Read from `db`; ask the till about a payment that is still under way."""
        self._db = db
        self._till = till

    def get(self, token: str, *, now: datetime) -> OrderView | PendingOrder:
        """Return the order, or the payment still under way: its provider is asked first, in case its message was lost."""
        found = self._read(token)
        if isinstance(found, PendingOrder) and found.pay_url is not None:
            self._ask_provider(token, now)
            found = self._read(token)
        return found

    def _ask_provider(self, token: str, now: datetime) -> None:
        with self._db.read() as session:
            payment = settling.find_by_checkout(session, _checkout(session, token).id)
            ref = payment.provider_ref if payment else None
        if ref is None:
            return
        try:
            self._till.look_up(ref, now=now)
        except GatewayError as error:  # the page says that the payment is under way; the poll asks again
            log.warning("payment_lookup_failed", error=str(error))

    def _read(self, token: str) -> OrderView | PendingOrder:
        with self._db.read() as session:
            checkout = _checkout(session, token)
            order = session.scalar(sa.select(Order).where(Order.checkout_id == checkout.id))
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
            return _view(session, order, checkout)

    def cancel(self, token: str, *, key: str, now: datetime) -> None:  # noqa: ARG002 - an order is cancelled once, whatever the key
        """Cancel the whole order and give the money back; pressed twice it is once."""

        def work(session: Session) -> None:
            checkout = _checkout(session, token)
            order = session.scalar(sa.select(Order).where(Order.checkout_id == checkout.id))
            if order is None:
                raise NotFound("unknown_order")
            by = cancelling.BY_CUSTOMER
            cancelling.cancel(session, order.number, by=by, secret_key=self._till.secret_key, now=now)

        self._db.run(work)

    def ask(self, token: str, message: str, *, key: str, now: datetime) -> None:
        """Write to the shop about this order."""

        def work(session: Session) -> None:
            checkout = _checkout(session, token)
            order = session.scalar(sa.select(Order).where(Order.checkout_id == checkout.id))
            if order is None:
                raise NotFound("unknown_order")
            form = LeadForm(
                key=key,
                kind="order_question",
                name=checkout.name,
                email=checkout.email,
                phone=checkout.phone,
                message=message,
                postcode=checkout.postcode,
                language=checkout.language,
                page="order",
            )
            lead = leads.submit(session, form, now=now)
            lead.order_ref = order.number
            session.execute(sa.update(Activity).where(Activity.lead_id == lead.id).values(order_ref=order.number))

        self._db.run(work)


class LocalLeads:
    """Take messages in."""

    def __init__(self, db: Database, secret_key: str) -> None:
        """Write to `db`; `secret_key` signs the links by which a consent is taken back."""
        self._db = db
        self._secret_key = secret_key

    def find_consent(self, token: str) -> ConsentView:
        """Return what was allowed, in the words of then."""
        with self._db.read() as session:
            consent = consents.get_by_token(session, self._secret_key, token)
            return ConsentView(consent.wording, consent.withdrawn_at is None)

    def withdraw_consent(self, token: str, *, now: datetime) -> None:
        """Take it back, for good."""

        def work(session: Session) -> None:
            consents.withdraw(session, consents.get_by_token(session, self._secret_key, token).id, now=now)

        self._db.run(work)

    def submit(self, form: LeadForm, *, now: datetime) -> LeadReceipt:
        """Write the message down as a lead; say when it is answered."""

        def work(session: Session) -> LeadReceipt:
            lead = leads.submit(session, form, now=now)
            zone = ZoneInfo(get_company(session).timezone)
            return LeadReceipt(lead.due_at, lead.due_at.astimezone(zone).date())

        return self._db.run(work)


def _checkout(session: Session, token: str) -> Checkout:
    checkout = session.scalar(sa.select(Checkout).where(Checkout.token_hash == links.hash_token(token)))
    if checkout is None:
        raise NotFound("unknown_order")
    return checkout


def _view(session: Session, order: Order, checkout: Checkout) -> OrderView:
    rows = orders.lines_of(session, order.id)
    lines = [_line(session, row, order.currency) for row in rows]
    subtotal = sum(line.total.amount_minor for line in lines)
    happened = session.scalars(
        sa.select(Activity).where(Activity.order_ref == order.number, Activity.kind.in_(SHOWN)).order_by(Activity.at, Activity.id)
    )
    waiting = slips.find_open(session, order.id)
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
        promised_on=max(row.promised_on for row in rows),
        expected_on=max(row.expected_on for row in rows),
        tracking=order.tracking or None,
        refunds=[
            OrderRefund(Money(one.amount_minor, one.currency), one.state, one.reason, one.settled_at or one.requested_at)
            for one in refunds.of_payment(session, order.payment_id)
        ],
        parcels=[_parcel(session, one) for one in fulfilment.parcels_of(session, order.number)],
        cancellable=order.state != "cancelled" and goods.is_possible(session, order.number),
        events=[_event(one) for one in happened],
        slip_id=waiting.id if waiting else None,
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


def _parcel(session: Session, shipment: t.Shipment) -> OrderParcel:
    items = [(session.get_one(t.Item, line.item_id), line.quantity) for line in fulfilment.lines_of(session, shipment.id)]
    return OrderParcel(
        number=shipment.parcel,
        state=shipment.state,
        lines=[(item.sku, item.name, quantity) for item, quantity in items],
        expected_on=shipment.expected_on or shipment.promised_on,
        tracking=shipment.tracking or None,
    )


def _line(session: Session, row: LineRow, currency: str) -> OrderLine:
    item = session.get_one(t.Item, row.item_id)
    product = session.get(t.Product, item.product_id) if item.product_id else None
    pictures = catalogue.pictures_of(session, [product.id])[product.id] if product else []
    own = [one for one in pictures if one.item_id == item.id] or pictures
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
