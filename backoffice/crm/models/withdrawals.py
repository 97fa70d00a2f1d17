"""What customers took back of their contracts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, BigId


class Withdrawal(Base):
    """A declaration of withdrawal, as it was made. lines: order line, name, quantity, and what follows (out | back).

    return_number: under which the goods are expected back; empty where none are. refund_minor: what was given back at once.
    """

    __tablename__ = "withdrawal"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    key: Mapped[str] = mapped_column(unique=True)
    lines: Mapped[list[Any]]
    return_number: Mapped[str] = mapped_column(default="")
    refund_minor: Mapped[int] = mapped_column(default=0)
    declared_at: Mapped[datetime]
