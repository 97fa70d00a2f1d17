"""Why nothing was sold: a list that the company keeps, so that reports can count."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import audit
from backoffice.crm.models import LostReason
from backoffice.public.errors import BadInput, NotFound, Refused

LONGEST_NAME = 100


def find_active(session: Session) -> Sequence[LostReason]:
    """Return the reasons to choose from, in the company's order."""
    wanted = sa.select(LostReason).where(LostReason.active)
    return session.scalars(wanted.order_by(LostReason.position, LostReason.id)).all()


def find_all(session: Session) -> Sequence[LostReason]:
    """Return every reason, those that are no longer offered too."""
    return session.scalars(sa.select(LostReason).order_by(LostReason.position, LostReason.id)).all()


def get_active(session: Session, reason_id: int) -> LostReason:
    """Return one that may be chosen. Raises BadInput(invalid_form, reason)."""
    row = session.get(LostReason, reason_id)
    if row is None or not row.active:
        raise BadInput("invalid_form", {"reason": "bad_choice"})
    return row


def save(
    session: Session,
    reason_id: int | None,
    *,
    name: str,
    position: int,
    active: bool,
    by: str,
    role: str = "",
    now: datetime,
) -> LostReason:
    """Write a reason, a new one without an id. Raises NotFound(unknown_record), BadInput(name), Refused(name_taken)."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise BadInput("invalid_form", {"name": "too_long" if name else "required"})
    row = session.get(LostReason, reason_id) if reason_id is not None else LostReason()
    if row is None:
        raise NotFound("unknown_record")
    twin = session.scalar(sa.select(LostReason.id).where(LostReason.name == name))
    if twin not in (None, reason_id):
        raise Refused("name_taken")
    before = None if reason_id is None else {"name": row.name, "position": row.position, "active": row.active}
    row.name, row.position, row.active = name, position, active
    session.add(row)
    session.flush()
    after = {"name": name, "position": position, "active": active}
    if before != after:
        details = {"before": before, "after": after}
        audit.record(session, "lost_reason.save", f"lost_reason:{row.id}", actor=by, role=role, details=details, now=now)
    return row
