"""Which papers are due: an invoice for each paid order, a credit note for each refund that was done. The worker issues them.

An invoice is due when the money comes, which is before the goods leave: from then on the tax is owed (Directive 2006/112/EC,
Article 65); on account it is due when they leave. It is issued a moment later by the worker, in a transaction of its own, so
that no buyer waits for a number of the series. What is due is marked on the order and on the refund; the mark is taken by a
conditional update, so that of two workers one issues.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from backoffice.crm.models import Checkout, Order
from backoffice.db import Database
from backoffice.erp import invoicing, taxes
from backoffice.erp import models as t
from backoffice.erp.company import get_company
from backoffice.payments import on_account
from backoffice.payments.models import Payment, Refund
from backoffice.public.addresses import PARTS
from backoffice.wording import day_in

MOST = 200  # of each kind at once
log = structlog.get_logger()


def issue_due(db: Database, *, now: datetime) -> int:
    """Issue what is due, each in a transaction of its own; return how many. One that cannot be keeps no other."""
    with db.read() as session:
        orders = session.scalars(sa.select(Order.id).where(Order.to_invoice).order_by(Order.id).limit(MOST)).all()
    issued = sum(_issue(db, invoice_order, one, now) for one in orders)
    with db.read() as session:
        refunds = session.scalars(sa.select(Refund.id).where(_TO_CREDIT).order_by(Refund.id).limit(MOST)).all()
    return issued + sum(_issue(db, credit_refund, one, now) for one in refunds)


def _issue(db: Database, verb: Callable[..., t.Invoice | None], subject: int, now: datetime) -> bool:
    try:
        return db.run(lambda session: verb(session, subject, now=now)) is not None
    except Exception:  # it is due again at the next turn; verify finds what stays without its paper
        log.exception("paper_not_issued", paper=verb.__name__, subject=subject)
        return False


def invoice_order(session: Session, order_id: int, *, now: datetime) -> t.Invoice | None:
    """Issue the invoice of an order as it was paid; None: it was issued before."""
    due = sa.update(Order).where(Order.id == order_id, Order.to_invoice).values(to_invoice=False).returning(Order.id)
    if session.execute(due.execution_options(synchronize_session=False)).first() is None:
        return None
    order = session.get_one(Order, order_id)
    checkout, payment = session.get_one(Checkout, order.checkout_id), session.get_one(Payment, order.payment_id)
    paid_at = payment.settled_at or order.placed_at
    return invoicing.issue(
        session,
        f"order:{order.number}",
        order.number,
        _parts(session, checkout, paid_at),
        currency=checkout.currency,
        buyer={name: getattr(checkout, name) for name in ("email", *PARTS)},
        paid_at=paid_at,
        due_on=on_account.due_on(session, payment),
        now=now,
    )


def credit_refund(session: Session, refund_id: int, *, now: datetime) -> t.Invoice | None:
    """Issue the credit note of a refund that was done, or take it back where its money never arrived.

    None: it was issued before, the order's invoice is still due, or there is none: of what became no order, and of an order
    from before invoices were issued here.
    """
    refund = session.get_one(Refund, refund_id, with_for_update=True, populate_existing=True)
    if not _is_to_credit(refund):
        return None
    order = session.scalar(sa.select(Order).where(Order.payment_id == refund.payment_id))
    if order is not None and order.to_invoice:
        return None
    refund.credited = not refund.credited
    invoice = invoicing.find_by_cause(session, f"order:{order.number}") if order is not None else None
    if invoice is None:
        return None
    cause, at = f"refund:{refund.id}", refund.settled_at or now
    if refund.state == "failed":
        note = invoicing.find_by_cause(session, cause)
        return invoicing.take_back(session, f"{cause}:failed", note, paid_at=at, now=now) if note else None
    return invoicing.credit(session, cause, invoice, refund.amount_minor, parts=refund.parts, paid_at=at, now=now)


_TO_CREDIT = sa.or_(
    sa.and_(Refund.state == "succeeded", Refund.credited.is_(False)),
    sa.and_(Refund.state == "failed", Refund.credited.is_(True)),
)


def _is_to_credit(refund: Refund) -> bool:
    return (refund.state == "failed") if refund.credited else (refund.state == "succeeded")


def _parts(session: Session, checkout: Checkout, paid_at: datetime) -> Sequence[invoicing.Part]:
    """Return what was paid for, line by line, the highest rate first. What is done for the goods bears their rate.

    Where they have several, delivery and discount are shared over these by what the goods cost.
    """
    company = get_company(session)
    seller, day = company.country, day_in(company.timezone, paid_at)
    kinds = [line.get("tax_kind") or taxes.STANDARD for line in checkout.lines]
    goods = [
        _goods(line, taxes.rate_of(seller, checkout.country, day, kind)) for line, kind in zip(checkout.lines, kinds, strict=True)
    ]
    by_rate: dict[int, int] = defaultdict(int)
    for part in goods:
        by_rate[part.rate_bp] += part.gross_minor
    if not any(by_rate.values()):  # all of it is free, or nothing is known of it
        by_rate = {max(by_rate, default=taxes.rate_of(seller, checkout.country, day)): 1}
    rates = sorted(by_rate, reverse=True)
    parts = sorted(goods, key=lambda part: -part.rate_bp)
    for kind, amount, text in (
        ("discount", -checkout.discount_minor, checkout.coupon_code),
        ("delivery", checkout.shipping_minor, ""),
    ):
        shared = taxes.shares(amount, [by_rate[rate] for rate in rates])
        parts += [invoicing.Part(kind, part, rate, text=text) for rate, part in zip(rates, shared, strict=True) if part]
    return parts


def _goods(frozen: dict[str, Any], rate: int) -> invoicing.Part:
    name = f"{frozen['name']}, {frozen['options']}" if frozen["options"] else frozen["name"]
    return invoicing.Part(
        "goods", frozen["unit_price_minor"] * frozen["quantity"], rate, frozen["sku"], name, int(frozen["quantity"])
    )
