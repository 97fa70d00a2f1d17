"""How often something may be tried: limits that hold across processes, say how long to wait, and keep no buyer out."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backoffice import passwords, throttle
from backoffice.bootstrap import Services
from backoffice.bridge.models import OutboxMessage
from backoffice.config import Settings
from backoffice.crm import coupon_rules, leads, reminding
from backoffice.crm.models import Account, Lead, Party
from backoffice.db import Database
from backoffice.erp.models import Staff
from backoffice.web import guesses
from tests.company import open_company
from tests.conftest import NOW, FixedClock
from tests.functional.desk.conftest import every_row
from tests.functional.test_bad_input import add, checkout, rows
from tests.integration.chain.conftest import Workshop
from tests.integration.chain.test_coupons import PLAIN

COUNTED = {"/o/", "/quotation/", "/question/", "/consent/", "/unsubscribe/", "/account/confirm/", "/account/reset/"} | {
    f"/api/v1/{name}/" for name in ("orders", "carts")
}
NO_SECRET = {"filename", "path", "name", "slug", "sku", "code", "number", "slip_id", "slip", "address_id"}


@pytest.fixture
def services(app: Flask, now: Any) -> Services:
    built: Services = app.extensions["shopfloor"]
    built.db.run(lambda session: open_company(session, now=now))
    return built


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """SQLite is enough for the pages; the race below is PostgreSQL's."""
    return sqlite_url


@pytest.fixture
def settings(db: Database, settings_for: Callable[..., Settings]) -> Settings:
    """With an address of ours: what has no link to take a consent back is not written."""
    return settings_for(db.url, base_url="http://localhost")


def from_there(client: FlaskClient, address: str) -> FlaskClient:
    client.environ_base["REMOTE_ADDR"] = address
    return client


def test_twenty_links_that_open_nothing_an_hour(client: FlaskClient, services: Services, clock: FixedClock) -> None:
    shop = Workshop(services, NOW)
    start = shop.start(shop.cart(STOOL=1))
    shop.pay(start)
    for number in range(20):
        path = f"/o/guess-{number}" if number % 2 else f"/api/v1/orders/guess-{number}"
        assert from_there(client, f"192.0.2.{number}").get(path).status_code == 404
    clock.advance(minutes=20)
    for path in ("/o/one-more", "/o/one-more/cancel", "/api/v1/orders/one-more"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2400"), path
        assert "Content-Security-Policy" in answer.headers
        assert answer.headers["X-Request-Id"]
    assert client.get(f"/o/{start.order_token}").status_code == 200  # theirs opens, whoever guesses beside them
    assert from_there(client, "198.51.100.1").get("/o/one-more").status_code == 404
    clock.advance(minutes=40)
    assert from_there(client, "192.0.2.1").get("/o/one-more").status_code == 404


def test_whoever_sends_a_key_guesses_no_more_than_others(client: FlaskClient, services: Services) -> None:
    """A partner's key stands for something at the API alone; beside it everybody could make one up."""
    for number in range(20):
        assert client.get(f"/o/guess-{number}", headers={"Authorization": f"Bearer {number}"}).status_code == 404
    assert client.get("/o/one-more", headers={"Authorization": "Bearer x"}).status_code == 429


@pytest.mark.usefixtures("services")
def test_every_secret_part_of_an_address_is_counted(app: Flask) -> None:
    """What a route takes is a secret or known not to be one: a new name is sorted in here."""
    counted, others = set(), set()
    for rule in app.url_map.iter_rules():
        secret = rule.arguments & guesses.SECRETS
        others |= set() if rule.rule.startswith(("/desk", "/sandbox")) else rule.arguments - secret
        if secret:
            counted.add(rule.rule.partition("<")[0])
            path = re.sub(r"<(\w+:)?\w+>", "1", rule.rule)
            with app.test_request_context(path, method=next(iter(rule.methods - {"HEAD", "OPTIONS"}))):
                assert guesses.is_guess(), rule.rule
    assert counted == COUNTED
    assert others == NO_SECRET


def test_ten_wrong_codes_an_hour_and_any_number_of_right_ones(client: FlaskClient, services: Services, clock: FixedClock) -> None:
    services.db.run(lambda session: coupon_rules.save(session, PLAIN, by="Ada", now=NOW))
    add(client)
    for _ in range(15):
        assert client.post("/cart/coupon", data={"coupon": "welcome-10"}).status_code == 303
    for number in range(10):
        assert client.post("/cart/coupon", data={"coupon": f"guess-{number}"}).status_code == 422
    clock.advance(minutes=10)
    refused = client.post("/cart/coupon", data={"coupon": "welcome-10"})
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "3000")
    token = client.get_cookie("cart")
    assert token
    told = client.put(f"/api/v1/carts/{token.value}/coupon", json={"code": "welcome-10"}, headers={"Idempotency-Key": "k"})
    assert (told.status_code, told.headers["Retry-After"], told.get_json()["code"]) == (429, "3000", "too_many_codes")


@pytest.mark.parametrize("email", ["ada@example.test", "nobody@example.test"])
def test_five_forgotten_passwords_a_day(client: FlaskClient, services: Services, clock: FixedClock, email: str) -> None:
    def account(session: Any) -> None:
        party = Party(name="Ada", email="ada@example.test", created_at=NOW)
        session.add(party)
        session.flush()
        known = {"party_id": party.id, "email": "ada@example.test", "name": "Ada", "password_hash": "x"}
        session.add(Account(**known, created_at=NOW, confirmed_at=NOW))

    services.db.run(account)
    for _ in range(5):
        assert client.post("/account/forgot", data={"email": email}).status_code == 303
        clock.advance(hours=2)
    refused = client.post("/account/forgot", data={"email": f" {email.upper()} "})
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, str(14 * 3600))
    assert len(rows(services, OutboxMessage)) == (5 if email.startswith("ada") else 0)
    assert from_there(client, "198.51.100.1").post("/account/forgot", data={"email": email}).status_code == 303
    clock.advance(hours=14)
    assert from_there(client, "127.0.0.1").post("/account/forgot", data={"email": email}).status_code == 303


def test_ten_registrations_an_hour_of_one_network_whoever_is_named(
    client: FlaskClient, services: Services, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "make_hash", lambda _typed: "hash")

    def register(number: int, address: str) -> tuple[int, str | None]:
        form = {"email": f"stranger{number}@example.test", "name": "Eve", "password": "engines of 1843"}
        answer = from_there(client, address).post("/account/register", data=form)
        assert "tried too often" in answer.text or answer.status_code == 303
        return answer.status_code, answer.headers.get("Retry-After")

    assert [register(number, f"192.0.2.{number}") for number in range(10)] == [(303, None)] * 10
    clock.advance(minutes=20)
    assert register(0, "192.0.2.99") == register(99, "192.0.2.99") == (429, "2400")  # one that is known, one that is not
    assert [row.kind for row in rows(services, OutboxMessage)] == ["account_confirm"] * 10
    assert register(10, "198.51.100.1") == (303, None)
    clock.advance(minutes=40)
    assert register(11, "192.0.2.1") == (303, None)


def test_the_eleventh_payment_of_a_cart_within_ten_minutes_waits_and_keeps_all_that_was_typed(
    client: FlaskClient, services: Services, clock: FixedClock
) -> None:
    add(client)

    def pay(form: dict[str, str]) -> TestResponse:
        return client.post("/checkout", data=form)

    def fresh() -> dict[str, str]:
        return checkout(client, street="Am Weg 1")

    begun = [pay(fresh()) for _ in range(9)]
    clock.advance(minutes=4)
    tenth = fresh()
    begun.append(pay(tenth))
    assert [one.status_code for one in begun] == [303] * 10
    assert pay(tenth).location == begun[-1].location  # sent again it is the same payment
    form = tenth | {"key": "one-more"}
    with services.db.read() as session:
        before = every_row(session)
    refused = pay(form)
    with services.db.read() as session:
        assert every_row(session) == before  # the page that is open stays open, too
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "360")
    assert 'value="Am Weg 1"' in refused.text
    assert "Wait ten minutes" in refused.text
    cart = client.get_cookie("cart")
    assert cart
    held = services.shop.carts.find(cart.value, now=clock())
    assert held
    assert held.total
    body = {"cart_version": held.version, "expected_total_minor": held.total.amount_minor}
    body |= {"email": "ada@example.test", "name": "Ada", "street": "Weg 1", "postcode": "10115", "city": "Berlin"}
    body |= {"country": "DE"}
    told = client.post(f"/api/v1/carts/{cart.value}/checkout", json=body, headers={"Idempotency-Key": "by-the-api"})
    assert (told.status_code, told.headers["Retry-After"], told.get_json()["code"]) == (429, "360", "too_many_checkouts")
    clock.advance(minutes=6)
    assert pay(fresh()).status_code == 303


@pytest.mark.postgresql
@pytest.mark.parametrize("most", [5, 10, 20])
def test_fifty_at_one_moment_are_as_many_as_may(postgres_db: Database, most: int) -> None:
    def once(_number: int) -> timedelta | None:
        return postgres_db.run(lambda s: throttle.find_wait(s, "10.0.0.1", "x", tries=most, window=throttle.HOUR, now=NOW))

    with ThreadPoolExecutor(50) as pool:
        waits = list(pool.map(once, range(50)))
    assert waits.count(None) == most
    assert {wait for wait in waits if wait} == {throttle.HOUR}
    with postgres_db.read() as session:
        assert session.scalar(sa.select(throttle.LoginThrottle.tries)) == 50


def leave_carts(app: Flask, many: int, name: str, address: str) -> None:
    """Fill a cart each, ask to be reminded of it twice over, and go."""
    for number in range(many):
        client = from_there(app.test_client(), address)
        client.environ_base["HTTP_ORIGIN"] = "http://localhost"
        assert add(client, "TABLE").status_code == 303
        form = {"email": f"{name}{number}@example.test", "action": "remind", "remind": "yes"}
        assert [client.post("/checkout", data=form).status_code for _ in range(2)] == [200, 200]


def test_of_a_crowd_of_left_carts_five_are_read_at_once_and_only_they_are_written_to(
    app: Flask, services: Services, clock: FixedClock
) -> None:
    leave_carts(app, 12, "bot", "192.0.2.1")
    leave_carts(app, 1, "ada", "198.51.100.1")
    clock.advance(hours=5)
    assert reminding.remind(services.db, now=clock()) == 13

    def mailed() -> list[str]:
        return [str(row.payload["to"]) for row in rows(services, OutboxMessage) if row.kind.startswith("consent")]

    read_at_once = [f"bot{number}@example.test" for number in range(5)] + ["ada0@example.test"]
    with services.db.read() as session:
        found = session.execute(sa.select(Lead.state, Party.email, Lead.id).join(Party).order_by(Lead.id)).all()
        carl = Staff(id=1, name="Carl", email="carl@werk.test", role="sales")
    assert [row.email for row in found if row.state == "new"] == read_at_once
    assert [row.email for row in found if row.state == "quarantined"] == [f"bot{number}@example.test" for number in range(5, 12)]
    assert mailed() == read_at_once
    real = next(row.id for row in found if row.state == "quarantined")
    services.db.run(lambda session: leads.release(session, real, staff=carl, version=1, now=clock()))
    assert mailed() == [*read_at_once, "bot5@example.test"]  # what they agreed to, once somebody found them real


def test_a_doubtful_reminder_leaves_the_lead_that_sales_is_at_alone_and_hides_none(
    app: Flask, services: Services, clock: FixedClock
) -> None:
    leave_carts(app, 6, "bot", "192.0.2.1")
    leave_carts(app, 6, "bot", "198.51.100.1")  # the sixth of each is doubtful, under one address
    clock.advance(minutes=10)
    client = from_there(app.test_client(), "192.0.2.1")
    client.environ_base["HTTP_ORIGIN"] = "http://localhost"
    assert add(client, "TABLE").status_code == 303
    client.post("/checkout", data={"email": "bot5@example.test", "action": "remind", "remind": "yes"})
    clock.advance(hours=5)
    reminding.remind(services.db, now=clock())
    with services.db.read() as session:
        of_five = sa.select(Lead.state).join(Party).where(Party.email == "bot5@example.test").order_by(Lead.id)
        assert session.scalars(of_five).all() == ["quarantined", "new"]
