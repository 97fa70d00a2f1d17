"""Who is one person: names that agree, and something else that few share."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from backoffice.crm.resolving import Belongs, Contact, Same, Sitting, near, place_of, same_people, whose


def contact(party_id: int, name: str = "Katharina Brandt", **known: object) -> Contact:
    values = {"email": f"p{party_id}@post.test", "phone": "", "places": frozenset(), "browsers": frozenset()}
    return Contact(party_id, name=name, **(values | known))  # type: ignore[arg-type] # as each test names them


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("brandt", "brandt", False),
        ("brandt", "brant", True),
        ("brandt", "bradnt", True),
        ("brandt", "brandr", True),
        ("brandt", "brnadr", False),
        ("brandt", "xbrand", False),
        ("", "a", True),
    ],
)
def test_one_slip(one: str, other: str, expected: bool) -> None:
    assert (near(one, other), near(other, one)) == (expected, expected)


def test_places_are_compared_as_they_are_written_on_letters() -> None:
    assert place_of("10 115", "Gartenstraße 7") == place_of("10115", "gartenstr. 7") == "10115|gartenstr7"
    assert place_of("", "Gartenstraße 7") == ""


SHARED_PHONE = {"phone": "+49 30 1234567"}


@pytest.mark.parametrize(
    ("one", "other", "rule"),
    [
        (contact(1, **SHARED_PHONE), contact(2, phone="0049 (30) 123 45 67"), "phone"),
        (contact(1, **SHARED_PHONE), contact(2, "Brandt, Katharima", **SHARED_PHONE), "phone"),
        (contact(1, "Maria Brandt", **SHARED_PHONE), contact(2, "Marie Brandt", **SHARED_PHONE), None),  # a household
        (contact(1, places=frozenset({"a"})), contact(2, places=frozenset({"a", "b"})), "place"),
        (contact(1, browsers=frozenset({9})), contact(2, browsers=frozenset({9})), "browser"),
        (contact(1, browsers=frozenset({9})), contact(2, "Katharina Brant", browsers=frozenset({9})), None),
        (contact(1, email="k.brandt@post.test"), contact(2, email="k.brnadt@post.test"), "email"),
        (contact(1, email="k.brandt1@post.test"), contact(2, email="k.brandt2@post.test"), None),  # namesakes
        (contact(1), contact(2), None),  # a name alone
        (contact(1, "Brandt", **SHARED_PHONE), contact(2, "Brandt", **SHARED_PHONE), None),
    ],
)
def test_two_parties(one: Contact, other: Contact, rule: str | None) -> None:
    assert same_people([other, one]) == ([Same(1, 2, rule)] if rule else [])


def test_visits_of_nobody(now: datetime) -> None:
    def at(hours: float, person: int | None, visit_id: int, browser: int = 1) -> Sitting:
        return Sitting(visit_id, browser, now + timedelta(hours=hours), person)

    alone = [at(0, None, 1), at(500, 7, 2)]
    shared = [at(0, 7, 3, 2), at(11, None, 4, 2), at(13, None, 5, 2), at(25, 8, 6, 2), at(100, None, 7, 2)]
    nobody = [at(0, None, 8, 3)]
    assert whose([*shared, *nobody, *alone]) == [Belongs(1, 7, "only_one"), Belongs(4, 7, "same_day"), Belongs(5, 8, "same_day")]
