"""A code that ends between the cart and the checkout: the new total is shown with why, and the next try buys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from backoffice.bootstrap import Services
from backoffice.crm import coupon_rules
from backoffice.crm.models import Cart, Checkout
from tests.conftest import FixedClock
from tests.functional.api.conftest import BUYER
from tests.functional.test_bad_input import add, checkout, rows, services
from tests.integration.chain.test_coupons import PLAIN

__all__ = ["services"]
SAYS = "Your code cannot be used any more"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def test_the_page_takes_it_off_and_the_next_try_pays(client: FlaskClient, services: Services, clock: FixedClock) -> None:
    ends = clock() + timedelta(minutes=3)
    services.db.run(lambda session: coupon_rules.save(session, PLAIN | {"code": "SOON", "ends_at": ends}, by="A", now=clock()))
    add(client)
    assert client.post("/cart/coupon", data={"coupon": "SOON"}).status_code == 303
    form = checkout(client, note="Ring twice")
    assert form["total_minor"] == "4910"  # 49.00 less a tenth, and 5.00 for the delivery
    clock.advance(minutes=4)
    answer = client.post("/checkout", data=form)
    assert answer.status_code == 409
    assert SAYS in answer.text
    assert "coupon:" not in answer.text
    assert "Ring twice" in answer.text
    assert [one.coupon_code for one in rows(services, Cart)] == [""]
    assert rows(services, Checkout) == []
    again = checkout(client)
    assert again["total_minor"] == "5400"
    assert client.post("/checkout", data=again).status_code == 303
    assert [(one.total_minor, one.discount_minor, one.coupon_code) for one in rows(services, Checkout)] == [(5_400, 0, "")]


def test_a_program_takes_it_off_itself(client: FlaskClient, services: Services, clock: FixedClock) -> None:
    ends = clock() + timedelta(minutes=3)
    services.db.run(lambda session: coupon_rules.save(session, PLAIN | {"code": "SOON", "ends_at": ends}, by="A", now=clock()))
    add(client)
    path = f"/api/v1/carts/{client.get_cookie('cart').value}"
    assert client.put(f"{path}/coupon", json={"code": "SOON"}, headers={"Idempotency-Key": "put"}).status_code == 200
    clock.advance(minutes=4)

    def buy(key: str) -> Any:
        cart = client.get(path).get_json()
        body = BUYER | {"cart_version": cart["version"], "expected_total_minor": cart["total"]["amount_minor"]}
        return client.post(f"{path}/checkout", json=body, headers={"Idempotency-Key": key})

    refused = buy("one")
    assert (refused.status_code, refused.get_json()["code"]) == (422, "coupon_invalid")
    assert [one.coupon_code for one in rows(services, Cart)] == ["SOON"]
    assert client.put(f"{path}/coupon", json={"code": ""}, headers={"Idempotency-Key": "off"}).status_code == 200
    assert buy("two").status_code == 201
