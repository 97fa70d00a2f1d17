"""From an enquiry to an order: its stage, what it may bring and when.

A stage says how far it is (lead → qualified → opportunity). How it ended is its outcome: won, only by an order, or lost, with
a reason. The two are kept apart, so that they cannot contradict each other and a lost one still says how far it had come.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import audit, wording
from backoffice.crm import leads, timeline
from backoffice.crm.answer_time import FURTHEST
from backoffice.crm.leads import Colleague
from backoffice.crm.models import Lead, StageProbability
from backoffice.erp.company import get_company
from backoffice.public.errors import BadInput

STAGES = ("lead", "qualified", "opportunity")
STAGE_MOVES: Mapping[str, frozenset[str]] = {
    # from a stage to the others: forward as they decide, back when they think again
    "lead": frozenset({"qualified", "opportunity"}),
    "qualified": frozenset({"lead", "opportunity"}),
    "opportunity": frozenset({"qualified", "lead"}),
}
SELLING_KINDS = ("contact", "question", "tell_me", "quote_request", "phone")  # the others are about what is sold already
USUAL_PERCENT: Mapping[str, int] = {"lead": 10, "qualified": 30, "opportunity": 60}
MOST_VALUE = 10**13  # minor units


def move(session: Session, lead_id: int, stage: str, *, staff: Colleague, version: int, now: datetime) -> Lead:
    """Bring it to another stage; one that nobody has becomes mine. Where it is already, nothing changes.

    Raises NotFound, BadInput(invalid_form, stage), Refused(stale | wrong_state).
    """
    if stage not in STAGES:
        raise BadInput("invalid_form", {"stage": "bad_choice"})
    lead = leads.get_lead(session, lead_id)
    before = lead.stage
    if stage not in STAGE_MOVES[before]:
        return lead
    lead = leads.change(session, lead, "move", staff, version, owner_id=lead.owner_id or staff.id, stage=stage)
    moved = {"from": before, "stage": stage}
    timeline.record(session, lead.party_id, "moved", values=moved, lead_id=lead.id, actor=staff.name, now=now)
    return lead


def estimate(
    session: Session,
    lead_id: int,
    *,
    value_minor: int | None,
    expected_on: date | None,
    staff: Colleague,
    version: int,
    now: datetime,
) -> Lead:
    """Write down what it may bring, in the company's currency, and when; None: nobody knows.

    Raises NotFound, BadInput(invalid_form, value | expected_on), Refused(stale | wrong_state).
    """
    company, lead = get_company(session), leads.get_lead(session, lead_id)
    today = wording.day_in(company.timezone, now)
    wrong = {}
    if value_minor is not None and not 0 <= value_minor <= MOST_VALUE:
        wrong["value"] = "bad_amount"
    if expected_on is not None and not today <= expected_on <= today + FURTHEST:
        wrong["expected_on"] = "past_date" if expected_on < today else "bad_date"
    if wrong:
        raise BadInput("invalid_form", wrong)
    if (lead.value_minor, lead.expected_on) == (value_minor, expected_on):
        return lead
    values = {"value_minor": value_minor, "currency": company.currency, "expected_on": expected_on}
    lead = leads.change(session, lead, "estimate", staff, version, owner_id=lead.owner_id or staff.id, **values)
    told: dict[str, Any] = {"expected_on": expected_on.isoformat() if expected_on else None, "amount_minor": value_minor}
    told["currency"] = company.currency
    timeline.record(session, lead.party_id, "valued", values=told, lead_id=lead.id, actor=staff.name, now=now)
    return lead


def probabilities(session: Session) -> dict[str, int]:
    """Return stage → how many of a hundred become orders."""
    rows = session.scalars(sa.select(StageProbability)).all()
    return dict(USUAL_PERCENT) | {row.stage: row.percent for row in rows}


def set_probabilities(session: Session, percents: Mapping[str, int], *, by: str, role: str = "", now: datetime) -> None:
    """Write the share of every stage. Raises BadInput(invalid_form, stage) for a stage left out or no percentage."""
    wrong = {stage: "bad_number" for stage in STAGES if not 0 <= percents.get(stage, -1) <= 100}
    if wrong:
        raise BadInput("invalid_form", wrong)
    before = probabilities(session)
    after = {stage: percents[stage] for stage in STAGES}
    for stage in STAGES:
        session.merge(StageProbability(stage=stage, percent=after[stage]))
    session.flush()
    if before != after:
        details = {"before": before, "after": after}
        audit.record(session, "stages.save", "stages", actor=by, role=role, details=details, now=now)
