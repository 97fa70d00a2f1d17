"""What people type, read strictly."""

from __future__ import annotations

import pytest

from backoffice.public.errors import BadInput, NotFound
from storefront.inputs import content_key, is_local_path, parse_hidden_int, parse_page, parse_postcode, parse_quantity


@pytest.mark.parametrize(
    ("typed", "pieces"),
    [("1", 1), ("9999", 9999), (" 12 ", 12), ("0012", 12), ("１２", 12), ("১২", 12), ("१२", 12), ("١٢", 12)],
)
def test_digits_of_any_script_are_a_quantity(typed: str, pieces: int) -> None:
    assert parse_quantity(typed) == pieces


@pytest.mark.parametrize(
    "typed",
    [None, "", " ", "0", "00", "-1", "+1", "1.5", "1,5", "1e3", "10000", "1" * 19, "9" * 5000, "x", "²", "½", "Ⅳ", "1 2", "1\n2"],
)
def test_anything_else_is_refused(typed: str | None) -> None:
    with pytest.raises(BadInput) as refused:
        parse_quantity(typed)
    assert refused.value.code == "bad_quantity"
    assert refused.value.fields == {"quantity": "bad_quantity"}


def test_zero_takes_out_where_that_is_meant() -> None:
    assert parse_quantity("0", least=0) == 0
    with pytest.raises(BadInput):
        parse_quantity("-1", least=0)


def test_postcodes_are_trimmed_none_or_refused() -> None:
    assert parse_postcode(" SW1A 1AA ") == "SW1A 1AA"
    assert parse_postcode("") is None
    assert parse_postcode(None) is None
    for typed in ("x" * 17, "80\n331", "80\x07331"):
        with pytest.raises(BadInput):
            parse_postcode(typed)


def test_pages_count_from_one() -> None:
    assert parse_page(None) == 1
    assert parse_page("7") == 7
    for typed in ("", "0", "-1", "1.0", "x", "1234567"):
        with pytest.raises(NotFound):
            parse_page(typed)


@pytest.mark.parametrize(("typed", "number"), [("5", 5), ("0", 0), ("", -1), (None, -1), ("-5", -1), ("1" * 16, -1), ("٥", -1)])
def test_hidden_numbers_that_were_tampered_with_match_nothing(typed: str | None, number: int) -> None:
    assert parse_hidden_int(typed) == number


def test_only_our_own_addresses_are_local() -> None:
    assert is_local_path("/p/stool?sku=X")
    for address in ("", "p", "//evil", "/\\evil", "https://evil", "/a\nb"):
        assert not is_local_path(address)


def test_the_key_of_a_text_depends_on_all_of_it_and_on_its_parts() -> None:
    assert content_key("a", "b") == content_key("a", "b")
    assert len({content_key("a", "b"), content_key("ab", ""), content_key("", "ab"), content_key("b", "a")}) == 4
