"""Tables of service: what customers ask about what they bought, and by when each priority is answered and solved."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, BigId

KINDS = "kind IN ('where', 'damaged', 'wrong', 'return', 'invoice', 'other')"
PRIORITIES = "priority IN ('low', 'normal', 'high', 'urgent')"


class ServiceCase(Base):
    """Something that a customer wants settled. state: open (we owe something) | waiting (for them) | solved | closed.

    What was said stands in the timeline (`Activity.case_id`). kind: where (is it) | damaged | wrong | return | invoice | other.
    parcel, order_line_id: which part of the order, if they said so. source: page | mail | phone.
    answer_due_at: by when they must hear from us; none once they have. solve_due_at: by when it must be solved. Both count from
    due_from_at: when it was opened, or opened again. answered_in: open office minutes until the first answer.
    escalated_for: the deadline that was missed and acted on, and escalation: how far (see crm.escalating).
    score: 1 to 5, how content they are with what came of it; rated_at: when they last said so. version: a stale save is refused.
    """

    __tablename__ = "service_case"
    __table_args__ = (
        sa.CheckConstraint("state IN ('open', 'waiting', 'solved', 'closed')", name="state"),
        sa.CheckConstraint(KINDS, name="kind"),
        sa.CheckConstraint(PRIORITIES, name="priority"),
        sa.CheckConstraint("source IN ('page', 'mail', 'phone')", name="source"),
        sa.CheckConstraint("escalation BETWEEN 0 AND 2", name="escalation"),
        sa.CheckConstraint("score IS NULL OR score BETWEEN 1 AND 5", name="score"),
        sa.CheckConstraint("(score IS NULL) = (rated_at IS NULL)", name="rated"),
        sa.CheckConstraint("state NOT IN ('open', 'waiting') OR solved_at IS NULL", name="solved"),
        sa.Index("ix_service_case_state_solve_due_at", "state", "solve_due_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"), index=True)
    order_ref: Mapped[str | None] = mapped_column(index=True)
    parcel: Mapped[int | None]
    order_line_id: Mapped[int | None] = mapped_column(sa.ForeignKey("order_line.id"))
    kind: Mapped[str]
    message: Mapped[str]
    language: Mapped[str] = mapped_column(default="")
    source: Mapped[str]
    priority: Mapped[str]
    state: Mapped[str] = mapped_column(default="open")
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"), index=True)
    due_from_at: Mapped[datetime]
    answer_due_at: Mapped[datetime | None]
    solve_due_at: Mapped[datetime]
    answered_in: Mapped[int | None]
    escalation: Mapped[int] = mapped_column(default=0, server_default=sa.text("0"))
    escalated_for: Mapped[datetime | None]
    solved_at: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]  # when we asked how content they are
    score: Mapped[int | None]
    comment: Mapped[str] = mapped_column(default="")
    rated_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(index=True)
    version: Mapped[int] = mapped_column(default=1)


class CaseDeadline(Base):
    """How many open office minutes a priority has for an answer and for a solution. One without a row: the usual minutes."""

    __tablename__ = "case_deadline"
    __table_args__ = (
        sa.CheckConstraint(PRIORITIES, name="priority"),
        sa.CheckConstraint("0 < answer_minutes AND answer_minutes <= solve_minutes", name="minutes"),
    )

    priority: Mapped[str] = mapped_column(primary_key=True)
    answer_minutes: Mapped[int]
    solve_minutes: Mapped[int]
