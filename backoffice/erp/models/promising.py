"""Promises as rows: reservations, their pegs, and the projection that pages read."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, BigId
from backoffice.erp.classes import CUSTOMER_CLASSES, RETAIL, one_of


class Reservation(Base):
    """A quantity of one item kept for somebody.

    state: held (a cart's, dies at expires_at) | paying (ends only by settling or the provider's word) | converted (an order's)
    | shipped | released. owner_ref: the cart; order_ref: the order's number, once there is one. customer_class: theirs.
    """

    __tablename__ = "reservation"
    __table_args__ = (
        sa.CheckConstraint("state IN ('held', 'paying', 'converted', 'shipped', 'released')", name="state"),
        sa.CheckConstraint("quantity > 0", name="quantity"),
        sa.CheckConstraint(one_of("customer_class", CUSTOMER_CLASSES), name="customer_class"),
        sa.Index("ix_reservation_state_expires_at", "state", "expires_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"), index=True)
    quantity: Mapped[int]
    state: Mapped[str] = mapped_column(default="held")
    owner_ref: Mapped[str] = mapped_column(index=True)
    order_ref: Mapped[str | None] = mapped_column(index=True)
    basis: Mapped[str]
    ready_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    plan_version: Mapped[int]
    warehouse_id: Mapped[int | None] = mapped_column(sa.ForeignKey("warehouse.id"))  # where it ships from; none: the works
    split_from_id: Mapped[int | None] = mapped_column(sa.ForeignKey("reservation.id"), index=True)  # the rest of a parted line
    customer_class: Mapped[str] = mapped_column(default=RETAIL, server_default=RETAIL)
    chain: Mapped[list[Any]] = mapped_column(default=list)  # the steps that lead to ready_at, as promised
    kit: Mapped[bool] = mapped_column(default=False, server_default=sa.false())  # its goods are those parted from it: erp.kits
    margin_days: Mapped[int] = mapped_column(default=0, server_default="0")  # open days added to ready_at for what is promised


class Peg(Base):
    """A quantity of one supply given to a reservation, or to a production order planned for it.

    kind: stock (warehouse_id) | receipt (purchase_order_line_id) | make (supply_order_id) | buy (still to be ordered, from
    supplier_id). allotment_id: what its class is kept; its stock is taken from there.
    production_order_id: the production order that needs it; none = the reservation itself. used: consumed or shipped.
    Of an item kept in lots: lot_id: of its stock; use_on: the day on which it must still be good, when it arrives or when the
    work begins; picked: how much of it lies in the parcel.
    """

    __tablename__ = "peg"
    __table_args__ = (
        sa.CheckConstraint("kind IN ('stock', 'receipt', 'make', 'buy')", name="kind"),
        sa.CheckConstraint("quantity > 0", name="quantity"),
        sa.CheckConstraint(
            "(kind = 'stock') = (warehouse_id IS NOT NULL) AND (kind = 'receipt') = (purchase_order_line_id IS NOT NULL)"
            " AND (kind = 'make') = (supply_order_id IS NOT NULL)",
            name="supply",
        ),
        sa.CheckConstraint("lot_id IS NULL OR kind = 'stock'", name="lot"),
        sa.CheckConstraint("picked >= 0 AND picked <= quantity", name="picked"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    reservation_id: Mapped[int] = mapped_column(sa.ForeignKey("reservation.id"), index=True)
    production_order_id: Mapped[int | None] = mapped_column(sa.ForeignKey("production_order.id"), index=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"), index=True)
    quantity: Mapped[int]
    kind: Mapped[str]
    warehouse_id: Mapped[int | None] = mapped_column(sa.ForeignKey("warehouse.id"))
    purchase_order_line_id: Mapped[int | None] = mapped_column(sa.ForeignKey("purchase_order_line.id"), index=True)
    supply_order_id: Mapped[int | None] = mapped_column(sa.ForeignKey("production_order.id"), index=True)
    supplier_id: Mapped[int | None] = mapped_column(sa.ForeignKey("supplier.id"))
    allotment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("allotment.id"))
    lot_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stock_lot.id"), index=True)
    available_at: Mapped[datetime]
    use_on: Mapped[date | None]
    picked: Mapped[int] = mapped_column(default=0, server_default="0")
    used: Mapped[bool] = mapped_column(default=False)


class Offer(Base):
    """The projection for pages: what may be promised for one piece of an item, as last computed.

    ready_at: with its margin, as it is promised. generation: raised by every change that can move it, so that an answer computed
    before the change is not stored after.
    """

    __tablename__ = "offer"

    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id", ondelete="CASCADE"), primary_key=True)
    listed: Mapped[bool]
    ready_at: Mapped[datetime | None]
    basis: Mapped[str] = mapped_column(default="none")
    warehouse_id: Mapped[int | None] = mapped_column(sa.ForeignKey("warehouse.id"))  # where it would ship from; none: the works
    valid_until: Mapped[datetime] = mapped_column(index=True)
    plan_version: Mapped[int]
    generation: Mapped[int] = mapped_column(default=0)


class Residual(Base):
    """How something really came, beside the day that was first said for it. Append only.

    kind: receipt (a purchase order line) | made (a production order) | carrier (a parcel). source: what it is learnt for, such
    as `receipt:item:12` (see erp.margins). ref: what it was, once. days: open days after the first day, below 0: before it.
    """

    __tablename__ = "residual"
    __table_args__ = (
        sa.UniqueConstraint("ref"),
        sa.CheckConstraint("kind IN ('receipt', 'made', 'carrier')", name="kind"),
        sa.Index("ix_residual_source_id", "source", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str]
    source: Mapped[str]
    supplier_id: Mapped[int | None] = mapped_column(sa.ForeignKey("supplier.id"))
    ref: Mapped[str]
    first_on: Mapped[date]
    came_on: Mapped[date]
    days: Mapped[int]
    at: Mapped[datetime]


class Margin(Base):
    """Open days that promises of a source are given beyond the plan's day, as last learnt; no row: too little is known.

    source: of residuals, of all from a supplier, or of a whole kind. level: in 100. residuals: how many it was learnt from.
    """

    __tablename__ = "margin"
    __table_args__ = (sa.CheckConstraint("days >= 0 AND residuals > 0", name="learnt"),)

    source: Mapped[str] = mapped_column(primary_key=True)
    days: Mapped[int]
    level: Mapped[int]
    residuals: Mapped[int]
    learnt_at: Mapped[datetime]
