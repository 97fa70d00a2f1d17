"""Tables of goods that come back."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, BigId


class GoodsReturn(Base):
    """Goods of an order that their buyer sends back. state: expected | received (all of it)."""

    __tablename__ = "goods_return"
    __table_args__ = (
        sa.CheckConstraint("state IN ('expected', 'received')", name="state"),
        sa.Index("ix_goods_return_state_id", "state", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    order_ref: Mapped[str] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(default="expected")
    announced_at: Mapped[datetime]
    received_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class GoodsReturnLine(Base):
    """What of one reservation comes back: announced, received so far, and how much of that could be sold again."""

    __tablename__ = "goods_return_line"
    __table_args__ = (
        sa.UniqueConstraint("return_id", "reservation_id"),
        sa.CheckConstraint("quantity > 0 AND received >= 0 AND received <= quantity", name="received"),
        sa.CheckConstraint("restocked >= 0 AND restocked <= received", name="restocked"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    return_id: Mapped[int] = mapped_column(sa.ForeignKey("goods_return.id"))
    reservation_id: Mapped[int] = mapped_column(sa.ForeignKey("reservation.id"), index=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    quantity: Mapped[int]
    received: Mapped[int] = mapped_column(default=0)
    restocked: Mapped[int] = mapped_column(default=0)
