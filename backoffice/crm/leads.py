"""Leads: taken in from every form, then worked on by sales.

Every change is conditional on the version that was seen.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import events, idempotency, wording
from backoffice.crm import assigning, collapsing, consents, parties, ready_answers, tasks, timeline
from backoffice.crm.answer_time import answer_due, come_back_at
from backoffice.crm.lead_forms import CheckedLead, check, clean_text, fingerprint
from backoffice.crm.models import Activity, CartReminder, Checkout, Lead, Party
from backoffice.erp.models import Company, Staff
from backoffice.public.errors import BadInput, NotFound, Refused
from backoffice.public.leads import LeadForm

ENTRY_STATES = ("new", "quarantined")
TRANSITIONS: Mapping[str, Mapping[str, str]] = {
    # verb: {state before: state after}
    "release": {"quarantined": "new"},
    "take": {"new": "working"},
    "take_over": {"working": "working"},
    "note": {state: state for state in ("new", "working", "answered", "done", "quarantined")},
    "answer": {"new": "answered", "working": "answered", "answered": "answered"},
    "done": {"new": "done", "working": "done", "answered": "done", "quarantined": "done"},
    "call": {"new": "working", "working": "working", "answered": "answered"},
    "follow_up": {"new": "working", "working": "working", "answered": "answered"},
    "hand": {"new": "new", "working": "working", "answered": "answered"},
    "move": {"new": "working", "working": "working", "answered": "answered"},
    "estimate": {"new": "working", "working": "working", "answered": "answered"},
    "reply": {"new": "new", "working": "working", "answered": "working", "quarantined": "quarantined"},  # they wrote again
    "introduce": {state: state for state in ("new", "working", "answered", "done")},
    "order": {"new": "working", "working": "working", "answered": "working"},
    "lose": {"new": "done", "working": "done", "answered": "done"},
    "win": dict.fromkeys(("new", "working", "answered", "done", "quarantined"), "done"),
}
OWNER_ONLY = frozenset({"answer", "done", "call", "follow_up", "order", "lose", "move", "estimate"})
"""Verbs that belong to the one who has the lead while it is being worked on."""


class Colleague(Protocol):
    """Somebody of sales: a row of staff, or who is logged in."""

    @property
    def id(self) -> int:
        """Return the id of the staff row."""
        ...

    @property
    def name(self) -> str:
        """Return the name that the timeline shows."""
        ...


def submit(session: Session, form: LeadForm, *, order_ref: str | None = None, doubtful: bool = False, now: datetime) -> Lead:
    """Take a message in and return its lead, with an owner where a rule names one. Raises BadInput(invalid_form, fields).

    The same form twice (its `key` and every value) is one message; the same key with another text is another. One about
    what is open already of the same person is taken in there, see `collapsing`.
    order_ref: the number of the order that it is about, known to us and not typed. doubtful: kept apart, never lost.
    """
    company = session.get(Company, 1)
    checked = check(form, today=wording.day_in(company.timezone, now) if company else None)
    checked = replace(checked, doubtful=checked.doubtful or doubtful)
    if not form.key:
        return _insert(session, checked, order_ref, now)
    row, fresh = idempotency.claim(session, "lead", fingerprint(form), now=now)
    if not fresh:
        return get_lead(session, int(row.answer["lead_id"]))
    lead = _insert(session, checked, order_ref, now)
    row.answer = {"lead_id": lead.id}
    return lead


def get_lead(session: Session, lead_id: int) -> Lead:
    """Return a lead. Raises NotFound(unknown_lead)."""
    lead = session.get(Lead, lead_id)
    if lead is None:
        raise NotFound("unknown_lead")
    return lead


def take(session: Session, lead_id: int, *, staff_id: int, version: int, now: datetime) -> Lead:
    """Make the lead mine. Raises NotFound, Refused(wrong_state, owner=name) if a colleague has it, Refused(stale)."""
    lead = get_lead(session, lead_id)
    if lead.state == "working" and lead.owner_id == staff_id:
        return lead
    staff = _get_staff(session, staff_id)
    if lead.state == "working":
        raise _wrong_state(session, lead)
    try:
        lead = change(session, lead, "take", staff, version, owner_id=staff_id)
    except Refused:
        if lead.state == "working" and lead.owner_id == staff_id:
            return lead  # the same person pressed twice, and the other press won the race
        raise
    timeline.record(session, lead.party_id, "took", lead_id=lead.id, actor=staff.name, now=now)
    return lead


def take_over(session: Session, lead_id: int, *, staff_id: int, version: int, now: datetime) -> Lead:
    """Take a lead from a colleague who cannot finish it. Raises NotFound, Refused(stale | wrong_state)."""
    lead = get_lead(session, lead_id)
    if lead.state == "working" and lead.owner_id == staff_id:
        return lead
    staff = _get_staff(session, staff_id)
    lead = change(session, lead, "take_over", staff, version, owner_id=staff_id)
    timeline.record(session, lead.party_id, "took", lead_id=lead.id, actor=staff.name, now=now)
    return lead


def note(session: Session, lead_id: int, text: str, *, staff: Colleague, version: int, now: datetime) -> Lead:
    """Write something down for ourselves. Raises NotFound, BadInput(invalid_form, text), Refused(stale)."""
    words, lead = clean_text(text), get_lead(session, lead_id)
    if lead.version != version and was_last_said(session, lead, "note", words, staff):
        return lead
    lead = change(session, lead, "note", staff, version)
    timeline.record(session, lead.party_id, "note", text=words, lead_id=lead.id, actor=staff.name, now=now)
    return lead


def answer(
    session: Session,
    lead_id: int,
    text: str,
    *,
    staff: Colleague,
    version: int,
    now: datetime,
    follow_up_on: date | None = None,
) -> Lead:
    """Answer by mail. Raises NotFound, BadInput(invalid_form, text | follow_up_on), Refused(stale | wrong_state | no_email).

    follow_up_on: when to come back to it. The mail is asked for in this transaction: it leaves if and only if the answer is
    kept. The same answer posted twice is sent once.
    """
    words, again_at, lead = clean_text(text), come_back_at(session, follow_up_on, now), get_lead(session, lead_id)
    if ready_answers.left_open(words):
        raise BadInput("invalid_form", {"text": "placeholder_left"})
    if lead.version != version and was_last_said(session, lead, "answer", words, staff):
        return lead
    party = parties.get_party(session, lead.party_id)
    if not party.email:
        raise Refused("no_email")
    lead = change(session, lead, "answer", staff, version, owner_id=staff.id, follow_up_at=next_contact(session, lead, again_at))
    company = session.get(Company, 1)
    payload = {
        "to": party.email,
        "name": party.name,
        "language": lead.language or party.language,
        "shop": company.name if company else "",
        "text": words,
        "subject": first_line(lead.message) or lead.sku or lead.number,
        "asked": lead.message,
    }
    events.publish(session, events.MailWanted("lead_answer", f"lead:{lead.number}", payload, now))
    timeline.record(session, party.id, "answer", text=words, lead_id=lead.id, actor=staff.name, now=now)
    return lead


def done(session: Session, lead_id: int, *, staff: Colleague, version: int, now: datetime) -> Lead:
    """Close the lead. Closing a closed one changes nothing. Raises NotFound, Refused(stale | wrong_state)."""
    lead = get_lead(session, lead_id)
    if lead.state == "done":
        return lead
    lead = change(session, lead, "done", staff, version, follow_up_at=None)
    timeline.record(session, lead.party_id, "done", lead_id=lead.id, actor=staff.name, now=now)
    return lead


def begin_order(session: Session, lead_id: int, *, staff: Colleague, version: int, now: datetime) -> Lead:
    """Make the lead mine to sell to: of two who begin at once one goes on. Raises NotFound, Refused(stale | wrong_state)."""
    lead = get_lead(session, lead_id)
    taken = lead.owner_id != staff.id
    lead = change(session, lead, "order", staff, version, owner_id=staff.id)
    if taken:
        timeline.record(session, lead.party_id, "took", lead_id=lead.id, actor=staff.name, now=now)
    return lead


def release(session: Session, lead_id: int, *, staff: Colleague, version: int, now: datetime) -> Lead:
    """Put a doubtful lead among the others, due from now on. Raises NotFound, Refused(stale | wrong_state)."""
    lead = get_lead(session, lead_id)
    if lead.state == "new":
        return lead
    lead = change(session, lead, "release", staff, version, due_at=answer_due(session, now))
    _ask_planning(session, lead, now)
    _tell_consent(session, lead, now)
    return lead


def _insert(session: Session, checked: CheckedLead, order_ref: str | None, now: datetime) -> Lead:
    party = collapsing.whose(session, checked, now=now)
    lead = collapsing.find_open(session, party, checked, order_ref)
    if lead is None:
        lead = insert(session, party, checked, order_ref, now)
    else:
        before = lead.version
        collapsing.take_in(session, lead, checked, now=now)
        if lead.version != before:
            _ask_planning(session, lead, now)
    if checked.newsletter and not checked.doubtful:
        consents.give(
            session,
            party.id,
            "newsletter",
            wording=checked.newsletter,
            language=checked.language,
            source="form",
            evidence={"page": checked.page, "lead": lead.number},
            by_link=True,
            now=now,
        )
    return lead


def insert(session: Session, party: Party, checked: CheckedLead, order_ref: str | None, now: datetime) -> Lead:
    """Write a lead of a party that is known, due by the office's hours, its owner chosen by the rules."""
    owner_id = assigning.find_owner(
        session,
        kind=checked.kind,
        language=checked.language or party.language,
        country=checked.country,
        postcode=checked.postcode,
        sku=checked.sku,
        now=now,
    )
    lead = Lead(
        number=secrets.token_hex(8),  # until its row has an id
        party_id=party.id,
        kind=checked.kind,
        state="quarantined" if checked.doubtful else "new",
        message=checked.message,
        sku=checked.sku,
        quantity=checked.quantity,
        needed_by_on=checked.needed_by_on,
        postcode=checked.postcode,
        order_ref=order_ref,
        source=checked.source or "web",
        medium=checked.medium,
        campaign=checked.campaign,
        landing=checked.landing,
        company=checked.company,
        page=checked.page,
        language=checked.language,
        owner_id=owner_id,
        due_at=answer_due(session, now),
        created_at=now,
        version=1,
    )
    session.add(lead)
    session.flush()
    lead.number = f"L-{lead.id:05d}"
    typed = collapsing.as_typed(party, checked)
    timeline.record(
        session,
        party.id,
        "message",
        text=checked.message,
        lead_id=lead.id,
        order_ref=order_ref,
        values={"typed": typed} if typed else {},
        now=now,
    )
    _ask_planning(session, lead, now)
    return lead


def _tell_consent(session: Session, lead: Lead, now: datetime) -> None:
    """Write to somebody found real what they agreed to when they asked to be reminded of their cart: so far nobody did."""
    asked = sa.select(CartReminder.consent_id).where(CartReminder.lead_id == lead.id, CartReminder.closed_at.is_(None))
    consent_id = session.scalars(asked.order_by(CartReminder.id.desc())).first()
    if consent_id is not None:
        events.publish(session, events.ConsentGiven(consent_id, now))


def _ask_planning(session: Session, lead: Lead, now: datetime) -> None:
    """Let planning look at a day that was refused; of a doubtful message only once somebody has found it real."""
    if lead.kind == "refused_day" and lead.state != "quarantined" and lead.sku and lead.needed_by_on:
        tasks.ask_for_day(session, lead, now=now)


def change(session: Session, lead: Lead, verb: str, staff: Colleague, version: int, **values: object) -> Lead:
    """Move the lead along its table, only from the version that was seen; return it as it is now."""
    if lead.version != version:
        raise Refused("stale", state=lead.state, owner=_owner_name(session, lead))
    allowed = TRANSITIONS[verb]
    taken_by_other = lead.state == "working" and lead.owner_id != staff.id
    if lead.state not in allowed or (verb in OWNER_ONLY and taken_by_other):
        raise _wrong_state(session, lead)
    seen = sa.update(Lead).where(Lead.id == lead.id, Lead.version == version, Lead.state == lead.state)
    changed = seen.values(state=allowed[lead.state], version=version + 1, **values).returning(Lead.id)
    won = session.execute(changed.execution_options(synchronize_session=False)).scalar_one_or_none()
    session.refresh(lead)
    if won is None:
        raise Refused("stale", state=lead.state, owner=_owner_name(session, lead))
    return lead


def next_contact(session: Session, lead: Lead, again_at: datetime | None) -> datetime | None:
    """Return when to come back: as it was said, else as it stands while an order of theirs can still be paid, else never."""
    if again_at is not None or lead.follow_up_at is None:
        return again_at
    waiting = session.scalar(sa.select(Checkout.id).where(Checkout.lead_id == lead.id, Checkout.state == "open").limit(1))
    return None if waiting is None else lead.follow_up_at


def was_last_said(session: Session, lead: Lead, kind: str, words: str, staff: Colleague) -> bool:
    """Tell whether this is the same form once more: the newest entry of this kind is these words by this person."""
    newest = sa.select(Activity).where(Activity.lead_id == lead.id, Activity.kind == kind).order_by(Activity.id.desc()).limit(1)
    said = session.execute(newest).scalar_one_or_none()
    return said is not None and said.text == words and said.actor == staff.name


def first_line(message: str) -> str:
    """Return one line that reminds somebody of what they wrote; empty for no words."""
    first = next((line.strip() for line in message.splitlines() if line.strip()), "")
    return first if len(first) <= 70 else first[:69].rstrip() + "…"


def _get_staff(session: Session, staff_id: int) -> Staff:
    staff = session.get(Staff, staff_id)
    if staff is None:
        raise NotFound("unknown_record")
    return staff


def _owner_name(session: Session, lead: Lead) -> str:
    owner = session.get(Staff, lead.owner_id) if lead.owner_id is not None else None
    return owner.name if owner else ""


def _wrong_state(session: Session, lead: Lead) -> Refused:
    return Refused("wrong_state", state=lead.state, owner=_owner_name(session, lead))
