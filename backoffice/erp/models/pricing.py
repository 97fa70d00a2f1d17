"""Price lists: what some customers pay instead of everybody's price."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, BigId


class PriceList(Base):
    """A named list in one currency. percent_off: taken off everybody's price of what the list names no price for."""

    __tablename__ = "price_list"
    __table_args__ = (sa.CheckConstraint("percent_off BETWEEN 0 AND 100", name="percent_off"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    currency: Mapped[str]
    percent_off: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)


class ListPrice(Base):
    """What a piece of an item costs by a list, from so many pieces on."""

    __tablename__ = "list_price"
    __table_args__ = (
        sa.UniqueConstraint("price_list_id", "item_id", "from_quantity"),
        sa.CheckConstraint("from_quantity > 0", name="from_quantity"),
        sa.CheckConstraint("price_minor >= 0", name="price"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    price_list_id: Mapped[int] = mapped_column(sa.ForeignKey("price_list.id", ondelete="CASCADE"))
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id", ondelete="CASCADE"), index=True)
    from_quantity: Mapped[int]
    price_minor: Mapped[int]
