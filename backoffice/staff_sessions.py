"""Who is logged in at the desks: a row for each browser, found by the hash of what its cookie keeps.

A session ends by being left alone, by its age, by logging out, and with all others of its person when their nonce
(`Staff.session_nonce`) is renewed: by a new password, another role, being disabled, a lost phone, "log out everywhere".
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from backoffice import audit
from backoffice.db import Base
from backoffice.erp.models import Staff
from backoffice.second_step import SecondStep

ABSOLUTE = timedelta(hours=12)
IDLE = timedelta(minutes=30)
SEEN_EVERY = timedelta(minutes=1)  # a row that is written at each request would be the busiest of all


class StaffSession(Base):
    """One browser of somebody who works here. nonce: the person's when it began; with another one it is over."""

    __tablename__ = "staff_session"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    nonce: Mapped[str]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Found(NamedTuple):
    """Whose session it is. with_code: they log in with a code too; stale: that they were seen must be noted."""

    staff: Staff
    with_code: bool
    stale: bool


def begin(session: Session, staff_id: int, *, now: datetime) -> str:
    """Log a browser in; return the secret (256 bits) for its cookie, which is kept nowhere else."""
    token = secrets.token_urlsafe(32)
    nonce = session.execute(sa.select(Staff.session_nonce).where(Staff.id == staff_id)).scalar_one()
    times = {"created_at": now, "seen_at": now, "expires_at": now + ABSOLUTE}
    session.add(StaffSession(token_hash=hash_token(token), staff_id=staff_id, nonce=nonce, **times))
    session.flush()
    return token


_LIVE = (
    sa.select(Staff, sa.exists().where(SecondStep.staff_id == Staff.id), StaffSession.seen_at)
    .join(Staff, sa.and_(Staff.id == StaffSession.staff_id, Staff.session_nonce == StaffSession.nonce))
    .where(StaffSession.token_hash == sa.bindparam("token_hash"), Staff.active)
    .where(StaffSession.expires_at > sa.bindparam("now"), StaffSession.seen_at > sa.bindparam("idle_since"))
)


def find(session: Session, token: str, *, now: datetime) -> Found | None:
    """Return whose live session this is, in one read by its key; None once it has ended."""
    asked = {"token_hash": hash_token(token), "now": now, "idle_since": now - IDLE}
    found = session.execute(_LIVE, asked).first()
    return None if found is None else Found(found[0], found[1], found[2] <= now - SEEN_EVERY)


def find_person(session: Session, token: str) -> int | None:
    """Return who this session is of or was of, also after its end."""
    return session.scalar(sa.select(StaffSession.staff_id).where(StaffSession.token_hash == hash_token(token)))


def note_seen(session: Session, token: str, *, now: datetime) -> None:
    """Note that a session is in use."""
    row = StaffSession
    seen = sa.update(row).where(row.token_hash == hash_token(token), row.seen_at <= now - SEEN_EVERY).values(seen_at=now)
    session.execute(seen.execution_options(synchronize_session=False))


def renew(session: Session, token: str) -> str:
    """Give a session another secret, after its person proved more about themselves; the old one opens nothing any more.

    A session that ended meanwhile stays ended.
    """
    fresh, row = secrets.token_urlsafe(32), StaffSession
    renewed = sa.update(row).where(row.token_hash == hash_token(token)).values(token_hash=hash_token(fresh))
    session.execute(renewed.execution_options(synchronize_session=False))
    return fresh


def end(session: Session, token: str) -> None:
    """Log a browser out."""
    session.execute(sa.delete(StaffSession).where(StaffSession.token_hash == hash_token(token)))


def end_all(session: Session, staff_id: int, *, by: str, role: str, now: datetime) -> None:
    """Log somebody out everywhere, also where a password was right and the code is waited for."""
    person = session.get_one(Staff, staff_id, populate_existing=True, with_for_update=True)
    person.session_nonce = secrets.token_urlsafe(16)
    session.flush()
    audit.record(session, "staff.log_out_everywhere", f"staff:{staff_id}", actor=by, role=role, now=now)


def forget(session: Session, *, now: datetime) -> None:
    """Drop rows that opened nothing for a day: until then whoever comes back to a form is known by theirs."""
    session.execute(sa.delete(StaffSession).where(StaffSession.expires_at <= now - timedelta(days=1)))


def hash_token(token: str) -> str:
    """Return what is stored of a secret: it is random, so it needs no slow hash."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
