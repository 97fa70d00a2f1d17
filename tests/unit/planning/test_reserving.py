"""What one question reserves, step by step, and that taking it back leaves everything as it was."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pytest

from backoffice.planning.atp import THERE, Lot, Pool
from backoffice.planning.capacity import Place
from backoffice.planning.fresh import FreshPool
from backoffice.planning.model import Item, Step
from backoffice.planning.needs import BlockedError, Made, Need
from tests.unit.planning.reserved import LIMIT, NOW, reservations


def stock(free: int, key: Hashable = "stock", at: int = THERE, **more: Any) -> Lot:
    return Lot(at, free, "stock", key, 0, **more)


def pegs(need: Need) -> list[tuple[Hashable, Any]]:
    return [(lot.key, amount) for lot, amount in need.taken]


def made_through(item: Item, *parts: Need) -> Made:
    made = Made(item, 1)
    made.needs = list(parts)
    return made


KIT, TABLE = Item("kit", "kit"), Item("table", "make")


def test_it_begins_with_nothing_and_sees_the_plan_as_it_was_given() -> None:
    pool = Pool([], 0)
    mine = reservations(TABLE, perishable=True, wood=pool)
    assert (mine.now, mine.limit, mine.perishable) == (NOW, LIMIT, True)
    assert mine.factory is mine.state.factory
    assert mine.pools["wood"] is pool
    assert mine.centre("outside").lanes is None
    assert (mine.surpluses, mine.drawn, mine.mark()) == ([], set(), 0)


def test_after_ten_thousand_attempts_it_gives_up() -> None:
    mine = reservations()
    for _ in range(10_000):
        mine._try("table")
    with pytest.raises(BlockedError) as blocked:
        mine._try("table")
    assert (blocked.value.reason, blocked.value.where) == ("too_many", "table")


# --- taking from supplies -------------------------------------------------------------------------


def test_a_need_takes_the_latest_supplies_and_gives_them_back() -> None:
    early, late = stock(5, "early"), Lot(50, 3, "receipt", "late", 0)
    mine = reservations(wood=Pool([early, late], 0))
    need = Need("wood", 4, NOW)
    mine._take(need, 4, 50)
    assert pegs(need) == [("late", 3), ("early", 1)]
    assert (early.free, late.free, mine.drawn, mine.mark()) == (4, 0, {"wood"}, 2)
    mine.undo()
    assert (early.free, late.free, mine.mark()) == (5, 3, 0)


def test_only_what_was_reserved_after_the_mark_is_taken_back_the_last_first() -> None:
    lot = stock(9)
    mine = reservations(wood=Pool([lot], 0))
    mine._take(Need("wood", 2, NOW), 2, NOW)
    mark = mine.mark()
    assert mark == 1
    mine._take(Need("wood", 3, NOW), 3, NOW)
    mine._take(Need("wood", 1, NOW), 1, NOW)
    mine.undo(mark)
    assert (lot.free, mine.mark()) == (7, 1)
    mine.undo(mark)
    assert lot.free == 7


def test_goods_that_expire_are_claimed_until_the_last_of_them_is_there() -> None:
    shelf, coming = stock(1, "shelf", expires=20), Lot(300, 9, "receipt", "coming", 0, expires=30)
    pool = FreshPool([shelf, coming], 0)
    mine = reservations(perishable=True, milk=pool)
    need = Need("milk", 2, NOW, use=19)
    mine._take(need, 2, 300)
    assert pegs(need) == [("shelf", 1), ("coming", 1)]  # what expires first, first
    assert pool.claims == {need: (300, 19)}
    other = Need("milk", 0, NOW, use=20)
    mine._take(other, 0, 300)
    assert pool.claims == {need: (300, 19), other: (NOW, 20)}
    mine.undo()
    assert (pool.claims, shelf.free, coming.free) == ({}, 1, 9)


def test_what_is_too_old_on_the_day_is_not_taken() -> None:
    old, fresh = stock(5, "old", expires=20), stock(5, "fresh", expires=21)
    mine = reservations(perishable=True, milk=FreshPool([old, fresh], 0))
    need = Need("milk", 1, NOW, use=20)
    mine._take(need, 1, NOW)
    assert pegs(need) == [("fresh", 1)]


def test_who_took_what_a_new_need_must_have_takes_other_supplies_and_has_them_back_afterwards() -> None:
    shelf, coming = stock(0, "shelf", expires=40), Lot(300, 4, "receipt", "coming", 0, expires=40)
    pool = FreshPool([shelf, coming], 0)
    first = Need("milk", 3, NOW, use=30)
    first.taken = [(shelf, 3)]
    pool.claim(first, 300, 30)
    mine = reservations(perishable=True, milk=pool)
    need = Need("milk", 2, NOW, use=30)
    mine._take(need, 2, 200)  # the receipt is too late for it, but not for the first
    assert (pegs(need), sorted(pegs(first))) == ([("shelf", 2)], [("coming", 2), ("shelf", 1)])
    assert (shelf.free, coming.free) == (0, 2)
    assert pool.claims == {first: (300, 30), need: (THERE, 30)}
    mine.undo()
    assert (pegs(first), shelf.free, coming.free, pool.claims) == ([("shelf", 3)], 0, 4, {first: (300, 30)})


# --- pegging anew ---------------------------------------------------------------------------------


def test_what_was_taken_is_pegged_to_later_supplies_and_production_stays() -> None:
    shelf, coming, far = stock(0, "shelf"), Lot(200, 2, "receipt", "coming", 0), Lot(301, 9, "receipt", "far", 0)
    surplus = Lot(150, 4, "make", "surplus", 0)
    mine = reservations(wood=Pool([shelf, coming, surplus, far], 0))
    need = Need("wood", 6, NOW)
    need.taken = [(shelf, 3), (surplus, 2), (shelf, 1)]
    mine.refit(need, 300)
    assert pegs(need) == [("coming", 2), ("shelf", 2), ("surplus", 2)]
    assert (shelf.free, coming.free, surplus.free, far.free) == (2, 0, 4, 9)
    mine.undo()
    assert (shelf.free, coming.free, surplus.free) == (0, 2, 4)


@pytest.mark.parametrize(
    ("kind", "by"),
    [("make", 300), ("stock", 199)],  # only production was taken; nothing firm is there by then
)
def test_nothing_is_pegged_anew_without_need(kind: Any, by: int) -> None:
    taken, coming = Lot(THERE, 0, kind, "taken", 0), Lot(200, 2, "receipt", "coming", 0)
    mine = reservations(wood=Pool([taken, coming], 0))
    need = Need("wood", 1, NOW)
    before = need.taken = [(taken, 1)]
    mine.refit(need, by)
    assert (need.taken is before, taken.free, coming.free, mine.mark()) == (True, 0, 2, 0)


def test_the_parts_of_a_kit_are_pegged_anew_with_it_those_of_something_made_are_not() -> None:
    shelf, coming = stock(0, "shelf"), Lot(200, 9, "receipt", "coming", 0)
    mine = reservations(KIT, TABLE, wood=Pool([shelf, coming], 0))
    in_kit, again, in_table = Need("wood", 1, NOW), Need("wood", 2, NOW), Need("wood", 4, NOW)
    for part in (in_kit, again, in_table):
        part.taken = [(shelf, part.quantity)]
    need = Need("kit", 1, NOW)
    need.made = [made_through(TABLE, in_table), made_through(KIT, in_kit, again)]
    mine.refit(need, 300)
    assert [pegs(part) for part in (in_kit, again, in_table)] == [[("coming", 1)], [("coming", 2)], [("shelf", 4)]]
    assert (shelf.free, coming.free) == (3, 6)


@pytest.mark.parametrize(("use", "claim"), [(39, (300, 39)), (40, (50, 30))])  # on the day on which it expires it is too old
def test_of_goods_that_expire_only_the_claim_changes_unless_they_would_be_too_old(use: int, claim: tuple[int, int]) -> None:
    shelf = stock(0, "shelf", expires=40)
    pool = FreshPool([shelf, Lot(200, 9, "receipt", "coming", 0)], 0)
    mine = reservations(KIT, perishable=True, milk=pool)
    part = Need("milk", 1, NOW, use=30)
    part.taken = [(shelf, 1)]
    pool.claim(part, 50, 30)
    need = Need("kit", 1, NOW)
    need.made = [made_through(KIT, part)]
    mine.refit(need, 300, use)
    assert (pool.claims, pegs(part), shelf.free) == ({part: claim}, [("shelf", 1)], 0)
    mine.undo()
    assert pool.claims == {part: (50, 30)}


def test_without_a_day_goods_that_expire_are_claimed_for_none() -> None:
    shelf = stock(0, expires=40)
    pool = FreshPool([shelf], 0)
    need = Need("milk", 1, NOW, use=30)
    need.taken = [(shelf, 1)]
    pool.claim(need, 50, 30)
    mine = reservations(perishable=True, milk=pool)
    mine.refit(need, 300)
    assert pool.claims == {need: (300, 0)}


# --- what is left, and where work goes ------------------------------------------------------------


@pytest.mark.parametrize(("at", "there"), [(NOW, THERE), (NOW - 1, THERE), (NOW + 1, NOW + 1)])
def test_what_is_left_at_once_is_there_like_stock(at: int, there: int) -> None:
    mine = reservations(TABLE)
    mine._keep(TABLE, 2, at, None)
    ((pool, surplus),) = mine.surpluses
    assert pool is mine.pools["table"]
    assert (surplus.at, surplus.free) == (there, 2)


def test_surpluses_are_numbered_and_nothing_is_none() -> None:
    mine = reservations(TABLE)
    for quantity in (0, -1, 1, 2):
        mine._keep(TABLE, quantity, 500, None)
    assert [(lot.free, lot.order) for _, lot in mine.surpluses] == [(1, (500, -2, 0)), (2, (500, -2, -1))]
    mine.undo(1)
    assert [lot.free for lot in mine.pools["table"].lots] == [1]
    assert [lot.free for _, lot in mine.surpluses] == [1]


def test_a_place_is_reserved_on_its_lane_and_given_back() -> None:
    mine = reservations()
    lanes = mine.centre("saw").lanes
    assert lanes is not None
    mine._occupy(Step("saw", 0, 0, 1), Place(1, 0, 0, 10, 14))
    assert [lane.stretches() for lane in lanes] == [[], [(10, 14)]]
    mine._occupy(Step("saw", 0, 0, 1), Place(0, 0, 0, 7, 7))  # no work, no place
    mine._occupy(Step("outside", 0, 0, 1), Place(0, 0, 0, 1, 2))
    assert ([lane.stretches() for lane in lanes], mine.mark()) == ([[], [(10, 14)]], 1)
    mine.undo()
    assert [lane.stretches() for lane in lanes] == [[], []]
