"""Tables of the CRM layer: quotations."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, BigId


class Quotation(Base):
    """Goods at a price and for a day, kept for somebody until it ends: one version of it.

    state: waiting (its discount is above the limit: somebody else approves) | sent | accepted | expired | replaced (by a newer
    version) | withdrawn | declined (by whoever was to approve). Of a number one version is sent at most: the database holds it.
    asked: [sku, pieces, percent off] of each line, as drawn up. lines: as they will stand in the order (see
    checkout.frozen), with list_minor and discount_percent. cart_id: whose holds keep the goods, once it is sent.
    buyer: e-mail and address. told_on: the day that its customer was last told; deliver_on: the day as it is now; none: nothing
    can be promised any more.
    """

    __tablename__ = "quotation"
    __table_args__ = (
        sa.UniqueConstraint("number", "version"),
        sa.CheckConstraint(
            "state IN ('waiting', 'sent', 'accepted', 'expired', 'replaced', 'withdrawn', 'declined')", name="state"
        ),
        sa.CheckConstraint("version > 0", name="version"),
        sa.CheckConstraint("discount_percent BETWEEN 0 AND 90", name="discount"),
        sa.CheckConstraint("valid_days > 0", name="valid_days"),
        sa.CheckConstraint("total_minor >= 0 AND shipping_minor >= 0", name="total"),
        sa.CheckConstraint("decided_by_id IS NULL OR decided_by_id <> staff_id", name="second_person"),
        sa.CheckConstraint("(state = 'accepted') = (order_ref IS NOT NULL)", name="accepted"),
        sa.CheckConstraint("state <> 'sent' OR (cart_id IS NOT NULL AND valid_until_at IS NOT NULL)", name="sent"),
        sa.Index(
            "uq_quotation_sent",
            "number",
            unique=True,
            sqlite_where=sa.text("state = 'sent'"),
            postgresql_where=sa.text("state = 'sent'"),
        ),
        sa.Index("ix_quotation_state_valid_until_at", "state", "valid_until_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)
    lead_id: Mapped[int] = mapped_column(sa.ForeignKey("lead.id"), index=True)
    party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"), index=True)
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))  # who drew it up
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    state: Mapped[str]
    key: Mapped[str] = mapped_column(unique=True)  # of the form: sent twice it is one quotation
    asked: Mapped[list[Any]]
    buyer: Mapped[dict[str, Any]]
    note: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))  # a word to the customer
    reason: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))  # why it was declined, for us
    language: Mapped[str] = mapped_column(default="")
    discount_percent: Mapped[int] = mapped_column(default=0)  # the highest of its lines
    valid_days: Mapped[int]
    valid_until_at: Mapped[datetime | None]
    cart_id: Mapped[int | None] = mapped_column(sa.ForeignKey("cart.id"), unique=True)
    lines: Mapped[list[Any]] = mapped_column(default=list)
    currency: Mapped[str] = mapped_column(default="")
    shipping_minor: Mapped[int] = mapped_column(default=0)
    total_minor: Mapped[int] = mapped_column(default=0)
    told_on: Mapped[date | None]
    deliver_on: Mapped[date | None]
    order_ref: Mapped[str | None] = mapped_column(unique=True)
    link_nonce: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    base_url: Mapped[str]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
