"""Read models: one person or one company with everything that happened between us."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import consents, parties
from backoffice.crm.assigning import SELLERS
from backoffice.crm.models import Account, Address, Checkout, Consent, Lead, Order, Party
from backoffice.desk import customer_figures, timeline_pages
from backoffice.desk.customer_figures import Figures
from backoffice.desk.timeline_pages import Part
from backoffice.erp.models import Staff

MOST = 20  # orders, enquiries, places on the page itself; the orders' list has all
MOST_PEOPLE = 200


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was sent, or may be sent."""

    name: str
    company: str
    street: str
    postcode: str
    city: str
    country: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """A person or a company. people, names: of a company, and how each entry's person is called."""

    party: Party
    company: Party | None
    owner: str
    account: Account | None
    people: Sequence[Party]
    names: Mapping[int, str]
    part: Part
    figures: Figures
    orders: Sequence[Order]
    orders_total: int
    leads: Sequence[Lead]
    places: Sequence[Place]
    consents: Sequence[Consent]
    company_typed: str  # what they last called their company themselves
    country_typed: str


def get_sheet(session: Session, party_id: int, *, before: str = "", now: datetime) -> Sheet:
    """Return everything about a person or a company; before: a place on the timeline. Raises NotFound(unknown_record)."""
    party = parties.get_party(session, party_id)
    members = sa.select(Party).where(Party.company_id == party_id).order_by(Party.name, Party.id).limit(MOST_PEOPLE)
    people = session.scalars(members).all() if party.kind == "company" else []
    ids = [party_id, *(one.id for one in people)]
    ordered = sa.select(Order).where(Order.party_id.in_(ids)).order_by(Order.id.desc())
    asked = sa.select(Lead).where(Lead.party_id.in_(ids)).order_by(Lead.created_at.desc(), Lead.id.desc())
    owner = session.get(Staff, party.owner_id) if party.owner_id else None
    account = session.scalars(sa.select(Account).where(Account.party_id == party_id)).one_or_none()
    typed, country = _company_typed(session, party)
    return Sheet(
        party,
        session.get(Party, party.company_id) if party.company_id else None,
        owner.name if owner else "",
        account,
        people,
        {one.id: one.name for one in (party, *people)},
        timeline_pages.find_part(session, ids, before),
        customer_figures.find_figures(session, ids, now=now),
        session.scalars(ordered.limit(MOST)).all(),
        session.scalar(sa.select(sa.func.count()).select_from(Order).where(Order.party_id.in_(ids))) or 0,
        session.scalars(asked.limit(MOST)).all(),
        _places(session, ids, account),
        consents.find_all(session, party_id),
        typed,
        country,
    )


def find_sellers(session: Session) -> Sequence[Staff]:
    """Return who may look after a customer."""
    return session.scalars(sa.select(Staff).where(Staff.active, Staff.role.in_(SELLERS)).order_by(Staff.name, Staff.id)).all()


def _places(session: Session, ids: Sequence[int], account: Account | None) -> Sequence[Place]:
    parts = (Checkout.name, Checkout.company, Checkout.street, Checkout.postcode, Checkout.city, Checkout.country)
    used = (
        sa.select(*parts)
        .join(Order, Order.checkout_id == Checkout.id)
        .where(Order.party_id.in_(ids))
        .group_by(*parts)
        .order_by(sa.func.max(Checkout.id).desc())
        .limit(MOST)
    )
    places = [Place(*row) for row in session.execute(used)]
    if account is not None:
        own = (
            sa.select(Address).where(Address.account_id == account.id).order_by(Address.preferred.desc(), Address.id).limit(MOST)
        )
        for one in session.scalars(own):
            place = Place(one.name, one.company, one.street, one.postcode, one.city, one.country)
            if place not in places:
                places.append(place)
    return places


def _company_typed(session: Session, party: Party) -> tuple[str, str]:
    """Return how a person without a company last called theirs, and in which country."""
    if party.kind != "person" or party.company_id is not None:
        return "", ""
    bought = sa.select(Checkout.company, Checkout.country).join(Order, Order.checkout_id == Checkout.id)
    row = session.execute(bought.where(Order.party_id == party.id).order_by(Order.id.desc()).limit(1)).one_or_none()
    asked = sa.select(Lead.company).where(Lead.party_id == party.id, Lead.company != "").order_by(Lead.id.desc()).limit(1)
    return (row[0] if row and row[0] else session.scalar(asked) or ""), (row[1] if row else "")
