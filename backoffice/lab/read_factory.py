"""Read the factory of a model: calendars, items, bills of material, routings, work centres."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Literal, TypeVar, cast
from zoneinfo import ZoneInfo

from backoffice.erp.public_holidays import holiday_names
from backoffice.lab.document import Fields, Node, day_of
from backoffice.planning.calendars import Calendar
from backoffice.planning.check import cycles
from backoffice.planning.model import BomLine, Factory, Item, Operation, Supplier, WorkCentre, lots_for

MOST_LANES = 10_000
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Intervals = Sequence[tuple[int, int]]
Source = Literal["make", "buy", "kit", "phantom", "none"]
T = TypeVar("T")


def read_calendars(top: Fields, zone: ZoneInfo, now: datetime) -> dict[str, Calendar]:
    """Return the calendars by name, their holidays as dates of the years around `now`."""
    entries = top.get("calendars", Node.entries, {})
    return {name: _read_calendar(node, zone, now.year) for name, node in entries.items()}


def read_factory(top: Fields, calendars: Mapping[str, Calendar], zone: ZoneInfo) -> Factory:
    """Return the factory with all its names looked up."""
    items = {name: _read_item(name, node, calendars) for name, node in top.get("items", Node.entries, {}).items()}
    centres = {
        name: _read_centre(name, node, calendars, zone) for name, node in top.get("work_centres", Node.entries, {}).items()
    }
    boms = _read_lists(top, "boms", items, partial(_read_bom_line, items=items))
    routings = _read_lists(top, "routings", items, partial(_read_operation, centres=centres))
    factory = Factory(calendars, items, boms, routings, centres, whole=False, timezone=zone.key)
    _check_whole(top, factory)
    return factory


def _check_whole(top: Fields, factory: Factory) -> None:
    """Add the faults that no single entry shows: cycles, and what is to be made from nothing by nobody."""
    faults = top.node.faults
    for path in cycles(factory.boms):
        faults.append(f"boms: cycle {' > '.join(map(str, path))}")
    for item in factory.item_by.values():
        if item.source in ("kit", "phantom") and not factory.boms.get(item.key):
            faults.append(f"items.{item.key}: a {item.source} needs a bill of material in boms")
        if item.source == "make" and not factory.boms.get(item.key) and not factory.routings.get(item.key):
            faults.append(f"items.{item.key}: is made, but has neither bill of material nor routing")


def _read_lists(top: Fields, name: str, items: Mapping[str, Item], read: Callable[[Node], T]) -> dict[str, list[T]]:
    """Return lists by item."""
    found = {}
    for key, node in top.get(name, Node.entries, {}).items():
        if key not in items:
            node.fault(f"unknown item {key!r}")
        found[key] = [read(element) for element in node.elements()]
    return found


def _read_calendar(node: Node, zone: ZoneInfo, year: int) -> Calendar:
    of = node.fields("timezone", "weekly", "holidays", "exceptions")
    zone = of.maybe("timezone", Node.zone, zone)
    week = of.get("weekly", lambda n: n.fields(*WEEKDAYS).there, {})
    weekly = {WEEKDAYS.index(day): _read_intervals(intervals) for day, intervals in week.items()}
    closed: dict[date, Intervals] = dict.fromkeys(of.maybe("holidays", partial(_read_holidays, year=year), ()), ())
    for text, intervals in of.get("exceptions", Node.entries, {}).items():
        day = day_of(text)
        if day is None:
            intervals.fault("is not a date (2026-12-24)")
        else:
            closed[day] = _read_intervals(intervals)
    return Calendar(zone.key, weekly, closed)


def _read_intervals(node: Node) -> list[tuple[int, int]]:
    found = []
    for pair in node.elements():
        ends = pair.elements()
        if isinstance(pair.value, list) and len(ends) != 2:
            pair.fault("must be a start and an end")
        if len(ends) == 2:
            start, end = ends[0].minute(), ends[1].minute()
            if 0 <= end <= start:
                pair.fault("must end after it starts; a night shift is two entries")
            found.append((start, end))
    return found


def _read_holidays(node: Node, year: int) -> tuple[date, ...]:
    region = node.text()
    if not region:
        return ()
    try:
        if not re.fullmatch(r"[A-Z]{2}(-[\w -]+)?", region):
            raise ValueError(region)
        return tuple(holiday_names(region, year - 1, year + 4))
    except ValueError:
        node.fault(f"unknown holiday region {region!r}")
        return ()


def _read_item(name: str, node: Node, calendars: Container[str]) -> Item:
    of = node.fields("source", "lead_days", "calendar", "minimum", "multiple", "maximum", "safety_stock", "suppliers")
    source = of.need("source", lambda n: n.choice("make", "buy", "kit", "phantom", "none"), "none")
    lead_days = (of.need if source == "buy" else of.get)("lead_days", Node.whole, 0)
    item = Item(
        name,
        cast(Source, source),
        lead_days,
        of.maybe("calendar", lambda n: _known(n, calendars, "calendar"), None),
        of.get("minimum", Node.number, 0),
        of.get("multiple", Node.number, 1),
        of.maybe("maximum", lambda n: n.number(above=True), None),
        of.get("safety_stock", Node.number, 0),
        of.get("suppliers", lambda n: [_read_supplier(element, calendars) for element in n.elements()], ()),
    )
    if not item.through and lots_for(1, item) is None:
        node.fault("no lot fits its minimum, multiple and maximum")
    return item


def _read_supplier(node: Node, calendars: Container[str]) -> Supplier:
    of = node.fields("id", "lead_days", "calendar", "minimum", "multiple", "maximum")
    supplier = Supplier(
        of.need("id", Node.text, ""),
        of.need("lead_days", Node.whole, 0),
        of.maybe("calendar", lambda n: _known(n, calendars, "calendar"), None),
        of.get("minimum", Node.number, 0),
        of.get("multiple", Node.number, 1),
        of.maybe("maximum", lambda n: n.number(above=True), None),
    )
    if lots_for(1, supplier) is None:
        node.fault("no lot fits its minimum, multiple and maximum")
    return supplier


def _known(node: Node, names: Container[str], what: str) -> str:
    name = node.text()
    if name and name not in names:
        node.fault(f"unknown {what} {name!r}")
    return name


def _read_bom_line(node: Node, items: Container[str]) -> BomLine:
    of = node.fields("item", "quantity", "scrap", "alternates")
    item = of.need("item", lambda n: _known(n, items, "item"), "")
    others = of.get("alternates", lambda n: [_known(element, items, "item") for element in n.elements()], ())
    quantity = of.need("quantity", Node.number, 0)
    return BomLine(item, quantity, of.get("scrap", lambda n: n.number(below=1), 0), tuple(others))


def _read_operation(node: Node, centres: Container[str]) -> Operation:
    of = node.fields("work_centre", "setup_minutes", "minutes_per_unit", "fixed_minutes", "alternates")
    centre = of.need("work_centre", lambda n: _known(n, centres, "work centre"), "")
    others = of.get("alternates", lambda n: [_known(element, centres, "work centre") for element in n.elements()], ())
    setup, each, fixed = (of.get(name, Node.number, 0) for name in ("setup_minutes", "minutes_per_unit", "fixed_minutes"))
    return Operation(centre, setup, each, fixed, tuple(others))


def _read_centre(name: str, node: Node, calendars: Container[str], zone: ZoneInfo) -> WorkCentre:
    of = node.fields("calendar", "lanes", "efficiency", "frozen_until")
    return WorkCentre(
        name,
        of.need("calendar", lambda n: _known(n, calendars, "calendar"), ""),
        of.maybe("lanes", lambda n: n.whole(least=1, most=MOST_LANES), None if "lanes" in of.there else 1),
        of.get("efficiency", lambda n: n.number(above=True), 1),
        of.maybe("frozen_until", lambda n: n.instant(zone), None),
        name,
    )
