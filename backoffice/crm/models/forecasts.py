"""What is expected to be sold."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base


class DemandForecast(Base):
    """A month to come of one item. method: its class (forecast.methods). mean, low, high: pieces of that month alone.

    until: pieces expected until the end of that month, whole; deliverable: how many of those could be promised to arrive by
    then, were nothing else asked for. made_at: when it was worked out.
    """

    __tablename__ = "demand_forecast"
    __table_args__ = (
        sa.CheckConstraint("method IN ('short', 'intermittent', 'smooth', 'seasonal')", name="method"),
        sa.CheckConstraint("mean >= 0 AND 0 <= deliverable AND deliverable <= until", name="pieces"),
    )

    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id", ondelete="CASCADE"), primary_key=True)
    month_on: Mapped[date] = mapped_column(primary_key=True)
    method: Mapped[str]
    months: Mapped[int]  # of history
    mean: Mapped[float]
    low: Mapped[float | None]
    high: Mapped[float | None]
    until: Mapped[int]
    deliverable: Mapped[int]
    made_at: Mapped[datetime]
