"""Tables of the CRM layer: who asked for what, and what happened between us."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, BigId

OF_A_CASE = sa.text("case_id IS NOT NULL")
OPEN = sa.text("state IN ('new', 'working', 'answered')")
HEARD, LOST = sa.text("kind IN ('answer', 'call')"), sa.text("kind = 'lost'")  # kinds by which somebody has heard of us


class Lead(Base):
    """Somebody who asked. state: new | working (somebody took it) | answered | done | quarantined (doubtful, kept apart).

    kind: contact | question | tell_me | order_question | quote_request | phone (typed at the desk) |
    late_order (a day that moved: call them) |
    abandoned_cart (they asked to be reminded) | refused_day (the day they need cannot be had) |
    dispute (the buyer's bank: send it proof) | authorisation (it soon lets money go). due_at: answer by then.
    follow_up_at: when its owner wants to call again. outcome: "" | won | lost, once it is done. version: a stale save is refused.
    score: 0 to 100, whom to call first; score_parts: why (see crm.scoring); scored_for: what it was worked out from.
    stage: how far it is on the way to an order: lead | qualified | opportunity; its end is its outcome, and stage keeps where.
    value_minor, currency: what it may bring; expected_on: when. escalated_for: the deadline that was missed and acted on, and
    escalation: how far (1: its owner was reminded, 2: somebody else has it).
    """

    __tablename__ = "lead"
    __table_args__ = (
        sa.CheckConstraint("state IN ('new', 'working', 'answered', 'done', 'quarantined')", name="state"),
        sa.CheckConstraint(
            "kind IN ('contact', 'question', 'tell_me', 'order_question', 'quote_request', 'phone', 'late_order', 'dispute', "
            "'authorisation', 'abandoned_cart', 'refused_day')",
            name="kind",
        ),
        sa.CheckConstraint("outcome IN ('', 'won', 'lost')", name="outcome"),
        sa.CheckConstraint("score BETWEEN 0 AND 100", name="score"),
        sa.Index("ix_lead_state_score", "state", "score"),
        sa.CheckConstraint("stage IN ('lead', 'qualified', 'opportunity')", name="stage"),
        sa.CheckConstraint("value_minor IS NULL OR (value_minor >= 0 AND currency <> '')", name="value"),
        sa.CheckConstraint("escalation BETWEEN 0 AND 2", name="escalation"),
        sa.Index("ix_lead_state_due_at", "state", "due_at"),
        sa.Index("ix_lead_created_at_id", "created_at", "id"),
        sa.Index("ix_lead_open_stage", "stage", "id", postgresql_where=OPEN, sqlite_where=OPEN),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"), index=True)
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(default="new")
    message: Mapped[str] = mapped_column(default="")
    sku: Mapped[str] = mapped_column(default="")
    quantity: Mapped[int | None]
    needed_by_on: Mapped[date | None]
    postcode: Mapped[str] = mapped_column(default="")
    order_ref: Mapped[str | None]
    source: Mapped[str] = mapped_column(default="web")
    campaign: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))
    medium: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))
    landing: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))  # the first page of that visit
    company: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))  # as typed
    page: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="")
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"), index=True)
    due_at: Mapped[datetime]
    follow_up_at: Mapped[datetime | None] = mapped_column(index=True)
    outcome: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))
    won_order_ref: Mapped[str | None]  # the order it became
    score: Mapped[int] = mapped_column(default=0, server_default="0")
    score_parts: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    scored_for: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))
    stage: Mapped[str] = mapped_column(default="lead", server_default=sa.text("'lead'"))
    value_minor: Mapped[int | None] = mapped_column(sa.BigInteger)
    currency: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))
    expected_on: Mapped[date | None]
    lost_reason_id: Mapped[int | None] = mapped_column(sa.ForeignKey("lost_reason.id"), index=True)
    escalation: Mapped[int] = mapped_column(default=0, server_default=sa.text("0"))
    escalated_for: Mapped[datetime | None]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class Activity(Base):
    """One entry of a party's timeline: the only history there is of what happened between us.

    kind: message (from them) | answer | note | call | took | follow_up | order | shipped | day_moved | picking |
    picking_taken_over | packed | confirmed | done | handed | lost | moved (to another stage) | valued | reminded |
    escalated | reply (their mail) |
    automatic (their machine's mail) | introduced | offered | offer_withdrawn | offer_ended | converted | consent |
    consent_withdrawn | cancelled | refunded | short_pick | disputed | authorisation_ends | withdrawn | came_back |
    repeated (the same words again; values: times) | cart_left | perhaps_same | day_asked (of planning) | day_freed |
    day_refused | solved | closed | reopened | prioritised | rated (of a service case, as the others with a case_id).
    values: what the words of its kind need (a cause, a day, an amount), so that each reader gets them in their language.
    """

    __tablename__ = "activity"
    __table_args__ = (
        sa.Index("ix_activity_party_id_at", "party_id", "at"),
        sa.Index("ix_activity_heard", "lead_id", "at", postgresql_where=HEARD, sqlite_where=HEARD),
        sa.Index("ix_activity_lost", "lead_id", postgresql_where=LOST, sqlite_where=LOST),
        sa.Index("ix_activity_case_id", "case_id", postgresql_where=OF_A_CASE, sqlite_where=OF_A_CASE),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"))
    lead_id: Mapped[int | None] = mapped_column(sa.ForeignKey("lead.id"), index=True)
    case_id: Mapped[int | None] = mapped_column(sa.ForeignKey("service_case.id"))
    order_ref: Mapped[str | None] = mapped_column(index=True)
    kind: Mapped[str]
    text: Mapped[str] = mapped_column(default="")
    values: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    actor: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]


class AssignmentRule(Base):
    """Who gets a new lead: the first rule by position that fits. Empty conditions fit everything."""

    __tablename__ = "assignment_rule"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="")
    country: Mapped[str] = mapped_column(default="")
    postcode_prefix: Mapped[str] = mapped_column(default="")
    category_id: Mapped[int | None] = mapped_column(sa.ForeignKey("category.id"))  # of the product asked for, or above it
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    active: Mapped[bool] = mapped_column(default=True)


class MailTemplate(Base):
    """Words that sales staff start an answer from. body: plain text with places to fill in (ready_answers.NAMES)."""

    __tablename__ = "mail_template"
    __table_args__ = (sa.UniqueConstraint("name", "language"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str]
    language: Mapped[str]
    body: Mapped[str]
    updated_at: Mapped[datetime]
