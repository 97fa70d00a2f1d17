"""Who works here: who may log in at a desk, and as what. There is always somebody left who administers."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from email_validator import EmailNotValidError, validate_email
from sqlalchemy.orm import Session

from backoffice import audit, passwords
from backoffice.erp.models import Staff
from backoffice.public.errors import BadInput, NotFound, Refused

Role = Literal["sales", "warehouse", "planner", "admin"]
ROLES: tuple[Role, ...] = ("sales", "warehouse", "planner", "admin")


def add(session: Session, *, email: str, name: str, role: Role, password: str, now: datetime) -> Staff:
    """Add somebody with a password of 8 to 128 characters that is not among those which are tried first.

    Raises BadInput(invalid_form, fields) for a bad e-mail, name or password, Refused(exists) for an e-mail in use.
    """
    fields: dict[str, str] = {}
    try:
        address = validate_email(email.strip(), check_deliverability=False, test_environment=True).normalized.lower()
    except EmailNotValidError:
        fields["email"] = "invalid_email"
    if not name.strip():
        fields["name"] = "required"
    if fault := passwords.find_fault(password, email=email.strip()):
        fields["password"] = fault
    if fields:
        raise BadInput("invalid_form", fields)
    if session.scalar(sa.select(Staff.id).where(Staff.email == address)) is not None:
        raise Refused("exists", email=address)
    person = Staff(
        email=address,
        name=name.strip(),
        role=role,
        password_hash=passwords.make_hash(password),
        session_nonce=secrets.token_urlsafe(16),
        created_at=now,
    )
    session.add(person)
    session.flush()
    return person


@dataclass(frozen=True, slots=True)
class Admin:
    """Who makes a change, for the audit."""

    email: str
    role: str = "admin"


def find_all(session: Session) -> Sequence[Staff]:
    """Return everybody, those who may log in first."""
    return session.scalars(sa.select(Staff).order_by(Staff.active.desc(), Staff.name, Staff.id)).all()


def welcome(session: Session, *, email: str, name: str, role: str, by: Admin, now: datetime) -> tuple[Staff, str]:
    """Add somebody with a password made here; return them and the password, which is kept nowhere. Raises as `add`."""
    if role not in ROLES:
        raise BadInput("invalid_form", {"role": "bad_choice"})
    password = secrets.token_urlsafe(12)
    person = add(session, email=email, name=name, role=role, password=password, now=now)
    details = {"after": {"email": person.email, "name": person.name, "role": person.role}}
    _note(session, "staff.add", person, details, by, now)
    return person, password


def change(session: Session, staff_id: int, *, name: str, role: str, active: bool, by: Admin, now: datetime) -> Staff:
    """Change somebody's name, role and whether they may log in; what changes ends their sessions.

    Raises NotFound(unknown_record), BadInput(invalid_form, name | role), Refused(last_admin).
    """
    fields = {} if name.strip() and len(name) <= 200 else {"name": "missing" if not name.strip() else "too_long"}
    if role not in ROLES:
        fields["role"] = "bad_choice"
    if fields:
        raise BadInput("invalid_form", fields)
    admins = _lock_admins(session)
    person = _get(session, staff_id)
    if admins == [person.id] and (role != "admin" or not active):
        raise Refused("last_admin")
    before = {"name": person.name, "role": person.role, "active": person.active}
    after = {"name": name.strip(), "role": role, "active": active}
    if before == after:
        return person
    person.name, person.role, person.active = name.strip(), role, active
    if (before["role"], before["active"]) != (role, active):
        person.session_nonce = secrets.token_urlsafe(16)
    session.flush()
    _note(session, "staff.change", person, {"before": before, "after": after}, by, now)
    return person


def reset_password(session: Session, staff_id: int, *, by: Admin, now: datetime) -> tuple[Staff, str]:
    """Give somebody a new password and end their sessions; return them and the password. Raises NotFound(unknown_record)."""
    person, password = _get(session, staff_id), secrets.token_urlsafe(12)
    person.password_hash, person.session_nonce = passwords.make_hash(password), secrets.token_urlsafe(16)
    session.flush()
    _note(session, "staff.reset_password", person, {}, by, now)
    return person, password


def _lock_admins(session: Session) -> list[int]:
    """Return who administers; two who take the role from each other wait here, and the second is refused."""
    found = sa.select(Staff.id).where(Staff.role == "admin", Staff.active).order_by(Staff.id).with_for_update()
    return list(session.scalars(found))


def _get(session: Session, staff_id: int) -> Staff:
    person = session.get(Staff, staff_id, populate_existing=True, with_for_update=True)
    if person is None:
        raise NotFound("unknown_record")
    return person


def _note(session: Session, action: str, person: Staff, details: dict[str, Any], by: Admin, now: datetime) -> None:
    audit.record(session, action, f"staff:{person.id}", actor=by.email, role=by.role, details=details, now=now)
