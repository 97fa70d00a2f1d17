"""Money is whole minor units, whatever is done with it."""

from __future__ import annotations

import pytest

from backoffice.public.money import Money


def test_it_stays_in_whole_minor_units() -> None:
    assert [(Money(29, "EUR") * 3).amount_minor, (Money(4_900, "EUR") * 7).amount_minor] == [87, 34_300]
    for amount in (Money(29, "EUR") * 3, Money(29, "EUR") + Money(1, "EUR")):
        assert type(amount.amount_minor) is int


def test_two_currencies_have_no_sum() -> None:
    with pytest.raises(ValueError, match="cannot add USD to EUR"):
        Money(1, "EUR") + Money(1, "USD")
