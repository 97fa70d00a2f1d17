"""What was asked for in vain, counted without saying by whom."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base

KINDS = sa.text("kind IN ('viewed', 'quantity', 'day', 'search')")


class DemandMark(Base):
    """One visitor's wish of a week that has not been added up yet. sku: empty of a search; words: of a search alone.

    mark: tells visitors apart within the week; it cannot be led back to an address and goes when the week is added up.
    quantity: the most that they could not have.
    """

    __tablename__ = "demand_mark"
    __table_args__ = (sa.CheckConstraint(KINDS, name="kind"), sa.CheckConstraint("quantity > 0", name="quantity"))

    week_on: Mapped[date] = mapped_column(primary_key=True)  # its Monday, UTC
    sku: Mapped[str] = mapped_column(primary_key=True)
    words: Mapped[str] = mapped_column(primary_key=True)
    mark: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    quantity: Mapped[int]


class LostDemand(Base):
    """A week's wishes of one kind for one item or one search, added up: how many visitors, how many pieces."""

    __tablename__ = "lost_demand"
    __table_args__ = (sa.CheckConstraint(KINDS, name="kind"), sa.CheckConstraint("people > 0 AND quantity > 0", name="counted"))

    week_on: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    words: Mapped[str] = mapped_column(primary_key=True)
    people: Mapped[int]
    quantity: Mapped[int]
