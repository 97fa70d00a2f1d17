"""Ordering on account: the order is placed in the transaction that freezes its cart, as nobody outside is to be asked."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from backoffice.crm import company_roles
from backoffice.crm.models import Checkout
from backoffice.db import Database
from backoffice.payments import on_account, refunds
from backoffice.payments import settle as settling
from backoffice.payments.gateway import Gateway, GatewayRefund
from backoffice.payments.models import Payment, Refund
from backoffice.public.checkout import OnAccount
from backoffice.public.errors import Refused
from backoffice.public.money import Money


def find(db: Database, account: str | None, total: Money, *, now: datetime) -> OnAccount | None:
    """Tell how who is logged in could put a total on their company's account; None: they may not at all."""
    with db.read() as session:
        buyer = on_account.find_buyer(session, account, now=now) if account else None
        if buyer is None or buyer.terms.currency != total.currency:
            return None
        terms = buyer.terms
        return OnAccount(
            company=buyer.company.name,
            due_days=terms.due_days,
            left=Money(company_roles.left_minor(terms.limit_minor, terms.used_minor), terms.currency),
            why_not=on_account.why_not(session, terms, total, now=now),
        )


def place(session: Session, payment: Payment, checkout: Checkout, buyer: on_account.Buyer, *, now: datetime) -> None:
    """Settle a payment on account: the order, its goods, what the company owes. All of it, or the caller takes all back.

    Raises Refused(hold_expired | not_available | not_on_account | account_paused | over_limit).
    """
    news = on_account.write(session, payment, checkout, buyer)
    try:
        settling.settle(session, news, event_id=f"placed:{news.ref}", now=now)
    except settling.NoOrderError as error:
        raise Refused(str(error)) from error
    on_account.take(session, payment, buyer.company.id, now=now)


def refund(gateway: Gateway, payment: Payment, wanted: Refund, *, now: datetime) -> GatewayRefund:
    """Give money back by whoever has it: the provider, or we ourselves, who take it off what is owed. Raises GatewayError."""
    if payment.provider == on_account.PROVIDER:
        return on_account.answer_refund(wanted)
    assert payment.provider_ref is not None
    amount = Money(wanted.amount_minor, wanted.currency)
    return gateway.refund(payment.provider_ref, amount, reference=refunds.reference(wanted), now=now)
