"""Tables of the CRM layer: visits that somebody allowed us to note, whose they are, and what is known of each person."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, BigId


class Visitor(Base):
    """One browser whose owner let us note its visits, in the words they read. Gone, with all of them, when taken back."""

    __tablename__ = "visitor"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    wording: Mapped[str]
    language: Mapped[str] = mapped_column(default="")
    allowed_at: Mapped[datetime]


class Visit(Base):
    """One sitting at a browser: looks with less than half an hour between them, of one person as far as is known.

    party_id: who it was, by the identity_link that stands; None: nobody knows. cart_id: the cart that was filled.
    """

    __tablename__ = "visit"
    __table_args__ = (
        sa.CheckConstraint("ended_at >= began_at", name="ends_after_it_began"),
        sa.Index("ix_visit_visitor_id_ended_at", "visitor_id", "ended_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    visitor_id: Mapped[int] = mapped_column(sa.ForeignKey("visitor.id", ondelete="CASCADE"))
    party_id: Mapped[int | None] = mapped_column(sa.ForeignKey("party.id"), index=True)
    cart_id: Mapped[int | None] = mapped_column(sa.ForeignKey("cart.id", ondelete="SET NULL"), index=True)
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime] = mapped_column(index=True)


class VisitEvent(Base):
    """One look. kind: page | search | cart | order. about: the path, what was searched for, or the order's number."""

    __tablename__ = "visit_event"
    __table_args__ = (sa.CheckConstraint("kind IN ('page', 'search', 'cart', 'order')", name="kind"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    visit_id: Mapped[int] = mapped_column(sa.ForeignKey("visit.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    about: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]


class IdentityLink(Base):
    """That a visit was somebody's, or that two parties are one person: by which rule, on what evidence, and by whom undone.

    Never changed, only undone; what was undone is never linked again by a rule. party_id < other_id where two parties are meant.
    """

    __tablename__ = "identity_link"
    __table_args__ = (
        sa.CheckConstraint("(visit_id IS NULL) <> (other_id IS NULL)", name="one_kind"),
        sa.CheckConstraint("other_id IS NULL OR party_id < other_id", name="in_order"),
        sa.CheckConstraint("(undone_at IS NULL) = (undone_by = '')", name="undone_by_somebody"),
        sa.Index(
            "uq_identity_link_visit_id",
            "visit_id",
            unique=True,
            sqlite_where=sa.text("undone_at IS NULL"),
            postgresql_where=sa.text("undone_at IS NULL"),
        ),
        sa.UniqueConstraint("party_id", "other_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    visit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("visit.id", ondelete="CASCADE"), index=True)
    other_id: Mapped[int | None] = mapped_column(sa.ForeignKey("party.id"), index=True)
    party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"))
    rule: Mapped[str]
    evidence: Mapped[dict[str, Any]] = mapped_column(default=dict)
    made_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))


class Profile(Base):
    """What is known of a person, kept as one row of facts so that segments are counted without looking at their events.

    person_id: the first of the parties that are this person; facts of all of them stand in that party's row, the others'
    rows are of nobody. spent_minor, orders: of orders that were not cancelled. broken_promises: lines that came, or will come,
    after the day first promised.
    """

    __tablename__ = "profile"
    __table_args__ = (
        sa.CheckConstraint("person_id <= party_id", name="first"),
        sa.CheckConstraint("orders >= 0 AND visits >= 0 AND broken_promises >= 0", name="counts"),
    )

    party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"), primary_key=True, autoincrement=False)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("profile.party_id"), index=True)
    language: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))
    country: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))
    customer_class: Mapped[str] = mapped_column(default="retail", server_default="retail")
    newsletter: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    known_since: Mapped[datetime]
    visits: Mapped[int] = mapped_column(default=0, server_default="0")
    searches: Mapped[int] = mapped_column(default=0, server_default="0")
    carts: Mapped[int] = mapped_column(default=0, server_default="0")
    last_seen_at: Mapped[datetime | None]
    orders: Mapped[int] = mapped_column(default=0, server_default="0")
    spent_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    first_order_at: Mapped[datetime | None]
    last_order_at: Mapped[datetime | None]
    broken_promises: Mapped[int] = mapped_column(default=0, server_default="0")


class ProfileMark(Base):
    """Up to which entry of the timeline, and which visit's end, the profiles were brought up to date."""

    __tablename__ = "profile_mark"

    name: Mapped[str] = mapped_column(primary_key=True)
    activity_id: Mapped[int] = mapped_column(default=0)
    at: Mapped[datetime]
