"""Tables of the CRM layer: carts whose owners asked to be reminded, people who are perhaps the same."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, BigId


class CartReminder(Base):
    """Somebody who asked to be reminded of a cart. lead_id: sales was told; closed_at: nobody need be any more.

    doubtful: one of a crowd of one network; its lead is kept apart, and nobody is written to.
    """

    __tablename__ = "cart_reminder"
    __table_args__ = (
        sa.Index(
            "ix_cart_reminder_to_make",
            "id",
            sqlite_where=sa.text("lead_id IS NULL AND closed_at IS NULL"),
            postgresql_where=sa.text("lead_id IS NULL AND closed_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    cart_id: Mapped[int] = mapped_column(sa.ForeignKey("cart.id", ondelete="CASCADE"), unique=True)
    party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"), index=True)
    consent_id: Mapped[int] = mapped_column(sa.ForeignKey("consent.id", ondelete="CASCADE"), index=True)
    lead_id: Mapped[int | None] = mapped_column(sa.ForeignKey("lead.id"), index=True)
    language: Mapped[str] = mapped_column(default="")
    asked_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    doubtful: Mapped[bool] = mapped_column(default=False, server_default=sa.false())


class PerhapsSame(Base):
    """Two parties who may be one person: a telephone in common, and something that contradicts.

    low_id < high_id. verdict: "" (nobody has looked) | same | different.
    """

    __tablename__ = "perhaps_same"
    __table_args__ = (
        sa.UniqueConstraint("low_id", "high_id"),
        sa.CheckConstraint("low_id < high_id", name="in_order"),
        sa.CheckConstraint("verdict IN ('', 'same', 'different')", name="verdict"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    low_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id", ondelete="CASCADE"))
    high_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id", ondelete="CASCADE"), index=True)
    verdict: Mapped[str] = mapped_column(default="")
    decided_by: Mapped[str] = mapped_column(default="")
    found_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
