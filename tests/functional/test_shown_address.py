"""Where an order goes is read by whoever bought it here, by its customer who is logged in, and with the code that was mailed."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backoffice.bridge.models import OutboxMessage
from backoffice.crm import relinking
from backoffice.crm.models import Checkout
from backoffice.erp import fulfilment
from backoffice.erp.models import Shipment, Staff
from backoffice.payments import billing
from backoffice.throttle import LoginThrottle
from tests.company import open_company
from tests.conftest import NOW, FixedClock
from tests.integration.chain.conftest import Workshop

WHOLE = ("Ada Lovelace", "Weg 1", "10115 Zehdenick", "ada@example.test")
LETTERS = ("A… L…", "W… 1…", "1… Z…", "a…@example.test")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """SQLite is enough for the pages."""
    return sqlite_url


@pytest.fixture
def shop(app: Flask) -> Workshop:
    """The whole site with its company."""
    services: Any = app.extensions["shopfloor"]
    services.db.run(lambda session: open_company(session, now=NOW))
    return Workshop(services, NOW)


@pytest.fixture
def bought(shop: Workshop) -> Any:
    """An order that was paid somewhere else; its invoice is written."""
    start = shop.start(shop.cart(STOOL=1), city="Zehdenick")
    shop.pay(start)
    return start


def read(client: FlaskClient, path: str) -> str:
    """Return a page, entities read; nobody may keep it."""
    answer = client.get(path)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store"), path
    return html.unescape(answer.text)


def ask(client: FlaskClient, start: Any, **form: str) -> Any:
    """Send the form of the address's page."""
    return client.post(f"/o/{start.order_token}/address", data=form)


def codes(shop: Workshop) -> list[str]:
    """Return the codes that were mailed."""
    return [shop.letter(row)["code"] for row in shop.rows(OutboxMessage, kind="order_code")]


def test_the_link_alone_shows_goods_and_days_and_first_letters(client: FlaskClient, bought: Any) -> None:
    page = read(client, f"/o/{bought.order_token}")
    assert "Stool" in page
    assert "Arrives Wed 25 Nov" in page
    assert [words for words in LETTERS if words not in page] == []
    for path in ("", "/cancel", "/withdraw", "/address", "/address?sent=1"):
        page = read(client, f"/o/{bought.order_token}{path}")
        assert [words for words in (*WHOLE, "Lovelace", "Zehdenick") if words in page] == [], path


def test_whoever_buys_reads_it_in_this_browser_and_nowhere_else(client: FlaskClient, app: Flask, shop: Workshop) -> None:
    client.post("/cart/add", data={"sku": "STOOL", "quantity": "1", "slug": "stool", "postcode": "10115"})
    page = client.get("/checkout").text
    form = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
    form = {name: form[name] for name in ("key", "cart_version", "total_minor", "shown_postcode", "shown_country")}
    form |= {"email": "ada@example.test", "name": "Ada Lovelace", "street": "Weg 1", "city": "Zehdenick"}
    answer = client.post("/checkout", data=form | {"postcode": "10115", "country": "DE"})
    [kept] = [one for one in answer.headers.getlist("Set-Cookie") if one.startswith("orders=")]
    assert "; HttpOnly; Path=/; SameSite=Lax" in kept
    assert "Max-Age=7776000;" in kept  # 90 days
    paid = client.post(answer.location, data={"action": "pay"})
    page = read(client, paid.location)
    assert [words for words in WHOLE if words not in page] == []
    assert "Show name and address" not in page
    assert "Ada Lovelace" not in read(app.test_client(), paid.location)


def test_a_code_from_the_mail_shows_it(client: FlaskClient, shop: Workshop, bought: Any, app: Flask) -> None:
    page = read(client, f"/o/{bought.order_token}")
    assert f'href="/o/{bought.order_token}/address"' in page
    answer = ask(client, bought, action="send")
    assert (answer.status_code, answer.location) == (303, f"/o/{bought.order_token}/address?sent=1")
    assert "on its way to a…@example.test" in read(client, answer.location)
    [mail] = shop.rows(OutboxMessage, kind="order_code")
    assert (mail.payload["to"], mail.aggregate) == ("ada@example.test", f"order:{shop.order(bought).number}")
    [code] = codes(shop)
    assert re.fullmatch(r"\d{6}", code)
    assert code not in str(mail.payload)
    answer = ask(client, bought, code=f" {code[:3]} {code[3:]} ")
    assert (answer.status_code, answer.location) == (303, f"/o/{bought.order_token}#address-title")
    page = read(client, f"/o/{bought.order_token}")
    assert [words for words in WHOLE if words not in page] == []
    assert client.get(f"/o/{bought.order_token}/address").status_code == 303  # nothing is left to show
    chosen = read(client, f"/o/{bought.order_token}/withdraw?chosen=1&take-1=1")
    assert "Ada Lovelace, ada@example.test: we confirm it there" in chosen
    assert "Ada Lovelace" not in read(app.test_client(), f"/o/{bought.order_token}/withdraw?chosen=1&take-1=1")


def test_an_invoice_says_whose_it_is_to_them_alone(client: FlaskClient, shop: Workshop, bought: Any) -> None:
    shop.do(ship)
    billing.issue_due(shop.db, now=NOW + timedelta(hours=3))
    [paper] = shop.order(bought).papers
    path = f"/o/{bought.order_token}/papers/{paper.number}"
    page = read(client, path)
    assert ("A… L…" in page, "Lovelace" in page, "Show name and address" in page) == (True, False, True)
    ask(client, bought, action="send")
    ask(client, bought, code=codes(shop)[0])
    page = read(client, path)
    assert ("Ada Lovelace" in page, "Show name and address" in page) == (True, False)


def test_a_code_is_of_one_order_and_of_half_an_hour_at_most(
    client: FlaskClient, shop: Workshop, bought: Any, clock: FixedClock
) -> None:
    other = shop.start(shop.cart(STOOL=1))
    shop.pay(other)
    ask(client, other, action="send")
    [code] = codes(shop)
    answer = ask(client, bought, code=code)
    assert (answer.status_code, "This is not the code of our newest e-mail" in answer.text) == (422, True)
    assert f'value="{code}"' in answer.text
    clock.advance(minutes=14, seconds=59)
    assert ask(client, other, code=code).status_code == 303
    client.delete_cookie("orders")
    clock.advance(minutes=15, seconds=1)
    assert ask(client, other, code=code).status_code == 422
    assert "Lovelace" not in read(client, f"/o/{bought.order_token}")


def test_guessing_ends_after_five_and_no_right_code_helps_then(
    client: FlaskClient, shop: Workshop, bought: Any, clock: FixedClock
) -> None:
    ask(client, bought, action="send")
    [code] = codes(shop)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    for typed in (wrong, "", "٠١٢٣٤٥", "1" * 32, f"{code}0"):
        assert ask(client, bought, code=typed).status_code == 422
    answer = ask(client, bought, code=code)
    assert (answer.status_code, answer.headers["Retry-After"], "Wait an hour" in answer.text) == (429, "3600", True)
    assert f'value="{code}"' in answer.text
    assert "Lovelace" not in read(client, f"/o/{bought.order_token}")
    clock.advance(hours=1)
    ask(client, bought, action="send")
    assert ask(client, bought, code=codes(shop)[-1]).status_code == 303


def test_three_codes_are_mailed_within_an_hour(client: FlaskClient, shop: Workshop, bought: Any) -> None:
    said = [ask(client, bought, action="send").status_code for _ in range(4)]
    assert (said, len(codes(shop))) == ([303, 303, 303, 429], 3)


def test_who_is_logged_in_as_its_customer_reads_it(shop: Workshop, bought: Any, app: Flask, settings: Any) -> None:
    accounts = shop.shop.accounts
    for number, email in enumerate(("ada@example.test", "eve@example.test")):
        accounts.register(
            email=email, name="Somebody", password="a long pass phrase", language="en", base_url="http://localhost",
            who_asks=f"10.0.{number}.1", now=NOW,
        )  # fmt: skip
        link = shop.letter(shop.rows(OutboxMessage, kind="account_confirm")[-1])["link"]
        browser = app.test_client()
        browser.environ_base["HTTP_ORIGIN"] = "http://localhost"
        done = browser.post(link.removeprefix("http://localhost"), data={"password": "a long pass phrase"})
        assert done.status_code == 303
        page = read(browser, f"/o/{bought.order_token}")
        assert ("Ada Lovelace" in page) == (email == "ada@example.test"), email


def test_a_new_link_ends_what_a_browser_kept(client: FlaskClient, shop: Workshop, bought: Any) -> None:
    ask(client, bought, action="send")
    [code] = codes(shop)
    assert ask(client, bought, code=code).status_code == 303
    key, order = shop.services.settings.secret_key, shop.orders()[0]
    by = Staff(email="bea@werk.test", name="Bea", role="sales", password_hash="x", created_at=NOW)
    shop.db.run(
        lambda session: relinking.renew_link(session, order.number, version=order.version, secret_key=key, by=by, now=NOW)
    )
    link = shop.letter(shop.rows(OutboxMessage, kind="order_link")[0])["link"].removeprefix("http://localhost")
    assert "Lovelace" not in read(client, link)
    assert client.post(f"{link}/address", data={"code": code}).status_code == 422


def test_of_somebody_forgotten_there_is_nothing_to_show(client: FlaskClient, shop: Workshop, bought: Any) -> None:
    def forget(session: Any) -> None:
        checkout = session.query(Checkout).one()
        checkout.email = checkout.name = checkout.street = checkout.city = checkout.postcode = ""

    shop.db.run(forget)
    assert "Show name and address" not in read(client, f"/o/{bought.order_token}")
    assert ask(client, bought, action="send").status_code == 409
    assert codes(shop) == []
    with shop.db.read() as session:
        assert session.query(LoginThrottle).count() == 0


@pytest.mark.parametrize("form", [{"action": "send"}, {"code": "123456"}])
def test_a_link_that_nobody_has_is_nothing(client: FlaskClient, shop: Workshop, form: dict[str, str]) -> None:
    assert client.get("/o/made-up/address").status_code == 404
    assert client.post("/o/made-up/address", data=form).status_code == 404
    assert shop.rows(OutboxMessage) == []


def ship(session: Any, *, actor: str, now: Any) -> None:
    """Let the parcel leave, so that its invoice is written."""
    [parcel] = session.query(Shipment).all()
    fulfilment.pick(session, parcel.id, "STOOL", 1, actor=actor, now=now)
    fulfilment.pack(session, parcel.id, actor=actor, now=now)
    fulfilment.ship(session, parcel.id, tracking="T-1", actor=actor, now=now + timedelta(minutes=1))
