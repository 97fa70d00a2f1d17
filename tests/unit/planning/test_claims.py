"""Claims of goods that expire: what a plan takes over of them, and what it says of those that it moved."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import UTC, date, datetime
from typing import Any

from backoffice.planning.atp import THERE, Lot, Pool
from backoffice.planning.claims import Claims
from backoffice.planning.fresh import FreshPool
from backoffice.planning.instants import micros
from backoffice.planning.model import Claim, Supply
from backoffice.planning.needs import Need
from backoffice.planning.outcome import Moved, Taken

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
BY = datetime(2026, 11, 26, 8, tzinfo=UTC)
LATER = datetime(2026, 11, 25, 8, tzinfo=UTC)
USE = date(2026, 11, 27)


def claim(key: Hashable, item: str, quantity: int, supply: Hashable) -> Claim:
    return Claim(key, item, quantity, Supply(supply, item, 9, NOW, "stock"), BY, USE)


def refuse(supply: Supply) -> Lot | None:
    raise AssertionError(f"{supply.key} is known")


def held(pool: Pool) -> list[Need]:
    return list(pool.claims or ())


def test_a_claim_is_a_need_of_its_lot_there_in_time_and_fresh_on_its_day() -> None:
    other, own = Lot(THERE, 0, "stock", "other", 0), Lot(THERE, 1, "stock", "own", 1)
    pool = FreshPool([other, own], 0)
    claims = Claims(micros(NOW))
    claims.admit([claim("order", "milk", 3, "own")], {"milk": [other, own]}, {"milk": pool}, refuse)
    (need,) = held(pool)
    assert (need.item, need.quantity, need.ready, need.use, need.taken) == (
        "milk",
        3,
        micros(NOW),
        USE.toordinal(),
        [(own, 3)],
    )
    assert pool.claims[need] == (micros(BY), USE.toordinal())
    assert own.free == 1  # it was taken off before
    assert claims.moved() == ()


def test_a_supply_that_is_used_up_is_made_a_lot_and_one_that_is_none_is_left_alone() -> None:
    asked: list[Hashable] = []
    lot = Lot(THERE, 0, "stock", "used up", 0)
    pool = FreshPool([], 0)

    def admit(supply: Supply) -> Lot | None:
        asked.append(supply.key)
        return lot if supply.key == "used up" else None

    claims = Claims(micros(NOW))
    mine = [claim("late", "milk", 1, "past due"), claim("order", "milk", 2, "used up")]
    claims.admit(mine, {}, {"milk": pool}, admit)
    assert asked == ["past due", "used up"]
    assert [need.taken for need in held(pool)] == [[(lot, 2)]]


def test_of_goods_that_never_expire_nobody_looks_at_a_claim_but_at_those_after_it() -> None:
    nail, milk = Lot(THERE, 1, "stock", "n", 0), Lot(THERE, 1, "stock", "m", 0)
    pools: dict[Hashable, Pool] = {"nail": Pool([nail], 0), "milk": FreshPool([milk], 0)}
    supplies: dict[Hashable, list[Lot]] = {"nail": [nail], "milk": [milk]}
    claims = Claims(micros(NOW))
    claims.admit([claim(1, "nail", 1, "n"), claim(2, "milk", 1, "m")], supplies, pools, refuse)
    assert pools["nail"].claims is None
    (need,) = held(pools["milk"])
    need.taken = []
    assert claims.moved() == (Moved(2, ()),)


def test_what_was_moved_is_told_until_it_is_kept() -> None:
    before = Lot(THERE, 0, "stock", "before", 0)
    shelf, coming = Lot(THERE, 5, "stock", "shelf", 1), Lot(micros(LATER), 5, "receipt", "PO", 2)
    made: Any = Lot(micros(LATER), 5, "make", "surplus", 3)
    pool = FreshPool([before, shelf, coming, made], 0)
    claims = Claims(micros(NOW))
    mine = [claim("stays", "milk", 1, "before"), claim("moves", "milk", 5, "before")]
    claims.admit(mine, {"milk": pool.lots}, {"milk": pool}, refuse)
    _, moves = held(pool)
    moves.taken = [(before, 2), (before, 3)]
    assert claims.moved() == ()  # 2 and 3 of it are 5 of it
    moves.taken = [(shelf, 1), (coming, 2), (shelf, 1), (made, 1)]
    assert claims.moved() == (
        Moved(
            "moves",
            (
                Taken("shelf", "stock", 2, NOW),
                Taken("PO", "receipt", 2, LATER),
                Taken("surplus", "receipt", 1, LATER),
            ),
        ),
    )
    claims.keep()
    assert claims.moved() == ()
    moves.taken = [(before, 5)]
    assert claims.moved() == (Moved("moves", (Taken("before", "stock", 5, NOW),)),)
