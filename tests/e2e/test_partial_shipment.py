"""An order of two parcels in a real browser: wave, scan, short pick, a part is sent; the customer sees every parcel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from backoffice.bootstrap import Services
from backoffice.demo.load import load
from backoffice.erp.models import Shipment
from tests.conftest import FixedClock
from tests.e2e.test_pages import ADDRESS, fill, into_cart
from tests.e2e.test_story import log_in
from tests.invariants import breaches

PHONE = {"width": 360, "height": 740}


def states(services: Services) -> list[tuple[int, str]]:
    """Return the order's parcels and their states."""
    with services.db.read() as session:
        return [(one.parcel, one.state) for one in session.query(Shipment).order_by(Shipment.parcel)]


@pytest.mark.browser
def test_two_parcels_one_of_them_short(app: Flask, server: str, new_page: Callable[..., Any], clock: FixedClock) -> None:
    services: Services = app.extensions["shopfloor"]
    load(services.db, media=Path(services.settings.media_path), now=clock())
    buyer = new_page()
    into_cart(buyer, server, "/p/amsel-chair?postcode=96047", "/p/linde-dining-table?sku=LINDE-140-OAK")
    into_cart(buyer, server, "/p/amsel-chair")  # a second one
    buyer.get_by_label("2 parcels:").check()
    buyer.get_by_role("button", name="Choose").click()
    buyer.goto(f"{server}/checkout")
    fill(buyer, ADDRESS)
    for _ in ("at the shop", "at the provider"):
        with buyer.expect_navigation():
            buyer.get_by_role("button", name="Pay").first.click()
    order_page = buyer.url
    assert states(services) == [(1, "to_pick"), (2, "waiting")]

    picker = new_page(viewport=PHONE)
    log_in(picker, server, "ayse@birkengrund.example")
    picker.goto(f"{server}/desk/warehouse/waves")
    picker.get_by_role("button", name="Start the wave").click()
    picker.get_by_label("Scan the item").wait_for()
    picker.keyboard.type("AMSEL-OAK")  # the field has the focus: a scanner types, then presses Enter
    picker.keyboard.press("Enter")
    picker.get_by_text("1 of 2 picked").first.wait_for()
    picker.get_by_text("Fewer on the shelf than needed?").click()
    picker.get_by_role("button", name="Go on without the rest").click()  # of two, the one that is picked
    picker.get_by_role("button", name="All packed").click()
    picker.get_by_text("1 parcel is packed.").wait_for()
    assert states(services)[0] == (1, "packed")
    picker.get_by_role("main").locator("a.bin").first.click()
    picker.get_by_label("Scan the parcel label").fill("JD 0146")
    picker.get_by_role("button", name="Shipped").click()
    picker.get_by_text("Shipped. The customer is told by mail.").wait_for()

    after = states(services)
    assert [number for number, _ in after] == [1, 2, 3]
    assert after[0] == (1, "shipped")
    assert after[1] == (2, "waiting")
    buyer.goto(order_page)
    seen = buyer.get_by_role("main").inner_text()
    for words in ("Parcel 1", "Parcel 2", "Parcel 3", "JD 0146", "1 × Amsel chair"):
        assert words in seen, seen
    with services.db.read() as session:
        assert breaches(session) == []
