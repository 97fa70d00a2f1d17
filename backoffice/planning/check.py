"""Find what is wrong with a factory's data before a plan is built on it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence

from backoffice.planning.calendars import Calendar
from backoffice.planning.model import BomLine, Factory, Item, Operation, WorkCentre, lots_for


def check(factory: Factory) -> list[str]:
    """Return the faults of `factory`, one line each, in a stable order; an empty list means it can be planned on."""
    faults: list[str] = []
    for key, calendar in factory.calendars.items():
        faults += _calendar_faults(key, calendar)
    for item in factory.item_by.values():
        faults += _item_faults(item, factory.calendars)
    for parent, lines in factory.boms.items():
        faults += _bom_faults(parent, lines, factory.item_by)
    for key, operations in factory.routings.items():
        faults += _routing_faults(key, operations, factory)
    for centre in factory.centre_by.values():
        faults += _centre_faults(centre, factory.calendars)
    for stop in factory.stops:
        if stop.work_centre not in factory.centre_by:
            faults.append(f"stop: unknown work centre {stop.work_centre}")
        if stop.ends_at < stop.starts_at:
            faults.append(f"stop of {stop.work_centre}: ends before it starts")
    return faults + [f"bom: cycle {' > '.join(map(str, path))}" for path in cycles(factory.boms)]


def _calendar_faults(key: Hashable, calendar: Calendar) -> Iterator[str]:
    days = [*calendar.weekly.items(), *calendar.exceptions.items()]
    for day, intervals in days:
        for start, end in intervals:
            if not 0 <= start < end <= 1440:
                yield f"calendar {key}: bad interval {start}-{end} on {day}"
    for weekday in calendar.weekly:
        if weekday not in range(7):
            yield f"calendar {key}: bad weekday {weekday}"


def _item_faults(item: Item, calendars: Mapping[Hashable, Calendar]) -> Iterator[str]:
    if item.source not in ("make", "buy", "kit", "phantom", "none"):
        yield f"item {item.key}: unknown source {item.source}"
    if item.safety_stock < 0:
        yield f"item {item.key}: safety_stock is negative"
    for offer in item.offers:
        place = f"item {item.key}" if offer is item else f"item {item.key}, supplier {offer.key}"
        if offer.lead_calendar is not None and offer.lead_calendar not in calendars:
            yield f"{place}: unknown calendar {offer.lead_calendar}"
        numbers = {"lead_days": offer.lead_days, "minimum": offer.minimum, "multiple": offer.multiple}
        negative = [name for name, number in numbers.items() if number < 0]
        yield from (f"{place}: {name} is negative" for name in negative)
        if not negative and lots_for(1, offer) is None:
            yield f"{place}: no lot fits its minimum, multiple and maximum"


def _bom_faults(parent: Hashable, lines: Sequence[BomLine], items: Mapping[Hashable, Item]) -> Iterator[str]:
    if parent not in items:
        yield f"bom: unknown item {parent}"
    for line in lines:
        for part in (line.item, *line.alternates):
            if part not in items:
                yield f"bom of {parent}: unknown item {part}"
        if line.quantity < 0:
            yield f"bom of {parent}: quantity of {line.item} is negative"
        if not 0 <= line.scrap < 1:
            yield f"bom of {parent}: scrap of {line.item} is not in 0 <= scrap < 1"


def _routing_faults(key: Hashable, operations: Sequence[Operation], factory: Factory) -> Iterator[str]:
    if key not in factory.item_by:
        yield f"routing: unknown item {key}"
    for number, operation in enumerate(operations, start=1):
        for centre in (operation.work_centre, *operation.alternates):
            if centre not in factory.centre_by:
                yield f"routing of {key}: unknown work centre {centre} in operation {number}"
        if min(operation.setup_minutes, operation.minutes_per_unit, operation.fixed_minutes) < 0:
            yield f"routing of {key}: minutes of operation {number} are negative"


def _centre_faults(centre: WorkCentre, calendars: Mapping[Hashable, Calendar]) -> Iterator[str]:
    if centre.calendar not in calendars:
        yield f"work centre {centre.key}: unknown calendar {centre.calendar}"
    if centre.lanes is not None and centre.lanes < 1:
        yield f"work centre {centre.key}: needs at least one lane"
    if centre.efficiency <= 0:
        yield f"work centre {centre.key}: efficiency must be above 0"


def cycles(boms: Mapping[Hashable, Sequence[BomLine]]) -> list[list[Hashable]]:
    """Return a path for every cycle a depth-first walk meets, from an item back to itself."""
    cycles: list[list[Hashable]] = []
    done: set[Hashable] = set()
    for root in boms:
        if root not in done:
            _walk(root, boms, done, cycles)
    return cycles


def _walk(root: Hashable, boms: Mapping[Hashable, Sequence[BomLine]], done: set[Hashable], cycles: list[list[Hashable]]) -> None:
    """Walk the bills below `root` without recursion, as deep as they may be; add to `done` and `cycles`."""
    path: dict[Hashable, Iterator[Hashable]] = {root: _parts(root, boms)}  # insertion order is the way down
    while path:
        key, parts = next(reversed(path.items()))
        part = next(parts, _END)
        if part is _END:
            del path[key]
            done.add(key)
        elif part in path:
            way = list(path)
            cycles.append([*way[way.index(part) :], part])
        elif part not in done:
            path[part] = _parts(part, boms)


_END = object()


def _parts(key: Hashable, boms: Mapping[Hashable, Sequence[BomLine]]) -> Iterator[Hashable]:
    return (part for line in boms.get(key, ()) for part in (line.item, *line.alternates))
