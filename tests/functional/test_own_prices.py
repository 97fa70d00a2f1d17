"""A company's prices on the pages: shown to its people, kept for nobody else by any cache."""

from __future__ import annotations

from datetime import datetime

import pytest
from flask import Flask

from backoffice.bootstrap import Services
from tests import firm
from tests.company import open_company
from tests.integration.chain.conftest import Workshop
from tests.integration.chain.test_price_lists import give


@pytest.fixture
def theirs(app: Flask, now: datetime) -> firm.Firm:
    """The open workshop and a company that pays 40,00 for a stool."""
    services: Services = app.extensions["shopfloor"]
    services.db.run(lambda session: open_company(session, now=now))
    found = firm.found(services.db, now=now, roles={"Ann": "buyer"})
    give(Workshop(services, now), found, {("STOOL", 1): 4_000})
    return found


def test_a_price_is_kept_for_nobody_else(app: Flask, theirs: firm.Firm) -> None:
    ann, other = app.test_client(), app.test_client()
    ann.set_cookie("account", theirs.token("Ann"))
    for _ in range(2):  # whoever comes first, and once it is kept
        own = ann.get("/p/stool")
        assert own.headers["Cache-Control"] == "private, no-cache"
        assert "Cookie" in own.headers["Vary"]
        page = own.get_data(as_text=True)
        assert "€40.00" in page
        assert "Others pay €49.00" in page
        public = other.get("/p/stool")
        assert public.headers["Cache-Control"].startswith("public")
        page = public.get_data(as_text=True)
        assert "€49.00" in page
        assert "€40.00" not in page
        assert own.headers["ETag"] != public.headers["ETag"]
    again = other.get("/p/stool", headers={"If-None-Match": own.headers["ETag"]})
    assert again.status_code == 200  # what is hers is never "not modified" for others


def test_a_refused_form_still_shows_her_price(app: Flask, theirs: firm.Firm) -> None:
    ann = app.test_client()
    ann.set_cookie("account", theirs.token("Ann"))
    page = ann.post("/cart/add", data={"sku": "STOOL", "slug": "stool", "quantity": "99"}, headers={"Origin": "http://localhost"})
    assert page.status_code == 409
    assert "€40.00" in page.get_data(as_text=True)


def test_the_api_names_everybodys_price(app: Flask, theirs: firm.Firm) -> None:
    client = app.test_client()
    client.set_cookie("account", theirs.token("Ann"))
    (variant,) = client.get("/api/v1/products/stool").get_json()["variants"]
    assert variant["price"]["amount_minor"] == 4_900
    assert "everybodys" not in variant
