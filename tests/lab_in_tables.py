"""A model of the lab, written into the shop's tables: what both answer must be the same day.

Whole quantities and minutes only; a line's `due`, `partial` and `priority` have no counterpart in the shop.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import factory, holds, kits, lots, plan, promising, proposing, purchasing, shipping, stock
from backoffice.erp import models as t
from backoffice.public.errors import Refused
from tests.company import item_id

POSTCODE = "10115"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Answer = dict[str, Any]


def instant(text: str) -> datetime:
    """Return an instant of a model, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def write(session: Session, model: dict[str, Any]) -> None:
    """Write a model's factory, stock and receipts as a company."""
    now = instant(model["now"])
    calendars = {name: _calendar(session, name, one, model) for name, one in model["calendars"].items()}
    _company(session, model, calendars)
    items = model["items"]
    for sku, one in items.items():
        _item(session, sku, one)
    ids = {sku: item_id(session, sku) for sku in items}
    for sku, one in items.items():
        for number, offer in enumerate([one, *one.get("suppliers", ())] if one["source"] == "buy" else ()):
            _offer(session, ids[sku], f"{sku}-{number}", offer, number, calendars)
    warehouse = session.scalars(sa.select(t.Warehouse)).one()
    for number, one in enumerate(model.get("stock", ())):
        ref = f"opening:{number}"
        item, lot = ids[one["item"]], _lot(session, ids[one["item"]], warehouse.id, one)
        stock.move(session, item, warehouse.id, one["quantity"], cause="opening", ref=ref, actor="test", lot_id=lot, now=now)
    for one in model.get("receipts", ()):
        _receipt(session, ids[one["item"]], one, now)
    _making(session, model, ids, calendars)
    plan.bump(session, master=True)


def _calendar(session: Session, name: str, one: dict[str, Any], model: dict[str, Any]) -> int:
    row = t.Calendar(code=name, name=name, timezone=model["timezone"], holidays=one.get("holidays") or "")
    session.add(row)
    session.flush()

    def minutes(text: str) -> int:
        hours, _, rest = text.partition(":")
        return int(hours) * 60 + int(rest)

    for day, intervals in one["weekly"].items():
        for start, end in intervals:
            shift = {"weekday": DAYS.index(day), "starts_minute": minutes(start), "ends_minute": minutes(end)}
            session.add(t.CalendarShift(calendar_id=row.id, **shift))
    return row.id


def _company(session: Session, model: dict[str, Any], calendars: dict[str, int]) -> None:
    shipping = model["shipping"]
    values = {"name": "Werk", "country": "DE", "currency": "EUR", "timezone": model["timezone"], "language": "en"}
    session.add(t.Company(id=1, email="hello@werk.test", default_postcode=POSTCODE, **values))
    hours, _, minutes = shipping["cutoff"].partition(":")
    session.add(
        t.Warehouse(
            code="main",
            name="Main",
            timezone=model["timezone"],
            calendar_id=calendars[shipping["warehouse_calendar"]],
            carrier_calendar_id=calendars[shipping["carrier_calendar"]],
            pick_pack_days=shipping.get("pick_pack_days", 0),
            cutoff_minute=int(hours) * 60 + int(minutes),
        )
    )
    session.add(t.ShippingZone(country="DE", prefix="10", subdivision="", transit_days=shipping["transit_days"]))
    session.add(t.Category(id=1, slug="all", name="All"))
    session.flush()


def _lot(session: Session, item: int, warehouse: int, one: dict[str, Any]) -> int | None:
    """Return the lot that a stock of the model is: good up to the day before the one on which it may not ship any more."""
    if not one.get("expires_on"):
        return None
    session.get_one(t.Item, item).days_left = 0
    best_before_on = date.fromisoformat(one["expires_on"]) - timedelta(days=1)
    return lots.get_lot(session, item, warehouse, one["id"], best_before_on).id


def _item(session: Session, sku: str, one: dict[str, Any]) -> None:
    product = t.Product(category_id=1, slug=sku.lower(), name=sku)
    session.add(product)
    session.flush()
    lot = {
        "lot_minimum": one.get("minimum", 0),
        "lot_multiple": one.get("multiple", 1),
        "lot_maximum": one.get("maximum"),
        "safety_stock": one.get("safety_stock", 0),
    }
    sell_from = "incoming" if one["source"] == "none" else "production"
    session.add(t.Item(sku=sku, name=sku, product_id=product.id, on_sale=True, source=one["source"], sell_from=sell_from, **lot))
    session.flush()


def _offer(session: Session, item: int, code: str, offer: dict[str, Any], number: int, calendars: dict[str, int]) -> None:
    named = offer.get("id", code)
    supplier = session.scalar(sa.select(t.Supplier).where(t.Supplier.code == named))
    if supplier is None:
        supplier = t.Supplier(code=named, name=named, calendar_id=calendars.get(offer.get("calendar") or ""))
        session.add(supplier)
        session.flush()
    session.add(
        t.SupplierItem(
            supplier_id=supplier.id,
            item_id=item,
            priority=number + 1,
            lead_days=offer["lead_days"],
            order_minimum=offer.get("minimum", 0),
            order_multiple=offer.get("multiple", 1),
            order_maximum=offer.get("maximum"),
        )
    )
    session.flush()


def _receipt(session: Session, item: int, one: dict[str, Any], now: datetime) -> None:
    supplier = t.Supplier(code=f"of {one['id']}", name=one["id"], active=False)
    session.add(supplier)
    session.flush()
    order = t.PurchaseOrder(number=one["id"], supplier_id=supplier.id, state="ordered", ordered_at=now)
    session.add(order)
    session.flush()
    due_at = instant(one["at"])
    session.add(t.PurchaseOrderLine(purchase_order_id=order.id, item_id=item, quantity=one["quantity"], due_at=due_at))
    session.flush()


def _making(session: Session, model: dict[str, Any], ids: dict[str, int], calendars: dict[str, int]) -> None:
    centres: dict[str, int] = {}
    for code, one in model.get("work_centres", {}).items():
        pace = {"lanes": one.get("lanes", 1), "efficiency_percent": round(one.get("efficiency", 1) * 100)}
        if one.get("frozen_until"):
            pace["frozen_days"] = (date.fromisoformat(one["frozen_until"]) - date.fromisoformat(model["now"][:10])).days
        row = t.WorkCentre(code=code, name=code, calendar_id=calendars[one["calendar"]], **pace)
        session.add(row)
        session.flush()
        centres[code] = row.id
    for parent, lines in model.get("boms", {}).items():
        for position, one in enumerate(lines):
            line = {"component_id": ids[one["item"]], "quantity": one["quantity"], "position": position}
            row = t.BomLine(parent_id=ids[parent], scrap_permille=round(one.get("scrap", 0) * 1000), **line)
            session.add(row)
            session.flush()
            for number, other in enumerate(one.get("alternates", ())):
                session.add(t.BomAlternate(bom_line_id=row.id, item_id=ids[other], priority=number + 1))
    for sku, operations in model.get("routings", {}).items():
        for position, one in enumerate(operations):
            seconds = {
                "setup_seconds": one.get("setup_minutes", 0) * 60,
                "run_seconds": one.get("minutes_per_unit", 0) * 60,
                "fixed_seconds": one.get("fixed_minutes", 0) * 60,
            }
            at = centres[one["work_centre"]]
            row = t.RoutingOperation(item_id=ids[sku], position=position, work_centre_id=at, **seconds)
            session.add(row)
            session.flush()
            for number, other in enumerate(one.get("alternates", ())):
                session.add(t.OperationAlternate(operation_id=row.id, work_centre_id=centres[other], priority=number + 1))
    session.flush()


def commit(session: Session, line: dict[str, Any], now: datetime) -> Answer:
    """Buy what a commitment asks for, and send off what has to be ordered for it; return the answer as the lab writes it."""
    item = session.get_one(t.Item, item_id(session, line["item"]))
    try:
        held = holds.hold(session, item, line["quantity"], owner=f"cart:{line['id']}", minutes=15, now=now)
    except Refused:
        return {"id": line["id"], "ready_at": None}
    answer = {"id": line["id"], "ready_at": held.ready_at, "basis": held.basis, **_stands_on(session, held.id)}
    way = shipping.destination(session, factory.load(session, now=now), now=now)
    days = promising.day_for(held.ready_at, way, now=now)
    assert days is not None
    holds.start_paying(session, held.id, now=now)
    converted = holds.convert(session, held.id, order_ref=line["id"], now=now)
    assert converted is not None
    for one in kits.goods_of(session, converted[0]):
        own = [peg for peg in converted[1] if peg.reservation_id == one.id]
        for order in proposing.propose(session, one, own, now=now):
            purchasing.confirm(session, order.id, actor="test", now=now)
    session.flush()
    return answer | {"ship_on": days[0], "deliver_on": days[1]}


def stands_on(session: Session, line: dict[str, Any]) -> Answer:
    """Return what a commitment stands on by now: pegs of what expires may have moved."""
    mine = t.Reservation.order_ref == line["id"], t.Reservation.split_from_id.is_(None)
    own = session.scalars(sa.select(t.Reservation).where(*mine)).one_or_none()
    return {} if own is None else _stands_on(session, own.id)


def quote(session: Session, line: dict[str, Any], now: datetime) -> Answer:
    """Return what the shop names for a quote."""
    item = session.get_one(t.Item, item_id(session, line["item"]))
    try:
        promise = promising.quote(session, item, line["quantity"], country=None, postcode=None, now=now)
    except Refused:
        return {"id": line["id"], "ready_at": None}
    named = {"ready_at": promise.ready_at, "ship_on": promise.ship_on, "deliver_on": promise.deliver_on}
    return {"id": line["id"], "basis": promise.basis, **named}


def _stands_on(session: Session, reservation_id: int) -> Answer:
    goods = kits.goods_in(session, [reservation_id])
    pegs = session.execute(
        sa.select(t.Item.sku, t.Peg.available_at, sa.func.sum(t.Peg.quantity))
        .join(t.Item, t.Item.id == t.Peg.item_id)
        .where(t.Peg.reservation_id.in_(goods))
        .group_by(t.Item.sku, t.Peg.available_at)
    )
    slots = session.execute(
        sa.select(t.Item.sku, t.ProductionOrder.quantity, t.WorkCentre.code, t.OperationSlot.starts_at, t.OperationSlot.ends_at)
        .join(t.ProductionOrder, t.ProductionOrder.id == t.OperationSlot.production_order_id)
        .join(t.Item, t.Item.id == t.ProductionOrder.item_id)
        .join(t.WorkCentre, t.WorkCentre.id == t.OperationSlot.work_centre_id)
        .where(t.ProductionOrder.reservation_id.in_(goods))
    )
    return {"pegs": sorted(map(tuple, pegs)), "operations": sorted(map(tuple, slots))}


def as_the_shop_says(line: dict[str, Any], zone: ZoneInfo, model: dict[str, Any]) -> Answer:
    """Return a line of the lab's answers in the form of `commit`; pegs to the same item and instant are one.

    The lab writes down the lots of kits and phantoms, which are nothing but their parts.
    """
    through = {sku for sku, one in model["items"].items() if one["source"] in ("kit", "phantom")}

    def at(text: str) -> datetime:
        return datetime.fromisoformat(text).astimezone(UTC)

    if line["ready_at"] is None:
        return {"id": line["id"], "ready_at": None}
    sums: dict[tuple[str, datetime], int] = {}
    for peg in line["pegs"]:
        if peg["item"] in through and str(peg["supply"]).startswith("lot "):
            continue
        key = peg["item"], at(peg["available_at"])
        sums[key] = sums.get(key, 0) + peg["quantity"]
    work = [(one["item"], one["quantity"], one["work_centre"], at(one["start"]), at(one["end"])) for one in line["operations"]]
    return {
        "id": line["id"],
        "ready_at": at(line["ready_at"]),
        "basis": line["basis"],
        "ship_on": datetime.fromisoformat(line["ship_on"]).date(),
        "deliver_on": datetime.fromisoformat(line["deliver_on"]).date(),
        "pegs": sorted((sku, when, quantity) for (sku, when), quantity in sums.items()),
        "operations": sorted(work),
    }
