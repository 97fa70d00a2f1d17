"""Money: each payment has its order or went back, and every sum is the sum of its parts."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from backoffice.crm.models import Checkout, CompanyTerms, Coupon, CouponRedemption, CouponUse, Order, OrderLine
from backoffice.erp import models as t
from backoffice.payments.models import Payment, PaymentEvent, Receipt, Receivable, Refund
from backoffice.payments.on_account import PROVIDER
from backoffice.verify.rule import Query, Rule

SETTLED_WITHIN = timedelta(minutes=5)
PAID = ("succeeded", "partly_refunded", "refunded", "disputed")
UNPAID = ("processing", "failed", "expired")
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
        .where(sa.or_(Payment.id.is_(None), Payment.state.not_in((*PAID, "authorised", "voided"))))
        .order_by(Order.id)
    )


def _never_taken() -> Query:
    """Return the orders that have left, at least in part, with their money not taken, and those whose money was let go unseen."""
    left = sa.exists().where(t.Shipment.order_ref == Order.number, t.Shipment.shipped_at < sa.bindparam("now"))
    held = sa.exists().where(t.HeldOrder.order_ref == Order.number)
    return (
        sa.select(Order.number, Order.state, Payment.state.label("paid"))
        .join(Payment, Payment.id == Order.payment_id)
        .where(
            sa.or_(
                sa.and_(Payment.state.in_(("authorised", "voided")), Payment.problem == "", left),
                sa.and_(Payment.state == "voided", Order.state.not_in(GONE), ~held),
            )
        )
        .order_by(Order.id)
    )


def _not_let_go() -> Query:
    """Return money that a bank still keeps aside for nothing: its order is cancelled, or never was one."""
    since = sa.case((Order.id.is_(None), Payment.expires_at), else_=Order.cancelled_at)
    return (
        sa.select(Payment.id, Payment.amount_minor, Payment.currency)
        .outerjoin(Order, Order.payment_id == Payment.id)
        .where(Payment.state == "authorised", since < sa.bindparam("now"))
        .order_by(Payment.id)
    )


def _too_early() -> Query:
    """Return the papers over money that was never taken."""
    return (
        sa.select(t.Invoice.number, Payment.id, Payment.state)
        .join(Order, Order.number == t.Invoice.order_ref)
        .join(Payment, Payment.id == Order.payment_id)
        .where(Payment.state.in_(("authorised", "voided")))
        .order_by(t.Invoice.id)
    )


def _overdue() -> Query:
    """Return the payments without an end though their page is over, and those that came to something nobody could settle."""
    over, why = Payment.expires_at < sa.bindparam("now"), sa.func.nullif(Payment.problem, "")
    return (
        sa.select(Payment.id, Payment.state, sa.func.coalesce(why, "none").label("problem"))
        .where(over, sa.or_(Payment.state == "opened", sa.and_(Payment.state.in_(UNPAID), Payment.problem != "")))
        .order_by(Payment.id)
    )


def _paying_nothing() -> Query:
    """Return what is kept for a cart that is paying, of which no payment is on its way."""
    cart = sa.literal("cart:").concat(sa.cast(Checkout.cart_id, sa.Text()))
    on_its_way = (
        sa.select(cart)
        .join(Payment, Payment.checkout_id == Checkout.id)
        .where(Checkout.state == "open", Payment.state.in_(("opened", "processing")))
    )
    kept = t.Reservation
    return (
        sa.select(kept.id, kept.quantity, kept.owner_ref)
        .where(kept.state == "paying", kept.owner_ref.not_in(on_its_way))
        .order_by(kept.id)
    )


def _totals() -> Query:
    lines = (
        sa.select(OrderLine.order_id, sa.func.sum(OrderLine.unit_price_minor * OrderLine.quantity).label("lines"))
        .group_by(OrderLine.order_id)
        .subquery()
    )
    total = sa.func.coalesce(lines.c.lines, 0) + Order.shipping_minor - Order.discount_minor
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
        .where(sa.or_(left < 0, sa.and_(left > given, Payment.state != "voided"), Order.currency != Payment.currency))
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
        .where(
            sa.or_(
                sa.and_(Order.state.not_in(GONE), ~kept, OrderLine.withdrawn < OrderLine.quantity),
                t.Reservation.order_ref.is_distinct_from(Order.number),
            )
        )
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


def _uninvoiced() -> Query:
    paid_at = sa.func.coalesce(Payment.settled_at, Order.placed_at)
    return (
        sa.select(Order.number, Order.placed_at)
        .join(Payment, Payment.id == Order.payment_id)
        .where(Order.to_invoice, paid_at < sa.bindparam("now"))
        .order_by(Order.id)
    )


def _papers() -> Query:
    """Return the orders whose papers say another sum than what was paid and not given back; on their way ones count as due."""
    sign = sa.case((t.Invoice.kind == "invoice", 1), else_=-1)
    said = (
        sa.select(
            t.Invoice.order_ref,
            sa.func.sum(t.Invoice.gross_minor * sign).label("said"),
            sa.func.max(t.Invoice.currency).label("currency"),
            sa.func.min(t.Invoice.currency).label("least"),
        )
        .group_by(t.Invoice.order_ref)
        .subquery()
    )
    back = (
        sa.select(Refund.payment_id, sa.func.sum(Refund.amount_minor).label("given"))
        .where(sa.or_(Refund.credited, sa.and_(Refund.state == "succeeded", Refund.settled_at < sa.bindparam("now"))))
        .where(sa.or_(Refund.state != "failed", Refund.settled_at >= sa.bindparam("now")))
        .group_by(Refund.payment_id)
        .subquery()
    )
    kept = Payment.amount_minor - sa.func.coalesce(back.c.given, 0)
    return (
        sa.select(Order.number, said.c.said, said.c.currency, kept.label("kept"))
        .join(Order, Order.number == said.c.order_ref)
        .join(Payment, Payment.id == Order.payment_id)
        .outerjoin(back, back.c.payment_id == Payment.id)
        .where(sa.or_(said.c.said != kept, said.c.currency != Payment.currency, said.c.least != Payment.currency))
        .order_by(Order.id)
    )


def _paper_lines() -> Query:
    line = t.InvoiceLine
    parts = (
        sa.select(line.invoice_id, sa.func.sum(line.gross_minor).label("gross"), sa.func.sum(line.tax_minor).label("tax"))
        .group_by(line.invoice_id)
        .subquery()
    )
    return (
        sa.select(t.Invoice.number, t.Invoice.gross_minor, t.Invoice.currency, sa.func.coalesce(parts.c.gross, 0).label("gross"))
        .outerjoin(parts, parts.c.invoice_id == t.Invoice.id)
        .where(sa.or_(parts.c.gross.is_distinct_from(t.Invoice.gross_minor), parts.c.tax.is_distinct_from(t.Invoice.tax_minor)))
        .order_by(t.Invoice.id)
    )


def _owed() -> Query:
    """Return the companies of which we count another sum than their orders on account make, less what came and went back."""
    owed = Payment.amount_minor - Payment.refunded_minor - Receivable.received_minor
    standing = (
        sa.select(Receivable.company_id, sa.func.sum(owed).label("owed"))
        .join(Payment, Payment.id == Receivable.payment_id)
        .where(Payment.state != "voided")
        .group_by(Receivable.company_id)
        .subquery()
    )
    there, terms = sa.func.coalesce(standing.c.owed, 0), CompanyTerms
    return (
        sa.select(terms.party_id, terms.used_minor, terms.currency, there.label("owed"))
        .outerjoin(standing, standing.c.company_id == terms.party_id)
        .where(terms.used_minor != there)
        .order_by(terms.party_id)
    )


def _received() -> Query:
    came = sa.select(Receipt.payment_id, sa.func.sum(Receipt.amount_minor).label("came")).group_by(Receipt.payment_id).subquery()
    there = sa.func.coalesce(came.c.came, 0)
    return (
        sa.select(Receivable.payment_id, Receivable.received_minor, there.label("came"))
        .outerjoin(came, came.c.payment_id == Receivable.payment_id)
        .where(Receivable.received_minor != there)
        .order_by(Receivable.payment_id)
    )


def _on_account() -> Query:
    """Return what is on account and belongs to no company, and the other way round; and what is invoiced without a due day."""
    by_us, invoiced = Payment.provider == PROVIDER, Payment.state.in_(PAID)
    return (
        sa.select(Payment.id, Payment.state, Receivable.company_id, Receivable.due_on)
        .outerjoin(Receivable, Receivable.payment_id == Payment.id)
        .where(
            sa.or_(
                by_us != Receivable.payment_id.is_not(None),
                sa.and_(by_us, invoiced != Receivable.due_on.is_not(None)),
            )
        )
        .order_by(Payment.id)
    )


def _gaps() -> Query:
    """Return the series whose numbers are not all there: each is there once, so as many as the highest means no gap."""
    series, paper = t.NumberSeries, t.Invoice
    there = (
        sa.select(paper.kind, paper.year, sa.func.count().label("there"), sa.func.max(paper.serial).label("highest"))
        .group_by(paper.kind, paper.year)
        .subquery()
    )
    return (
        sa.select(series.kind, series.year, series.last, sa.func.coalesce(there.c.there, 0).label("there"))
        .outerjoin(there, sa.and_(there.c.kind == series.kind, there.c.year == series.year))
        .where(sa.or_(there.c.there.is_distinct_from(series.last), there.c.highest.is_distinct_from(series.last)))
        .order_by(series.kind, series.year)
    )


def _coupons() -> Query:
    """Return the codes whose count is not that of their live uses, all together or of one buyer, or is above the limit."""
    live = CouponRedemption.state == "live"
    uses = sa.select(CouponRedemption.coupon_id, sa.func.count().label("live")).where(live)
    uses_by_code = uses.group_by(CouponRedemption.coupon_id).subquery()
    per = sa.select(CouponUse.coupon_id, sa.func.sum(CouponUse.used).label("counted"), sa.func.max(CouponUse.used).label("most"))
    by_code = per.group_by(CouponUse.coupon_id).subquery()
    counted, there = sa.func.coalesce(by_code.c.counted, 0), sa.func.coalesce(uses_by_code.c.live, 0)
    return (
        sa.select(Coupon.code, Coupon.used, there.label("live"), counted.label("counted"))
        .outerjoin(uses_by_code, uses_by_code.c.coupon_id == Coupon.id)
        .outerjoin(by_code, by_code.c.coupon_id == Coupon.id)
        .where(sa.or_(Coupon.used != there, Coupon.used != counted))
        .order_by(Coupon.id)
    )


RULES = (
    Rule("I4", "payment {id} of {amount_minor} {currency} became no order, and {given} went back", _orphans()),
    Rule("I4", "order {number} stands on payment {payment_id}, which is {state}", _unpaid()),
    Rule("I4", "order {number} is {state}, and its payment is {paid}: it was never taken", _never_taken(), SETTLED_WITHIN),
    Rule("I4", "payment {id}: {amount_minor} {currency} are still set aside for nothing", _not_let_go(), SETTLED_WITHIN),
    Rule("I4", "payment {id} is {state}, its page is over, problem: {problem}", _overdue(), SETTLED_WITHIN),
    Rule("I4", "reservation {id}: {quantity} are kept for {owner_ref}, which pays for nothing", _paying_nothing()),
    Rule("I5", "paper {number} is over payment {id}, which is {state}", _too_early()),
    Rule("I5", "order {number}: {total_minor} {currency} in all, its parts make {parts}", _totals()),
    Rule("I5", "order {number}: {total_minor} {currency}, paid were {amount_minor} {paid_in}", _paid_amounts()),
    Rule("I5", "payment {id}: {refunded_minor} {currency} given back, its refunds make {given}", _given_back()),
    Rule("I5", "order {number} has had no invoice since {placed_at:%Y-%m-%d %H:%M:%S}", _uninvoiced(), SETTLED_WITHIN),
    Rule(
        "I5", "order {number}: its papers make {said} {currency}, paid and not given back are {kept}", _papers(), SETTLED_WITHIN
    ),
    Rule("I5", "paper {number}: {gross_minor} {currency}, its lines make {gross}", _paper_lines()),
    Rule("I5", "numbers of {kind} in {year}: the series stands at {last}, of which {there} are there", _gaps()),
    Rule("I5", "company {party_id} owes {used_minor} {currency}, its orders on account make {owed}", _owed()),
    Rule("I5", "payment {payment_id}: {received_minor} received on account, its receipts make {came}", _received()),
    Rule("I5", "payment {id} ({state}) is on account of company {company_id}, due on {due_on}", _on_account()),
    Rule("I15", "coupon {code}: used {used} times, live uses are {live}, of its buyers {counted}", _coupons()),
    Rule("I6", "checkout {id} is {state}, its order is {number}", _checkouts()),
    Rule("I7", "event {id} ({kind}) still waits for the payment that it speaks of", _unheard(), SETTLED_WITHIN),
    Rule("I2", "order {number}, line {id}: its goods are {state}, kept for {order_ref}", _unreserved()),
    Rule("I2", "order {number} is cancelled, and reservation {id} still keeps goods for it", _kept_for_nothing()),
)
