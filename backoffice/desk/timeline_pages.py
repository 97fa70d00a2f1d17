"""A customer's timeline part by part, as fast with a million entries as with ten: each part begins where the last one ended.

What else happened between a customer and us, and is kept elsewhere, joins here: sorted in by instant before the part is cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm.models import Activity, Party

ENTRIES = 50
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Part:
    """Entries, the newest first. older: where the next part begins; empty: there is none."""

    entries: Sequence[Activity]
    older: str


def find_part(session: Session, party_ids: Sequence[int], before: str = "", *, size: int = ENTRIES) -> Part:
    """Return the entries of these people before a place on their timeline; what is no place is the beginning.

    Of each person no more is read than fits, by the index of their entries; of more people than fit only those with the newest
    entry each, which no others can push out: two statements at most, whatever there is.
    """
    where = read_place(before)
    if len(party_ids) > size + 1:
        party_ids = _with_the_newest(session, party_ids, where, size + 1)
    if not party_ids:
        return Part([], "")
    each = [_newest(party_id, where, size + 1) for party_id in party_ids]
    ids = sa.union_all(*each).subquery()
    found = sa.select(Activity).join(ids, ids.c.id == Activity.id).order_by(Activity.at.desc(), Activity.id.desc())
    entries = session.scalars(found.limit(size + 1)).all()
    last = entries[size - 1] if len(entries) > size else None
    return Part(entries[:size], write_place(last.at, last.id) if last is not None else "")


def _newest(party_id: int, before: tuple[datetime, int] | None, size: int) -> sa.Select[int]:
    theirs = _before(sa.select(Activity.id, Activity.at).where(Activity.party_id == party_id), before)
    newest = theirs.order_by(Activity.at.desc(), Activity.id.desc()).limit(size).subquery()
    return sa.select(newest.c.id)


def _with_the_newest(session: Session, party_ids: Sequence[int], where: tuple[datetime, int] | None, size: int) -> Sequence[int]:
    """Return those people whose newest entries before a place are the newest of all, `size` at most."""
    theirs = _before(sa.select(Activity.id).where(Activity.party_id == Party.id), where)
    newest = theirs.order_by(Activity.at.desc(), Activity.id.desc()).limit(1).correlate(Party).scalar_subquery()
    ids = sa.select(newest).where(Party.id.in_(party_ids))
    found = sa.select(Activity.party_id).where(Activity.id.in_(ids)).order_by(Activity.at.desc(), Activity.id.desc())
    return session.scalars(found.limit(size)).all()


def _before(entries: Any, place: tuple[datetime, int] | None) -> Any:
    if place is None:
        return entries
    at, last = place
    return entries.where(Activity.at <= at, sa.or_(Activity.at < at, Activity.id < last))


def write_place(at: datetime, row_id: int) -> str:
    """Return a place in a list that is sorted by an instant and an id, to stand in an address."""
    return f"{(at - _EPOCH) // _TICK}-{row_id}"


def read_place(typed: str) -> tuple[datetime, int] | None:
    """Return the instant and the id of a place; None for what is none."""
    at, _, last = typed.partition("-")
    if not (at.isdecimal() and last.isdecimal() and len(at) < 17 and len(last) < 18):
        return None
    return _EPOCH + int(at) * _TICK, int(last)
