"""A second import: nothing changes, and what people did since is theirs."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.db import Database
from backoffice.erp import models as t
from backoffice.erp import plan, remaking, stock
from backoffice.imports.adventureworks import Report
from backoffice.tables import metadata
from tests.integration.adventureworks.conftest import Import
from tests.integration.adventureworks.folder import replace


def everything(db: Database) -> dict[str, list[Any]]:
    """Return all rows of all tables."""
    with db.read() as session:
        return {
            table.name: sorted((tuple(row) for row in session.execute(sa.select(table))), key=repr)
            for table in metadata.sorted_tables
        }


def totals(report: Report) -> dict[str, int]:
    return {outcome: report.total(outcome) for outcome in ("added", "changed", "removed", "kept")}


def test_a_second_run_changes_nothing(db: Database, run: Import, now: datetime) -> None:
    run(db)
    before = everything(db)
    report = run(db, at=now + timedelta(days=3))  # the dates stay those of the first day
    assert totals(report) == {"added": 0, "changed": 0, "removed": 0, "kept": 0}
    assert report.total("unchanged") == 60
    assert everything(db) == before


def test_setting_the_same_policy_again_changes_nothing(sqlite_db: Database, run: Import) -> None:
    run(sqlite_db, made=["10"])
    before = everything(sqlite_db)
    run(sqlite_db, made=["10"])
    assert everything(sqlite_db) == before


def test_stock_that_has_moved_since_is_left_alone(db: Database, run: Import, folder: Path, now: datetime) -> None:
    run(db)
    with db.read() as session:
        wheel = session.execute(sa.select(t.Item.id).where(t.Item.sku == "WH-1")).scalar_one()
        place = session.execute(sa.select(t.Warehouse.id)).scalar_one()
    db.run(lambda s: stock.move(s, wheel, place, -20, cause="shipment", ref="parcel 1", actor="", now=now))
    assert totals(run(db))["changed"] == 0
    replace(folder, "ProductInventory.csv", "3,7,D,6,150", "3,7,D,6,151")
    assert totals(run(db)) == {"added": 0, "changed": 0, "removed": 0, "kept": 1}
    with db.read() as session:
        assert session.execute(sa.select(t.Stock.on_hand).where(t.Stock.item_id == wheel)).scalar_one() == 350


def test_a_corrected_opening_is_booked_while_nothing_moved(db: Database, run: Import, folder: Path, now: datetime) -> None:
    run(db)
    replace(folder, "ProductInventory.csv", "3,7,D,6,150", "3,7,D,6,100")
    assert totals(run(db, at=now + timedelta(hours=1)))["changed"] == 1
    with db.read() as session:
        wheel = session.execute(sa.select(t.Item.id).where(t.Item.sku == "WH-1")).scalar_one()
        assert session.execute(sa.select(t.Stock.on_hand).where(t.Stock.item_id == wheel)).scalar_one() == 320
        deltas = session.scalars(sa.select(t.StockMovement.delta).where(t.StockMovement.item_id == wheel)).all()
        assert sorted(deltas) == [-50, 370]
    assert totals(run(db, at=now + timedelta(hours=2)))["changed"] == 0


def test_a_changed_row_is_changed_and_a_superseded_line_goes(db: Database, run: Import, folder: Path) -> None:
    run(db)
    with db.read() as session:
        before = plan.master_version(session)
    replace(folder, "Product.csv", "8.9900", "9.4900")
    replace(folder, "BillOfMaterials.csv", "6,2,8,2021-05-25 00:00:00.000,,EA", "6,2,8,2021-05-25 00:00:00.000,2025-01-01,EA")
    report = run(db)
    assert totals(report) == {"added": 0, "changed": 1, "removed": 1, "kept": 0}
    with db.read() as session:
        assert session.execute(sa.select(t.Item.price_minor).where(t.Item.sku == "CA-1")).scalar_one() == 949
        assert session.scalar(sa.select(sa.func.count(t.BomLine.id))) == 5
        assert plan.master_version(session) != before


def test_what_people_decided_here_stays(sqlite_db: Database, run: Import, folder: Path) -> None:
    run(sqlite_db, made=["FR-54"])
    replace(folder, "Product.csv", "333.4200", "340.0000")
    run(sqlite_db)
    with sqlite_db.read() as session:
        frame = session.execute(sa.select(t.Item).where(t.Item.sku == "FR-54")).scalar_one()
        assert (frame.price_minor, frame.sell_from) == (34000, "production")


def test_another_parts_list_plans_anew_exactly_what_it_is_the_list_of(
    sqlite_db: Database, run: Import, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(sqlite_db)
    asked: list[set[int]] = []
    monkeypatch.setattr(remaking, "after_change", lambda _session, items, now: asked.append(set(items)))
    replace(folder, "BillOfMaterials.csv", "5,2,4,2021-05-25 00:00:00.000,,OZ,2,8.00", "5,2,4,2021-05-25 00:00:00.000,,OZ,2,9.00")
    run(sqlite_db)
    with sqlite_db.read() as session:
        frame = session.execute(sa.select(t.Item.id).where(t.Item.sku == "FR-54")).scalar_one()
    assert asked == [{frame}]
