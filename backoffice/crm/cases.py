"""Service cases: what a customer wants settled, from their first words to how content they are.

What a colleague does is conditional on the version that was seen; what a customer writes never is, and is never lost.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import events
from backoffice.crm import assigning, case_times, leads, parties, ready_answers, timeline
from backoffice.crm.case_rules import PRIORITIES, TRANSITIONS
from backoffice.crm.lead_forms import clean_text
from backoffice.crm.leads import Colleague
from backoffice.crm.models import Activity, ServiceCase
from backoffice.erp.company import get_company
from backoffice.erp.models import Staff
from backoffice.public.errors import BadInput, NotFound, Refused

THEN = {"waiting": "answer", "open": "go_on", "solved": "solve"}
"""What an answer leads to → the verb that it is."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A new case. parcel, order_line_id: which part of the order; words: all of them, where `message` is what fits."""

    party_id: int
    kind: str
    priority: str
    message: str
    source: str
    language: str = ""
    order_ref: str | None = None
    parcel: int | None = None
    order_line_id: int | None = None
    owner_id: int | None = None
    words: str = ""


def open_case(session: Session, one: Opening, *, actor: str = "", now: datetime) -> ServiceCase:
    """Write a new case with its deadlines, its owner by the rules where none is given. actor: the colleague who typed it."""
    answer_due_at, solve_due_at = case_times.deadlines(session, one.priority, now)
    owner_id = one.owner_id or assigning.find_owner(
        session, kind="case", language=one.language, country="", postcode="", sku="", now=now
    )
    case = ServiceCase(
        number=secrets.token_hex(8),  # until its row has an id
        party_id=one.party_id,
        order_ref=one.order_ref,
        parcel=one.parcel,
        order_line_id=one.order_line_id,
        kind=one.kind,
        message=one.message,
        language=one.language,
        source=one.source,
        priority=one.priority,
        owner_id=owner_id,
        due_from_at=now,
        answer_due_at=answer_due_at,
        solve_due_at=solve_due_at,
        created_at=now,
    )
    session.add(case)
    session.flush()
    case.number = f"C-{case.id:05d}"
    _record(session, case, "message", one.words or one.message, actor=actor, now=now)
    session.flush()
    return case


def get_case(session: Session, case_id: int) -> ServiceCase:
    """Return a case. Raises NotFound(unknown_case)."""
    case = session.get(ServiceCase, case_id)
    if case is None:
        raise NotFound("unknown_case")
    return case


def write_again(session: Session, case_id: int, words: str, *, now: datetime) -> ServiceCase | None:
    """Take what its customer writes; the case is open again. None, and nothing changed, for one that is closed.

    What waits for an answer already goes on waiting since then; everything else is due from now on.
    """
    case = session.get_one(ServiceCase, case_id, with_for_update=True, populate_existing=True)
    if case.state not in TRANSITIONS["reply"]:
        return None
    answer_due_at, solve_due_at = case_times.deadlines(session, case.priority, now)
    if case.state != "open":
        case.due_from_at, case.solve_due_at = now, solve_due_at
    if case.state == "solved":
        _record(session, case, "reopened", now=now)
    case.answer_due_at = case.answer_due_at if case.state == "open" and case.answer_due_at else answer_due_at
    case.state, case.solved_at = TRANSITIONS["reply"][case.state], None
    case.version = ServiceCase.version + 1
    session.flush()
    session.refresh(case)
    _record(session, case, "reply", words, now=now)
    return case


def take(session: Session, case_id: int, *, staff: Colleague, version: int, now: datetime) -> ServiceCase:
    """Make it mine, also from a colleague. Raises NotFound, Refused(stale | wrong_state)."""
    case = get_case(session, case_id)
    if case.owner_id == staff.id:
        return case
    case = change(session, case, "take", version, owner_id=staff.id)
    _record(session, case, "took", actor=staff.name, now=now)
    return case


def hand(session: Session, case_id: int, to_id: int, *, staff: Colleague, version: int, now: datetime) -> ServiceCase:
    """Give it to a colleague of sales. Raises NotFound, BadInput(invalid_form, to), Refused(stale | wrong_state)."""
    to, case = session.get(Staff, to_id), get_case(session, case_id)
    if to is None or not to.active or to.role not in assigning.SELLERS:
        raise BadInput("invalid_form", {"to": "bad_choice"})
    if case.owner_id == to.id:
        return case
    case = change(session, case, "hand", version, owner_id=to.id)
    _record(session, case, "handed", to.name, actor=staff.name, now=now)
    return case


def note(session: Session, case_id: int, text: str, *, staff: Colleague, version: int, now: datetime) -> ServiceCase:
    """Write something down for ourselves. Raises NotFound, BadInput(invalid_form, text), Refused(stale)."""
    words, case = clean_text(text), get_case(session, case_id)
    if case.version != version and _was_last_said(session, case, "note", words, staff):
        return case
    case = change(session, case, "note", version)
    _record(session, case, "note", words, actor=staff.name, now=now)
    return case


def prioritise(session: Session, case_id: int, priority: str, *, staff: Colleague, version: int, now: datetime) -> ServiceCase:
    """Say how urgent it is; its deadlines follow.

    Raises NotFound, BadInput(invalid_form, priority), Refused(stale | wrong_state).
    """
    if priority not in PRIORITIES:
        raise BadInput("invalid_form", {"priority": "bad_choice"})
    case = get_case(session, case_id)
    if case.priority == priority:
        return case
    answer_due_at, solve_due_at = case_times.deadlines(session, priority, case.due_from_at)
    due = {"answer_due_at": answer_due_at if case.answer_due_at else None, "solve_due_at": solve_due_at}
    before = case.priority
    case = change(session, case, "prioritise", version, priority=priority, **due)
    _record(session, case, "prioritised", values={"from": before, "priority": priority}, actor=staff.name, now=now)
    return case


def answer(
    session: Session,
    case_id: int,
    text: str,
    *,
    then: str,
    staff: Colleague,
    version: int,
    base_url: str = "",
    now: datetime,
) -> ServiceCase:
    """Answer by mail; it is mine from then on. then: waiting (for them) | open (more is to come from us) | solved.

    The mail is asked for in this transaction; one that solves asks how content they are. The same answer twice is sent once.
    Raises NotFound, BadInput(invalid_form, text | then), Refused(stale | wrong_state | no_email).
    """
    words, case = clean_text(text), get_case(session, case_id)
    if then not in THEN:
        raise BadInput("invalid_form", {"then": "bad_choice"})
    if ready_answers.left_open(words):
        raise BadInput("invalid_form", {"text": "placeholder_left"})
    if case.version != version and _was_last_said(session, case, "answer", words, staff):
        return case
    if not parties.get_party(session, case.party_id).email:
        raise Refused("no_email")
    case = _heard(session, case, THEN[then], version, staff, now)
    _mail(session, case, "case_answer", now, text=words, solved=then == "solved", base_url=base_url)
    _record(session, case, "answer", words, actor=staff.name, now=now)
    if then == "solved":
        _record(session, case, "solved", actor=staff.name, now=now)
    return case


def solve(session: Session, case_id: int, *, staff: Colleague, version: int, base_url: str = "", now: datetime) -> ServiceCase:
    """Say that it is settled, without more words (on the telephone); who has an e-mail is asked how content they are.

    Solving what is solved changes nothing. Raises NotFound, Refused(stale | wrong_state).
    """
    case = get_case(session, case_id)
    if case.state == "solved":
        return case
    case = _heard(session, case, "solve", version, staff, now)
    if parties.get_party(session, case.party_id).email:
        _mail(session, case, "case_solved", now, base_url=base_url)
    _record(session, case, "solved", actor=staff.name, now=now)
    return case


def close(session: Session, case_id: int, *, staff: Colleague, version: int, now: datetime) -> ServiceCase:
    """Close it for good; nobody is written to. Closing a closed one changes nothing.

    Raises NotFound, Refused(stale | wrong_state).
    """
    case = get_case(session, case_id)
    if case.state == "closed":
        return case
    case = change(session, case, "close", version, answer_due_at=None)
    _record(session, case, "closed", actor=staff.name, now=now)
    return case


def reopen(session: Session, case_id: int, *, staff: Colleague, version: int, now: datetime) -> ServiceCase:
    """Open it again: it is mine, and is due from now on. Raises NotFound, Refused(stale | wrong_state)."""
    case = get_case(session, case_id)
    answer_due_at, solve_due_at = case_times.deadlines(session, case.priority, now)
    due = {"due_from_at": now, "answer_due_at": answer_due_at, "solve_due_at": solve_due_at, "solved_at": None}
    case = change(session, case, "reopen", version, owner_id=staff.id, **due)
    _record(session, case, "reopened", actor=staff.name, now=now)
    return case


def change(session: Session, case: ServiceCase, verb: str, version: int, **values: object) -> ServiceCase:
    """Move the case along its table, only from the version that was seen; return it as it is now."""
    if case.version != version:
        raise Refused("stale", state=case.state, owner=_owner_name(session, case))
    allowed = TRANSITIONS[verb]
    if case.state not in allowed:
        raise Refused("wrong_state", state=case.state)
    seen = sa.update(ServiceCase).where(ServiceCase.id == case.id, ServiceCase.version == version)
    changed = seen.values(state=allowed[case.state], version=version + 1, **values).returning(ServiceCase.id)
    won = session.execute(changed.execution_options(synchronize_session=False)).scalar_one_or_none()
    session.refresh(case)
    if won is None:
        raise Refused("stale", state=case.state, owner=_owner_name(session, case))
    return case


def _heard(session: Session, case: ServiceCase, verb: str, version: int, staff: Colleague, now: datetime) -> ServiceCase:
    """Note that they heard from us: how long the first time took, and that nobody waits for an answer any more."""
    took = case.answered_in if case.answered_in is not None else case_times.open_minutes(session, case.created_at, now)
    values: dict[str, Any] = {"owner_id": staff.id, "answer_due_at": None, "answered_in": took}
    solved = TRANSITIONS[verb].get(case.state) == "solved"
    values |= {"solved_at": now if solved else None} | ({"asked_at": now} if solved else {})
    if verb == "go_on" and case.state != "open":
        values |= {"due_from_at": now, "solve_due_at": case_times.deadlines(session, case.priority, now)[1]}
    return change(session, case, verb, version, **values)


def _mail(session: Session, case: ServiceCase, kind: str, now: datetime, **more: object) -> None:
    party = parties.get_party(session, case.party_id)
    payload = {
        "to": party.email,
        "name": party.name,
        "language": case.language or party.language,
        "shop": get_company(session).name,
        "number": case.number,
        "subject": subject_of(case),
        "asked": case.message,
        **more,
    }
    events.publish(session, events.MailWanted(kind, f"case:{case.number}", payload, now))


def subject_of(case: ServiceCase) -> str:
    """Return one line that reminds its customer of what they asked."""
    return leads.first_line(case.message) or case.number


def _record(
    session: Session,
    case: ServiceCase,
    kind: str,
    text: str = "",
    *,
    actor: str = "",
    values: dict[str, Any] | None = None,
    now: datetime,
) -> None:
    of = {"case_id": case.id, "order_ref": case.order_ref}
    timeline.record(session, case.party_id, kind, text=text, **of, actor=actor, values=values, now=now)  # type: ignore[arg-type] # a mixed dict


def _was_last_said(session: Session, case: ServiceCase, kind: str, words: str, staff: Colleague) -> bool:
    """Tell whether this is the same form once more: the newest entry of this kind is these words by this person."""
    newest = sa.select(Activity).where(Activity.case_id == case.id, Activity.kind == kind).order_by(Activity.id.desc()).limit(1)
    said = session.execute(newest).scalar_one_or_none()
    return said is not None and said.text == words and said.actor == staff.name


def _owner_name(session: Session, case: ServiceCase) -> str:
    owner = session.get(Staff, case.owner_id) if case.owner_id is not None else None
    return owner.name if owner else ""
