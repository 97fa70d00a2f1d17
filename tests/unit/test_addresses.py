"""Forms of countries, worked out by reading the published data one country at a time; faults, and how one is written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backoffice.public import addresses
from backoffice.public.addresses import Address, check, form_of, is_postcode, normalise_postcode, tidy, write

EVERYWHERE = frozenset("DE AT US IE IT JP IN BD VN GE LT HK GB BR CH AE".split())  # noqa: SIM905 - one line one can read

# N name, O company, A street, C city, S region, Z postcode; lines as strangers to the country's language are asked for them
FORMS = [
    ("DE", "N O A ZC", "NACZ", "city", "postal", "province", 0),
    ("AT", "O N A ZC", "NACZ", "city", "postal", "province", 0),
    ("US", "N O A CSZ", "NACSZ", "city", "zip", "state", 62),
    ("IE", "N O A C S Z", "NAC", "city", "eircode", "county", 26),
    ("IT", "N O A ZCS", "NACSZ", "city", "postal", "province", 107),
    ("JP", "N O AS Z", "NASZ", "city", "postal", "prefecture", 47),
    ("IN", "N O A CZ S", "NACSZ", "city", "pin", "state", 36),
    ("BD", "N O A CZ", "NAC", "city", "postal", "province", 0),
    ("VN", "N O A C SZ", "NAC", "city", "postal", "province", 63),
    ("GE", "N O A ZC", "NAC", "city", "postal", "province", 0),
    ("LT", "O N A ZCS", "NACZ", "city", "postal", "province", 0),
    ("HK", "N O A C S", "NAS", "district", "postal", "area", 3),
    ("GB", "N O A C Z", "NACZ", "post_town", "postal", "province", 0),
    ("BR", "O N A CS Z", "NACSZ", "city", "postal", "state", 27),
]
HOME = {
    "DE": Address("Ada", "Acme", "Weg 1", "Berlin", "", "10115", "DE"),
    "US": Address("Ada", "Acme", "1 Main St", "Dover", "DE", "19901", "US"),
    "IT": Address("Ada", "", "Via Roma 1", "Roma", "RM", "00144", "IT"),
    "IE": Address("Ada", "", "1 Quay", "Galway", "Co. Galway", "", "IE"),
    "JP": Address("Ada", "", "Chiyoda 1-1", "", "東京都", "100-0001", "JP"),
    "HK": Address("Ada", "", "1 Nathan Rd", "Mong Kok", "Kowloon", "", "HK"),
}


@pytest.mark.parametrize(("country", "lines", "required", "city", "postcode", "region", "choices"), FORMS)
def test_each_country_has_its_form(
    country: str, lines: str, required: str, city: str, postcode: str, region: str, choices: int
) -> None:
    form = form_of(country, "xx")
    letters = {part: letter for letter, part in addresses.LETTERS.items()}
    assert " ".join("".join(letters[part] for part in line) for line in form.lines) == lines
    assert form.required == {addresses.LETTERS[letter] for letter in required}
    assert (form.city_kind, form.postcode_kind, form.region_kind) == (city, postcode, region)
    assert len(form.regions) == choices


def test_whoever_speaks_the_language_gets_the_countrys_own_order_and_names() -> None:
    form = form_of("JP", "ja")
    assert form.parts == ("postcode", "region", "street", "company", "name")
    assert (form.regions[12].key, form.regions[12].name) == ("東京都", "東京都")
    assert form_of("JP", "de").regions[12].name == "Tokyo"
    assert {one.key: one.name for one in form_of("HK", "zh-Hant").regions}["Hong Kong Island"] == "香港島"
    assert {one.key: one.name for one in form_of("HK", "de").regions}["Hong Kong Island"] == "Hong Kong Island"
    assert {one.key: one.name for one in form_of("CA", "fr").regions}["BC"] == "Colombie-Britannique"


@pytest.mark.parametrize("country", sorted(HOME))
def test_what_is_right_has_no_faults(country: str) -> None:
    assert check(HOME[country], EVERYWHERE) == {}


def test_all_that_is_missing_is_named_at_once() -> None:
    assert check(Address(country="IT"), EVERYWHERE) == dict.fromkeys(["name", "street", "postcode", "city", "region"], "required")
    assert check(Address(country="IE"), EVERYWHERE) == dict.fromkeys(["name", "street", "city"], "required")
    assert check(Address(country="HK"), EVERYWHERE) == dict.fromkeys(["name", "street", "region"], "required")


@pytest.mark.parametrize(
    ("country", "change", "fault"),
    [
        ("DE", {"postcode": "1011"}, {"postcode": "bad_postcode"}),
        ("DE", {"postcode": "١٠١١٥"}, {"postcode": "bad_postcode"}),
        ("IE", {"postcode": "A65"}, {"postcode": "bad_postcode"}),
        ("IT", {"region": "Bavaria"}, {"region": "bad_choice"}),
        ("IT", {"region": " "}, {"region": "required"}),
        ("DE", {"country": "XX"}, {"country": "unknown_country"}),
        ("DE", {"country": "de"}, {"country": "unknown_country"}),
        ("DE", {"country": "../"}, {"country": "unknown_country"}),
        ("DE", {"country": ""}, {"country": "required"}),
        ("DE", {"country": "FR", "name": "x" * 201}, {"country": "unknown_country", "name": "too_long"}),
        ("DE", {"street": "x" * 201, "name": "A\x07"}, {"street": "too_long", "name": "bad_character"}),
    ],
)
def test_each_fault_has_its_code(country: str, change: dict[str, str], fault: dict[str, str]) -> None:
    assert check(replace(HOME[country], **change), EVERYWHERE) == fault


@pytest.mark.parametrize(
    ("country", "typed", "key"),
    [("IT", "roma", "RM"), ("IT", "rm", "RM"), ("US", "California", "CA"), ("JP", "tokyo", "東京都"), ("JP", "13", "東京都")],
)
def test_a_region_is_known_by_key_name_or_code(country: str, typed: str, key: str) -> None:
    assert tidy(replace(HOME[country], region=typed)).region == key


def test_parts_that_a_country_has_not_are_not_kept() -> None:
    kept = tidy(replace(HOME["HK"], postcode="999077"))
    assert kept == HOME["HK"]
    assert tidy(replace(HOME["DE"], region="Berlin")) == HOME["DE"]


def test_joiners_are_part_of_names() -> None:
    assert check(replace(HOME["DE"], name="র\u200d্যাব", city="می\u200cخواهم"), EVERYWHERE) == {}


@pytest.mark.parametrize(
    ("country", "typed", "kept"),
    [("CH", " ch-8001 ", "8001"), ("LT", "LT-04340", "04340"), ("GB", "ec1y  8sy", "EC1Y 8SY"), ("DE", " 10115", "10115")],
)
def test_postcodes_are_compared_in_one_spelling(country: str, typed: str, kept: str) -> None:
    assert normalise_postcode(country, typed) == kept
    assert is_postcode(country, kept)


@pytest.mark.parametrize(("country", "right"), [("HK", True), ("IE", True), ("DE", False), ("XX", False)])
def test_no_postcode_is_right_where_none_is_needed(country: str, right: bool) -> None:
    assert is_postcode(country, "") is right


@pytest.mark.parametrize(
    ("address", "lines"),
    [
        (HOME["DE"], ["Ada", "Acme", "Weg 1", "10115 Berlin"]),
        (HOME["US"], ["Ada", "Acme", "1 Main St", "Dover, DE 19901"]),
        (HOME["IT"], ["Ada", "Via Roma 1", "00144 Roma RM"]),
        (HOME["IE"], ["Ada", "1 Quay", "Galway", "Co. Galway"]),
        (HOME["JP"], ["Ada", "Chiyoda 1-1, Tokyo", "100-0001"]),
        (replace(HOME["JP"], name="太郎", street="千代田1-1"), ["〒100-0001", "東京都", "千代田1-1", "太郎"]),
        (Address("Ada", "Acme AG", "Weg 1", "Zürich", "", "8001", "CH"), ["Acme AG", "Ada", "Weg 1", "CH-8001 Zürich"]),
        (Address("Ada", "", "Road 1", "Dhaka", "", "", "BD"), ["Ada", "Road 1", "Dhaka"]),
        (Address("Ada", "", "Road 1", "Dhaka", "", "1000", "BD"), ["Ada", "Road 1", "Dhaka - 1000"]),
        (Address("Ada", "", "Road 1", "Nowhere", "", "", "XX"), ["Ada", "Road 1", "Nowhere"]),
    ],
)
def test_an_address_is_written_as_its_country_does(address: Address, lines: list[str]) -> None:
    assert write(address) == lines


def test_the_post_wants_capitals() -> None:
    assert write(HOME["IT"], capitals=True) == ["Ada", "Via Roma 1", "00144 ROMA RM"]
    assert addresses.country_name("IT") == "ITALY"
