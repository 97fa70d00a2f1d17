"""Whose data it is: a person's rows in every table hang on these few keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import parties
from backoffice.crm.models import Account, Cart, Checkout, Lead, Order, Party, ServiceCase
from backoffice.db import is_reading
from backoffice.payments.models import Payment
from backoffice.public.errors import BadInput, NotFound, Refused


@dataclass(frozen=True, slots=True)
class Person:
    """The keys of one person. emails: every address they are known by here, in lower case."""

    party_id: int
    emails: Sequence[str]
    accounts: Sequence[int]
    leads: Sequence[int]
    lead_numbers: Sequence[str]
    cases: Sequence[int]
    case_numbers: Sequence[str]
    orders: Sequence[int]
    order_numbers: Sequence[str]
    checkouts: Sequence[int]
    carts: Sequence[int]
    payments: Sequence[int]
    payment_refs: Sequence[str]  # their names at the payment provider

    @property
    def subjects(self) -> Sequence[str]:
        """Return what the record of changes and the outbox call what is theirs."""
        named = {"party": [self.party_id], "account": self.accounts, "lead": self.lead_numbers, "order": self.order_numbers}
        named["case"] = self.case_numbers
        return [f"{kind}:{key}" for kind, keys in named.items() for key in keys]


def find_by_email(session: Session, email: str) -> int | None:
    """Return the number of the party with this address, as it was typed."""
    try:
        address = parties.normalise_email(email)
    except BadInput:
        return None
    of_account = sa.select(Account.party_id).where(Account.email == address)
    return session.scalar(sa.select(Party.id).where(Party.email == address)) or session.scalar(of_account)


def get_person(session: Session, party_id: int) -> Person:
    """Return somebody's keys, their row locked where the session writes.

    Raises NotFound(unknown_record), Refused(not_a_person) for a company.
    """
    party = session.get(Party, party_id, populate_existing=True, with_for_update=None if is_reading(session) else True)
    if party is None:
        raise NotFound("unknown_record")
    if party.kind != "person":
        raise Refused("not_a_person")
    accounts = session.execute(sa.select(Account.id, Account.email).where(Account.party_id == party_id)).all()
    leads = session.execute(sa.select(Lead.id, Lead.number).where(Lead.party_id == party_id).order_by(Lead.id)).all()
    cases = session.execute(
        sa.select(ServiceCase.id, ServiceCase.number).where(ServiceCase.party_id == party_id).order_by(ServiceCase.id)
    ).all()
    orders = session.execute(
        sa.select(Order.id, Order.number, Order.checkout_id).where(Order.party_id == party_id).order_by(Order.id)
    ).all()
    known = {one.lower() for one in (party.email, *(row.email for row in accounts)) if one}
    theirs = sa.or_(
        Checkout.id.in_([row.checkout_id for row in orders]),
        Checkout.account_id.in_([row.id for row in accounts]),
        Checkout.lead_id.in_([row.id for row in leads]),
        sa.func.lower(Checkout.email).in_(known),
    )
    checkouts = session.execute(
        sa.select(Checkout.id, Checkout.cart_id, Checkout.email).where(theirs).order_by(Checkout.id)
    ).all()
    carts = sa.or_(Cart.id.in_([row.cart_id for row in checkouts]), Cart.account_id.in_([row.id for row in accounts]))
    payments = session.execute(
        sa.select(Payment.id, Payment.provider_ref, Payment.intent_ref).where(
            Payment.checkout_id.in_([row.id for row in checkouts])
        )
    ).all()
    return Person(
        party_id=party_id,
        emails=sorted(known | {row.email.lower() for row in checkouts if row.email}),
        accounts=[row.id for row in accounts],
        leads=[row.id for row in leads],
        lead_numbers=[row.number for row in leads],
        cases=[row.id for row in cases],
        case_numbers=[row.number for row in cases],
        orders=[row.id for row in orders],
        order_numbers=[row.number for row in orders],
        checkouts=[row.id for row in checkouts],
        carts=session.scalars(sa.select(Cart.id).where(carts).order_by(Cart.id)).all(),
        payments=[row.id for row in payments],
        payment_refs=[ref for row in payments for ref in (row.provider_ref, row.intent_ref) if ref],
    )
