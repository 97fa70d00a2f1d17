"""The rules of the data's README, as pure functions: what is current, for sale, open, and how long things take.

Quantities come out in an item's smallest unit: ounces for what is bought by the gallon, pieces for everything else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction

from flask_babel import gettext as _

from backoffice.imports.adventureworks.records import Inventory, Location, Operation, Product, PurchaseRow, Source
from backoffice.imports.csvfile import Row

NEWEST = date(2025, 8, 7)  # the newest inventory date: what the day of import stands for
OUNCES_PER_GALLON = 128
PAINT_STORAGE, PAINT = 4, 40  # the first has no hours: what is routed there is done at the second
SUBASSEMBLY, FINAL_ASSEMBLY = 50, 60
HOURS_PER_DAY_TO_MANUFACTURE = 8
OPEN_STATUS = {1, 2}
WORKING_DAYS = 5


@dataclass(frozen=True, slots=True)
class Step:
    """An operation of an item. Seconds; `run` for each `per` pieces, `setup` and `fixed` once an order."""

    position: int
    location_id: int
    setup: int = 0
    fixed: int = 0
    run: int = 0
    per: int = 1


@dataclass(slots=True)
class ForSale:
    """What lies in pure storage, in smallest units, and the bin of the place that holds most."""

    quantity: int = 0
    bin: str = ""
    places: dict[int, int] = field(default_factory=dict)


def is_current(product: Product) -> bool:
    """Tell whether a product is sold on the day of import."""
    ended = product.sell_end is not None and product.sell_end <= NEWEST
    return product.sellable and product.price_minor > 0 and product.discontinued is None and not ended


def parts_per_unit(source: Source) -> dict[int, int]:
    """Return 128 for each product bought by the gallon. Raises BrokenRow where it is also bought in another unit."""
    units: dict[int, set[str]] = defaultdict(set)
    for offered in source.vendor_items:
        units[offered.product_id].add(offered.unit)
        if "GAL" in units[offered.product_id] and len(units[offered.product_id]) > 1:
            raise offered.row.fault("UnitMeasureCode", _("one product cannot be bought both in GAL and by the piece"))
    return {product: OUNCES_PER_GALLON for product, codes in units.items() if codes == {"GAL"}}


def in_parts(row: Row, column: str, quantity: Decimal, parts: int) -> int:
    """Return a quantity in smallest units. Raises BrokenRow if it is not a whole number of them."""
    whole = quantity * parts
    if whole != int(whole):
        raise row.fault(column, _("%(text)s is not a whole number of the smallest unit", text=str(quantity)))
    return int(whole)


def current_bom(source: Source, parts: Mapping[int, int]) -> dict[tuple[int, int], Fraction]:
    """Return (assembly, component) → smallest units of the component in one smallest unit of the assembly.

    Superseded rows and top-level rows are no lines. A component that is listed twice is needed twice. Raises BrokenRow
    for a product that is, through its parts, a part of itself.
    """
    lines: dict[tuple[int, int], Fraction] = {}
    rows: dict[tuple[int, int], Row] = {}
    for row in source.bom:
        if row.ended or row.assembly_id is None:
            continue
        component_parts = parts.get(row.component_id, 1)
        by_ounce = row.unit == "OZ" and component_parts == OUNCES_PER_GALLON
        units = Fraction(row.quantity) * (1 if by_ounce else component_parts)
        key = (row.assembly_id, row.component_id)
        lines[key] = lines.get(key, Fraction(0)) + units / parts.get(row.assembly_id, 1)
        rows[key] = row.row
    _refuse_circle(rows)
    return lines


def _refuse_circle(rows: Mapping[tuple[int, int], Row]) -> None:
    components: dict[int, list[int]] = defaultdict(list)
    for assembly, component in rows:
        components[assembly].append(component)
    finished: set[int] = set()
    for top in list(components):
        above: list[int] = []
        waiting: list[tuple[int, bool]] = [(top, False)]
        while waiting:
            product, leaving = waiting.pop()
            if leaving:
                finished.add(above.pop())
                continue
            if product in finished:
                continue
            above.append(product)
            waiting.append((product, True))
            for component in components.get(product, ()):
                if component in above:
                    raise rows[product, component].fault("ComponentID", _("this product is a part of itself"))
                waiting.append((component, False))


def for_sale(source: Source, parts: Mapping[int, int]) -> dict[int, ForSale]:
    """Return what lies in places without hours, per product. What lies at a work centre is work in progress."""
    found: dict[int, ForSale] = defaultdict(ForSale)
    bins: dict[tuple[int, int], Inventory] = {}
    for row in source.inventory:
        if source.locations[row.location_id].hours > 0:
            continue
        product, place = row.product_id, row.location_id
        quantity = in_parts(row.row, "Quantity", row.quantity, parts.get(product, 1))
        stock = found[product]
        stock.quantity += quantity
        stock.places[place] = stock.places.get(place, 0) + quantity
        largest = bins.get((product, place))
        if largest is None or largest.quantity < row.quantity:
            bins[product, place] = row
    for product, stock in found.items():
        place = max(stock.places, key=lambda location: (stock.places[location], -location))
        stock.bin = f"{source.locations[place].name} {bins[product, place].bin}".strip()
    return dict(found)


def open_minutes(location: Location) -> int:
    """Return a work centre's minutes a day, Monday to Friday. Raises BrokenRow for more hours than those days have."""
    minutes = int(location.hours * 60 / WORKING_DAYS)
    if minutes > 24 * 60:
        raise location.row.fault("Availability", _("Monday to Friday have 120 hours"))
    if minutes < 1:
        raise location.row.fault("Availability", _("this is less than a minute a day"))
    return minutes


def routings(source: Source, made: Mapping[int, Product]) -> dict[int, list[Step]]:
    """Return the operations of each product in `made`. Raises BrokenRow for an operation where nobody works."""
    by_model: dict[int, list[Step]] = defaultdict(list)
    for row in sorted(source.operations, key=lambda operation: operation.sequence):
        by_model[row.model_id].append(_step(row, source.locations))
    return {
        product.id: by_model.get(product.model_id or -1) or [_untimed(product, source.locations)] for product in made.values()
    }


def _step(row: Operation, locations: Mapping[int, Location]) -> Step:
    place = row.location_id
    if place == PAINT_STORAGE and locations[place].hours == 0:
        place = PAINT
    if place not in locations or locations[place].hours == 0:
        raise row.row.fault("LocationID", _("nobody works at location %(number)s", number=row.location_id))
    longest = max(row.labour, row.machine)
    return Step(row.sequence, place, setup=_seconds(row.setup), run=_seconds(longest), per=row.lot)


def _untimed(product: Product, locations: Mapping[int, Location]) -> Step:
    place = FINAL_ASSEMBLY if product.sellable else SUBASSEMBLY
    if place not in locations or locations[place].hours == 0:
        raise product.row.fault("MakeFlag", _("nobody works at location %(number)s", number=place))
    return Step(10, place, fixed=product.days * HOURS_PER_DAY_TO_MANUFACTURE * 3600 or 60)


def _seconds(hours: Decimal) -> int:
    """Return hours as whole seconds, rounded up: a promise may be early by less than a second, never late."""
    return int((hours * 3600).to_integral_value(ROUND_CEILING))


def open_receipts(source: Source) -> list[PurchaseRow]:
    """Return the purchase order lines of which something is still to come."""
    return [
        row for row in source.purchase_rows if source.purchases[row.order_id].status in OPEN_STATUS and row.ordered > row.received
    ]
