"""Days, times, money: by locale, worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from babel import Locale

from backoffice.public.money import Money
from storefront.formats import Formats, Leaf, direction_of, zone_of


def formats(locale: str = "en") -> Formats:
    """Return formats of a reader on 24 November 2026 in Berlin."""
    return Formats(Locale.parse(locale), ZoneInfo("Europe/Berlin"), date(2026, 11, 24))


@pytest.mark.parametrize(
    ("locale", "text"), [("en", "Tue 8 Dec"), ("en_US", "Tue, Dec 8"), ("de", "Di., 8. Dez."), ("lt", "12-08, an")]
)
def test_a_day_always_carries_its_weekday(locale: str, text: str) -> None:
    assert formats(locale).day(date(2026, 12, 8)) == text


def test_a_day_of_another_year_carries_the_year() -> None:
    assert formats().day(date(2027, 1, 4)) == "Mon 4 Jan 2027"


def test_the_leaf() -> None:
    assert formats().leaf(date(2026, 12, 8)) == Leaf("Tue", "8", "Dec", "2026-12-08")


def test_an_instant_is_named_where_it_happens() -> None:
    late = datetime(2026, 12, 7, 23, 30, tzinfo=UTC)  # half past midnight in Berlin, still Monday afternoon in Los Angeles
    assert formats().instant(late) == "Tue 8 Dec, 00:30"
    assert formats().instant(late, "America/Los_Angeles") == "Mon 7 Dec, 15:30"


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(129000, "EUR"), "€1,290.00"),
        (Money(1290, "JPY"), "¥1,290"),
        (Money(1290, "BHD"), "BHD1.290"),
        (Money(-5, "EUR"), "-€0.05"),
    ],
)
def test_money_has_as_many_decimals_as_its_currency(money: Money, text: str) -> None:
    assert formats().money(money) == text


def test_languages_have_their_direction() -> None:
    assert [direction_of(tag) for tag in ("ar", "he", "en", "zh-cht", None, "", "not a language")] == [
        "rtl", "rtl", "ltr", "auto", "auto", "auto", "auto",
    ]  # fmt: skip
    assert formats("ar").direction == "rtl"
    assert formats("en_US").language == "en-US"


def test_a_zone_nobody_knows_does_not_break_a_page() -> None:
    assert zone_of("Nowhere/Land") == ZoneInfo("UTC")
    assert zone_of(None) == ZoneInfo("UTC")
