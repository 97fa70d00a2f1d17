"""The same request twice is one effect: a row per key, written in the transaction that does the work."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from backoffice.db import Base, BigId
from backoffice.public.errors import BadInput, Refused

TAKEN_OVER_AFTER = timedelta(minutes=1)  # who claimed a key and is silent for so long has died at it


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


def begin(session: Session, scope: str, key: str, *, request_hash: str, now: datetime) -> Mapping[str, Any] | None:
    """Claim `key` for work that is done in transactions of its own; None: it is ours, else the answer it had.

    A claim without an answer is taken over after a minute. Raises BadInput(idempotency_key_reused), Refused(in_progress).
    """
    row, ours = claim(session, scope, key, request_hash=request_hash, now=now)
    if ours:
        return None
    if row.request_hash != request_hash:
        raise BadInput("idempotency_key_reused")
    if row.answer:
        return row.answer
    taken = session.execute(
        sa.update(IdempotencyKey)
        .where(IdempotencyKey.id == row.id, IdempotencyKey.created_at <= now - TAKEN_OVER_AFTER)
        .values(created_at=now)
        .execution_options(synchronize_session=False)
    )
    if cast("CursorResult[Any]", taken).rowcount == 0:
        raise Refused("in_progress")
    return None


def finish(session: Session, scope: str, key: str, answer: Mapping[str, Any]) -> None:
    """Keep the answer of a claimed key."""
    session.execute(
        sa.update(IdempotencyKey).where(IdempotencyKey.scope == scope, IdempotencyKey.key == key).values(answer=dict(answer))
    )


def forget_old(session: Session, scopes: str, *, before: datetime) -> int:
    """Forget the keys of all scopes that begin with `scopes` and were claimed before an instant; return how many."""
    old = sa.delete(IdempotencyKey).where(
        IdempotencyKey.scope.startswith(scopes, autoescape=True), IdempotencyKey.created_at < before
    )
    return cast("CursorResult[Any]", session.execute(old)).rowcount


def give_up(session: Session, scope: str, key: str) -> None:
    """Forget a claim that has no answer."""
    unanswered = sa.select(IdempotencyKey).where(IdempotencyKey.scope == scope, IdempotencyKey.key == key)
    row = session.scalar(unanswered)
    if row is not None and not row.answer:
        session.delete(row)
