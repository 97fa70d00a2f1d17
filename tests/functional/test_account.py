"""Accounts over the real workshop: register, confirm, log in, orders, order again, log out everywhere, silence."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from email import message_from_bytes, policy

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice import bootstrap
from backoffice.bridge import outbox
from backoffice.crm.models import Account, AccountLink, AccountSession, Address, Cart, Party
from backoffice.db import Database
from backoffice.erp import allotting
from tests.buyers import hidden
from tests.company import open_company
from tests.conftest import NOW, FixedClock

ADA = {"email": "Ada@example.test", "name": "Ada Lovelace", "password": "engines of 1843"}
LOG_IN = {name: ADA[name] for name in ("email", "password")}
Send = Callable[[], list[tuple[str, str, str]]]


@pytest.fixture(autouse=True)
def workshop(db: Database) -> None:
    db.run(lambda session: open_company(session, now=NOW))


@pytest.fixture
def browser(app: Flask) -> Callable[[], FlaskClient]:
    """Another person's browser."""

    def open_one() -> FlaskClient:
        one = app.test_client()
        one.environ_base["HTTP_ORIGIN"] = "http://localhost"
        return one

    return open_one


@pytest.fixture
def post(app: Flask, clock: FixedClock) -> Send:
    """Deliver what waits; return (to, subject, link) of each mail of an account."""
    services = app.extensions["shopfloor"]
    folder = services.settings.mail_path

    def deliver() -> list[tuple[str, str, str]]:
        before = set(folder.glob("*.eml")) if folder.exists() else set()
        carry = bootstrap.carriers(services)["mail"]
        while waiting := services.db.run(lambda session: outbox.lease(session, "post", now=clock.at)):
            for message in waiting:
                if message.kind.startswith("account_"):
                    carry(message)
                services.db.run(lambda session, message=message: outbox.done(session, message, "post", now=clock.at))
        mails = [
            message_from_bytes(path.read_bytes(), policy=policy.default) for path in sorted(set(folder.glob("*.eml")) - before)
        ]
        return [(str(mail["To"].addresses[0].addr_spec), str(mail["Subject"]), _link(mail)) for mail in mails]

    return deliver


def _link(mail: object) -> str:
    text = mail.get_body(("plain",)).get_content()  # type: ignore[attr-defined] # the default policy makes EmailMessage
    found = re.search(r"http://localhost(\S+)", text)
    assert found
    return found.group(1)


def rows(db: Database, model: type) -> int:
    with db.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def ada(client: FlaskClient, post: Send) -> None:
    """Register and confirm."""
    assert client.post("/account/register", data=ADA).status_code == 303
    link = post()[-1][2]
    assert client.post(link, data={"password": ADA["password"]}).location == "/account"


def buy(client: FlaskClient, sku: str = "STOOL", quantity: int = 1) -> str:
    """Buy over the pages; return the order's address."""
    added = client.post("/cart/add", data={"sku": sku, "slug": sku.lower(), "quantity": str(quantity), "postcode": "10115"})
    assert added.status_code == 303
    page = client.get("/checkout").text
    form = {name: hidden(page, name) for name in ("key", "cart_version", "total_minor")}
    form |= {"email": "ada@example.test", "name": "Ada", "phone": "", "street": "Weg 1", "postcode": "10115"}
    start = client.post("/checkout", data=form | {"city": "Berlin", "country": "DE", "note": ""})
    assert start.status_code == 303, start.text
    return client.post(start.location.replace("http://localhost", ""), data={"action": "pay"}).location


def test_nobody_gets_in_before_link_and_password_came_together(client: FlaskClient, db: Database, post: Send) -> None:
    sent = client.post("/account/register", data=ADA)
    assert (sent.status_code, sent.location) == (303, "/account/sent")
    assert client.post("/account/login", data=LOG_IN).status_code == 409
    ((to, subject, link),) = post()
    assert (to, subject) == ("ada@example.test", "Confirm your address")
    assert client.get(link).status_code == 200
    assert client.post(link, data={"password": "engines of 1844"}).status_code == 409
    assert rows(db, AccountSession) == 0
    assert client.post(link, data={"password": ADA["password"]}).location == "/account"
    page = client.get("/account")
    assert "Hello Ada Lovelace." in page.text
    assert "There is no order yet." in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert client.post(link, data={"password": ADA["password"]}).status_code == 404  # once is all


def test_no_answer_tells_whether_there_is_an_account(client: FlaskClient, browser: Callable[[], FlaskClient], post: Send) -> None:
    ada(client, post)
    said = []
    for email in (ADA["email"], "nobody@example.test"):
        other = browser()
        answers = [
            other.post("/account/register", data=ADA | {"email": email}),
            other.post("/account/forgot", data={"email": email}),
            other.post("/account/login", data={"email": email, "password": "wrong wrong"}),
        ]
        said.append([(one.status_code, one.location, one.text.replace(email, "")) for one in answers])
    assert said[0] == said[1]
    kinds = sorted((to, subject) for to, subject, _ in post())
    assert kinds == [
        ("ada@example.test", "Choose a new password"),
        ("ada@example.test", "You have an account already"),
        ("nobody@example.test", "Choose a new password"),  # registered a moment before, so there is one by now
        ("nobody@example.test", "Confirm your address"),
    ]
    assert client.get("/account").status_code == 200  # registering her address again changed nothing


def test_bad_input_is_named_and_nothing_is_kept(client: FlaskClient, db: Database) -> None:
    for wrong in ({"email": "no"}, {"name": " "}, {"password": "short12"}, {"password": "Password123"}, {"password": "x" * 129}):
        page = client.post("/account/register", data=ADA | wrong)
        assert page.status_code == 422
        assert (wrong.get("email") or "Ada@example.test") in page.text
        assert 'type="password" value=""' in page.text
    assert rows(db, Account) == 0


def test_orders_are_hers_and_come_again_as_far_as_can_be_promised(
    client: FlaskClient, browser: Callable[[], FlaskClient], post: Send
) -> None:
    guest = browser()
    buy(guest, quantity=3)  # of five stools, as a guest with the same address
    ada(client, post)
    page = client.get("/account").text
    number = re.findall(r"SF-\w{4}-\w{4}", page)[0]
    assert "3 ×" in page
    token = hidden(page, "form_token")
    assert client.post(f"/account/orders/{number}/again", data={"form_token": "0" * 64}).status_code == 403
    again = client.post(f"/account/orders/{number}/again", data={"form_token": token})
    assert again.location == f"/account/orders/{number}/again"
    assert "2 of 3 in your cart" in client.get(again.location).text
    client.post(f"/account/orders/{number}/again", data={"form_token": token})
    assert client.get("/cart/count").text == "2"  # pressed twice it is once
    assert browser().get(f"/account/orders/{number}/again").location == "/account/login"
    assert client.post("/account/orders/SF-AAAA-AAAA/again", data={"form_token": token}).status_code == 404


def test_the_cart_is_found_again_on_another_device(client: FlaskClient, browser: Callable[[], FlaskClient], post: Send) -> None:
    client.post("/cart/add", data={"sku": "STOOL", "slug": "stool", "quantity": "2"})
    ada(client, post)
    other, third = browser(), browser()
    other.post("/account/login", data=LOG_IN)
    assert other.get("/cart/count").text == "2"
    third.post("/cart/add", data={"sku": "STOOL", "slug": "stool", "quantity": "1"})
    third.post("/account/login", data=LOG_IN)
    assert third.get("/cart/count").text == "1"  # what is in this browser wins


def test_log_out_everywhere_and_a_new_password_end_the_others(
    client: FlaskClient, browser: Callable[[], FlaskClient], post: Send
) -> None:
    ada(client, post)
    other = browser()
    assert other.post("/account/login", data=LOG_IN).location == "/account"
    token = hidden(client.get("/account/settings").text, "form_token")
    wrong = client.post("/account/password", data={"form_token": token, "old": "no", "password": "another engine"})
    assert wrong.status_code == 422
    assert other.get("/account").status_code == 200
    good = {"form_token": token, "old": ADA["password"], "password": "another engine"}
    assert client.post("/account/password", data=good).status_code == 303
    assert client.get("/account").status_code == 200
    assert client.post("/account/logout/everywhere", data={"form_token": token}).status_code == 403  # of the secret of before
    token = hidden(client.get("/account/settings").text, "form_token")
    assert other.get("/account").location == "/account/login"
    assert other.post("/account/login", data=LOG_IN).status_code == 409
    assert other.post("/account/login", data=LOG_IN | {"password": "another engine"}).status_code == 303
    assert client.post("/account/logout/everywhere", data={"form_token": token}).location == "/account/login"
    assert other.get("/account").location == "/account/login"


def test_a_forgotten_password_is_chosen_anew_once(client: FlaskClient, browser: Callable[[], FlaskClient], post: Send) -> None:
    ada(client, post)
    other = browser()
    other.post("/account/forgot", data={"email": "ADA@example.test"})
    link = post()[-1][2]
    assert other.post(link, data={"password": "short"}).status_code == 422
    assert other.post(link, data={"password": "another engine"}).location == "/account"
    assert client.get("/account").location == "/account/login"
    assert other.post(link, data={"password": "a third engine"}).status_code == 404


def test_time_and_tries_run_out(client: FlaskClient, browser: Callable[[], FlaskClient], post: Send, clock: FixedClock) -> None:
    ada(client, post)
    other = browser()
    other.post("/account/forgot", data={"email": ADA["email"]})
    link = post()[-1][2]
    clock.advance(hours=1)
    assert other.post(link, data={"password": "another engine"}).status_code == 404
    for _ in range(10):
        assert other.post("/account/login", data=LOG_IN | {"password": "guessed wrong"}).status_code == 409
    late = other.post("/account/login", data=LOG_IN)
    assert "tried too often" in late.text
    assert (late.status_code, late.headers["Retry-After"]) == (429, "300")
    clock.advance(days=13)
    assert client.get("/account").status_code == 200  # seen: fourteen days from now
    clock.advance(days=13, hours=23)
    assert client.get("/account").status_code == 200
    clock.advance(days=3)
    assert client.get("/account").location == "/account/login"  # thirty days are over


def test_a_closed_account_is_gone_and_its_order_stays(client: FlaskClient, db: Database, post: Send) -> None:
    ada(client, post)
    order = buy(client)
    token = hidden(client.get("/account/settings").text, "form_token")
    assert client.post("/account/close", data={"form_token": token, "closing": "no"}).status_code == 422
    assert rows(db, Account) == 1
    assert client.post("/account/close", data={"form_token": token, "closing": ADA["password"]}).status_code == 303
    assert [rows(db, table) for table in (Account, AccountSession, AccountLink, Address)] == [0, 0, 0, 0]
    assert client.get(order).status_code == 200
    assert client.post("/account/login", data=LOG_IN).status_code == 409


def test_a_page_that_names_no_origin_cannot_act_for_her(client: FlaskClient, post: Send, db: Database) -> None:
    ada(client, post)
    del client.environ_base["HTTP_ORIGIN"]
    assert client.post("/cart/add", data={"sku": "STOOL", "slug": "stool", "quantity": "1"}).status_code == 403
    assert rows(db, Cart) == 0


def test_tries_count_for_one_account_however_its_address_is_typed(
    client: FlaskClient, browser: Callable[[], FlaskClient], post: Send
) -> None:
    ada(client, post)
    other = browser()
    typed = ["Ada@example.test", " ada@example.test", "ada@example.test\t", "\u2003ADA@example.test", "ada@EXAMPLE.test\n"]
    for email in typed * 2:
        assert other.post("/account/login", data={"email": email, "password": "guessed wrong"}).status_code == 409
    for email in (*typed, "  Ada@example.test  "):
        assert "tried too often" in other.post("/account/login", data=LOG_IN | {"email": email}).text
    for email in typed:  # five a day
        assert other.post("/account/forgot", data={"email": email}).status_code == 303
    assert "tried too often" in other.post("/account/forgot", data={"email": f" {typed[0]}"}).text


def test_nobody_fills_her_mailbox(client: FlaskClient, browser: Callable[[], FlaskClient], post: Send, clock: FixedClock) -> None:
    ada(client, post)
    clock.advance(hours=1)

    def ask_everywhere() -> list[str]:
        for host in range(4):
            other = browser()
            other.environ_base["REMOTE_ADDR"] = f"192.0.2.{host}"
            assert other.post("/account/register", data=ADA).location == "/account/sent"
            assert other.post("/account/forgot", data={"email": ADA["email"]}).location == "/account/sent"
        return sorted(subject for _, subject, _ in post())

    three_of_each = ["Choose a new password"] * 3 + ["You have an account already"] * 3
    assert ask_everywhere() == three_of_each
    assert ask_everywhere() == []
    clock.advance(hours=1)
    assert ask_everywhere() == three_of_each


def test_logged_in_she_may_have_what_is_kept_for_her_class(
    client: FlaskClient, browser: Callable[[], FlaskClient], db: Database, post: Send
) -> None:
    ada(client, post)

    def keep(session: Session) -> None:
        session.scalars(sa.select(Party)).one().customer_class = "trade"
        allotting.set_aside(session, 1, "trade", 4, date(2026, 12, 1), by="petra", now=NOW)

    db.run(keep)
    three = {"sku": "STOOL", "slug": "stool", "quantity": "3", "postcode": "10115"}
    stranger = browser()
    assert stranger.post("/cart/add", data=three).status_code == 409
    assert client.post("/cart/add", data=three).status_code == 303
    assert client.post("/cart/add", data=three | {"quantity": "2"}).status_code == 303  # the one that is anybody's too
    assert client.post("/cart/add", data=three | {"quantity": "1"}).status_code == 409
    another = browser()  # who logs in with a cart brings it along
    assert another.post("/cart/add", data=three | {"sku": "LAMP", "slug": "lamp"}).status_code == 303
    assert another.post("/account/login", data=LOG_IN).status_code == 303
    with db.read() as session:
        assert [one.customer_class for one in session.scalars(sa.select(Cart).order_by(Cart.id))] == ["trade", "trade"]
