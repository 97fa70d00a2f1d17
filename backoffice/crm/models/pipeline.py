"""Tables of the pipeline: how likely a stage is, why we lost, who is told when nobody answers, lists that somebody kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, BigId


class StageProbability(Base):
    """How many of a hundred in a stage become orders, as the company sees it. A stage without a row: the usual share."""

    __tablename__ = "stage_probability"
    __table_args__ = (
        sa.CheckConstraint("stage IN ('lead', 'qualified', 'opportunity')", name="stage"),
        sa.CheckConstraint("percent BETWEEN 0 AND 100", name="percent"),
    )

    stage: Mapped[str] = mapped_column(primary_key=True)
    percent: Mapped[int]


class LostReason(Base):
    """Why nothing was sold, as the company counts it. One that is not active is no longer offered; what it explained stays."""

    __tablename__ = "lost_reason"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    position: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)


class EscalationRule(Base):
    """The one row (id 1) of what happens to what is overdue. after_minutes: of open hours, from the deadline on.

    to_id: who gets it then; None: the colleague who is here and has the least to do.
    """

    __tablename__ = "escalation_rule"
    __table_args__ = (sa.CheckConstraint("id = 1", name="one_row"), sa.CheckConstraint("after_minutes > 0", name="after_minutes"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    after_minutes: Mapped[int]
    to_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    active: Mapped[bool] = mapped_column(default=True)


class SavedView(Base):
    """A list as somebody keeps it: which part, in which order, which columns. shared: everybody of sales sees it."""

    __tablename__ = "saved_view"
    __table_args__ = (sa.UniqueConstraint("owner_id", "name"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id", ondelete="CASCADE"))
    name: Mapped[str]
    args: Mapped[dict[str, Any]]
    shared: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class MailTaken(Base):
    """A mail that was read out of our mailbox, each once. The mail itself stays in the mailbox.

    outcome: threaded (to an enquiry or a case) | new (one of its own) | doubtful (the same, kept apart) | repeated (its
    Message-ID was taken before) | set_aside (it cannot be read; problem says why, without its words).
    """

    __tablename__ = "mail_taken"
    __table_args__ = (
        sa.UniqueConstraint("mailbox", "uid_validity", "uid"),
        sa.CheckConstraint("outcome IN ('threaded', 'new', 'doubtful', 'repeated', 'set_aside')", name="outcome"),
        sa.Index("uq_mail_taken_message_hash", "message_hash", unique=True),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    mailbox: Mapped[str]
    uid_validity: Mapped[int] = mapped_column(sa.BigInteger)
    uid: Mapped[int] = mapped_column(sa.BigInteger)
    message_hash: Mapped[str | None]  # of its Message-ID, without which it has none; of a repeated one: none
    outcome: Mapped[str]
    problem: Mapped[str] = mapped_column(default="")
    lead_id: Mapped[int | None] = mapped_column(sa.ForeignKey("lead.id"), index=True)
    case_id: Mapped[int | None] = mapped_column(sa.ForeignKey("service_case.id"), index=True)
    at: Mapped[datetime]
