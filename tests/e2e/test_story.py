"""The story, in a real browser over the demo company: ask, answer, buy, pick, pack, ship, see it shipped.

Pictures of every page on the way (desktop and telephone) stay under build/screenshots/story.
"""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from backoffice import bootstrap
from backoffice.bootstrap import Services
from backoffice.bridge.worker import Worker
from backoffice.demo.load import load
from tests.conftest import FixedClock
from tests.invariants import breaches
from tests.need import SCREENSHOTS

PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 900}


def picture(page: Any, name: str) -> None:
    """Keep the page as a picture, as wide as its browser and on a telephone."""
    folder = SCREENSHOTS / "story"
    folder.mkdir(parents=True, exist_ok=True)
    wide = page.viewport_size
    for kind, size in (("desktop", DESKTOP), ("phone", PHONE)):
        page.set_viewport_size(size)
        page.screenshot(path=folder / f"{name}-{kind}.png", full_page=True)
    page.set_viewport_size(wide)


def log_in(page: Any, address: str, who: str) -> None:
    """Log a member of the demo's staff in."""
    page.goto(f"{address}/desk/login")
    page.get_by_label("E-mail").fill(who)
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Log in").click()


def mails(services: Services) -> list[Any]:
    """Return the mails that have left, oldest first."""
    folder = services.settings.mail_path
    return [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in sorted(folder.glob("*.eml"))]


@pytest.mark.browser
def test_from_the_question_to_the_parcel(
    app: Flask, server: str, new_page: Callable[..., Any], clock: FixedClock, now: datetime
) -> None:
    services: Services = app.extensions["shopfloor"]
    load(services.db, media=Path(services.settings.media_path), now=now)
    carriers = {"mail": bootstrap.carriers(services)["mail"]}
    worker = Worker(services.db, carriers, bootstrap.periodic(services), name="story", clock=services.clock)

    # a customer asks
    customer = new_page(viewport=DESKTOP)
    customer.goto(server)
    picture(customer, "01-home")
    customer.get_by_role("link", name="Contact").first.click()
    customer.get_by_label("What do you need?").fill("Is the Amsel chair steady on an old, uneven floor? ধন্যবাদ")
    customer.get_by_label("Your name").fill("Mira Øster")
    customer.get_by_label("Your e-mail").fill("mira@example.test")
    picture(customer, "02-contact")
    clock.advance(seconds=40)  # as long as it takes to write that
    customer.get_by_role("button", name="Send").click()
    customer.get_by_role("heading", level=1).wait_for()
    picture(customer, "03-thanks")

    # sales answers
    sales = new_page(viewport=DESKTOP)
    log_in(sales, server, "mara@birkengrund.example")
    sales.goto(f"{server}/desk/sales")
    picture(sales, "04-inbox")
    sales.get_by_role("link", name="Mira Øster").first.click()
    sales.get_by_role("button", name="Take it").click()
    sales.locator("#answer").fill("Dear Mira, yes: each leg has a foot that turns. Warmly, Birkengrund")
    picture(sales, "05-answering")
    sales.locator("#answer").locator("xpath=ancestor::form").get_by_role("button", name="Send the answer").click()
    sales.get_by_role("button", name="Done").wait_for()
    worker.turn()
    [answer] = [one for one in mails(services) if one["To"].addresses[0].addr_spec == "mira@example.test"]
    assert "each leg has a foot that turns" in answer.get_body(("plain",)).get_content()

    # the customer buys
    customer.goto(f"{server}/p/amsel-chair")
    customer.get_by_label("Your postcode").fill("80331")
    customer.get_by_role("button", name="Show the day").last.click()
    customer.get_by_text("Why this day").click()
    picture(customer, "06-product")
    customer.get_by_role("button", name="Put in cart").click()
    picture(customer, "07-cart")
    customer.get_by_role("link", name="Go to checkout").click()
    customer.get_by_label("E-mail").fill("mira@example.test")
    customer.get_by_label("Name", exact=True).fill("Mira Øster")
    customer.get_by_label("Street and number").fill("Sendlinger Str. 5")
    customer.get_by_label("Town").fill("München")
    assert customer.get_by_label("Postcode").input_value() == "80331"
    picture(customer, "08-checkout")
    customer.get_by_role("button", name="Pay").click()
    picture(customer, "09-sandbox")
    customer.get_by_role("button", name="Pay").click()
    customer.get_by_text("Order SF-").first.wait_for()
    picture(customer, "10-order")
    order_address = customer.url
    worker.turn()
    confirmation = mails(services)[-1]
    assert order_address in confirmation.get_body(("plain",)).get_content()

    # the warehouse picks, packs and ships
    warehouse = new_page(viewport=DESKTOP)
    log_in(warehouse, server, "ayse@birkengrund.example")
    warehouse.goto(f"{server}/desk/warehouse")
    picture(warehouse, "11-to-pick")
    warehouse.get_by_role("link", name="Amsel chair").first.click()
    warehouse.get_by_label("Scan the item").fill("AMSEL-OAK")
    picture(warehouse, "12-scan")
    warehouse.get_by_label("Scan the item").press("Enter")
    warehouse.get_by_role("button", name="Packed").click()
    warehouse.get_by_label("Scan the parcel label").fill("JD0146")
    picture(warehouse, "13-ship")
    warehouse.get_by_role("button", name="Shipped").click()
    warehouse.get_by_text("Shipped. The customer is told by mail.").wait_for()

    # the customer sees it shipped
    worker.turn()
    shipped = mails(services)[-1]
    assert "JD0146" in shipped.get_body(("plain",)).get_content()
    customer.goto(order_address)
    assert "JD0146" in customer.get_by_role("main").inner_text()
    picture(customer, "14-shipped")

    # and sales sees the whole of it on one timeline
    sales.get_by_role("link", name="Customer page").click()
    timeline = sales.get_by_role("main").inner_text()
    for happened in ("steady on an old, uneven floor", "each leg has a foot that turns", "SF-", "JD0146"):
        assert happened in timeline
    picture(sales, "15-customer")

    with services.db.read() as session:
        assert breaches(session) == []
