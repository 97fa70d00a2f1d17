"""The tax in a price, and sharing an amount to the unit."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice.erp import taxes

DAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("seller", "buyer", "on", "rate"),
    [
        ("DE", "DE", DAY, 1900),
        ("DE", "FR", DAY, 2000),
        ("DE", "FI", DAY, 2550),
        ("DE", "SK", date(2024, 12, 31), 2000),
        ("DE", "SK", date(2025, 1, 1), 2300),
        ("DE", "CH", DAY, 0),  # it leaves the Union
        ("CH", "CH", DAY, 810),
        ("CH", "DE", DAY, 0),
        ("US", "US", DAY, 0),  # sales tax comes on top and is not ours to know
    ],
)
def test_the_rate_is_that_of_the_place_it_goes_to(seller: str, buyer: str, on: date, rate: int) -> None:
    assert taxes.rate_of(seller, buyer, on) == rate


@pytest.mark.parametrize(
    ("gross", "rate", "tax"),
    [(11_900, 1900, 1_900), (10_300, 1900, 1_645), (100, 0, 0), (1, 1900, 0), (4, 1900, 1), (125, 2550, 25)],
)
def test_the_tax_in_a_price(gross: int, rate: int, tax: int) -> None:
    assert taxes.tax_in(gross, rate) == tax


def test_what_is_left_over_goes_to_the_largest_remainders() -> None:
    assert taxes.shares(100, [1, 1, 1]) == [34, 33, 33]
    assert taxes.shares(-5, [10, 20, 30]) == [-1, -2, -2]
    assert taxes.shares(7, [0, 2]) == [0, 7]


@given(st.integers(-(10**9), 10**9), st.lists(st.integers(0, 10**7), min_size=1, max_size=9).filter(any))
def test_shares_are_all_of_it_and_fair_to_a_unit(amount: int, weights: list[int]) -> None:
    parts = taxes.shares(amount, weights)
    assert sum(parts) == amount
    whole = sum(weights)
    assert all(abs(part * whole - amount * weight) < whole for part, weight in zip(parts, weights, strict=True))


@given(st.lists(st.tuples(st.integers(1, 10**7), st.sampled_from([0, 700, 1900, 2550])), min_size=1, max_size=9))
def test_the_taxes_of_a_rate_add_up_to_the_tax_of_their_sum(lines: list[tuple[int, int]]) -> None:
    found = taxes.taxes_in(lines)
    for rate in {rate for _, rate in lines}:
        mine = [(gross, tax) for (gross, one), tax in zip(lines, found, strict=True) if one == rate]
        assert sum(tax for _, tax in mine) == taxes.tax_in(sum(gross for gross, _ in mine), rate)
        assert all(0 <= tax <= gross for gross, tax in mine)
