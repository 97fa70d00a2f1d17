"""Who changed what: one row for each change that somebody answers for, written in the transaction that makes it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from backoffice.db import Base, BigId


class AuditEntry(Base):
    """Somebody did something to something. details: values before and after, never a secret; nothing updates a row."""

    __tablename__ = "audit_entry"
    __table_args__ = (sa.Index("ix_audit_entry_subject_at", "subject", "at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str]  # a colleague's e-mail, "worker", "customer", "key:<prefix>"
    role: Mapped[str] = mapped_column(default="")
    action: Mapped[str]  # staff.add, settings.change, refund.request …
    subject: Mapped[str]  # staff:3, order:SF-…
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)


def record(
    session: Session,
    action: str,
    subject: str,
    *,
    actor: str,
    role: str = "",
    details: Mapping[str, Any] | None = None,
    now: datetime,
) -> None:
    """Write down that `actor` did `action` to `subject`."""
    session.add(AuditEntry(at=now, actor=actor, role=role, action=action, subject=subject, details=dict(details or {})))
    session.flush()
