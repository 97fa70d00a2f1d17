"""A cart left by somebody who asked to be reminded: sales sees it with its reasons, and it closes when they buy elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import expect

from backoffice.bootstrap import Services
from backoffice.crm import reminding, score_keeping
from backoffice.crm.models import Lead
from backoffice.demo.load import load
from tests.conftest import FixedClock
from tests.e2e.test_pages import ADDRESS, fill, into_cart
from tests.e2e.test_story import DESKTOP, log_in, picture


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database is enough: races are tried elsewhere, on PostgreSQL."""
    return sqlite_url


@pytest.mark.browser
def test_left_seen_by_sales_and_closed_by_the_order(
    app: Flask, server: str, new_page: Callable[..., Any], now: datetime, clock: FixedClock
) -> None:
    services: Services = app.extensions["shopfloor"]
    load(services.db, media=Path(services.settings.media_path), now=now)
    with services.db.read() as session:
        before = session.scalar(sa.select(sa.func.max(Lead.id))) or 0
    phone = new_page(viewport={"width": 390, "height": 844}, color_scheme="dark", java_script_enabled=False, locale="en")
    into_cart(phone, server, "/p/amsel-chair?postcode=96047")
    phone.goto(f"{server}/checkout")
    phone.get_by_label("E-mail").fill("Ilse@Example.test")
    phone.get_by_role("button", name="Not today: remind me").click()  # without the box: nothing is noted
    expect(phone.get_by_role("main")).to_contain_text("Please look")
    phone.get_by_label("If I do not finish this order").check()
    phone.get_by_role("button", name="Not today: remind me").click()
    expect(phone.get_by_role("main")).to_contain_text("Noted. If you leave now")
    picture(phone, "41-remind-me")

    clock.advance(hours=5)
    assert reminding.remind(services.db, now=clock()) == 1
    score_keeping.score_open(services.db, now=clock())
    with services.db.read() as session:
        lead = session.scalars(sa.select(Lead).where(Lead.id > before)).one()
    sales = new_page(viewport=DESKTOP, locale="en")
    log_in(sales, server, "mara@birkengrund.example")
    sales.goto(f"{server}/desk/sales?state=call_first")
    picture(sales, "42-whom-to-call-first")
    sales.goto(f"{server}/desk/sales/leads/{lead.id}")
    main = sales.get_by_role("main")
    expect(main).to_contain_text("Call first:")
    expect(main).to_contain_text("left a full cart")
    picture(sales, "43-left-cart")

    other = new_page(viewport=DESKTOP, locale="en")  # another device, the same address
    into_cart(other, server, "/p/amsel-chair?postcode=96047")
    other.goto(f"{server}/checkout")
    fill(other, ADDRESS | {"E-mail": "ilse@example.test", "Postcode": "96047"})
    other.get_by_role("button", name="Pay").first.click()
    other.get_by_role("button", name="Pay").first.click()
    other.wait_for_url("**/o/*")
    with services.db.read() as session:
        closed = session.get_one(Lead, lead.id)
    assert (closed.state, closed.outcome) == ("done", "won")
    sales.goto(f"{server}/desk/sales/leads/{lead.id}")
    expect(main).to_contain_text("Became an order")
