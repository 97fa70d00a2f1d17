"""Every kind of page of the demo company, as people see it: on three screens, light and dark, by keyboard, without scripts.

Pictures stay under build/screenshots/pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from backoffice.bootstrap import Services
from backoffice.config import Settings
from backoffice.crm import accounts, parties
from backoffice.crm.models import Account
from backoffice.demo.load import load
from tests.conftest import FixedClock
from tests.e2e.test_story import log_in
from tests.invariants import breaches
from tests.need import SCREENSHOTS

SCREENS = {"phone": (360, 740), "tablet": (820, 1180), "desktop": (1440, 900)}
SHOP = {
    "home": "/",
    "category": "/c/seating",
    "category-narrowed": "/c/seating?f=Wood:Walnut&f=Wood:Ash&from=100&sort=cheapest",
    "category-nothing-left": "/c/storage?f=Wood:Oak&f=Depth:34%20cm&f=Wood:Unobtainium",
    "search": "/search?q=oak",
    "search-nothing": "/search?q=zzz",
    "product-here": "/p/amsel-chair",
    "product-made": "/p/linde-dining-table?sku=LINDE-180-WALNUT&postcode=20095",
    "product-none": "/p/truhe-blanket-chest",
    "product-too-many": "/p/zaun-bench?sku=ZAUN-160-OAK&quantity=5",
    "cart-empty": "/cart",
    "contact": "/contact",
    "thanks": "/thanks?kind=question&by=2026-11-24T15:00%2B00:00&back=/",
    "delivery": "/delivery",
    "returns": "/returns",
    "about": "/about",
    "privacy": "/privacy",
    "imprint": "/imprint",
    "no-such-page": "/nothing-here",
}
DESKS = {
    "desk-home": "/desk/",
    "inbox": "/desk/sales",
    "message": "/desk/sales/leads/8",
    "message-to-call-again": "/desk/sales/leads/2",
    "inbox-due": "/desk/sales?state=due",
    "by-telephone": "/desk/sales/phone",
    "desk-order": "/desk/sales/leads/7/order",
    "customers": "/desk/sales/customers",
    "customers-nobody": "/desk/sales/customers?q=nobody-of-that-name",
    "customer": "/desk/sales/customers/1",
    "orders": "/desk/sales/orders",
    "orders-none": "/desk/sales/orders?which=cancelled",
    "parcels": "/desk/warehouse",
    "parcel": "/desk/warehouse/shipments/1",
    "goods-in": "/desk/warehouse/receive",
    "waves": "/desk/warehouse/waves",
    "on-their-way": "/desk/warehouse/sent",
    "shelves": "/desk/warehouse/stock",
    "shelf": "/desk/warehouse/stock?q=AMSEL-OAK",
    "planning": "/desk/planning",
    "production": "/desk/planning/production",
    "receipts": "/desk/planning/receipts",
    "load": "/desk/planning/load",
    "work-centre": "/desk/planning/load/1",
    "calendars": "/desk/planning/calendars",
    "calendar": "/desk/planning/calendars/1",
    "items": "/desk/planning/items",
    "item": "/desk/planning/items/1",
    "load-by-week": "/desk/planning/load?weeks=13&by=week",
    "lanes-week": "/desk/planning/lanes",
    "lanes-day": "/desk/planning/lanes?zoom=day&from=2026-11-26",
    "lanes-nothing": "/desk/planning/lanes?from=2027-05-01",
    "traced-production": "/desk/planning/trace/production/1",
    "traced-receipt": "/desk/planning/trace/receipts/1",
    "traced-item": "/desk/planning/trace/items/21",
    "what-if": "/desk/planning/what-if",
    "what-if-stopped": "/desk/planning/what-if?ask=stop&work_centre=6&starts_at=2026-11-26T06:00&hours=72",
    "what-if-ordered": "/desk/planning/what-if?ask=order&sku=LINDE-180-WALNUT&quantity=3",
    "kept-promises": "/desk/planning/kept",
    "health": "/desk/admin",
    "people": "/desk/admin/people",
    "absences": "/desk/admin/absences",
    "company": "/desk/admin/company",
    "keys": "/desk/admin/keys",
    "outgoing": "/desk/admin/outgoing",
    "payments": "/desk/admin/payments",
    "refunds": "/desk/admin/refunds",
    "rules": "/desk/admin/rules",
    "answers": "/desk/admin/answers",
    "changes": "/desk/admin/changes",
    "desk-no-such-page": "/desk/nothing-here",
}
ADDRESS = {
    "E-mail": "nino@example.test",
    "Name": "ნინო ბერიძე",
    "Street and number": "شارع Donaudampfschifffahrtsgesellschaftsstraße 7",
    "Town": "ঢাকা",
    "Postcode": "96047",
}
AXE_LOOKS = {("phone", "light"), ("desktop", "dark")}
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture
def demo(sqlite_url: str, settings_for: Callable[..., Settings], clock: FixedClock, now: datetime) -> Iterator[Flask]:
    """The whole site over the demo company, on one database: pages do not differ by it."""
    from wsgi import create_app

    site = create_app(settings_for(sqlite_url), clock=clock)
    services: Services = site.extensions["shopfloor"]
    load(services.db, media=Path(services.settings.media_path), now=now)
    yield site
    with services.db.read() as session:
        assert breaches(session) == []
    services.db.dispose()


@dataclass
class Camera:
    """Looks at the pages of one person and writes down everything that is wrong with them."""

    page: Any
    address: str
    faults: list[str]
    refused: int = 0

    def __post_init__(self) -> None:
        """Listen to the console."""
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.faults.append(f"{self.page.url}: {error}"))

    def _hear(self, message: Any) -> None:
        """Note an error or a warning; that a page refuses, as it is meant to, is none."""
        expected = self.refused and f"status of {self.refused} " in message.text
        if message.type in {"error", "warning"} and not expected:
            self.faults.append(f"{self.page.url}: {message.text}")

    def open(self, path: str, name: str, status: int = 200) -> None:
        """Open a page and look at it."""
        self.refused = status if status >= 400 else 0
        answer = self.page.goto(f"{self.address}{path}")
        if answer.status != status:
            self.faults.append(f"{name}: answered {answer.status}")
        self.look(name)

    def press(self, button: str, name: str, status: int = 200) -> None:
        """Press the page's button and look at what comes."""
        self.refused = status if status >= 400 else 0
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=button).first.click()
        self.look(name)

    def look(self, name: str) -> None:
        """Take the page as it is on every screen, light and dark, and check it."""
        self.page.evaluate(
            "Promise.all([...document.images].map(one => { one.loading = 'eager'; return one.decode().catch(() => {}) }))"
        )
        for landmark in ("main", "h1"):
            count = self.page.locator(landmark).count()
            if count != 1:
                self.faults.append(f"{name}: {count} × <{landmark}>")
        for screen, (width, height) in SCREENS.items():
            self.page.set_viewport_size({"width": width, "height": height})
            for scheme in ("light", "dark"):
                self.page.emulate_media(color_scheme=scheme)
                self._take(f"{name}-{screen}-{scheme}")
                if (screen, scheme) in AXE_LOOKS:
                    self._ask_axe(f"{name}-{screen}-{scheme}")

    def _take(self, name: str) -> None:
        folder = SCREENSHOTS / "pages"
        folder.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=folder / f"{name}.jpg", type="jpeg", quality=70, full_page=True)
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            self.faults.append(f"{name}: {wide} px wider than the screen")

    def _ask_axe(self, name: str) -> None:
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE)
        found = self.page.evaluate("tags => axe.run({runOnly: tags, resultTypes: ['violations']})", AXE_TAGS)
        self.faults += [f"{name}: {one['id']} {one['nodes'][0]['target']}" for one in found["violations"]]


def fill(page: Any, values: dict[str, str]) -> None:
    """Fill fields in by their labels."""
    for label, value in values.items():
        page.get_by_label(label, exact=True).fill(value)


def into_cart(page: Any, address: str, *paths: str) -> None:
    """Put products into the cart."""
    for path in paths:
        page.goto(f"{address}{path}")
        page.get_by_role("button", name="Put in cart").click()
        page.get_by_role("heading", name="Your cart").wait_for()


def walk_the_shop(shop: Camera) -> None:
    """Look at every page that a customer can meet."""
    for name, path in SHOP.items():
        shop.open(path, name, 404 if name.endswith("no-such-page") else 200)
    into_cart(shop.page, shop.address, "/p/linde-dining-table?sku=LINDE-180-WALNUT", "/p/amsel-chair?postcode=96047")
    shop.look("cart")
    shop.open("/checkout", "checkout")
    shop.press("Pay", "checkout-wrong", 422)
    fill(shop.page, ADDRESS)
    shop.press("Pay", "sandbox")
    shop.press("Let the card be declined", "sandbox-declined")
    shop.press("Pay", "order")
    shop.press("Send", "order-ask-wrong", 422)
    shop.page.goto(f"{shop.address}/contact")
    shop.press("Send", "contact-wrong", 422)


def walk_the_orders(desk: Camera) -> None:
    """Look at an order and what may be done with it, and at a company."""
    page, address = desk.page, desk.address
    page.goto(f"{address}/desk/sales/orders")
    path = page.locator("[data-row]").first.get_attribute("href")
    desk.open(path, "order-at-desk")
    with page.expect_navigation():
        page.get_by_role("link", name="Where it comes from").click()
    desk.look("traced-order")
    desk.open("/desk/planning/what-if?ask=stop&work_centre=1&starts_at=soon&hours=900", "what-if-wrong", 422)
    page.goto(f"{address}{path}")
    page.locator("details", has_text="Give money back").locator("summary").click()
    page.get_by_label("Amount in EUR").fill("9000")
    page.get_by_label("Why", exact=True).fill("It arrived broken")
    desk.press("Ask for it", "order-refund-wrong", 409)
    page.get_by_label("Amount in EUR").fill("101")
    desk.press("Ask for it", "order-refund-waits")
    desk.open("/desk/admin/refunds", "refund-own")
    desk.open(f"{path}/cancel", "order-cancel-at-desk")
    page.goto(f"{address}/desk/sales/customers")
    page.get_by_text("New company", exact=True).click()
    fill(page, {"Name of the company": "Donaudampfschifffahrtsgesellschaft mbH"})
    desk.press("Keep the company", "company-of-customers")


def walk_the_desks(desk: Camera) -> None:
    """Look at every page of the desks, as the administrator who sees them all, with one order to pick."""
    page, address = desk.page, desk.address
    into_cart(page, address, "/p/dachs-stool", "/p/amsel-chair?postcode=96047")
    page.goto(f"{address}/checkout")
    fill(page, ADDRESS)
    for _ in ("at the shop", "at the provider"):
        with page.expect_navigation():
            page.get_by_role("button", name="Pay").first.click()
    desk.open("/desk/login", "login")
    log_in(page, address, "theres@birkengrund.example")
    for name, path in DESKS.items():
        desk.open(path, name, 404 if name.endswith("no-such-page") else 200)
    walk_the_orders(desk)
    page.goto(f"{address}/desk/warehouse/shipments/1")
    page.get_by_label("Scan the item").fill("MOND-MOSS")
    desk.press("Into the parcel", "parcel-wrong", 404)
    page.goto(f"{address}/desk/warehouse/waves")
    desk.press("Start the wave", "wave")
    page.get_by_label("Scan the item").fill("MOND-MOSS")
    desk.press("Picked", "wave-wrong", 404)
    page.goto(f"{address}/desk/admin/company")
    page.get_by_label("Days to return something").fill("3")
    desk.press("Save", "company-wrong", 422)
    page.goto(f"{address}/desk/warehouse/stock?q=AMSEL-OAK")
    page.get_by_label("How many are there?").fill("many")
    desk.press("Book the count", "shelf-wrong", 422)


@pytest.mark.timeout(900)  # some eighty pages on three screens, light and dark
@pytest.mark.browser
@pytest.mark.parametrize("walk", [walk_the_shop, walk_the_desks])
def test_screenshots_of_every_page(
    demo: Flask, serve: Callable[[Flask], str], new_page: Callable[..., Any], walk: Callable[[Camera], None]
) -> None:
    faults: list[str] = []
    walk(Camera(new_page(reduced_motion="reduce"), serve(demo), faults))
    assert faults == []


@pytest.mark.browser
def test_screenshots_of_an_account(
    demo: Flask, serve: Callable[[Flask], str], new_page: Callable[..., Any], now: datetime
) -> None:
    page, address, faults = new_page(reduced_motion="reduce"), serve(demo), []
    mine = Camera(page, address, faults)
    for name in ("login", "register", "forgot", "sent"):
        mine.open(f"/account/{name}", f"account-{name}")
    mine.open("/account/login", "account-login")
    fill(page, {"E-mail": "ada@example.test", "Password": "not the one it is"})
    mine.press("Log in", "account-login-wrong", 409)
    page.context.add_cookies([{"name": "account", "value": session_of(demo.extensions["shopfloor"], now), "url": address}])
    mine.open("/account", "account-empty")
    into_cart(page, address, "/p/dachs-stool", "/p/amsel-chair?postcode=96047")
    page.goto(f"{address}/checkout")
    fill(page, ADDRESS)
    for _ in ("at the shop", "at the provider"):
        with page.expect_navigation():
            page.get_by_role("button", name="Pay").first.click()
    for path, name in (("", "account"), ("/settings", "account-settings"), ("/addresses", "account-addresses")):
        mine.open(f"/account{path}", name)
    mine.open("/account/addresses/1", "account-address")
    mine.open("/account/addresses/new", "account-address-new")
    mine.press("Save", "account-address-wrong", 422)
    page.goto(f"{address}/account")
    again = page.locator("form[action$='/again']").first.get_attribute("action")
    mine.open(again, "account-again")
    assert faults == []


def session_of(services: Services, now: datetime) -> str:
    """Return the session's token of somebody who has an account and is logged in."""

    def work(session: Any) -> str:
        email = "ada@example.test"
        party = parties.find_or_create(session, email=email, name="Ada", phone="", language="en", now=now)
        one = Account(party_id=party.id, email=email, name="Ada", password_hash="", created_at=now, confirmed_at=now)
        session.add(one)
        session.flush()
        return accounts.begin_session(session, one, device="Firefox, Linux", now=now)

    return services.db.run(work)


def tab_to(page: Any, name: str, most: int = 80) -> None:
    """Press Tab until the named control has the focus; it must be seen to have it."""
    for _ in range(most):
        page.keyboard.press("Tab")
        said, outline = page.evaluate(
            "() => { const at = document.activeElement; const label = at.labels && at.labels[0];"
            " return [(label || at).innerText.trim(), getComputedStyle(at).outlineStyle]; }"
        )
        if said.startswith(name):
            assert outline != "none", f"{name} has the focus unseen"
            return
    raise AssertionError(f"no way to {name} by Tab")


@pytest.mark.browser
def test_buying_without_javascript_by_keyboard(demo: Flask, serve: Callable[[Flask], str], new_page: Callable[..., Any]) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(f"{serve(demo)}/p/linde-dining-table?sku=LINDE-140-OAK")

    def enter(name: str) -> None:
        tab_to(page, name)
        with page.expect_navigation():
            page.keyboard.press("Enter")

    tab_to(page, "Skip to the content", most=1)
    tab_to(page, "Your postcode")
    page.keyboard.type("20095")
    enter("Show the day")
    day = page.locator(".day-on").inner_text()
    tab_to(page, "Why this day")
    page.keyboard.press("Enter")
    assert "At your door" in page.get_by_role("main").inner_text()
    enter("Put in cart")
    enter("Go to checkout")
    for label in ("E-mail", "Name", "Street and number", "Town"):
        tab_to(page, label)
        page.keyboard.type(ADDRESS[label])
    enter("Pay")  # the sandbox's page
    enter("Pay")
    assert page.get_by_role("heading", level=1).inner_text() == f"We make it for you now. It arrives on {day}."
    assert ADDRESS["Street and number"] in page.get_by_role("main").inner_text()
