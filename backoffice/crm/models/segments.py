"""Tables of the CRM layer: segments."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, BigId


class Segment(Base):
    """Conditions over profiles, kept by name. conditions: [field, operator, value] each; see crm.segment_rules."""

    __tablename__ = "segment"
    __table_args__ = (sa.CheckConstraint("matching IN ('all', 'any')", name="matching"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    matching: Mapped[str] = mapped_column(default="all")
    conditions: Mapped[list[Any]]
    version: Mapped[int] = mapped_column(default=1)
    updated_at: Mapped[datetime]
