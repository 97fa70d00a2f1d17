"""Small factories for the tests of the promise engine, and an independent judge of its answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from math import ceil
from zoneinfo import ZoneInfo

from backoffice.planning import (
    BomLine,
    Booking,
    Calendar,
    Factory,
    Item,
    Operation,
    Outcome,
    Plan,
    Stop,
    Supply,
    WorkCentre,
)

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)


def berlin(text: str) -> datetime:
    """Return the instant at which clocks in Berlin show "YYYY-MM-DD HH:MM"."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


NOW = berlin("2026-11-24 09:00")  # a Tuesday
EARLY = {day: [(360, 840)] for day in range(5)}  # Monday to Friday, 06:00 to 14:00
PLANT = Calendar("Europe/Berlin", EARLY)


def factory(
    *items: Item,
    boms: dict[Hashable, Sequence[BomLine]] | None = None,
    routings: dict[Hashable, Sequence[Operation]] | None = None,
    centres: Iterable[WorkCentre] = (),
    stops: Sequence[Stop] = (),
    calendars: dict[Hashable, Calendar] | None = None,
    whole: bool = True,
) -> Factory:
    """Return a factory in Berlin; the calendar "plant" is open Monday to Friday, 06:00 to 14:00."""
    return Factory(
        {"plant": PLANT, **(calendars or {})},
        items,
        boms or {},
        routings or {},
        list(centres),
        stops,
        whole,
        "Europe/Berlin",
    )


def stock(item: Hashable, quantity: int, key: Hashable = "stock") -> Supply:
    return Supply(key, item, quantity, NOW, "stock")


def receipt(item: Hashable, quantity: int, at: str, key: Hashable = "PO") -> Supply:
    return Supply(key, item, quantity, berlin(at), "receipt")


def plan(model: Factory, *supplies: Supply, bookings: Iterable[Booking] = (), now: datetime = NOW) -> Plan:
    return Plan(model, now, supplies, bookings)


def summary(outcome: Outcome) -> list[tuple[Hashable, int | Fraction, str, Hashable]]:
    """Return the pegs as (item, quantity, kind, supply)."""
    return [(peg.item, peg.quantity, peg.kind, peg.supply) for peg in outcome.pegs]


def open_time(model: Factory, work_centre: Hashable, start: datetime, end: datetime) -> timedelta:
    """Return how long a work centre is open within [start, end), straight from calendar and stops."""
    calendar = model.calendars[model.centre_by[work_centre].calendar]
    total = timedelta()
    for low, high in calendar.open_intervals(start, end):
        pieces = [(low, high)]
        for stop in model.stops:
            if stop.work_centre == work_centre:
                pieces = [
                    part
                    for a, b in pieces
                    for part in ((a, min(b, stop.starts_at)), (max(a, stop.ends_at), b))
                    if part[0] < part[1]
                ]
        total += sum((b - a for a, b in pieces), timedelta())
    return total


def judge(
    model: Factory, now: datetime, supplies: Sequence[Supply], bookings: Sequence[Booking], outcomes: Sequence[Outcome]
) -> None:
    """Assert that answers committed one after another are feasible together; knows nothing of how they were found."""
    drawn: dict[Hashable, Fraction | int] = defaultdict(int)
    busy: dict[tuple[Hashable, int], list[tuple[datetime, datetime]]] = defaultdict(list)
    for booking in bookings:
        busy[booking.work_centre, booking.lane].append((max(booking.starts_at, now), booking.ends_at))
    for outcome in outcomes:
        if outcome.ready_at is None:
            assert (outcome.basis, outcome.pegs, outcome.makes, outcome.chain) == ("none", (), (), ())
            assert outcome.reason
            continue
        _judge_chain(outcome, now)
        _judge_pegs(model, outcome)
        _judge_slots(model, now, outcome)
        for peg in outcome.pegs:
            if peg.kind in ("stock", "receipt"):
                drawn[peg.supply] += peg.quantity
        for make in outcome.makes:
            for slot in make.slots:
                if slot.starts_at < slot.ends_at and model.centre_by[slot.work_centre].lanes is not None:
                    busy[slot.work_centre, slot.lane].append((slot.starts_at, slot.ends_at))
    for supply in supplies:
        assert drawn[supply.key] <= supply.quantity
        if supply.kind == "receipt" and supply.available_at < now:
            assert drawn[supply.key] == 0
    for (work_centre, lane), stretches in busy.items():
        assert lane < (model.centre_by[work_centre].lanes or 1)
        stretches.sort()
        for (_, end), (start, until) in pairwise(stretches):
            # A booking may lie in time closed since it was made; there it takes no working time from anybody.
            shared = min(end, until)
            assert start >= shared or not open_time(model, work_centre, start, shared), f"overlap on {work_centre}"


def _judge_chain(outcome: Outcome, now: datetime) -> None:
    assert outcome.chain
    assert outcome.chain[0].starts_at == now
    assert outcome.chain[-1].ends_at == outcome.ready_at
    for before, after in pairwise(outcome.chain):
        assert before.ends_at == after.starts_at
    assert all(link.starts_at <= link.ends_at for link in outcome.chain)


def _judge_pegs(model: Factory, outcome: Outcome) -> None:
    pegged: dict[tuple[int | None, Hashable], Fraction | int] = defaultdict(int)
    given: dict[Hashable, Fraction | int] = defaultdict(int)
    for peg in outcome.pegs:
        assert peg.quantity > 0
        pegged[peg.demand, peg.item] += peg.quantity
        deadline = outcome.ready_at if peg.demand is None else outcome.makes[peg.demand].starts_at
        assert peg.available_at <= deadline
        if peg.kind == "make":
            given[peg.supply] += peg.quantity
            assert outcome.makes[peg.supply].item == peg.item
            assert outcome.makes[peg.supply].ready_at == peg.available_at
    wanted: dict[tuple[int | None, Hashable], Fraction | int] = defaultdict(int)
    wanted[None, outcome.item] = outcome.quantity
    for number, make in enumerate(outcome.makes):
        assert given[number] <= make.quantity
        assert make.demand is None or make.demand < number
        for line in model.boms.get(make.item, ()):
            exact = Fraction(line.quantity) * make.quantity / (1 - Fraction(line.scrap))
            wanted[number, line.item] += ceil(exact) if model.whole else exact
    assert pegged == {key: quantity for key, quantity in wanted.items() if quantity > 0}
    kinds = {peg.kind for peg in outcome.pegs if peg.demand is None}
    assert outcome.basis == (kinds.pop() if len(kinds) == 1 else "mixed")
    assert outcome.ready_at == max(peg.available_at for peg in outcome.pegs if peg.demand is None)


def _judge_slots(model: Factory, now: datetime, outcome: Outcome) -> None:
    for make in outcome.makes:
        operations = model.routings.get(make.item, ())
        assert [slot.position for slot in make.slots] == list(range(len(operations)))
        clock = now
        for slot, operation in zip(make.slots, operations, strict=True):
            centre = model.centre_by[slot.work_centre]
            assert slot.work_centre == operation.work_centre
            assert clock <= slot.starts_at <= slot.ends_at
            assert centre.frozen_until is None or slot.starts_at >= centre.frozen_until
            minutes = operation.setup_minutes + operation.fixed_minutes + operation.minutes_per_unit * make.quantity
            needed = Fraction(minutes) * 60_000_000 / Fraction(centre.efficiency)
            worked = open_time(model, slot.work_centre, slot.starts_at, slot.ends_at)
            assert worked == timedelta(microseconds=ceil(needed))
            clock = slot.ends_at
        if make.slots:
            assert (make.starts_at, make.ready_at) == (make.slots[0].starts_at, make.slots[-1].ends_at)
        else:
            assert make.starts_at == make.ready_at >= now
