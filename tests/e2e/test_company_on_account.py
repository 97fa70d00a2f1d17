"""A company with five people and one unpaid invoice, in a real browser: its prices, its limit, its reminder, its payment.

Pictures of every page on the way stay under build/screenshots/story.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from backoffice import bootstrap, verify
from backoffice.bootstrap import Services
from backoffice.bridge.worker import Worker
from backoffice.crm.models import Order
from backoffice.erp import fulfilment
from backoffice.erp import models as t
from backoffice.erp.models import Staff
from backoffice.passwords import make_hash
from tests import firm
from tests.company import open_company
from tests.conftest import FixedClock
from tests.e2e.test_story import DESKTOP, PHONE, mails, picture
from tests.integration.chain.conftest import Workshop
from tests.integration.chain.test_price_lists import give

pytestmark = pytest.mark.browser
ROLES = {"Ann": "buyer", "Ben": "approver", "Cleo": "buyer", "Kim": "accounting", "Lou": "other"}
PASSWORD = "hammer and nail"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database is enough: races are tried elsewhere, on PostgreSQL."""
    return sqlite_url


def to_checkout(page: Any, server: str, who: str, pieces: int) -> None:
    """Put stools into the cart and fill the checkout."""
    page.goto(f"{server}/p/stool?quantity={pieces}&postcode=10115")
    page.locator("#part-buy button[type=submit]").first.click()
    page.goto(f"{server}/checkout")
    typed = {"email": f"{who.lower()}@nordlicht.test", "name": who, "street": "Weg 1", "postcode": "10115", "city": "Berlin"}
    for name, text in typed.items():
        page.locator(f"[name={name}]").first.fill(text)


def ship(services: Services, number: str, now: datetime) -> None:
    """Pick, pack and ship an order's parcel."""
    with services.db.read() as session:
        parcel = session.scalars(sa.select(t.Shipment.id).where(t.Shipment.order_ref == number)).one()
        pieces = session.scalars(sa.select(t.ShipmentLine.quantity).where(t.ShipmentLine.shipment_id == parcel)).one()
    services.db.run(lambda session: fulfilment.pick(session, parcel, "STOOL", pieces, actor="Wim", now=now))
    services.db.run(lambda session: fulfilment.pack(session, parcel, actor="Wim", now=now))
    services.db.run(lambda session: fulfilment.ship(session, parcel, tracking="T-1", actor="Wim", now=now))


def test_five_people_and_one_unpaid_invoice(
    app: Flask, server: str, new_page: Callable[..., Any], now: datetime, clock: FixedClock
) -> None:
    services: Services = app.extensions["shopfloor"]
    services.db.run(lambda session: open_company(session, now=now, stools=20))
    theirs = firm.found(services.db, now=now, limit=20_000, days=5, roles=ROLES)
    shop = Workshop(services, now)
    give(shop, theirs, {("STOOL", 1): 4_000, ("STOOL", 3): 3_550})
    staff = {"role": "admin", "password_hash": make_hash(PASSWORD), "created_at": now, "session_nonce": "n"}
    services.db.run(lambda session: session.add(Staff(email="ada@werk.test", name="Ada", **staff)))
    worker = Worker(services.db, bootstrap.carriers(services), bootstrap.periodic(services), name="w", clock=clock)

    def work() -> None:
        while worker.turn():
            pass

    def visit(who: str, **options: Any) -> Any:
        page = new_page(locale="en", **options)
        page.context.add_cookies([{"name": "account", "value": theirs.token(who), "url": server}])
        return page

    # Ann sees her company's price and orders two on account, on her phone
    ann = visit("Ann", viewport=PHONE)
    ann.goto(f"{server}/p/stool?postcode=10115")
    ann.get_by_text("Your company's price. Others pay €49.00.").wait_for()
    picture(ann, "60-own-price")
    to_checkout(ann, server, "Ann", 2)
    ann.get_by_text("Or on account, for Nordlicht GmbH").wait_for()
    picture(ann, "61-checkout-on-account")
    ann.get_by_role("button", name="Order on account, €85.00").click()
    ann.wait_for_url(f"{server}/o/**")
    ann.get_by_text("On account: the invoice comes when the first parcel leaves us").wait_for()
    assert ann.get_by_text("Ordered and paid").count() == 0
    picture(ann, "62-ordered-on-account")

    # Ben takes two more: 170,00 of 200,00; for Cleo nothing is left that is enough
    ben = visit("Ben")
    to_checkout(ben, server, "Ben", 2)
    ben.get_by_role("button", name="Order on account, €85.00").click()
    ben.wait_for_url(f"{server}/o/**")
    cleo = visit("Cleo", viewport=PHONE)
    to_checkout(cleo, server, "Cleo", 1)
    cleo.get_by_text("Not this order: €30.00 is left on your company's account.").wait_for()
    assert cleo.get_by_role("button", name="Order on account").count() == 0
    assert cleo.get_by_role("button", name="Pay €45.00").count() == 1
    picture(cleo, "63-over-the-limit")
    kim = visit("Kim")
    to_checkout(kim, server, "Kim", 1)
    assert kim.get_by_text("Or on account").count() == 0

    # Ann's parcel leaves, its invoice is not paid in time
    with services.db.read() as session:
        first, second = session.scalars(sa.select(Order.number).order_by(Order.id))
    ship(services, first, clock())
    work()
    clock.advance(minutes=1)
    work()
    ann.reload()
    ann.get_by_role("link", name="Invoice INV-2026-000001").click()
    ann.get_by_text("To be paid by").wait_for()
    assert ann.get_by_text("Paid in full").count() == 0
    picture(ann, "64-invoice-on-account")
    clock.advance(days=6)
    work()
    work()
    (reminder,) = [mail for mail in mails(services) if "overdue" in mail["Subject"]]
    assert (reminder["To"], reminder["Subject"]) == ("Kim <kim@nordlicht.test>", "Invoice INV-2026-000001 is overdue")
    assert "€85.00" in reminder.get_body(("plain",)).get_content()
    cleo.goto(f"{server}/checkout")
    cleo.get_by_text("An invoice of your company is overdue.").wait_for()
    assert cleo.get_by_role("button", name="Order on account").count() == 0
    picture(cleo, "65-paused")

    # the company's page says it all; the payment is written down
    ada = new_page(viewport=DESKTOP, locale="en")
    ada.goto(f"{server}/desk/login")
    ada.get_by_label("E-mail").fill("ada@werk.test")
    ada.get_by_label("Password").fill(PASSWORD)
    ada.get_by_role("button", name="Log in").click()
    ada.goto(f"{server}/desk/sales/customers/{theirs.id}")
    for words in ("€200.00", "€170.00", "€30.00", "paused: an invoice is overdue", "Trade", first, second):
        ada.get_by_text(words).first.wait_for()
    assert ada.locator("tbody select[name=role]").count() == 5
    picture(ada, "66-company")
    ada.get_by_role("link", name="Write down a payment").click()
    picture(ada, "67-what-companies-owe")
    ada.get_by_label("Reference on the statement").first.fill("Statement 12")
    ada.get_by_role("button", name="Write it down").first.click()
    ada.get_by_text("Written down.").wait_for()

    # and Cleo can order now
    cleo.goto(f"{server}/checkout")
    for name, text in {"email": "cleo@nordlicht.test", "name": "Cleo", "street": "Weg 1", "city": "Berlin"}.items():
        cleo.locator(f"[name={name}]").first.fill(text)
    cleo.get_by_role("button", name="Order on account, €45.00").click()
    cleo.wait_for_url(f"{server}/o/**")
    ada.goto(f"{server}/desk/sales/customers/{theirs.id}")
    for words in ("€130.00", "€70.00", "wrote down a payment received"):
        ada.get_by_text(words).first.wait_for()
    assert ada.get_by_text("paused: an invoice is overdue").count() == 0
    ada.goto(f"{server}/desk/admin/price-lists/1")
    picture(ada, "68-price-list")
    with services.db.read() as session:
        assert [line for line in verify.breaches(session, now=clock()) if line[:3] in ("I4 ", "I5 ")] == []
