"""Orders on account: a company that may owe us, up to a limit, instead of paying first.

It is a payment like any other whose provider is ourselves. Set aside (`authorised`) while the goods are here, taken when the
first parcel leaves: from then on there is an invoice, and a day until which it is to be paid. Money back is taken off what is
owed. So goods, papers, cancelling and returns go the way that they go for a card, and by the same rules.

What a company owes (`CompanyTerms.used_minor`) is raised last in the transaction that places an order, under the database's own
condition: of two who order at the same moment only so many get through as fit. It is lowered with all that is taken back or
received. Locks: the payment, the goods, then the company's terms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import accounts, company_roles
from backoffice.crm.models import Checkout, CompanyTerms, Order, Party
from backoffice.db import write_row
from backoffice.erp.company import get_company, local_today
from backoffice.payments.gateway import GatewayRefund, PaymentSession
from backoffice.payments.models import Payment, Receivable, Refund
from backoffice.public.errors import Refused
from backoffice.public.money import Money

PROVIDER = "account"
INVOICED = ("succeeded", "partly_refunded")


@dataclass(frozen=True, slots=True)
class Buyer:
    """Somebody who may order on account: their company, and what was agreed with it."""

    person: Party
    company: Party
    terms: CompanyTerms


def find_buyer(session: Session, account: str | None, *, now: datetime) -> Buyer | None:
    """Return who is logged in with this token, if they may order on account for their company."""
    found = accounts.find_session(session, account, now=now)
    if found is None or found[0].confirmed_at is None:
        return None
    company = sa.orm.aliased(Party)
    row = session.execute(
        sa.select(Party, company, CompanyTerms)
        .join(company, company.id == Party.company_id)
        .join(CompanyTerms, CompanyTerms.party_id == company.id)
        .where(Party.id == found[0].party_id, CompanyTerms.limit_minor > 0)
        .execution_options(populate_existing=True)
    ).first()
    return Buyer(*row) if row is not None and company_roles.ROLES[row[0].company_role].buys else None


def get_buyer(session: Session, account: str | None, *, now: datetime) -> Buyer:
    """Return who may order on account. Raises Refused(not_on_account)."""
    buyer = find_buyer(session, account, now=now)
    if buyer is None:
        raise Refused("not_on_account")
    return buyer


def why_not(session: Session, terms: CompanyTerms, amount: Money, *, now: datetime) -> company_roles.Why:
    """Return why an amount cannot be put on account now; "": it can."""
    return company_roles.why_not(
        limit_minor=terms.limit_minor,
        used_minor=terms.used_minor,
        amount_minor=amount.amount_minor,
        overdue=is_overdue(session, terms.party_id, now=now),
        pause_overdue=terms.pause_overdue,
    )


def is_overdue(session: Session, company_id: int, *, now: datetime) -> bool:
    """Tell whether a company has an invoice whose day is over and that is not paid."""
    late = open_ones(company_id).where(Receivable.due_on < local_today(get_company(session), now))
    return session.scalar(sa.select(late.exists())) or False


def open_minor() -> sa.ColumnElement[int]:
    """Return what is still owed of a payment, in SQL."""
    return Payment.amount_minor - Payment.refunded_minor - Receivable.received_minor


def open_ones(company_id: int | None = None) -> sa.Select[Receivable, Payment, Order]:
    """Select what is invoiced and still owed, with payment and order, of one company or of all."""
    found = (
        sa.select(Receivable, Payment, Order)
        .join(Payment, Payment.id == Receivable.payment_id)
        .join(Order, Order.payment_id == Payment.id)
        .where(Payment.state.in_(INVOICED), open_minor() > 0)
    )
    return found if company_id is None else found.where(Receivable.company_id == company_id)


def write(session: Session, payment: Payment, checkout: Checkout, buyer: Buyer) -> PaymentSession:
    """Make a payment one on account; return the news with which it is settled like any other.

    Raises Refused(not_on_account | account_paused).
    """
    terms = buyer.terms
    if terms.currency != payment.currency:
        raise Refused("not_on_account")
    checkout.company = checkout.company or buyer.company.name
    payment.provider_ref, payment.capture_later = f"{PROVIDER}:{payment.id}", True
    session.flush()
    write_row(session, Receivable(payment_id=payment.id, company_id=buyer.company.id, due_days=terms.due_days))
    return _news(payment, "authorised")


def take(session: Session, payment: Payment, company_id: int, *, now: datetime) -> None:
    """Count an order against its company's limit: the last thing that placing it does.

    Raises Refused(over_limit, left, currency), Refused(account_paused); the caller takes everything back then.
    """
    used = CompanyTerms.used_minor + payment.amount_minor
    within = sa.update(CompanyTerms).where(CompanyTerms.party_id == company_id, used <= CompanyTerms.limit_minor)
    won = session.execute(
        within.values(used_minor=used).returning(CompanyTerms.party_id).execution_options(synchronize_session=False)
    ).first()
    terms = session.get_one(CompanyTerms, company_id, populate_existing=True)
    if won is None:
        left = company_roles.left_minor(terms.limit_minor, terms.used_minor)
        raise Refused("over_limit", left=Money(left, terms.currency))
    if terms.pause_overdue and is_overdue(session, company_id, now=now):
        raise Refused("account_paused")


def give(session: Session, payment: Payment, amount_minor: int) -> None:
    """Lower what a payment's company owes; less than nothing raises it. Of any other payment nothing is done."""
    if payment.provider != PROVIDER or not amount_minor:
        return
    of = sa.select(Receivable.company_id).where(Receivable.payment_id == payment.id).scalar_subquery()
    lowered = sa.update(CompanyTerms).where(CompanyTerms.party_id == of)
    session.execute(
        lowered.values(used_minor=CompanyTerms.used_minor - amount_minor).execution_options(synchronize_session="fetch")
    )


def note_invoiced(session: Session, payment: Payment, *, now: datetime) -> None:
    """Say until when a payment on account is to be paid, now that its goods leave. Of any other nothing is done."""
    if payment.provider != PROVIDER:
        return
    owed = session.get_one(Receivable, payment.id)
    owed.due_on = local_today(get_company(session), now) + timedelta(days=owed.due_days)


def due_on(session: Session, payment: Payment) -> date | None:
    """Return until when a payment is to be paid; None: it is not on account, or not invoiced yet."""
    owed = session.get(Receivable, payment.id) if payment.provider == PROVIDER else None
    return owed.due_on if owed is not None else None


def answer(payment: Payment) -> PaymentSession:
    """Return what we say, as the provider, to the end that was asked for a payment on account."""
    return _news(payment, "paid" if payment.ending == "capture" else "voided")


def answer_refund(refund: Refund) -> GatewayRefund:
    """Return what we say, as the provider, to money back: it is taken off what is owed, at once."""
    return GatewayRefund(f"{PROVIDER}:refund:{refund.id}", "succeeded", Money(refund.amount_minor, refund.currency))


def owed_by(session: Session, company_id: int) -> Sequence[sa.Row[Receivable, Payment, Order]]:
    """Return a company's orders on account of which something is owed, invoiced or not, the oldest first."""
    standing = sa.select(Receivable, Payment, Order).join(Payment, Payment.id == Receivable.payment_id)
    owed = standing.join(Order, Order.payment_id == Payment.id).where(
        Receivable.company_id == company_id, Payment.state != "voided", open_minor() != 0
    )
    return session.execute(owed.order_by(Order.id)).all()


def _news(payment: Payment, state: str) -> PaymentSession:
    assert payment.provider_ref is not None
    amount = Money(payment.amount_minor, payment.currency)
    return PaymentSession(payment.provider_ref, "", state, amount, payment.expires_at)  # type: ignore[arg-type] # one of its states
