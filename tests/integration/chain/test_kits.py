"""A kit is sold as one line and kept, picked, shipped and given back part by part; a phantom is nothing but its parts.

A set is two stools, of which five are here, a lamp, of which ten come on Friday, and a vase, of which there is one and no more.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import verify
from backoffice.bridge.models import OutboxMessage
from backoffice.erp import (
    cancelling,
    counting,
    fulfilment,
    holds,
    offers,
    plan,
    production,
    purchasing,
    replan,
    sell_from,
    splitting,
    stock,
)
from backoffice.erp import models as t
from backoffice.public.errors import Refused
from tests.company import at, item_id
from tests.integration.chain.conftest import Workshop

PARTS = {"STOOL": 2, "LAMP": 1, "VASE": 1}


def found_kit(session: Session, *, now: Any, vases: int = 1) -> None:
    """Sell the set."""
    vase = session.get_one(t.Item, item_id(session, "VASE"))
    vase.source = "none"
    stock.move(session, vase.id, 1, vases, cause="opening", ref="opening:VASE", actor="test", now=now)
    product = t.Product(category_id=1, slug="set", name="Set")
    session.add(product)
    session.flush()
    sold = {"product_id": product.id, "on_sale": True, "sell_from": "production", "price_minor": 15_000}
    session.add(t.Item(sku="SET", name="Set", source="kit", **sold))
    session.flush()
    for position, (sku, quantity) in enumerate(PARTS.items()):
        part = {"component_id": item_id(session, sku), "quantity": quantity, "position": position}
        session.add(t.BomLine(parent_id=item_id(session, "SET"), **part))
    session.flush()
    plan.bump(session, master=True)
    offers.refresh(session, None, now=now)


@pytest.fixture
def sets(workshop: Workshop) -> Workshop:
    """The workshop, selling the set."""
    workshop.db.run(lambda session: found_kit(session, now=workshop.now))
    return workshop


def kept(workshop: Workshop) -> dict[str, tuple[str, int]]:
    """Return SKU → (state, quantity) of what is kept for the newest kit, the kit itself too."""
    names = {one.id: one.sku for one in workshop.rows(t.Item)}
    root = max(one.id for one in workshop.rows(t.Reservation) if one.kit)
    own = [one for one in workshop.rows(t.Reservation) if root in (one.id, one.split_from_id)]
    return {names[one.item_id]: (one.state, one.quantity) for one in own}


def test_its_day_is_that_of_its_last_part_and_its_price_its_own(sets: Workshop) -> None:
    assert sets.day("SET") == sets.day("LAMP") == date(2026, 11, 30)
    assert sets.day("STOOL", 2) == date(2026, 11, 25)
    assert "set" in sets.listed()
    cart = sets.cart(SET=1)
    assert cart.total.amount_minor == 15_000 + 500
    assert cart.lines[0].promise.deliver_on == date(2026, 11, 30)
    assert kept(sets) == {"SET": ("held", 1), "STOOL": ("held", 2), "LAMP": ("held", 1), "VASE": ("held", 1)}


def test_all_of_its_parts_are_kept_or_none(sets: Workshop) -> None:
    before = [sets.stock(sku) for sku in ("STOOL", "VASE")]
    with pytest.raises(Refused) as refused:
        sets.cart(SET=2)
    assert refused.value.code == "not_available"
    assert [sets.stock(sku) for sku in ("STOOL", "VASE")] == before
    assert sets.rows(t.Reservation) == []
    cart = sets.cart(SET=1)
    assert (sets.stock("STOOL"), sets.stock("VASE")) == ((5, 0, 2), (1, 0, 1))
    assert "set" not in sets.listed()
    with pytest.raises(Refused):
        sets.cart(VASE=1)
    sets.shop.carts.set_quantity(cart.token, "SET", 0, now=sets.now)
    assert {state for state, _ in kept(sets).values()} == {"released"}
    assert [sets.stock(sku) for sku in ("STOOL", "VASE")] == before
    assert sets.rows(t.PurchaseOrderLine)[0].pegged == 0


def test_it_dies_as_a_whole_when_somebody_needs_one_of_its_parts(sets: Workshop) -> None:
    sets.cart(SET=1)
    sets.now += timedelta(minutes=16)
    sets.cart(VASE=1)
    assert {state for state, _ in kept(sets).values()} == {"released"}
    assert (sets.stock("STOOL"), sets.stock("VASE")) == ((5, 0, 0), (1, 0, 1))


def test_a_cart_that_is_renewed_keeps_all_of_it(sets: Workshop) -> None:
    cart = sets.cart(SET=1)
    later = sets.now + timedelta(minutes=10)
    sets.shop.carts.renew(cart.token, now=later)
    assert {one.expires_at for one in sets.rows(t.Reservation)} == {later + timedelta(minutes=15)}


def test_it_is_bought_picked_and_shipped_by_part(sets: Workshop) -> None:
    start = sets.start(sets.cart(SET=1))
    assert {state for state, _ in kept(sets).values()} == {"paying"}
    sets.pay(start)
    order = sets.order(start)
    assert [(line.sku, line.quantity) for line in order.lines] == [("SET", 1)]
    assert {state for state, _ in kept(sets).values()} == {"converted"}
    [shipment] = sets.rows(t.Shipment)
    names = {one.id: one.sku for one in sets.rows(t.Item)}
    assert {names[one.item_id]: one.quantity for one in sets.rows(t.ShipmentLine)} == PARTS
    assert shipment.state == "waiting"
    [line] = sets.rows(t.PurchaseOrderLine)
    sets.do(purchasing.receive, line.id, 10, ref="in")
    for sku, quantity in PARTS.items():
        sets.do(fulfilment.pick, shipment.id, sku, quantity)
    sets.do(fulfilment.pack, shipment.id)
    sets.do(fulfilment.ship, shipment.id, tracking="")
    assert [sets.stock(sku) for sku in PARTS] == [(3, 0, 0), (9, 0, 0), (0, 0, 0)]
    assert {state for state, _ in kept(sets).values()} == {"shipped"}
    assert sets.order(start).state == "shipped"


def test_a_part_that_is_missing_at_the_shelf_follows_by_itself(sets: Workshop) -> None:
    [line] = sets.rows(t.PurchaseOrderLine)
    sets.do(purchasing.receive, line.id, 10, ref="in")
    start = sets.start(sets.cart(SET=1))
    sets.pay(start)
    [shipment] = sets.rows(t.Shipment)
    sets.do(splitting.short_pick, shipment.id, "STOOL", 1)
    assert [one.parcel for one in sets.rows(t.Shipment)] == [1, 2]
    assert kept(sets)["STOOL"][0] == "converted"
    for sku in PARTS:
        sets.do(fulfilment.pick, shipment.id, sku, 1)
    sets.do(fulfilment.pack, shipment.id)
    sets.do(fulfilment.ship, shipment.id, tracking="")
    order = sets.order(start)
    assert (order.state, [one.state for one in sets.rows(t.Reservation) if one.kit]) == ("picking", ["converted"])
    second = sets.rows(t.Shipment)[1]
    sets.do(fulfilment.pick, second.id, "STOOL", 1)
    sets.do(fulfilment.pack, second.id)
    sets.do(fulfilment.ship, second.id, tracking="")
    assert sets.order(start).state == "shipped"
    assert {one.state for one in sets.rows(t.Reservation)} == {"shipped"}
    assert [sets.stock(sku) for sku in PARTS] == [(2, 0, 0), (9, 0, 0), (0, 0, 0)]


def test_a_part_that_is_bought_beside_it_is_picked_for_both(sets: Workshop) -> None:
    [line] = sets.rows(t.PurchaseOrderLine)
    sets.do(purchasing.receive, line.id, 10, ref="in")
    sets.buy(SET=1, STOOL=1)
    [shipment] = sets.rows(t.Shipment)
    assert len(sets.rows(t.ShipmentLine)) == 4  # stools twice
    with pytest.raises(Refused):
        sets.do(fulfilment.pick, shipment.id, "STOOL", 4)
    assert sum(one.picked for one in sets.rows(t.ShipmentLine)) == 0
    for sku, quantity in {**PARTS, "STOOL": 3}.items():
        sets.do(fulfilment.pick, shipment.id, sku, quantity)
    sets.do(fulfilment.pack, shipment.id)
    assert all(one.picked == one.quantity for one in sets.rows(t.ShipmentLine))


def test_it_is_cancelled_as_one_line(sets: Workshop) -> None:
    order = sets.buy(SET=1)
    sets.db.run(lambda session: cancelling.cancel(session, order.number, now=sets.now))
    assert {state for state, _ in kept(sets).values()} == {"released"}
    assert [sets.stock(sku) for sku in ("STOOL", "VASE")] == [(5, 0, 0), (1, 0, 0)]
    assert sets.rows(t.PurchaseOrderLine)[0].pegged == 0
    assert sets.rows(t.Peg) == []


def test_when_one_part_comes_later_all_of_it_does(sets: Workshop) -> None:
    start = sets.start(sets.cart(SET=1))
    sets.pay(start)
    [line] = sets.rows(t.PurchaseOrderLine)
    assert sets.do(purchasing.move_due, line.id, at(2, 8, month=12), version=line.version) == 1
    [moved] = sets.order(start).lines
    assert (moved.promised_on, moved.expected_on) == (date(2026, 11, 30), date(2026, 12, 2))
    [root] = [one for one in sets.rows(t.Reservation) if one.kit]
    assert root.ready_at == at(1, 9, month=12)  # another one is ordered today: seven days


def test_while_one_part_has_no_day_a_later_day_of_another_is_none_for_all_of_it(sets: Workshop) -> None:
    start = sets.start(sets.cart(SET=1))
    sets.pay(start)
    with sets.db.read() as session:
        vase = item_id(session, "VASE")
    sets.do(counting.count_stock, vase, 1, 0, ref="count:vase")
    assert not sets.order(start).lines[0].day_known
    [line] = sets.rows(t.PurchaseOrderLine)
    sets.do(purchasing.move_due, line.id, at(2, 8, month=12), version=line.version)
    assert not sets.order(start).lines[0].day_known
    assert [mail.kind for mail in sets.rows(OutboxMessage)] == ["order_confirmed", "day_unknown"]
    sets.do(counting.count_stock, vase, 1, 1, ref="count:again")
    assert replan.find_days(sets.db, now=sets.now) == 1
    found = sets.order(start).lines[0]
    assert (found.day_known, found.expected_on) == (True, date(2026, 12, 2))


def test_work_for_a_part_that_should_have_begun_is_planned_anew_when_it_is_paid(sets: Workshop) -> None:
    def with_table(session: Session) -> None:
        session.add(t.BomLine(parent_id=item_id(session, "SET"), component_id=item_id(session, "TABLE"), quantity=1))
        session.flush()
        plan.bump(session, master=True)

    sets.db.run(with_table)
    start = sets.start(sets.cart(SET=1))
    [first] = {one.starts_at for one in sets.rows(t.ProductionOrder) if one.item_id == 5}
    sets.now = first + timedelta(minutes=5)
    sets.pay(start)
    assert {one.state for one in sets.rows(t.ProductionOrder)} == {"planned"}
    assert min(one.starts_at for one in sets.rows(t.ProductionOrder)) >= sets.now
    assert {state for state, _ in kept(sets).values()} == {"converted"}


def test_a_kit_is_sold_from_whatever_its_parts_come_from(sets: Workshop) -> None:
    def sell(session: Session) -> None:
        sell_from.set_policy(session, sell_from.get_items(session, "SET"), "stock", now=sets.now)

    with pytest.raises(Refused):
        sets.db.run(sell)
    assert sets.rows(t.Item, sku="SET")[0].sell_from == "production"


@pytest.mark.parametrize("state", ["released", "held"])
def test_a_kit_whose_parts_are_elsewhere_is_found(sets: Workshop, state: str) -> None:
    sets.buy(SET=1)
    with Session(sets.db.engine) as session:  # and nothing of it stays
        session.execute(sa.text(f"UPDATE reservation SET state = '{state}' WHERE split_from_id = 1"))  # noqa: S608 - our own word
        assert "I2 kit 1 is converted, and its parts are not" in verify.breaches(session, now=sets.now)


def test_a_phantom_is_blown_through(workshop: Workshop) -> None:
    """The top is not made any more: its boards go into the table itself, after the one top that lies there."""

    def blow(session: Session) -> None:
        session.get_one(t.Item, item_id(session, "TOP")).source = "phantom"
        stock.move(session, item_id(session, "TOP"), 1, 1, cause="opening", ref="o:TOP", actor="test", now=workshop.now)
        plan.bump(session, master=True)

    workshop.db.run(blow)
    workshop.buy(TABLE=2)
    [made] = workshop.rows(t.ProductionOrder)
    names = {one.id: one.sku for one in workshop.rows(t.Item)}
    assert names[made.item_id] == "TABLE"
    needed = {names[one.item_id]: one.quantity for one in workshop.rows(t.Peg) if one.production_order_id == made.id}
    assert needed == {"TOP": 1, "BOARD": 2, "LEG": 8}
    workshop.do(production.finish, made.id)
    assert [workshop.stock(sku)[0] for sku in ("TOP", "BOARD", "LEG", "TABLE")] == [0, 18, 4, 2]


def test_a_kit_cannot_be_held_twice_over(sets: Workshop) -> None:
    sets.cart(SET=1)
    part = next(one for one in sets.rows(t.Reservation) if not one.kit)
    assert sets.db.run(lambda session: holds.release(session, part.id, now=sets.now)) is True
    assert {state for state, _ in kept(sets).values()} == {"released"}
    assert sets.db.run(lambda session: holds.release(session, part.id, now=sets.now)) is False
