"""Stories of customers with an account, in another country and language, and by keyboard without scripts.

Pictures of each step (desktop and telephone) stay under build/screenshots/story.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from backoffice import bootstrap
from backoffice.bootstrap import Services
from backoffice.bridge.worker import Worker
from backoffice.crm.models import Address, Order
from backoffice.demo.load import load
from backoffice.payments import refunds
from backoffice.payments.models import Payment
from tests.e2e.test_story import DESKTOP, mails, picture
from tests.invariants import breaches

pytestmark = pytest.mark.browser
MAIL = "ada@example.test"
PASSWORD = "engines of 1843"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database: pages do not differ by it."""
    return sqlite_url


class Story:
    """The demo company behind a real address."""

    def __init__(self, services: Services, address: str) -> None:
        self.services, self.address = services, address

    def work(self) -> None:
        """Let a worker carry all that waits."""
        worker = Worker(self.services.db, bootstrap.carriers(self.services), [], name="story", clock=self.services.clock)
        while worker.turn():
            pass

    def mail(self, to: str) -> str:
        """Carry all mails; return the text of the last one to somebody."""
        self.work()
        mine = [one for one in mails(self.services) if one["To"].addresses[0].addr_spec == to]
        return str(mine[-1].get_body(("plain",)).get_content()).replace("\r\n", "\n")

    def link(self, to: str) -> str:
        """Return the link of the last mail to somebody."""
        found = re.search(rf"{re.escape(self.address)}\S+", self.mail(to))
        assert found
        return found.group()


@pytest.fixture
def story(app: Flask, server: str, now: datetime) -> Story:
    services: Services = app.extensions["shopfloor"]
    load(services.db, media=Path(services.settings.media_path), now=now)
    return Story(services, server)


def fill(page: Any, **fields: str) -> None:
    """Fill fields by their names; what has choices is chosen."""
    for name, text in fields.items():
        control = page.locator(f"main [name={name}]")
        if control.evaluate("one => one.tagName") == "SELECT":
            control.select_option(text)
        else:
            control.fill(text)


def press_pay(page: Any) -> None:
    """Go to pay, and pay at the sandbox."""
    page.locator("form.checkout button[data-once]").click()
    page.locator("button[value=pay]").click()
    page.locator("address").first.wait_for()


def test_register_buy_order_again_and_get_money_back(story: Story, new_page: Callable[..., Any], now: datetime) -> None:
    ada = new_page(viewport=DESKTOP)
    ada.goto(f"{story.address}/account/register")
    fill(ada, email=MAIL, name="Ada Lovelace", password=PASSWORD)
    picture(ada, "account-01-register")
    ada.get_by_role("button", name="Make an account").click()
    ada.get_by_role("heading", name="Look into your mailbox").wait_for()
    ada.goto(story.link(MAIL))
    fill(ada, password=PASSWORD)
    ada.get_by_role("button", name="Confirm your address").click()
    ada.get_by_text("There is no order yet.").wait_for()
    picture(ada, "account-02-confirmed")

    ada.goto(f"{story.address}/p/amsel-chair")
    ada.get_by_role("button", name="Put in cart").click()
    ada.get_by_role("link", name="Go to checkout").click()
    assert ada.get_by_label("E-mail").input_value() == MAIL
    fill(ada, street="Sendlinger Str. 5", postcode="80331", city="München")
    picture(ada, "account-03-checkout")
    press_pay(ada)
    order = ada.url
    assert "80331 München" in ada.locator("main address").inner_text()

    ada.goto(f"{story.address}/account")
    picture(ada, "account-04-orders")
    ada.get_by_role("button", name="Order again").click()
    ada.get_by_role("link", name="Go to checkout").click()
    assert ada.locator("[name=street]").input_value() == "Sendlinger Str. 5"  # kept with the first order
    picture(ada, "account-05-again")
    press_pay(ada)
    assert ada.url != order
    ada.goto(f"{story.address}/account")
    assert ada.get_by_role("button", name="Order again").count() == 2

    def give_back(session: Any) -> None:
        first = session.scalars(sa.select(Order).order_by(Order.id)).first()
        payment = session.get_one(Payment, first.payment_id)
        refunds.request(session, payment, 2_000, reason="partial", key="story", by="Mara", now=now)

    story.services.db.run(give_back)
    assert "€20.00" in story.mail(MAIL)
    ada.goto(order)
    assert "given back on Tue 24 Nov" in ada.locator("main").inner_text()
    picture(ada, "account-06-money-back")
    with story.services.db.read() as session:
        assert session.scalar(sa.select(sa.func.count(Address.id))) == 1
        assert breaches(session) == []


def test_a_customer_in_another_country_and_language(story: Story, new_page: Callable[..., Any]) -> None:
    giulia = new_page(viewport=DESKTOP)
    giulia.goto(f"{story.address}/de/p/amsel-chair")
    giulia.locator("#part-buy button[type=submit]").click()
    giulia.goto(f"{story.address}/de/cart")
    fill(giulia, country="IT", postcode="39100")
    giulia.locator("form[action$='/cart/postcode'] button").click()
    picture(giulia, "abroad-01-cart")
    giulia.goto(f"{story.address}/de/checkout")
    assert giulia.locator("[name=country]").input_value() == "IT"
    assert giulia.locator("[name=country] option:checked").inner_text() == "Italien"
    fill(giulia, email="giulia@example.test", name="Giulia Rossi", company="Falegnameria Rossi srl")
    fill(giulia, street="Via dei Portici 7", city="Bolzano")
    giulia.locator("form.checkout button[data-once]").click()
    giulia.locator("#region[aria-invalid=true]").wait_for()  # the province is required there, and nothing typed is lost
    assert giulia.locator("[name=company]").input_value() == "Falegnameria Rossi srl"
    picture(giulia, "abroad-02-no-province")
    fill(giulia, region="BZ")
    press_pay(giulia)
    assert giulia.evaluate("document.documentElement.lang") == "de"
    assert giulia.locator("main address").inner_text().splitlines() == [
        "Giulia Rossi",
        "Falegnameria Rossi srl",
        "Via dei Portici 7",
        "39100 Bolzano BZ",
        "Italien",
    ]
    picture(giulia, "abroad-03-order")
    mail = story.mail("giulia@example.test")
    assert "Ihre Bestellung" in mail
    assert "Giulia Rossi\nFalegnameria Rossi srl\nVia dei Portici 7\n39100 Bolzano BZ\nItalien\n" in mail
    assert giulia.url in mail


def test_the_address_book_by_keyboard_without_scripts(story: Story, new_page: Callable[..., Any]) -> None:
    ada = new_page(viewport=DESKTOP, java_script_enabled=False)

    def reach(name: str) -> None:
        """Press Tab until a control of the page's form has the focus."""
        for _ in range(60):
            ada.keyboard.press("Tab")
            if ada.locator(f"main {name}:focus").count():
                return
        raise AssertionError(f"{name} is not reached by keyboard")

    def write(**fields: str) -> None:
        for name, text in fields.items():
            reach(f"[name={name}]")
            ada.keyboard.type(text)

    ada.goto(f"{story.address}/account/register")
    write(email=MAIL, name="Ada Lovelace", password=PASSWORD)
    ada.keyboard.press("Enter")
    ada.get_by_role("heading", name="Look into your mailbox").wait_for()
    ada.goto(story.link(MAIL))
    write(password=PASSWORD)
    ada.keyboard.press("Enter")
    ada.get_by_text("There is no order yet.").wait_for()

    ada.goto(f"{story.address}/account/addresses/new")
    write(country="Ire")
    reach("#use-country")
    ada.keyboard.press("Enter")
    ada.get_by_text("Eircode").wait_for()
    write(street="1 Quay", city="Galway")
    picture(ada, "keyboard-01-ireland")
    ada.keyboard.press("Enter")  # in a field it saves, and does not press the first small button
    ada.get_by_text("The checkout begins with this one").wait_for()
    assert ada.locator("main address").inner_text().splitlines() == ["Ada Lovelace", "1 Quay", "Galway", "Ireland"]
    picture(ada, "keyboard-02-book")
    reach("button.plain")
    ada.keyboard.press("Enter")
    ada.get_by_text("There is no address yet.").wait_for()
