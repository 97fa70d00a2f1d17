"""Segments: saved conditions over profiles, compiled to SQL by column and parameter, and counted live."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backoffice.crm import segment_rules
from backoffice.crm.models import Profile, Segment
from backoffice.crm.segment_rules import FIELDS, Condition
from backoffice.db import table_of
from backoffice.public.errors import BadInput, NotFound, Refused

LONGEST_NAME = 100


def save(
    session: Session,
    segment_id: int | None,
    *,
    name: str,
    matching: str,
    conditions: Sequence[Condition],
    version: int = 0,
    now: datetime,
) -> Segment:
    """Keep a segment, a new one without a number.

    Raises BadInput(invalid_form), NotFound(unknown_record), Refused(stale | name_taken).
    """
    segment_rules.check(matching, conditions)
    words = " ".join(name.split())
    if not words or len(words) > LONGEST_NAME or not words.isprintable():
        raise BadInput("invalid_form", {"name": "missing" if not words else "too_long"})
    segment = Segment(version=0) if segment_id is None else get_segment(session, segment_id, lock=True)
    if segment_id is not None and segment.version != version:
        raise Refused("stale")
    segment.name, segment.matching, segment.updated_at = words, matching, now
    segment.conditions, segment.version = segment_rules.write(conditions), segment.version + 1
    try:
        with session.begin_nested():
            session.add(segment)
            session.flush()
    except IntegrityError:
        raise Refused("name_taken") from None
    return segment


def every(session: Session) -> Sequence[Segment]:
    """Return the segments by name."""
    return session.scalars(sa.select(Segment).order_by(Segment.name)).all()


def get_segment(session: Session, segment_id: int, *, lock: bool = False) -> Segment:
    """Return a segment. Raises NotFound(unknown_record)."""
    found = session.get(Segment, segment_id, with_for_update=True if lock else None)
    if found is None:
        raise NotFound("unknown_record")
    return found


def count(session: Session, matching: str, conditions: Sequence[Condition], *, now: datetime) -> int:
    """Return how many people fit. Raises BadInput(invalid_form)."""
    people = sa.select(sa.func.count()).select_from(table_of(Profile)).where(fits(matching, conditions, now=now))
    return session.scalar(people) or 0


def fits(matching: str, conditions: Sequence[Condition], *, now: datetime) -> sa.ColumnElement[bool]:
    """Return the condition of a profile's row that it is a person's and fits. Raises BadInput(invalid_form)."""
    segment_rules.check(matching, conditions)
    parts = [_compile(one, now) for one in conditions]
    row = table_of(Profile).c
    return sa.and_(row.person_id == row.party_id, sa.and_(*parts) if matching == "all" else sa.or_(*parts))


def _compile(one: Condition, now: datetime) -> sa.ColumnElement[bool]:
    column: sa.ColumnElement[object] = table_of(Profile).c[one.field]
    if FIELDS[one.field] == "days":
        since = now - timedelta(days=int(one.value or 0))
        return column >= since if one.operator == "within" else sa.or_(column.is_(None), column < since)
    if FIELDS[one.field] == "flag":
        return column.is_(sa.true() if one.operator == "yes" else sa.false())
    compared = {
        "at_least": column >= one.value,
        "at_most": column <= one.value,
        "is": column == one.value,
        "is_not": column != one.value,
    }
    return compared[one.operator]
