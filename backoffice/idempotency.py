"""The same request twice is one effect: a row per key, written in the transaction that does the work."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from backoffice.db import Base, BigId


class IdempotencyKey(Base):
    """A key that was used, the hash of what was asked, and the answer."""

    __tablename__ = "idempotency_key"
    __table_args__ = (sa.UniqueConstraint("scope", "key"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    scope: Mapped[str]
    key: Mapped[str]
    request_hash: Mapped[str]
    answer: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


def claim(session: Session, scope: str, key: str, *, request_hash: str = "", now: datetime) -> tuple[IdempotencyKey, bool]:
    """Return the row of `key` and True if it is ours to work on, False if the work was done before.

    A second transaction with the same key waits for the first one to end. Fill `answer` before committing.
    """
    row = IdempotencyKey(scope=scope, key=key, request_hash=request_hash, answer={}, created_at=now)
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        used = sa.select(IdempotencyKey).where(IdempotencyKey.scope == scope, IdempotencyKey.key == key)
        return session.execute(used).scalar_one(), False
    return row, True
