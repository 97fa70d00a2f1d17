"""A second warehouse in Munich: one day to 80…, two to Berlin; it ships whole lines of what lies there, and plans nothing."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm.models import OrderLine
from backoffice.erp import counting, fulfilment, offers, plan, snapshot, sources, stock
from backoffice.erp import models as t
from backoffice.public.errors import Refused
from tests.company import item_id
from tests.integration.chain.conftest import Workshop

MUNICH = "80331"


@pytest.fixture
def munich(workshop: Workshop) -> int:
    """Open the warehouse with 2 STOOL, 1 VASE (there is none in Berlin), 1 TABLE and 40 BOARD on its shelves."""

    def open_it(session: Session) -> int:
        works = session.scalars(sa.select(t.Warehouse)).one()
        row = t.Warehouse(
            code="south",
            name="South",
            timezone="Europe/Berlin",
            calendar_id=works.calendar_id,
            carrier_calendar_id=works.carrier_calendar_id,
            carrier="South Post",
            cutoff_minute=14 * 60,
        )
        session.add(row)
        session.flush()
        session.add(t.WarehouseTransit(warehouse_id=row.id, country="DE", prefix="80", transit_days=1))
        session.add(t.WarehouseTransit(warehouse_id=row.id, country="DE", prefix="10", transit_days=2))
        for sku, quantity in {"STOOL": 2, "VASE": 1, "TABLE": 1, "BOARD": 40}.items():
            one = item_id(session, sku)
            stock.ensure_row(session, one, row.id, now=workshop.now)
            stock.move(session, one, row.id, quantity, cause="opening", ref=f"s:{sku}", actor="t", now=workshop.now)
        plan.bump(session, master=True)  # as whoever opens one does
        offers.refresh(session, None, now=workshop.now)
        return row.id

    return workshop.db.run(open_it)


def kept(workshop: Workshop, sku: str, warehouse_id: int) -> tuple[int, int, int]:
    with workshop.db.read() as session:
        row = stock.get_stock(session, item_id(session, sku), warehouse_id)
        return row.on_hand, row.allocated, row.reserved


def offer(workshop: Workshop, sku: str) -> t.Offer:
    with workshop.db.read() as session:
        return session.get_one(t.Offer, item_id(session, sku))


def buy(workshop: Workshop, postcode: str, **lines: int) -> str:
    cart = None
    for sku, quantity in lines.items():
        token = cart.token if cart else None
        cart = workshop.shop.carts.add(token, sku, quantity, postcode=postcode, now=workshop.now)
    start = workshop.start(cart, postcode=postcode)
    workshop.pay(start)
    return str(workshop.order(start).number)


@pytest.mark.parametrize(
    ("sku", "quantity", "postcode", "arrives"),
    [
        # now is Tue 24 Nov 09:00, before the cut-off: picked and handed over today
        ("STOOL", 1, "10115", date(2026, 11, 25)),  # the works: one day to Berlin
        ("STOOL", 1, MUNICH, date(2026, 11, 25)),  # Munich's shelf: one day; the works would need two
        ("STOOL", 3, MUNICH, date(2026, 11, 26)),  # not whole in Munich: the works
        ("VASE", 1, "10115", date(2026, 11, 26)),  # only in Munich: two days
    ],
)
def test_the_source_that_arrives_first_is_named(
    workshop: Workshop, munich: int, sku: str, quantity: int, postcode: str, arrives: date
) -> None:
    assert workshop.day(sku, quantity, postcode=postcode) == arrives


def test_what_lies_elsewhere_is_listed_and_its_card_says_the_same_day(workshop: Workshop, munich: int) -> None:
    assert offer(workshop, "VASE").warehouse_id == munich
    assert offer(workshop, "STOOL").warehouse_id is None
    cards = workshop.shop.catalogue.list_products(
        category=None, query=None, page=1, postcode=None, language="en", now=workshop.now
    ).cards
    days = {card.sku: card.promise.deliver_on for card in cards}
    assert days["VASE"] == date(2026, 11, 26) == workshop.day("VASE")


def test_more_than_lies_there_is_refused_with_what_could_be_had(workshop: Workshop, munich: int) -> None:
    with pytest.raises(Refused) as refused:
        workshop.cart(VASE=2)
    assert (refused.value.code, refused.value.details["most"]) == ("not_available", 1)
    assert kept(workshop, "VASE", munich) == (1, 0, 0)


def test_material_in_another_warehouse_makes_nothing_here(workshop: Workshop, munich: int) -> None:
    with workshop.db.read() as session:
        board, table = item_id(session, "BOARD"), item_id(session, "TABLE")
        assert snapshot.load(session, [table], now=workshop.now).most(board) == 20  # not 60
        assert sources.stocked(session, [table], now=workshop.now)[munich].most(table) == 1


def test_an_order_leaves_from_where_its_goods_lie(workshop: Workshop, munich: int) -> None:
    number = buy(workshop, MUNICH, STOOL=1, LAMP=1)
    assert kept(workshop, "STOOL", munich) == (2, 1, 0)
    parcels = workshop.rows(t.Shipment, order_ref=number)
    assert sorted((one.warehouse_id == munich, one.carrier, one.state) for one in parcels) == [
        (False, "Parcel Post", "waiting"),
        (True, "South Post", "to_pick"),
    ]
    (shipment,) = [one for one in parcels if one.warehouse_id == munich]
    workshop.do(fulfilment.pick, shipment.id, "STOOL", 1)
    workshop.do(fulfilment.pack, shipment.id)
    workshop.do(fulfilment.ship, shipment.id, tracking="T1")
    assert kept(workshop, "STOOL", munich) == (1, 0, 0)


def test_the_last_one_there_is_sold_once(workshop: Workshop, munich: int) -> None:
    workshop.cart(VASE=1)
    assert kept(workshop, "VASE", munich) == (1, 0, 1)
    with pytest.raises(Refused):
        workshop.cart(VASE=1)
    assert "vase" not in workshop.listed()


def test_a_hold_is_given_back_to_its_own_warehouse(workshop: Workshop, munich: int) -> None:
    cart = workshop.cart(VASE=1)
    workshop.shop.carts.set_quantity(cart.token, "VASE", 0, now=workshop.now)
    assert kept(workshop, "VASE", munich) == (1, 0, 0)
    assert "vase" in workshop.listed()


def test_goods_that_are_missing_there_come_from_the_works_and_the_parcel_moves(workshop: Workshop, munich: int) -> None:
    number = buy(workshop, MUNICH, STOOL=2)
    (before,) = workshop.rows(t.Shipment, order_ref=number)
    assert before.warehouse_id == munich
    with workshop.db.read() as session:
        stool = item_id(session, "STOOL")
    workshop.do(counting.count_stock, stool, munich, 0, ref="count-1")
    (after,) = workshop.rows(t.Shipment, order_ref=number)
    assert (after.id, after.warehouse_id != munich, after.carrier, after.state) == (before.id, True, "Parcel Post", "to_pick")
    (line,) = workshop.rows(OrderLine)
    assert (line.promised_on, line.expected_on) == (date(2026, 11, 25), date(2026, 11, 26))  # two days from the works
    assert kept(workshop, "STOOL", munich) == (0, 0, 0)
    assert kept(workshop, "STOOL", after.warehouse_id) == (5, 2, 0)


def test_a_line_whose_goods_are_missing_leaves_the_parcel_of_its_mates(workshop: Workshop, munich: int) -> None:
    number = buy(workshop, MUNICH, STOOL=1, VASE=1)
    (before,) = workshop.rows(t.Shipment, order_ref=number)
    with workshop.db.read() as session:
        stool = item_id(session, "STOOL")
    workshop.do(counting.count_stock, stool, munich, 0, ref="count-1")
    stays, moved = workshop.rows(t.Shipment, order_ref=number)
    inside = {one.shipment_id: one.item_id for one in workshop.rows(t.ShipmentLine)}
    assert (stays.id, stays.warehouse_id, stays.state) == (before.id, munich, "to_pick")
    assert (moved.parcel, moved.warehouse_id != munich, moved.state, inside[moved.id]) == (2, True, "to_pick", stool)
