"""Stock and what leaves it: totals, the movement ledger, shipments."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, BigId
from backoffice.erp.classes import CUSTOMER_CLASSES, one_of


class Stock(Base):
    """Totals of one item in one warehouse.

    allocated: placed orders (and released production) not yet shipped; reserved: holds. allotted: what is left of its
    allotments. The database itself forbids overselling.
    """

    __tablename__ = "stock"
    __table_args__ = (
        sa.UniqueConstraint("item_id", "warehouse_id"),
        sa.CheckConstraint("allocated >= 0 AND reserved >= 0 AND allocated + reserved <= on_hand", name="never_oversold"),
        sa.CheckConstraint("allotted >= 0", name="allotted"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    warehouse_id: Mapped[int] = mapped_column(sa.ForeignKey("warehouse.id"))
    on_hand: Mapped[int] = mapped_column(default=0)
    allocated: Mapped[int] = mapped_column(default=0)
    reserved: Mapped[int] = mapped_column(default=0)
    allotted: Mapped[int] = mapped_column(default=0, server_default="0")
    figure_at: Mapped[datetime]  # when on_hand was last known to be right


class StockLot(Base):
    """What lies in a warehouse of one lot of an item that is kept in lots; good up to and with `best_before_on`.

    pegged: reserved and allocated. The lots of an item in a warehouse add up to its stock row.
    """

    __tablename__ = "stock_lot"
    __table_args__ = (
        sa.UniqueConstraint("item_id", "warehouse_id", "number"),
        sa.CheckConstraint("pegged >= 0 AND pegged <= on_hand", name="never_promised_twice"),
        sa.Index("ix_stock_lot_best_before_on", "best_before_on"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    warehouse_id: Mapped[int] = mapped_column(sa.ForeignKey("warehouse.id"))
    number: Mapped[str]
    best_before_on: Mapped[date]
    on_hand: Mapped[int] = mapped_column(default=0)
    pegged: Mapped[int] = mapped_column(default=0)


class Allotment(Base):
    """A quantity kept for customers of one class; from the day `release_on` on it is everybody's.

    It lies in a warehouse, or is still to come with a purchase order line; what of it arrives is an allotment of the shelf.
    taken: what of it was promised to them, also what has left since. released_at: when the rest became everybody's.
    """

    __tablename__ = "allotment"
    __table_args__ = (
        sa.CheckConstraint("quantity > 0 AND taken >= 0 AND taken <= quantity", name="never_taken_twice"),
        sa.CheckConstraint("(warehouse_id IS NULL) <> (purchase_order_line_id IS NULL)", name="supply"),
        sa.CheckConstraint(one_of("customer_class", CUSTOMER_CLASSES), name="customer_class"),
        sa.Index("ix_allotment_item_id_released_at", "item_id", "released_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    warehouse_id: Mapped[int | None] = mapped_column(sa.ForeignKey("warehouse.id"))
    purchase_order_line_id: Mapped[int | None] = mapped_column(sa.ForeignKey("purchase_order_line.id"), index=True)
    customer_class: Mapped[str]
    quantity: Mapped[int]
    taken: Mapped[int] = mapped_column(default=0)
    release_on: Mapped[date]
    released_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")
    actor: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]


class StockMovement(Base):
    """The ledger: append only; on_hand = sum of delta. `ref` is unique per cause, so that no cause moves stock twice."""

    __tablename__ = "stock_movement"
    __table_args__ = (sa.UniqueConstraint("ref"), sa.Index("ix_stock_movement_item_id_at", "item_id", "at"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    warehouse_id: Mapped[int] = mapped_column(sa.ForeignKey("warehouse.id"))
    delta: Mapped[int]
    cause: Mapped[str]  # opening | count | snapshot | receipt | production | consumption | shipment | expired
    lot_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stock_lot.id"), index=True)
    ref: Mapped[str]
    actor: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]


class OutsideStock(Base):
    """Where it stands, the figures of a warehouse come from an outside ERP; nothing is sold from them once they are too old.

    sequence, as_of: of the snapshot that was applied last, 0 and the instant of the first question before there is one.
    in_doubt: parcels were on their way into its books then, so that a change to it would not do: all is asked for next.
    """

    __tablename__ = "outside_stock"

    warehouse_id: Mapped[int] = mapped_column(sa.ForeignKey("warehouse.id"), primary_key=True)
    sequence: Mapped[int] = mapped_column(default=0)
    as_of: Mapped[datetime]
    good_until: Mapped[datetime]
    in_doubt: Mapped[bool] = mapped_column(default=False)


class StockSnapshot(Base):
    """The inbox of stock figures: one row for each that came, also for those that were not believed.

    kind: full (what it does not name is not there) | delta (to be added to what the snapshot `after` left). state: applied |
    refused | quarantined (until a person approves it) | declined. lines: sku, available and ours of one in quarantine. short:
    sku and how much of what was promised is not there.
    """

    __tablename__ = "stock_snapshot"
    __table_args__ = (
        sa.UniqueConstraint("sequence", "kind"),
        sa.CheckConstraint("kind IN ('full', 'delta')", name="kind"),
        sa.CheckConstraint("state IN ('applied', 'refused', 'quarantined', 'declined')", name="state"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    sequence: Mapped[int]
    kind: Mapped[str]
    after: Mapped[int | None]
    as_of: Mapped[datetime]
    received_at: Mapped[datetime]
    state: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")  # a code: older | gap | ahead | dropped | empty
    changed: Mapped[int] = mapped_column(default=0)
    lines: Mapped[list[Any]] = mapped_column(default=list)
    short: Mapped[list[Any]] = mapped_column(default=list)
    decided_by: Mapped[str] = mapped_column(default="")
    decided_at: Mapped[datetime | None]


class Wave(Base):
    """Parcels that are picked in one go because they leave with one pick-up. state: open | done."""

    __tablename__ = "wave"
    __table_args__ = (sa.CheckConstraint("state IN ('open', 'done')", name="state"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    warehouse_id: Mapped[int] = mapped_column(sa.ForeignKey("warehouse.id"))
    carrier: Mapped[str] = mapped_column(default="")
    cut_off_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="open")
    picker: Mapped[str] = mapped_column(default="")  # their name, for showing
    picker_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    created_at: Mapped[datetime]


class ShortPick(Base):
    """The shelf held less than the figures said: who found it, and how much was missing."""

    __tablename__ = "short_pick"
    __table_args__ = (sa.CheckConstraint("missing > 0", name="missing"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    shipment_id: Mapped[int] = mapped_column(sa.ForeignKey("shipment.id"), index=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    missing: Mapped[int]
    actor: Mapped[str]
    at: Mapped[datetime]


class Shipment(Base):
    """A parcel to be. state: waiting | to_pick | picking | packed | shipped | delivered | cancelled."""

    __tablename__ = "shipment"
    __table_args__ = (
        sa.CheckConstraint(
            "state IN ('waiting', 'to_pick', 'picking', 'packed', 'shipped', 'delivered', 'cancelled')", name="state"
        ),
        sa.Index("ix_shipment_state_ship_by_on", "state", "ship_by_on"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    order_ref: Mapped[str] = mapped_column(index=True)
    warehouse_id: Mapped[int] = mapped_column(sa.ForeignKey("warehouse.id"))
    state: Mapped[str] = mapped_column(default="waiting")
    ship_to: Mapped[dict[str, Any]]  # name, street, city, postcode, country, note, service
    promised_on: Mapped[date]
    ship_by_on: Mapped[date]
    expected_on: Mapped[date | None]  # the day it is expected to arrive, as the plan or the carrier's word has it now
    carrier_on: Mapped[date | None]  # once it left: the day it arrives if the carrier is not late
    parcel: Mapped[int] = mapped_column(default=1, server_default="1")  # the order's first, second …
    wave_id: Mapped[int | None] = mapped_column(sa.ForeignKey("wave.id"), index=True)
    cancelled_at: Mapped[datetime | None]
    carrier: Mapped[str] = mapped_column(default="")
    tracking: Mapped[str] = mapped_column(default="")
    picker: Mapped[str] = mapped_column(default="")  # their name, for showing
    picker_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    picking_since_at: Mapped[datetime | None]  # since when it is this picker's
    last_step_at: Mapped[datetime | None]  # when they last put something in or took it out
    packed_at: Mapped[datetime | None]
    shipped_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class HeldOrder(Base):
    """An order of which nothing may leave for now."""

    __tablename__ = "held_order"

    order_ref: Mapped[str] = mapped_column(primary_key=True)
    since_at: Mapped[datetime]


class ShipmentLine(Base):
    """One reservation, or a part of one, in a parcel. picked never passes quantity."""

    __tablename__ = "shipment_line"
    __table_args__ = (
        sa.UniqueConstraint("reservation_id", "shipment_id"),
        sa.CheckConstraint("quantity > 0 AND 0 <= picked AND picked <= quantity", name="picked"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    shipment_id: Mapped[int] = mapped_column(sa.ForeignKey("shipment.id"), index=True)
    reservation_id: Mapped[int] = mapped_column(sa.ForeignKey("reservation.id"))
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    quantity: Mapped[int]
    picked: Mapped[int] = mapped_column(default=0)
