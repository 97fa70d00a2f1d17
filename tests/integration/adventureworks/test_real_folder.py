"""The real AdventureWorks folder, found by SHOPFLOOR_ADVENTUREWORKS: every count is taken from the files once more here."""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from backoffice.crm.models import Party
from backoffice.db import Database
from backoffice.erp import models as t
from backoffice.erp import promising
from backoffice.imports.adventureworks import import_folder
from backoffice.public.promise import Promise
from tests.integration.adventureworks.folder import rows

FOLDER = os.environ.get("SHOPFLOOR_ADVENTUREWORKS", "")
pytestmark = pytest.mark.skipif(
    not FOLDER, reason="NOT TESTED: the AdventureWorks folder; set SHOPFLOOR_ADVENTUREWORKS to where it lies"
)
MONDAY = datetime(2026, 12, 7, 17, 0, tzinfo=UTC)  # 09:00 in Los Angeles


def table(name: str) -> list[dict[str, str]]:
    return rows(Path(FOLDER) / f"{name}.csv")


def total(db: Database, query: sa.Select[tuple[int]]) -> int:
    with db.read() as session:
        return session.scalar(query) or 0


def quote(db: Database, sku: str, quantity: int) -> Promise:
    with db.read() as session:
        item = session.execute(sa.select(t.Item).where(t.Item.sku == sku)).scalar_one()
        return promising.quote(session, item, quantity, country=None, postcode="98011", now=MONDAY)


def test_counts_are_those_of_the_files(db: Database, tmp_path: Path) -> None:
    report = import_folder(db, Path(FOLDER), media=tmp_path / "media", now=MONDAY)
    products, models = table("Product"), {row["ProductModelID"] for row in table("Product")} - {""}
    lines = {
        (row["ProductAssemblyID"], row["ComponentID"])
        for row in table("BillOfMaterials")
        if row["ProductAssemblyID"] and not row["EndDate"]
    }
    makes = [row for row in products if row["MakeFlag"] == "1" and row["ProductID"] in {parent for parent, _ in lines}]
    operations = Counter(row["ProductModelID"] for row in table("ProductModelRouting"))
    status = {row["PurchaseOrderID"]: row["Status"] for row in table("PurchaseOrderHeader")}
    still_to_come = [
        row
        for row in table("PurchaseOrderDetail")
        if status[row["PurchaseOrderID"]] in "12" and float(row["OrderQty"]) > float(row["ReceivedQty"])
    ]
    storage = {row["LocationID"] for row in table("Location") if float(row["Availability"]) == 0}
    stored = [row for row in table("ProductInventory") if row["LocationID"] in storage]
    photos = {row["ProductPhotoID"]: row["LargePhotoFileName"] for row in table("ProductPhoto")}
    shown = {row["ProductID"]: photos[row["ProductPhotoID"]] for row in table("ProductProductPhoto")}
    pictured = [p for p in products if p["FinishedGoodsFlag"] == "1" and not shown[p["ProductID"]].startswith("no_image")]
    texts = [row for row in table("ProductModelProductDescriptionCulture") if row["ProductModelID"] in models]
    sold = [p for p in products if p["FinishedGoodsFlag"] == "1" and p["ProductModelID"] and not p["SellEndDate"]]
    alike = Counter((p["ProductModelID"], p["Size"]) for p in sold)  # they differ in colour alone
    expected = {
        "item_substitute": sum(many * (many - 1) for many in alike.values()),
        "category": 4 + len({row["ProductSubcategoryID"] for row in products} - {""}),
        "product": len(models),
        "item": len(products),
        "product_text": len(texts),
        "picture": len(pictured),
        "work_centre": len(table("Location")) - len(storage),
        "bom_line": len(lines),
        "routing_operation": sum(operations[row["ProductModelID"]] or 1 for row in makes),
        "supplier": len(table("Vendor")),
        "supplier_item": len(table("ProductVendor")),
        "purchase_order": len({row["PurchaseOrderID"] for row in still_to_come}),
        "purchase_order_line": len(still_to_come),
        "stock": len({row["ProductID"] for row in stored}),
        "party": len(table("Store")),
    }
    assert {kind: counter["added"] for kind, counter in report.counts.items()} == expected
    assert (expected["item"], expected["bom_line"], expected["supplier_item"], expected["party"]) == (504, 2383, 460, 701)
    assert len(list((tmp_path / "media").iterdir())) == len({shown[p["ProductID"]] for p in pictured})
    gallons = {row["ProductID"] for row in table("ProductVendor") if row["UnitMeasureCode"] == "GAL"}
    pieces = sum(int(row["Quantity"]) * (128 if row["ProductID"] in gallons else 1) for row in stored)
    assert total(db, sa.select(sa.func.sum(t.Stock.on_hand))) == pieces
    assert total(db, sa.select(sa.func.sum(t.StockMovement.delta))) == pieces
    open_quantity = sum(float(row["OrderQty"]) - float(row["ReceivedQty"]) for row in still_to_come)
    assert total(db, sa.select(sa.func.sum(t.PurchaseOrderLine.quantity - t.PurchaseOrderLine.received))) == open_quantity
    assert total(db, sa.select(sa.func.count(Party.id)).where(Party.kind == "company")) == 701
    current = [
        p
        for p in products
        if p["FinishedGoodsFlag"] == "1" and float(p["ListPrice"]) > 0 and not p["SellEndDate"] and not p["DiscontinuedDate"]
    ]
    assert total(db, sa.select(sa.func.count(t.Item.id)).where(t.Item.on_sale)) == len(current) == 197
    again = import_folder(db, Path(FOLDER), media=tmp_path / "media", now=MONDAY)
    assert [again.total(outcome) for outcome in ("added", "changed", "removed", "kept")] == [0, 0, 0, 0]


def test_a_touring_frame_gets_its_day_from_its_routing(sqlite_db: Database, tmp_path: Path) -> None:
    """LL Touring Frame - Yellow, 62: model 10, nothing in stock, all its parts are.

    From Monday 09:00: forming 0.1 h + 2 h ÷ 100 = 7:12 min → 09:07:12; welding 0.25 h + 1.75 h → 11:07:12; polishing
    1 h → 12:07:12; painting 1.5 h ÷ 20 = 4:30 min → 12:11:42; subassembly 0.25 h + 3 h → 15:26:42; final assembly 4 h
    → 19:26:42. That is after 14:00, so it leaves on Tuesday and is in Bothell one carrier day later.
    """
    import_folder(sqlite_db, Path(FOLDER), media=tmp_path / "media", made=["7", "10"], now=MONDAY)
    promise = quote(sqlite_db, "FR-T67Y-62", 1)
    assert promise.basis == "make"
    assert promise.ready_at == datetime(2026, 12, 8, 3, 26, 42, tzinfo=UTC)
    assert (promise.ship_on, promise.deliver_on) == (date(2026, 12, 8), date(2026, 12, 9))
    worked = [step.details["work_centre"] for step in promise.steps if step.kind == "operation"]
    assert worked == ["Frame Forming", "Frame Welding", "Debur and Polish", "Paint", "Subassembly", "Final Assembly"]


def test_more_touring_bikes_than_in_stock_are_made(sqlite_db: Database, tmp_path: Path) -> None:
    """Touring-1000 Yellow, 46: 65 in stock; the 66th needs a frame (made first) and four days of eight hours."""
    import_folder(sqlite_db, Path(FOLDER), media=tmp_path / "media", made=["7", "10", "Touring-1000"], now=MONDAY)
    with sqlite_db.read() as session:
        query = sa.select(t.Stock.on_hand).join(t.Item, t.Item.id == t.Stock.item_id).where(t.Item.sku == "BK-T79Y-46")
        here = session.execute(query).scalar_one()
    assert quote(sqlite_db, "BK-T79Y-46", here).basis == "stock"
    more = quote(sqlite_db, "BK-T79Y-46", here + 1)
    assert more.basis == "mixed"
    # frame: 19:57:45 on Monday (31:48, 2:09:00, 1:00:00, 1:57, 3:15:00, 4:00:00); 32 h of assembly at 24 h a day
    assert more.ready_at == datetime(2026, 12, 9, 11, 57, 45, tzinfo=UTC)
    assert {step.details.get("item") for step in more.steps if step.kind == "operation"} >= {"Touring-1000 Yellow, 46"}
