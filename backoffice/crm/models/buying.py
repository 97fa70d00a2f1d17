"""Tables of the CRM layer: carts, checkouts, orders."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, BigId
from backoffice.erp.classes import CUSTOMER_CLASSES, RETAIL, one_of
from backoffice.erp.models.catalogue import NO_WITHDRAWAL


class Cart(Base):
    """A cart, found by the hash of its browser's token."""

    __tablename__ = "cart"
    __table_args__ = (
        sa.CheckConstraint("parcels IN ('one', 'dated')", name="parcels"),
        sa.CheckConstraint(one_of("customer_class", CUSTOMER_CLASSES), name="customer_class"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    version: Mapped[int] = mapped_column(default=1)
    country: Mapped[str]
    postcode: Mapped[str | None]
    parcels: Mapped[str] = mapped_column(default="one", server_default="one")  # one: all on one day | dated: each when it can be
    requested_on: Mapped[date | None]  # by when all of it is asked for
    service: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))  # how it is sent; empty: the usual way
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id", ondelete="SET NULL"), index=True)
    party_id: Mapped[int | None] = mapped_column(sa.ForeignKey("party.id"))  # for whom sales fills it: their prices are theirs
    customer_class: Mapped[str] = mapped_column(default=RETAIL, server_default=RETAIL)  # whose it is, as far as we know
    coupon_code: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))
    source: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")  # what brought them: source, campaign …
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
    company: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))
    region: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))  # state or province, where addresses have one
    note: Mapped[str] = mapped_column(default="")
    parcels: Mapped[str] = mapped_column(default="one", server_default="one")
    requested_on: Mapped[date | None]
    service: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))
    channel: Mapped[str] = mapped_column(default="web", server_default="web")  # web | api | desk
    source: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id", ondelete="SET NULL"))
    lead_id: Mapped[int | None] = mapped_column(sa.ForeignKey("lead.id"), index=True)  # the lead that it came from
    language: Mapped[str] = mapped_column(default="")
    currency: Mapped[str]
    shipping_minor: Mapped[int]
    coupon_code: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))
    discount_minor: Mapped[int] = mapped_column(default=0, server_default="0")  # what its code takes off the goods
    price_list_id: Mapped[int | None] = mapped_column(sa.ForeignKey("price_list.id"))  # by which its prices were made
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
        sa.Index("ix_orders_to_invoice", "id", sqlite_where=sa.text("to_invoice"), postgresql_where=sa.text("to_invoice")),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    checkout_id: Mapped[int] = mapped_column(sa.ForeignKey("checkout.id"), unique=True)
    payment_id: Mapped[int] = mapped_column(unique=True)
    party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"), index=True)
    state: Mapped[str] = mapped_column(default="placed", index=True)
    currency: Mapped[str]
    shipping_minor: Mapped[int]
    discount_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    total_minor: Mapped[int]
    placed_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]
    cancelled_by: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))  # customer | a colleague's name
    tracking: Mapped[str] = mapped_column(default="")
    to_invoice: Mapped[bool] = mapped_column(default=True, server_default=sa.false())  # its invoice is due; see payments.billing
    version: Mapped[int] = mapped_column(default=1)


class OrderLine(Base):
    """One line with its four days. promised_on is frozen; expected_on moves; promise: the snapshot that explains it."""

    __tablename__ = "order_line"
    __table_args__ = (
        sa.CheckConstraint("quantity > 0", name="quantity"),
        sa.CheckConstraint("withdrawn >= 0 AND withdrawn <= quantity", name="withdrawn"),
        sa.CheckConstraint(one_of("no_withdrawal", ("", *NO_WITHDRAWAL)), name="no_withdrawal"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    reservation_id: Mapped[int] = mapped_column(sa.ForeignKey("reservation.id"), unique=True)
    sku: Mapped[str]
    name: Mapped[str]
    options: Mapped[str] = mapped_column(default="")
    quantity: Mapped[int]
    unit_price_minor: Mapped[int]
    withdrawn: Mapped[int] = mapped_column(default=0, server_default="0")  # pieces that its buyer has taken back
    no_withdrawal: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))  # as its buyer was told; frozen
    basis: Mapped[str]
    requested_on: Mapped[date | None]
    promised_on: Mapped[date]
    earliest_on: Mapped[date | None]  # the plan's own day, without the margin that was added; none: there was none
    expected_on: Mapped[date]
    actual_on: Mapped[date | None]
    moved_because: Mapped[str | None]
    moved_cause: Mapped[dict[str, Any] | None]  # code and values of the cause, for words in any language
    promise: Mapped[dict[str, Any]]  # steps, pegs, plan_version, ready_at, ship_on
