"""Tables of the bridge: what still has to leave the house, and who is carrying it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, BigId


class OutboxMessage(Base):
    """Something to deliver, written in the transaction that caused it. state: pending | done | dead | given_up.

    Order is kept per (target, aggregate): a message waits for its earlier ones, unless those are dead (see outbox.LANES).
    attempts: tries; excused: those of them that failed because the receiver was away, which is not the message's fault.
    asked_at: when the receiver was last asked for something of which no answer came; see outbox.ask.
    """

    __tablename__ = "outbox_message"
    __table_args__ = (
        sa.UniqueConstraint("target", "aggregate", "sequence"),
        sa.CheckConstraint("state IN ('pending', 'done', 'dead', 'given_up')", name="state"),
        sa.Index("ix_outbox_message_state_available_at", "state", "available_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    target: Mapped[str]  # mail | refund | capture | erp; news: what the payment provider says and could not be acted on
    aggregate: Mapped[str]  # order:SF-…, lead:…
    sequence: Mapped[int]
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(default="pending")
    attempts: Mapped[int] = mapped_column(default=0)
    excused: Mapped[int] = mapped_column(default=0, server_default="0")
    available_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    leased_by: Mapped[str | None]
    asked_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class OutboxLane(Base):
    """The way to one target whose messages must not come too many at once; its row lock makes those who lease them queue.

    failures: tries in a row that found the receiver away; closed_until: nobody tries before.
    """

    __tablename__ = "outbox_lane"

    target: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    closed_until: Mapped[datetime | None]


class Heartbeat(Base):
    """When a worker last said that it lives."""

    __tablename__ = "heartbeat"

    name: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class Periodic(Base):
    """When periodic work last ran: taken by a conditional update, so ten workers run it once."""

    __tablename__ = "periodic"

    name: Mapped[str] = mapped_column(primary_key=True)
    next_at: Mapped[datetime]
