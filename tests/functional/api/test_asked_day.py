"""A cart by an asked day over the API; exact values from the hand-made workshop."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from backoffice.erp import models as t
from backoffice.erp import services
from tests.company import item_id
from tests.functional.api.conftest import Caller


def make(api: Caller, sku: str = "TABLE", quantity: int = 4) -> str:
    return str(api.send("POST", "/carts", {"sku": sku, "quantity": quantity}).get_json()["token"])


def test_no_says_the_earliest_day_and_what_would_have_to_change(api: Caller) -> None:
    token = make(api)
    cart = api.send("PUT", f"/carts/{token}/day", {"requested_on": "2026-11-25"}).get_json()
    assert (cart["requested_on"], cart["in_time"], cart["deliver_on"]) == ("2026-11-25", False, "2026-12-01")
    assert [(one["most_in_time"], one["instead"]) for one in cart["lines"]] == [(3, [])]
    fewer = api.send("PUT", f"/carts/{token}/lines/TABLE", {"quantity": 3}).get_json()
    assert (fewer["in_time"], fewer["deliver_on"], fewer["lines"][0]["most_in_time"]) == (True, "2026-11-25", None)
    assert api.send("PUT", f"/carts/{token}/day", {"requested_on": None}).get_json()["requested_on"] is None


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("2026-11-23", "past_date"),
        ("9999-12-31", "far_date"),
        ("2026-02-30", "bad_date"),
        ("25.11.2026", "bad_value"),
        (20261125, "bad_value"),
        ("", "bad_value"),
        ({"$date": 1}, "bad_value"),
    ],
)
def test_a_day_that_is_none_is_a_problem_and_changes_nothing(api: Caller, typed: Any, code: str) -> None:
    token = make(api)
    before = api.get(f"/carts/{token}").data
    answer = api.send("PUT", f"/carts/{token}/day", {"requested_on": typed})
    assert (answer.status_code, [one["code"] for one in answer.get_json()["errors"]]) == (422, [code])
    assert api.get(f"/carts/{token}").data == before


def test_a_million_pieces_are_refused_and_nothing_stands_in_for_nothing(api: Caller) -> None:
    token = make(api)
    before = api.get(f"/carts/{token}").data
    assert api.send("PUT", f"/carts/{token}/lines/TABLE", {"quantity": 10**9}).status_code == 422
    assert api.send("POST", f"/carts/{token}/lines/TABLE/instead", {"sku": "STOOL"}).status_code == 404
    assert api.send("POST", f"/carts/{token}/lines/VASE/instead", {"sku": "TABLE"}).status_code == 404
    assert api.send("PUT", "/carts/none/day", {"requested_on": "2026-12-01"}).status_code == 404
    assert api.get(f"/carts/{token}").data == before


def test_what_may_stand_in_for_what_cannot_be_had(api: Caller) -> None:
    assert api.get("/promises?sku=VASE").get_json()["code"] == "not_available"
    assert api.get("/promises/instead?sku=VASE").get_json() == {"instead": []}

    def stand_in(session: Session) -> None:
        for priority, sku in enumerate(["LAMP", "STOOL", "VASE"], start=1):
            if sku != "VASE":
                ids = {"item_id": item_id(session, "VASE"), "substitute_id": item_id(session, sku)}
                session.add(t.ItemSubstitute(**ids, priority=priority))

    api.services.db.run(stand_in)
    found = api.get("/promises/instead?sku=VASE&postcode=10115&quantity=5").get_json()["instead"]
    assert [(one["sku"], one["unit_price"]["amount_minor"], one["deliver_on"]) for one in found] == [
        ("LAMP", 7_900, "2026-11-30"),
        ("STOOL", 4_900, "2026-11-25"),
    ]
    assert [one["sku"] for one in api.get("/promises/instead?sku=VASE&quantity=6").get_json()["instead"]] == ["LAMP"]
    assert api.get("/promises/instead?sku=VASE&quantity=1000000000").status_code == 422
    assert api.get("/promises/instead?sku=none").status_code == 404
    assert api.get("/promises/instead?sku=VASE&postcode=00000").status_code == 422


def test_a_faster_service_has_its_price_and_day_in_the_cart_and_the_order(api: Caller) -> None:
    express = {
        "code": "express", "name": "Express", "position": 1, "price_minor": 1_490, "transit_days": 0, "cutoff_minute": None,
        "countries": [], "active": True,
    }  # fmt: skip
    api.services.db.run(lambda session: services.save(session, express, by="t", role="admin", now=api.now))
    token = make(api, "STOOL", 1)
    cart = api.get(f"/carts/{token}").get_json()
    assert [(one["code"], one["price"]["amount_minor"], one["deliver_on"]) for one in cart["services"]] == [
        ("", 500, "2026-11-25"),
        ("express", 1_490, "2026-11-24"),
    ]
    faster = api.send("PUT", f"/carts/{token}/service", {"service": "express"}).get_json()
    assert (faster["service"], faster["total"]["amount_minor"], faster["deliver_on"]) == ("express", 6_390, "2026-11-24")
    assert api.send("PUT", f"/carts/{token}/service", {"service": "rocket"}).status_code == 422
    assert api.get(f"/carts/{token}").get_json()["service"] == "express"
    body = {"cart_version": faster["version"], "expected_total_minor": 6_390, "email": "ada@example.com", "name": "Ada",
            "street": "Weg 1", "city": "Berlin", "postcode": "10115", "country": "DE"}  # fmt: skip
    assert api.send("POST", f"/carts/{token}/checkout", body | {"expected_total_minor": 5_400}).status_code == 409
    started = api.send("POST", f"/carts/{token}/checkout", body)
    assert started.status_code == 201
    news = api.services.gateway.pay(started.get_json()["pay_url"].rsplit("/", 1)[1], now=api.now)
    api.services.till.settle(news, event_id="t", now=api.now)
    order = api.get(f"/orders/{started.get_json()['order_token']}").get_json()
    assert (order["service"], order["shipping"]["amount_minor"], order["promised_on"]) == ("Express", 1_490, "2026-11-24")
