"""Fifty buyers and a code for one, PostgreSQL: one of them has it, the others are told and have lost nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest

from backoffice import bootstrap
from backoffice.config import Settings
from backoffice.crm.models import CartLine, Checkout
from backoffice.db import Database
from tests.company import open_company
from tests.concurrency.test_at_the_same_moment import both
from tests.integration.chain.conftest import Workshop
from tests.integration.chain.test_coupons import use, used, write

pytestmark = pytest.mark.postgresql
BUYERS = 50


@pytest.fixture
def crowd(postgres_db: Database, settings_for: Callable[..., Settings], now: datetime) -> Iterator[Workshop]:
    """The open workshop with a stool for everybody; after every test all its figures must still add up."""
    postgres_db.run(lambda session: open_company(session, now=now, stools=BUYERS))
    services = bootstrap.build(settings_for(postgres_db.url), clock=lambda: now)
    shop = Workshop(services, now)
    yield shop
    assert shop.breaches() == []
    services.db.dispose()


def test_fifty_use_a_code_for_one(crowd: Workshop) -> None:
    write(crowd, use_limit=1)
    carts = [use(crowd, crowd.cart(STOOL=1), tried_by=f"192.0.2.{number}") for number in range(BUYERS)]

    def start(number: int) -> Callable[[], object]:
        return lambda: crowd.start(carts[number], email=f"buyer{number}@example.test")

    said = Counter(both(*(start(number) for number in range(BUYERS))))
    assert said == {"done": 1, "coupon_invalid": BUYERS - 1}
    assert used(crowd) == [(1, [1], ["live"])]
    assert len(crowd.rows(Checkout)) == 1
    assert len(crowd.rows(CartLine)) == BUYERS
    assert crowd.stock("STOOL") == (BUYERS, 0, BUYERS)  # everybody's stool is still kept for them


def test_one_buyer_in_many_windows_uses_it_once(crowd: Workshop) -> None:
    write(crowd, per_customer=1)
    carts = [use(crowd, crowd.cart(STOOL=1), tried_by=f"192.0.2.{number}") for number in range(8)]
    said = Counter(both(*((lambda one=one: crowd.start(one)) for one in carts)))  # type: ignore[misc] # bound early
    assert said == {"done": 1, "coupon_invalid": 7}
    crowd.now += timedelta(minutes=32)
    both(*[lambda: crowd.services.till.poll(now=crowd.now)] * 4)
    assert used(crowd) == [(0, [0], ["released"])]
