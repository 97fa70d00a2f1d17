"""What a need makes or buys: how much, in which lots, from whom, what is left of it, and why it cannot be had."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import pytest

from backoffice.planning.model import Item, Supplier
from backoffice.planning.needs import BlockedError, Made, Need
from tests.unit.planning.reserved import LIMIT, NOW, reservations

TABLE = Item("table", "make")

# --- making ---------------------------------------------------------------------------------------


class Maker:
    """Makes whatever is asked for, at once; remembers how much of what, for which day, and on which path."""

    def __init__(self, ready: int = 500) -> None:
        self.asked: list[tuple[Hashable, Any, int]] = []
        self.ready = ready

    def __call__(self, item: Item, quantity: Any, use: int) -> Made:
        self.asked.append((item.key, quantity, use))
        made = Made(item, quantity)
        made.ready = self.ready
        return made


def never(_offer: Item | Supplier) -> int | None:
    raise AssertionError("nobody is asked")


def blocked(action: Callable[[], None]) -> tuple[str, Hashable]:
    with pytest.raises(BlockedError) as error:
        action()
    return error.value.reason, error.value.where


def test_a_need_is_made_in_lots_and_what_is_left_of_the_last_is_a_supply() -> None:
    item = Item("table", "make", maximum=4, multiple=4)
    mine, make = reservations(item), Maker()
    need = Need("table", 9, NOW, use=77)
    mine._produce(need, 9, make, never)
    assert make.asked == [("table", 4, 77), ("table", 4, 77), ("table", 4, 77)]
    assert [(made.quantity, made.used) for made in need.made] == [(4, 4), (4, 4), (4, 1)]
    (surplus,) = mine.pools["table"].lots
    assert (surplus.free, surplus.kind, surplus.key, surplus.at, surplus.made) == (3, "make", "table", 500, need.made[2])
    mine.undo()
    assert (mine.pools["table"].lots, mine.surpluses) == ([], [])


def test_a_lot_that_is_all_used_leaves_nothing() -> None:
    mine = reservations(TABLE)
    need = Need("table", 5, NOW)
    mine._produce(need, 5, Maker(), never)
    assert [(made.quantity, made.used) for made in need.made] == [(5, 5)]
    assert (mine.pools["table"].lots, mine.mark()) == ([], 0)


def test_the_last_lot_may_be_smaller_than_the_others() -> None:
    mine, make = reservations(Item("table", "make", maximum=4)), Maker()
    mine._produce(Need("table", 9, NOW), 9, make, never)
    assert [quantity for _, quantity, _ in make.asked] == [4, 4, 1]


def test_a_kit_has_no_lots() -> None:
    mine, make = reservations(Item("kit", "kit", minimum=5, maximum=2)), Maker()
    need = Need("kit", 3, NOW)
    mine._produce(need, 3, make, never)
    assert make.asked == [("kit", 3, 0)]
    assert (need.made[0].used, mine.surpluses) == (3, [])


def test_what_cannot_be_had_says_why() -> None:
    fixed = Item("table", "make", minimum=5, maximum=4)
    mine = reservations(Item("antique", "none"), fixed)
    make = Maker()
    cases = {"antique": ("not_enough", "antique"), "nothing": ("unknown_item", "nothing"), "table": ("lot_sizes", "table")}
    for item, why in cases.items():
        assert blocked(lambda item=item: mine._produce(Need(item, 1, NOW), 1, make, never)) == why
    assert make.asked == []


@pytest.mark.parametrize(("quantity", "works"), [(1_000, True), (1_001, False)])
def test_a_thousand_lots_are_the_most(quantity: int, works: bool) -> None:
    mine, make = reservations(Item("pin", "make", maximum=1)), Maker()
    if works:
        mine._produce(Need("pin", quantity, NOW), quantity, make, never)
    else:
        assert blocked(lambda: mine._produce(Need("pin", quantity, NOW), quantity, make, never)) == ("too_many", "pin")
    assert len(make.asked) == (1_000 if works else 0)


@pytest.mark.parametrize(("levels", "end"), [(80, None), (81, ("too_many", 80))])
def test_eighty_levels_are_the_most(levels: int, end: tuple[str, Hashable] | None) -> None:
    items = [Item(level, "make") for level in range(levels)]
    mine = reservations(*items)

    def make(item: Item, quantity: Any, _use: int) -> Made:
        if item.key + 1 < levels:
            mine._produce(Need(item.key + 1, 1, NOW), 1, make, never)
        return Made(item, quantity)

    def ask() -> None:
        mine._produce(Need(0, 1, NOW), 1, make, never)

    if end is None:
        ask()
    else:
        assert blocked(ask) == end
        mine._produce(Need(levels - 1, 1, NOW), 1, Maker(), never)  # the way down was left again


def test_what_is_made_of_itself_cannot_be_made() -> None:
    mine = reservations(TABLE)

    def make(item: Item, _quantity: Any, _use: int) -> Made:
        mine._produce(Need(item.key, 1, NOW), 1, make, never)
        raise AssertionError

    assert blocked(lambda: mine._produce(Need("table", 1, NOW), 1, make, never)) == ("cyclic_bom", "table")


# --- buying ---------------------------------------------------------------------------------------


def offers(item: Item, *arrivals: int | None) -> Callable[[Item | Supplier], int | None]:
    """Answer for the last suppliers of an item in their order; nobody asks another, or one more."""
    left = iter(zip(item.offers[-len(arrivals) :], arrivals, strict=True))

    def arrival(offer: Item | Supplier) -> int | None:
        expected, at = next(left)
        assert offer is expected
        return at

    return arrival


def test_it_is_bought_from_the_first_who_can_bring_it_in_time() -> None:
    item = Item("wood", "buy", supplier="first", suppliers=(Supplier("second", 1), Supplier("third", 1)))
    mine = reservations(item)
    need = Need("wood", 4, NOW)
    mine._produce(need, 4, Maker(), offers(item, LIMIT + 1, LIMIT, None))
    assert need.bought == [(4, LIMIT, "second")]
    assert (need.made, mine.surpluses, mine.mark()) == ([], [], 0)
    own = Need("wood", 4, NOW)
    mine._produce(own, 4, Maker(), offers(item, 600, None, None))
    assert own.bought == [(4, 600, "first")]


def test_what_must_be_bought_beyond_the_need_is_a_supply() -> None:
    item = Item("wood", "buy", maximum=4, multiple=4, supplier="first")
    mine = reservations(item)
    need = Need("wood", 9, NOW)
    mine._produce(need, 9, Maker(), offers(item, 600))
    assert need.bought == [(9, 600, "first")]
    (surplus,) = mine.pools["wood"].lots
    assert (surplus.free, surplus.kind, surplus.key, surplus.at, surplus.made) == (3, "buy", "wood", 600, None)


def test_a_supplier_whose_quantities_do_not_fit_is_not_asked_and_the_next_is() -> None:
    item = Item("wood", "buy", minimum=5, maximum=4, suppliers=(Supplier("second", 1),))
    mine = reservations(item)
    need = Need("wood", 1, NOW)
    mine._produce(need, 1, Maker(), offers(item, 600))
    assert need.bought == [(1, 600, "second")]


@pytest.mark.parametrize(
    ("first", "arrivals", "why"),
    [
        ({}, (None, LIMIT + 1), "never_opens"),  # the first reason is the one that is told
        ({}, (LIMIT + 1, None), "beyond_horizon"),
        ({"minimum": 5, "maximum": 4}, (None,), "lot_sizes"),
    ],
)
def test_if_nobody_can_bring_it_the_first_reason_is_told(first: Any, arrivals: Any, why: str) -> None:
    item = Item("wood", "buy", suppliers=(Supplier("second", 1),), **first)
    mine = reservations(item)
    need = Need("wood", 1, NOW)
    assert blocked(lambda: mine._produce(need, 1, Maker(), offers(item, *arrivals))) == (why, "wood")
    assert (need.bought, mine.mark()) == ([], 0)
