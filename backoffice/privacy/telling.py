"""All that is known of a person, for them: what they may ask for by law (GDPR, article 15 and 20)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import audit
from backoffice.privacy.declared import HOLDS, T
from backoffice.privacy.person import get_person

Known = Mapping[str, Sequence[Mapping[str, Any]]]


def tell(session: Session, party_id: int) -> Known:
    """Return their rows by table, as JSON has them, without what could open something.

    Raises NotFound(unknown_record), Refused(not_a_person).
    """
    person = get_person(session, party_id)
    known = {}
    for name, held in HOLDS.items():
        rows = session.execute(sa.select(T[name]).where(held.theirs(person)).order_by(*T[name].primary_key)).mappings()
        hidden = set(held.hidden.split())
        if told := [{column: _plain(value) for column, value in row.items() if column not in hidden} for row in rows]:
            known[name] = told
    return known


def hand_out(session: Session, party_id: int, *, by: str, role: str, now: datetime) -> Known:
    """Do what `tell` does, and write down that it was handed out."""
    known = tell(session, party_id)
    audit.record(session, "person.export", f"party:{party_id}", actor=by, role=role, now=now)
    return known


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime | date) else value
