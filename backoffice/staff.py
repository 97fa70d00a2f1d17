"""Who works here: adding somebody who may log in at a desk."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from email_validator import EmailNotValidError, validate_email
from pwdlib import PasswordHash
from sqlalchemy.orm import Session

from backoffice.erp.models import Staff
from backoffice.public.errors import BadInput, Refused

Role = Literal["sales", "warehouse", "planner", "admin"]
ROLES: tuple[Role, ...] = ("sales", "warehouse", "planner", "admin")
SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 128


def add(session: Session, *, email: str, name: str, role: Role, password: str, now: datetime) -> Staff:
    """Add somebody with a password of 8 to 128 characters.

    Raises BadInput(invalid_form, fields) for a bad e-mail, name or password, Refused(exists) for an e-mail in use.
    """
    fields: dict[str, str] = {}
    try:
        address = validate_email(email.strip(), check_deliverability=False, test_environment=True).normalized.lower()
    except EmailNotValidError:
        fields["email"] = "invalid_email"
    if not name.strip():
        fields["name"] = "required"
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        fields["password"] = "bad_length"  # noqa: S105 - the error's code, not a password
    if fields:
        raise BadInput("invalid_form", fields)
    if session.scalar(sa.select(Staff.id).where(Staff.email == address)) is not None:
        raise Refused("exists", email=address)
    person = Staff(
        email=address,
        name=name.strip(),
        role=role,
        password_hash=PasswordHash.recommended().hash(password),
        session_nonce=secrets.token_urlsafe(16),
        created_at=now,
    )
    session.add(person)
    session.flush()
    return person
