"""What a row of each file says, as values. Nothing is decided here yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from backoffice.imports.csvfile import Row


@dataclass(frozen=True, slots=True)
class Product:
    """A row of Product.csv. days: to manufacture. made: in house; sellable: a finished good."""

    row: Row
    id: int
    name: str
    sku: str
    made: bool
    sellable: bool
    colour: str
    size: str
    price_minor: int
    weight: str
    days: int
    subcategory_id: int | None
    model_id: int | None
    sell_end: date | None
    discontinued: date | None


@dataclass(frozen=True, slots=True)
class BomRow:
    """A row of BillOfMaterials.csv. assembly_id: None = top level; ended: superseded."""

    row: Row
    assembly_id: int | None
    component_id: int
    ended: bool
    unit: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Location:
    """A stock place or a work centre. hours: open a week; 0 = storage only."""

    row: Row
    name: str
    hours: Decimal


@dataclass(frozen=True, slots=True)
class Inventory:
    """How much of a product lies in one bin of a location."""

    row: Row
    product_id: int
    location_id: int
    bin: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Operation:
    """A routing row of a model. Hours are for a lot of `lot` pieces, setup hours for an order."""

    row: Row
    model_id: int
    sequence: int
    location_id: int
    labour: Decimal
    setup: Decimal
    machine: Decimal
    lot: int


@dataclass(frozen=True, slots=True)
class Vendor:
    """A supplier."""

    account: str
    name: str
    active: bool


@dataclass(frozen=True, slots=True)
class VendorItem:
    """What a vendor sells us. lead: days; quantities in the purchase unit."""

    row: Row
    product_id: int
    vendor_id: int
    lead: int
    price_minor: int
    least: Decimal
    most: Decimal
    unit: str


@dataclass(frozen=True, slots=True)
class PurchaseHeader:
    """A purchase order. status: 1 pending, 2 approved, 3 rejected, 4 complete."""

    status: int
    vendor_id: int
    ordered_on: date


@dataclass(frozen=True, slots=True)
class PurchaseRow:
    """A line of a purchase order, quantities in the purchase unit."""

    row: Row
    order_id: int
    id: int
    product_id: int
    due_on: date
    ordered: Decimal
    received: Decimal


@dataclass(frozen=True, slots=True)
class Store:
    """A business customer."""

    name: str
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture file below photos/; path: None for the source's own "no image" placeholder."""

    path: Path | None


@dataclass(frozen=True, slots=True)
class Source:
    """All that is read of the folder."""

    categories: Mapping[int, str]
    subcategories: Mapping[int, tuple[int, str]]  # id → (category, name)
    models: Mapping[int, str]
    products: Mapping[int, Product]
    texts: Sequence[tuple[int, str, str]]  # (model, BCP 47 language, description)
    bom: Sequence[BomRow]
    locations: Mapping[int, Location]
    inventory: Sequence[Inventory]
    operations: Sequence[Operation]
    vendors: Mapping[int, Vendor]
    vendor_items: Sequence[VendorItem]
    purchases: Mapping[int, PurchaseHeader]
    purchase_rows: Sequence[PurchaseRow]
    photos: Mapping[int, Photo]
    shown_by: Mapping[int, int]  # product → primary photo
    stores: Mapping[int, Store]
