"""Who is written to with the reports, and how far they have been."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base


class ReportMail(Base):
    """A colleague's wish for the reports by mail. every: week | month. sent_for: first day of the newest period they had."""

    __tablename__ = "report_mail"
    __table_args__ = (sa.CheckConstraint("every IN ('week', 'month')", name="every"),)

    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True)
    every: Mapped[str]
    language: Mapped[str]
    sent_for: Mapped[date]
