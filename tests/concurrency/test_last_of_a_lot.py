"""The last piece of a lot, wanted by two at once: PostgreSQL gives it to one of them."""

from __future__ import annotations

from datetime import date

import pytest

from backoffice.erp import counting, fulfilment, lots
from backoffice.erp import models as t
from tests.concurrency.test_at_the_same_moment import both, busy_workshop, in_between, slow
from tests.integration.chain.conftest import Workshop
from tests.integration.chain.test_lots import keep, on_shelf, receive

pytestmark = pytest.mark.postgresql
__all__ = ["busy_workshop"]  # the fixture


def test_two_buyers_for_the_last_piece_of_a_lot(busy_workshop: Workshop) -> None:
    shop = busy_workshop
    keep(shop, "VASE", 0)
    receive(shop, "VASE", 1, "A", date(2026, 12, 24))
    said = both(*[lambda: shop.cart(VASE=1)] * 4)
    assert sorted(said) == ["done", "not_available", "not_available", "not_available"]
    assert on_shelf(shop) == {"A": (1, 1)}


def test_two_buyers_where_a_lot_has_one_piece_and_the_next_one_too(busy_workshop: Workshop) -> None:
    shop = busy_workshop
    keep(shop, "VASE", 0)
    receive(shop, "VASE", 1, "A", date(2026, 12, 10))
    receive(shop, "VASE", 1, "B", date(2026, 12, 24))
    assert both(*[lambda: shop.cart(VASE=1)] * 2) == ["done", "done"]
    assert on_shelf(shop) == {"A": (1, 1), "B": (1, 1)}
    assert sorted(one.lot_id for one in shop.rows(t.Peg)) == [1, 2]


def test_a_picker_takes_another_lot_while_its_last_piece_is_sold(
    busy_workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = busy_workshop
    keep(shop, "VASE", 0)
    receive(shop, "VASE", 1, "A", date(2026, 12, 10))
    receive(shop, "VASE", 1, "B", date(2026, 12, 24))
    shop.buy(VASE=1)
    [shipment] = shop.rows(t.Shipment)
    with slow(monkeypatch, lots, "find_scanned", after=True) as reached:
        said = in_between(
            reached,
            lambda: shop.do(fulfilment.pick, shipment.id, "B", 1),
            lambda: shop.cart(VASE=1),
        )
    assert said == ["lot_promised", "done"]
    assert on_shelf(shop) == {"A": (1, 1), "B": (1, 1)}


def test_a_lot_is_counted_while_it_is_sold(busy_workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = busy_workshop
    keep(shop, "VASE", 0)
    receive(shop, "VASE", 2, "A", date(2026, 12, 10))
    item = shop.rows(t.StockLot)[0].item_id
    said = both(
        lambda: shop.cart(VASE=2),
        lambda: shop.do(counting.count_stock, item, 1, 1, lot_id=1, ref="count"),
    )
    assert said in (["done", "done"], ["not_available", "done"])
    assert on_shelf(shop)["A"] == (1, 0)  # a hold of two that one piece cannot serve is released
