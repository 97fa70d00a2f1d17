"""How content customers are with what came of their question: one answer each, which they may change; and what it comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import timeline
from backoffice.crm.case_rules import PRIORITIES
from backoffice.crm.lead_forms import clean_text
from backoffice.crm.models import ServiceCase
from backoffice.public.errors import BadInput, Refused

SCORES = range(1, 6)
LONGEST_COMMENT = 2_000


@dataclass(frozen=True, slots=True)
class Answers:
    """How many of those who were asked said how content they are, and what: 1 to 5. mean: None without an answer."""

    asked: int
    answered: int
    mean: float | None
    of_score: Sequence[int]

    @property
    def share(self) -> float | None:
        """Return which part answered, 0 to 1; None where nobody was asked."""
        return self.answered / self.asked if self.asked else None


@dataclass(frozen=True, slots=True)
class FirstAnswers:
    """Cases of one priority: how many came in, how many we have answered, and open office minutes until then."""

    priority: str
    cases: int
    answered: int
    mean: float | None
    longest: int | None


def rate(session: Session, case_id: int, score: int, comment: str, *, now: datetime) -> ServiceCase:
    """Keep what a customer says; the same again changes nothing, something else takes its place.

    Raises BadInput(invalid_form, score | comment), Refused(wrong_state) before it is settled.
    """
    if score not in SCORES:
        raise BadInput("invalid_form", {"score": "bad_choice"})
    words = clean_text(comment, field="comment") if comment.strip() else ""
    if len(words) > LONGEST_COMMENT:
        raise BadInput("invalid_form", {"comment": "too_long"})
    case = session.get_one(ServiceCase, case_id, with_for_update=True, populate_existing=True)
    if case.state not in ("solved", "closed") or case.asked_at is None:
        raise Refused("wrong_state")
    if (case.score, case.comment) == (score, words):
        return case
    case.score, case.comment, case.rated_at = score, words, now
    of = {"case_id": case.id, "order_ref": case.order_ref}
    timeline.record(session, case.party_id, "rated", text=words, values={"score": score}, **of, now=now)  # type: ignore[arg-type] # a mixed dict
    session.flush()
    return case


def find_answers(session: Session, begins_at: datetime, ends_at: datetime) -> Answers:
    """Return what was answered to the questions of a span of time."""
    asked = sa.and_(ServiceCase.asked_at >= begins_at, ServiceCase.asked_at < ends_at)
    counted = sa.select(ServiceCase.score, sa.func.count()).where(asked).group_by(ServiceCase.score)
    numbers = {row[0]: int(row[1]) for row in session.execute(counted)}
    of_score = [numbers.get(score, 0) for score in SCORES]
    answered = sum(of_score)
    mean = sum(score * count for score, count in zip(SCORES, of_score, strict=True)) / answered if answered else None
    return Answers(sum(numbers.values()), answered, mean, of_score)


def find_first_answers(session: Session, begins_at: datetime, ends_at: datetime) -> Sequence[FirstAnswers]:
    """Return how long the first answer took, for each priority, of cases that came in within a span of time."""
    took = ServiceCase.answered_in
    figures = sa.select(ServiceCase.priority, sa.func.count(), sa.func.count(took), sa.func.sum(took), sa.func.max(took))
    within = figures.where(ServiceCase.created_at >= begins_at, ServiceCase.created_at < ends_at)
    found = {
        priority: FirstAnswers(priority, cases, answered, float(total or 0) / answered if answered else None, longest)
        for priority, cases, answered, total, longest in session.execute(within.group_by(ServiceCase.priority))
    }
    return [found.get(priority, FirstAnswers(priority, 0, 0, None, None)) for priority in PRIORITIES]
