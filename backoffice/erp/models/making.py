"""How things are made: BOM, routing, work centres, production orders and their slots."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, BigId


class BomLine(Base):
    """`quantity` smallest units of the component go into `per` smallest units of the parent; of each 1,000, some are lost."""

    __tablename__ = "bom_line"
    __table_args__ = (
        sa.UniqueConstraint("parent_id", "component_id"),
        sa.CheckConstraint("quantity > 0 AND per > 0", name="quantity"),
        sa.CheckConstraint("parent_id <> component_id", name="not_itself"),
        sa.CheckConstraint("scrap_permille >= 0 AND scrap_permille < 1000", name="scrap"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    parent_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"), index=True)
    component_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"), index=True)
    quantity: Mapped[int]
    per: Mapped[int] = mapped_column(default=1)
    scrap_permille: Mapped[int] = mapped_column(default=0, server_default="0")
    position: Mapped[int] = mapped_column(default=0)


class BomAlternate(Base):
    """An item that may stand in for a component, for the whole need of a lot; the lowest priority is tried first."""

    __tablename__ = "bom_alternate"
    __table_args__ = (sa.UniqueConstraint("bom_line_id", "item_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    bom_line_id: Mapped[int] = mapped_column(sa.ForeignKey("bom_line.id", ondelete="CASCADE"))
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"), index=True)
    priority: Mapped[int] = mapped_column(default=1)


class WorkCentre(Base):
    """A machine or a group of hands. lanes: how many jobs side by side. frozen_days: on so many days, today being
    the first, nothing new begins."""

    __tablename__ = "work_centre"
    __table_args__ = (
        sa.CheckConstraint("lanes >= 1", name="lanes"),
        sa.CheckConstraint("efficiency_percent >= 1 AND frozen_days >= 0", name="pace"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    calendar_id: Mapped[int] = mapped_column(sa.ForeignKey("calendar.id"))
    lanes: Mapped[int] = mapped_column(default=1)
    efficiency_percent: Mapped[int] = mapped_column(default=100, server_default="100")
    frozen_days: Mapped[int] = mapped_column(default=0, server_default="0")


class WorkCentreStop(Base):
    """Hours in which a work centre stands still, on top of its calendar."""

    __tablename__ = "work_centre_stop"
    __table_args__ = (sa.CheckConstraint("starts_at < ends_at", name="order"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    work_centre_id: Mapped[int] = mapped_column(sa.ForeignKey("work_centre.id"), index=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(default="")
    actor: Mapped[str] = mapped_column(default="")


class WorkCentreException(Base):
    """A date on which one work centre has other intervals than its calendar; an empty list closes it."""

    __tablename__ = "work_centre_exception"
    __table_args__ = (sa.UniqueConstraint("work_centre_id", "on_day"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    work_centre_id: Mapped[int] = mapped_column(sa.ForeignKey("work_centre.id", ondelete="CASCADE"))
    on_day: Mapped[date]
    intervals: Mapped[list[Any]] = mapped_column(default=list)  # [[starts_minute, ends_minute], …]
    reason: Mapped[str] = mapped_column(default="")


class RoutingOperation(Base):
    """One operation of an item: setup and fixed seconds once an order, `run_seconds` for each `run_per` pieces."""

    __tablename__ = "routing_operation"
    __table_args__ = (
        sa.UniqueConstraint("item_id", "position"),
        sa.CheckConstraint("setup_seconds >= 0 AND fixed_seconds >= 0 AND run_seconds >= 0 AND run_per >= 1", name="times"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    position: Mapped[int]
    name: Mapped[str] = mapped_column(default="")
    work_centre_id: Mapped[int] = mapped_column(sa.ForeignKey("work_centre.id"))
    setup_seconds: Mapped[int] = mapped_column(default=0)
    fixed_seconds: Mapped[int] = mapped_column(default=0)
    run_seconds: Mapped[int] = mapped_column(default=0)
    run_per: Mapped[int] = mapped_column(default=1)


class OperationAlternate(Base):
    """A work centre that may do an operation instead; the lowest priority is tried first."""

    __tablename__ = "operation_alternate"
    __table_args__ = (sa.UniqueConstraint("operation_id", "work_centre_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    operation_id: Mapped[int] = mapped_column(sa.ForeignKey("routing_operation.id", ondelete="CASCADE"))
    work_centre_id: Mapped[int] = mapped_column(sa.ForeignKey("work_centre.id"), index=True)
    priority: Mapped[int] = mapped_column(default=1)


class ProductionOrder(Base):
    """An order to make something. state: held (for a cart) | planned | done | cancelled.

    reservation_id: the promise it was planned for; none = made for stock. What is not pegged becomes free stock.
    """

    __tablename__ = "production_order"
    __table_args__ = (
        sa.CheckConstraint("state IN ('held', 'planned', 'done', 'cancelled')", name="state"),
        sa.CheckConstraint("quantity > 0", name="quantity"),
        sa.CheckConstraint("pegged >= 0 AND pegged <= quantity", name="never_promised_twice"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"), index=True)
    quantity: Mapped[int]
    pegged: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(default="planned", index=True)
    reservation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("reservation.id"), index=True)
    starts_at: Mapped[datetime]
    ready_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    first_ready_at: Mapped[datetime | None]  # as its promise had it; none: nothing is learnt from it
    learns: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))  # the source that it is learnt for
    not_before_at: Mapped[datetime | None]  # it cannot begin earlier, somebody said: see erp.delaying


class OperationSlot(Base):
    """Minutes of a work centre given to one operation of a production order."""

    __tablename__ = "operation_slot"
    __table_args__ = (
        sa.CheckConstraint("starts_at <= ends_at", name="order"),
        sa.Index("ix_operation_slot_work_centre_id_ends_at", "work_centre_id", "ends_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    production_order_id: Mapped[int] = mapped_column(sa.ForeignKey("production_order.id", ondelete="CASCADE"), index=True)
    work_centre_id: Mapped[int] = mapped_column(sa.ForeignKey("work_centre.id"))
    position: Mapped[int]
    lane: Mapped[int]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]


class Resequencing(Base):
    """A better sequence of operations that was taken over, as data: nothing is ever searched for again to know the plan.

    plan_version: what it was raised to. moves: slot, production order, and lane, start and end before and after. Minutes are
    summed over the orders; late: those after the promised day. Append only.
    """

    __tablename__ = "resequencing"
    __table_args__ = (
        sa.UniqueConstraint("plan_version"),
        sa.CheckConstraint("minutes_saved >= 0 AND late_minutes_saved >= 0 AND orders_earlier >= 0", name="only_better"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime]
    plan_version: Mapped[int]
    orders_earlier: Mapped[int]
    minutes_saved: Mapped[int]
    late_minutes_saved: Mapped[int]
    moves: Mapped[list[Any]]
