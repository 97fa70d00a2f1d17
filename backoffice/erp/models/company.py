"""The company itself: who it is, when it works, from where it ships, who works there."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, BigId


class Company(Base):
    """The one company that this database belongs to (row 1)."""

    __tablename__ = "company"
    __table_args__ = (
        sa.CheckConstraint("id = 1", name="single"),
        sa.CheckConstraint("service_level = 0 OR service_level BETWEEN 50 AND 99", name="service_level"),
        sa.CheckConstraint("quotation_percent BETWEEN 0 AND 90 AND quotation_days BETWEEN 1 AND 60", name="quotations"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str]
    country: Mapped[str]  # ISO 3166-1 alpha-2
    currency: Mapped[str]
    timezone: Mapped[str]
    language: Mapped[str]
    email: Mapped[str]
    phone: Mapped[str] = mapped_column(default="")
    address: Mapped[list[Any]] = mapped_column(default=list)
    shipping_minor: Mapped[int] = mapped_column(default=0)  # one parcel, flat
    default_postcode: Mapped[str] = mapped_column(default="")  # where a day is named for, before the customer says
    returns_days: Mapped[int] = mapped_column(default=14, server_default="14")
    vat_number: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))
    register_entry: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))  # court and number, for the imprint
    languages: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")  # that the shop speaks; empty: all there are
    choose_days: Mapped[int] = mapped_column(default=2, server_default="2")  # no choice after a slip by then: sales calls
    important_minor: Mapped[int] = mapped_column(default=50_000, server_default="50000")  # from here on sales calls at once
    service_level: Mapped[int] = mapped_column(default=0, server_default="0")  # promises kept, in 100; 0: no margin is added
    capture_on_shipment: Mapped[bool] = mapped_column(default=False, server_default=sa.false())  # else at the order
    quotation_percent: Mapped[int] = mapped_column(default=10, server_default="10")  # off a line without a second person
    quotation_days: Mapped[int] = mapped_column(default=14, server_default="14")  # for so long goods are kept at most
    campaign_days: Mapped[int] = mapped_column(default=7, server_default="7")  # one letter of a campaign in so many; 0: no limit
    office_calendar_id: Mapped[int | None] = mapped_column(sa.ForeignKey("calendar.id"))


class PlanDomain(Base):
    """The version of the plan: raised by every change that can move a promise. Compare and set, never read and add."""

    __tablename__ = "plan_domain"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    version: Mapped[int] = mapped_column(default=0)
    master_version: Mapped[int] = mapped_column(default=0)  # items, BOMs, routings, calendars, work centres


class Calendar(Base):
    """When a place works: weekly shifts, a holiday region, exceptions."""

    __tablename__ = "calendar"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    timezone: Mapped[str]
    holidays: Mapped[str] = mapped_column(default="")  # "DE", "DE-BY", "US", or "" for none


class CalendarShift(Base):
    """An open interval of a weekday, minutes of the local day; 1440 = midnight at its end."""

    __tablename__ = "calendar_shift"
    __table_args__ = (
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        sa.CheckConstraint("0 <= starts_minute AND starts_minute < ends_minute AND ends_minute <= 1440", name="minutes"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    calendar_id: Mapped[int] = mapped_column(sa.ForeignKey("calendar.id", ondelete="CASCADE"), index=True)
    weekday: Mapped[int]  # 0 = Monday
    starts_minute: Mapped[int]
    ends_minute: Mapped[int]


class CalendarException(Base):
    """A date with other intervals than its weekday's; an empty list closes it."""

    __tablename__ = "calendar_exception"
    __table_args__ = (sa.UniqueConstraint("calendar_id", "on_day"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    calendar_id: Mapped[int] = mapped_column(sa.ForeignKey("calendar.id", ondelete="CASCADE"))
    on_day: Mapped[date]
    intervals: Mapped[list[Any]] = mapped_column(default=list)  # [[starts_minute, ends_minute], …]
    reason: Mapped[str] = mapped_column(default="")


class Warehouse(Base):
    """A place that ships. `calendar_id`: its own days; `carrier_calendar_id`: the days its carrier moves parcels.

    The first one is the works: production, receipts and components belong there. Others keep finished goods nearer to customers.
    """

    __tablename__ = "warehouse"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    timezone: Mapped[str]
    calendar_id: Mapped[int] = mapped_column(sa.ForeignKey("calendar.id"))
    carrier_calendar_id: Mapped[int] = mapped_column(sa.ForeignKey("calendar.id"))
    carrier: Mapped[str] = mapped_column(default="")
    pick_pack_days: Mapped[int] = mapped_column(default=0)
    cutoff_minute: Mapped[int] = mapped_column(default=14 * 60)
    address: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")  # the sender on labels, line by line


class WarehouseTransit(Base):
    """How long parcels of a warehouse other than the works travel: the longest matching prefix wins, else the zone's own days."""

    __tablename__ = "warehouse_transit"
    __table_args__ = (
        sa.UniqueConstraint("warehouse_id", "country", "prefix"),
        sa.CheckConstraint("transit_days >= 0", name="transit"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    warehouse_id: Mapped[int] = mapped_column(sa.ForeignKey("warehouse.id", ondelete="CASCADE"))
    country: Mapped[str]
    prefix: Mapped[str]
    transit_days: Mapped[int]


class ShippingZone(Base):
    """Where we deliver: the longest matching postcode prefix of a country wins. No match: no such postcode."""

    __tablename__ = "shipping_zone"
    __table_args__ = (
        sa.UniqueConstraint("country", "prefix"),
        sa.CheckConstraint("transit_days >= 0", name="transit"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    country: Mapped[str]
    prefix: Mapped[str]
    subdivision: Mapped[str] = mapped_column(default="")  # holidays of the customer's place: "BY" …
    transit_days: Mapped[int]


class ShippingService(Base):
    """A way to send beside the usual one: its own price for an order, transit days and cut-off. countries: empty: everywhere."""

    __tablename__ = "shipping_service"
    __table_args__ = (
        sa.CheckConstraint("price_minor >= 0", name="price"),
        sa.CheckConstraint("transit_days >= 0", name="transit"),
        sa.CheckConstraint("cutoff_minute BETWEEN 0 AND 1440", name="cutoff"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    position: Mapped[int] = mapped_column(default=0)
    price_minor: Mapped[int]
    transit_days: Mapped[int]  # open days of the carrier, to wherever it goes
    cutoff_minute: Mapped[int | None]  # none: the warehouse's own
    countries: Mapped[list[Any]] = mapped_column(default=list)
    active: Mapped[bool] = mapped_column(default=True)


class ExternalRef(Base):
    """Their id ↔ ours, so that a second import changes nothing."""

    __tablename__ = "external_ref"
    __table_args__ = (sa.UniqueConstraint("system", "kind", "their_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    system: Mapped[str]
    kind: Mapped[str]  # our table's name
    their_id: Mapped[str]
    our_id: Mapped[int]
    fingerprint: Mapped[str] = mapped_column(default="")  # of the row as last imported


class Staff(Base):
    """Somebody who works here and may log in at a desk."""

    __tablename__ = "staff"
    __table_args__ = (sa.CheckConstraint("role IN ('sales', 'warehouse', 'planner', 'admin')", name="role"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    role: Mapped[str]
    password_hash: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    session_nonce: Mapped[str] = mapped_column(default="")  # a new one ends every session
    created_at: Mapped[datetime]


class StaffAbsence(Base):
    """Days on which somebody is away: both ends included. What is new goes to others meanwhile."""

    __tablename__ = "staff_absence"
    __table_args__ = (sa.CheckConstraint("starts_on <= ends_on", name="days"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    starts_on: Mapped[date]
    ends_on: Mapped[date]
