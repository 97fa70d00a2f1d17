"""What was agreed with a company: buying on account, and prices of its own."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, BigId


class CompanyTerms(Base):
    """How a company may buy on account. limit_minor 0: not at all.

    used_minor: what it owes, invoiced or not; raised under the limit and lowered in SQL. Below nothing: it is in credit with us.
    due_days: how long after the invoice it has to pay. pause_overdue: nothing more on account while an invoice is overdue.
    """

    __tablename__ = "company_terms"
    __table_args__ = (
        sa.CheckConstraint("limit_minor >= 0", name="limit"),
        sa.CheckConstraint("due_days BETWEEN 0 AND 365", name="due_days"),
    )

    party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"), primary_key=True, autoincrement=False)
    currency: Mapped[str]
    limit_minor: Mapped[int]
    used_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    due_days: Mapped[int]
    pause_overdue: Mapped[bool] = mapped_column(default=True, server_default=sa.true())


class CompanyPrices(Base):
    """A price list that holds for a company, from a day to a day (that day too; none: without end)."""

    __tablename__ = "company_prices"
    __table_args__ = (sa.CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="valid"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"), index=True)
    price_list_id: Mapped[int] = mapped_column(sa.ForeignKey("price_list.id"))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
