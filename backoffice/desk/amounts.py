"""Amounts as people type them: "12,50" and "1.234,00" where the language writes so, "12.50" everywhere."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal

from babel import Locale
from babel.numbers import NumberFormatError, get_currency_precision, parse_decimal

MOST_DIGITS = 15


def minor(typed: str, currency: str, locale: Locale) -> int | None:
    """Return an amount in minor units; None if it is none, or finer than the currency."""
    text = "".join(typed.split())
    if not 0 < len(text) <= MOST_DIGITS or any(letter.isalpha() for letter in text):
        return None
    amount = _decimal(text, get_currency_precision(currency), locale)
    if amount is None or not amount.is_finite():
        return None
    units = amount.scaleb(get_currency_precision(currency))
    return int(units) if units == units.to_integral_value() else None


def seconds(typed: str, locale: Locale) -> int | None:
    """Return minutes with two places at most as whole seconds; None if it is none."""
    text = "".join(typed.split())
    amount = _decimal(text, 2, locale) if 0 < len(text) <= MOST_DIGITS and not any(one.isalpha() for one in text) else None
    if amount is None or not amount.is_finite() or amount * 100 != (amount * 100).to_integral_value():
        return None
    return int((amount * 60).to_integral_value(ROUND_HALF_UP))


def permille(typed: str, locale: Locale) -> int | None:
    """Return a percentage with one place at most as parts of a thousand; None if it is none."""
    text = "".join(typed.split())
    amount = _decimal(text, 1, locale) if 0 < len(text) <= MOST_DIGITS and not any(one.isalpha() for one in text) else None
    if amount is None or not amount.is_finite() or amount * 10 != (amount * 10).to_integral_value():
        return None
    return int(amount * 10)


def _decimal(text: str, precision: int, locale: Locale) -> Decimal | None:
    try:
        return parse_decimal(text, locale, strict=True)
    except NumberFormatError:
        pass
    # the other sign for decimals cannot be meant otherwise where so few digits follow it
    plain = re.fullmatch(rf"([0-9]+)[.,]([0-9]{{1,{max(precision, 1)}}})", text)
    return Decimal(f"{plain[1]}.{plain[2]}") if plain else None
