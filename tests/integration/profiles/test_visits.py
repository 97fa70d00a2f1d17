"""Visits: only of those who allowed it, one person at a time, for a bounded time, and gone when it is taken back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from backoffice.crm import identity, parties, profiles, visits
from backoffice.crm.models import IdentityLink, Order, Visit, VisitEvent, Visitor
from backoffice.db import Database
from backoffice.public.visits import Look
from tests.company import open_company
from tests.integration.chain.conftest import Workshop


def allow(db: Database, now: datetime) -> str:
    return db.run(lambda session: visits.allow(session, wording="Yes", language="en", now=now))


def note(db: Database, *looks: Look) -> int:
    return db.run(lambda session: visits.record(session, looks))


def party(db: Database, email: str, now: datetime) -> int:
    return db.run(lambda session: parties.of_address(session, email, name="A B", phone="", language="en", now=now).id)


def whose(db: Database) -> list[tuple[int | None, int]]:
    """Return of each visit whose it is and how many looks it has."""
    with db.read() as session:
        query = sa.select(Visit.party_id, sa.func.count(VisitEvent.id)).join(VisitEvent, isouter=True).group_by(Visit.id)
        return [(one, count) for one, count in session.execute(query.order_by(Visit.id))]


def test_nothing_is_noted_that_nobody_allowed(db: Database, now: datetime) -> None:
    assert note(db, Look("made up", "page", "/", now)) == 0
    assert whose(db) == []


def test_a_visit_ends_with_half_an_hour_or_with_somebody_else(db: Database, now: datetime) -> None:
    token, ann, ben = allow(db, now), party(db, "ann@post.test", now), party(db, "ben@post.test", now)
    minutes = [(0, ""), (29, " Ann@post.test"), (40, "nobody@post.test"), (41, "ben@post.test"), (42, ""), (72, "")]
    looks = [Look(token, "page", f"/{at}", now + timedelta(minutes=at), email=email) for at, email in minutes]
    assert note(db, *reversed(looks)) == 6
    assert whose(db) == [(ann, 3), (ben, 2), (None, 1)]
    assert note(db, Look(token, "search", "oak", now + timedelta(minutes=101)), Look(token, "said", "", now)) == 1
    assert whose(db) == [(ann, 3), (ben, 2), (None, 2)]
    with db.read() as session:
        assert [(one.about, one.rule) for one in visits.find_visits(session, ann)] == [
            ("/40", "form"),
            ("/29", "form"),
            ("/0", "form"),
        ]


def test_taken_back_is_gone(db: Database, now: datetime) -> None:
    token, other, ann = allow(db, now), allow(db, now), party(db, "ann@post.test", now)
    note(db, Look(token, "page", "/a", now, email="ann@post.test"), Look(other, "page", "/b", now))
    profiles.refresh_all(db)
    assert db.run(lambda session: visits.take_back(session, token)) is True
    assert db.run(lambda session: visits.take_back(session, token)) is False
    assert note(db, Look(token, "page", "/a", now)) == 0  # it waited in memory meanwhile
    assert whose(db) == [(None, 1)]
    with db.read() as session:
        assert session.scalars(sa.select(IdentityLink)).all() == []
        assert session.scalar(sa.select(sa.func.count()).select_from(Visitor)) == 1
        known = profiles.find_profile(session, ann)
        assert known is not None
        assert (known.visits, known.last_seen_at) == (0, None)


def test_old_visits_go(db: Database, now: datetime) -> None:
    token = allow(db, now)
    note(db, Look(token, "page", "/old", now), Look(token, "page", "/new", now + timedelta(hours=1)))
    assert db.run(lambda session: visits.forget_old(session, before=now + timedelta(minutes=1))) == 1
    assert whose(db) == [(None, 1)]


def test_an_order_says_whose_the_visit_was(services: Any, now: datetime) -> None:
    services.db.run(lambda session: open_company(session, now=now))
    shop, token = Workshop(services, now), allow(services.db, now)
    cart = shop.cart(STOOL=2)
    note(shop.db, Look(token, "page", "/product/stool", now), Look(token, "cart", "/cart", now, cart=cart.token))
    assert shop.db.run(lambda session: visits.link_orders(session, now=now)) == 0
    start = shop.start(cart)
    shop.pay(start)
    number = shop.order(start).number
    assert shop.db.run(lambda session: visits.link_orders(session, now=now)) == 1
    assert shop.db.run(lambda session: visits.link_orders(session, now=now)) == 0
    profiles.follow(shop.db, now=now)
    with shop.db.read() as session:
        order = session.scalars(sa.select(Order)).one()
        [link] = identity.find_links(session, order.party_id)
        assert (link.rule, link.evidence, link.visit_id is not None) == ("order", {"order": number}, True)
        assert [one.kind for one in visits.find_visits(session, order.party_id)] == ["order", "cart", "page"]
        known = profiles.find_profile(session, order.party_id)
        assert known is not None
        facts = (known.visits, known.carts, known.orders, known.spent_minor, known.last_order_at, known.country)
        assert facts == (1, 1, 1, order.total_minor, now, "DE")
    shop.db.run(lambda session: identity.undo(session, link.id, by="bea", now=now))
    assert shop.db.run(lambda session: visits.link_orders(session, now=now)) == 0  # undone is undone
    assert whose(shop.db) == [(None, 3)]
