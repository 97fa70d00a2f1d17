"""Whoever looks at a cart that is as they left it reads it: nothing is written, nobody waits for its row."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from backoffice.crm.models import Cart, CartLine
from tests.statements import sent


def look(workshop, cart):
    """Return the cart as `visit` shows it, what was typed before, and whether the row of the cart was locked or written."""
    with sent(workshop.db) as said:
        seen, typed = workshop.shop.carts.visit(cart.token, now=workshop.now)
    changes = [one for one in said if one.startswith(("UPDATE", "INSERT", "DELETE")) or "FOR UPDATE" in one]
    return seen, typed, changes, said


def test_a_cart_as_it_was_left_is_only_read(workshop):
    cart = workshop.cart(STOOL=2, LAMP=1)
    workshop.now += timedelta(seconds=59)
    seen, typed, changes, said = look(workshop, cart)
    assert changes == []
    assert [one for one in said if one.startswith("SELECT plan_domain")] == []  # its versions came with the cart
    assert typed == {}
    assert (seen.version, seen.held_until, seen.deliver_on, seen.total) == (
        cart.version,
        cart.held_until,
        cart.deliver_on,
        cart.total,
    )


def test_after_a_minute_its_holds_are_renewed(workshop):
    cart = workshop.cart(STOOL=2)
    workshop.now += timedelta(seconds=61)
    seen, _, changes, _ = look(workshop, cart)
    assert changes != []
    assert seen.held_until == workshop.now + timedelta(minutes=15)


def test_a_price_that_moved_is_noted_and_a_lost_hold_is_won_again(workshop):
    cart = workshop.cart(STOOL=2)

    def forget(session):
        session.execute(sa.update(CartLine).values(shown_price_minor=1))

    workshop.db.run(forget)
    assert look(workshop, cart)[2] != []
    assert workshop.rows(CartLine)[0].shown_price_minor == cart.lines[0].unit_price.amount_minor
    workshop.now += timedelta(minutes=20)
    workshop.db.run(lambda session: session.execute(sa.update(Cart).values(updated_at=workshop.now)))
    seen, _, changes, _ = look(workshop, cart)
    assert changes != []
    assert seen.held_until == workshop.now + timedelta(minutes=15)


def test_what_was_typed_comes_back_after_the_payment_page_was_left(workshop):
    cart = workshop.cart(STOOL=2)
    workshop.start(cart)
    seen, typed, changes, _ = look(workshop, cart)  # their page is open: it is left first
    assert changes != []
    assert typed["email"] == "ada@example.test"
    assert seen.held_until is not None
    again, typed, changes, _ = look(workshop, cart)
    assert changes == []
    assert typed["email"] == "ada@example.test"
    assert again.version == seen.version
