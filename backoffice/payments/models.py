"""Tables of payments."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, BigId


class Payment(Base):
    """One session at a payment provider. Never moves backwards.

    state: opened → processing → succeeded | failed | expired, later partly_refunded | refunded | disputed. Where money is only
    set aside first: authorised → succeeded (captured) | voided (let go, by us or by its time). capture_later: asked for so.
    ending: which of the two somebody has asked for; the first one counts.
    """

    __tablename__ = "payment"
    __table_args__ = (
        sa.CheckConstraint(
            "state IN ('opened', 'processing', 'authorised', 'succeeded', 'failed', 'expired', 'voided', 'partly_refunded', "
            "'refunded', 'disputed')",
            name="state",
        ),
        sa.CheckConstraint("ending IN ('', 'capture', 'void')", name="ending"),
        sa.CheckConstraint("amount_minor >= 0", name="amount"),
        sa.CheckConstraint("refunded_minor >= 0 AND refunded_minor <= amount_minor", name="refunded"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    checkout_id: Mapped[int] = mapped_column(sa.ForeignKey("checkout.id"), unique=True)
    provider: Mapped[str]
    provider_ref: Mapped[str | None] = mapped_column(unique=True)  # their session, once opened
    pay_url: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="opened", index=True)
    amount_minor: Mapped[int]
    currency: Mapped[str]
    opened_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    intent_ref: Mapped[str | None] = mapped_column(index=True)  # their payment, which refunds name
    refunded_minor: Mapped[int] = mapped_column(default=0, server_default="0")  # asked for or done, never more than was paid
    problem: Mapped[str] = mapped_column(default="")  # paid but no order: why; somebody must look
    capture_later: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    capture_by_at: Mapped[datetime | None]  # until when the bank keeps the money aside
    ending: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))
    lead_id: Mapped[int | None] = mapped_column(sa.ForeignKey("lead.id"))  # the task before it lapses
    last_asked_at: Mapped[datetime | None]  # when the poll last asked the provider about it


class PaymentEvent(Base):
    """An event of the provider, stored before it is acted on; the same id is applied once."""

    __tablename__ = "payment_event"

    id: Mapped[str] = mapped_column(primary_key=True)
    provider: Mapped[str]
    kind: Mapped[str]
    provider_ref: Mapped[str] = mapped_column(index=True)
    payload: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(default="")


class Refund(Base):
    """Money on its way back. state: requested → pending → succeeded | failed. `key`: the same request twice is one refund."""

    __tablename__ = "refund"
    __table_args__ = (
        sa.CheckConstraint("state IN ('requested', 'pending', 'succeeded', 'failed')", name="state"),
        sa.CheckConstraint("amount_minor > 0", name="amount"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    payment_id: Mapped[int] = mapped_column(sa.ForeignKey("payment.id"), index=True)
    key: Mapped[str] = mapped_column(unique=True)
    amount_minor: Mapped[int]
    currency: Mapped[str]
    reason: Mapped[str]  # cancelled | late_payment | partial | by_provider | substitute | withdrawal | dispute
    state: Mapped[str] = mapped_column(default="requested")
    provider_ref: Mapped[str | None] = mapped_column(unique=True)
    problem: Mapped[str] = mapped_column(default="")
    requested_by: Mapped[str] = mapped_column(default="")
    requested_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    parts: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")  # SKU → what of it is for that
    credited: Mapped[bool] = mapped_column(default=False, server_default=sa.false())  # its credit note stands; see billing
    last_asked_at: Mapped[datetime | None]  # as of a payment


class RefundRequest(Base):
    """Money that a colleague wants to give back, and why. state: within_limit | waiting → approved | declined.

    What is within the limit is a refund at once; above it a second person approves, and the database holds that.
    `key`: the same form twice is one request. reason: for us, never shown to the customer. note: why it was declined.
    """

    __tablename__ = "refund_request"
    __table_args__ = (
        sa.CheckConstraint("state IN ('within_limit', 'waiting', 'approved', 'declined')", name="state"),
        sa.CheckConstraint("amount_minor > 0", name="amount"),
        sa.CheckConstraint(
            "state <> 'approved' OR (decided_by_id IS NOT NULL AND decided_by_id <> asked_by_id)", name="second_person"
        ),
        sa.Index("ix_refund_request_state_id", "state", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    payment_id: Mapped[int] = mapped_column(sa.ForeignKey("payment.id"), index=True)
    order_ref: Mapped[str]
    key: Mapped[str] = mapped_column(unique=True)
    amount_minor: Mapped[int]
    currency: Mapped[str]
    reason: Mapped[str]
    state: Mapped[str]
    asked_by_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    asked_at: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    decided_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))
    refund_id: Mapped[int | None] = mapped_column(sa.ForeignKey("refund.id"), unique=True)


class Dispute(Base):
    """A buyer's bank takes money back, or tries to. state: open → won | lost. evidence_due_at: until when it wants proof."""

    __tablename__ = "dispute"
    __table_args__ = (
        sa.CheckConstraint("state IN ('open', 'won', 'lost')", name="state"),
        sa.CheckConstraint("amount_minor >= 0", name="amount"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    payment_id: Mapped[int] = mapped_column(sa.ForeignKey("payment.id"), index=True)
    provider_ref: Mapped[str] = mapped_column(unique=True)
    amount_minor: Mapped[int]
    currency: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")  # the bank's own word
    state: Mapped[str] = mapped_column(default="open")
    evidence_due_at: Mapped[datetime | None]
    lead_id: Mapped[int | None] = mapped_column(sa.ForeignKey("lead.id"))  # the task
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class Receivable(Base):
    """What a company owes for an order on account: its payment's amount, less what was taken back and received.

    due_days: as it was agreed when it was ordered. due_on: until when the invoice is to be paid; None: not invoiced yet.
    reminded: how often it was reminded of.
    """

    __tablename__ = "receivable"
    __table_args__ = (
        sa.CheckConstraint("received_minor >= 0", name="received"),
        sa.CheckConstraint("reminded >= 0", name="reminded"),
    )

    payment_id: Mapped[int] = mapped_column(sa.ForeignKey("payment.id"), primary_key=True, autoincrement=False)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"), index=True)
    due_days: Mapped[int]
    due_on: Mapped[date | None] = mapped_column(index=True)
    received_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    reminded: Mapped[int] = mapped_column(default=0, server_default="0")


class Receipt(Base):
    """Money that came for an invoice on account, as the bookkeeper wrote it down. `key`: the same form twice is one."""

    __tablename__ = "receipt"
    __table_args__ = (sa.CheckConstraint("amount_minor > 0", name="amount"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    payment_id: Mapped[int] = mapped_column(sa.ForeignKey("receivable.payment_id"), index=True)
    amount_minor: Mapped[int]
    currency: Mapped[str]
    received_on: Mapped[date]
    reference: Mapped[str] = mapped_column(default="")  # as the bank's statement has it
    recorded_by_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    recorded_at: Mapped[datetime]


class ProviderCursor(Base):
    """Up to when the events of a provider were listed and heard."""

    __tablename__ = "provider_cursor"

    provider: Mapped[str] = mapped_column(primary_key=True)
    heard_until_at: Mapped[datetime]


class SandboxRefund(Base):
    """A refund in the sandbox provider's own books."""

    __tablename__ = "sandbox_refund"

    id: Mapped[str] = mapped_column(primary_key=True)
    session_id: Mapped[str] = mapped_column(sa.ForeignKey("sandbox_session.id"), index=True)
    amount_minor: Mapped[int]


class SandboxDispute(Base):
    """A dispute in the sandbox provider's own books, opened and decided on its own page."""

    __tablename__ = "sandbox_dispute"

    id: Mapped[str] = mapped_column(primary_key=True)
    session_id: Mapped[str] = mapped_column(sa.ForeignKey("sandbox_session.id"), index=True)
    state: Mapped[str] = mapped_column(default="open")  # open | won | lost
    evidence_due_at: Mapped[datetime]


class SandboxSession(Base):
    """The sandbox provider's own books: what Stripe would keep on its side. Nothing else in the project reads it."""

    __tablename__ = "sandbox_session"

    id: Mapped[str] = mapped_column(primary_key=True)
    amount_minor: Mapped[int]
    currency: Mapped[str]
    description: Mapped[str]
    return_url: Mapped[str]
    cancel_url: Mapped[str]
    state: Mapped[str] = mapped_column(default="open")  # open | authorised | paid | declined | expired | voided
    expires_at: Mapped[datetime]
    capture_later: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    capture_by_at: Mapped[datetime | None]
