"""Companies: known once by name and country or by VAT number; people belong to one at most, and to no company's company.

The database forbids a second company of the same name (UNIQUE country, company_key) or VAT number: of two that are made at
the same moment the second waits for the first and finds it.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backoffice import events
from backoffice.crm import company_names, customers, parties, timeline
from backoffice.crm.customers import Editor
from backoffice.crm.models import Checkout, Party
from backoffice.public.errors import BadInput, NotFound, Refused


def found(session: Session, name: str, *, country: str, vat_number: str = "", by: Editor, now: datetime) -> Party:
    """Make a company by hand. Raises BadInput(invalid_form, name | country | vat_number), Refused(company_known, party_id)."""
    company, is_new = _know(session, name, country, vat_number, source="desk", now=now)
    if not is_new:
        raise Refused("company_known", party_id=company.id, name=company.name)
    customers.note(session, "company.found", company.id, by, now, name=company.name, country=company.country)
    return company


def join(session: Session, person_id: int, company_id: int, *, by: Editor, now: datetime) -> Party:
    """Note where a person works; said again it changes nothing.

    Raises NotFound(unknown_record), Refused(not_a_person | not_a_company | has_company).
    """
    person, company = parties.get_party(session, person_id), parties.get_party(session, company_id)
    if company.kind != "company":
        raise Refused("not_a_company")
    if person.kind != "person":
        raise Refused("not_a_person")
    if not _link(session, person, company, actor=by.name, now=now):
        if person.company_id == company.id:
            return person
        raise Refused("has_company", name=parties.get_party(session, person.company_id or 0).name)
    customers.note(session, "company.join", person.id, by, now, company=company.id)
    return person


def join_named(session: Session, person_id: int, name: str, *, country: str, by: Editor, now: datetime) -> Party:
    """Note where a person works by the company's name; it is made if nobody of it was known. Raises as `join` and `found`."""
    person = parties.get_party(session, person_id)
    if person.kind != "person":
        raise Refused("not_a_person")
    if person.company_id is not None:
        raise Refused("has_company", name=parties.get_party(session, person.company_id).name)
    company, is_new = _know(session, name, country, "", source="desk", now=now)
    if is_new:
        customers.note(session, "company.found", company.id, by, now, name=company.name, country=company.country)
    join(session, person_id, company.id, by=by, now=now)
    return company


def leave(session: Session, person_id: int, company_id: int, *, by: Editor, now: datetime) -> None:
    """Note that a person no longer works there; said again it changes nothing. Raises NotFound(unknown_record)."""
    company = parties.get_party(session, company_id)
    person = parties.get_party(session, person_id)
    gone = (
        sa.update(Party)
        .where(Party.id == person_id, Party.company_id == company_id)
        .values(company_id=None, company_role="", version=Party.version + 1)
        .returning(Party.id)
        .execution_options(synchronize_session=False)
    )
    if session.execute(gone).scalar_one_or_none() is None:
        return
    session.refresh(person)
    timeline.record(session, person_id, "company_left", text=company.name, values={"company": company_id}, actor=by.name, now=now)
    customers.note(session, "company.leave", person_id, by, now, company=company_id)


def find_by_email(session: Session, email: str) -> Party:
    """Return the person with an address. Raises BadInput(invalid_form, email): bad_email | unknown_person."""
    address = parties.normalise_email(email)
    person = session.scalars(sa.select(Party).where(Party.email == address, Party.kind == "person")).one_or_none()
    if person is None:
        raise BadInput("invalid_form", {"email": "unknown_person"})
    return person


def on_order_placed(session: Session, happened: events.OrderPlaced) -> None:
    """Note where a buyer works if they said so at checkout; whoever has a company already keeps it."""
    checkout = session.get_one(Checkout, happened.checkout_id)
    name, country = checkout.company, checkout.country
    if not company_names.fold(company_names.tidy(name)):
        return
    locked = sa.select(Party).where(Party.id == happened.party_id).with_for_update()
    person = session.scalars(locked.execution_options(populate_existing=True)).one()
    if person.kind == "person" and person.company_id is None:
        company, _ = _know(session, name, country, "", source=person.source, now=happened.at)
        _link(session, person, company, actor="", now=happened.at)


def _know(session: Session, name: str, country: str, vat_number: str, *, source: str, now: datetime) -> tuple[Party, bool]:
    """Return the company of this VAT number, else of this name and country, made if there is none; and whether it is new."""
    shown, wrong = company_names.tidy(name), {}
    key, vat = company_names.fold(shown), company_names.clean_vat_number(vat_number)
    if not key:
        wrong["name"] = "required"
    if not (len(country) == 2 and country.isascii() and country.isalpha()):
        wrong["country"] = "bad_country"
    if vat is None:
        wrong["vat_number"] = "bad_vat_number"
    if wrong or vat is None:
        raise BadInput("invalid_form", wrong)
    known = _find(session, key, country.upper(), vat)
    if known is not None:
        return known, False
    company = Party(
        kind="company",
        name=shown,
        company_key=key,
        country=country.upper(),
        vat_number=vat,
        source=source,
        facts={},
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(company)
    except IntegrityError:  # somebody else made it between our look and our insert: theirs is ours
        known = _find(session, key, country.upper(), vat)
        if known is None:
            raise NotFound("unknown_record") from None
        return known, False
    return company, True


def _find(session: Session, key: str, country: str, vat_number: str) -> Party | None:
    companies = sa.select(Party).where(Party.kind == "company")
    if vat_number and (known := session.scalar(companies.where(Party.vat_number == vat_number))) is not None:
        return known
    return session.scalar(companies.where(Party.company_key == key, Party.country == country))


def _link(session: Session, person: Party, company: Party, *, actor: str, now: datetime) -> bool:
    """Let a person belong to a company, if they belong to none; tell whether that was so."""
    free = (
        sa.update(Party)
        .where(Party.id == person.id, Party.kind == "person", Party.company_id.is_(None))
        .values(company_id=company.id, version=Party.version + 1)
        .returning(Party.id)
        .execution_options(synchronize_session=False)
    )
    won = session.execute(free).scalar_one_or_none() is not None
    session.refresh(person)
    if won:
        values = {"company": company.id}
        timeline.record(session, person.id, "company_joined", text=company.name, values=values, actor=actor, now=now)
    return won
