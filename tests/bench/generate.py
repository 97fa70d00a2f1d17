"""Grow the small workshop to thousands of products, the same ones each time."""

from __future__ import annotations

from datetime import datetime
from random import Random
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.db import Database
from backoffice.erp import facets, offers, plan
from backoffice.erp import models as t
from backoffice.erp.company import get_warehouse
from backoffice.erp.search import fold
from tests.company import item_id, open_company

CATEGORIES = 40
MADE_EVERY = 5  # every fifth product is made to order from a bill of materials
WOODS = ("Oak", "Ash", "Beech", "Walnut", "Pine")
THINGS = ("shelf", "bench", "tray", "rack", "frame", "stand", "box", "board")


def grow(db: Database, products: int, *, now: datetime, stools: int = 5) -> None:
    """Open the workshop and add `products` products in 40 categories: four of five from stock, the fifth made to order."""
    db.run(lambda session: open_company(session, now=now, stools=stools))
    add_products(db, products, now=now)


def add_products(db: Database, products: int, *, now: datetime) -> None:
    """Add them to a company that is open. Their ids are given, not counted: whoever adds more of the same goes first."""
    db.run(lambda session: _products(session, products, now))
    with db.write() as session:  # one go, as an import does it
        plan.bump(session, master=True)
        offers.refresh(session, None, now=now)


def _products(session: Session, number: int, now: datetime) -> None:
    random = Random(11)  # noqa: S311 - the same shop each time, not a secret
    warehouse_id = get_warehouse(session).id
    first = (session.scalar(sa.select(sa.func.max(t.Product.id))) or 0) + 1
    first_item = (session.scalar(sa.select(sa.func.max(t.Item.id))) or 0) + 1
    top = session.scalars(sa.select(t.Category.id)).one()
    session.execute(
        sa.insert(t.Category),
        [{"slug": f"range-{n}", "name": f"Range {n}", "position": n, "parent_id": top} for n in range(CATEGORIES)],
    )
    categories = list(session.scalars(sa.select(t.Category.id).where(t.Category.parent_id == top).order_by(t.Category.id)))
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in ("product", "item", "stock", "move", "bom", "routing")}
    top_part, saw = item_id(session, "BOARD"), session.scalars(sa.select(t.WorkCentre.id).where(t.WorkCentre.code == "SAW")).one()
    for n in range(number):
        wood, thing = random.choice(WOODS), random.choice(THINGS)
        name, made = f"{wood} {thing} {n}", n % MADE_EVERY == 0
        rows["product"].append(
            {
                "id": first + n,
                "category_id": categories[n % CATEGORIES],
                "slug": f"thing-{n}",
                "name": name,
                "description": f"A {thing} of {wood.lower()}, oiled by hand. It stands in a row of {number}.",
                "facts": {"Material": wood, "Width": f"{random.randrange(20, 200, 10)} cm"},
                "position": n,
                "search_text": fold(f"{name} SKU-{n}"),
            }
        )
        item = first_item + n
        rows["item"].append(
            {
                "id": item,
                "sku": f"SKU-{n}",
                "name": name,
                "product_id": first + n,
                "on_sale": True,
                "source": "make" if made else "buy",
                "sell_from": "production" if made else "stock",
                "price_minor": random.randrange(900, 90_000, 100),
            }
        )
        if made:
            rows["bom"].append({"parent_id": item, "component_id": top_part, "quantity": 1, "position": 0})
            rows["routing"].append(
                {"item_id": item, "position": 0, "work_centre_id": saw, "setup_seconds": 300, "run_seconds": 600}
            )
        else:
            pieces = random.randrange(5, 50)
            rows["stock"].append({"item_id": item, "warehouse_id": warehouse_id, "on_hand": pieces, "figure_at": now})
            rows["move"].append(
                {
                    "item_id": item,
                    "warehouse_id": warehouse_id,
                    "delta": pieces,
                    "cause": "opening",
                    "ref": f"opening:{n}",
                    "actor": "bench",
                    "at": now,
                }
            )
    tables = (t.Product, t.Item, t.Stock, t.StockMovement, t.BomLine, t.RoutingOperation)
    for table, name in zip(tables, rows, strict=True):
        if rows[name]:
            session.execute(sa.insert(table), rows[name])
    facets.refresh(session)
