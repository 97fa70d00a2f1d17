"""A day moves, from the planner's entry to the customer's choice, in a real browser: the mail, the page, two tabs, no script."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from backoffice.bootstrap import Services
from backoffice.bridge.mail import compose
from backoffice.bridge.models import OutboxMessage
from backoffice.bridge.outbox import Message
from backoffice.crm import links
from backoffice.crm.models import OrderLine
from backoffice.demo.load import load
from backoffice.erp.models import Item, Product
from tests.conftest import FixedClock
from tests.e2e.test_pages import ADDRESS, Camera, fill, into_cart
from tests.e2e.test_story import log_in
from tests.invariants import breaches

LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenständer aus massivem Eichenholz"


def mail_of(services: Services, kind: str) -> str:
    """Return the newest mail of a kind as its reader sees it."""
    with services.db.read() as session:
        row = session.scalars(
            sa.select(OutboxMessage).where(OutboxMessage.kind == kind).order_by(OutboxMessage.id.desc())
        ).first()
        assert row is not None
        at = row.created_at
        payload = links.written(services.settings.secret_key, row.payload)  # as the worker does
        mail = compose(Message(row.id, row.target, row.aggregate, kind, payload, 1, at, at), "shop@example.test")
    body = mail.get_body(("html",))
    assert body is not None
    return str(body.get_content())


def buy(page: Any, server: str) -> str:
    """Buy a table that is made and a chair that is here, in one parcel; return the order's page."""
    into_cart(page, server, "/p/amsel-chair?postcode=96047", "/p/linde-dining-table?sku=LINDE-140-WALNUT")
    page.goto(f"{server}/checkout")
    fill(page, ADDRESS)
    for _ in ("at the shop", "at the provider"):
        with page.expect_navigation():
            page.get_by_role("button", name="Pay").first.click()
    return str(page.url)


@pytest.mark.timeout(300)
@pytest.mark.browser
def test_from_the_planner_s_entry_to_the_customer_s_choice(
    app: Flask, server: str, new_page: Callable[..., Any], clock: FixedClock
) -> None:
    services: Services = app.extensions["shopfloor"]
    load(services.db, media=Path(services.settings.media_path), now=clock())
    services.db.run(
        lambda db: (
            db.execute(sa.update(Product).where(Product.slug == "amsel-chair").values(name=LONG)),
            db.execute(sa.update(Item).where(Item.sku.startswith("AMSEL")).values(name=LONG)),
        )
    )
    buyer, faults = new_page(), []
    order_page = buy(buyer, server)
    with services.db.read() as session:
        table = session.scalars(sa.select(OrderLine).where(OrderLine.sku == "LINDE-140-WALNUT")).one()

    planner = new_page()
    desk = Camera(planner, server, faults)
    log_in(planner, server, "henrik@birkengrund.example")
    planner.goto(f"{server}/desk/planning/production?q=Linde dining table, 140 cm, walnut")
    planner.get_by_text("It cannot begin yet").first.click()
    later = (clock() + timedelta(days=15)).strftime("%Y-%m-%dT09:00")
    planner.get_by_label("Not before").first.fill(later)
    planner.get_by_role("button", name="Note it").first.click()
    planner.get_by_role("heading", name="2 promises would move").wait_for()
    planner.get_by_role("button", name="Save it and tell the customers").click()
    planner.get_by_text("New days, told to their customers").wait_for()
    desk.open(f"/desk/planning/late/{table.id}", "ways-back")
    desk.open("/desk/planning", "planning-late")

    reader = new_page(java_script_enabled=False)
    reader.set_content(mail_of(services, "day_moved"))
    reader.get_by_role("link", name="Choose what we do").click()
    reader.get_by_role("heading", name="What shall we do?").wait_for()
    address = reader.url
    assert address.startswith(f"{order_page}/moved/")
    second_tab = new_page(java_script_enabled=False)
    second_tab.goto(address)
    shop = Camera(buyer, server, faults)
    buyer.goto(order_page)
    buyer.get_by_role("link", name="Choose what we do").click()
    shop.look("day-moved")

    seen = reader.get_by_role("main").inner_text()
    assert "can be made only" not in seen
    assert "only from" in seen
    assert f"1 × {LONG}" in seen
    assert reader.get_by_role("button", name="Cancel the order").count() == 1
    reader.get_by_role("button", name="Send 2 parcels").click()
    reader.get_by_text("You chose parcels on different days").wait_for()
    second_tab.get_by_role("button", name="Cancel the order").click()
    second_tab.get_by_text("What you chose first stands.").wait_for()
    buyer.goto(address)
    shop.look("day-moved-chosen")
    buyer.goto(order_page)
    assert "Parcel 2" in buyer.get_by_role("main").inner_text()
    with services.db.read() as session:
        assert breaches(session) == []
    assert faults == []
