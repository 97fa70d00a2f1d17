"""The shop and the desks in German, and turned right to left: nothing too wide; a browser is offered its language."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from backoffice.config import Settings
from backoffice.demo.load import load
from tests.conftest import FixedClock
from tests.need import SCREENSHOTS

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SHOP = ["/", "/c/tables", "/search?q=oak", "/contact", "/about", "/delivery", "/privacy", "/cart", "/checkout", "/nothing-here"]

pytestmark = pytest.mark.browser


@pytest.fixture
def demo(sqlite_url: str, settings_for: Callable[..., Settings], clock: FixedClock) -> Iterator[Flask]:
    """The whole site over the demo company."""
    from wsgi import create_app

    site = create_app(settings_for(sqlite_url), clock=clock)
    services = site.extensions["shopfloor"]
    load(services.db, media=Path(services.settings.media_path), now=clock())
    yield site
    services.db.dispose()


def look(page: Any, name: str) -> list[str]:
    """Take a picture, left to right and turned; return what is too wide or wrong for assistive technology."""
    folder, faults = SCREENSHOTS / "languages", []
    folder.mkdir(parents=True, exist_ok=True)
    for direction in ("rtl", "ltr"):
        page.evaluate("way => { document.documentElement.dir = way }", direction)
        for width in (360, 1440):
            page.set_viewport_size({"width": width, "height": 740 if width == 360 else 900})
            page.screenshot(path=folder / f"{name}-{direction}-{width}.png", full_page=True)
            if page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") > 0:
                faults.append(f"{name}: wider than {width} px, {direction}")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found = page.evaluate("tags => axe.run({runOnly: tags, resultTypes: ['violations']})", AXE_TAGS)
    return faults + [f"{name}: {one['id']} {one['nodes'][0]['target']}" for one in found["violations"]]


def test_the_german_shop_fits_and_turns(demo: Flask, serve: Callable[[Flask], str], new_page: Callable[..., Any]) -> None:
    address, faults = serve(demo), []
    page = new_page(bypass_csp=True)  # for axe alone
    page.goto(f"{address}/de/")
    product = page.locator("main a[href*='/de/p/']").first.get_attribute("href")
    page.goto(f"{address}{product}")
    faults += look(page, "product")
    page.locator("form#choice button[type=submit]:not([formmethod])").click()
    page.wait_for_url(f"{address}/de/cart**")
    for path in SHOP:
        page.goto(f"{address}/de{path}")
        assert page.evaluate("document.documentElement.lang") == "de"
        faults += look(page, path.strip("/").partition("?")[0].replace("/", "-") or "home")
    assert faults == []


def test_a_browser_is_offered_its_language_until_it_chose_one(
    demo: Flask, serve: Callable[[Flask], str], new_page: Callable[..., Any]
) -> None:
    address = serve(demo)
    german, english = new_page(locale="de-AT"), new_page(locale="en-GB")
    english.goto(f"{address}/contact")
    assert english.locator("[data-language-offer]:visible").count() == 0
    german.goto(f"{address}/contact")
    offer = german.get_by_role("link", name="Diese Seite auf Deutsch lesen")
    offer.wait_for()
    offer.click()
    german.wait_for_url(f"{address}/de/contact")
    assert german.locator("[data-language-offer]:visible").count() == 0
    german.goto(f"{address}/about")
    assert german.url == f"{address}/de/about"
    german.get_by_role("link", name="English").click()
    german.wait_for_url(f"{address}/about")
    german.reload()
    assert german.locator("[data-language-offer]:visible").count() == 0  # it was turned down


def test_the_german_desks_fit(demo: Flask, serve: Callable[[Flask], str], new_page: Callable[..., Any]) -> None:
    address, faults = serve(demo), []
    page = new_page(locale="de-DE", bypass_csp=True)
    page.goto(f"{address}/desk/login")
    faults += look(page, "desk-login")
    with demo.extensions["shopfloor"].db.read() as session:
        from backoffice.erp.models import Staff

        admin = session.query(Staff).filter_by(role="admin").first()
        assert admin is not None
        email = admin.email
    from backoffice.demo.company import PASSWORD

    page.get_by_label("E-Mail").fill(email)
    page.get_by_label("Passwort").fill(PASSWORD)
    page.get_by_role("button", name="Anmelden").click()
    for path in ("/desk/", "/desk/sales", "/desk/warehouse", "/desk/planning", "/desk/planning/load", "/desk/nothing-here"):
        page.goto(f"{address}{path}")
        assert page.evaluate("document.documentElement.lang") == "de"
        faults += look(page, path.strip("/").replace("/", "-"))
    assert faults == []
