"""Whose data it is: a person's rows in every table hang on these few keys."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import identity, lost_demand, parties, quotations, telephones
from backoffice.crm.models import Account, Cart, Checkout, Lead, Order, Party, Quotation, ServiceCase, Visit, VisitEvent
from backoffice.db import is_reading
from backoffice.payments.models import Payment
from backoffice.public.errors import BadInput, NotFound, Refused

Rows = Sequence[Any]
MOST = 20  # people that are shown to choose from


@dataclass(frozen=True, slots=True)
class Person:
    """The keys of one person. party_id: the first of party_ids. emails: every address they are known by here, in lower case.

    telephones: their numbers, see find_telephone.
    """

    party_id: int
    party_ids: Sequence[int]
    emails: Sequence[str]
    telephones: Sequence[str]
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
    quotations: Sequence[str]  # as the record of changes calls them
    searches: Sequence[str]  # words, as they are counted where nothing was found

    @property
    def subjects(self) -> Sequence[str]:
        """Return what the record of changes and the outbox call what is theirs."""
        named: dict[str, Sequence[object]] = {
            "party": self.party_ids,
            "account": self.accounts,
            "lead": self.lead_numbers,
            "case": self.case_numbers,
            "order": self.order_numbers,
            "payment": self.payments,
        }
        return [*(f"{kind}:{key}" for kind, keys in named.items() for key in keys), *self.quotations]


def find_by_email(session: Session, email: str) -> int | None:
    """Return the number of the party with this address, as it was typed."""
    try:
        address = parties.normalise_email(email)
    except BadInput:
        return None
    of_account = sa.select(Account.party_id).where(Account.email == address)
    return session.scalar(sa.select(Party.id).where(Party.email == address)) or session.scalar(of_account)


def find_people(session: Session, typed: str) -> Sequence[Party]:
    """Return who has this e-mail, this telephone or a name like this, at most MOST; an e-mail finds one."""
    if "@" in typed:
        found = find_by_email(session, typed)
        return [session.get_one(Party, found)] if found is not None else []
    words = typed.strip()
    if not words:
        return []
    how = [Party.name.icontains(words, autoescape=True), Party.phone == words]
    if key := telephones.key_here(session, words):
        how.append(Party.phone_key == key)
    people = sa.select(Party).where(Party.kind == "person", sa.or_(*how)).order_by(Party.name, Party.id).limit(MOST)
    return session.scalars(people).all()


def find_telephone(session: Session, typed: str) -> str:
    """Return how a telephone is told from others: as a number, or its digits where it is none; empty without any."""
    return telephones.key_here(session, typed) or "".join(letter for letter in typed if letter.isdecimal())


def find_parties(session: Session, person: Person) -> Sequence[Party]:
    """Return the records that are one person, the first of them first."""
    return session.scalars(sa.select(Party).where(Party.id.in_(person.party_ids)).order_by(Party.id)).all()


def get_person(session: Session, party_id: int) -> Person:
    """Return the keys of whoever a party is, with every party known to be the same; their rows locked where the session writes.

    Raises NotFound(unknown_record), Refused(not_a_person) for a company.
    """
    same = identity.find_same(session, party_id)
    wanted = sa.select(Party).where(Party.id.in_(same)).order_by(Party.id).execution_options(populate_existing=True)
    rows = session.scalars(wanted if is_reading(session) else wanted.with_for_update()).all()
    if party_id not in {one.id for one in rows}:
        raise NotFound("unknown_record")
    if any(one.kind != "person" for one in rows):
        raise Refused("not_a_person")
    accounts = session.execute(sa.select(Account.id, Account.email).where(Account.party_id.in_(same))).all()
    leads = session.execute(sa.select(Lead.id, Lead.number).where(Lead.party_id.in_(same)).order_by(Lead.id)).all()
    cases = session.execute(
        sa.select(ServiceCase.id, ServiceCase.number).where(ServiceCase.party_id.in_(same)).order_by(ServiceCase.id)
    ).all()
    orders = session.execute(
        sa.select(Order.id, Order.number, Order.checkout_id).where(Order.party_id.in_(same)).order_by(Order.id)
    ).all()
    known = {one.lower() for one in (*(row.email for row in rows), *(row.email for row in accounts)) if one}
    checkouts = _checkouts(session, [row.checkout_id for row in orders], accounts, leads, known)
    carts = sa.or_(  # also what sales fills for them
        Cart.id.in_([row.cart_id for row in checkouts]),
        Cart.account_id.in_([row.id for row in accounts]),
        Cart.party_id.in_(same),
    )
    of_checkout = Payment.checkout_id.in_([row.id for row in checkouts])
    payments = session.execute(sa.select(Payment.id, Payment.provider_ref, Payment.intent_ref).where(of_checkout)).all()
    quoted = session.scalars(sa.select(Quotation).where(Quotation.party_id.in_(same)).order_by(Quotation.id)).all()
    of_visits = sa.and_(VisitEvent.visit_id == Visit.id, VisitEvent.kind == "search")
    searched = sa.select(VisitEvent.about).join(Visit, of_visits).where(Visit.party_id.in_(same))
    return Person(
        party_id=same[0],
        party_ids=same,
        emails=sorted(known | {row.email.lower() for row in checkouts if row.email}),
        telephones=sorted({row.phone_key or find_telephone(session, row.phone) for row in rows} - {""}),
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
        quotations=[quotations.subject(one) for one in quoted],
        searches=sorted({lost_demand.words_of(words) for words in session.scalars(searched)} - {""}),
    )


def _checkouts(session: Session, ordered: Sequence[int], accounts: Rows, leads: Rows, emails: Collection[str]) -> Rows:
    theirs = sa.or_(
        Checkout.id.in_(ordered),
        Checkout.account_id.in_([row.id for row in accounts]),
        Checkout.lead_id.in_([row.id for row in leads]),
        sa.func.lower(Checkout.email).in_(emails),
    )
    wanted = sa.select(Checkout.id, Checkout.cart_id, Checkout.email).where(theirs).order_by(Checkout.id)
    return session.execute(wanted).all()
