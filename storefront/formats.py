"""Days, times and money in the reader's language: the one place where values become text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import format_currency, format_decimal, get_currency_precision

from backoffice.public.money import Money

# where a language is read without its country, the comma of the standard pattern only costs room
DAY_PATTERNS: Mapping[str, str] = {"en": "EEE d MMM"}
DAY_WITH_YEAR_PATTERNS: Mapping[str, str] = {"en": "EEE d MMM y"}


def zone_of(name: str | None, fallback: str = "UTC") -> ZoneInfo:
    """Return the zone called `name`, or `fallback` where nobody knows it: a page must not break on a wrong setting."""
    try:
        return ZoneInfo(name or fallback)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(fallback)


@dataclass(frozen=True, slots=True)
class Leaf:
    """The parts of a calendar leaf: weekday, number and month as short words."""

    weekday: str
    number: str
    month: str
    iso: str


@dataclass(frozen=True, slots=True)
class Formats:
    """Format for one reader: their locale, the shop's zone, and today in it (another year's day carries the year)."""

    locale: Locale
    zone: ZoneInfo
    today: date

    def day(self, on: date) -> str:
        """Return a day with its weekday: `Tue 8 Dec`; with the year when that is not this year's."""
        return _day(on, self.locale, with_year=on.year != self.today.year)

    def full_day(self, on: date) -> str:
        """Return a day with its year, as papers have it: they are read years later."""
        return _day(on, self.locale, with_year=True)

    def leaf(self, on: date) -> Leaf:
        """Return the day as the parts of a calendar leaf."""
        return Leaf(
            format_date(on, "EEE", self.locale),
            format_date(on, "d", self.locale),
            format_date(on, "LLL", self.locale),
            on.isoformat(),
        )

    def local_day(self, at: datetime, zone: str | None = None) -> date:
        """Return the calendar day of an instant in `zone` (else the shop's)."""
        return at.astimezone(zone_of(zone) if zone else self.zone).date()

    def instant_day(self, at: datetime, zone: str | None = None) -> str:
        """Return the day of an instant, named in `zone` (else the shop's)."""
        return self.day(self.local_day(at, zone))

    def time(self, at: datetime, zone: str | None = None) -> str:
        """Return the clock time of an instant in `zone` (else the shop's): `14:30`."""
        local = at.astimezone(zone_of(zone) if zone else self.zone)
        return format_time(local.time(), "HH:mm" if self.locale.language == "en" else "short", locale=self.locale)

    def instant(self, at: datetime, zone: str | None = None) -> str:
        """Return day and clock time: `Tue 8 Dec, 14:30`."""
        return f"{self.instant_day(at, zone)}, {self.time(at, zone)}"

    def money(self, amount: Money) -> str:
        """Return an amount with its currency: `€1,290.00`; currencies without cents have none."""
        return _money(amount, self.locale)

    def number(self, value: int) -> str:
        """Return a count with the locale's grouping."""
        return format_decimal(value, locale=self.locale)

    def country(self, code: str) -> str:
        """Return a country's name in the reader's language."""
        return str(self.locale.territories.get(code, code))

    @property
    def language(self) -> str:
        """Return the language tag for `<html lang>`."""
        return str(self.locale).replace("_", "-")

    @property
    def direction(self) -> str:
        """Return `rtl` or `ltr` for `<html dir>`."""
        return str(self.locale.text_direction)


# a page names the same few days and amounts again and again, and so does the next one
@lru_cache(4096)
def _day(on: date, locale: Locale, *, with_year: bool) -> str:
    pattern = (DAY_WITH_YEAR_PATTERNS if with_year else DAY_PATTERNS).get(str(locale))
    if pattern:
        return format_date(on, pattern, locale)
    skeleton = "yMMMEd" if with_year else "MMMEd"
    return format_skeleton(skeleton, datetime(on.year, on.month, on.day), locale=locale)  # noqa: DTZ001 - a date has no zone


@lru_cache(4096)
def _money(amount: Money, locale: Locale) -> str:
    precision = get_currency_precision(amount.currency)
    return format_currency(Decimal(amount.amount_minor).scaleb(-precision), amount.currency, locale=locale)


def direction_of(language: str | None) -> str:
    """Return `rtl` or `ltr` for a language tag, `auto` where the language is not known."""
    if not language:
        return "auto"
    try:
        return str(Locale.parse(language.replace("-", "_")).text_direction)
    except (ValueError, LookupError):
        return "auto"
