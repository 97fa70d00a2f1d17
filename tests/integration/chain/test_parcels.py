"""Parcels: dated ones, the rest of a waiting one, and what a picker did not find."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from backoffice.crm.models import OrderLine
from backoffice.erp import fulfilment, purchasing, splitting
from backoffice.erp import models as t
from backoffice.public.errors import BadInput, Refused
from tests.company import at
from tests.integration.chain.conftest import Workshop


def parcels(workshop: Workshop, number: str) -> list[Any]:
    return workshop.rows(t.Shipment, order_ref=number)


def ship(workshop: Workshop, shipment: Any, **lines: int) -> None:
    for sku, quantity in lines.items():
        workshop.do(fulfilment.pick, shipment.id, sku, quantity)
    workshop.do(fulfilment.pack, shipment.id)
    workshop.do(fulfilment.ship, shipment.id, tracking=f"T{shipment.parcel}")


def part(workshop: Workshop, shipment_id: int) -> Any:
    return workshop.db.run(lambda session: splitting.send_part(session, shipment_id, now=workshop.now))


def dated(workshop: Workshop, **lines: int) -> Any:
    cart = workshop.shop.carts.set_parcels(workshop.cart(**lines).token, "dated", now=workshop.now)
    start = workshop.start(cart)
    workshop.pay(start)
    return start


def test_the_cart_names_the_day_of_each_parcel(workshop: Workshop) -> None:
    cart = workshop.cart(STOOL=1, LAMP=1)
    assert [(one.deliver_on, list(one.skus)) for one in cart.dated] == [
        (date(2026, 11, 25), ["STOOL"]),
        (date(2026, 11, 30), ["LAMP"]),
    ]
    assert (cart.parcels, cart.deliver_on) == ("one", date(2026, 11, 30))


def test_an_unknown_choice_is_refused_and_nothing_changes(workshop: Workshop) -> None:
    cart = workshop.cart(STOOL=1)
    with pytest.raises(BadInput) as refused:
        workshop.shop.carts.set_parcels(cart.token, "three", now=workshop.now)
    assert refused.value.fields == {"parcels": "bad_choice"}
    again = workshop.shop.carts.find(cart.token, now=workshop.now)
    assert again is not None
    assert (again.parcels, again.version) == ("one", cart.version)


def test_dated_parcels_leave_each_on_its_day(workshop: Workshop) -> None:
    start = dated(workshop, STOOL=1, LAMP=1)
    order = workshop.order(start)
    first, second = parcels(workshop, order.number)
    assert [(p.parcel, p.state, p.promised_on) for p in (first, second)] == [
        (1, "to_pick", date(2026, 11, 25)),
        (2, "waiting", date(2026, 11, 30)),
    ]
    ship(workshop, first, STOOL=1)
    order = workshop.order(start)
    assert (order.state, [p.state for p in order.parcels]) == ("picking", ["shipped", "waiting"])
    assert {line.sku: line.expected_on for line in order.lines} == {"STOOL": date(2026, 11, 25), "LAMP": date(2026, 11, 30)}
    assert order.cancellable is False


def test_one_parcel_promises_one_day(workshop: Workshop) -> None:
    order = workshop.buy(STOOL=1, LAMP=1)
    [parcel] = parcels(workshop, order.number)
    assert (parcel.state, parcel.promised_on) == ("waiting", date(2026, 11, 30))
    assert {line.promised_on for line in order.lines} == {date(2026, 11, 30)}


def test_what_is_here_leaves_and_the_rest_follows(workshop: Workshop) -> None:
    order = workshop.buy(STOOL=2, LAMP=3)
    [parcel] = parcels(workshop, order.number)
    part(workshop, parcel.id)
    first, second = parcels(workshop, order.number)
    assert (first.state, second.state, second.parcel) == ("to_pick", "waiting", 2)
    ship(workshop, first, STOOL=2)
    [line] = workshop.rows(t.PurchaseOrderLine)
    workshop.do(purchasing.receive, line.id, 10, ref="lamps")
    assert parcels(workshop, order.number)[1].state == "to_pick"
    ship(workshop, second, LAMP=3)
    [placed] = workshop.orders()
    assert placed.state == "shipped"


def test_a_line_that_came_in_part_is_parted(workshop: Workshop) -> None:
    order = workshop.buy(LAMP=5)
    [line] = workshop.rows(t.PurchaseOrderLine)
    workshop.do(purchasing.receive, line.id, 2, ref="two lamps")
    [parcel] = parcels(workshop, order.number)
    assert parcel.state == "waiting"
    part(workshop, parcel.id)
    first, second = parcels(workshop, order.number)
    assert [(r.quantity, r.split_from_id is None) for r in workshop.rows(t.Reservation, order_ref=order.number)] == [
        (2, True),
        (3, False),
    ]
    ship(workshop, first, LAMP=2)
    assert workshop.stock("LAMP") == (0, 0, 0)
    # the rest slips: the line of the order says so, though its own reservation has left
    workshop.do(purchasing.move_due, line.id, at(1, 8, month=12), version=2)
    assert parcels(workshop, order.number)[1].expected_on == date(2026, 12, 2)
    [placed] = workshop.orders()
    [ordered] = workshop.rows(OrderLine, order_id=placed.id)
    assert (ordered.promised_on, ordered.expected_on) == (date(2026, 11, 30), date(2026, 12, 2))
    assert second.order_ref == order.number


@pytest.mark.parametrize(("lines", "code"), [({"LAMP": 2}, "nothing_here"), ({"STOOL": 2}, "all_here")])
def test_there_must_be_something_to_send_and_something_to_follow(workshop: Workshop, lines: dict[str, int], code: str) -> None:
    order = workshop.buy(**lines)
    [parcel] = parcels(workshop, order.number)
    with pytest.raises(Refused) as refused:
        part(workshop, parcel.id)
    assert refused.value.code == code
    assert len(parcels(workshop, order.number)) == 1


def test_a_short_pick_corrects_the_shelf_and_sends_what_was_found(workshop: Workshop) -> None:
    order = workshop.buy(STOOL=5)
    [parcel] = parcels(workshop, order.number)
    workshop.do(fulfilment.start, parcel.id)
    workshop.do(splitting.short_pick, parcel.id, "STOOL", 3)
    first, second = parcels(workshop, order.number)
    assert (first.state, second.state) == ("picking", "waiting")
    assert workshop.stock("STOOL") == (3, 3, 0)
    [short] = workshop.rows(t.ShortPick)
    assert (short.missing, short.actor) == (2, "tester")
    ship(workshop, first, STOOL=3)
    assert workshop.stock("STOOL") == (0, 0, 0)
    [later] = workshop.rows(t.PurchaseOrder, state="proposed")  # two more are to be bought
    assert later.number.startswith("PO-")


def test_a_short_pick_of_all_there_was_lets_the_parcel_wait(workshop: Workshop) -> None:
    order = workshop.buy(STOOL=1)
    [parcel] = parcels(workshop, order.number)
    workshop.do(fulfilment.start, parcel.id)
    assert workshop.do(splitting.short_pick, parcel.id, "STOOL", 0) is None
    [parcel] = parcels(workshop, order.number)
    # four others are on the shelf by the figures, so the plan gives it one of those
    assert (parcel.state, workshop.stock("STOOL")) == ("picking", (4, 1, 0))


@pytest.mark.parametrize("found", [-1, 2, 3])
def test_a_short_pick_must_be_short(workshop: Workshop, found: int) -> None:
    order = workshop.buy(STOOL=2)
    [parcel] = parcels(workshop, order.number)
    workshop.do(fulfilment.start, parcel.id)
    with pytest.raises(BadInput):
        workshop.do(splitting.short_pick, parcel.id, "STOOL", found)
    assert (workshop.stock("STOOL"), workshop.rows(t.ShortPick)) == ((5, 2, 0), [])
