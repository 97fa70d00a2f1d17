"""Money: each payment has its order or went back, and every sum is the sum of its parts."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from backoffice.crm.models import Checkout, Order, OrderLine
from backoffice.erp import models as t
from backoffice.payments.models import Payment, PaymentEvent, Refund
from backoffice.verify.rule import Query, Rule

SETTLED_WITHIN = timedelta(minutes=5)
PAID = ("succeeded", "partly_refunded", "refunded", "disputed")
GONE = ("cancelled",)


def _refunds() -> sa.Subquery:
    return (
        sa.select(Refund.payment_id, sa.func.sum(Refund.amount_minor).label("given"))
        .where(Refund.state != "failed")
        .group_by(Refund.payment_id)
        .subquery()
    )


def _orphans() -> Query:
    back = _refunds()
    given = sa.func.coalesce(back.c.given, 0)
    return (
        sa.select(Payment.id, Payment.amount_minor, Payment.currency, given.label("given"))
        .outerjoin(Order, Order.payment_id == Payment.id)
        .outerjoin(back, back.c.payment_id == Payment.id)
        .where(Payment.state.in_(PAID), Order.id.is_(None), given != Payment.amount_minor)
        .order_by(Payment.id)
    )


def _unpaid() -> Query:
    return (
        sa.select(Order.number, Order.payment_id, sa.func.coalesce(Payment.state, "missing").label("state"))
        .outerjoin(Payment, Payment.id == Order.payment_id)
        .where(sa.or_(Payment.id.is_(None), Payment.state.not_in(PAID)))
        .order_by(Order.id)
    )


def _totals() -> Query:
    lines = (
        sa.select(OrderLine.order_id, sa.func.sum(OrderLine.unit_price_minor * OrderLine.quantity).label("lines"))
        .group_by(OrderLine.order_id)
        .subquery()
    )
    total = sa.func.coalesce(lines.c.lines, 0) + Order.shipping_minor
    return (
        sa.select(Order.number, Order.total_minor, Order.currency, total.label("parts"))
        .outerjoin(lines, lines.c.order_id == Order.id)
        .where(Order.total_minor != total)
        .order_by(Order.id)
    )


def _paid_amounts() -> Query:
    """Return the orders that cost more than was paid, less without money having gone back for it, or in another currency."""
    back = _refunds()
    given = sa.func.coalesce(back.c.given, 0)
    left = Payment.amount_minor - Order.total_minor
    return (
        sa.select(Order.number, Order.total_minor, Order.currency, Payment.amount_minor, Payment.currency.label("paid_in"))
        .join(Payment, Payment.id == Order.payment_id)
        .outerjoin(back, back.c.payment_id == Payment.id)
        .where(sa.or_(left < 0, left > given, Order.currency != Payment.currency))
        .order_by(Order.id)
    )


def _given_back() -> Query:
    back = _refunds()
    given = sa.func.coalesce(back.c.given, 0)
    return (
        sa.select(Payment.id, Payment.refunded_minor, Payment.currency, given.label("given"))
        .outerjoin(back, back.c.payment_id == Payment.id)
        .where(Payment.refunded_minor != given)
        .order_by(Payment.id)
    )


def _checkouts() -> Query:
    return (
        sa.select(Checkout.id, Checkout.state, Order.number)
        .outerjoin(Order, Order.checkout_id == Checkout.id)
        .where((Checkout.state == "completed") != Order.id.is_not(None))
        .order_by(Checkout.id)
    )


def _unreserved() -> Query:
    """Return the lines of standing orders whose goods are kept for nobody, or for another order."""
    kept = t.Reservation.state.in_(("converted", "shipped"))
    return (
        sa.select(Order.number, OrderLine.id, t.Reservation.state, t.Reservation.order_ref)
        .join(Order, Order.id == OrderLine.order_id)
        .join(t.Reservation, t.Reservation.id == OrderLine.reservation_id)
        .where(sa.or_(sa.and_(Order.state.not_in(GONE), ~kept), t.Reservation.order_ref.is_distinct_from(Order.number)))
        .order_by(OrderLine.id)
    )


def _kept_for_nothing() -> Query:
    return (
        sa.select(Order.number, t.Reservation.id)
        .join(t.Reservation, t.Reservation.order_ref == Order.number)
        .where(Order.state.in_(GONE), t.Reservation.state == "converted")
        .order_by(t.Reservation.id)
    )


def _unheard() -> Query:
    return (
        sa.select(PaymentEvent.id, PaymentEvent.kind)
        .where(PaymentEvent.outcome == "waiting", PaymentEvent.received_at < sa.bindparam("now"))
        .order_by(PaymentEvent.received_at, PaymentEvent.id)
    )


RULES = (
    Rule("I4", "payment {id} of {amount_minor} {currency} became no order, and {given} went back", _orphans()),
    Rule("I4", "order {number} stands on payment {payment_id}, which is {state}", _unpaid()),
    Rule("I5", "order {number}: {total_minor} {currency} in all, its parts make {parts}", _totals()),
    Rule("I5", "order {number}: {total_minor} {currency}, paid were {amount_minor} {paid_in}", _paid_amounts()),
    Rule("I5", "payment {id}: {refunded_minor} {currency} given back, its refunds make {given}", _given_back()),
    Rule("I6", "checkout {id} is {state}, its order is {number}", _checkouts()),
    Rule("I7", "event {id} ({kind}) still waits for the payment that it speaks of", _unheard(), SETTLED_WITHIN),
    Rule("I2", "order {number}, line {id}: its goods are {state}, kept for {order_ref}", _unreserved()),
    Rule("I2", "order {number} is cancelled, and reservation {id} still keeps goods for it", _kept_for_nothing()),
)
