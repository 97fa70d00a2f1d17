"""The free supplies of one item, each answer worked out by hand, on the edges: at the very instant, at exactly so much."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from backoffice.planning import ledger
from backoffice.planning.atp import Lot, Pool


def lot(at: int, free: Any, kind: Any = "receipt", number: int = 0) -> Lot:
    return Lot(at, free, kind, f"{kind}@{at}", number)


def taken(pool: Pool, *asked: Any, **how: Any) -> list[tuple[Any, Any]]:
    return [(one.key, amount) for one, amount in pool.latest_fit(*asked, **how)]


@pytest.mark.parametrize(
    ("kind", "firm", "order"),
    [("stock", True, (7, 0, -3)), ("receipt", True, (7, -1, -3)), ("make", False, (7, -2, -3)), ("buy", False, (7, -2, -3))],
)
def test_a_lot_is_firm_or_not_and_has_its_place_in_time(kind: Any, firm: bool, order: tuple[int, int, int]) -> None:
    one = Lot(7, 5, kind, "key", 3)
    assert (one.at, one.free, one.kind, one.key, one.firm, one.order) == (7, 5, kind, "key", firm, order)
    assert (one.made, one.expires) == (None, 0)


def test_a_lot_keeps_what_it_was_made_of_and_when_it_expires_and_can_be_dated_anew() -> None:
    made: Any = object()
    one = Lot(7, 5, "make", "key", 3, made, 9)
    assert (one.made, one.expires) == (made, 9)
    one.date(8, 4)
    assert (one.at, one.order) == (8, (8, -2, -4))


def test_of_one_instant_stock_is_used_first_and_its_first_lot_before_its_second() -> None:
    lots = [Lot(4, 1, "stock", "s1", 1), Lot(4, 1, "make", "m", 0), Lot(4, 1, "stock", "s2", 2), Lot(4, 1, "receipt", "r", 0)]
    pool = Pool(lots, 0)
    assert [one.key for one in pool.lots] == ["m", "r", "s2", "s1"]
    assert taken(pool, 3, 4) == [("s1", 1), ("s2", 1), ("r", 1)]


def test_where_nothing_expires_nobody_holds_a_claim_or_makes_room() -> None:
    pool = Pool([lot(0, 1)], 0)
    assert pool.claims is None
    assert pool.on(738_000) is pool
    assert list(pool.make_room(5, 0)) == []


@pytest.mark.parametrize(("safety", "total"), [(0, 7), (2, 5), (7, 0), (9, 0), (6, 1)])
def test_what_may_be_promised_at_the_horizon_leaves_the_safety_stock(safety: int, total: int) -> None:
    assert Pool([lot(3, 3), lot(5, 4)], safety).total() == total


@pytest.mark.parametrize(
    ("instant", "enough", "free"),
    [
        (2, None, 0),  # the first is there at 3
        (3, None, 1),
        (4, None, 1),
        (5, None, 4),
        (9, None, 9),
        (9, 1, 1),  # counting stops as soon as there is exactly enough
        (9, 2, 4),
        (9, 4, 4),
        (9, 5, 9),
        (5, 9, 4),
        (9, -2, 0),  # enough before anything is counted
    ],
)
def test_what_may_be_promised_at_an_instant(instant: int, enough: int | None, free: int) -> None:
    assert Pool([lot(3, 3), lot(5, 3), lot(9, 5)], 2).free_by(instant, enough) == free


@pytest.mark.parametrize(("quantity", "earliest"), [(1, 3), (2, 5), (4, 5), (5, 9), (9, 9), (10, None)])
def test_the_first_instant_at_which_so_much_may_be_promised(quantity: int, earliest: int | None) -> None:
    assert Pool([lot(3, 3), lot(5, 3), lot(9, 5)], 2).earliest(quantity) == earliest


@pytest.mark.parametrize(
    ("after", "until", "rises"),
    [
        (0, 99, [5, 7, 9]),  # at 3 all of it is safety stock, at 6 nothing comes, at 7 there are two
        (5, 99, [7, 9]),
        (4, 9, [5, 7, 9]),
        (4, 8, [5, 7]),
        (9, 99, []),
        (0, 2, []),
    ],
)
def test_the_instants_at_which_more_may_be_promised(after: int, until: int, rises: list[int]) -> None:
    lots = [lot(3, 2), lot(5, 1), lot(6, 0), lot(7, 1, number=1), lot(7, 1, number=2), lot(9, 4)]
    assert Pool(lots, 2).rises(after, until) == rises


@pytest.mark.parametrize(
    ("lots", "between"),
    [
        ([lot(5, 1)], True),
        ([lot(7, 1)], True),  # the end is in it
        ([lot(4, 1)], False),  # the beginning is not
        ([lot(8, 1)], False),
        ([lot(5, 0)], False),
        ([lot(5, 1, "make")], False),
        ([lot(2, 9), lot(5, 1, "buy"), lot(6, 1, "stock")], True),
        ([], False),
    ],
)
def test_whether_anything_firm_is_free_between_two_instants(lots: list[Lot], between: bool) -> None:
    assert Pool(lots, 0).firm_between(4, 7) is between


def test_the_latest_supplies_in_time_are_taken_first() -> None:
    pool = Pool([lot(0, 5, "stock"), lot(3, 2), lot(4, 0), lot(5, 3, "make"), lot(6, 9)], 0)
    assert taken(pool, 1, 5) == [("make@5", 1)]
    assert taken(pool, 3, 5) == [("make@5", 3)]
    assert taken(pool, 4, 5) == [("make@5", 3), ("receipt@3", 1)]
    assert taken(pool, 10, 5) == [("make@5", 3), ("receipt@3", 2), ("stock@0", 5)]
    assert taken(pool, 11, 5) == [("make@5", 3), ("receipt@3", 2), ("stock@0", 5)]  # no more is there
    assert taken(pool, 4, 5, firm_only=True) == [("receipt@3", 2), ("stock@0", 2)]
    assert taken(pool, 0, 5) == []
    assert taken(pool, Fraction(1, 2), 3) == [("receipt@3", Fraction(1, 2))]


def test_a_supply_is_put_in_its_place_and_taken_back() -> None:
    pool = Pool([lot(1, 1), lot(5, 1)], 0)
    alike = [lot(3, 1, number=2) for _ in range(3)]
    for one in alike:
        pool.add(one)
    assert [one.at for one in pool.lots] == [1, 3, 3, 3, 5]
    _, first, middle, last, end = pool.lots
    pool.drop(end)
    pool.drop(middle)
    assert pool.lots[1:] == [first, last]
    pool.drop(pool.lots[0])
    pool.drop(first)
    assert pool.lots == [last]


def test_supplies_dated_anew_are_put_in_order_again() -> None:
    late, early = lot(5, 1), lot(1, 1)
    pool = Pool([late, early], 0)
    early.date(9, 0)
    pool.sort()
    assert pool.lots == [late, early]


def test_what_is_used_up_is_forgotten_and_an_untouched_list_stays_the_same() -> None:
    pool = Pool([lot(1, 0), lot(2, 3), lot(3, 0)], 0)
    pool.prune()
    assert [one.at for one in pool.lots] == [2]
    kept = pool.lots
    pool.prune()
    assert pool.lots is kept


def test_rows_say_what_is_wrong_with_them_and_go_below_zero_only_where_that_is_true() -> None:
    with pytest.raises(ValueError, match=r"^supply and committed must have the same number of buckets$"):
        ledger(0, [1, 2], [1])
    rows = ledger(1, [0, 0, 1, 0], [0, 2, 0, 1])
    assert (rows.projected, rows.promisable) == ([1, -1, 0, -1], [0, 0, 0, 0])
    assert rows.discrete == [-1, None, 0, None]
    assert ledger(0, [0, 0], [2, 1]).discrete == [-3, None]
