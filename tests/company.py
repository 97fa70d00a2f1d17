"""A workshop small enough to work out by hand: Berlin, plant Mon–Fri 06:00–14:00, cut-off 14:00, one day to 10…, two to 80….

| sku   | how it comes                               | sold from  | stock |
|-------|--------------------------------------------|------------|-------|
| STOOL | bought, 7 days                             | stock      | 5     |
| VASE  | bought, 7 days                             | stock      | 0     |
| LAMP  | bought, 7 days; PO of 10 due Fri 27 Nov    | incoming   | 0     |
| TABLE | 1 TOP + 4 LEG, Assembly 30 + 60 a piece    | production | 0     |
| TOP   | 2 BOARD, Saw 10 + 20 a piece               |            | 0     |
| LEG   | bought, 5 days                             |            | 12    |
| BOARD | bought, 3 days                             |            | 20    |
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import models as t
from backoffice.erp import offers, plan, stock
from backoffice.erp.search import fold

BERLIN = ZoneInfo("Europe/Berlin")


def at(day: int, hour: int = 0, minute: int = 0, month: int = 11) -> datetime:
    """Return a Berlin wall-clock instant of 2026, in UTC."""
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN).astimezone(UTC)


def item_id(session: Session, sku: str) -> int:
    """Return the id of an item."""
    return session.execute(sa.select(t.Item.id).where(t.Item.sku == sku)).scalar_one()


def open_company(session: Session, *, now: datetime, stools: int = 5) -> None:
    """Write the whole workshop."""
    calendars = {
        "plant": t.Calendar(code="plant", name="Plant", timezone="Europe/Berlin", holidays="DE-BE"),
        "carrier": t.Calendar(code="carrier", name="Carrier", timezone="Europe/Berlin", holidays="DE"),
        "office": t.Calendar(code="office", name="Office", timezone="Europe/Berlin", holidays="DE-BE"),
    }
    session.add_all(calendars.values())
    session.flush()
    hours = {"plant": (360, 840), "carrier": (0, 1440), "office": (540, 1020)}
    for code, (starts, ends) in hours.items():
        for weekday in range(5):
            shift = t.CalendarShift(calendar_id=calendars[code].id, weekday=weekday, starts_minute=starts, ends_minute=ends)
            session.add(shift)
    session.add(
        t.Company(
            id=1,
            name="Werk",
            country="DE",
            currency="EUR",
            timezone="Europe/Berlin",
            language="en",
            email="hello@werk.test",
            phone="+49 30 1234",
            address=["Werkstr. 1", "10115 Berlin"],
            shipping_minor=500,
            default_postcode="10115",
            office_calendar_id=calendars["office"].id,
        )
    )
    warehouse = t.Warehouse(
        code="main",
        name="Main",
        timezone="Europe/Berlin",
        calendar_id=calendars["plant"].id,
        carrier_calendar_id=calendars["carrier"].id,
        carrier="Parcel Post",
        cutoff_minute=14 * 60,
    )
    session.add(warehouse)
    session.add(t.ShippingZone(country="DE", prefix="10", subdivision="BE", transit_days=1))
    session.add(t.ShippingZone(country="DE", prefix="80", subdivision="BY", transit_days=2))
    session.flush()
    _items(session, warehouse.id, now=now, stools=stools)
    _making(session, calendars["plant"].id)
    _buying(session, now=now)
    plan.bump(session, master=True)
    offers.refresh(session, None, now=now)


def _items(session: Session, warehouse_id: int, *, now: datetime, stools: int) -> None:
    category = t.Category(slug="furniture", name="Furniture")
    session.add(category)
    session.flush()
    sold: dict[str, dict[str, Any]] = {
        "STOOL": {"source": "buy", "sell_from": "stock", "price_minor": 4_900, "on_hand": stools},
        "VASE": {"source": "buy", "sell_from": "stock", "price_minor": 1_900, "on_hand": 0},
        "LAMP": {"source": "buy", "sell_from": "incoming", "price_minor": 7_900, "on_hand": 0},
        "TABLE": {"source": "make", "sell_from": "production", "price_minor": 49_900, "on_hand": 0},
    }
    parts: dict[str, dict[str, Any]] = {
        "TOP": {"source": "make", "on_hand": 0},
        "LEG": {"source": "buy", "on_hand": 12},
        "BOARD": {"source": "buy", "on_hand": 20},
    }
    for position, (sku, values) in enumerate((sold | parts).items()):
        on_hand = values.pop("on_hand")
        product_id = None
        if sku in sold:
            name = sku.capitalize()
            product = t.Product(
                category_id=category.id, slug=sku.lower(), name=name, position=position, search_text=fold(f"{name} {sku}")
            )
            session.add(product)
            session.flush()
            product_id = product.id
        item = t.Item(sku=sku, name=sku.capitalize(), product_id=product_id, on_sale=sku in sold, bin=f"A-{position}", **values)
        session.add(item)
        session.flush()
        if on_hand:
            stock.move(session, item.id, warehouse_id, on_hand, cause="opening", ref=f"opening:{sku}", actor="test", now=now)


def _making(session: Session, plant_id: int) -> None:
    saw = t.WorkCentre(code="SAW", name="Saw", calendar_id=plant_id, lanes=1)
    assembly = t.WorkCentre(code="ASSEMBLY", name="Assembly", calendar_id=plant_id, lanes=1)
    session.add_all([saw, assembly])
    session.flush()
    ids = {sku: item_id(session, sku) for sku in ("TABLE", "TOP", "LEG", "BOARD")}
    session.add_all(
        [
            t.BomLine(parent_id=ids["TABLE"], component_id=ids["TOP"], quantity=1, position=1),
            t.BomLine(parent_id=ids["TABLE"], component_id=ids["LEG"], quantity=4, position=2),
            t.BomLine(parent_id=ids["TOP"], component_id=ids["BOARD"], quantity=2),
            t.RoutingOperation(
                item_id=ids["TABLE"], position=0, work_centre_id=assembly.id, setup_seconds=1800, run_seconds=3600
            ),
            t.RoutingOperation(item_id=ids["TOP"], position=0, work_centre_id=saw.id, setup_seconds=600, run_seconds=1200),
        ]
    )
    session.flush()


def _buying(session: Session, *, now: datetime) -> None:
    supplier = t.Supplier(code="S1", name="Holz & Co")
    session.add(supplier)
    session.flush()
    for sku, days in {"STOOL": 7, "VASE": 7, "LAMP": 7, "LEG": 5, "BOARD": 3}.items():
        session.add(t.SupplierItem(supplier_id=supplier.id, item_id=item_id(session, sku), lead_days=days))
    order = t.PurchaseOrder(number="PO-1", supplier_id=supplier.id, state="ordered", ordered_at=now)
    session.add(order)
    session.flush()
    session.add(t.PurchaseOrderLine(purchase_order_id=order.id, item_id=item_id(session, "LAMP"), quantity=10, due_at=at(27, 8)))
    session.flush()
