"""Amounts as people type them, in their language and in the other one."""

from __future__ import annotations

import pytest
from babel import Locale

from backoffice.desk.amounts import minor


@pytest.mark.parametrize(
    ("typed", "language", "currency", "amount"),
    [
        ("12,50", "de", "EUR", 1_250),
        ("12.50", "de", "EUR", 1_250),
        ("12.50", "en", "EUR", 1_250),
        ("12,50", "en", "EUR", 1_250),
        ("12,5", "de", "EUR", 1_250),
        ("1.234,50", "de", "EUR", 123_450),
        ("1,234.50", "en", "EUR", 123_450),
        ("1.234", "de", "EUR", 123_400),
        ("1,234", "en", "EUR", 123_400),
        (" 9 ", "de", "EUR", 900),
        ("1 234,50", "de", "EUR", 123_450),
        ("1234", "en", "JPY", 1_234),
        ("1.234", "en", "KWD", 1_234),
        ("-5", "de", "EUR", -500),
        ("1.234", "en", "EUR", None),
        ("12,505", "de", "EUR", None),
        ("12.5", "en", "JPY", None),
        ("12,50,1", "de", "EUR", None),
        ("", "de", "EUR", None),
        ("many", "de", "EUR", None),
        ("1e3", "en", "EUR", None),
        ("NaN", "en", "EUR", None),
        ("Infinity", "en", "EUR", None),
        ("9" * 16, "en", "EUR", None),
    ],
)
def test_an_amount_is_read_as_it_is_meant(typed: str, language: str, currency: str, amount: int | None) -> None:
    assert minor(typed, currency, Locale(language)) == amount
