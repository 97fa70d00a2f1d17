"""A day that somebody needs: asked for, refused with ways out, kept by the faster service, ordered. With scripts and without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import expect

from backoffice.bootstrap import Services
from backoffice.crm.models import Order, OrderLine
from backoffice.erp import services as ways
from tests.company import open_company
from tests.conftest import FixedClock
from tests.e2e.test_pages import ADDRESS, fill, into_cart
from tests.invariants import breaches
from tests.need import SCREENSHOTS

EXPRESS = {
    "code": "express", "name": "Express", "position": 1, "price_minor": 1_490, "transit_days": 1, "cutoff_minute": 720,
    "countries": ["DE"], "active": True,
}  # fmt: skip
MUNICH = ADDRESS | {"Postcode": "80331"}


@pytest.mark.browser
@pytest.mark.parametrize("scripts", [True, False])
def test_asked_refused_with_alternatives_faster_ordered(
    app: Flask, server: str, new_page: Callable[..., Any], clock: FixedClock, scripts: bool
) -> None:
    services: Services = app.extensions["shopfloor"]
    services.db.run(lambda session: open_company(session, now=clock()))
    services.db.run(lambda session: ways.save(session, EXPRESS, by="t", role="admin", now=clock()))
    buyer = new_page(
        java_script_enabled=scripts, viewport={"width": 1280 if scripts else 390, "height": 900},
        color_scheme="light" if scripts else "dark",
    )  # fmt: skip
    into_cart(buyer, server, "/p/table?postcode=80331")
    buyer.get_by_label("Quantity").fill("4")
    buyer.get_by_role("button", name="Change").click()
    expect(buyer.get_by_role("main")).to_contain_text("€1,996.00")  # the page has changed before the next field is filled
    buyer.get_by_label("I need all of it by").fill("2026-11-25")
    buyer.get_by_role("button", name="Ask", exact=True).click()
    main = buyer.get_by_role("main")
    expect(main).to_contain_text("Not all of it by Wed 25 Nov")
    expect(main).to_contain_text("Not by Wed 25 Nov")
    picture(buyer, "asked-day-late", scripts)
    expect(main.get_by_role("button", name="Express for")).to_have_count(0)  # four are late with it too: they need legs
    buyer.get_by_label("Quantity").fill("1")
    buyer.get_by_role("button", name="Change").click()
    faster = main.get_by_role("button", name="Express for €14.90: Wed 25 Nov")
    expect(faster).to_have_count(1)
    picture(buyer, "asked-day-faster", scripts)
    faster.click()
    expect(main).to_contain_text("Yes: all of it arrives by Wed 25 Nov")
    expect(main).to_contain_text("Delivery: Express")
    picture(buyer, "asked-day-yes", scripts)
    buyer.goto(f"{server}/checkout")
    fill(buyer, MUNICH)
    for _ in ("at the shop", "at the provider"):
        with buyer.expect_navigation():
            buyer.get_by_role("button", name="Pay").first.click()
    expect(buyer.get_by_role("main")).to_contain_text("Delivery: Express")
    expect(buyer.get_by_role("main")).to_contain_text("Wed 25 Nov")
    with services.db.read() as session:
        order, line = session.query(Order).one(), session.query(OrderLine).one()
        assert (order.shipping_minor, order.total_minor) == (1_490, 49_900 + 1_490)
        assert (str(line.requested_on), str(line.promised_on)) == ("2026-11-25", "2026-11-25")
        assert breaches(session) == []


def picture(page: Any, name: str, scripts: bool) -> None:
    folder = SCREENSHOTS / "pages"
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}-{'desktop' if scripts else 'phone-dark'}.png", full_page=True)
