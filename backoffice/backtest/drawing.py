"""Draw a factory and its year from a seed. Every day, delivery and machine draws on its own, so a longer year begins the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from math import exp, log
from random import Random

import holidays

from backoffice.backtest.world import Delivery, Luck, Order, World
from backoffice.planning import BomLine, Calendar, Factory, Item, Operation, Stop, WorkCentre
from backoffice.planning.instants import local_instant, moment

TIMEZONE = "Europe/Berlin"
FIRST = date(2026, 1, 5)
WARM_UP_DAYS = 91
LOAD = 0.80
"""Share of a work centre's open time that orders take on average, before breakdowns and spoilt pieces."""
RHYTHM = (1.4, 1.1, 1.0, 1.0, 0.9, 0.6, 1.0)
"""Orders by weekday; the mean is 1."""
PRODUCTS, ASSEMBLIES, PARTS = 8, 6, 10
MOST_PIECES = 8
SPOILT = 0.03
BREAKDOWN_EVERY_DAYS = 45
DELIVERY_EVERY_DAYS = 14
DELIVERED = 0.9
"""Share of the mean need for a stocked part that standing deliveries cover; the rest is bought for the order."""
SHIFTS: Mapping[str, Sequence[tuple[int, int]]] = {"early": ((360, 840),), "double": ((360, 840), (840, 1320))}


def draw(seed: int, days: int, orders_per_day: int) -> World:
    """Return the world of a seed: `days` that count, after a time to learn in.

    Eight products of one or two of six assemblies and of bought parts, six work centres in one or two shifts, closed on
    weekends and on the holidays of Bavaria. The seed decides the master data, suppliers and all luck.
    """
    chance = _chance(seed, "factory")
    calendars = {name: _calendar(intervals) for name, intervals in SHIFTS.items()}
    calendars["plant"] = calendars["double"]
    parts = [Item(f"PART {n}", "buy", chance.randint(3, 15), "plant") for n in range(1, PARTS + 1)]
    names = [part.key for part in parts]
    assemblies = [f"ASSEMBLY {n}" for n in range(1, ASSEMBLIES + 1)]
    products = [f"PRODUCT {n}" for n in range(1, PRODUCTS + 1)]
    boms = {name: [BomLine(part, chance.randint(1, 3)) for part in chance.sample(names, 2)] for name in assemblies}
    for name in products:
        made = [BomLine(part, chance.randint(1, 2)) for part in chance.sample(assemblies, chance.randint(1, 2))]
        boms[name] = made + [BomLine(part, chance.randint(1, 4)) for part in chance.sample(names, 1)]
    need = _needs(products, boms, orders_per_day)
    centres = [
        WorkCentre(f"CENTRE {n}", chance.choice(sorted(SHIFTS)), chance.randint(1, 2)) for n in range(1, len(assemblies) + 1)
    ]
    routings = _routings(chance, [*assemblies, *products], need, centres, calendars)
    items = [*parts, *(Item(name, "make") for name in (*assemblies, *products))]
    factory = Factory(calendars, items, boms, routings, centres, timezone=TIMEZONE)
    begin, end = FIRST - timedelta(WARM_UP_DAYS), FIRST + timedelta(days)
    late = {name: _lateness(chance) for name in names}
    return World(
        factory,
        calendars["plant"],
        begin,
        FIRST,
        list(_orders(seed, begin, end, products, orders_per_day)),
        list(_deliveries(begin, end, names[::2], need, calendars["plant"])),
        list(_breakdowns(seed, begin, end + timedelta(200), centres)),
        Luck(seed, late, SPOILT),
    )


def _chance(seed: int, name: str) -> Random:
    return Random(f"{seed} {name}")  # noqa: S311 - a game that must be repeatable, no secret


def _calendar(intervals: Sequence[tuple[int, int]]) -> Calendar:
    closed = holidays.country_holidays("DE", subdiv="BY", years=range(FIRST.year - 1, FIRST.year + 8))
    return Calendar(TIMEZONE, dict.fromkeys(range(5), intervals), dict.fromkeys(closed, ()))


def _needs(products: Sequence[str], boms: Mapping[str, Sequence[BomLine]], orders_per_day: int) -> Mapping[str, Fraction]:
    """Return how many pieces of everything are needed per calendar day, on average."""
    mean = {name: Fraction(orders_per_day * (1 + MOST_PIECES), 2 * len(products)) for name in products}
    for name in [*products, *(name for name in boms if name not in products)]:
        for line in boms[name]:
            mean[str(line.item)] = mean.get(str(line.item), Fraction()) + mean.get(name, Fraction()) * Fraction(line.quantity)
    return mean


def _routings(
    chance: Random,
    made: Sequence[str],
    need: Mapping[str, Fraction],
    centres: Sequence[WorkCentre],
    calendars: Mapping[str, Calendar],
) -> dict[str, list[Operation]]:
    """Give every made item one to three operations, and each its minutes, so that every work centre is loaded to LOAD."""
    drawn = [
        (name, centre.key, chance.uniform(0.5, 1.5)) for name in made for centre in chance.sample(centres, chance.randint(1, 3))
    ]
    wanted = dict.fromkeys((key for _, key, _ in drawn), 0.0)
    for name, key, minutes in drawn:
        wanted[key] += minutes * float(need.get(name, 0))
    routings: dict[str, list[Operation]] = {name: [] for name in made}
    by_key = {centre.key: centre for centre in centres}
    for name, key, minutes in drawn:
        centre = by_key[key]
        shift = sum(end - start for start, end in calendars[str(centre.calendar)].weekly[0])
        there = shift * (centre.lanes or 1) * 5 / 7 * 0.965  # what holidays leave
        pace = minutes * LOAD * there / wanted[key] if wanted[key] else minutes
        routings[name].append(Operation(key, minutes_per_unit=Fraction(max(1, round(pace * 60)), 60)))
    return routings


def _lateness(chance: Random) -> list[int]:
    """Draw a supplier: on time in 12 to 19 of 20 deliveries, else late by a few open days, now and then by many."""
    late = chance.randint(1, 8)
    return [0] * (20 - late) + [min(15, 1 + int(chance.expovariate(0.35))) for _ in range(late)]


def _orders(seed: int, begin: date, end: date, products: Sequence[str], orders_per_day: int) -> Iterator[Order]:
    """Draw orders day by day: by weekday, and in weeks that are quieter or busier than the mean."""
    number, zone = 0, _calendar(()).zone
    for ordinal in range(begin.toordinal(), end.toordinal()):
        day, chance = date.fromordinal(ordinal), _chance(seed, f"orders {ordinal}")
        week = _chance(seed, f"week {(ordinal - begin.toordinal()) // 7}").uniform(0.7, 1.3)
        count = _poisson(chance, orders_per_day * RHYTHM[day.weekday()] * week)
        for minute in sorted(chance.randint(480, 1260) for _ in range(count)):
            number += 1
            at = moment(local_instant(day, minute, zone))
            yield Order(number, at, chance.choice(products), chance.randint(1, MOST_PIECES))


def _poisson(chance: Random, mean: float) -> int:
    """Draw how many of something happen (Knuth, The Art of Computer Programming 2, 3.4.1)."""
    count, product, limit = 0, chance.random(), exp(-mean)
    while product > limit:
        count, product = count + 1, product * chance.random()
    return count


def _deliveries(
    begin: date, end: date, stocked: Sequence[object], need: Mapping[str, Fraction], plant: Calendar
) -> Iterator[Delivery]:
    """Deliver stocked parts every second week, and have the first two weeks' need on the shelf."""
    for part in map(str, stocked):
        quantity = int(need.get(part, Fraction()) * DELIVERY_EVERY_DAYS * Fraction(DELIVERED))
        for ordinal in range(begin.toordinal() - 1, end.toordinal(), DELIVERY_EVERY_DAYS):
            day = date.fromordinal(ordinal)
            if day >= begin:
                day = plant.next_open_day(day) or day
            yield Delivery(f"delivery {part} {ordinal}", part, quantity, _at_eight(day, plant))


def _at_eight(day: date, plant: Calendar) -> datetime:
    return moment(local_instant(day, 480, plant.zone))


def _breakdowns(seed: int, begin: date, end: date, centres: Sequence[WorkCentre]) -> Iterator[Stop]:
    """Draw breakdowns: each work centre on one day in 45, of seven hours in the middle, seldom of more than a day."""
    for centre in centres:
        for ordinal in range(begin.toordinal(), end.toordinal()):
            chance = _chance(seed, f"breakdown {centre.key} {ordinal}")
            if chance.random() < 1 / BREAKDOWN_EVERY_DAYS:
                starts_at = moment(local_instant(date.fromordinal(ordinal), chance.randint(360, 1200), _calendar(()).zone))
                yield Stop(centre.key, starts_at, starts_at + timedelta(minutes=int(chance.lognormvariate(log(420), 0.8))))
