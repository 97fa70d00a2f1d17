"""Read models: what a company owes, what it may owe, what it pays; and who may work there too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import company_prices, company_roles, terms
from backoffice.crm.models import CompanyPrices, CompanyTerms, Order, Party
from backoffice.erp import price_lists
from backoffice.erp.company import get_company, local_today
from backoffice.erp.models import Invoice, PriceList
from backoffice.payments import on_account, receiving
from backoffice.payments.models import Payment, Receipt, Receivable


@dataclass(frozen=True, slots=True)
class Owed:
    """An order on account of which something is open. invoice: its number, empty before it is issued."""

    order: Order
    payment: Payment
    receivable: Receivable
    company: Party
    open_minor: int
    invoice: str
    overdue: bool
    receipts: Sequence[Receipt]


@dataclass(frozen=True, slots=True)
class CompanyAccount:
    """A company at the desk. terms None: it pays first, and always has. colleagues: who may work there too."""

    terms: CompanyTerms | None
    left_minor: int
    owed: Sequence[Owed]
    prices: Sequence[sa.Row[CompanyPrices, PriceList]]
    lists: Sequence[PriceList]
    colleagues: Sequence[Party]


def get_account(session: Session, company_id: int, *, now: datetime) -> CompanyAccount:
    """Return how a company stands with us."""
    agreed = terms.find_terms(session, company_id)
    return CompanyAccount(
        agreed,
        company_roles.left_minor(agreed.limit_minor, agreed.used_minor) if agreed is not None else 0,
        find_owed(session, company_id, now=now),
        company_prices.of_company(session, company_id),
        price_lists.every(session),
        terms.find_colleagues(session, company_id),
    )


def find_owed(session: Session, company_id: int | None = None, *, now: datetime) -> Sequence[Owed]:
    """Return the orders on account of which something is open, of one company or of all: the ones due first come first."""
    today = local_today(get_company(session), now)
    open_ones = (
        sa.select(Receivable, Payment, Order, Party, Invoice.number)
        .join(Payment, Payment.id == Receivable.payment_id)
        .join(Order, Order.payment_id == Payment.id)
        .join(Party, Party.id == Receivable.company_id)
        .outerjoin(Invoice, sa.and_(Invoice.order_ref == Order.number, Invoice.cause == "order:" + Order.number))
        .where(Payment.state != "voided", on_account.open_minor() != 0)
        .order_by(Receivable.due_on.is_(None), Receivable.due_on, Order.id)
    )
    if company_id is not None:
        open_ones = open_ones.where(Receivable.company_id == company_id)
    return [
        Owed(order, payment, owed, company, _open(payment, owed), number or "", _is_over(owed.due_on, payment, owed, today), came)
        for owed, payment, order, company, number in session.execute(open_ones)
        for came in [receiving.of_payment(session, payment.id)]
    ]


def _open(payment: Payment, owed: Receivable) -> int:
    return payment.amount_minor - payment.refunded_minor - owed.received_minor


def _is_over(due_on: date | None, payment: Payment, owed: Receivable, today: date) -> bool:
    return due_on is not None and due_on < today and _open(payment, owed) > 0
