"""Mails that come in, threaded: to the enquiry or case whose secret they carry, else to the case of the order that its customer
names, else to their sender's enquiry, else a new one. Never lost.

Each is taken once: its place in the mailbox and its Message-ID are unique. The secret stands in the Message-ID of our answers,
which a mail program repeats in References, and in the address for replies; nobody can guess it. A sender can be forged, so it
only decides where nothing better is known, and shows nobody anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import assigning, case_mails, leads, links, parties, timeline
from backoffice.crm.answer_time import answer_due
from backoffice.crm.deadlines import IS_OPEN
from backoffice.crm.incoming_mail import Incoming, told
from backoffice.crm.lead_forms import LIMITS, check
from backoffice.crm.models import Lead, MailTaken, Party
from backoffice.erp.company import get_company
from backoffice.public.errors import BadInput
from backoffice.public.leads import LeadForm

BEFORE_US = "came before we began to read"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mail lies: its mailbox, and its number there, which counts as long as the mailbox's validity is the same."""

    mailbox: str
    validity: int
    uid: int


def take_in(session: Session, mail: Incoming, place: Place, *, secret_key: str, now: datetime) -> MailTaken | None:
    """Thread a mail in and return what became of it; None, and nothing changed, if this place was read before."""
    if _is_taken(session, place):
        return None
    if session.scalar(sa.select(MailTaken.id).where(MailTaken.message_hash == mail.key)) is not None:
        return _note(session, place, "repeated", now=now)
    if mail.sender == get_company(session).email.lower():
        return _note(session, place, "set_aside", key=mail.key, problem="our own", now=now)
    named = _find_named(session, mail, secret_key)
    case = None if named else case_mails.take_in(session, mail, secret_key=secret_key, now=now)
    if case is not None:
        return _note(session, place, case.outcome, key=mail.key, case_id=case.id, now=now)
    lead = named or _find_open_of(session, mail.sender)
    if lead is not None and lead.state in leads.TRANSITIONS["reply"]:
        _add(session, lead, mail, now)
        return _note(session, place, "threaded", key=mail.key, lead_id=lead.id, now=now)
    try:
        new = _open_new(session, mail, lead, now)
    except BadInput as error:
        return _note(session, place, "set_aside", key=mail.key, problem=" ".join(sorted(error.fields.values())), now=now)
    outcome = "doubtful" if new.state == "quarantined" else "new"
    return _note(session, place, outcome, key=mail.key, lead_id=new.id, now=now)


def set_aside(session: Session, place: Place, problem: str, *, now: datetime) -> MailTaken | None:
    """Note that a mail cannot be read, so that it does not stop those after it. problem: why, without the mail's words."""
    return None if _is_taken(session, place) else _note(session, place, "set_aside", problem=problem, now=now)


def last_read(session: Session, mailbox: str, validity: int) -> int | None:
    """Return the number of the last mail read of a mailbox under this validity, 0 for none; None if it was never read."""
    ever = sa.select(MailTaken.id).where(MailTaken.mailbox == mailbox).limit(1)
    if session.scalar(ever) is None:
        return None
    newest = sa.select(sa.func.max(MailTaken.uid))
    return session.scalar(newest.where(MailTaken.mailbox == mailbox, MailTaken.uid_validity == validity)) or 0


def _find_named(session: Session, mail: Incoming, secret_key: str) -> Lead | None:
    """Return the enquiry whose secret the mail carries."""
    found = (links.read_thread(secret_key, one) for one in mail.threads)
    lead_id = next((one for one in found if one is not None), None)
    return session.get(Lead, lead_id) if lead_id is not None else None


def _find_open_of(session: Session, sender: str) -> Lead | None:
    """Return the newest enquiry of this sender that is not done."""
    theirs = sa.select(Lead).join(Party, Party.id == Lead.party_id).where(Party.email == sender, IS_OPEN)
    return session.scalars(theirs.order_by(Lead.created_at.desc(), Lead.id.desc()).limit(1)).first()


def _add(session: Session, lead: Lead, mail: Incoming, now: datetime) -> None:
    """Write it into the timeline; unless a machine wrote it, the enquiry waits for an answer again."""
    words = told(mail, of=session.scalar(sa.select(Party.email).where(Party.id == lead.party_id)))
    kind = "automatic" if mail.automatic else "reply"
    timeline.record(session, lead.party_id, kind, text=words, lead_id=lead.id, now=now)
    if mail.automatic:
        return
    waits = sa.and_(Lead.state.in_(("new", "working")), Lead.follow_up_at.is_(None))  # for an answer, and longer already
    session.execute(
        sa.update(Lead)
        .where(Lead.id == lead.id)
        .values(
            state=sa.case(leads.TRANSITIONS["reply"], value=Lead.state),
            due_at=sa.case((waits, Lead.due_at), else_=answer_due(session, now)),
            follow_up_at=None,
            version=Lead.version + 1,
        )
        .execution_options(synchronize_session=False)
    )
    session.refresh(lead)


def _open_new(session: Session, mail: Incoming, before: Lead | None, now: datetime) -> Lead:
    """Make an enquiry of it; of the same person and with the same colleague as the one that it follows. Raises BadInput."""
    form = LeadForm(
        key="",
        kind="contact",
        name=mail.name,
        email=mail.sender,
        phone="",
        message=told(mail)[: LIMITS["message"]],
        source="mail",
        medium="mail",
    )
    doubtful = mail.automatic or mail.doubtful or not (mail.text or mail.attachments)
    if before is None:
        return leads.submit(session, form, doubtful=doubtful, now=now)
    new = leads.insert(session, parties.get_party(session, before.party_id), check(form), None, now)
    if before.owner_id is not None and before.owner_id not in assigning.find_away(session, assigning.working_day(session, now)):
        new.owner_id = before.owner_id
    return new


def _is_taken(session: Session, place: Place) -> bool:
    here = sa.select(MailTaken.id).where(MailTaken.mailbox == place.mailbox, MailTaken.uid_validity == place.validity)
    return session.scalar(here.where(MailTaken.uid == place.uid)) is not None


def _note(
    session: Session,
    place: Place,
    outcome: str,
    *,
    key: str | None = None,
    problem: str = "",
    lead_id: int | None = None,
    case_id: int | None = None,
    now: datetime,
) -> MailTaken:
    row = MailTaken(
        mailbox=place.mailbox,
        uid_validity=place.validity,
        uid=place.uid,
        message_hash=key,
        outcome=outcome,
        problem=problem,
        lead_id=lead_id,
        case_id=case_id,
        at=now,
    )
    session.add(row)
    session.flush()
    return row
