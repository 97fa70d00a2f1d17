"""Tables of erasures: the proof that somebody was forgotten, without a word of who it was."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, BigId

HOW = ("letter", "email", "phone", "in_person", "ours")  # ours: nobody asked, we had no more reason to know them


class Erasure(Base):
    """One person, erased. Written once; only the export goes, once it was handed over.

    actor, role: which colleague; "command" for the command line. asked_how, asked_on: on what request. counts: table → rows that
    went or were emptied. kept: papers that the law keeps, each {number, until}. export_hash: SHA-256 of the file that was handed
    over. export: that file, until export_until at most.
    """

    __tablename__ = "erasure"
    __table_args__ = (
        sa.CheckConstraint("asked_how IN ('letter', 'email', 'phone', 'in_person', 'ours')", name="asked_how"),
        sa.CheckConstraint("(export IS NULL) = (export_until IS NULL)", name="export_ends"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    role: Mapped[str] = mapped_column(default="")
    asked_how: Mapped[str]
    asked_on: Mapped[date]
    counts: Mapped[dict[str, Any]]
    kept: Mapped[list[Any]]
    export_hash: Mapped[str]
    export: Mapped[bytes | None]
    export_until: Mapped[datetime | None] = mapped_column(index=True)


class ErasedParty(Base):
    """Which records an erasure emptied: of two that want to erase the same, one does."""

    __tablename__ = "erased_party"

    party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"), primary_key=True, autoincrement=False)
    erasure_id: Mapped[int] = mapped_column(sa.ForeignKey("erasure.id"), index=True)


class ErasedMark(Base):
    """A keyed hash of an e-mail or a telephone that an erasure took: says of one that is typed whether it was theirs."""

    __tablename__ = "erased_mark"

    mark: Mapped[str] = mapped_column(primary_key=True)
    erasure_id: Mapped[int] = mapped_column(sa.ForeignKey("erasure.id"), primary_key=True)
