"""Parties: the people and companies that we deal with, each known once by e-mail address."""

from __future__ import annotations

from datetime import datetime
from functools import cache

import sqlalchemy as sa
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session, aliased

from backoffice.crm import telephones
from backoffice.crm.models import Party
from backoffice.db import table_of
from backoffice.erp.classes import RETAIL
from backoffice.public.errors import BadInput, NotFound

MAX_EMAIL = 254
_PROBE = ".example.com"


def normalise_email(text: str) -> str:
    """Return the address in lower case and composed Unicode; syntax only, the network is never asked.

    Domains kept for tests and local use (`.test`, `.local` …) are accepted. Raises BadInput(invalid_form, email).
    """
    typed = text.strip()
    last_label = typed.rpartition(".")[2].casefold()
    # the validator refuses special-use domains as a whole: let it check the labels below one that it knows
    suffix = _PROBE if last_label in SPECIAL_USE_DOMAIN_NAMES else ""
    try:
        checked = validate_email(typed + suffix, check_deliverability=False).normalized.removesuffix(suffix)
    except EmailNotValidError:
        raise BadInput("invalid_form", {"email": "bad_email"}) from None
    if len(checked) > MAX_EMAIL:
        raise BadInput("invalid_form", {"email": "too_long"})
    return checked.lower()


def find_or_create(
    session: Session, *, email: str, name: str, phone: str, language: str, now: datetime, source: str = "", campaign: str = ""
) -> Party:
    """Return the party with this address, made if there is none. Raises BadInput(invalid_form, email).

    What is known stays: a form that anybody can fill in only adds what was missing. source, campaign: what brought them
    here; only the first counts.
    """
    address = normalise_email(email)
    return of_address(session, address, name=name, phone=phone, language=language, now=now, source=source, campaign=campaign)


def of_address(
    session: Session, address: str, *, name: str, phone: str, language: str, now: datetime, source: str = "", campaign: str = ""
) -> Party:
    """Do what `find_or_create` does for an address that was normalised before."""
    party = _find_or_insert(session, address, name or address, phone, language, source, campaign, now)
    known = (party.name, party.phone, party.language)
    filled = (name if party.name == address and name else party.name, party.phone or phone, party.language or language)
    if filled != known:  # whoever has them open at a desk must not save over it
        party.name, party.phone, party.language = filled
        party.phone_key = telephones.key_here(session, party.phone)
        party.version = Party.version + 1
        session.flush()
        session.refresh(party)
    return party


def class_of(session: Session, party_id: int) -> str:
    """Return somebody's class: their own, else their company's; retail where neither says more."""
    company = aliased(Party)
    row = session.execute(
        sa.select(Party.customer_class, company.customer_class)
        .join(company, company.id == Party.company_id, isouter=True)
        .where(Party.id == party_id)
    ).one()
    return next((one for one in row if one not in (None, RETAIL)), RETAIL)


def get_party(session: Session, party_id: int) -> Party:
    """Return a party. Raises NotFound(unknown_record)."""
    party = session.get(Party, party_id)
    if party is None:
        raise NotFound("unknown_record")
    return party


def _find_or_insert(
    session: Session, address: str, name: str, phone: str, language: str, source: str, campaign: str, now: datetime
) -> Party:
    """Return the party of an address, made if there is none, in one statement: of two at the same moment one makes it.

    A known one is locked and otherwise left as it is.
    """
    values = {"name": name, "email": address, "phone": phone, "language": language, "facts": {}, "created_at": now}
    values |= {"source": source, "campaign": campaign, "phone_key": telephones.key_here(session, phone)}
    party: Party = session.scalars(_making(session.get_bind().dialect.name), values).one()
    return party


@cache
def _making(dialect: str) -> sa.Executable:
    made = (sqlite_insert if dialect == "sqlite" else postgresql_insert)(table_of(Party))
    # written over with itself, only to lock and return it; no key of it, or whoever notes an entry of theirs would wait for us
    # while we wait for what they hold
    locked = made.on_conflict_do_update(index_elements=["email"], set_={"version": table_of(Party).c.version})
    found = locked.returning(table_of(Party))
    return sa.select(Party).from_statement(found).execution_options(populate_existing=True)
