"""How the back office writes days and amounts: the one place where they become text."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.numbers import get_currency_precision


def day_in(timezone: str, at: datetime) -> date:
    """Return the day that it is in a zone at an instant."""
    return at.astimezone(ZoneInfo(timezone)).date()


def day(on: date, locale: Locale, *, year: bool = False) -> str:
    """Return a day with its weekday as the language writes it: `Tue 8 Dec`, `Di., 8. Dez.`; with the year if wanted."""
    if locale.language == "en":  # read without its country, where the comma of the standard pattern only costs room
        return format_date(on, "EEE d MMM y" if year else "EEE d MMM", locale)
    return _by_skeleton(on, "yMMMEd" if year else "MMMEd", locale)


def long_day(on: date, locale: Locale) -> str:
    """Return a day in full: `Tuesday 8 December`, `Dienstag, 8. Dezember 2026`."""
    return format_date(on, "EEEE d MMMM" if locale.language == "en" else "full", locale)


def short_day(on: date, locale: Locale) -> str:
    """Return a day where there is little room: `8 Dec`, `8. Dez.`."""
    return format_date(on, "d MMM", locale) if locale.language == "en" else _by_skeleton(on, "MMMd", locale)


def month(on: date, locale: Locale) -> str:
    """Return a month with its year: `November 2026`."""
    return _by_skeleton(on, "yMMMM", locale)


def _by_skeleton(on: date, skeleton: str, locale: Locale) -> str:
    return format_skeleton(skeleton, datetime(on.year, on.month, on.day), locale=locale)  # noqa: DTZ001 - a date has no zone


def decimal_of(amount_minor: int, currency: str) -> Decimal:
    """Return minor units as the decimal number that people read: 1999 EUR → 19.99, 1999 JPY → 1999."""
    return Decimal(amount_minor).scaleb(-get_currency_precision(currency))
