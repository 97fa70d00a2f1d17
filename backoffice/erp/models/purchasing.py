"""Suppliers and what was ordered from them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, BigId


def _due_at(context: DefaultExecutionContext) -> Any:
    return context.get_current_parameters()["due_at"]  # type: ignore[no-untyped-call]  # SQLAlchemy has no types for it


class Supplier(Base):
    """Somebody we buy from. calendar_id: their working days; none = every day counts."""

    __tablename__ = "supplier"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    email: Mapped[str] = mapped_column(default="")
    active: Mapped[bool] = mapped_column(default=True)
    calendar_id: Mapped[int | None] = mapped_column(sa.ForeignKey("calendar.id"))


class SupplierItem(Base):
    """What a supplier sells us, how fast and in what quantities.

    Of the active ones the lowest priority is tried first, of equals the shortest lead time; a need is bought whole from one.
    """

    __tablename__ = "supplier_item"
    __table_args__ = (
        sa.UniqueConstraint("supplier_id", "item_id"),
        sa.CheckConstraint("lead_days >= 0", name="lead_days"),
        sa.CheckConstraint("order_minimum >= 0 AND order_multiple >= 1", name="lot"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("supplier.id"))
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"), index=True)
    priority: Mapped[int] = mapped_column(default=1, server_default="1")
    lead_days: Mapped[int]
    order_minimum: Mapped[int] = mapped_column(default=0)
    order_multiple: Mapped[int] = mapped_column(default=1)
    order_maximum: Mapped[int | None]
    price_minor: Mapped[int] = mapped_column(default=0)


class PurchaseOrder(Base):
    """An order to a supplier. state: proposed (needed by a promise, not sent yet) | ordered | received | cancelled."""

    __tablename__ = "purchase_order"
    __table_args__ = (sa.CheckConstraint("state IN ('proposed', 'ordered', 'received', 'cancelled')", name="state"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("supplier.id"), index=True)
    state: Mapped[str] = mapped_column(default="ordered")
    ordered_at: Mapped[datetime]


class PurchaseOrderLine(Base):
    """An expected receipt: quantity − received is open, of which `pegged` is already promised to somebody.

    allotted: what is left of its allotments.
    """

    __tablename__ = "purchase_order_line"
    __table_args__ = (
        sa.CheckConstraint("quantity > 0 AND received >= 0", name="quantity"),
        sa.CheckConstraint("pegged >= 0 AND pegged + received <= quantity", name="never_promised_twice"),
        sa.CheckConstraint("allotted >= 0", name="allotted"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    purchase_order_id: Mapped[int] = mapped_column(sa.ForeignKey("purchase_order.id"), index=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"), index=True)
    quantity: Mapped[int]
    received: Mapped[int] = mapped_column(default=0)
    pegged: Mapped[int] = mapped_column(default=0)
    allotted: Mapped[int] = mapped_column(default=0, server_default="0")
    due_at: Mapped[datetime]
    first_due_at: Mapped[datetime | None] = mapped_column(default=_due_at)  # as it was said first; none: nobody knows any more
    expedite_on: Mapped[date | None]  # the day we asked the supplier for instead
    expedite_asked_at: Mapped[datetime | None]
    expedite_asked_by: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))
    version: Mapped[int] = mapped_column(default=1)
