"""The last part of a kit, wanted by two at once: PostgreSQL gives it to one of them, and the other keeps nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backoffice.erp import holds
from backoffice.erp import models as t
from tests.concurrency.test_at_the_same_moment import both, busy_workshop
from tests.integration.chain.conftest import Workshop
from tests.integration.chain.test_kits import found_kit

pytestmark = pytest.mark.postgresql
__all__ = ["busy_workshop"]  # the fixture


def test_two_kits_for_one_last_part(busy_workshop: Workshop) -> None:
    shop = busy_workshop
    shop.db.run(lambda session: found_kit(session, now=shop.now))
    assert sorted(both(*[lambda: shop.cart(SET=1)] * 3)) == ["done", "not_available", "not_available"]
    assert (shop.stock("VASE"), shop.stock("STOOL")) == ((1, 0, 1), (5, 0, 2))


def test_a_kit_and_its_last_part_alone(busy_workshop: Workshop) -> None:
    shop = busy_workshop
    shop.db.run(lambda session: found_kit(session, now=shop.now))
    said = both(lambda: shop.cart(SET=1), lambda: shop.cart(VASE=1))
    assert sorted(said) == ["done", "not_available"]
    assert shop.stock("VASE") == (1, 0, 1)
    assert shop.stock("STOOL") == (5, 0, 2 if said[0] == "done" else 0)


def test_a_dead_kit_is_released_once(busy_workshop: Workshop) -> None:
    shop = busy_workshop
    shop.db.run(lambda session: found_kit(session, now=shop.now))
    shop.cart(SET=1)
    shop.now += timedelta(minutes=20)
    said = both(
        lambda: shop.cart(VASE=1),
        lambda: shop.cart(LAMP=1),
        lambda: shop.db.run(lambda session: holds.sweep(session, now=shop.now)),
    )
    assert said == ["done"] * 3
    assert (shop.stock("VASE"), shop.stock("STOOL")) == ((1, 0, 1), (5, 0, 0))
    assert sorted(one.state for one in shop.rows(t.Reservation) if one.kit or one.split_from_id) == ["released"] * 4
