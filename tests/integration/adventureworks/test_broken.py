"""Broken folders: the message names file, line and column, and the database is as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from backoffice.db import Database
from backoffice.erp import models as t
from backoffice.imports.faults import BrokenFolder
from backoffice.tables import metadata
from tests.integration.adventureworks.conftest import Import
from tests.integration.adventureworks.folder import replace

BROKEN = [
    # (file, old, new, line, column)
    ("Product.csv", "2384.0700", "2384,0700", 2, "DiscontinuedDate"),  # one cell too many
    ("Product.csv", "8.9900", "eight", 6, "ListPrice"),
    ("Product.csv", "8.9900", "-8.99", 6, "ListPrice"),
    ("Product.csv", "8.9900", "NaN", 6, "ListPrice"),
    ("Product.csv", "8.9900", "1e400", 6, "ListPrice"),
    ("Product.csv", "CA-1,0,1", "CA-1,0,yes", 6, "FinishedGoodsFlag"),
    ("Product.csv", "CA-0", "CA-1", 7, "ProductNumber"),
    ("Product.csv", "2024-05-28 00:00:00.000", "2024-02-31 00:00:00.000", 7, "SellEndDate"),
    ("Product.csv", "\n8,Hub", "\n7,Hub", 9, "ProductID"),
    ("Product.csv", "HB-1,1,0,,500,375,.0000,,,,0,,,,", "HB-1,1,0,,500,375,.0000,,,,0,9,,,", 9, "ProductSubcategoryID"),
    ("ProductDescription.csv", "4,Keeps the sun out.", "4,", 6, "Description"),  # line 2 and 3 are one row
    ("ProductDescription.csv", "3,旅行車架", '3,"旅行"車架', 5, None),  # quoted wrongly
    ("ProductModelProductDescriptionCulture.csv", "10,2,ar", "10,2,xx", 3, "CultureID"),
    (
        "BillOfMaterials.csv",
        "5,2,4,2021-05-25 00:00:00.000,,OZ,2,8.00",
        "5,2,4,2021-05-25 00:00:00.000,,OZ,2,0",
        6,
        "PerAssemblyQty",
    ),
    ("BillOfMaterials.csv", "5,2,4,", "5,2,44,", 6, "ComponentID"),
    ("BillOfMaterials.csv", "5,2,4,", "5,2,2,", 6, "ComponentID"),
    ("BillOfMaterials.csv", "7,8,9,", "7,8,1,", 8, "ComponentID"),  # a hub made of bikes made of frames made of hubs
    ("ProductInventory.csv", "4,1,E,7,3", "4,1,E,7,3.001", 7, "Quantity"),  # no whole ounce
    ("ProductInventory.csv", "4,1,E,7,3", "4,77,E,7,3", 7, "LocationID"),
    ("ProductModelRouting.csv", "10,30,60,", "10,30,7,", 4, "LocationID"),  # nobody works in storage
    ("ProductModelRouting.csv", "4,,,1", "4,,,0", 4, "LotSize"),
    ("Location.csv", "96.00", "121.00", 5, "Availability"),
    ("ProductVendor.csv", "1,5,EA\n3,102", "6,5,EA\n3,102", 3, "MaxOrderQty"),
    ("ProductVendor.csv", "48.3300,20,100,GAL\n", "48.3300,20,100,GAL\n4,101,20,48.3300,1,5,EA\n", 6, "UnitMeasureCode"),
    ("PurchaseOrderHeader.csv", "2,1,100,", "2,5,100,", 3, "Status"),
    ("PurchaseOrderDetail.csv", "2025-08-12 00:00:00.000,550", "soon,550", 3, "DueDate"),
    ("PurchaseOrderDetail.csv", "550,3,468.00", "550.5,3,468.00", 3, "OrderQty"),
    ("ProductPhoto.csv", "cap.gif", "cap.png", 4, "LargePhotoFileName"),
    ("ProductPhoto.csv", "cap.gif", "../cap.gif", 4, "LargePhotoFileName"),
    ("Store.csv", "Next-Door", "Next\x00Door", 2, "Name"),
    ("Vendor.csv", "ActiveFlag", "Active", 1, "ActiveFlag"),
]


def count(db: Database) -> int:
    with db.read() as session:
        return sum(session.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in metadata.sorted_tables)


@pytest.mark.parametrize(("file", "old", "new", "line", "column"), BROKEN)
def test_a_broken_row_is_named(
    sqlite_db: Database, run: Import, folder: Path, media: Path, file: str, old: str, new: str, line: int, column: str | None
) -> None:
    replace(folder, file, old, new)
    with pytest.raises(BrokenFolder) as broken:
        run(sqlite_db)
    fault = broken.value.faults[0]
    assert (fault.file, fault.line, fault.column) == (file, line, column)
    assert str(broken.value).startswith(f"{file}, line {line}")
    assert count(sqlite_db) == 0
    assert not media.exists() or not list(media.iterdir())


def test_every_fault_of_a_file_is_told(sqlite_db: Database, run: Import, folder: Path) -> None:
    replace(folder, "Product.csv", "8.9900", "x")
    replace(folder, "Product.csv", "7.9950", "y")
    with pytest.raises(BrokenFolder) as broken:
        run(sqlite_db)
    assert str(broken.value) == (
        "Product.csv, line 6, column ListPrice: “x” is not a number\nProduct.csv, line 7, column ListPrice: “y” is not a number"
    )


@pytest.mark.parametrize("name", ["Product.csv", "Store.csv", "ProductModelRouting.csv"])
def test_a_missing_file_is_named(sqlite_db: Database, run: Import, folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(BrokenFolder, match=rf"^{name}: the file is missing"):
        run(sqlite_db)
    assert count(sqlite_db) == 0


def test_an_empty_file_and_a_wrong_encoding_are_named(sqlite_db: Database, run: Import, folder: Path) -> None:
    content = (folder / "Store.csv").read_bytes()
    (folder / "Store.csv").write_bytes(content.replace("Ż".encode(), b"\xaf"))
    with pytest.raises(BrokenFolder, match=r"^Store.csv, line 3: this line is not UTF-8"):
        run(sqlite_db)
    (folder / "Store.csv").write_bytes(b"")
    with pytest.raises(BrokenFolder, match=r"^Store.csv, line 1, column BusinessEntityID: the header line is missing"):
        run(sqlite_db)


def test_a_byte_order_mark_and_windows_line_ends_are_fine(sqlite_db: Database, run: Import, folder: Path) -> None:
    for path in folder.glob("*.csv"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert run(sqlite_db).total("added") == 60


def test_a_number_that_is_somebody_elses_is_refused(sqlite_db: Database, run: Import) -> None:
    def take(session: sa.orm.Session) -> None:
        session.add(t.Item(sku="FR-54", name="Another frame"))

    sqlite_db.run(take)
    with pytest.raises(BrokenFolder, match=r"^Product.csv, line 3, column ProductNumber"):
        run(sqlite_db)
    assert count(sqlite_db) == 1


def test_a_failure_while_writing_leaves_nothing(db: Database, run: Import, media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_more: object) -> None:
        raise RuntimeError("the power is gone")

    monkeypatch.setattr("backoffice.imports.adventureworks.supplying.write_companies", fail)
    with pytest.raises(RuntimeError):
        run(db)
    assert count(db) == 0
    assert list(media.iterdir()) == []


def test_the_command_ends_with_1_and_says_where(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from backoffice.cli import main

    url = f"sqlite:///{tmp_path}/command/shop.db"
    monkeypatch.setenv("SHOPFLOOR_DATABASE_URL", url)
    monkeypatch.setenv("SHOPFLOOR_VAR_DIR", str(tmp_path / "var"))
    good = CliRunner().invoke(main, ["import", "adventureworks", str(folder), "--sell-from-production", "LL Touring Frame"])
    assert good.exit_code == 0, good.output
    assert '"added": 60' in good.output.splitlines()[-1]
    replace(folder, "Product.csv", "8.9900", "x")
    bad = CliRunner().invoke(main, ["import", "adventureworks", str(folder)])
    assert bad.exit_code == 1
    assert "Product.csv, line 6, column ListPrice" in bad.output
    stuck = CliRunner().invoke(main, ["item", "sell-from", "FR-62", "production"])
    assert (stuck.exit_code, "FR-62" in stuck.output) == (1, True)
    back = CliRunner().invoke(main, ["item", "sell-from", "FR-54", "stock"])
    assert back.exit_code == 0, back.output
