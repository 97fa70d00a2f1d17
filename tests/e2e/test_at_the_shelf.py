"""Picking in a real browser: a scan sounds right or wrong, the sound can be switched off, and paper holds the list alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from backoffice.erp.models import Shipment, Staff
from tests.company import open_company
from tests.conftest import FixedClock
from tests.functional.desk.conftest import PASSWORD, password_hash
from tests.integration.chain.conftest import Workshop

LISTEN = """window.begun = 0;
window.tones = [];
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (at) {
  window.begun += 1;
  this.addEventListener("ended", () => window.tones.push(Math.round(this.frequency.value)));
  return start.call(this, at);
};"""
HEARD = """(count) => new Promise((done) => {
  const look = () => (window.tones.length < count ? requestAnimationFrame(look) : done(window.tones));
  look();
})"""


@pytest.fixture
def picking(
    sqlite_url: str,
    settings_for: Callable[..., Any],
    clock: FixedClock,
    serve: Callable[[Flask], str],
    new_page: Callable[..., Any],
) -> Any:
    """Open the page of a parcel with five stools in it, as somebody of the warehouse."""
    from wsgi import create_app

    app = create_app(settings_for(sqlite_url), clock=clock)
    services = app.extensions["shopfloor"]

    def fill(session: Session) -> None:
        open_company(session, now=clock())
        row = {"email": "wim@werk.test", "name": "Wim", "role": "warehouse"}
        session.add(Staff(**row, password_hash=password_hash(), created_at=clock()))

    services.db.run(fill)
    workshop = Workshop(services, clock())
    workshop.buy(STOOL=5)
    [parcel] = workshop.rows(Shipment)
    page, address = new_page(viewport={"width": 360, "height": 740}), serve(app)
    page.add_init_script(LISTEN)
    page.goto(f"{address}/desk/login")
    page.get_by_label("E-mail").fill("wim@werk.test")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.goto(f"{address}/desk/warehouse/shipments/{parcel.id}")
    return page


def scan(page: Any, sku: str) -> None:
    """Type as a scanner does: letters to wherever the focus is, then Enter."""
    with page.expect_navigation():
        page.keyboard.type(sku)
        page.keyboard.press("Enter")


@pytest.mark.browser
def test_a_scan_sounds_right_or_wrong_until_the_sound_is_off(picking: Any) -> None:
    scan(picking, "LAMP")
    assert picking.get_by_role("alert").inner_text().startswith("Wrong")  # the sound is never alone
    assert picking.evaluate(HEARD, 2) == [220, 165]
    scan(picking, "STOOL")
    assert picking.get_by_role("status").inner_text().startswith("Right")
    assert picking.evaluate(HEARD, 1) == [1320]
    picking.get_by_label("Sound for right and wrong scans").uncheck()
    scan(picking, "STOOL")  # the focus is back where a scan belongs
    assert picking.get_by_role("status").inner_text().startswith("Right")
    assert not picking.get_by_label("Sound for right and wrong scans").is_checked()
    assert picking.evaluate("window.begun") == 0


@pytest.mark.browser
def test_what_needs_a_script_is_not_there_without_one(picking: Any, new_page: Callable[..., Any]) -> None:
    plain = new_page(java_script_enabled=False, storage_state=picking.context.storage_state())
    plain.goto(picking.url)
    assert plain.get_by_label("Scan the item").is_visible()
    for idle in (".sound", ".keys-open button"):
        assert (plain.locator(idle).count(), plain.locator(idle).is_visible()) == (1, False), idle
    assert picking.locator(".sound").is_visible()
    assert not picking.locator(".keys-open button").is_visible()  # letters are the scanner's here


@pytest.mark.browser
def test_paper_holds_the_list_and_not_the_screen_of_the_moment(picking: Any) -> None:
    scan(picking, "LAMP")
    picking.emulate_media(media="print")
    for shown in (".parcel-head h1", ".lines li"):
        assert picking.locator(shown).first.is_visible(), shown
    for hidden in (".top", ".tabs", ".back", ".pick", ".signal", ".sound", ".foot", ".keys-open", ".hall .button"):
        assert not picking.locator(hidden).first.is_visible(), hidden
