"""A day that the shop refuses, in a real browser: asked for, planned for, offered, paid, won, and credited to where it came from.

By hand, in open hours (06:00 to 14:00): nine tables are ordered first. Saw: 190 minutes, to Tuesday 12:10. Assembly: 30 + 9 · 60
= 570 minutes, to Wednesday 13:40. It stands still from Thursday 06:00 to Monday 06:00. Two more tables (150 minutes) have 20 of
them on Wednesday and are done on Monday 08:10: they arrive on Tuesday, 1 December. Without the stop they are done on Thursday
08:10 and arrive on Friday, 27 November; begun on Thursday 06:50, after a quotation that was kept until then, at 09:20: the same.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from backoffice import bootstrap
from backoffice.bootstrap import Services
from backoffice.bridge.worker import Worker
from backoffice.crm.models import Checkout, Lead, Order, OrderLine, Task
from backoffice.erp import production, stock
from backoffice.erp.models import Staff, Warehouse, WorkCentre
from tests.company import at, item_id, open_company
from tests.conftest import FixedClock
from tests.e2e.test_pages import into_cart
from tests.e2e.test_story import DESKTOP, mails, picture
from tests.functional.desk.conftest import PASSWORD, password_hash
from tests.integration.chain.conftest import Workshop
from tests.invariants import breaches


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database is enough: races are tried elsewhere, on PostgreSQL."""
    return sqlite_url


def log_in(page: Page, server: str, name: str) -> None:
    page.goto(f"{server}/desk/login")
    page.get_by_label("E-mail").fill(f"{name}@werk.test")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def fill_company(services: Services, now: datetime) -> None:
    """Write the workshop with material for more tables, two colleagues, an order of nine, and the stop of Assembly."""

    def work(session: Session) -> None:
        open_company(session, now=now)
        warehouse = session.query(Warehouse).one()
        for sku, pieces in (("LEG", 160), ("BOARD", 80)):
            stock.move(
                session, item_id(session, sku), warehouse.id, pieces, cause="opening", ref=f"more:{sku}", actor="t", now=now
            )
        for name, role in (("bea", "sales"), ("petra", "planner")):
            mail = f"{name}@werk.test"
            session.add(Staff(email=mail, name=name.title(), role=role, password_hash=password_hash(), created_at=now))

    services.db.run(work)
    Workshop(services, now).buy(TABLE=9)

    def stand_still(session: Session) -> None:
        centre = session.query(WorkCentre).filter_by(code="ASSEMBLY").one()
        production.stop(session, centre.id, at(26, 6), at(30, 6), reason="New floor", actor="Petra", now=now)

    services.db.run(stand_still)


@pytest.mark.browser
def test_refused_asked_planned_offered_paid_won(app: Flask, server: str, new_page: Callable[..., Any], clock: FixedClock) -> None:
    services: Services = app.extensions["shopfloor"]
    fill_company(services, clock())
    carriers = {"mail": bootstrap.carriers(services)["mail"]}
    worker = Worker(services.db, carriers, bootstrap.periodic(services), name="refused", clock=services.clock)

    # the shop refuses the day, and the customer leaves their address
    buyer = new_page(viewport=DESKTOP)
    buyer.goto(f"{server}/?utm_source=lantern&utm_medium=post&utm_campaign=autumn")
    into_cart(buyer, server, "/p/table?postcode=10115")
    buyer.get_by_label("Quantity").fill("2")
    buyer.get_by_role("button", name="Change").click()
    main = buyer.get_by_role("main")
    expect(main).to_contain_text("€998.00")
    buyer.get_by_label("I need all of it by").fill("2026-11-30")
    buyer.get_by_role("button", name="Ask", exact=True).click()
    expect(main).to_contain_text("Not all of it by Mon 30 Nov")
    expect(main).to_contain_text("Tue 1 Dec")
    buyer.get_by_role("link", name="Ask us whether more can be done").click()
    buyer.get_by_label("Your name").fill("Ilse Ødegård")
    buyer.get_by_label("Your e-mail").fill("ilse@example.test")
    clock.advance(seconds=40)  # as long as it takes to write that
    buyer.get_by_role("button", name="Send").click()
    expect(buyer.get_by_role("heading", level=1)).to_be_visible()
    buyer.goto(f"{server}/cart")  # what they put together stays with sales, not in this cart
    buyer.get_by_role("button", name="Take out").click()

    # sales has it, with a task at planning
    sales = new_page(viewport=DESKTOP)
    log_in(sales, server, "bea")
    sales.goto(f"{server}/desk/sales")
    sales.get_by_role("link", name="Ilse Ødegård").first.click()
    sales.get_by_role("button", name="Take it").click()
    expect(sales.get_by_role("main")).to_contain_text("Planning is asked for their day.")
    picture(sales, "51-refused-day")
    worker.turn()

    # planning makes room
    planner = new_page(viewport=DESKTOP)
    log_in(planner, server, "petra")
    planner.goto(f"{server}/desk/planning")
    expect(planner.get_by_role("main")).to_contain_text("1 customer needs an earlier day")
    planner.get_by_role("link", name="Make room, or say why not").click()
    expect(planner.get_by_role("main")).to_contain_text("as planned now: Tue 1 Dec")
    picture(planner, "52-asked-of-planning")
    planner.get_by_role("link", name="What it waits for").click()
    expect(planner.get_by_role("main")).to_contain_text("Assembly")
    planner.goto(f"{server}/desk/planning/load")
    planner.get_by_role("button", name="End the stop of Assembly").click()
    expect(planner.get_by_role("main")).to_contain_text("It works again.")
    planner.goto(f"{server}/desk/tasks")
    expect(planner.get_by_role("main")).to_contain_text("possible now: Fri 27 Nov")
    picture(planner, "53-possible")
    clock.advance(minutes=2)
    worker.turn()
    planner.goto(f"{server}/desk/tasks?which=ended")
    expect(planner.get_by_role("main")).to_contain_text("Possible by their day")

    # sales is told, and offers the day
    sales.goto(f"{server}/desk/sales")
    expect(sales.locator("[data-row]").first).to_contain_text("call again")
    sales.locator("[data-row]").first.click()
    expect(sales.get_by_role("main")).to_contain_text("planning has made room: their day can be had")
    expect(sales.get_by_role("main")).not_to_contain_text("overdue")
    picture(sales, "54-day-freed")
    sales.get_by_role("link", name="Make a quotation").click()
    sales.get_by_label("Street and number").fill("Weg 1")
    sales.get_by_label("Town").fill("Berlin")
    sales.get_by_label("Valid for how many days?").fill("1")
    sales.get_by_role("button", name="Show days and total").last.click()
    expect(sales.get_by_role("status").last).to_contain_text("Fri 27 Nov")
    expect(sales.get_by_role("main")).to_contain_text("in time")
    sales.get_by_role("button", name="Send the quotation").click()
    expect(sales.get_by_role("main")).to_contain_text("Q-00001")
    worker.turn()
    [mail] = [one for one in mails(services) if "/quotation/" in one.get_body(("plain",)).get_content()]
    assert mail["To"].addresses[0].addr_spec == "ilse@example.test"
    text = mail.get_body(("plain",)).get_content()
    assert "Fri 27 Nov" in text, text
    [link] = [word for word in text.split() if "/quotation/" in word]

    # the customer accepts and pays
    buyer.goto(f"{server}{urlsplit(link).path}")
    expect(buyer.get_by_role("heading", level=1)).to_contain_text("Fri 27 Nov")
    picture(buyer, "55-offered")
    buyer.get_by_role("button", name="Accept and pay").click()
    buyer.get_by_role("button", name="Pay").click()
    buyer.wait_for_url("**/o/*")
    picture(buyer, "56-ordered")

    # won, and credited to where it came from
    with services.db.read() as session:
        [lead], [task] = session.query(Lead).all(), session.query(Task).all()
        order = session.query(Order).filter_by(number=lead.won_order_ref).one()
        lines = [(one.quantity, one.promised_on.isoformat()) for one in session.query(OrderLine).filter_by(order_id=order.id)]
        assert (lead.state, lead.outcome, lead.kind) == ("done", "won", "refused_day")
        assert (lead.source, lead.medium, lead.campaign) == ("lantern", "post", "autumn")
        checkout = session.get_one(Checkout, order.checkout_id)
        assert (checkout.source["source"], checkout.source["campaign"], order.total_minor) == ("lantern", "autumn", 100_300)
        assert (task.state, task.outcome) == ("done", "possible")
        assert lines == [(2, "2026-11-27")]
        assert breaches(session) == []
    sales.reload()
    expect(sales.get_by_role("main")).to_contain_text("Became an order:")
    picture(sales, "57-won")
