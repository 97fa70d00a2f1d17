"""Another address for an order: its label follows, its day stays, and what cannot be kept is refused with the new day."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from backoffice.audit import AuditEntry
from backoffice.crm import redirecting
from backoffice.crm.models import Activity, Checkout, Order, OrderLine
from backoffice.erp import fulfilment
from backoffice.erp.models import Shipment
from backoffice.public.errors import BadInput, NotFound, Refused
from tests.integration.chain.conftest import Workshop
from tests.integration.chain.test_companies import BEA

THERE = {
    "name": "Ada L.",
    "company": "",
    "street": "Neue Str. 2",
    "city": "Berlin",
    "region": "",
    "postcode": "10999",
    "phone": "",
}


def send(shop: Workshop, number: str, version: int | None = None, **typed: str) -> None:
    seen = shop.rows(Order, number=number)[0].version if version is None else version
    shop.db.run(lambda session: redirecting.redirect(session, number, THERE | typed, version=seen, by=BEA, now=shop.now))


def state(shop: Workshop) -> list[str]:
    kinds: list[Any] = [Checkout, Order, OrderLine, Shipment, Activity, AuditEntry]
    return [str({c.name: getattr(row, c.name) for c in kind.__table__.columns}) for kind in kinds for row in shop.rows(kind)]


def test_the_label_and_the_customer_s_page_follow_and_the_day_stays(workshop: Workshop) -> None:
    start = workshop.start(workshop.cart(STOOL=1, TABLE=1), note="Ring twice")
    workshop.pay(start)
    before = workshop.order(start)
    send(workshop, before.number)
    send(workshop, before.number)  # pressed twice
    after = workshop.order(start)
    assert after.address == ["Ada L.", "Neue Str. 2", "10999 Berlin"]
    assert (after.name, after.promised_on, after.expected_on) == ("Ada L.", before.promised_on, before.expected_on)
    for parcel in workshop.rows(Shipment):
        assert (parcel.ship_to["street"], parcel.ship_to["postcode"], parcel.ship_to["note"]) == (
            "Neue Str. 2",
            "10999",
            "Ring twice",
        )
    said = workshop.rows(Activity, kind="redirected")
    assert [(one.text, one.actor) for one in said] == [("Ada L., Neue Str. 2, 10999 Berlin", "Bea")]
    [entry] = workshop.rows(AuditEntry)
    assert (entry.action, entry.details["before"]["street"], entry.details["after"]["street"]) == (
        "order.redirect",
        "Weg 1",
        "Neue Str. 2",
    )


def test_a_place_that_takes_longer_is_refused_with_its_day(workshop: Workshop) -> None:
    order = workshop.buy(STOOL=1)
    assert order.expected_on == date(2026, 11, 25)
    before = state(workshop)
    with pytest.raises(Refused) as refused:
        send(workshop, order.number, postcode="80331", city="München")
    assert (refused.value.code, refused.value.details["on"]) == ("later_there", date(2026, 11, 26))
    assert state(workshop) == before


def test_a_nearer_place_keeps_the_day(workshop: Workshop) -> None:
    cart = workshop.shop.carts.set_postcode(workshop.cart(STOOL=1).token, "80331", country="DE", now=workshop.now)
    start = workshop.start(cart, postcode="80331", city="München")
    workshop.pay(start)
    number = workshop.order(start).number
    send(workshop, number)
    [parcel] = workshop.rows(Shipment)
    assert (parcel.promised_on, parcel.expected_on, parcel.ship_by_on) == (
        date(2026, 11, 26),
        date(2026, 11, 26),
        date(2026, 11, 24),
    )


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        ({"postcode": "99999"}, {"postcode": "unknown_postcode"}),
        ({"street": " ", "city": ""}, {"street": "required", "city": "required"}),
        ({"company": "x" * 201}, {"company": "shorten"}),
        ({"name": "a\u0007"}, {"name": "bad_character"}),
    ],
)
def test_what_is_wrong_is_named_and_nothing_changes(workshop: Workshop, typed: dict[str, str], fields: dict[str, str]) -> None:
    number = workshop.buy(STOOL=1).number
    before = state(workshop)
    with pytest.raises(BadInput) as wrong:
        send(workshop, number, **typed)
    assert wrong.value.fields == fields
    assert state(workshop) == before


def test_a_stale_page_and_a_closed_parcel_change_nothing(workshop: Workshop) -> None:
    number = workshop.buy(STOOL=1).number
    with pytest.raises(Refused) as refused:
        send(workshop, number, 99)
    assert refused.value.code == "stale"
    [parcel] = workshop.rows(Shipment)
    workshop.do(fulfilment.pick, parcel.id, "STOOL", 1)
    workshop.do(fulfilment.pack, parcel.id)
    before = state(workshop)
    with pytest.raises(Refused) as refused:
        send(workshop, number)
    assert refused.value.code == "too_late_to_redirect"
    assert state(workshop) == before
    with pytest.raises(NotFound):
        workshop.db.run(lambda session: redirecting.redirect(session, "SF-NONE", THERE, version=1, by=BEA, now=workshop.now))
