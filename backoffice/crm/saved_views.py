"""Lists that somebody keeps: a name for a part, an order and columns. Theirs, or shared with everybody of sales."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm.models import SavedView
from backoffice.public.errors import BadInput

LONGEST_NAME = 60


def find(session: Session, staff_id: int) -> Sequence[SavedView]:
    """Return what somebody kept and what others share, by name."""
    theirs = sa.or_(SavedView.owner_id == staff_id, SavedView.shared)
    return session.scalars(sa.select(SavedView).where(theirs).order_by(SavedView.name, SavedView.id)).all()


def save(session: Session, staff_id: int, *, name: str, args: Mapping[str, str], shared: bool, now: datetime) -> SavedView:
    """Keep a list; one of mine with the same name is replaced. Raises BadInput(invalid_form, name)."""
    name = " ".join(name.replace("\x00", "").split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise BadInput("invalid_form", {"name": "too_long" if name else "required"})
    mine = sa.select(SavedView).where(SavedView.owner_id == staff_id, SavedView.name == name)
    row = session.scalars(mine).first() or SavedView(owner_id=staff_id, name=name, created_at=now)
    row.args, row.shared = dict(args), shared
    session.add(row)
    session.flush()
    return row


def drop(session: Session, staff_id: int, view_id: int) -> None:
    """Forget a list of mine; another's stays, and what is gone stays gone."""
    session.execute(sa.delete(SavedView).where(SavedView.id == view_id, SavedView.owner_id == staff_id))
