"""How the back office words a few things that reach people through stored text."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.numbers import get_currency_precision


def long_day(at: datetime, timezone: str, language: str = "en") -> str:
    """Return an instant's day in a zone with its weekday: `Tue 8 Dec`."""
    return format_date(at.astimezone(ZoneInfo(timezone)).date(), "EEE d MMM", locale=language)


def decimal_of(amount_minor: int, currency: str) -> Decimal:
    """Return minor units as the decimal number that people read: 1999 EUR → 19.99, 1999 JPY → 1999."""
    return Decimal(amount_minor).scaleb(-get_currency_precision(currency))
