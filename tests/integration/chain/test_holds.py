"""Holds keep material and minutes under one expiry, and never stand in their owner's way."""

from __future__ import annotations

from collections import deque
from datetime import date, timedelta

import pytest

from backoffice.crm.checkout import CHECKOUT_MOVES
from backoffice.crm.models import CartLine, Checkout
from backoffice.crm.orders import ORDER_MOVES
from backoffice.erp import holds
from backoffice.erp import models as t
from backoffice.erp.fulfilment import SHIPMENT_MOVES
from backoffice.erp.holds import HOLD_MOVES
from backoffice.payments.settling import PAYMENT_MOVES
from backoffice.public.errors import BadInput, Refused
from tests.company import at

WED, THU = date(2026, 11, 25), date(2026, 11, 26)


@pytest.mark.parametrize(
    ("moves", "start"),
    [
        (HOLD_MOVES, "held"),
        (ORDER_MOVES, "placed"),
        (SHIPMENT_MOVES, "waiting"),
        (PAYMENT_MOVES, "opened"),
        (CHECKOUT_MOVES, "open"),
    ],
)
def test_every_state_can_be_reached_and_left_only_as_the_table_says(moves, start):
    seen, waiting = {start}, deque([start])
    while waiting:
        for state in moves[waiting.popleft()]:
            if state not in seen:
                seen.add(state)
                waiting.append(state)
    assert seen == set(moves)
    assert any(not after for after in moves.values())  # there is an end


def test_the_last_one_leaves_the_catalogue_at_once(workshop):
    workshop.cart(STOOL=5)
    assert workshop.listed() == ["lamp", "table"]
    assert workshop.stock("STOOL") == (5, 0, 5)
    with pytest.raises(Refused):
        workshop.cart(STOOL=1)


def test_a_dead_hold_counts_no_longer_even_before_anybody_sweeps(workshop):
    workshop.cart(STOOL=5)
    workshop.now += timedelta(minutes=14, seconds=59)
    with pytest.raises(Refused):
        workshop.day("STOOL")
    workshop.now += timedelta(seconds=1)
    assert workshop.day("STOOL", 5) == WED
    assert "stool" in workshop.listed()
    workshop.cart(STOOL=5)
    assert workshop.stock("STOOL") == (5, 0, 5)


def test_sweeping_gives_back_what_dead_holds_kept(workshop):
    workshop.cart(STOOL=2, TABLE=1)
    assert workshop.stock("LEG") == (12, 0, 4)
    workshop.now += timedelta(minutes=15)
    assert workshop.db.run(lambda session: holds.sweep(session, now=workshop.now)) == 2
    assert workshop.stock("STOOL") == (5, 0, 0)
    assert workshop.stock("LEG") == (12, 0, 0)
    assert [order.state for order in workshop.rows(t.ProductionOrder)] == ["cancelled", "cancelled"]
    assert workshop.rows(t.OperationSlot) == []


def test_own_hold_never_competes(workshop):
    cart = workshop.cart(STOOL=5)
    assert workshop.day("STOOL", 5, cart=cart.token) == WED
    assert workshop.shop.carts.set_quantity(cart.token, "STOOL", 4, now=workshop.now).lines[0].quantity == 4
    assert workshop.stock("STOOL") == (5, 0, 4)


def test_the_same_one_twice_is_one_line(workshop):
    cart = workshop.cart(STOOL=2)
    cart = workshop.shop.carts.add(cart.token, "STOOL", 3, postcode=None, now=workshop.now)
    assert [(line.sku, line.quantity) for line in cart.lines] == [("STOOL", 5)]
    assert workshop.stock("STOOL") == (5, 0, 5)


def test_a_refused_change_changes_nothing(workshop):
    cart = workshop.cart(STOOL=2)
    for change in (6, 10_000):
        with pytest.raises((Refused, BadInput)):
            workshop.shop.carts.set_quantity(cart.token, "STOOL", change, now=workshop.now)
        assert workshop.stock("STOOL") == (5, 0, 2)
        assert [row.quantity for row in workshop.rows(CartLine)] == [2]
    with pytest.raises(BadInput):
        workshop.shop.carts.add(cart.token, "STOOL", 0, postcode=None, now=workshop.now)


def test_a_hold_keeps_machine_minutes(workshop):
    workshop.cart(TABLE=2)  # Saw 09:00–09:50, Assembly 09:50–12:20
    other = workshop.shop.promises.quote("TABLE", 1, postcode=None, cart=None, now=workshop.now)
    assert other.ready_at == at(24, 13, 50)  # 12:20 + 90 min
    workshop.cart(TABLE=1)
    assert workshop.stock("LEG") == (12, 0, 12)


def test_a_hold_renewed_after_its_work_was_to_begin_is_planned_anew(workshop):
    cart = workshop.cart(TABLE=1)  # Saw from 09:00
    workshop.now = at(24, 9, 10)
    cart = workshop.shop.carts.renew(cart.token, now=workshop.now)
    assert cart.lines[0].promise.ready_at == at(24, 11, 10)
    assert min(slot.starts_at for slot in workshop.rows(t.OperationSlot)) == workshop.now
    assert workshop.stock("LEG") == (12, 0, 4)


def test_two_carts_never_get_the_same_minute(workshop):
    first, second = workshop.cart(TABLE=1), workshop.cart(TABLE=1)
    assert first.lines[0].promise.ready_at == at(24, 11)
    assert second.lines[0].promise.ready_at == at(24, 12, 30)


def test_an_expired_cart_is_kept_and_says_what_moved(workshop):
    cart = workshop.cart(STOOL=5)
    workshop.now += timedelta(minutes=16)
    workshop.cart(STOOL=3)  # somebody else was faster
    seen = workshop.shop.carts.find(cart.token, now=workshop.now)
    assert [(line.quantity, line.promise, line.most) for line in seen.lines] == [(5, None, 2)]
    with pytest.raises(Refused) as refusal:
        workshop.start(seen)
    assert refusal.value.code == "not_available"
    assert workshop.stock("STOOL") == (5, 0, 3)
    assert workshop.rows(Checkout) == []


def test_a_day_that_moved_is_shown_before_anybody_pays(workshop):
    cart = workshop.cart(STOOL=1)
    assert cart.deliver_on == WED
    workshop.now = at(24, 14, 1)  # the day's last parcel has left while the cart was open
    with pytest.raises(Refused) as refusal:
        workshop.start(cart)
    assert (refusal.value.code, refusal.value.details["now_on"]) == ("day_moved", THU)
    seen = workshop.shop.carts.find(cart.token, now=workshop.now)
    assert seen.deliver_on == THU
    assert workshop.start(seen).pay_url  # seen and confirmed


def test_stale_pages_and_changed_prices_are_refused(workshop):
    cart = workshop.cart(STOOL=1)
    for change in ({"cart_version": cart.version - 1}, {"total_minor": 1}):
        with pytest.raises(Refused) as refusal:
            workshop.start(cart, **change)
        assert refusal.value.code in ("stale", "price_changed")
    assert workshop.rows(Checkout) == []
    assert [r.state for r in workshop.rows(t.Reservation)] == ["held"]


def test_a_wrong_form_names_every_field_and_keeps_the_cart(workshop):
    cart = workshop.cart(STOOL=1)
    with pytest.raises(BadInput) as error:
        workshop.start(cart, email="a@b", name=" ", street="x" * 201, postcode="00000")
    assert error.value.fields == {
        "email": "bad_email",
        "name": "required",
        "street": "too_long",
        "postcode": "unknown_postcode",
    }
    with pytest.raises(BadInput) as error:
        workshop.start(cart, postcode="00000")
    assert error.value.fields == {"postcode": "unknown_postcode"}
    assert [r.state for r in workshop.rows(t.Reservation)] == ["held"]
