"""Tables of the CRM layer: a day that moved, and what its customer chose."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, BigId

IS_OPEN = sa.text("state = 'open'")


class Slip(Base):
    """A later day that a customer was told of, and what they chose then. At most one of an order waits for a choice.

    state: open | accepted | parted | substituted | cancelled (chosen) | replaced (the day moved again, a newer slip asks) |
    over (nothing is left to choose: kept after all, shipped, cancelled elsewhere).
    lines: what moved when they were told: line_id, name, quantity, promised_on, before_on, expected_on (None: nobody knows),
    cause. choice: what the words of a choice need (sku, name, amount). lead_id: the task of sales that it became.
    """

    __tablename__ = "slip"
    __table_args__ = (
        sa.CheckConstraint(
            "state IN ('open', 'accepted', 'parted', 'substituted', 'cancelled', 'replaced', 'over')", name="state"
        ),
        sa.CheckConstraint(
            "(state IN ('accepted', 'parted', 'substituted', 'cancelled')) = (chosen_at IS NOT NULL)", name="chosen"
        ),
        sa.Index("uq_slip_open", "order_id", unique=True, sqlite_where=IS_OPEN, postgresql_where=IS_OPEN),
        sa.Index("ix_slip_state_told_at", "state", "told_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    state: Mapped[str] = mapped_column(default="open")
    lines: Mapped[list[Any]]
    told_at: Mapped[datetime]
    choice: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=sa.text("'{}'"))
    chosen_at: Mapped[datetime | None]
    chosen_by: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))  # customer | a colleague's name
    lead_id: Mapped[int | None] = mapped_column(sa.ForeignKey("lead.id"), index=True)
