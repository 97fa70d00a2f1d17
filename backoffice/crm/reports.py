"""Reports for whoever runs the company: where enquiries come from and what becomes of them, how fast we answer, why we lose,
and whether customers come back. Counted in SQL, one statement each; what was set apart as doubtful does not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm.forecasting import month_of
from backoffice.crm.models import Activity, Lead, LostReason, Order

# said as constants and not as parameters: only then a prepared statement may use the indexes of these entries
HEARD = Activity.kind.in_([sa.literal_column(f"'{kind}'", sa.String()) for kind in ("answer", "call")])
LOST = Activity.kind == sa.literal_column("'lost'", sa.String())
ASKED = ("contact", "question", "tell_me", "order_question", "quote_request", "phone")  # kinds that somebody outside began
COHORTS = 6
SOURCES = 20


@dataclass(frozen=True, slots=True)
class Span:
    """From the beginning of a day to that of another one, where the company is."""

    first: date
    end: date
    zone: ZoneInfo

    def at(self, day: date) -> datetime:
        """Return the instant at which a day begins."""
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    @property
    def of_leads(self) -> tuple[sa.ColumnElement[bool], ...]:
        """Return what an enquiry that counts meets."""
        came = Lead.created_at
        return (came >= self.at(self.first), came < self.at(self.end), Lead.state != "quarantined", Lead.kind.in_(ASKED))


@dataclass(frozen=True, slots=True)
class Funnel:
    """The enquiries of one source: how many came, were taken up, won, lost."""

    source: str
    came: int
    taken: int
    won: int
    lost: int

    @property
    def rate(self) -> float | None:
        """Return won of won and lost; None while nothing is decided."""
        decided = self.won + self.lost
        return self.won / decided if decided else None


@dataclass(frozen=True, slots=True)
class Answers:
    """Enquiries of one kind: answered by the hour promised for it (eight open office hours), later, or not though it is over."""

    kind: str
    in_time: int
    late: int
    overdue: int

    @property
    def rate(self) -> float | None:
        """Return those in time of all whose hour can be judged."""
        judged = self.in_time + self.late + self.overdue
        return self.in_time / judged if judged else None


@dataclass(frozen=True, slots=True)
class Cohort:
    """Customers by the month of their first order. again: for each month after it, how many ordered in that month too."""

    month: date
    customers: int
    again: Sequence[int]


def find_funnel(session: Session, span: Span) -> Sequence[Funnel]:
    """Return the sources with most enquiries first, twenty at most."""
    came = sa.func.count()
    rows = session.execute(
        sa.select(Lead.source, came, _sum(Lead.state != "new"), _sum(Lead.outcome == "won"), _sum(Lead.outcome == "lost"))
        .where(*span.of_leads)
        .group_by(Lead.source)
        .order_by(came.desc(), Lead.source)
        .limit(SOURCES)
    )
    return [Funnel(source, *(int(one) for one in counts)) for source, *counts in rows]


def find_answers(session: Session, span: Span, *, now: datetime) -> Sequence[Answers]:
    """Return how many heard of us by the hour promised, by kind of enquiry."""
    heard = (
        sa.select(Activity.lead_id, sa.func.min(Activity.at).label("at"))
        .where(HEARD, Activity.at >= span.at(span.first), Activity.lead_id.is_not(None))
        .group_by(Activity.lead_id)
        .subquery()
    )
    overdue = sa.and_(heard.c.at.is_(None), Lead.due_at < now, Lead.state.in_(("new", "working")))
    rows = session.execute(
        sa.select(Lead.kind, _sum(heard.c.at <= Lead.due_at), _sum(heard.c.at > Lead.due_at), _sum(overdue))
        .join(heard, heard.c.lead_id == Lead.id, isouter=True)
        .where(*span.of_leads)
        .group_by(Lead.kind)
        .order_by(Lead.kind)
    )
    found = [Answers(kind, *(int(one) for one in counts)) for kind, *counts in rows]
    return [one for one in found if one.rate is not None]


def find_losses(session: Session, span: Span, *, most: int = 12) -> Sequence[tuple[str, int]]:
    """Return why enquiries were lost, most frequent first: the company's reason, else the words written down; "" = neither."""
    number, reason = sa.func.count(sa.distinct(Lead.id)), sa.func.coalesce(LostReason.name, Activity.text, "")
    said = sa.and_(Activity.lead_id == Lead.id, LOST)
    rows = session.execute(
        sa.select(reason, number)
        .select_from(Lead)
        .join(Activity, said, isouter=True)
        .join(LostReason, LostReason.id == Lead.lost_reason_id, isouter=True)
        .where(Lead.outcome == "lost", *span.of_leads)
        .group_by(reason)
        .order_by(number.desc(), reason)
        .limit(most)
    )
    return [(words, int(count)) for words, count in rows]


def find_cohorts(session: Session, *, today: date, zone: ZoneInfo, months: int = COHORTS) -> Sequence[Cohort]:
    """Return the last months' new customers, the oldest first, and who of them ordered again in which month since."""
    starts = [month_of(today, by) for by in range(1 - months, 2)]
    span = Span(starts[0], starts[-1], zone)
    number = _month_number(Order.placed_at, [span.at(one) for one in starts])
    paid = Order.state != "cancelled"
    first = sa.select(Order.party_id, sa.func.min(Order.placed_at).label("at")).where(paid).group_by(Order.party_id).subquery()
    begun = _month_number(first.c.at, [span.at(one) for one in starts])
    rows = session.execute(
        sa.select(begun, number, sa.func.count(sa.distinct(Order.party_id)))
        .join(first, first.c.party_id == Order.party_id)
        .where(paid, first.c.at >= span.at(starts[0]), Order.placed_at < span.at(starts[-1]))
        .group_by(begun, number)
    )
    counted = {(int(one), int(other)): int(people) for one, other, people in rows}
    return [
        Cohort(starts[at], counted[at, at], [counted.get((at, later), 0) for later in range(at + 1, months)])
        for at in range(months)
        if (at, at) in counted
    ]


def _sum(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)


def _month_number(column: Any, edges: Sequence[datetime]) -> sa.ColumnElement[int]:
    """Return which of the months between `edges` an instant lies in, from 0."""
    return sa.case(*((column < end, at) for at, end in enumerate(edges[1:])), else_=len(edges) - 1)
