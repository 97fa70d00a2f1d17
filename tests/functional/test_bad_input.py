"""Wrong input through the real pages and the real back office: a clear answer, never a 500, and nothing changed or lost."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice import tables
from backoffice.bootstrap import Services
from backoffice.crm.models import CartLine, Lead, Order
from backoffice.erp import models as t
from backoffice.erp import plan
from backoffice.payments.gateway import GatewayError
from tests.buyers import hidden
from tests.company import open_company
from tests.conftest import FixedClock
from tests.invariants import breaches

SCRIPTS = "Größe ß, বাংলা, ქართული, עברית, العربية, 中文, 🪑, <script>alert(1)</script>, \u202eدمج"
# projections, pulses, and how often something was tried: not what a customer could lose
QUIET = {"offer", "heartbeat", "periodic", "login_throttle"}


@pytest.fixture
def services(app: Flask, now) -> Services:
    """The small workshop behind the app under test."""
    built: Services = app.extensions["shopfloor"]
    built.db.run(lambda session: open_company(session, now=now))
    return built


def all_of(session: Session, table: sa.Table) -> Sequence[sa.Row[Any]]:
    """Return a table's rows; of the plan's without the counter of the offers, which are a projection like their table."""
    every = sa.select(table)
    return session.execute(every.where(table.c.id != plan.OFFERS) if table.name == "plan_domain" else every).all()


def everything(services: Services) -> Mapping[str, list]:
    """Return every row of every table that matters."""
    with services.db.read() as session:
        return {
            table.name: sorted(map(repr, all_of(session, table)))
            for table in tables.metadata.sorted_tables
            if table.name not in QUIET
        }


def add(client: FlaskClient, sku: str = "STOOL", quantity: str = "1", **more: str):
    """Post the product page's form."""
    return client.post("/cart/add", data={"sku": sku, "slug": sku.lower(), "quantity": quantity, **more})


def checkout(client: FlaskClient, **changes: str) -> dict[str, str]:
    """Open the checkout and return its form, filled in."""
    page = client.get("/checkout").text
    form = {name: hidden(page, name) for name in ("key", "cart_version", "total_minor")}
    form |= {"email": "ada@example.test", "name": "Ada", "phone": "", "street": "Weg 1", "postcode": "10115"}
    return form | {"city": "Berlin", "country": "DE", "note": ""} | changes


@pytest.mark.parametrize("quantity", ["0", "-1", "1.5", "1000000000000000000", "many", "", "1e3", "０", " ", "NaN", "99999"])
@pytest.mark.parametrize("sku", ["STOOL", "TABLE"])
def test_wrong_quantities_are_named_and_change_nothing(client, services, sku, quantity):
    before = everything(services)
    answer = add(client, sku, quantity)
    assert answer.status_code == 422
    assert f'value="{quantity.strip()}"' in answer.text or f'value="{quantity}"' in answer.text  # what was typed is kept
    assert everything(services) == before
    page = client.get(f"/p/{sku.lower()}", query_string={"quantity": quantity, "sku": sku})
    assert page.status_code == 422
    assert everything(services) == before


def test_digits_of_any_script_are_digits(client, services):
    assert add(client, quantity="２").status_code == 303
    assert [line.quantity for line in rows(services, CartLine)] == [2]


def rows(services: Services, model) -> list:
    with services.db.read() as session:
        return list(session.scalars(sa.select(model)))


@pytest.mark.parametrize(("sku", "status"), [("NOPE", 404), ("LEG", 404), ("VASE", 409), ("x" * 5000, 404), ("'; --", 404)])
def test_what_is_not_for_sale_cannot_be_put_into_a_cart(client, services, sku, status):
    before = everything(services)
    assert add(client, sku).status_code == status
    assert everything(services) == before


def test_more_than_there_is_says_how_many_there_are(client, services):
    before = everything(services)
    answer = add(client, quantity="6")
    assert answer.status_code == 409
    assert "5" in re.sub(r"<[^>]+>", " ", answer.text)
    assert everything(services) == before


def test_the_same_one_twice_is_one_line(client, services):
    assert add(client, quantity="2").status_code == 303
    assert add(client, quantity="2").status_code == 303
    assert [line.quantity for line in rows(services, CartLine)] == [4]
    refused = add(client, quantity="2")
    assert refused.status_code == 409
    assert [line.quantity for line in rows(services, CartLine)] == [4]


@pytest.mark.parametrize("postcode", ["00000", "1011", "ABCDE", "9" * 17, "10115; DROP TABLE", "১০১১৫", "-1"])
def test_a_postcode_that_does_not_exist(client, services, postcode):
    assert add(client).status_code == 303
    before = everything(services)
    answer = client.post("/cart/postcode", data={"postcode": postcode})
    assert answer.status_code == 422
    assert html.escape(postcode) in answer.text
    assert add(client, postcode=postcode).status_code == 422
    assert client.get("/p/stool", query_string={"postcode": postcode}).status_code == 422
    answer = client.post("/checkout", data=checkout(client, postcode=postcode))
    assert answer.status_code == 422
    after = everything(services)
    assert {name for name in before if before[name] != after[name]} <= {"reservation", "cart"}  # the visit renewed the hold
    assert [line.quantity for line in rows(services, CartLine)] == [1]


def paid_for(services: Services) -> Mapping[str, list]:
    """Return every row, without what a visit renews: the hold and when the cart was seen."""
    return {name: kept for name, kept in everything(services).items() if name not in ("reservation", "cart")}


@pytest.mark.parametrize("country", ["XX", "DEU", "D", "", "ÄÖ", "🇩🇪", "9" * 5_000])
def test_an_unknown_country_is_refused(client, services, country):
    add(client)
    form = checkout(client, country=country)
    before = paid_for(services)
    answer = client.post("/checkout", data=form)
    assert answer.status_code == 422
    assert 'value="Weg 1"' in answer.text
    assert paid_for(services) == before


@pytest.mark.parametrize("how", ["left out", "empty", "blank"])
@pytest.mark.parametrize("part", ["email", "name", "street", "city", "postcode"])
def test_an_address_without_a_required_part_is_refused(client, services, part, how):
    add(client)
    form = checkout(client, **{part: " \t " if how == "blank" else ""})
    if how == "left out":
        del form[part]
    before = paid_for(services)
    answer = client.post("/checkout", data=form)
    assert answer.status_code == 422
    assert "Please fill this in" in answer.text
    assert paid_for(services) == before


@pytest.mark.parametrize("path", ["/checkout", "/cart/add", "/contact", "/leads", "/account/login", "/account/register"])
def test_what_is_no_form_or_too_much_changes_nothing(client, services, path):
    add(client)
    before = paid_for(services)
    for body, kind, statuses in (
        (b"x=" + b"y" * (10 * 1024 * 1024), "application/x-www-form-urlencoded", {413}),
        (b'{"sku": "STOOL", "quantity": 1}', "application/json", {400, 404, 409, 422}),
        (b"\x00\xff\xfe", "multipart/form-data", {400, 404, 409, 422}),
        (b"--x\r\nContent-Disposition: form-data; name=", "multipart/form-data; boundary=x", {400, 404, 409, 422}),
        (b"&".join(b"f%d=1" % number for number in range(3_000)), "application/x-www-form-urlencoded", {400, 404, 409, 413, 422}),
    ):
        answer = client.post(path, data=body, content_type=kind)
        assert answer.status_code in statuses, (kind, answer.status_code)
        assert paid_for(services) == before


def test_an_expired_hold_is_explained_and_held_again(client, services, clock: FixedClock):
    add(client, quantity="5")
    form = checkout(client)
    clock.advance(minutes=16)
    other = services.shop.carts.add(None, "STOOL", 3, postcode=None, now=clock.at)
    answer = client.post("/checkout", data=form)
    assert answer.status_code == 409
    assert 'value="Weg 1"' in answer.text  # what was typed is kept
    assert sorted(line.quantity for line in rows(services, CartLine)) == [3, 5]
    services.shop.carts.set_quantity(other.token, "STOOL", 0, now=clock.at)
    assert client.post("/cart/line", data={"action": "renew", "sku": "STOOL"}).status_code == 303
    assert client.post("/checkout", data=checkout(client)).status_code == 303


def test_a_form_posted_twice_is_one_order(client, services):
    add(client)
    form = checkout(client)
    first, second = client.post("/checkout", data=form), client.post("/checkout", data=form)
    assert first.status_code == second.status_code == 303
    assert first.location == second.location
    paid = client.post(first.location, data={"action": "pay"})
    again = client.post(first.location, data={"action": "pay"})
    assert paid.location == again.location
    assert len(rows(services, Order)) == 1
    late = client.post("/checkout", data=form)  # the back button, after paying
    assert late.status_code == 303
    assert len(rows(services, Order)) == 1


def test_whoever_comes_back_from_paying_finds_their_form_as_typed(client, services):
    add(client)
    start = client.post("/checkout", data=checkout(client, note="Ring twice, please"))
    back = client.post(start.location, data={"action": "cancel"})
    assert back.location.endswith("/cart")
    page = client.get("/checkout")
    for text in ('value="Ada"', 'value="Weg 1"', 'value="Berlin"', 'value="10115"', "Ring twice, please"):
        assert text in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert 'value="Ada"' not in stranger_to(client).get("/checkout").text


def stranger_to(client: FlaskClient) -> FlaskClient:
    """Return somebody else's browser."""
    other = client.application.test_client()
    other.environ_base["HTTP_ORIGIN"] = "http://localhost"
    add(other)
    return other


def test_a_payment_provider_that_does_not_answer_is_said_so_and_nothing_is_lost(client, services, monkeypatch):
    def silent(*_args, **_named):
        raise GatewayError("no answer")

    add(client)
    for asked in ("open_session", "find_session"):
        monkeypatch.setattr(type(services.gateway), asked, silent)
    answer = client.post("/checkout", data=checkout(client))
    assert answer.status_code == 409
    assert "payment provider does not answer" in answer.text
    assert 'value="Weg 1"' in answer.text
    assert [r.state for r in rows(services, t.Reservation)] == ["paying"]
    assert add(client).status_code == 409  # the open payment cannot be closed yet either
    monkeypatch.undo()
    again = client.post("/checkout", data=checkout(client))
    assert again.status_code == 303
    client.post(again.location, data={"action": "pay"})
    assert len(rows(services, Order)) == 1


def test_a_stale_page_is_refused_with_its_text_kept(client, services):
    add(client)
    form = checkout(client, note="Ring twice, please")
    add(client)  # in another tab
    answer = client.post("/checkout", data=form)
    assert answer.status_code == 409
    assert "Ring twice, please" in answer.text
    assert rows(services, Order) == []
    for field, value in {"total_minor": "1", "cart_version": "999"}.items():
        assert client.post("/checkout", data=checkout(client) | {field: value}).status_code == 409
    for junk in ("abc", "-1", "9" * 40, "１"):
        assert client.post("/checkout", data=checkout(client) | {"total_minor": junk}).status_code == 409
    assert client.post("/checkout", data=checkout(client) | {"key": ""}).status_code == 303  # a key is then made for it


def test_text_in_any_script_reaches_sales_as_written(client, services):
    page = client.get("/contact").text
    form = {"key": hidden(page, "key"), "message": SCRIPTS, "name": SCRIPTS[:150], "email": "ada@example.test"}
    first, second = client.post("/contact", data=form), client.post("/contact", data=form)
    assert first.status_code == second.status_code == 303
    assert [lead.message for lead in rows(services, Lead)] == [SCRIPTS]
    assert "<script>alert" not in client.get(first.location).text


@pytest.mark.parametrize(("length", "status"), [(5_000, 303), (5_001, 422)])
def test_five_thousand_characters_are_kept(client, services, length, status):
    text = "ß" * length
    page = client.get("/contact").text
    answer = client.post("/contact", data={"key": hidden(page, "key"), "message": text, "email": "ada@example.test"})
    assert answer.status_code == status
    assert [lead.message for lead in rows(services, Lead)] == ([text] if status == 303 else [])
    if status == 422:
        assert text in answer.text


@pytest.mark.parametrize("field", ["message", "name", "email"])
def test_nul_is_refused_not_swallowed(client, services, field):
    page = client.get("/contact").text
    form = {"key": hidden(page, "key"), "message": "hello", "name": "Ada", "email": "ada@example.test"}
    before = everything(services)
    answer = client.post("/contact", data=form | {field: "a\x00b"})
    assert answer.status_code == 400
    assert everything(services) == before
    for path in ("/p/a%00b", "/search?q=%00", "/o/%00", "/p/stool?postcode=%00"):
        assert client.get(path).status_code == 400


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/p/nope", 404),
        ("/c/nope", 404),
        ("/o/nope", 404),
        ("/search?page=0", 404),
        ("/search?page=abc", 404),
        ("/search?page=99999999999", 404),
        ("/c/furniture?page=2", 404),
        ("/search?q=" + "x" * 201, 422),
        ("/p/stool?sku=NOPE", 404),
        ("/media/../wsgi.py", 404),
        ("/media/%2e%2e/wsgi.py", 404),
    ],
)
def test_addresses_that_lead_nowhere(client, services, path, status):
    assert client.get(path).status_code == status


def test_a_product_with_nothing_to_promise_keeps_its_page_and_takes_a_lead(client, services):
    page = client.get("/p/vase")
    assert page.status_code == 200
    key = hidden(page.text.split("tell_me", 1)[1], "key") if 'name="key"' in page.text.split("tell_me", 1)[1] else ""
    form = {"key": key, "kind": "tell_me", "slug": "vase", "sku": "VASE", "email": "ada@example.test", "quantity": "1"}
    assert client.post("/leads", data=form).status_code == 303
    assert [(lead.kind, lead.sku) for lead in rows(services, Lead)] == [("tell_me", "VASE")]
    assert "/p/vase" not in client.get("/").text


def test_after_all_that_everything_adds_up(client, services, clock: FixedClock):
    for quantity in ("5", "1"):
        add(client, quantity=quantity)
    client.post("/cart/line", data={"sku": "STOOL", "quantity": "3", "action": "set"})
    client.post("/cart/line", data={"sku": "STOOL", "quantity": "x", "action": "set"})
    clock.at += timedelta(minutes=20)
    client.post("/cart/line", data={"sku": "STOOL", "action": "remove"})
    with services.db.read() as session:
        assert breaches(session) == []
        assert session.execute(sa.select(sa.func.sum(t.Stock.reserved))).scalar_one() == 0
