"""What comes between a message and its end: calls, coming back to it, handing it over, an order or none."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import events, idempotency, wording
from backoffice.crm import collapsing, leads, lost_reasons, timeline
from backoffice.crm.answer_time import come_back_at
from backoffice.crm.assigning import SELLERS
from backoffice.crm.lead_forms import CheckedLead, check, clean_text, fingerprint
from backoffice.crm.leads import Colleague
from backoffice.crm.models import Lead, Party
from backoffice.erp.company import get_company
from backoffice.erp.models import Staff
from backoffice.public.errors import BadInput
from backoffice.public.leads import LeadForm


def call(
    session: Session, lead_id: int, text: str, *, follow_up_on: date | None, staff: Colleague, version: int, now: datetime
) -> Lead:
    """Write down what a call came to, and when to come back to it; the same form twice is one call.

    Raises NotFound, BadInput(invalid_form, text | follow_up_on), Refused(stale | wrong_state).
    """
    words, again_at, lead = clean_text(text), come_back_at(session, follow_up_on, now), leads.get_lead(session, lead_id)
    if lead.version != version and leads.was_last_said(session, lead, "call", words, staff):
        return lead
    lead = leads.change(
        session, lead, "call", staff, version, owner_id=staff.id, follow_up_at=leads.next_contact(session, lead, again_at)
    )
    timeline.record(session, lead.party_id, "call", text=words, lead_id=lead.id, actor=staff.name, now=now)
    return lead


def come_back(session: Session, lead_id: int, on: date, *, staff: Colleague, version: int, now: datetime) -> Lead:
    """Come back to it on a day, or the next one that the office is open.

    Raises NotFound, BadInput(invalid_form, follow_up_on), Refused(stale | wrong_state).
    """
    at, lead = come_back_at(session, on, now), leads.get_lead(session, lead_id)
    if lead.version != version and lead.follow_up_at == at and lead.owner_id == staff.id:
        return lead
    lead = leads.change(session, lead, "follow_up", staff, version, owner_id=staff.id, follow_up_at=at)
    day = wording.day_in(get_company(session).timezone, at or now).isoformat()
    timeline.record(session, lead.party_id, "follow_up", values={"on": day}, lead_id=lead.id, actor=staff.name, now=now)
    return lead


def hand(session: Session, lead_id: int, to_id: int, *, staff: Colleague, version: int, now: datetime) -> Lead:
    """Give it to a colleague of sales. Raises NotFound, BadInput(invalid_form, to), Refused(stale | wrong_state)."""
    to, lead = session.get(Staff, to_id), leads.get_lead(session, lead_id)
    if to is None or not to.active or to.role not in SELLERS:
        raise BadInput("invalid_form", {"to": "bad_choice"})
    if lead.owner_id == to.id:
        return lead
    lead = leads.change(session, lead, "hand", staff, version, owner_id=to.id)
    timeline.record(session, lead.party_id, "handed", text=to.name, lead_id=lead.id, actor=staff.name, now=now)
    return lead


def lose(
    session: Session, lead_id: int, reason: str, *, staff: Colleague, version: int, now: datetime, reason_id: int | None = None
) -> Lead:
    """Close it without an order and say why: with one of the company's reasons (reason_id), in words, or with both.

    Raises NotFound, BadInput(invalid_form, text | reason), Refused(stale | wrong_state).
    """
    named = lost_reasons.get_active(session, reason_id) if reason_id is not None else None
    words = clean_text(reason) if named is None or reason.strip() else ""
    said, lead = ": ".join(one for one in (named.name if named else "", words) if one), leads.get_lead(session, lead_id)
    if lead.state == "done" and lead.outcome == "lost" and leads.was_last_said(session, lead, "lost", said, staff):
        return lead
    lead = leads.change(session, lead, "lose", staff, version, outcome="lost", lost_reason_id=reason_id, follow_up_at=None)
    timeline.record(session, lead.party_id, "lost", text=said, lead_id=lead.id, actor=staff.name, now=now)
    return lead


def on_order_placed(session: Session, happened: events.OrderPlaced) -> None:
    """Close the lead that an order came from as won: whatever its state, its money is here. Told twice, it is won once."""
    if happened.lead_id is None:
        return
    won = session.execute(
        sa.update(Lead)
        .where(Lead.id == happened.lead_id, Lead.won_order_ref.is_(None))
        .values(
            state="done",
            outcome="won",
            lost_reason_id=None,
            won_order_ref=happened.order_ref,
            follow_up_at=None,
            version=Lead.version + 1,
        )
        .returning(Lead.party_id)
        .execution_options(synchronize_session="fetch")
    ).scalar_one_or_none()
    if won is not None:
        timeline.record(session, won, "converted", lead_id=happened.lead_id, order_ref=happened.order_ref, now=happened.at)


def phone_in(session: Session, form: LeadForm, *, staff: Colleague, now: datetime) -> Lead:
    """Take down what somebody asks by telephone; it is with whoever took it down. The same form twice is one lead.

    form: kind "phone"; the e-mail may be empty. Raises BadInput(invalid_form, fields).
    """
    checked = check(form, today=wording.day_in(get_company(session).timezone, now), by_phone=True)
    row, fresh = idempotency.claim(session, "lead.phone", fingerprint(form), now=now)
    if not fresh:
        return leads.get_lead(session, int(row.answer["lead_id"]))
    party = caller(session, checked, now)
    lead = leads.insert(session, party, checked, None, now)
    lead.owner_id, lead.state = staff.id, "working"
    timeline.record(session, party.id, "took", lead_id=lead.id, actor=staff.name, now=now)
    row.answer = {"lead_id": lead.id}
    session.flush()
    return lead


def caller(session: Session, checked: CheckedLead, now: datetime) -> Party:
    """Return who calls: known by e-mail, else by their telephone and name; else new."""
    if checked.email:
        return collapsing.whose(session, replace(checked, source="phone"), now=now)
    return collapsing.who_calls(
        session, name=checked.name, phone=checked.phone, language=checked.language, country=checked.country, now=now
    )
