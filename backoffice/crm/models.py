"""Tables of the CRM layer: who wants what."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, BigId


class Party(Base):
    """A person or a company that we deal with. email is normalised (lower case) and unique where there is one."""

    __tablename__ = "party"
    __table_args__ = (sa.CheckConstraint("kind IN ('person', 'company')", name="kind"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(default="person")
    name: Mapped[str]
    email: Mapped[str | None] = mapped_column(unique=True)
    phone: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="")
    company_id: Mapped[int | None] = mapped_column(sa.ForeignKey("party.id"), index=True)
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]


class Lead(Base):
    """Somebody who asked. state: new | working (somebody took it) | answered | done | quarantined (doubtful, kept apart).

    kind: contact | question | tell_me | order_question. due_at: answer by then. version: a stale save is refused.
    """

    __tablename__ = "lead"
    __table_args__ = (
        sa.CheckConstraint("state IN ('new', 'working', 'answered', 'done', 'quarantined')", name="state"),
        sa.CheckConstraint("kind IN ('contact', 'question', 'tell_me', 'order_question')", name="kind"),
        sa.Index("ix_lead_state_due_at", "state", "due_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"), index=True)
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(default="new")
    message: Mapped[str] = mapped_column(default="")
    sku: Mapped[str] = mapped_column(default="")
    quantity: Mapped[int | None]
    needed_by_on: Mapped[date | None]
    postcode: Mapped[str] = mapped_column(default="")
    order_ref: Mapped[str | None]
    source: Mapped[str] = mapped_column(default="web")
    page: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="")
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"), index=True)
    due_at: Mapped[datetime]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class Activity(Base):
    """One entry of a party's timeline: the only history there is of what happened between us.

    kind: message (from them) | answer | note | took | order | shipped | day_moved | picking | packed | confirmed | done.
    """

    __tablename__ = "activity"
    __table_args__ = (sa.Index("ix_activity_party_id_at", "party_id", "at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"))
    lead_id: Mapped[int | None] = mapped_column(sa.ForeignKey("lead.id"), index=True)
    order_ref: Mapped[str | None] = mapped_column(index=True)
    kind: Mapped[str]
    text: Mapped[str] = mapped_column(default="")
    actor: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]


class Cart(Base):
    """A cart, found by the hash of its browser's token."""

    __tablename__ = "cart"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    version: Mapped[int] = mapped_column(default=1)
    country: Mapped[str]
    postcode: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="open")  # open | ordered
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class CartLine(Base):
    """One item in a cart, with what was last shown for it."""

    __tablename__ = "cart_line"
    __table_args__ = (
        sa.UniqueConstraint("cart_id", "item_id"),
        sa.CheckConstraint("quantity > 0", name="quantity"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    cart_id: Mapped[int] = mapped_column(sa.ForeignKey("cart.id", ondelete="CASCADE"))
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    quantity: Mapped[int]
    reservation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("reservation.id"))
    shown_price_minor: Mapped[int]
    shown_on: Mapped[date | None]  # the day last shown
    added_at: Mapped[datetime]


class Checkout(Base):
    """What the customer confirmed: frozen when the payment session opens; becomes the order when it is paid.

    state: open | completed | abandoned. link_nonce: the order's secret link is derived from it (see crm.links).
    """

    __tablename__ = "checkout"
    __table_args__ = (sa.CheckConstraint("state IN ('open', 'completed', 'abandoned')", name="state"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    request_hash: Mapped[str]
    cart_id: Mapped[int] = mapped_column(sa.ForeignKey("cart.id"), index=True)
    state: Mapped[str] = mapped_column(default="open")
    email: Mapped[str]
    name: Mapped[str]
    phone: Mapped[str] = mapped_column(default="")
    street: Mapped[str]
    city: Mapped[str]
    postcode: Mapped[str]
    country: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="")
    currency: Mapped[str]
    shipping_minor: Mapped[int]
    total_minor: Mapped[int]
    lines: Mapped[list[Any]]  # sku, name, options, quantity, unit_price_minor, reservation_id, promise snapshot
    link_nonce: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    base_url: Mapped[str]  # where the customer was, for links in mails
    created_at: Mapped[datetime]


class Order(Base):
    """A paid order. state: placed | confirmed | picking | shipped | delivered | cancelled."""

    __tablename__ = "orders"
    __table_args__ = (
        sa.CheckConstraint("state IN ('placed', 'confirmed', 'picking', 'shipped', 'delivered', 'cancelled')", name="state"),
        sa.CheckConstraint("total_minor >= 0", name="total"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    checkout_id: Mapped[int] = mapped_column(sa.ForeignKey("checkout.id"), unique=True)
    payment_id: Mapped[int] = mapped_column(unique=True)
    party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"), index=True)
    state: Mapped[str] = mapped_column(default="placed", index=True)
    currency: Mapped[str]
    shipping_minor: Mapped[int]
    total_minor: Mapped[int]
    placed_at: Mapped[datetime]
    tracking: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)


class OrderLine(Base):
    """One line with its four days. promised_on is frozen; expected_on moves; promise: the snapshot that explains it."""

    __tablename__ = "order_line"
    __table_args__ = (sa.CheckConstraint("quantity > 0", name="quantity"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    reservation_id: Mapped[int] = mapped_column(sa.ForeignKey("reservation.id"), unique=True)
    sku: Mapped[str]
    name: Mapped[str]
    options: Mapped[str] = mapped_column(default="")
    quantity: Mapped[int]
    unit_price_minor: Mapped[int]
    basis: Mapped[str]
    requested_on: Mapped[date | None]
    promised_on: Mapped[date]
    expected_on: Mapped[date]
    actual_on: Mapped[date | None]
    moved_because: Mapped[str | None]
    promise: Mapped[dict[str, Any]]  # steps, pegs, plan_version, ready_at, ship_on
