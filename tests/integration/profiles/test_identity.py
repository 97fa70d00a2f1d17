"""People are told apart and together as the goals say, and undoing a link restores exactly what was."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.crm import identity, parties, profiles
from backoffice.crm.models import IdentityLink, Profile
from backoffice.db import Database
from backoffice.public.errors import NotFound
from tests.bench import identity as bench


def test_a_crowd_is_told_apart(sqlite_db: Database) -> None:
    figures = bench.run(sqlite_db, seed=1, people=200, looks=1_000)
    assert figures["precision"] >= 0.99
    assert figures["recall"] >= 0.95
    assert figures["restored"]
    assert figures["undone"] == figures["links"] > 50


def person_of(db: Database) -> dict[int, int]:
    with db.read() as session:
        return dict(session.execute(sa.select(Profile.party_id, Profile.person_id)).all())


def test_links_are_undone_in_any_order_and_not_made_again(db: Database, now: datetime) -> None:
    def meet(session: Any, number: int) -> int:
        party = parties.of_address(
            session, f"k{number}@post.test", name="Katharina Brandt", phone="030 1234567", language="de", now=now
        )
        return party.id

    one, two, three = (db.run(lambda session, n=n: meet(session, n)) for n in (1, 2, 3))
    assert identity.resolve(db, now=now) == 3
    assert person_of(db) == {one: one, two: one, three: one}
    with db.read() as session:
        links = {(link.party_id, link.other_id): link.id for link in session.scalars(sa.select(IdentityLink))}
    db.run(lambda session: identity.undo(session, links[(one, two)], by="bea", now=now))
    assert person_of(db) == {one: one, two: one, three: one}  # three still leads from one to the other
    db.run(lambda session: identity.undo(session, links[(one, three)], by="bea", now=now))
    assert person_of(db) == {one: one, two: two, three: two}
    assert db.run(lambda session: identity.undo(session, links[(one, three)], by="bea", now=now)) is False
    assert identity.resolve(db, now=now) == 0
    assert person_of(db) == {one: one, two: two, three: two}
    db.run(lambda session: identity.part(session, [two]))
    assert person_of(db) == {one: one, two: two, three: three}
    assert db.run(lambda session: profiles.refresh(session, [one, two])) == 2
    with pytest.raises(NotFound):
        db.run(lambda session: identity.undo(session, 999, by="bea", now=now))
