"""A customer's timeline part by part, as fast with a million entries as with ten: each part begins where the last one ended.

What else happened between a customer and us, and is kept elsewhere, joins here: sorted in by instant before the part is cut. So
far that is their visits, of those who let us note them, one entry for each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from backoffice.crm.models import Activity, IdentityLink, Party, Profile, Visit, VisitEvent

ENTRIES = 50
LOOKS = 6  # of a visit that are named
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Visited:
    """A visit as an entry of the timeline. values: looks (kind, about), more that are not named, rule of whose it was."""

    id: int
    party_id: int
    at: datetime
    values: Mapping[str, Any]
    kind: str = field(default="visited", init=False)
    text: str = field(default="", init=False)
    actor: str = field(default="", init=False)
    order_ref: None = field(default=None, init=False)
    lead_id: None = field(default=None, init=False)


Entry = Activity | Visited


@dataclass(frozen=True, slots=True)
class Part:
    """Entries, the newest first. older: where the next part begins; empty: there is none."""

    entries: Sequence[Entry]
    older: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a part begins: below an entry. Of one instant visits come below whatever else there is."""

    at: datetime
    is_visit: bool
    last: int


def find_part(session: Session, party_ids: Sequence[int], before: str = "", *, size: int = ENTRIES) -> Part:
    """Return what happened with these people before a place on their timeline; what is no place is the beginning.

    Of each person no more is read than fits, by the index of their entries; of more people than fit only those with the newest
    entry each, which no others can push out: four statements at most, whatever there is.
    """
    where = _place(before)
    if not party_ids:
        return Part([], "")
    entries: list[Entry] = [*_entries(session, party_ids, where, size + 1), *_visits(session, party_ids, where, size + 1)]
    entries.sort(key=_order, reverse=True)
    last = entries[size - 1] if len(entries) > size else None
    return Part(entries[:size], _name(last) if last is not None else "")


def _entries(session: Session, party_ids: Sequence[int], where: Place | None, size: int) -> Sequence[Activity]:
    if len(party_ids) > size:
        party_ids = _with_the_newest(session, party_ids, where, size)
    if not party_ids:
        return []
    each = [_newest(party_id, where, size) for party_id in party_ids]
    ids = sa.union_all(*each).subquery()
    found = sa.select(Activity).join(ids, ids.c.id == Activity.id).order_by(Activity.at.desc(), Activity.id.desc())
    return session.scalars(found.limit(size)).all()


def _order(entry: Entry) -> tuple[datetime, bool, int]:
    return entry.at, not isinstance(entry, Visited), entry.id


def _name(entry: Entry) -> str:
    return f"{(entry.at - _EPOCH) // _TICK}-{'v' if isinstance(entry, Visited) else ''}{entry.id}"


def _newest(party_id: int, before: Place | None, size: int) -> sa.Select[int]:
    theirs = _before(sa.select(Activity.id, Activity.at).where(Activity.party_id == party_id), before)
    newest = theirs.order_by(Activity.at.desc(), Activity.id.desc()).limit(size).subquery()
    return sa.select(newest.c.id)


def _with_the_newest(session: Session, party_ids: Sequence[int], where: Place | None, size: int) -> Sequence[int]:
    """Return those people whose newest entries before a place are the newest of all, `size` at most."""
    theirs = _before(sa.select(Activity.id).where(Activity.party_id == Party.id), where)
    newest = theirs.order_by(Activity.at.desc(), Activity.id.desc()).limit(1).correlate(Party).scalar_subquery()
    ids = sa.select(newest).where(Party.id.in_(party_ids))
    found = sa.select(Activity.party_id).where(Activity.id.in_(ids)).order_by(Activity.at.desc(), Activity.id.desc())
    return session.scalars(found.limit(size)).all()


def _before(entries: Any, place: Place | None) -> Any:
    if place is None:
        return entries
    same = sa.false() if place.is_visit else Activity.id < place.last
    return entries.where(Activity.at <= place.at, sa.or_(Activity.at < place.at, same))


def _visits(session: Session, party_ids: Sequence[int], before: Place | None, size: int) -> Sequence[Visited]:
    """Return the visits of these people, also those of other records that are the same person."""
    here = aliased(Profile)
    same = sa.select(Profile.party_id).join(here, here.person_id == Profile.person_id).where(here.party_id.in_(party_ids))
    standing = sa.and_(IdentityLink.visit_id == Visit.id, IdentityLink.undone_at.is_(None))
    found = sa.select(Visit.id, Visit.party_id, Visit.began_at, IdentityLink.rule).join(IdentityLink, standing)
    found = found.where(sa.or_(Visit.party_id.in_(party_ids), Visit.party_id.in_(same)))
    if before is not None:
        same_instant = Visit.id < before.last if before.is_visit else sa.true()
        found = found.where(Visit.began_at <= before.at, sa.or_(Visit.began_at < before.at, same_instant))
    rows = session.execute(found.order_by(Visit.began_at.desc(), Visit.id.desc()).limit(size)).all()
    looks = _looks(session, [row.id for row in rows]) if rows else {}
    return [
        Visited(row.id, row.party_id or 0, row.began_at, {**looks.get(row.id, {"looks": [], "more": 0}), "rule": row.rule})
        for row in rows
    ]


def _looks(session: Session, visits: Sequence[int]) -> Mapping[int, Mapping[str, Any]]:
    """Return of each visit its first looks, and how many more there were."""
    place = sa.func.row_number().over(partition_by=VisitEvent.visit_id, order_by=VisitEvent.id).label("place")
    many = sa.func.count().over(partition_by=VisitEvent.visit_id).label("many")
    each = sa.select(VisitEvent.visit_id, VisitEvent.kind, VisitEvent.about, place, many).where(VisitEvent.visit_id.in_(visits))
    first = each.subquery()
    found: dict[int, dict[str, Any]] = {}
    for row in session.execute(sa.select(first).where(first.c.place <= LOOKS).order_by(first.c.visit_id, first.c.place)):
        told = found.setdefault(row.visit_id, {"looks": [], "more": max(0, row.many - LOOKS)})
        told["looks"].append((row.kind, row.about))
    return found


def _place(typed: str) -> Place | None:
    at, _, last = typed.partition("-")
    is_visit, last = last.startswith("v"), last.removeprefix("v")
    if not (at.isdecimal() and last.isdecimal() and len(at) < 17 and len(last) < 18):
        return None
    return Place(_EPOCH + int(at) * _TICK, is_visit, int(last))
