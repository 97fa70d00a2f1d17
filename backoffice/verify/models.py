"""Table of what `verify` found each night."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, BigId


class Verification(Base):
    """What the worker's check of all figures found. breaches: one line each, the first of many; found: how many there were."""

    __tablename__ = "verification"
    __table_args__ = (sa.Index("ix_verification_at", "at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime]
    found: Mapped[int]
    breaches: Mapped[list[Any]]
