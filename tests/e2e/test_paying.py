"""Paying in a real browser, with Stripe's own library against a double of Stripe.

Pictures stay under build/screenshots/paying.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from backoffice import bootstrap
from backoffice.bridge.worker import Worker
from backoffice.config import Settings
from backoffice.crm.models import Order
from tests.company import open_company
from tests.conftest import FixedClock
from tests.need import SCREENSHOTS
from tests.stripe_double import DECLINED, GOOD, THREE_D, StripeDouble, running

pytestmark = pytest.mark.browser


class Shop:
    """The open workshop behind a real address, paid at the double."""

    def __init__(self, app: Flask, address: str, double: StripeDouble) -> None:
        self.app, self.address, self.double = app, address, double
        self.services = app.extensions["shopfloor"]

    def orders(self) -> list[Order]:
        """Return all orders."""
        with self.services.db.read() as session:
            return list(session.query(Order))

    def work(self) -> None:
        """Let a worker carry all that waits."""
        worker = Worker(self.services.db, bootstrap.carriers(self.services), [], name="w", clock=self.services.clock)
        while worker.turn():
            pass

    def to_payment(self, page: Any) -> None:
        """Buy a stool up to the payment page."""
        page.goto(f"{self.address}/p/stool")
        page.locator("#part-buy button[type=submit]").first.click()
        page.goto(f"{self.address}/checkout")
        self.fill(page)

    def fill(self, page: Any) -> None:
        """Fill the checkout and go to pay."""
        for name, text in {
            "email": "ada@example.test",
            "name": "Ada Lovelace",
            "street": "Weg 1",
            "postcode": "10115",
            "city": "Berlin",
        }.items():
            page.locator(f"[name={name}]").first.fill(text)
        page.locator("form button[type=submit][data-once]").last.click()
        page.wait_for_url(f"{self.double.base}/pay/**")


@pytest.fixture
def shop(
    sqlite_url: str, settings_for: Callable[..., Settings], serve: Callable[[Flask], str], clock: FixedClock
) -> Iterator[Shop]:
    """The workshop, its shop window on a free port, the double of Stripe beside it."""
    from wsgi import create_app

    with running() as double:
        settings = settings_for(
            sqlite_url,
            stripe_secret_key=double.secret_key,
            stripe_webhook_secret=double.webhook_secret,
            stripe_api_base=double.base,
        )
        app = create_app(settings, clock=clock)
        double.now = lambda: clock().timestamp()
        app.extensions["shopfloor"].db.run(lambda session: open_company(session, now=clock()))
        yield Shop(app, serve(app), double)
        app.extensions["shopfloor"].db.dispose()


def pay(page: Any, card: str) -> None:
    page.get_by_label("Card").fill(card)
    page.get_by_role("button", name="Pay").click()


def picture(page: Any, name: str) -> None:
    folder = SCREENSHOTS / "paying"
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png", full_page=True)


def test_a_declined_card_then_a_good_one_then_cancelled_with_the_money_back(shop: Shop, page: Any) -> None:
    shop.to_payment(page)
    pay(page, DECLINED)
    assert "declined" in page.get_by_role("status").inner_text()
    assert shop.orders() == []
    pay(page, GOOD)
    page.wait_for_url(f"{shop.address}/o/**")
    assert "Wed 25 Nov" in page.get_by_role("heading", level=1).inner_text()
    picture(page, "1-ordered")
    page.get_by_role("link", name="Cancel this order").click()
    picture(page, "2-cancel")
    page.get_by_role("button", name="Cancel the order").click()
    page.get_by_text("Money back").wait_for()
    assert "on its way" in page.locator("main").inner_text()
    shop.work()
    page.reload()
    assert "given back on Tue 24 Nov" in page.locator("main").inner_text()
    picture(page, "3-given-back")
    assert [order.state for order in shop.orders()] == ["cancelled"]


def test_the_bank_asks_and_no_is_no(shop: Shop, page: Any) -> None:
    shop.to_payment(page)
    pay(page, THREE_D)
    page.get_by_role("button", name="Fail").click()
    assert "unable to authenticate" in page.get_by_role("status").inner_text()
    assert shop.orders() == []
    pay(page, THREE_D)
    page.get_by_role("button", name="Complete").click()
    page.wait_for_url(f"{shop.address}/o/**")
    assert [order.state for order in shop.orders()] == ["confirmed"]


def test_back_from_the_payment_page_the_cart_is_as_it_was(shop: Shop, page: Any) -> None:
    shop.to_payment(page)
    page.get_by_role("link", name="Back").click()
    page.wait_for_url(f"{shop.address}/cart")
    assert "Stool" in page.locator("main").inner_text()
    page.goto(f"{shop.address}/checkout")
    shop.fill(page)
    pay(page, GOOD)
    page.wait_for_url(f"{shop.address}/o/**")
    assert len(shop.orders()) == 1


def test_two_windows_of_one_cart_make_one_order(shop: Shop, page: Any) -> None:
    shop.to_payment(page)
    first = page.url
    other = page.context.new_page()
    other.goto(f"{shop.address}/checkout")
    shop.fill(other)
    page.reload()
    assert "This session is over." in page.get_by_role("status").inner_text()
    pay(other, GOOD)
    other.wait_for_url(f"{shop.address}/o/**")
    page.goto(first)
    assert page.get_by_role("button", name="Pay").count() == 0
    assert len(shop.orders()) == 1
