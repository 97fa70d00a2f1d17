"""Faster at a price: a service's own days and cut-off, from the cart to the parcel, and sums that add up.

Tuesday 24 November, 09:00. Munich (80331) takes two days the usual way, for 5.00; Express one, for 14.90, packed by 12:00.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import models as crm
from backoffice.erp import factory, fulfilment, plan, services, shipping, waves
from backoffice.erp import models as t
from backoffice.payments.models import Payment
from backoffice.public.errors import BadInput, Refused
from tests.company import at
from tests.integration.chain.conftest import Workshop

MUNICH = "80331"
TUE, WED, THU, FRI = (date(2026, 11, day) for day in (24, 25, 26, 27))
EXPRESS = {
    "code": "express", "name": "Express", "position": 1, "price_minor": 1_490, "transit_days": 1, "cutoff_minute": 720,
    "countries": ["DE"], "active": True,
}  # fmt: skip


def write(workshop: Workshop, **changes: Any) -> None:
    named = {"by": "admin@werk.test", "role": "admin", "now": workshop.now}
    workshop.db.run(lambda session: services.save(session, EXPRESS | changes, **named))


@pytest.fixture
def express(workshop: Workshop) -> Workshop:
    write(workshop)
    return workshop


def to_munich(workshop: Workshop, **lines: int) -> Any:
    cart = None
    for sku, quantity in lines.items():
        cart = workshop.shop.carts.add(cart.token if cart else None, sku, quantity, postcode=MUNICH, now=workshop.now)
    return cart


def choose(workshop: Workshop, cart: Any, code: str) -> Any:
    return workshop.shop.carts.set_service(cart.token, code, now=workshop.now)


def shown(cart: Any) -> list[tuple[str, int, date | None]]:
    return [(one.code, one.price.amount_minor, one.deliver_on) for one in cart.services]


def test_price_and_day_are_named_before_choosing_and_hold_after(express: Workshop) -> None:
    cart = to_munich(express, STOOL=2)
    assert shown(cart) == [("", 500, THU), ("express", 1_490, WED)]
    assert (cart.deliver_on, cart.total.amount_minor) == (THU, 2 * 4_900 + 500)
    faster = choose(express, cart, "express")
    assert (faster.service, faster.service_name, faster.deliver_on) == ("express", "Express", WED)
    assert (faster.shipping.amount_minor, faster.total.amount_minor) == (1_490, 2 * 4_900 + 1_490)
    assert shown(faster) == shown(cart)
    usual = choose(express, faster, "")
    assert (usual.deliver_on, usual.total.amount_minor) == (THU, 2 * 4_900 + 500)


def test_its_own_cut_off_counts(express: Workshop) -> None:
    express.now = at(24, 12)
    assert shown(to_munich(express, STOOL=1)) == [("", 500, THU), ("express", 1_490, THU)]
    assert to_munich(express, STOOL=1).worth_choosing == ()  # nobody pays for the same day
    express.now = at(24, 14)
    assert shown(to_munich(express, STOOL=1)) == [("", 500, FRI), ("express", 1_490, THU)]


def test_the_order_the_payment_and_the_parcel_have_it(express: Workshop) -> None:
    cart = choose(express, to_munich(express, STOOL=1, LAMP=1), "express")
    start = express.start(cart, postcode=MUNICH)
    [payment] = express.rows(Payment)
    assert payment.amount_minor == 4_900 + 7_900 + 1_490 == cart.total.amount_minor
    express.pay(start)
    order = express.order(start)
    assert (order.service, order.shipping.amount_minor, order.total.amount_minor) == ("Express", 1_490, 14_290)
    assert order.subtotal.amount_minor + order.shipping.amount_minor == order.total.amount_minor
    assert order.promised_on == date(2026, 11, 30)  # the lamp comes on Friday at 08:00, leaves that day, travels one day
    [parcel] = express.rows(t.Shipment)
    assert parcel.ship_to["service"] == "express"
    with express.db.read() as session:
        way = fulfilment.way_of(session, parcel, now=express.now)
        assert (way.service, way.shipping.transit_days, way.shipping.cutoff_minute) == ("express", 1, 720)


def test_what_is_sold_stays_as_it_was_when_the_service_ends(express: Workshop) -> None:
    start = express.start(choose(express, to_munich(express, STOOL=1), "express"), postcode=MUNICH)
    write(express, active=False, price_minor=9_999)
    express.pay(start)
    order = express.order(start)
    assert (order.promised_on, order.expected_on, order.total.amount_minor) == (WED, WED, 4_900 + 1_490)


def test_a_cart_whose_service_ends_goes_the_usual_way_and_is_not_paid_as_it_was_shown(express: Workshop) -> None:
    cart = choose(express, to_munich(express, STOOL=1), "express")
    write(express, active=False)
    with pytest.raises(Refused) as refused:
        express.start(cart, postcode=MUNICH)
    assert refused.value.code in ("day_moved", "price_changed")
    assert express.rows(crm.Checkout) == []
    found = express.shop.carts.find(cart.token, now=express.now)
    assert (found.service, found.services, found.shipping.amount_minor, found.deliver_on) == ("", [], 500, THU)


def test_a_price_that_changes_is_said_before_it_is_paid(express: Workshop) -> None:
    cart = choose(express, to_munich(express, STOOL=1), "express")
    write(express, price_minor=1_590)
    with pytest.raises(Refused, match="price_changed"):
        express.start(cart, postcode=MUNICH)


def test_an_asked_day_is_kept_by_the_faster_one(express: Workshop) -> None:
    late = express.shop.carts.ask_for_day(to_munich(express, TABLE=1).token, WED, now=express.now)
    assert (late.in_time, [one.deliver_on for one in late.services]) == (False, [THU, WED])
    assert choose(express, late, "express").in_time


@pytest.mark.parametrize("code", ["courier", "EXPRESS", "x" * 300, " express", "'; --"])
def test_what_is_not_offered_is_refused_and_changes_nothing(express: Workshop, code: str) -> None:
    cart = to_munich(express, STOOL=1)
    with pytest.raises(BadInput):
        choose(express, cart, code)
    assert express.shop.carts.find(cart.token, now=express.now) == cart


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"code": "Ex press"}, "code"),
        ({"name": " "}, "name"),
        ({"price_minor": -1}, "price_minor"),
        ({"price_minor": None}, "price_minor"),
        ({"transit_days": 61}, "transit_days"),
        ({"cutoff_minute": 1441}, "cutoff_minute"),
        ({"countries": ["DE", "XX"]}, "countries"),
    ],
)
def test_a_service_that_makes_no_sense_is_not_saved(express: Workshop, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as refused:
        write(express, **changes)
    assert set(refused.value.fields) == {field}
    assert [one.price_minor for one in express.rows(t.ShippingService)] == [1_490]


def test_without_services_there_is_nothing_to_choose(workshop: Workshop) -> None:
    cart = workshop.cart(STOOL=1)
    assert (cart.services, cart.service, cart.shipping.amount_minor) == ([], "", 500)


def test_one_that_does_not_go_to_a_country_is_the_usual_way_there(express: Workshop) -> None:
    def abroad(session: Session) -> None:
        session.execute(sa.update(t.ShippingService).values(countries=["AT"]))
        plan.bump(session, master=True)

    express.db.run(abroad)
    with express.db.read() as session:
        way = shipping.destination(session, factory.load(session, now=express.now), country="DE", postcode=MUNICH,
                                   service="express", now=express.now)  # fmt: skip
    assert (way.service, way.shipping.transit_days) == ("", 2)


def test_a_service_with_a_cut_off_of_its_own_is_picked_in_waves_of_its_own(express: Workshop) -> None:
    for code in ("", "express", ""):
        cart = to_munich(express, STOOL=1)
        cart = choose(express, cart, code) if code else cart
        express.pay(express.start(cart, postcode=MUNICH))
    with express.db.read() as session:
        found = waves.departures(session, now=express.now)
        told = [(one.cut_off_at, one.cutoff_minute, one.services, [parcel.id for parcel in one.parcels]) for one in found]
    assert told == [(at(24, 12), 720, ["Express"], [2]), (at(24, 14), 840, [], [1, 3])]
    first = express.do(waves.release, 1, "Parcel Post", TUE, cutoff_minute=720)
    assert (first.parcels, first.wave.cut_off_at) == (1, at(24, 12))
    with pytest.raises(Refused, match="nothing_to_release"):
        express.do(waves.release, 1, "Parcel Post", TUE, cutoff_minute=720)
    second = express.do(waves.release, 1, "Parcel Post", TUE)
    assert (second.parcels, second.wave.cut_off_at) == (2, at(24, 14))
    assert [one.wave_id for one in express.rows(t.Shipment)] == [2, 1, 2]
