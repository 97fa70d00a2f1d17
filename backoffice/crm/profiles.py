"""Profiles: what is known of each person as one row of facts, read anew from where it stands whenever something happened.

Nothing is counted up: a fact is always what the orders, visits and consents say at that moment, so doing it twice is harmless
and an undone link leaves no trace. Purchases wait for none of it: the worker follows the timeline.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import identity
from backoffice.crm.models import Activity, Checkout, Consent, Order, OrderLine, Party, Profile, ProfileMark, Visit, VisitEvent
from backoffice.db import Database, table_of, write_row

AT_ONCE = 500
MARK = "facts"
LOOK_BACK = 1_000  # entries: a transaction that began earlier may have committed later
OVERLAP = timedelta(minutes=10)


def follow(db: Database, *, now: datetime) -> int:
    """Bring profiles up to date with what happened since the last time; return how many people that were."""
    with db.read() as session:
        mark = session.get(ProfileMark, MARK)
        after, since = (mark.activity_id - LOOK_BACK, mark.at - OVERLAP) if mark else (0, None)
        last = session.scalar(sa.select(sa.func.max(Activity.id))) or 0
        told = sa.select(Activity.party_id).where(Activity.id > after)
        seen = sa.select(Visit.party_id).where(Visit.party_id.is_not(None))
        if since is not None:
            seen = seen.where(Visit.ended_at >= since)
        touched = sorted(set(session.scalars(told)) | {one for one in session.scalars(seen) if one is not None})
    db.run(lambda session: identity.add_profiles(session))
    people = _in_parts(db, touched)
    db.run(lambda session: _mark(session, last, now))
    return people


def refresh_all(db: Database) -> int:
    """Bring every profile up to date, also with what no entry of the timeline tells of."""
    db.run(lambda session: identity.add_profiles(session))
    with db.read() as session:
        everybody = session.scalars(sa.select(Profile.party_id).order_by(Profile.party_id)).all()
    return _in_parts(db, everybody)


def refresh(session: Session, parties: Iterable[int]) -> int:
    """Read the facts of these parties' persons anew; return how many people that are."""
    of = sa.select(Profile.person_id).where(Profile.party_id.in_(sorted(set(parties))))
    locked = sa.select(Profile.party_id, Profile.person_id).where(Profile.person_id.in_(of))
    rows = session.execute(locked.order_by(Profile.party_id).with_for_update()).all()
    if not rows:
        return 0
    members = [party_id for party_id, _ in rows]
    facts: dict[int, dict[str, Any]] = {party_id: dict(_NOTHING) for party_id in members}
    for query in (_orders(members), _broken(members), _visits(members), _looks(members), _newsletter(members), _country(members)):
        for row in session.execute(query).mappings():
            facts[row["person_id"]] |= {name: value for name, value in row.items() if name != "person_id"}
    plain = session.execute(sa.select(Party.id, Party.language, Party.customer_class).where(Party.id.in_(members)))
    for party_id, language, customer_class in plain:
        facts[party_id] |= {"language": language, "customer_class": customer_class}
    table = table_of(Profile)
    new = {name: sa.bindparam(f"new_{name}", type_=table.c[name].type) for name in (*_NOTHING, "language", "customer_class")}
    session.execute(
        sa.update(table).where(table.c.party_id == sa.bindparam("changed")).values(new),
        [{"changed": key, **{f"new_{name}": value for name, value in one.items()}} for key, one in facts.items()],
    )
    return len({person for _, person in rows})


def find_profile(session: Session, party_id: int) -> Profile | None:
    """Return what is known of the person that a party is; None: nothing yet."""
    person = sa.select(Profile.person_id).where(Profile.party_id == party_id).scalar_subquery()
    return session.scalar(sa.select(Profile).where(Profile.party_id == person))


_NOTHING: dict[str, Any] = {
    "country": "",
    "newsletter": False,
    "visits": 0,
    "searches": 0,
    "carts": 0,
    "last_seen_at": None,
    "orders": 0,
    "spent_minor": 0,
    "first_order_at": None,
    "last_order_at": None,
    "broken_promises": 0,
}


def _in_parts(db: Database, parties: Sequence[int]) -> int:
    people = 0
    for at in range(0, len(parties), AT_ONCE):
        these = parties[at : at + AT_ONCE]
        people += db.run(lambda session, these=these: refresh(session, these))  # type: ignore[misc] # mypy knows no default here
    return people


def _mark(session: Session, activity_id: int, now: datetime) -> None:
    mark = session.get(ProfileMark, MARK, with_for_update=True)
    if mark is None:
        write_row(session, ProfileMark(name=MARK, activity_id=activity_id, at=now))
    else:
        mark.activity_id, mark.at = activity_id, now


def _orders(members: Sequence[int]) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            Profile.person_id,
            sa.func.count().label("orders"),
            sa.func.coalesce(sa.func.sum(Order.total_minor), 0).label("spent_minor"),
            sa.func.min(Order.placed_at).label("first_order_at"),
            sa.func.max(Order.placed_at).label("last_order_at"),
        )
        .join(Order, Order.party_id == Profile.party_id)
        .where(Profile.party_id.in_(members), Order.state != "cancelled")
        .group_by(Profile.person_id)
    )


def _broken(members: Sequence[int]) -> sa.Select[*tuple[Any, ...]]:
    late = sa.func.coalesce(OrderLine.actual_on, OrderLine.expected_on) > OrderLine.promised_on
    return (
        sa.select(Profile.person_id, sa.func.count().label("broken_promises"))
        .join(Order, Order.party_id == Profile.party_id)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(Profile.party_id.in_(members), Order.state != "cancelled", late)
        .group_by(Profile.person_id)
    )


def _visits(members: Sequence[int]) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(Profile.person_id, sa.func.count().label("visits"), sa.func.max(Visit.ended_at).label("last_seen_at"))
        .join(Visit, Visit.party_id == Profile.party_id)
        .where(Profile.party_id.in_(members))
        .group_by(Profile.person_id)
    )


def _looks(members: Sequence[int]) -> sa.Select[*tuple[Any, ...]]:
    def of_kind(kind: str) -> sa.ColumnElement[int]:
        return sa.func.sum(sa.case((VisitEvent.kind == kind, 1), else_=0))

    return (
        sa.select(Profile.person_id, of_kind("search").label("searches"), of_kind("cart").label("carts"))
        .join(Visit, Visit.party_id == Profile.party_id)
        .join(VisitEvent, VisitEvent.visit_id == Visit.id)
        .where(Profile.party_id.in_(members))
        .group_by(Profile.person_id)
    )


def _newsletter(members: Sequence[int]) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(Profile.person_id, sa.literal(True).label("newsletter"))
        .join(Consent, Consent.party_id == Profile.party_id)
        .where(Profile.party_id.in_(members), Consent.purpose == "newsletter", Consent.withdrawn_at.is_(None))
        .distinct()
    )


def _country(members: Sequence[int]) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(Profile.person_id, sa.func.max(Checkout.country).label("country"))
        .join(Order, Order.party_id == Profile.party_id)
        .join(Checkout, Checkout.id == Order.checkout_id)
        .where(Profile.party_id.in_(members))
        .group_by(Profile.person_id)
    )
