"""Whose visits were whose, and which parties are one person: links with their evidence, each of which can be undone.

Nothing of a party, an order or a visit is rewritten by a link between two parties: the person is read from the links that
stand, so undoing one restores exactly what was (decisions/0041). Rules are in `resolving`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from backoffice.crm import resolving
from backoffice.crm.models import Checkout, IdentityLink, Order, Party, PerhapsSame, Profile, Visit, VisitEvent
from backoffice.crm.resolving import Belongs, Contact, Same, Sitting
from backoffice.db import Database, table_of, write_row, write_rows
from backoffice.public.errors import NotFound, Refused

AT_ONCE = 200


def resolve(db: Database, *, now: datetime) -> int:
    """Link what the rules say; return how many links are new. Reads and thinks outside any transaction that writes."""
    db.run(lambda session: add_profiles(session))
    with db.read() as session:
        found = resolving.same_people(_contacts(session))
        undone = _undone(session)
        known = set(session.execute(sa.select(IdentityLink.party_id, IdentityLink.other_id)))
    new = [same for same in found if (same.one, same.other) not in known]
    made = _in_parts(db, new, lambda session, part: _link_people(session, part, now=now))
    with db.read() as session:
        people = dict(session.execute(sa.select(Profile.party_id, Profile.person_id)).all())
        belongs = resolving.whose(_sittings(session, people))
    theirs = [one for one in belongs if (one.visit_id, one.party_id) not in undone]
    return made + _in_parts(db, theirs, lambda session, part: _link_visits(session, part, now=now))


def add_profiles(session: Session) -> None:
    """Give every person a profile who has none yet; somebody else may be doing the same at this moment."""
    missing = sa.select(Party.id, Party.id, Party.created_at, Party.language, Party.customer_class).where(
        Party.kind == "person", ~sa.exists().where(Profile.party_id == Party.id)
    )
    names = ["party_id", "person_id", "known_since", "language", "customer_class"]
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    session.execute(insert(table_of(Profile)).from_select(names, missing).on_conflict_do_nothing())


def link_visit(session: Session, visit: Visit, party_id: int, rule: str, evidence: Mapping[str, Any], *, now: datetime) -> bool:
    """Note that a visit of nobody's was somebody's. False: a person has undone that, so it stays nobody's."""
    undone = sa.select(IdentityLink.id).where(IdentityLink.visit_id == visit.id, IdentityLink.undone_at.is_not(None))
    if session.scalar(undone.limit(1)) is not None:
        return False
    write_row(
        session, IdentityLink(visit_id=visit.id, party_id=party_id, rule=rule, evidence=dict(evidence), made_at=now, undone_by="")
    )
    visit.party_id = party_id
    session.flush()
    return True


def undo(session: Session, link_id: int, *, by: str, now: datetime) -> bool:
    """Undo a link for good; False: it was undone before. Raises NotFound(unknown_record), Refused(invalid_form) without `by`."""
    link = session.get(IdentityLink, link_id, with_for_update=True, populate_existing=True)
    if link is None:
        raise NotFound("unknown_record")
    if not by:
        raise Refused("invalid_form")
    if link.undone_at is not None:
        return False
    link.undone_at, link.undone_by = now, by
    session.flush()
    if link.visit_id is not None:
        session.execute(sa.update(Visit).where(Visit.id == link.visit_id).values(party_id=None))
    elif link.other_id is not None:
        _regroup(session, [link.party_id, link.other_id])
    return True


def part(session: Session, parties: Sequence[int]) -> None:
    """Take parties out of whatever person they are part of: they are to be forgotten."""
    theirs = sa.or_(IdentityLink.party_id.in_(parties), IdentityLink.other_id.in_(parties))
    with_them = session.execute(
        sa.delete(IdentityLink)
        .where(theirs, IdentityLink.other_id.is_not(None))
        .returning(IdentityLink.party_id, IdentityLink.other_id)
    ).all()
    _regroup(session, sorted({one for pair in with_them for one in pair} | {*parties}))


def find_links(session: Session, party_id: int) -> Sequence[IdentityLink]:
    """Return the links of the person that a party is, newest first; those undone too."""
    theirs = parties_of(party_id)
    found = sa.select(IdentityLink).where(sa.or_(IdentityLink.party_id.in_(theirs), IdentityLink.other_id.in_(theirs)))
    return session.scalars(found.order_by(IdentityLink.made_at.desc(), IdentityLink.id.desc())).all()


def find_same(session: Session, party_id: int) -> Sequence[int]:
    """Return every party that is known to be the same person, itself among them: by standing links and by a colleague's word."""
    found, ask = set[int](), {party_id}
    while ask:
        found |= ask
        people = sa.select(Profile.person_id).where(Profile.party_id.in_(ask))
        linked = session.scalars(sa.select(Profile.party_id).where(Profile.person_id.in_(people))).all()
        ends = sa.or_(PerhapsSame.low_id.in_(ask), PerhapsSame.high_id.in_(ask))
        told = session.execute(
            sa.select(PerhapsSame.low_id, PerhapsSame.high_id).where(PerhapsSame.verdict == "same", ends)
        ).all()
        ask = {*linked, *(one for pair in told for one in pair)} - found
    return sorted(found)


def find_ends(session: Session, party_id: int, link_id: int) -> Sequence[int]:
    """Return the parties that a link of this person ties together; empty: it is no link of theirs."""
    link = session.get(IdentityLink, link_id)
    ends = [one for one in (link.party_id, link.other_id) if one is not None] if link is not None else []
    theirs = {party_id, *session.scalars(parties_of(party_id))}
    return sorted({*ends, party_id}) if theirs & {*ends} else []


def events_of(party_id: int) -> sa.Select[VisitEvent, str]:
    """Return the query of what a person looked at, newest first, with the rule by which each visit is theirs."""
    standing = sa.and_(IdentityLink.visit_id == Visit.id, IdentityLink.undone_at.is_(None))
    return (
        sa.select(VisitEvent, IdentityLink.rule)
        .join(Visit, Visit.id == VisitEvent.visit_id)
        .join(IdentityLink, standing)
        .where(sa.or_(Visit.party_id == party_id, Visit.party_id.in_(parties_of(party_id))))
        .order_by(VisitEvent.at.desc(), VisitEvent.id.desc())
    )


def drop_visits(session: Session, visits: Sequence[int]) -> None:
    """Delete the links of visits that are about to be deleted."""
    session.execute(sa.delete(IdentityLink).where(IdentityLink.visit_id.in_(visits)))


def parties_of(party_id: int) -> sa.Select[int]:
    """Return the query of the parties that standing links make one person with a party, itself among them."""
    person = sa.select(Profile.person_id).where(Profile.party_id == party_id).scalar_subquery()
    return sa.select(Profile.party_id).where(Profile.person_id == person)


def _in_parts(db: Database, found: Sequence[Any], link: Callable[..., int]) -> int:
    made = 0
    for at in range(0, len(found), AT_ONCE):
        these = found[at : at + AT_ONCE]
        made += db.run(partial(link, part=these))
    return made


def _link_people(session: Session, found: Sequence[Same], *, now: datetime) -> int:
    ends = {end for same in found for end in (same.one, same.other)}
    there = set(session.scalars(sa.select(Profile.party_id).where(Profile.party_id.in_(ends)).with_for_update()))
    pairs = sa.select(IdentityLink.party_id, IdentityLink.other_id).where(IdentityLink.party_id.in_(ends))
    known = set(session.execute(pairs))
    new = [same for same in found if {same.one, same.other} <= there and (same.one, same.other) not in known]
    write_rows(
        session,
        [
            IdentityLink(party_id=one.one, other_id=one.other, rule=one.rule, evidence={}, made_at=now, undone_by="")
            for one in new
        ],
    )
    _regroup(session, {end for same in new for end in (same.one, same.other)})
    return len(new)


def _link_visits(session: Session, found: Sequence[Belongs], *, now: datetime) -> int:
    rules = {one.visit_id: one for one in found}
    free = sa.select(Visit).where(Visit.id.in_(rules), Visit.party_id.is_(None)).order_by(Visit.id).with_for_update()
    made = 0
    for visit in session.scalars(free).all():
        one = rules[visit.id]
        made += link_visit(session, visit, one.party_id, one.rule, {}, now=now)
    return made


def _regroup(session: Session, touched: Iterable[int]) -> None:
    """Read from the links that stand who is one person with these, and write it into their profiles."""
    members = _linked(session, touched)
    old = sa.select(Profile.person_id).where(Profile.party_id.in_(members))
    locked = sa.select(Profile.party_id).where(Profile.person_id.in_(old)).order_by(Profile.party_id).with_for_update()
    members = _linked(session, [*members, *session.scalars(locked)])
    first: dict[int, int] = {}
    for group in _groups(members):
        first |= dict.fromkeys(group, min(group))
    for party_id, person_id in sorted(first.items()):
        session.execute(
            sa.update(Profile)
            .where(Profile.party_id == party_id, Profile.person_id != person_id)
            .values(person_id=person_id)
            .execution_options(synchronize_session=False)
        )


def _linked(session: Session, some: Iterable[int]) -> Mapping[int, set[int]]:
    """Return some parties and all that standing links lead to from them, with whom each is linked."""
    linked: dict[int, set[int]] = {}
    ask = set(some)
    while ask:
        linked |= {one: set() for one in ask}
        ends = sa.or_(IdentityLink.party_id.in_(ask), IdentityLink.other_id.in_(ask))
        pairs = session.execute(
            sa.select(IdentityLink.party_id, _other()).where(
                IdentityLink.undone_at.is_(None), IdentityLink.other_id.is_not(None), ends
            )
        ).all()
        ask = {end for pair in pairs for end in pair} - linked.keys()
        for one, other in pairs:
            linked.setdefault(one, set()).add(other)
            linked.setdefault(other, set()).add(one)
    return linked


def _other() -> sa.ColumnElement[int]:
    """Return the other party of links between two, which always have one."""
    return sa.type_coerce(IdentityLink.other_id, sa.BigInteger)


def _groups(linked: Mapping[int, set[int]]) -> Iterable[set[int]]:
    left = set(linked)
    while left:
        group, edge = set(), {left.pop()}
        while edge:
            group |= edge
            edge = {other for one in edge for other in linked[one]} - group
        left -= group
        yield group


def _undone(session: Session) -> set[tuple[int | None, int]]:
    gone = sa.select(IdentityLink.visit_id, IdentityLink.party_id).where(IdentityLink.undone_at.is_not(None))
    return set(session.execute(gone))


def _contacts(session: Session) -> Sequence[Contact]:
    """Return every person as they are written down, with their postal addresses and the browsers where they said who they are."""
    places: dict[int, set[str]] = defaultdict(set)
    addresses = sa.select(Order.party_id, Checkout.postcode, Checkout.street).join(Checkout, Checkout.id == Order.checkout_id)
    for party_id, postcode, street in session.execute(addresses):
        places[party_id].add(resolving.place_of(postcode, street))
    browsers: dict[int, set[int]] = defaultdict(set)
    for party_id, visitor_id in session.execute(_said()):
        browsers[party_id].add(visitor_id)
    people = sa.select(Party.id, Party.email, Party.name, Party.phone).where(Party.kind == "person").order_by(Party.id)
    return [
        Contact(party_id, email or "", name, phone, frozenset(places[party_id] - {""}), frozenset(browsers[party_id]))
        for party_id, email, name, phone in session.execute(people)
    ]


def _said() -> sa.Select[int, int]:
    """Return the query of who said at which browser who they are; guesses of ours do not count."""
    said = sa.and_(IdentityLink.visit_id == Visit.id, IdentityLink.undone_at.is_(None))
    return (
        sa.select(IdentityLink.party_id, Visit.visitor_id)
        .join(Visit, said)
        .where(IdentityLink.rule.in_(("login", "form", "order", "letter")))
        .distinct()
    )


def _sittings(session: Session, people: Mapping[int, int]) -> Iterable[Sitting]:
    """Yield the visits at browsers that somebody is known at and that have visits of nobody's."""
    open_ones = sa.select(Visit.visitor_id).where(Visit.party_id.is_(None))
    rows = session.execute(
        sa.select(Visit.id, Visit.visitor_id, Visit.began_at, Visit.party_id).where(Visit.visitor_id.in_(open_ones))
    )
    for visit_id, visitor_id, began_at, party_id in rows:
        yield Sitting(visit_id, visitor_id, began_at, None if party_id is None else people.get(party_id, party_id))
