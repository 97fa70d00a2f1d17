"""Carts that ask for a day, and one that takes something else, at the same moment, on PostgreSQL: all adds up."""

from __future__ import annotations

from datetime import date

import pytest

from backoffice.erp import models as t
from tests.concurrency.test_at_the_same_moment import both, busy_workshop  # noqa: F401 - a fixture
from tests.integration.chain.conftest import Workshop
from tests.integration.chain.test_asked_day import oak_stool

pytestmark = pytest.mark.postgresql
FRI, WED = date(2026, 12, 4), date(2026, 11, 25)


def test_carts_that_ask_at_once_never_keep_the_same_minutes(busy_workshop: Workshop) -> None:  # noqa: F811 - a fixture
    shop = busy_workshop
    carts = [shop.cart(TABLE=1) for _ in range(3)]

    def ask(token: str, day: date | None) -> None:
        shop.shop.carts.ask_for_day(token, day, now=shop.now)

    found = both(*(lambda token=cart.token: ask(token, FRI) for cart in carts), lambda: ask(carts[0].token, WED))
    assert set(found) == {"done"}
    after = [shop.shop.carts.find(cart.token, now=shop.now) for cart in carts]
    assert all(cart.in_time for cart in after)
    assert len(shop.rows(t.Reservation, state="held")) == 3


def test_the_last_ones_that_stand_in_go_to_one_of_two(busy_workshop: Workshop) -> None:  # noqa: F811 - a fixture
    shop = busy_workshop
    bench = oak_stool(shop, 2)
    carts = [shop.cart(TABLE=2) for _ in range(2)]
    found = both(*(lambda token=one.token: shop.shop.carts.take_instead(token, "TABLE", bench, now=shop.now) for one in carts))
    assert sorted(found) == ["done", "not_available"]
    lines = [[(one.sku, one.quantity) for one in shop.shop.carts.find(cart.token, now=shop.now).lines] for cart in carts]
    assert sorted(lines) == [[(bench, 2)], [("TABLE", 2)]]
    assert shop.stock(bench) == (2, 0, 2)
