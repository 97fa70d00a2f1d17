"""The plan as a log: what was decided, commit by commit, and what it came to now and then."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, BigId


class PlanDecision(Base):
    """What one commit decided about the plan, as data (see planning.folding). Append only, numbered without a gap.

    cause: why, in a few codes; at: the instant it was decided for; both empty where rows were entered by hand.
    """

    __tablename__ = "plan_decision"

    number: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    at: Mapped[datetime | None]
    cause: Mapped[str] = mapped_column(default="")
    plan_version: Mapped[int]
    decided: Mapped[list[Any]]


class PlanCheckpoint(Base):
    """The whole plan after decision `number`, as the decisions that alone make it: what lies before may be forgotten."""

    __tablename__ = "plan_checkpoint"

    number: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    decided: Mapped[list[Any]]


class PlanAudit(Base):
    """What an audit of the plan found. number: of the last decision it knew; breaches: one line each, at most some hundreds."""

    __tablename__ = "plan_audit"
    __table_args__ = (sa.Index("ix_plan_audit_at", "at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime]
    number: Mapped[int]
    digest: Mapped[str]
    breaches: Mapped[list[Any]]
