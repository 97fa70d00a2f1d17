"""Logging in at a desk: by password, then by session."""

from __future__ import annotations

import hmac
from datetime import datetime
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import passwords, second_step, staff_sessions
from backoffice.desk.context import Member
from backoffice.erp.models import Staff


def find_by_password(session: Session, email: str, password: str) -> Member | None:
    """Return who this is, or None: unknown, disabled and wrong password take the same work and get the same answer."""
    staff = session.execute(sa.select(Staff).where(Staff.email == email.strip().lower())).scalar_one_or_none()
    right = passwords.is_right(password, staff.password_hash if staff and staff.active else None)
    return _member(session, staff) if staff and right else None


def find_by_half(session: Session, half: str) -> Member | None:
    """Return whose password was right and whose code is waited for, or None once they were disabled or logged out everywhere."""
    staff_id, _, nonce = half.partition(":")
    staff = session.get(Staff, int(staff_id)) if staff_id.isascii() and staff_id.isdigit() else None
    right = staff is not None and staff.active and hmac.compare_digest(staff.session_nonce.encode(), nonce.encode())
    return _member(session, staff) if staff and right else None


def find_by_session(session: Session, token: str, *, now: datetime) -> tuple[Member, bool] | None:
    """Return who a browser is logged in as, and whether that must be noted; None once the session has ended."""
    found = staff_sessions.find(session, token, now=now)
    if found is None:
        return None
    staff = found.staff
    return Member(staff.id, staff.name, staff.email, staff.role, staff.session_nonce, found.with_code, token), found.stale


def local_path(target: str | None) -> str | None:
    """Return `target` if it is a path on this site, else None: a log-in link must not lead elsewhere."""
    if not target or not target.startswith("/") or target.startswith("//") or "\\" in target:
        return None
    if not target.isprintable() or urlsplit(target).netloc:
        return None
    return target


def _member(session: Session, staff: Staff) -> Member:
    with_code = second_step.is_set_up(session, staff.id)
    return Member(staff.id, staff.name, staff.email, staff.role, staff.session_nonce, with_code)
