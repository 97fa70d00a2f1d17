"""Prices that fall by quantity: the same in the page, the cart, the checkout and the API; a code comes after."""

from __future__ import annotations

import pytest

from backoffice.crm import coupon_rules
from backoffice.erp import models as t
from backoffice.erp import pricing
from backoffice.public.errors import BadInput, Refused
from tests.company import item_id
from tests.integration.chain.conftest import Workshop


def set_tiers(workshop: Workshop, tiers: dict[int, int]) -> None:
    workshop.db.run(lambda s: pricing.set_tiers(s, item_id(s, "STOOL"), tiers, by="Petra", now=workshop.now))


def code(workshop: Workshop, kind: str, value: int) -> None:
    values = {"code": "TEN", "kind": kind, "value": value, "from_quantity": 3, "minimum_minor": 0, "starts_at": None}
    values |= {"ends_at": None, "use_limit": None, "per_customer": None, "active": True}
    workshop.db.run(lambda s: coupon_rules.save(s, values, by="Ada", now=workshop.now))


@pytest.mark.parametrize(("pieces", "each"), [(1, 4_900), (2, 4_900), (3, 4_500), (4, 4_500), (5, 4_000)])
def test_the_price_of_so_many(workshop: Workshop, pieces: int, each: int) -> None:
    set_tiers(workshop, {3: 4_500, 5: 4_000})
    cart = workshop.cart(STOOL=pieces)
    assert (cart.lines[0].unit_price.amount_minor, cart.total.amount_minor) == (each, each * pieces + 500)
    order = workshop.buy(STOOL=pieces) if pieces < 3 else None
    if order:
        assert order.lines[0].unit_price.amount_minor == each


def test_it_is_what_is_paid_and_written(workshop: Workshop) -> None:
    set_tiers(workshop, {3: 4_500})
    order = workshop.buy(STOOL=4)
    assert (order.total.amount_minor, order.lines[0].unit_price.amount_minor) == (18_500, 4_500)
    page = workshop.shop.catalogue.get_product("stool", language="en", now=workshop.now)
    assert [(least, price.amount_minor) for least, price in page.variants[0].tiers] == [(3, 4_500)]


def test_a_code_takes_its_part_of_what_is_left(workshop: Workshop) -> None:
    set_tiers(workshop, {3: 4_500})
    code(workshop, "percent", 10)
    cart = workshop.cart(STOOL=4)
    cart = workshop.shop.carts.set_coupon(cart.token, "TEN", tried_by="t", now=workshop.now)
    assert (cart.discount.amount_minor, cart.total.amount_minor) == (1_800, 16_700)
    workshop.pay(workshop.start(cart))
    assert workshop.orders()[0].total_minor == 16_700


def test_a_price_that_changed_is_refused_and_nothing_is_bought(workshop: Workshop) -> None:
    set_tiers(workshop, {3: 4_500})
    cart = workshop.cart(STOOL=4)
    set_tiers(workshop, {3: 4_600})
    with pytest.raises(Refused, match="price_changed") as refusal:
        workshop.start(cart)
    assert (refusal.value.details["total_minor"], workshop.orders()) == (18_900, [])
    fresh = workshop.shop.carts.find(cart.token, now=workshop.now)
    assert (fresh.lines[0].was_price.amount_minor, fresh.lines[0].unit_price.amount_minor) == (4_500, 4_600)
    set_tiers(workshop, {})
    assert workshop.shop.carts.find(cart.token, now=workshop.now).lines[0].unit_price.amount_minor == 4_900


@pytest.mark.parametrize("wrong", [{1: 4_000}, {3: 4_900}, {3: 4_500, 5: 4_500}, {3: -1}, {n + 2: 4_000 - n for n in range(11)}])
def test_tiers_that_make_no_sense_change_nothing(workshop: Workshop, wrong: dict[int, int]) -> None:
    set_tiers(workshop, {3: 4_500})
    with pytest.raises(BadInput):
        set_tiers(workshop, wrong)
    assert [(one.from_quantity, one.price_minor) for one in workshop.rows(t.PriceTier)] == [(3, 4_500)]
