"""From somebody who called to a customer: their e-mail is written down, or found to be that of somebody we know."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backoffice.crm import leads, parties, telephones, timeline
from backoffice.crm.leads import Colleague
from backoffice.crm.models import Activity, Lead, Party
from backoffice.public.errors import BadInput

LONGEST = {"name": 200, "phone": 50, "company": 200}


def introduce(
    session: Session,
    lead_id: int,
    *,
    email: str,
    name: str = "",
    phone: str = "",
    company: str = "",
    staff: Colleague,
    version: int,
    now: datetime,
) -> Lead:
    """Write down how to reach whoever asked. An e-mail that we know makes the enquiry, and its timeline, that person's.

    The same form twice is once. Raises NotFound, BadInput(invalid_form, email | name | phone | company), Refused(stale).
    """
    lead, address = leads.get_lead(session, lead_id), _checked(email, name, phone, company)
    known = parties.get_party(session, lead.party_id).email
    if known == address and lead.version != version:
        return lead
    if known is not None and known != address:
        raise BadInput("invalid_form", {"email": "has_another"})
    lead = leads.change(session, lead, "introduce", staff, version)
    lead.company = " ".join(company.split()) or lead.company
    tie(session, lead, email=address, name=name, phone=phone, staff=staff, now=now)
    return lead


def tie(session: Session, lead: Lead, *, email: str, name: str, phone: str, staff: Colleague, now: datetime) -> None:
    """Give the enquiry's person an e-mail where they have none: theirs from now on, or the enquiry goes to whose it is.

    Somebody whose e-mail is known keeps it. Raises BadInput(invalid_form, email).
    """
    address = parties.normalise_email(email)
    party = parties.get_party(session, lead.party_id)
    new = party.email is None
    if new and not _claim(session, party, address):
        party = _move(session, lead, party, address)
    if party.email != address:
        return
    party.name = " ".join(name.split()) if name.strip() and party.name in ("", party.phone) else party.name
    party.phone = party.phone or phone.strip()
    party.phone_key = telephones.key_here(session, party.phone)
    session.flush()
    if new:
        timeline.record(session, party.id, "introduced", text=address, lead_id=lead.id, actor=staff.name, now=now)


def _claim(session: Session, party: Party, address: str) -> bool:
    """Write an e-mail down, only where there is none; False: it is somebody else's, or a colleague was faster."""
    if session.scalar(sa.select(Party.id).where(Party.email == address)) is not None:
        return False
    try:
        with session.begin_nested():
            mine = sa.update(Party).where(Party.id == party.id, Party.email.is_(None)).values(email=address)
            won = session.execute(mine.returning(Party.id).execution_options(synchronize_session=False)).scalar_one_or_none()
    except IntegrityError:
        return False
    session.refresh(party)
    return won is not None or party.email == address


def _move(session: Session, lead: Lead, caller: Party, address: str) -> Party:
    """Make an enquiry and its timeline another person's; a caller of whom nothing is left is forgotten."""
    known = session.scalars(sa.select(Party).where(Party.email == address)).one_or_none()
    if known is None:  # the caller got another address this very moment: the enquiry stays theirs
        return caller
    lead.party_id = known.id
    known.phone = known.phone or caller.phone
    known.phone_key = telephones.key_here(session, known.phone)
    session.execute(sa.update(Activity).where(Activity.lead_id == lead.id).values(party_id=known.id))
    session.flush()
    try:
        with session.begin_nested():
            session.execute(sa.delete(Party).where(Party.id == caller.id).execution_options(synchronize_session=False))
    except IntegrityError:
        return known  # something else is known of them
    session.expunge(caller)
    return known


def _checked(email: str, name: str, phone: str, company: str) -> str:
    """Return the address. Raises BadInput(invalid_form) naming every wrong field."""
    wrong: dict[str, str] = {}
    for field, text in (("name", name), ("phone", phone), ("company", company)):
        if len(text) > LONGEST[field]:
            wrong[field] = "too_long"
        elif "\x00" in text:
            wrong[field] = "bad_character"
    try:
        address = parties.normalise_email(email) if email.strip() else ""
    except BadInput as error:
        address, wrong = "", wrong | dict(error.fields)
    if not email.strip():
        wrong["email"] = "missing"
    if wrong:
        raise BadInput("invalid_form", wrong)
    return address
