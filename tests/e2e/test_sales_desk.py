"""A sale by telephone, in a real browser: taken down, called, come back to, ordered by a link, paid, won.

Pictures of every page on the way stay under build/screenshots/story.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask

from backoffice import bootstrap
from backoffice.bootstrap import Services
from backoffice.bridge.worker import Worker
from backoffice.demo.load import load
from tests.conftest import FixedClock
from tests.e2e.test_story import DESKTOP, log_in, mails, picture
from tests.invariants import breaches


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database is enough: races are tried elsewhere, on PostgreSQL."""
    return sqlite_url


@pytest.mark.browser
def test_from_the_call_to_the_order(
    app: Flask, server: str, new_page: Callable[..., Any], now: datetime, clock: FixedClock
) -> None:
    services: Services = app.extensions["shopfloor"]
    load(services.db, media=Path(services.settings.media_path), now=now)
    carriers = {"mail": bootstrap.carriers(services)["mail"]}
    worker = Worker(services.db, carriers, bootstrap.periodic(services), name="sale", clock=services.clock)

    # somebody calls
    sales = new_page(viewport=DESKTOP, locale="en")
    log_in(sales, server, "mara@birkengrund.example")
    sales.goto(f"{server}/desk/sales")
    picture(sales, "21-to-do")
    sales.get_by_role("link", name="New enquiry by telephone").click()
    sales.get_by_label("Name").fill("Ilse Ødegård")
    sales.get_by_label("Telephone").fill("+49 951 99998 77")
    sales.get_by_label("In their words").fill("Two oak chairs for the hall. Must ask her husband.")
    sales.get_by_label("Item").fill("amsel oak")
    sales.get_by_label("Item").press("Enter")  # shows, and keeps nothing
    sales.get_by_role("button", name="Amsel chair Oak").click()
    sales.get_by_label("Pieces").fill("2")
    sales.get_by_label("Postcode").fill("96047")
    sales.get_by_role("button", name="Show the day").click()
    sales.get_by_text("If ordered now").wait_for()
    picture(sales, "22-by-telephone")
    sales.get_by_role("button", name="Keep the enquiry").click()
    sales.get_by_text("Taken down. It is yours.").wait_for()

    # keys go to the fields, folded or not
    for key, field in (("n", "note"), ("c", "call")):
        sales.locator("h1").click()
        sales.keyboard.press(key)
        assert sales.evaluate("document.activeElement.id") == field

    # to be called again on Thursday
    sales.locator("#call").fill("Her husband decides on Thursday.")
    sales.get_by_label("Call again on").fill("2026-11-26")
    sales.get_by_role("button", name="Keep the call").click()
    sales.get_by_text("call again on Thu 26 Nov").wait_for()
    picture(sales, "23-called")
    clock.advance(days=2, minutes=5)
    log_in(sales, server, "mara@birkengrund.example")  # the desk was closed meanwhile
    sales.goto(f"{server}/desk/sales?state=due&q=Ilse")
    row = sales.locator("[data-row]")
    assert "call again" in row.inner_text()
    row.click()

    # they want it: an order by a link
    sales.get_by_role("link", name="Make an order").click()
    sales.get_by_label("E-mail").fill("ilse@example.test")
    sales.get_by_label("Street and number").fill("Lange Straße 9")
    sales.get_by_label("Town").fill("Bamberg")
    sales.get_by_role("button", name="Show days and total").click()
    sales.get_by_text("All of it arrives").wait_for()
    picture(sales, "24-order")
    sales.get_by_role("button", name="Mail the link to pay").click()
    sales.get_by_text("Waiting for payment until").wait_for()
    picture(sales, "25-waiting")
    worker.turn()
    [mail] = [one for one in mails(services) if one["To"].addresses[0].addr_spec == "ilse@example.test"]
    assert mail["Subject"] == "Your order is ready to pay"
    text = mail.get_body(("plain",)).get_content()
    [link] = [line for line in text.splitlines() if "/o/" in line]

    # the customer pays
    customer = new_page(viewport=DESKTOP)
    customer.goto(f"{server}{urlsplit(link).path}")
    picture(customer, "26-link")
    customer.get_by_role("link", name="Go to the payment").click()
    customer.get_by_role("button", name="Pay").click()
    customer.get_by_text("Order SF-").first.wait_for()

    # and the enquiry is won, on one timeline
    sales.reload()
    sales.get_by_text("Became an order:").wait_for()
    story = sales.get_by_role("main").inner_text()
    for happened in ("Must ask her husband.", "decides on Thursday", "sent an order to pay", "became an order", "SF-"):
        assert happened in story
    picture(sales, "27-won")
    with services.db.read() as session:
        assert breaches(session) == []
