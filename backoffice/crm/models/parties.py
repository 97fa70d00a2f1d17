"""Tables of the CRM layer: people and companies, what they allowed, their accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, BigId
from backoffice.erp.classes import CUSTOMER_CLASSES, RETAIL, one_of

COMPANY_ROLES = ("", "buyer", "approver", "accounting", "other")


class Party(Base):
    """A person or a company that we deal with. email is normalised (lower case) and unique where there is one.

    A company is known once by its name (company_key: folded; people have none) in its country, and once by its VAT number;
    it belongs to no other. phone_key: the phone as it is dialled from abroad, by which they are found. version: a stale
    save is refused.
    """

    __tablename__ = "party"
    __table_args__ = (
        sa.CheckConstraint("kind IN ('person', 'company')", name="kind"),
        sa.CheckConstraint("kind = 'person' OR company_id IS NULL", name="belongs"),
        sa.CheckConstraint(one_of("customer_class", CUSTOMER_CLASSES), name="customer_class"),
        sa.CheckConstraint(one_of("company_role", COMPANY_ROLES), name="company_role"),
        sa.CheckConstraint("company_role = '' OR company_id IS NOT NULL", name="role_of_a_company"),
        sa.UniqueConstraint("country", "company_key"),
        sa.Index("ix_party_phone_key", "phone_key"),
        sa.Index(
            "uq_party_company_vat_number",
            "vat_number",
            unique=True,
            sqlite_where=sa.text("kind = 'company' AND vat_number <> ''"),
            postgresql_where=sa.text("kind = 'company' AND vat_number <> ''"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(default="person")
    name: Mapped[str]
    email: Mapped[str | None] = mapped_column(unique=True)
    phone: Mapped[str] = mapped_column(default="")
    phone_key: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))
    language: Mapped[str] = mapped_column(default="")
    company_id: Mapped[int | None] = mapped_column(sa.ForeignKey("party.id"), index=True)
    job: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))  # what a person does at their company
    company_role: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))  # what they may do there: company_roles
    vat_number: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))
    source: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))  # what brought them here first
    campaign: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"), index=True)  # who looks after them
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    country: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))  # of a company: ISO 3166-1 alpha-2
    company_key: Mapped[str | None]
    customer_class: Mapped[str] = mapped_column(default=RETAIL, server_default=RETAIL)  # a person's company counts for them too
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    created_at: Mapped[datetime]


class Consent(Base):
    """What somebody allowed us to do, in the words they read, and when they took it back. Never changed, only ended.

    purpose: newsletter | calls | cart_reminder. confirmed_at: when they followed the link that we sent to their address, where
    that is asked for (newsletter); nothing is allowed before. evidence: how it was given (page, form key), for
    whoever must prove it; withdrawal: how it was taken back, where that was by a link in a campaign's letter.
    """

    __tablename__ = "consent"
    __table_args__ = (
        sa.CheckConstraint("purpose IN ('newsletter', 'calls', 'cart_reminder')", name="purpose"),
        sa.CheckConstraint("withdrawn_at IS NULL OR withdrawn_at >= given_at", name="ends_after_it_began"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"), index=True)
    purpose: Mapped[str]
    wording: Mapped[str]
    language: Mapped[str] = mapped_column(default="")
    source: Mapped[str] = mapped_column(default="")
    evidence: Mapped[dict[str, Any]] = mapped_column(default=dict)
    given_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawal: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")


class Account(Base):
    """A customer who may log in. email is normalised. confirmed_at: when its owner followed the link that we sent there.

    Orders of guests with the same address are shown only once that has happened.
    """

    __tablename__ = "account"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"), unique=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]
    language: Mapped[str] = mapped_column(default="")
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]


class AccountSession(Base):
    """One browser that is logged in. Found by the hash of its cookie; gone when it logs out, here or everywhere."""

    __tablename__ = "account_session"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    device: Mapped[str] = mapped_column(default="")  # in words, for the list that its owner sees
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class AccountLink(Base):
    """A link sent by mail, good once. purpose: confirm (the address is theirs) | reset (choose a new password)."""

    __tablename__ = "account_link"
    __table_args__ = (sa.CheckConstraint("purpose IN ('confirm', 'reset')", name="purpose"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Address(Base):
    """A place of somebody with an account, in the parts that its country writes."""

    __tablename__ = "address"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    company: Mapped[str] = mapped_column(default="")
    street: Mapped[str]
    city: Mapped[str] = mapped_column(default="")
    region: Mapped[str] = mapped_column(default="")
    postcode: Mapped[str] = mapped_column(default="")
    country: Mapped[str]
    phone: Mapped[str] = mapped_column(default="")
    preferred: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
