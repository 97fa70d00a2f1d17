"""Keys for partners: who calls the API, and what they may do there."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from backoffice.db import Base, BigId
from backoffice.erp.classes import CUSTOMER_CLASSES, RETAIL, one_of
from backoffice.public.errors import BadInput, NotFound
from backoffice.public.partners import SCOPES

PREFIX = "sf"
NOTED_EVERY = timedelta(minutes=1)  # a row that is written at each request would be the busiest of all


class ApiKey(Base):
    """A partner's key, found by its public prefix and checked by the hash of the whole. scopes: what it may do.

    customer_class: what is kept for this class may be promised to them.
    """

    __tablename__ = "api_key"
    __table_args__ = (sa.CheckConstraint(one_of("customer_class", CUSTOMER_CLASSES), name="customer_class"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str]
    prefix: Mapped[str] = mapped_column(unique=True)
    key_hash: Mapped[str]
    scopes: Mapped[list[Any]] = mapped_column(default=list)
    customer_class: Mapped[str] = mapped_column(default=RETAIL, server_default=RETAIL)
    created_by: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


def create(
    session: Session, name: str, scopes: Iterable[str], *, customer_class: str = RETAIL, by: str, now: datetime
) -> tuple[ApiKey, str]:
    """Make a key; return its row and the secret, which is shown now and never again.

    Raises BadInput(invalid_form, name | scopes | customer_class).
    """
    name, wanted = " ".join(name.split()), sorted(set(scopes))
    fields = {}
    if not 1 <= len(name) <= 80:
        fields["name"] = "required" if not name else "too_long"
    if not wanted or not set(wanted) <= SCOPES.keys():
        fields["scopes"] = "bad_choice"
    if customer_class not in CUSTOMER_CLASSES:
        fields["customer_class"] = "bad_choice"
    if fields:
        raise BadInput("invalid_form", fields)
    prefix = secrets.token_hex(4)
    secret = f"{PREFIX}_{prefix}_{secrets.token_urlsafe(32)}"
    row = ApiKey(name=name, prefix=prefix, key_hash=_hash(secret), scopes=wanted, customer_class=customer_class)
    row.created_by, row.created_at = by, now
    session.add(row)
    session.flush()
    return row, secret


def set_class(session: Session, key_id: int, customer_class: str) -> tuple[ApiKey, str]:
    """Set to which class of customers a partner belongs from now on; return the key and the class before.

    Carts that it has made keep theirs. Raises NotFound(unknown_record), BadInput(invalid_form, customer_class).
    """
    row = session.get(ApiKey, key_id)
    if row is None:
        raise NotFound("unknown_record")
    if customer_class not in CUSTOMER_CLASSES:
        raise BadInput("invalid_form", {"customer_class": "bad_choice"})
    before, row.customer_class = row.customer_class, customer_class
    session.flush()
    return row, before


def revoke(session: Session, key_id: int, *, now: datetime) -> ApiKey:
    """End a key; done twice it stays ended at the first time. Raises NotFound(unknown_record)."""
    row = session.get(ApiKey, key_id)
    if row is None:
        raise NotFound("unknown_record")
    row.revoked_at = row.revoked_at or now
    session.flush()
    return row


def find_all(session: Session) -> Sequence[ApiKey]:
    """Return all keys, the newest first."""
    return session.scalars(sa.select(ApiKey).order_by(ApiKey.id.desc())).all()


def verify(session: Session, secret: str) -> ApiKey | None:
    """Return the live key of a secret, or None. The hash of the whole is compared in constant time."""
    parts = secret.split("_", 2)
    if len(parts) != 3 or parts[0] != PREFIX:
        return None
    row = session.scalar(sa.select(ApiKey).where(ApiKey.prefix == parts[1]))
    # also for a prefix that there is none of, so that the time tells nothing
    matches = hmac.compare_digest(row.key_hash if row else _hash(""), _hash(secret))
    return row if row is not None and matches and row.revoked_at is None else None


def note_use(session: Session, key_id: int, *, now: datetime) -> None:
    """Write down when a key was last used, at most once a minute."""
    used = ApiKey.last_used_at
    session.execute(
        sa.update(ApiKey)
        .where(ApiKey.id == key_id, sa.or_(used.is_(None), used <= now - NOTED_EVERY))
        .values(last_used_at=now)
        .execution_options(synchronize_session=False)
    )


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()  # 256 random bits need no slow hash
