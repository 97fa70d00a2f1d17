"""The folder as it is: one value per row, checked against the other files, nothing decided yet."""

from __future__ import annotations

from collections.abc import Callable, Container
from decimal import Decimal
from pathlib import Path

from flask_babel import gettext as _

from backoffice.imports.adventureworks.records import (
    BomRow,
    Inventory,
    Location,
    Operation,
    Photo,
    Product,
    PurchaseHeader,
    PurchaseRow,
    Source,
    Store,
    Vendor,
    VendorItem,
)
from backoffice.imports.csvfile import Row, read, read_by_id

LANGUAGES = {"zh-cht": "zh-Hant"}  # the rest of the source's culture ids are BCP 47 as they are
PLACEHOLDER = "no_image_available"
_STORE_FACTS = {
    "Speciality": "Specialty",
    "Business type": "BusinessType",
    "Opened": "YearOpened",
    "Employees": "NumberEmployees",
    "Annual sales": "AnnualSales",
}


def read_source(folder: Path, on_file: Callable[[str], None] = lambda _name: None) -> Source:
    """Return the folder's rows. Raises BrokenFolder with the faults of the first file that has any.

    on_file: called with each file's name before it is read.
    """

    def path(name: str) -> Path:
        on_file(name)
        return folder / name

    categories = read_by_id(path("ProductCategory.csv"), "ProductCategoryID", ["Name"], _name)
    subcategories = read_by_id(
        path("ProductSubcategory.csv"),
        "ProductSubcategoryID",
        ["ProductCategoryID", "Name"],
        lambda row: (row.known("ProductCategoryID", categories, "ProductCategory.csv"), row.required("Name")),
    )
    models = read_by_id(path("ProductModel.csv"), "ProductModelID", ["Name"], _name)
    products = _products(path("Product.csv"), subcategories, models)
    texts = _texts(path, models)
    locations = read_by_id(
        path("Location.csv"),
        "LocationID",
        ["Name", "Availability"],
        lambda row: Location(row, row.required("Name"), row.number("Availability")),
    )
    vendors = read_by_id(
        path("Vendor.csv"),
        "BusinessEntityID",
        ["AccountNumber", "Name", "ActiveFlag"],
        lambda row: Vendor(row.required("AccountNumber"), row.required("Name"), row.flag("ActiveFlag")),
    )
    purchases = _purchases(path("PurchaseOrderHeader.csv"), vendors)
    photos = _photos(path("ProductPhoto.csv"), folder / "photos")
    return Source(
        categories=categories,
        subcategories=subcategories,
        models=models,
        products=products,
        texts=texts,
        bom=_bom(path("BillOfMaterials.csv"), products),
        locations=locations,
        inventory=_inventory(path("ProductInventory.csv"), products, locations),
        operations=_operations(path("ProductModelRouting.csv"), models, locations),
        vendors=vendors,
        vendor_items=_vendor_items(path("ProductVendor.csv"), products, vendors),
        purchases=purchases,
        purchase_rows=_purchase_rows(path("PurchaseOrderDetail.csv"), purchases, products),
        photos=photos,
        shown_by=_shown_by(path("ProductProductPhoto.csv"), products, photos),
        stores=read_by_id(path("Store.csv"), "BusinessEntityID", ["Name", *_STORE_FACTS.values()], _store),
    )


def _name(row: Row) -> str:
    return row.required("Name")


def _store(row: Row) -> Store:
    facts = {name: row.text(column) for name, column in _STORE_FACTS.items() if row.text(column)}
    return Store(row.required("Name"), facts)


def _products(path: Path, subcategories: Container[int], models: Container[int]) -> dict[int, Product]:
    skus: set[str] = set()

    def parse(row: Row) -> Product:
        sku = row.required("ProductNumber")
        if sku in skus:
            raise row.fault("ProductNumber", _("%(number)s comes twice", number=sku))
        skus.add(sku)
        weight = f"{row.number('Weight').normalize():f}" if row.text("Weight") else ""
        return Product(
            row=row,
            id=row.integer("ProductID"),
            name=row.required("Name"),
            sku=sku,
            made=row.flag("MakeFlag"),
            sellable=row.flag("FinishedGoodsFlag"),
            colour=row.text("Color"),
            size=row.text("Size"),
            price_minor=row.minor("ListPrice"),
            weight=f"{weight} {row.text('WeightUnitMeasureCode').lower()}" if weight else "",
            days=row.integer("DaysToManufacture"),
            subcategory_id=row.find_known("ProductSubcategoryID", subcategories, "ProductSubcategory.csv"),
            model_id=row.find_known("ProductModelID", models, "ProductModel.csv"),
            sell_end=row.find_day("SellEndDate"),
            discontinued=row.find_day("DiscontinuedDate"),
        )

    columns = "Name ProductNumber MakeFlag FinishedGoodsFlag Color Size ListPrice Weight WeightUnitMeasureCode"
    more = "DaysToManufacture ProductSubcategoryID ProductModelID SellEndDate DiscontinuedDate"
    return read_by_id(path, "ProductID", f"{columns} {more}".split(), parse)


def _texts(path: Callable[[str], Path], models: Container[int]) -> list[tuple[int, str, str]]:
    descriptions = read_by_id(
        path("ProductDescription.csv"),
        "ProductDescriptionID",
        ["Description"],
        lambda row: row.required("Description"),
    )
    cultures = set(read(path("Culture.csv"), ["CultureID"], lambda row: row.text("CultureID")))
    seen: set[tuple[int, str]] = set()

    def parse(row: Row) -> tuple[int, str, str]:
        model = row.known("ProductModelID", models, "ProductModel.csv")
        culture = row.required("CultureID")
        if culture not in cultures:
            raise row.fault("CultureID", _("there is no %(number)s in %(file)s", number=culture, file="Culture.csv"))
        if (model, culture) in seen:
            raise row.fault("CultureID", _("this model has two descriptions in one language"))
        seen.add((model, culture))
        text = row.known("ProductDescriptionID", descriptions, "ProductDescription.csv")
        return model, LANGUAGES.get(culture, culture), descriptions[text]

    columns = ["ProductModelID", "ProductDescriptionID", "CultureID"]
    return read(path("ProductModelProductDescriptionCulture.csv"), columns, parse)


def _bom(path: Path, products: Container[int]) -> list[BomRow]:
    def parse(row: Row) -> BomRow:
        assembly = row.find_known("ProductAssemblyID", products, "Product.csv")
        component = row.known("ComponentID", products, "Product.csv")
        if assembly == component:
            raise row.fault("ComponentID", _("a product cannot be a part of itself"))
        quantity = row.number("PerAssemblyQty")
        if not quantity:
            raise row.fault("PerAssemblyQty", _("this must be more than 0"))
        ended = row.find_day("EndDate") is not None
        return BomRow(row, assembly, component, ended, row.required("UnitMeasureCode"), quantity)

    return read(path, ["ProductAssemblyID", "ComponentID", "EndDate", "UnitMeasureCode", "PerAssemblyQty"], parse)


def _inventory(path: Path, products: Container[int], locations: Container[int]) -> list[Inventory]:
    def parse(row: Row) -> Inventory:
        product = row.known("ProductID", products, "Product.csv")
        location = row.known("LocationID", locations, "Location.csv")
        shelf, number = row.text("Shelf"), row.text("Bin")
        place = "" if shelf in {"", "N/A"} else f"{shelf}-{number}"
        return Inventory(row, product, location, place, row.number("Quantity"))

    return read(path, ["ProductID", "LocationID", "Shelf", "Bin", "Quantity"], parse)


def _operations(path: Path, models: Container[int], locations: Container[int]) -> list[Operation]:
    seen: set[tuple[int, int]] = set()

    def hours(row: Row, column: str) -> Decimal:
        return row.number(column) if row.text(column) else Decimal(0)

    def parse(row: Row) -> Operation:
        model, sequence = row.known("ProductModelID", models, "ProductModel.csv"), row.integer("OperationSequence")
        if (model, sequence) in seen:
            raise row.fault("OperationSequence", _("%(number)s comes twice", number=sequence))
        seen.add((model, sequence))
        location = row.known("LocationID", locations, "Location.csv")
        labour, setup, machine = (hours(row, name) for name in ("LaborHours", "SetupHours", "MachineHours"))
        return Operation(row, model, sequence, location, labour, setup, machine, row.integer("LotSize", least=1))

    columns = "ProductModelID OperationSequence LocationID LaborHours SetupHours MachineHours LotSize"
    return read(path, columns.split(), parse)


def _vendor_items(path: Path, products: Container[int], vendors: Container[int]) -> list[VendorItem]:
    seen: set[tuple[int, int]] = set()

    def parse(row: Row) -> VendorItem:
        product = row.known("ProductID", products, "Product.csv")
        vendor = row.known("BusinessEntityID", vendors, "Vendor.csv")
        if (product, vendor) in seen:
            raise row.fault("BusinessEntityID", _("this vendor already has a row for this product"))
        seen.add((product, vendor))
        least, most = row.number("MinOrderQty"), row.number("MaxOrderQty", least=1)
        if least > most:
            raise row.fault("MaxOrderQty", _("this is less than MinOrderQty"))
        lead, price = row.integer("AverageLeadTime"), row.minor("StandardPrice")
        return VendorItem(row, product, vendor, lead, price, least, most, row.required("UnitMeasureCode"))

    columns = "ProductID BusinessEntityID AverageLeadTime StandardPrice MinOrderQty MaxOrderQty UnitMeasureCode"
    return read(path, columns.split(), parse)


def _purchases(path: Path, vendors: Container[int]) -> dict[int, PurchaseHeader]:
    def parse(row: Row) -> PurchaseHeader:
        status = row.integer("Status", least=1)
        if status > 4:
            raise row.fault("Status", _("%(text)s is not a status from 1 to 4", text=status))
        vendor = row.known("VendorID", vendors, "Vendor.csv")
        return PurchaseHeader(status, vendor, row.day("OrderDate"))

    return read_by_id(path, "PurchaseOrderID", ["Status", "VendorID", "OrderDate"], parse)


def _purchase_rows(path: Path, purchases: Container[int], products: Container[int]) -> list[PurchaseRow]:
    columns = ["PurchaseOrderID", "ProductID", "DueDate", "OrderQty", "ReceivedQty"]

    def parse(row: Row) -> PurchaseRow:
        return PurchaseRow(
            row,
            row.known("PurchaseOrderID", purchases, "PurchaseOrderHeader.csv"),
            row.integer("PurchaseOrderDetailID"),
            row.known("ProductID", products, "Product.csv"),
            row.day("DueDate"),
            row.number("OrderQty"),
            row.number("ReceivedQty"),
        )

    return list(read_by_id(path, "PurchaseOrderDetailID", columns, parse).values())


def _photos(path: Path, folder: Path) -> dict[int, Photo]:
    def parse(row: Row) -> Photo:
        name = row.required("LargePhotoFileName")
        if name != Path(name).name or name.startswith("."):
            raise row.fault("LargePhotoFileName", _("this is not the name of a file in photos/"))
        if not (folder / name).is_file():
            raise row.fault("LargePhotoFileName", _("photos/%(name)s is missing", name=name))
        return Photo(None if name.startswith(PLACEHOLDER) else folder / name)

    return read_by_id(path, "ProductPhotoID", ["LargePhotoFileName"], parse)


def _shown_by(path: Path, products: Container[int], photos: Container[int]) -> dict[int, int]:
    def parse(row: Row) -> tuple[int, int, bool]:
        product = row.known("ProductID", products, "Product.csv")
        return product, row.known("ProductPhotoID", photos, "ProductPhoto.csv"), row.flag("Primary")

    shown: dict[int, int] = {}
    for product, photo, primary in read(path, ["ProductID", "ProductPhotoID", "Primary"], parse):
        if primary or product not in shown:
            shown[product] = photo
    return shown
