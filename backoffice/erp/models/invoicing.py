"""Tables of invoicing: written once, numbered without a gap."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.append_only import forbid_changes
from backoffice.db import Base, BigId, table_of


class NumberSeries(Base):
    """How far the numbers of a kind of paper have come in a year. Raised in the transaction that issues, by the database."""

    __tablename__ = "number_series"
    __table_args__ = (sa.CheckConstraint("last > 0", name="last"),)

    kind: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]


class Invoice(Base):
    """An invoice, or a credit note that takes a part of one back. Seller and buyer are frozen; no row is changed or deleted.

    cause: what it is for, each once: order:SF-…, refund:7 (money given back), refund:7:failed (which the bank returned).
    corrects_id: of a credit note, and of an invoice that takes a credit note back, the paper that it is about.
    """

    __tablename__ = "invoice"
    __table_args__ = (
        sa.UniqueConstraint("kind", "year", "serial"),
        sa.CheckConstraint("kind IN ('invoice', 'credit_note')", name="kind"),
        sa.CheckConstraint("serial > 0", name="serial"),
        sa.CheckConstraint("gross_minor >= 0 AND net_minor + tax_minor = gross_minor", name="sums"),
        sa.CheckConstraint("kind = 'invoice' OR corrects_id IS NOT NULL", name="corrects"),
        sa.Index("ix_invoice_issued_on_id", "issued_on", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str]
    year: Mapped[int]
    serial: Mapped[int]
    number: Mapped[str] = mapped_column(unique=True)
    cause: Mapped[str] = mapped_column(unique=True)
    order_ref: Mapped[str] = mapped_column(index=True)
    corrects_id: Mapped[int | None] = mapped_column(sa.ForeignKey("invoice.id"))
    currency: Mapped[str]
    net_minor: Mapped[int]
    tax_minor: Mapped[int]
    gross_minor: Mapped[int]
    seller: Mapped[dict[str, Any]]
    buyer: Mapped[dict[str, Any]]
    issued_on: Mapped[date]  # where the company is
    issued_at: Mapped[datetime]
    paid_on: Mapped[date]  # when the money came, or went back; on account: when it became owed
    due_on: Mapped[date | None]  # of an invoice on account: until when it is to be paid


class InvoiceLine(Base):
    """One line. rate_bp: the tax's rate in hundredths of a percent; gross = net + tax, the tax of a rate shared over its lines.

    kind: goods | delivery | discount (less than nothing) | refund (one for each rate).
    """

    __tablename__ = "invoice_line"
    __table_args__ = (
        sa.UniqueConstraint("invoice_id", "position"),
        sa.CheckConstraint("kind IN ('goods', 'delivery', 'discount', 'refund')", name="kind"),
        sa.CheckConstraint("net_minor + tax_minor = gross_minor", name="sums"),
        sa.CheckConstraint("rate_bp BETWEEN 0 AND 10000", name="rate"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    invoice_id: Mapped[int] = mapped_column(sa.ForeignKey("invoice.id"))
    position: Mapped[int]
    kind: Mapped[str]
    sku: Mapped[str] = mapped_column(default="")
    text: Mapped[str] = mapped_column(default="")
    quantity: Mapped[int] = mapped_column(default=1)
    rate_bp: Mapped[int]
    net_minor: Mapped[int]
    tax_minor: Mapped[int]
    gross_minor: Mapped[int]


forbid_changes(table_of(Invoice))
forbid_changes(table_of(InvoiceLine))
