"""Postcodes: shapes, and where a prefix lies."""

from __future__ import annotations

import holidays
import pytest

from backoffice.erp.postcodes import SUBDIVISIONS
from backoffice.public.addresses import is_postcode


@pytest.mark.parametrize(
    ("country", "postcode", "right"),
    [
        ("DE", "96047", True),
        ("DE", "9604", False),
        ("DE", "960470", False),
        ("DE", "٩٦٠٤٧", False),  # digits, but no letter carrier reads them
        ("AT", "1070", True),
        ("AT", "0070", False),
        ("US", "98011", True),
        ("US", "98011-1234", True),
        ("US", "98011-12", False),
        ("US", "98011 1234", False),
        ("FR", "75001", True),
        ("FR", " ", False),
    ],
)
def test_shape(country: str, postcode: str, right: bool) -> None:
    assert is_postcode(country, postcode) is right


@pytest.mark.parametrize(
    ("country", "postcode", "subdivision"),
    [
        ("DE", "96047", "BY"),
        ("DE", "99084", "TH"),
        ("DE", "14050", "BE"),  # Berlin's west lies in Potsdam's region
        ("DE", "14467", "BB"),
        ("DE", "88131", "BY"),  # Lindau
        ("DE", "88212", "BW"),  # Ravensburg, the same region
        ("DE", "00815", None),
        ("DE", "62000", None),
        ("AT", "1070", "9"),
        ("AT", "6020", "7"),
        ("AT", "6900", "8"),
        ("US", "98011", "WA"),
        ("US", "10001", "NY"),
        ("US", "00100", None),
        ("US", "98700", None),
    ],
)
def test_subdivision(country: str, postcode: str, subdivision: str | None) -> None:
    prefixes = [postcode[:length] for length in range(len(postcode), 0, -1)]
    longest = next((prefix for prefix in prefixes if prefix in SUBDIVISIONS[country]), None)
    assert (SUBDIVISIONS[country][longest] if longest else None) == subdivision


def test_germany_has_every_region_but_the_unassigned_ones() -> None:
    regions = {prefix for prefix in SUBDIVISIONS["DE"] if len(prefix) == 2}
    assert {f"{n:02}" for n in range(100)} - regions == {"00", "05", "11", "43", "62"}


def test_no_prefix_of_the_united_states_is_given_to_two_states() -> None:
    from backoffice.erp.postcodes import us

    listed = [prefix for ranges in us._RANGES.values() for prefix in us._prefixes(ranges)]
    assert len(listed) == len(set(listed))
    assert len(set(SUBDIVISIONS["US"].values())) == 50 + 1 + 3  # states, DC, and PR, VI, GU


@pytest.mark.parametrize("country", ["AT", "DE", "US"])
def test_holidays_are_known_for_every_subdivision(country: str) -> None:
    known = set(holidays.country_holidays(country).subdivisions)
    assert set(SUBDIVISIONS[country].values()) <= known
