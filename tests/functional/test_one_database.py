"""The demo company over its pages: what one desk does, the shop and every other desk show on the next request."""

from __future__ import annotations

import html
import re
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from backoffice.bootstrap import Services
from backoffice.demo.load import load
from backoffice.erp import models as t
from tests.functional.desk.conftest import Colleague
from tests.invariants import breaches

MADE, SLUG = "LINDE-140-OAK", "linde-dining-table"


@pytest.fixture
def services(app: Flask, now: datetime) -> Services:
    """The demo company behind the app under test."""
    built: Services = app.extensions["shopfloor"]
    load(built.db, media=Path(built.settings.media_path), now=now)
    return built


@pytest.fixture
def desk(app: Flask, services: Services) -> Colleague:
    """The administrator, who may open every desk."""
    client = app.test_client()
    client.environ_base["HTTP_ORIGIN"] = "http://localhost"
    somebody = Colleague(client)
    somebody.send("/desk/login", email="theres@birkengrund.example", password="demo")
    return somebody


def words(page: str) -> str:
    """Return a page's words without its markup."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def day_of(client: FlaskClient, sku: str = MADE, slug: str = SLUG) -> tuple[str, str]:
    """Return (the day the product page names, why) in words."""
    page = client.get(f"/p/{slug}", query_string={"sku": sku, "quantity": "1", "postcode": "96047"}).text
    found = re.search(r"Arrives (\w{3} \d+ \w{3})", words(page))
    assert found, words(page)
    return found[1], words(page)


def row(services: Services, query: sa.Select) -> sa.Row:
    with services.db.read() as session:
        return session.execute(query).first()


def test_buying_the_last_one_takes_it_from_the_catalogue_at_once(client: FlaskClient, services: Services) -> None:
    with services.db.read() as session:
        few = session.execute(
            sa.select(t.Item.sku, t.Product.slug, t.Stock.on_hand - t.Stock.allocated - t.Stock.reserved, t.Product.id)
            .join(t.Product, t.Product.id == t.Item.product_id)
            .join(t.Stock, t.Stock.item_id == t.Item.id)
            .where(t.Item.on_sale, t.Item.sell_from == "stock")
            .where(t.Product.slug == "regnitz-shelf")  # which lies in one warehouse only
        ).all()
        product = few[0].slug
    assert f"/p/{product}" in client.get("/c/storage").text
    for one in [one for one in few if one.slug == product and one[2] > 0]:
        bought = client.post("/cart/add", data={"sku": one.sku, "slug": one.slug, "quantity": str(one[2])})
        assert bought.status_code == 303
    assert f"/p/{product}" not in client.get("/c/storage").text
    assert client.get(f"/p/{product}").status_code == 200  # its own link still says so


def test_taking_a_component_away_moves_the_day_and_says_why(client: FlaskClient, services: Services, desk: Colleague) -> None:
    before, _ = day_of(client)
    shelf = row(services, sa.select(t.Item.id, t.Item.name).where(t.Item.sku == "BOARD-OAK"))
    desk.send(f"/desk/warehouse/stock/{shelf.id}/count", counted="0", key="count-boards")
    after, why = day_of(client)
    assert after != before
    assert "Oak board" in why
    with services.db.read() as session:
        assert breaches(session) == []


def test_stopping_a_work_centre_moves_the_day_and_says_why(client: FlaskClient, services: Services, desk: Colleague) -> None:
    before, _ = day_of(client)
    centre = row(services, sa.select(t.WorkCentre.id, t.WorkCentre.name).order_by(t.WorkCentre.id))
    desk.send("/desk/planning/stops", work_centre=str(centre.id), starts_at="2026-11-24T09:00", hours="96", reason="blade")
    after, why = day_of(client)
    assert after != before
    assert centre.name.split()[0].lower() in why.lower()
    stop = row(services, sa.select(t.WorkCentreStop.id))
    desk.send(f"/desk/planning/stops/{stop.id}/end")
    assert day_of(client)[0] != after  # it works again


def test_moving_a_receipt_moves_the_day_of_what_is_made_with_it(client: FlaskClient, services: Services, desk: Colleague) -> None:
    """A made thing whose component is on its way: the day follows the receipt."""
    with services.db.read() as session:
        boards = session.execute(sa.select(t.Item.id).where(t.Item.sku == "BOARD-OAK")).scalar_one()
        line = session.execute(
            sa.select(t.PurchaseOrderLine.id, t.PurchaseOrderLine.version, t.PurchaseOrderLine.due_at)
            .join(t.PurchaseOrder, t.PurchaseOrder.id == t.PurchaseOrderLine.purchase_order_id)
            .where(
                t.PurchaseOrderLine.item_id == boards,
                t.PurchaseOrder.state == "ordered",
                t.PurchaseOrderLine.due_at > services.clock(),
            )
        ).first()
    assert line is not None, "the demo has no oak on its way"
    desk.send(f"/desk/warehouse/stock/{boards}/count", counted="0", key="count-boards")
    seen = set()
    for number, due_on in enumerate(("2026-11-25", "2026-11-27")):
        desk.send(f"/desk/planning/receipts/{line.id}/due", due_on=due_on, version=str(line.version + number), key=f"m{number}")
        seen.add(day_of(client)[0])
    assert len(seen) == 2
    with services.db.read() as session:
        assert breaches(session) == []
