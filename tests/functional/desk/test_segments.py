"""Segments at the desk: built, counted, kept, refused by name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.crm import identity, parties, segments
from backoffice.crm.models import Profile, Segment
from backoffice.crm.segment_rules import Condition
from backoffice.db import Database
from backoffice.public.errors import BadInput

PEOPLE = {  # orders, days since the last one, language
    "ann": (3, 10, "de"),
    "ben": (1, 90, "en"),
    "cid": (0, None, "de"),
}


def fill(db: Database, now: Any) -> None:
    def work(session: Any) -> None:
        for name in PEOPLE:
            parties.of_address(session, f"{name}@post.test", name=name, phone="", language="", now=now)
        identity.add_profiles(session)
        for profile, (orders, days, language) in zip(
            session.scalars(sa.select(Profile).order_by(Profile.party_id)), PEOPLE.values(), strict=True
        ):
            profile.orders, profile.language = orders, language
            profile.last_order_at = now - timedelta(days=days) if days else None

    db.run(work)


@pytest.mark.parametrize(
    ("matching", "conditions", "people"),
    [
        ("all", [("orders", "at_least", 1)], 2),
        ("all", [("orders", "at_most", 1)], 2),
        ("all", [("last_order_at", "longer_ago", 90)], 1),  # never; ninety days to the second are within
        ("all", [("last_order_at", "longer_ago", 89)], 2),
        ("all", [("last_order_at", "within", 90)], 2),
        ("all", [("language", "is", "de"), ("orders", "at_least", 1)], 1),
        ("any", [("language", "is", "de"), ("orders", "at_least", 1)], 3),
        ("all", [("language", "is_not", "de' OR 1=1 --")], 3),
        ("all", [("newsletter", "yes", None)], 0),
    ],
)
def test_counts(db: Database, now: Any, matching: str, conditions: list[tuple[str, str, Any]], people: int) -> None:
    fill(db, now)
    with db.read() as session:
        assert segments.count(session, matching, [Condition(*one) for one in conditions], now=now) == people


@pytest.mark.parametrize(
    ("matching", "condition", "field"),
    [
        ("some", Condition("orders", "at_least", 1), "matching"),
        ("all", Condition("facts", "at_least", 1), "condition-0"),
        ("all", Condition("orders", "is", 1), "condition-0"),
        ("all", Condition("orders", "at_least", -1), "condition-0"),
        ("all", Condition("orders", "at_least", "1"), "condition-0"),
        ("all", Condition("last_order_at", "within", 999_999_999), "condition-0"),
    ],
)
def test_nonsense_is_refused(matching: str, condition: Condition, field: str, now: Any) -> None:
    with pytest.raises(BadInput) as refused:
        segments.fits(matching, [condition], now=now)
    assert list(refused.value.fields) == [field]


def test_at_the_desk(site: Any, at_desk: Any, now: Any) -> None:
    db, bea = site.extensions["shopfloor"].db, at_desk("Bea")
    fill(db, now)
    asked = {"matching": "all", "what-0": "orders at_least", "value-0": "1"}
    assert "2 people fit." in bea.get("/desk/sales/segments/count?matching=all&what-0=orders+at_least&value-0=1")
    assert "fit" not in bea.get("/desk/sales/segments/count?matching=all&what-0=orders+at_least&value-0=x")
    page = bea.get("/desk/sales/segments/new?matching=all&what-0=orders+at_least&value-0=1")
    assert "2 people fit." in page
    bea.refused("/desk/sales/segments", 422, **asked | {"name": "Buyers", "what-0": "facts at_least"})
    assert "Buyers" in bea.send("/desk/sales/segments", **asked, name="Buyers")
    bea.refused("/desk/sales/segments", 409, **asked, name="Buyers")
    with db.read() as session:
        [kept] = session.scalars(sa.select(Segment))
        assert (kept.conditions, kept.version) == ([["orders", "at_least", 1]], 1)
    changed = asked | {"name": "Buyers", "segment_id": kept.id, "value-0": "2"}
    bea.refused("/desk/sales/segments", 409, **changed, version=9)
    assert "1" in bea.send("/desk/sales/segments", **changed, version=1)
    assert "1 person fits." in bea.get(f"/desk/sales/segments/{kept.id}")
