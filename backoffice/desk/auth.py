"""Logging in: passwords, and a limit on guessing that holds across processes."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from functools import lru_cache
from urllib.parse import urlsplit

import sqlalchemy as sa
from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backoffice.desk.context import Member
from backoffice.desk.models import LoginThrottle
from backoffice.erp.models import Staff

TRIES = 10
WINDOW = timedelta(minutes=5)
MAX_PASSWORD = 1_000
_hasher = PasswordHash.recommended()


def may_try(session: Session, address: str, email: str, *, now: datetime) -> bool:
    """Count one try of this network address with this e-mail; False after 10 within 5 minutes.

    The count is one conditional update, so many processes share one limit.
    """
    who = _who(address, email)
    if _count(session, who, now) is None:
        try:
            with session.begin_nested():
                session.add(LoginThrottle(who=who, tries=1, since_at=now))
        except IntegrityError:
            _count(session, who, now)  # somebody else began the window between our look and our insert
    tries = session.execute(sa.select(LoginThrottle.tries).where(LoginThrottle.who == who)).scalar_one()
    return tries <= TRIES


def forget_tries(session: Session, address: str, email: str, *, now: datetime) -> None:
    """Start counting anew after a log-in that worked, and drop what no longer counts for anybody."""
    row = LoginThrottle
    old = sa.or_(row.who == _who(address, email), row.since_at <= now - WINDOW)
    session.execute(sa.delete(row).where(old))


def find_by_password(session: Session, email: str, password: str) -> Member | None:
    """Return who this is, or None: unknown, disabled and wrong password take the same work and get the same answer."""
    staff = session.execute(sa.select(Staff).where(Staff.email == email.strip().lower())).scalar_one_or_none()
    stored = staff.password_hash if staff and staff.active else _nobodys_hash()
    right = _verify(password[:MAX_PASSWORD], stored)
    return _member(staff) if staff and staff.active and right else None


def find_by_session(session: Session, session_id: str) -> Member | None:
    """Return who a session belongs to, or None once they were disabled or their sessions ended."""
    staff_id, _, nonce = session_id.partition(":")
    staff = session.get(Staff, int(staff_id)) if staff_id.isascii() and staff_id.isdigit() else None
    return _member(staff) if staff and staff.active and staff.session_nonce == nonce else None


def local_path(target: str | None) -> str | None:
    """Return `target` if it is a path on this site, else None: a log-in link must not lead elsewhere."""
    if not target or not target.startswith("/") or target.startswith("//") or "\\" in target:
        return None
    if not target.isprintable() or urlsplit(target).netloc:
        return None
    return target


def _member(staff: Staff) -> Member:
    return Member(staff.id, staff.name, staff.email, staff.role, staff.session_nonce)


def _count(session: Session, who: str, now: datetime) -> int | None:
    row = LoginThrottle
    over = row.since_at <= now - WINDOW
    counted = (
        sa.update(row)
        .where(row.who == who)
        .values(tries=sa.case((over, 1), else_=row.tries + 1), since_at=sa.case((over, now), else_=row.since_at))
        .returning(row.tries)
        .execution_options(synchronize_session=False)
    )
    return session.execute(counted).scalar_one_or_none()


def _who(address: str, email: str) -> str:
    return hashlib.sha256(f"{address}\n{email.strip().lower()}".encode(errors="replace")).hexdigest()


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return _hasher.hash("nobody has this password")


def _verify(password: str, stored: str) -> bool:
    try:
        return _hasher.verify(password, stored)
    except UnknownHashError:
        return False
