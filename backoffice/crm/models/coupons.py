"""Codes that take something off, and who used them."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, BigId


class Coupon(Base):
    """A code and its rule. kind: percent (of the goods) | amount (minor units of `currency`) | volume (percent of each line
    of at least `from_quantity` pieces). used: live redemptions, raised and lowered in SQL, never above `use_limit`.
    """

    __tablename__ = "coupon"
    __table_args__ = (
        sa.CheckConstraint("kind IN ('percent', 'amount', 'volume')", name="kind"),
        sa.CheckConstraint("value > 0 AND (kind = 'amount' OR value <= 100)", name="value"),
        sa.CheckConstraint("used >= 0 AND (use_limit IS NULL OR used <= use_limit)", name="used"),
        sa.CheckConstraint("per_customer IS NULL OR per_customer > 0", name="per_customer"),
        sa.CheckConstraint("from_quantity > 0 AND minimum_minor >= 0", name="from"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)  # capital letters and digits
    kind: Mapped[str]
    value: Mapped[int]
    currency: Mapped[str]
    from_quantity: Mapped[int] = mapped_column(default=1)
    minimum_minor: Mapped[int] = mapped_column(default=0)  # of the goods
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    use_limit: Mapped[int | None]
    per_customer: Mapped[int | None]
    used: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class CouponUse(Base):
    """How often a customer (hash of their address) uses a code now."""

    __tablename__ = "coupon_use"
    __table_args__ = (sa.CheckConstraint("used >= 0", name="used"),)

    coupon_id: Mapped[int] = mapped_column(sa.ForeignKey("coupon.id"), primary_key=True)
    customer: Mapped[str] = mapped_column(primary_key=True)
    used: Mapped[int]


class CouponRedemption(Base):
    """One use of a code, by one checkout. state: live | released (not paid, or cancelled)."""

    __tablename__ = "coupon_redemption"
    __table_args__ = (sa.CheckConstraint("state IN ('live', 'released')", name="state"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    coupon_id: Mapped[int] = mapped_column(sa.ForeignKey("coupon.id"), index=True)
    checkout_id: Mapped[int] = mapped_column(sa.ForeignKey("checkout.id"), unique=True)
    customer: Mapped[str]
    state: Mapped[str] = mapped_column(default="live")
    at: Mapped[datetime]
    released_at: Mapped[datetime | None]
