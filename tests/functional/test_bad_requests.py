"""Requests that no page of ours sends: methods, addresses, hosts, headers, fields. A clear refusal, and nothing changed."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backoffice.bootstrap import Services
from backoffice.bridge.models import OutboxMessage
from backoffice.crm.models import Account, Cart, Lead
from backoffice.erp.models import Staff
from storefront import forms
from tests.buyers import hidden
from tests.company import open_company
from tests.conftest import FixedClock
from tests.functional.test_bad_input import add, checkout, everything, paid_for, rows

PAGES = ("/", "/p/stool", "/cart", "/checkout", "/contact", "/account/login", "/desk/login", "/api/v1/products", "/healthz")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """SQLite is enough here: what differs between the databases is tested below the door."""
    return sqlite_url


@pytest.fixture
def services(app: Flask, now: Any) -> Services:
    built: Services = app.extensions["shopfloor"]
    built.db.run(lambda session: open_company(session, now=now))
    return built


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "DELETE", "PATCH", "PROPFIND", "BREW"])
def test_a_method_that_a_page_has_not_is_refused(client: FlaskClient, services: Services, method: str) -> None:
    before = everything(services)
    for path in PAGES:
        answer = client.open(path, method=method)
        assert answer.status_code == 405, path
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert b"Traceback" not in answer.data
    assert everything(services) == before


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/%2e%2e/%2e%2e/etc/passwd", 404),
        ("/static/shop/%2e%2e/%2e%2e/app.py", 404),
        ("/static/desk/..%2f..%2fauth.py", 404),
        ("/media/%2e%2e%2f%2e%2e%2fetc%2fpasswd", 404),
        ("/p/%00", 400),
        ("/o/%00", 400),
        ("/desk/login?next=%00", 400),
        ("/p/%ff%fe", 404),
        ("/p/" + "x" * 9_000, 404),
        ("/search?q=" + "x" * 9_000, 422),
        ("/o/" + "x" * 9_000, 404),
        ("/desk/sales/leads/" + "9" * 40, 404),
        ("/desk/sales/leads/-1", 404),
        ("/desk/sales/leads/1e3", 404),
    ],
)
def test_an_address_that_leads_outside_or_nowhere(client: FlaskClient, services: Services, path: str, status: int) -> None:
    before = everything(services)
    answer = client.get(path)
    assert answer.status_code == status
    assert b"root:" not in answer.data
    assert everything(services) == before


@pytest.mark.parametrize("field", ["price", "unit_price_minor", "currency", "customer_class", "account_id", "sku1"])
def test_a_form_that_names_a_price_is_refused_and_may_be_sent_without_it(
    client: FlaskClient, services: Services, field: str
) -> None:
    before = everything(services)
    answer = add(client, quantity="2", **{field: "1"})
    assert answer.status_code == 422
    assert everything(services) == before
    assert re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', answer.text) == [
        ("sku", "STOOL"),
        ("slug", "stool"),
        ("quantity", "2"),
    ]
    add(client)
    typed = checkout(client, currency="JPY", shipping_minor="0")
    before = paid_for(services)
    assert client.post("/checkout", data=typed).status_code == 422
    assert paid_for(services) == before


def test_nobody_registers_as_an_administrator(client: FlaskClient, services: Services) -> None:
    form = {"email": "eve@example.test", "name": "Eve", "password": "engines of 1843"}
    before = everything(services)
    for name in ("role", "confirmed_at", "active", "party_id"):
        answer = client.post("/account/register", data=form | {name: "1"})
        assert answer.status_code == 422
        assert "engines" not in answer.text  # no page repeats a password
    assert everything(services) == before
    assert client.post("/account/register", data=form).status_code == 303
    assert [(one.email, one.confirmed_at) for one in rows(services, Account)] == [("eve@example.test", None)]
    assert rows(services, Staff) == []


def test_the_pages_send_what_their_forms_may_name(client: FlaskClient, services: Services) -> None:
    """Of every form on every page of a purchase: what a browser would send is known."""
    add(client)
    add(client, "LAMP")
    paths = ["/p/stool", "/p/vase", "/cart", "/checkout", "/contact?utm_source=x&kind=quote_request&sku=STOOL"]
    paths += ["/account/login", "/account/register", "/account/forgot"]
    pages = {path: client.get(path).text for path in paths}
    start = client.post("/checkout", data=checkout(client))
    back = client.post(start.location, data={"action": "pay"}).location
    pages |= {path: client.get(path).text for path in (back, f"{back}/cancel", f"{back}/withdraw")}
    routes, sent = client.application.url_map.bind("localhost"), set()
    for path, page in pages.items():
        for form in re.findall(r'<form[^>]*method="post".*?</form>', page, re.DOTALL):
            endpoint = str(routes.match(re.search(r'action="([^"?]+)', form)[1], method="POST")[0])
            names = {name.rstrip("0123456789") for name in re.findall(r'\bname="([^"]+)"', form)}
            assert names <= forms.FIELDS[endpoint], (path, endpoint, names - forms.FIELDS[endpoint])
            sent.add(endpoint)
    assert {"shop.cart_add", "shop.lead_submit", "shop.checkout_start", "shop.order_cancel_submit"} <= sent
    posts = {rule.endpoint for rule in client.application.url_map.iter_rules() if "POST" in (rule.methods or ())}
    assert {one for one in posts if one.startswith("shop.")} == forms.FIELDS.keys()


@pytest.mark.parametrize("name", ["Ada\r\nBcc: eve@example.test", "Ada\nX: y", "Ada\u2028Bcc: eve", "Ada\x00", "\x1b[2J"])
def test_a_name_that_would_begin_another_header_sends_no_mail(client: FlaskClient, services: Services, name: str) -> None:
    add(client)
    form = checkout(client, name=name)
    before = paid_for(services)
    assert client.post("/checkout", data=form).status_code in {400, 422}
    registration = {"email": "eve@example.test", "name": name, "password": "engines of 1843"}
    assert client.post("/account/register", data=registration).status_code in {400, 422}
    assert paid_for(services) == before
    page = client.get("/contact").text
    letter = {"key": hidden(page, "key"), "message": "hello", "name": name, "email": "ada@example.test"}
    client.post("/contact", data=letter)  # a name of a letter becomes one line, or is refused
    assert not [
        one for one in rows(services, OutboxMessage) if "\n" in str(one.payload.get("name", "")) or "eve" in one.payload["to"]
    ]


@pytest.mark.parametrize(
    "email", ["a@b", "a@b@c.test", "ada@example.test\r\nBcc: eve@example.test", "@example.test", "x" * 300 + "@example.test"]
)
def test_an_address_for_mail_that_is_none_is_refused(client: FlaskClient, services: Services, email: str) -> None:
    page = client.get("/contact").text
    before = everything(services)
    letter = {"key": hidden(page, "key"), "message": "hello", "name": "Ada", "email": email}
    assert client.post("/contact", data=letter).status_code == 422
    form = {"email": email, "name": "Eve", "password": "engines of 1843"}
    assert client.post("/account/register", data=form).status_code == 422
    assert everything(services) == before


def test_a_letter_from_a_machine_is_thanked_for_and_kept_apart(
    client: FlaskClient, services: Services, clock: FixedClock
) -> None:
    """By what it fills in, by how fast it is, by a key of its own making, by writing on and on with one page's key."""

    def write(key: str, message: str, seconds: float = 0, **more: str) -> TestResponse:
        clock.advance(seconds=seconds)
        letter = {"key": key, "message": message, "name": "Ada", "email": f"ada{message}@example.test"}
        return client.post("/contact", data=letter | more)

    def page() -> str:
        return hidden(client.get("/contact").text, "key")

    first = page()
    human = write(first, "1", 2)
    forged = first.replace(first.partition(".")[0], "0")
    machines = [
        write(page(), "2", 20, website="https://pills.test"),
        write(page(), "3", 1.9),
        write("made-up-somewhere", "4", 300),
        write("", "5", 20),
        write(forged, "6"),
        write(page(), "7", 12 * 3600 + 1),
    ]
    assert {(one.status_code, one.location.split("?")[0]) for one in machines} == {(303, human.location.split("?")[0])}
    again = page()
    for number in range(8, 13):
        write(again, str(number), 300)
    quarantined = {int(one.message) for one in rows(services, Lead) if one.state == "quarantined"}
    assert quarantined == {2, 3, 4, 5, 6, 7, 11, 12}
    assert len(rows(services, Lead)) == 12  # none is lost


def test_a_crowd_from_one_network_is_thanked_and_kept_apart(client: FlaskClient, services: Services, clock: FixedClock) -> None:
    keys = [hidden(client.get("/contact").text, "key") for _ in range(9)]
    clock.advance(seconds=20)
    for number in range(8):
        client.environ_base["REMOTE_ADDR"] = f"192.0.2.{number}"
        letter = {"message": f"Letter {number}", "name": "Ada", "email": f"ada{number}@example.test", "key": keys[number]}
        assert client.post("/contact", data=letter).status_code == 303
    client.environ_base["REMOTE_ADDR"] = "198.51.100.1"
    other = {"message": "From elsewhere", "name": "Bob", "email": "bob@example.test", "key": keys[8]}
    assert client.post("/contact", data=other).status_code == 303
    assert [one.state for one in rows(services, Lead)] == ["new"] * 5 + ["quarantined"] * 3 + ["new"]


def test_who_asks_is_not_what_a_header_says(client: FlaskClient, services: Services) -> None:
    """Ten tries are ten tries, whatever address the eleventh claims; of somebody who is not there as of anybody."""
    for email in ("ada@example.test", "nobody@example.test"):
        statuses = []
        for number in range(11):
            claimed = {
                "X-Forwarded-For": f"198.51.100.{number}",
                "X-Real-Ip": f"198.51.100.{number}",
                "Forwarded": f"for=198.51.100.{number}",
            }
            form = {"email": email, "password": "wrong"}
            statuses.append(client.post("/account/login", data=form, headers=claimed).status_code)
        assert statuses == [409] * 10 + [429]


def test_ten_thousand_levels_and_ten_to_the_eighteenth(client: FlaskClient, services: Services) -> None:
    before = everything(services)
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    for body, status in (
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 400),
        (b"[" * 10_000 + b"]" * 10_000, 400),
        (b'{"sku": "STOOL", "quantity": 1000000000000000000}', 422),
        (b'{"sku": "STOOL", "quantity": -1000000000000000000}', 422),
        (b'{"sku": "STOOL", "quantity": 1, "currency": "JPY"}', 422),
        (b'{"sku": "STOOL", "quantity": 1, "role": "admin"}', 422),
    ):
        answer = client.post("/api/v1/carts", data=body, headers=headers)
        assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), body[:60]
    for quantity in ("1000000000000000000", "-1000000000000000000", "9" * 5_000):
        assert add(client, quantity=quantity).status_code == 422
    assert everything(services) == before


def test_another_host_is_not_answered(sqlite_url: str, settings_for: Any, clock: Any) -> None:
    from wsgi import create_app

    site = create_app(settings_for(sqlite_url, demo=False, base_url="https://shop.example"), clock=clock)
    client = site.test_client()
    for path in ("/healthz", "/", "/desk/login", "/api/v1"):
        answer = client.get(path, base_url="https://evil.test")
        assert answer.status_code == 400, path
        assert b"evil.test" not in answer.data
    told = {"X-Forwarded-Host": "evil.test", "X-Forwarded-Proto": "https"}
    assert b"evil.test" not in client.get("/robots.txt", base_url="https://shop.example", headers=told).data
    site.extensions["shopfloor"].db.dispose()


def test_no_page_changes_anything_when_it_is_read(client: FlaskClient, services: Services) -> None:
    """GET is safe: also of an address whose POST does something."""
    with services.db.read() as session:
        count = session.scalar(sa.select(sa.func.count()).select_from(Cart))
    before = everything(services)
    for path in ("/cart/add?sku=STOOL&quantity=1", "/account/logout", "/checkout", "/leads?message=x", "/desk/logout"):
        client.get(path)
    assert everything(services) == before
    assert count == 0
