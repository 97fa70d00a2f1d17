"""Addresses over the real workshop: at checkout, in the API, in the address book; what is refused changes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from backoffice import tables
from backoffice.crm import accounts, parties
from backoffice.crm.models import Account, Address, Cart, Checkout
from backoffice.db import Database
from backoffice.erp.models import Shipment, ShippingZone
from storefront.views.account import form_token
from tests.buyers import hidden
from tests.company import open_company
from tests.conftest import NOW

DE = {"name": "Ada", "company": "", "street": "Weg 1", "postcode": "10115", "city": "Berlin", "country": "DE", "phone": ""}
IT = {"name": "Ada", "company": "Macchine srl", "street": "Via Roma 1", "postcode": "00144", "city": "Roma", "region": "RM"}
IT |= {"country": "IT", "phone": ""}
IE = {
    "name": "Ada",
    "company": "",
    "street": "1 Quay",
    "postcode": "",
    "city": "Galway",
    "region": "",
    "country": "IE",
    "phone": "",
}
Person = Callable[[str], tuple[FlaskClient, str]]


@pytest.fixture(autouse=True)
def workshop(db: Database) -> None:
    def work(session: Any) -> None:
        open_company(session, now=NOW)
        session.add_all(ShippingZone(country=country, prefix="", transit_days=days) for country, days in (("IT", 4), ("IE", 5)))

    db.run(work)


@pytest.fixture
def person(app: Flask, db: Database) -> Person:
    """A browser that is logged in, with what its forms carry."""

    def log_in(email: str) -> tuple[FlaskClient, str]:
        def work(session: Any) -> str:
            party = parties.find_or_create(session, email=email, name="Ada", phone="", language="en", now=NOW)
            one = Account(party_id=party.id, email=email, name="Ada", password_hash="", created_at=NOW, confirmed_at=NOW)
            session.add(one)
            session.flush()
            return accounts.begin_session(session, one, device="", now=NOW)

        token = db.run(work)
        client = app.test_client()
        client.environ_base["HTTP_ORIGIN"] = "http://localhost"
        client.set_cookie("account", token)
        return client, form_token(token)

    return log_in


def everything(db: Database, but: Collection[str] = ()) -> dict[str, list[str]]:
    """Return every row of every table, but of the offers, which are computed anew when they are looked at."""
    with db.read() as session:
        return {
            table.name: sorted(map(str, session.execute(sa.select(table)).all()))
            for table in tables.metadata.sorted_tables
            if table.name not in ("offer", "offer_touched", "plan_domain", *but)
        }


def rows(db: Database, model: type) -> int:
    with db.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def put_in(client: FlaskClient) -> None:
    assert client.post("/cart/add", data={"sku": "STOOL", "slug": "stool", "quantity": "1"}).status_code == 303


def form(client: FlaskClient, page: str = "", **typed: str) -> dict[str, str]:
    """Return the checkout's form, filled in."""
    page = page or client.get("/checkout").text
    carried = {name: hidden(page, name) for name in ("key", "cart_version", "total_minor")}
    return carried | {"email": "ada@example.test", "note": ""} | typed


def go_there(client: FlaskClient, address: dict[str, str]) -> str:
    """Name the days for an address, as the cart does; return the checkout page."""
    there = {"postcode": address["postcode"], "country": address["country"]}
    assert client.post("/cart/postcode", data=there).status_code == 303
    return client.get("/checkout").text


def pay(client: FlaskClient, data: dict[str, str]) -> str:
    """Pay; return the order's page."""
    start = client.post("/checkout", data=data)
    assert start.status_code == 303, start.text
    order = client.post(start.location.replace("http://localhost", ""), data={"action": "pay"}).location
    return client.get(order.replace("http://localhost", "")).text


def labels(page: str) -> list[str]:
    return [
        re.sub(r"\s+", " ", re.sub("<[^>]+>", "", text)).strip() for text in re.findall(r"<label for=.*?</label>", page, re.S)
    ]


# --- checkout


def test_another_country_has_other_fields_and_nothing_typed_is_lost(client: FlaskClient, db: Database) -> None:
    put_in(client)
    asked = form(client, **DE) | {"country": "IT", "action": "country"}
    before = everything(db)
    page = client.post("/checkout", data=asked)
    assert page.status_code == 200
    assert labels(page.text)[:-1] == [
        "E-mail", "Country", "Name", "Company (if you like)", "Street and number", "Postcode", "Town", "Province",
        "Phone (if you like)",
    ]  # fmt: skip
    assert 'value="Weg 1"' in page.text
    assert 'role="alert"' not in page.text
    assert '<option value="RM">Roma</option>' in page.text
    assert 'autocomplete="address-level1"' in page.text
    assert everything(db) == before
    irish = client.post("/checkout", data=asked | {"country": "IE"}).text
    assert "Eircode (if you like)" in labels(irish)
    assert "For example A65 F4E2" in irish


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"country": "XX"}, ["Country: We do not deliver to this country yet."]),
        ({"country": "FR"}, ["Country: We do not deliver to this country yet."]),
        ({"region": ""}, ["Province: Please fill this in."]),
        ({"region": "Bavaria"}, ["Province: Choose one of those that are offered."]),
        ({"postcode": "144"}, ["Postcode: Postcodes look different in this country. Please look at it again."]),
        ({"street": "", "city": " ", "region": ""}, ["Street and number: P", "Town: P", "Province: P"]),
        ({"country": "DE", "postcode": "99999"}, ["Postcode: We do not deliver to this postcode"]),
    ],
)
def test_a_wrong_address_is_named_and_changes_nothing(
    client: FlaskClient, db: Database, changes: dict[str, str], faults: list[str]
) -> None:
    put_in(client)
    data = form(client, go_there(client, IT), **IT)
    before = everything(db)
    answer = client.post("/checkout", data=data | changes)
    assert answer.status_code == 422
    listed = re.findall(r'<li><a href="#\w+">(.*?)</a></li>', answer.text)
    assert len(listed) == len(faults)
    assert all(words.startswith(fault) for words, fault in zip(listed, faults, strict=True)), listed
    assert 'value="Macchine srl"' in answer.text
    assert everything(db) == before


def test_an_italian_order_is_written_as_italy_does(client: FlaskClient, db: Database) -> None:
    put_in(client)
    page = pay(client, form(client, go_there(client, IT), **IT | {"region": "roma"}))
    assert re.search(
        r"<bdi>Ada</bdi><br><bdi>Macchine srl</bdi><br><bdi>Via Roma 1</bdi><br><bdi>00144 Roma RM</bdi><br>Italy", page
    )
    with db.read() as session:
        checkout, shipment = session.scalars(sa.select(Checkout)).one(), session.scalars(sa.select(Shipment)).one()
        assert (checkout.region, checkout.company, checkout.country) == ("RM", "Macchine srl", "IT")
        assert (shipment.ship_to["region"], shipment.ship_to["company"]) == ("RM", "Macchine srl")


def test_ireland_needs_no_postcode(client: FlaskClient) -> None:
    put_in(client)
    shown = go_there(client, IE)
    assert re.search(r'<option value="IE" selected>', shown)
    page = pay(client, form(client, shown, **IE))
    assert re.search(r"<bdi>1 Quay</bdi><br><bdi>Galway</bdi><br>Ireland", page)


def test_the_country_is_remembered_for_the_next_cart(client: FlaskClient, db: Database) -> None:
    put_in(client)
    go_there(client, IT)
    assert client.get_cookie("place").value == "IT:00144"  # type: ignore[union-attr] # it is there
    assert 'value="00144"' in client.get("/p/stool").text
    assert "Arrives Wed 25 Nov" in client.application.test_client().get("/c/furniture").text  # one day within Germany
    for path in ("/c/furniture", "/c/furniture?postcode=00144", "/search?q=stool"):
        page = client.get(path).text
        assert ("Arrives Mon 30 Nov" in page, 'value="00144"' in page) == (True, True), path  # four carrier days to Italy
    assert client.get_cookie("place").value == "IT:00144"  # type: ignore[union-attr] # it is there
    client.delete_cookie("cart")
    assert (
        client.post("/cart/add", data={"sku": "STOOL", "slug": "stool", "quantity": "1", "postcode": "00144"}).status_code == 303
    )
    with db.read() as session:
        assert session.scalars(sa.select(Cart.country).order_by(Cart.id)).all() == ["IT", "IT"]


@pytest.mark.parametrize("typed", [{"country": "XX", "postcode": "1"}, {"country": "IT", "postcode": "x"}, {"country": "DE"}])
def test_a_place_that_is_none_moves_no_cart(client: FlaskClient, db: Database, typed: dict[str, str]) -> None:
    put_in(client)
    before = everything(db)
    assert client.post("/cart/postcode", data=typed).status_code == 422
    assert everything(db) == before


# --- the API


def send(client: FlaskClient, method: str, path: str, body: dict[str, Any], key: str) -> Any:
    return client.open(f"/api/v1{path}", method=method, json=body, headers={"Idempotency-Key": key})


def test_the_api_has_the_same_rules(client: FlaskClient, db: Database) -> None:
    made = send(client, "POST", "/carts", {"sku": "STOOL"}, "a").get_json()
    moved = send(client, "PUT", f"/carts/{made['token']}/place", {"postcode": "00144", "country": "IT"}, "b").get_json()
    body = {"cart_version": moved["version"], "expected_total_minor": 5400, "email": "ada@example.test"} | IT
    path = f"/carts/{made['token']}/checkout"
    before = everything(db, but=("idempotency_key",))
    for number, (change, errors) in enumerate(
        [
            ({"country": "XX"}, [("/country", "unknown_country")]),
            ({"region": "", "postcode": "144"}, [("/postcode", "bad_postcode"), ("/region", "required")]),
            ({"region": "Bavaria"}, [("/region", "bad_choice")]),
        ]
    ):
        answer = send(client, "POST", path, body | change, f"c{number}")
        assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid_form")
        assert sorted((one["pointer"], one["code"]) for one in answer.get_json()["errors"]) == errors
    there = send(client, "PUT", f"/carts/{made['token']}/place", {"postcode": "1", "country": "XX"}, "d")
    assert (there.status_code, there.get_json()["code"]) == (422, "unknown_country")
    assert everything(db, but=("idempotency_key",)) == before
    assert send(client, "POST", path, body, "e").status_code == 201


# --- the address book


def test_the_book_is_filled_changed_and_emptied(person: Person, db: Database) -> None:
    client, token = person("ada@example.test")
    assert "There is no address yet." in client.get("/account/addresses").text
    assert client.post("/account/addresses/new", data=DE | {"form_token": token}).location == "/account/addresses?saved=1"
    client.post("/account/addresses/new", data=IT | {"form_token": token})
    client.post("/account/addresses/new", data=IT | {"form_token": token, "name": "ADA"})  # the same once more
    with db.read() as session:
        known = session.execute(sa.select(Address.country, Address.region, Address.preferred).order_by(Address.id)).all()
        assert [tuple(one) for one in known] == [("DE", "", True), ("IT", "RM", False)]
    assert client.post("/account/addresses/2/prefer", data={"form_token": token}).status_code == 303
    assert client.get("/account/addresses").text.index("Via Roma 1") < client.get("/account/addresses").text.index("Weg 1")
    assert client.post("/account/addresses/1", data=DE | {"form_token": token, "street": "Weg 2"}).status_code == 303
    assert 'value="Weg 2"' in client.get("/account/addresses/1").text
    assert client.post("/account/addresses/2/remove", data={"form_token": token}).status_code == 303
    with db.read() as session:
        left = session.execute(sa.select(Address.street, Address.preferred)).all()
        assert [tuple(one) for one in left] == [("Weg 2", True)]  # what is left is preferred
    assert client.post("/account/addresses/2/remove", data={"form_token": token}).status_code == 404


def test_a_wrong_address_is_not_kept(person: Person, db: Database) -> None:
    client, token = person("ada@example.test")
    for wrong in ({"country": "XX"}, {"region": ""}, {"postcode": "1"}, {"name": "x" * 201}, {"street": ""}):
        answer = client.post("/account/addresses/new", data=IT | wrong | {"form_token": token})
        assert answer.status_code == 422
        assert 'value="Roma"' in answer.text
    other = client.post("/account/addresses/new", data=IT | {"country": "IE", "action": "country", "form_token": token})
    assert (other.status_code, "Eircode" in other.text, 'value="Via Roma 1"' in other.text) == (200, True, True)
    assert client.post("/account/addresses/new", data=IT | {"form_token": "0" * 64}).status_code == 403
    assert rows(db, Address) == 0


def test_another_ones_address_is_as_unknown_as_none(person: Person, db: Database) -> None:
    client, token = person("ada@example.test")
    client.post("/account/addresses/new", data=DE | {"form_token": token})
    stranger, theirs = person("eve@example.test")
    before = everything(db)
    for number in (1, 99):
        assert stranger.get(f"/account/addresses/{number}").status_code == 404
        sent = {"": DE | {"street": "Elsewhere 1"}, "/prefer": {}, "/remove": {}}
        assert [
            stranger.post(f"/account/addresses/{number}{what}", data=data | {"form_token": theirs}).status_code
            for what, data in sent.items()
        ] == [404, 404, 404]
    far = stranger.post(f"/account/addresses/{10**30}", data=DE | {"form_token": theirs})
    assert far.status_code in (404, 405)  # no row can have it: the router answers, by the other methods of that address
    assert everything(db) == before
    nobody = client.application.test_client()
    assert nobody.get("/account/addresses").location == "/account/login"
    assert nobody.get("/account/addresses/1").location == "/account/login"


def test_there_is_room_for_twenty_and_an_order_never_fails_for_it(person: Person, db: Database) -> None:
    client, token = person("ada@example.test")
    for number in range(20):
        assert (
            client.post("/account/addresses/new", data=DE | {"form_token": token, "street": f"Weg {number}"}).status_code == 303
        )
    full = client.post("/account/addresses/new", data=DE | {"form_token": token, "street": "Weg 20"})
    assert (full.status_code, "There is room for 20 addresses." in full.text) == (409, True)
    assert 'value="Weg 20"' in full.text
    put_in(client)
    assert "Order SF-" in pay(client, form(client, **DE | {"street": "Weg 21"}) | {"keep_address": "yes"})
    assert rows(db, Address) == 20


def test_an_order_keeps_its_address_once_if_asked(person: Person, db: Database) -> None:
    client, _token = person("ada@example.test")
    put_in(client)
    page = go_there(client, DE)
    assert re.search(r'name="keep_address" value="yes" checked', page)
    pay(client, form(client, page, **DE))
    assert rows(db, Address) == 0
    for _ in range(2):
        put_in(client)
        pay(client, form(client, **DE) | {"keep_address": "yes"})
    assert rows(db, Address) == 1


def test_the_checkout_begins_with_the_preferred_address_and_takes_another(person: Person) -> None:
    client, token = person("ada@example.test")
    client.post("/account/addresses/new", data=IT | {"form_token": token})
    client.post("/account/addresses/new", data=DE | {"form_token": token})
    put_in(client)
    page = client.get("/checkout").text
    assert 'value="Via Roma 1"' in page
    assert '<option value="RM" selected>' in page
    assert re.search(r'name="address" value="1"[^>]* checked', page)
    other = client.post("/checkout", data=form(client, page, **IT) | {"action": "address", "address": "2"}).text
    assert 'value="Weg 1"' in other
    assert re.search(r'name="address" value="2"[^>]* checked', other)
    empty = client.post("/checkout", data=form(client, other, **DE) | {"action": "address", "address": ""}).text
    assert 'value="Weg 1"' not in empty
    assert "Order SF-" in pay(client, form(client, other, **DE))


def test_a_closed_account_takes_its_addresses_along(person: Person, db: Database) -> None:
    client, token = person("ada@example.test")
    client.post("/account/addresses/new", data=DE | {"form_token": token})
    db.run(lambda session: session.delete(session.scalars(sa.select(Account)).one()))
    assert rows(db, Address) == 0
