"""Each rule of the AdventureWorks data, on rows worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm.models import Party
from backoffice.db import Database
from backoffice.erp import models as t
from backoffice.erp import plan
from backoffice.public.errors import NotFound, Refused
from tests.integration.adventureworks.conftest import Import
from tests.integration.adventureworks.folder import PHOTOS

PACIFIC = ZoneInfo("America/Los_Angeles")


def item(session: Session, sku: str) -> t.Item:
    return session.execute(sa.select(t.Item).where(t.Item.sku == sku)).scalar_one()


def test_every_kind_is_counted(db: Database, run: Import) -> None:
    report = run(db)
    assert {kind: counter["added"] for kind, counter in report.counts.items()} == {
        "category": 3 + 3,
        "product": 4,  # two models of the bikes, the caps' model, a frame without a model
        "item": 9,
        "item_substitute": 0,  # no two of them differ in looks alone
        "product_text": 4,
        "picture": 3,
        "work_centre": 4,
        "bom_line": 6,
        "routing_operation": 3 + 1 + 1,
        "supplier": 3,
        "supplier_item": 6,
        "purchase_order": 2,
        "purchase_order_line": 2,
        "stock": 4,
        "party": 2,
    }


def test_the_tree_holds_only_what_has_products(sqlite_db: Database, run: Import) -> None:
    run(sqlite_db)
    with sqlite_db.read() as session:
        tree = session.execute(sa.select(t.Category.name, t.Category.parent_id.is_(None)).order_by(t.Category.name)).all()
        assert [tuple(row) for row in tree] == [
            ("Bikes", True),
            ("Caps", False),
            ("Clothing", True),
            ("Components", True),
            ("Frames", False),
            ("Touring Bikes", False),
        ]


def test_models_are_pages_with_variants(sqlite_db: Database, run: Import) -> None:
    run(sqlite_db)
    with sqlite_db.read() as session:
        pages = session.scalars(sa.select(t.Product).order_by(t.Product.name)).all()
        assert [page.name for page in pages] == ["Cycling Cap", "LL Touring Frame", "Road Frame - Black, 62", "Touring-1000"]
        assert [page.slug for page in pages] == ["cycling-cap", "ll-touring-frame", "road-frame-black-62", "touring-1000"]
        assert item(session, "CA-0").product_id == item(session, "CA-1").product_id == pages[0].id
        assert item(session, "FR-54").options == {"Colour": "Blue", "Size": "54"}
        assert item(session, "WH-1").product_id is None
        assert pages[1].facts == {"Weight": "3 lb"}


def test_descriptions_keep_their_languages(sqlite_db: Database, run: Import) -> None:
    run(sqlite_db)
    with sqlite_db.read() as session:
        page = session.execute(sa.select(t.Product).where(t.Product.name == "LL Touring Frame")).scalar_one()
        assert page.description == "A frame for long rides.\nWelded by hand."
        texts = session.execute(
            sa.select(t.ProductText.language, t.ProductText.description).where(t.ProductText.product_id == page.id)
        )
        assert dict(tuple(row) for row in texts) == {
            "en": "A frame for long rides.\nWelded by hand.",
            "ar": "هيكل متين للرحلات الطويلة",
            "zh-Hant": "旅行車架",
        }
        assert "هيكل" in page.search_text
        assert "fr 54" in page.search_text


def test_only_current_products_are_on_sale(sqlite_db: Database, run: Import) -> None:
    run(sqlite_db)
    with sqlite_db.read() as session:
        on_sale = session.scalars(sa.select(t.Item.sku).where(t.Item.on_sale).order_by(t.Item.sku)).all()
        assert on_sale == ["BK-54", "CA-1", "FR-54", "FR-62"]  # CA-0 ended; parts have no price


def test_a_sale_that_ends_tomorrow_is_still_current(sqlite_db: Database, run: Import, folder: Path) -> None:
    text = (folder / "Product.csv").read_text(encoding="utf-8")
    ends_today = text.replace("2024-05-28", "2025-08-07").replace(
        "CA-1,0,1,Multi,4,3,8.9900,,,,0,3,30,,", "CA-1,0,1,Multi,4,3,8.9900,,,,0,3,30,2025-08-08,"
    )
    (folder / "Product.csv").write_text(ends_today, encoding="utf-8")
    run(sqlite_db)
    with sqlite_db.read() as session:
        assert not item(session, "CA-0").on_sale
        assert item(session, "CA-1").on_sale


def test_prices_are_cents(sqlite_db: Database, run: Import) -> None:
    run(sqlite_db)
    with sqlite_db.read() as session:
        assert (item(session, "BK-54").price_minor, item(session, "BK-54").currency) == (238407, "USD")
        assert item(session, "CA-0").price_minor == 800  # 7.995, half a cent up


def test_what_can_be_had_how(sqlite_db: Database, run: Import) -> None:
    run(sqlite_db)
    with sqlite_db.read() as session:
        sources = dict(tuple(row) for row in session.execute(sa.select(t.Item.sku, t.Item.source)))
        assert sources == {
            "BK-54": "make",
            "FR-54": "make",
            "HB-1": "make",
            "WH-1": "buy",
            "PA-1": "buy",
            "CA-1": "buy",
            "CA-0": "buy",
            "FR-62": "none",  # made in house, but of nothing
            "RM-1": "none",  # nobody sells it
        }
        assert set(session.scalars(sa.select(t.Item.sell_from))) == {"stock"}
        assert set(session.scalars(sa.select(t.Item.safety_stock))) == {0}  # reorder levels are no hold-back on the web


def test_current_bom_in_smallest_units(db: Database, run: Import) -> None:
    run(db)
    with db.read() as session:
        parent, component = sa.orm.aliased(t.Item), sa.orm.aliased(t.Item)
        lines = session.execute(
            sa.select(parent.sku, component.sku, t.BomLine.quantity, t.BomLine.per)
            .join(parent, parent.id == t.BomLine.parent_id)
            .join(component, component.id == t.BomLine.component_id)
        )
        assert {tuple(line) for line in lines} == {
            ("BK-54", "FR-54", 1, 1),
            ("BK-54", "WH-1", 2, 1),  # not the superseded 3
            ("FR-54", "PA-1", 8, 1),  # ounces, which are the smallest unit of paint
            ("FR-54", "HB-1", 1, 1),
            ("HB-1", "RM-1", 5, 2),  # two and a half
            ("HB-1", "WH-1", 2, 1),  # two rows of one
        }
        assert item(session, "PA-1").parts_per_unit == 128
        assert item(session, "PA-1").unit == "GAL"


def test_only_storage_is_for_sale_and_the_ledger_adds_up(db: Database, run: Import) -> None:
    run(db)
    with db.read() as session:
        stock = session.execute(sa.select(t.Item.sku, t.Stock.on_hand).join(t.Stock, t.Stock.item_id == t.Item.id))
        assert dict(tuple(row) for row in stock) == {"BK-54": 9, "WH-1": 370, "PA-1": 384, "CA-1": 0}
        moved = session.execute(
            sa.select(t.Item.sku, sa.func.sum(t.StockMovement.delta))
            .join(t.Item, t.Item.id == t.StockMovement.item_id)
            .where(t.StockMovement.cause == "opening")
            .group_by(t.Item.sku)
        )
        assert dict(tuple(row) for row in moved) == {"BK-54": 9, "WH-1": 370, "PA-1": 384}
        bins = dict(tuple(row) for row in session.execute(sa.select(t.Item.sku, t.Item.bin)))
        assert bins["WH-1"] == "Tool Crib C-5"  # 220 there against 150; the fuller of its two bins
        assert bins["BK-54"] == "Finished Goods Storage"


def test_work_centres_and_their_hours(sqlite_db: Database, run: Import) -> None:
    run(sqlite_db)
    with sqlite_db.read() as session:
        shifts = session.execute(
            sa.select(
                t.WorkCentre.name, t.CalendarShift.weekday, t.CalendarShift.starts_minute, t.CalendarShift.ends_minute
            ).join(t.CalendarShift, t.CalendarShift.calendar_id == t.WorkCentre.calendar_id)
        )
        hours = {(name, first, last): 0 for name, _day, first, last in shifts}
        assert set(hours) == {
            ("Frame Welding", 0, 1152),  # 96 hours: 19.2 a day
            ("Paint", 0, 1440),
            ("Subassembly", 0, 1440),
            ("Final Assembly", 0, 960),
        }
        assert set(session.scalars(sa.select(t.Calendar.holidays).join(t.WorkCentre))) == {""}
        weekdays = session.scalars(sa.select(t.CalendarShift.weekday).join(t.Calendar).where(t.Calendar.code == "aw-1152"))
        assert sorted(weekdays) == [0, 1, 2, 3, 4]


def test_routings_in_seconds(db: Database, run: Import) -> None:
    run(db)
    with db.read() as session:
        steps = session.execute(
            sa.select(
                t.Item.sku,
                t.RoutingOperation.position,
                t.WorkCentre.name,
                t.RoutingOperation.setup_seconds,
                t.RoutingOperation.fixed_seconds,
                t.RoutingOperation.run_seconds,
                t.RoutingOperation.run_per,
            )
            .join(t.Item, t.Item.id == t.RoutingOperation.item_id)
            .join(t.WorkCentre, t.WorkCentre.id == t.RoutingOperation.work_centre_id)
        )
        assert {tuple(step) for step in steps} == {
            ("FR-54", 10, "Frame Welding", 540, 0, 6300, 1),  # the machine's 1.75 h, not the 1.5 h of labour
            ("FR-54", 20, "Paint", 0, 0, 5400, 20),  # routed to the storage without hours; 1.5 h a lot of 20
            ("FR-54", 30, "Final Assembly", 0, 0, 14400, 1),
            ("BK-54", 10, "Final Assembly", 0, 4 * 8 * 3600, 0, 1),  # four days, whatever the quantity
            ("HB-1", 10, "Subassembly", 0, 60, 0, 1),  # no day at all: a minute
        }


def test_suppliers_sell_whole_purchase_units(sqlite_db: Database, run: Import) -> None:
    run(sqlite_db)
    with sqlite_db.read() as session:
        found = session.execute(
            sa.select(
                t.Item.sku,
                t.Supplier.code,
                t.Supplier.active,
                t.SupplierItem.lead_days,
                t.SupplierItem.order_minimum,
                t.SupplierItem.order_multiple,
                t.SupplierItem.order_maximum,
                t.SupplierItem.price_minor,
            )
            .join(t.Item, t.Item.id == t.SupplierItem.item_id)
            .join(t.Supplier, t.Supplier.id == t.SupplierItem.supplier_id)
            .where(t.Item.sku.in_(["WH-1", "PA-1"]))
        )
        assert {tuple(row) for row in found} == {
            ("WH-1", "FAST0001", True, 12, 500, 1, 1000, 4787),
            ("WH-1", "SLOW0001", True, 19, 1, 1, 5, 3993),  # 39.925
            ("WH-1", "GONE0001", False, 5, 1, 1, 5, 3000),
            ("PA-1", "FAST0001", True, 16, 20 * 128, 128, 100 * 128, 4833),
        }
        assert set(session.scalars(sa.select(t.Supplier.calendar_id))) == {None}  # calendar days


def test_open_receipts_are_shifted(db: Database, run: Import) -> None:
    run(db)  # at 2026-11-24 00:00 in Los Angeles: that day stands for 2025-08-07, 474 days earlier
    with db.read() as session:
        lines = session.scalars(sa.select(t.PurchaseOrderLine).order_by(t.PurchaseOrderLine.id)).all()
        assert [(line.quantity, line.received) for line in lines] == [(550, 468), (20 * 128, 704)]
        assert [line.due_at.astimezone(PACIFIC).date() for line in lines] == [date(2026, 11, 29), date(2026, 11, 21)]
        orders = session.scalars(sa.select(t.PurchaseOrder).order_by(t.PurchaseOrder.id)).all()
        assert [(order.number, order.state) for order in orders] == [("AW-2", "ordered"), ("AW-3", "ordered")]
        assert orders[0].ordered_at.astimezone(PACIFIC).date() == date(2026, 11, 14)


def test_photos_are_copied_and_shown(sqlite_db: Database, run: Import, media: Path) -> None:
    run(sqlite_db)
    with sqlite_db.read() as session:
        shown = session.execute(sa.select(t.Item.sku, t.Picture.file).join(t.Item, t.Item.id == t.Picture.item_id))
        contents = {sku: (media / file).read_bytes() for sku, file in shown}
    # the bike has the placeholder only, the wheel is no page
    assert contents == {"FR-54": PHOTOS["frame.gif"], "CA-1": PHOTOS["cap.gif"], "CA-0": PHOTOS["cap.gif"]}
    assert len(list(media.iterdir())) == 2


def test_stores_are_companies(sqlite_db: Database, run: Import) -> None:
    run(sqlite_db)
    with sqlite_db.read() as session:
        parties = session.scalars(sa.select(Party).order_by(Party.id)).all()
        assert [(party.kind, party.name, party.email) for party in parties] == [
            ("company", "Next-Door Bike Store", None),
            ("company", "Żółw, Sons", None),
        ]
        assert parties[0].facts == {
            "Speciality": "Mountain",
            "Business type": "BM",
            "Opened": "1996",
            "Employees": "13",
            "Annual sales": "800000",
        }


def test_an_empty_database_becomes_the_company(sqlite_db: Database, run: Import) -> None:
    run(sqlite_db)
    with sqlite_db.read() as session:
        company = session.get_one(t.Company, 1)
        assert (company.name, company.country, company.currency, company.timezone) == (
            "Adventure Works Cycles",
            "US",
            "USD",
            "America/Los_Angeles",
        )
        assert session.scalar(sa.select(sa.func.count(t.ShippingZone.id)).where(t.ShippingZone.country == "US")) == 914
        assert plan.master_version(session) != 0


def test_a_company_that_is_there_is_kept(sqlite_db: Database, run: Import, media: Path, now: datetime) -> None:
    from backoffice.demo.load import load

    load(sqlite_db, media=media, now=now)
    run(sqlite_db)
    with sqlite_db.read() as session:
        assert session.get_one(t.Company, 1).name == "Birkengrund Workshop"
        assert session.scalar(sa.select(sa.func.count(t.Warehouse.id))) == 2  # the demo's own, none added
        assert item(session, "BK-54").currency == "USD"
        zones = set(session.scalars(sa.select(t.ShippingZone.country)))
        assert zones == {"DE", "AT", "FR", "IE", "IT", "NL"}


def test_items_set_to_sell_from_production(db: Database, run: Import) -> None:
    run(db, made=["10", "touring-1000"])
    with db.read() as session:
        made = session.scalars(sa.select(t.Item.sku).where(t.Item.sell_from == "production").order_by(t.Item.sku)).all()
        assert made == ["BK-54", "FR-54"]


@pytest.mark.parametrize(("name", "error"), [("nothing", NotFound), ("FR-62", Refused)])
def test_what_cannot_be_made_stops_the_whole_import(sqlite_db: Database, run: Import, name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        run(sqlite_db, made=[name])
    with sqlite_db.read() as session:
        assert session.scalar(sa.select(sa.func.count(t.Item.id))) == 0


def test_the_day_of_import_is_the_companys(sqlite_db: Database, run: Import) -> None:
    run(sqlite_db, at=datetime(2026, 11, 24, 7, 59, tzinfo=UTC))  # still the 23rd in Los Angeles
    with sqlite_db.read() as session:
        due = session.scalars(sa.select(t.PurchaseOrderLine.due_at).order_by(t.PurchaseOrderLine.id)).all()
        assert due[0].astimezone(PACIFIC).date() == date(2026, 11, 28)
