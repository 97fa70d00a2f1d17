"""How the back office writes a few values that reach people through stored text."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision


def day_in(timezone: str, at: datetime) -> date:
    """Return the day that it is in a zone at an instant."""
    return at.astimezone(ZoneInfo(timezone)).date()


def decimal_of(amount_minor: int, currency: str) -> Decimal:
    """Return minor units as the decimal number that people read: 1999 EUR → 19.99, 1999 JPY → 1999."""
    return Decimal(amount_minor).scaleb(-get_currency_precision(currency))
