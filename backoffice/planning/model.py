"""What a factory is: items, bills of material, routings, work centres; and the supplies and bookings of a plan.

Keys are any hashable. Quantities are whole numbers of an item's smallest unit unless `Factory.whole` is off.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from math import lcm
from typing import Any, Literal, NamedTuple

from backoffice.planning.calendars import Calendar
from backoffice.planning.capacity import Axis
from backoffice.planning.instants import DAY, MINUTE, micros

Number = int | Fraction


@dataclass(frozen=True, slots=True)
class Supplier:
    """Somebody to buy an item from: days from order to arrival, and what may be ordered, as in `Item`."""

    key: Hashable
    lead_days: int
    lead_calendar: Hashable | None = None
    minimum: Number = 0
    multiple: Number = 1
    maximum: Number | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """Something that is stocked, bought or made, or stands for others.

    source: how more of it comes. kit: its components are taken together when they ship; phantom: exploded through, as
    if its components stood in its parent's bill; neither is made, so neither has lots. none: not at all.
    lead_days: whole calendar days from order to arrival of a bought item, or open days of the calendar `lead_calendar`.
    minimum, multiple (0 = any), maximum: the lot made, or the order line bought.
    safety_stock: what is never promised. suppliers: who else sells it, tried in this order after the one that the fields
    above describe, whose key is `supplier`; a need is bought whole from one of them.
    """

    key: Hashable
    source: Literal["make", "buy", "kit", "phantom", "none"]
    lead_days: int = 0
    lead_calendar: Hashable | None = None
    minimum: Number = 0
    multiple: Number = 1
    maximum: Number | None = None
    safety_stock: Number = 0
    suppliers: Sequence[Supplier] = ()
    supplier: Hashable | None = None

    @property
    def offers(self) -> Sequence[Item | Supplier]:
        """Return who sells it, in the order in which they are tried; itself for the first."""
        return (self, *self.suppliers)

    @property
    def through(self) -> bool:
        """Tell whether it is nothing but its components."""
        return self.source in ("kit", "phantom")


@dataclass(frozen=True, slots=True)
class BomLine:
    """A component: `quantity` of `item` for one unit of the parent; a share `scrap` (0 <= scrap < 1) of it is lost.

    alternates: items that may stand in, tried in this order; a lot takes its whole need of one of them.
    """

    item: Hashable
    quantity: Number
    scrap: Number = 0
    alternates: Sequence[Hashable] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """A step of a routing; its minutes are setup + fixed + per unit x quantity, all divided by the efficiency.

    alternates: work centres that may do it instead, tried in this order.
    """

    work_centre: Hashable
    setup_minutes: Number = 0
    minutes_per_unit: Number = 0
    fixed_minutes: Number = 0
    alternates: Sequence[Hashable] = ()


@dataclass(frozen=True, slots=True)
class WorkCentre:
    """Where operations run: `lanes` at a time (None = any number); nothing starts before `frozen_until`."""

    key: Hashable
    calendar: Hashable
    lanes: int | None = 1
    efficiency: Number = 1
    frozen_until: datetime | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Stop:
    """Closed time of one work centre on top of its calendar: repair, inventory, no staff."""

    work_centre: Hashable
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Supply:
    """What is there or coming: `quantity` is what is still free (not pegged) of it.

    Stock may be used now, or from `available_at` if that is later; a receipt from `available_at`. A receipt that is
    past due is no supply: nobody knows when it comes. expires_on: the first day on which it may not be used any more.
    """

    key: Hashable
    item: Hashable
    quantity: Number
    available_at: datetime
    kind: Literal["stock", "receipt"]
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody was given of a supply, and what another supply must be to do as well: there at `by`, fresh on `use_on`.

    Of items with lots that expire, so that a new need may move it (see `fresh`). supply: what it has, of any quantity.
    """

    key: Hashable
    item: Hashable
    quantity: Number
    supply: Supply
    by: datetime
    use_on: date


@dataclass(frozen=True, slots=True)
class Booking:
    """Work already planned: a lane (from 0) of a work centre is busy from `starts_at` to `ends_at`."""

    work_centre: Hashable
    lane: int
    starts_at: datetime
    ends_at: datetime


class Line(NamedTuple):
    """A bill-of-material line made ready: need = quantity x numerator / denominator, of the first item that can be had."""

    items: tuple[Hashable, ...]
    numerator: int
    denominator: int


class Step(NamedTuple):
    """An operation made ready: microseconds = (base + rate x quantity) / divisor, rounded up. others: alternates."""

    work_centre: Hashable
    base: int
    rate: int
    divisor: int
    others: tuple[Step, ...] = ()

    def at(self, work_centre: Hashable) -> Step:
        """Return how it is done at one of its work centres; itself for one that is none of them."""
        return next((one for one in self.others if one.work_centre == work_centre), self)


class Recipe(NamedTuple):
    """How one item is made."""

    lines: tuple[Line, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Factory:
    """The master data of a plan. Immutable: after a change build a new one; folded calendars are kept inside.

    items, work_centres: mappings by key, or just the things. whole: round a need for a component up to whole units.
    timezone: the zone in which lead times without a calendar keep the time of day. `check` names faults in it.
    """

    calendars: Mapping[Any, Calendar]
    items: Mapping[Any, Item] | Iterable[Item]
    boms: Mapping[Any, Sequence[BomLine]]
    routings: Mapping[Any, Sequence[Operation]]
    work_centres: Mapping[Any, WorkCentre] | Iterable[WorkCentre]
    stops: Sequence[Stop] = ()
    whole: bool = True
    timezone: str = "UTC"
    item_by: Mapping[Hashable, Item] = field(init=False, repr=False, compare=False)
    centre_by: Mapping[Hashable, WorkCentre] = field(init=False, repr=False, compare=False)
    _recipes: dict[Hashable, Recipe] = field(init=False, repr=False, compare=False)
    _axes: dict[Hashable, Axis] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index items and work centres by key."""
        items = self.items.values() if isinstance(self.items, Mapping) else tuple(self.items)
        centres = self.work_centres.values() if isinstance(self.work_centres, Mapping) else tuple(self.work_centres)
        object.__setattr__(self, "items", self.items if isinstance(self.items, Mapping) else items)
        object.__setattr__(self, "work_centres", self.work_centres if isinstance(self.work_centres, Mapping) else centres)
        object.__setattr__(self, "item_by", {item.key: item for item in items})
        object.__setattr__(self, "centre_by", {centre.key: centre for centre in centres})
        object.__setattr__(self, "_recipes", {})
        object.__setattr__(self, "_axes", {})

    def recipe(self, item: Hashable) -> Recipe:
        """Return how `item` is made, with its fractions made ready for integer arithmetic."""
        recipe = self._recipes.get(item)
        if recipe is None:
            lines = tuple(_line(line) for line in self.boms.get(item, ()))
            known = self.item_by.get(item)
            operations = () if known and known.through else self.routings.get(item, ())
            steps = tuple(_step(operation, self.centre_by) for operation in operations)
            recipe = self._recipes[item] = Recipe(lines, steps)
        return recipe

    def keep_axes(self, before: Factory) -> None:
        """Take over the folded hours of an earlier state of the factory, where they are still the same."""
        for key, axis in list(before._axes.items()):
            if key in self.centre_by and before._hours(key) == self._hours(key):
                self._axes[key] = axis

    def _hours(self, work_centre: Hashable) -> tuple[Calendar, list[Stop]]:
        calendar = self.calendars[self.centre_by[work_centre].calendar]
        return calendar, [stop for stop in self.stops if stop.work_centre == work_centre]

    def axis(self, work_centre: Hashable, from_instant: int) -> Axis:
        """Return the working-time axis of a work centre, counting from some time in the year before `from_instant` on."""
        axis = self._axes.get(work_centre)
        if axis is None or not axis.origin <= from_instant <= axis.origin + 366 * DAY:
            calendar, closed = self._hours(work_centre)
            stops = [(micros(stop.starts_at), micros(stop.ends_at)) for stop in closed]
            # a day earlier: of two who ask at the same moment, the one who read the clock first must not begin anew
            axis = self._axes[work_centre] = Axis(calendar, stops, from_instant - DAY)
        return axis


class Lots(NamedTuple):
    """A need divided into lots: `full_lots` of size `full`, then a last one."""

    full_lots: int
    full: Number
    last: Number

    def sum(self) -> Number:
        """Return the quantity of all lots."""
        return self.full_lots * self.full + self.last


def lots_for(need: Number, item: Item | Supplier) -> Lots | None:
    """Divide `need` (> 0) into lots of an item's (or supplier's) minimum, multiple and maximum; None if these forbid any.

    All lots but the last are the largest allowed; the last is the smallest allowed that covers the rest.
    """

    if item.maximum is None and item.multiple == 1 and need >= item.minimum and need.denominator == 1:
        return Lots(0, 0, need)

    def up(quantity: Number) -> Number:
        return quantity if item.multiple == 0 else -(-quantity // item.multiple) * item.multiple

    least = up(item.minimum)
    if item.maximum is None:
        return Lots(0, 0, max(up(need), least))
    full = item.maximum if item.multiple == 0 else item.maximum // item.multiple * item.multiple
    if full <= 0 or full < least:
        return None
    count = -(-need // full) - 1
    return Lots(count, full, max(up(need - count * full), least))


def duration(step: Step, quantity: Number) -> int:
    """Return the working time of a step for `quantity`, in microseconds, rounded up."""
    return int(-(-(step.base + step.rate * quantity) // step.divisor))


def _line(line: BomLine) -> Line:
    share = Fraction(line.quantity) / (1 - Fraction(line.scrap))
    return Line((line.item, *line.alternates), share.numerator, share.denominator)


def _step(operation: Operation, centres: Mapping[Hashable, WorkCentre]) -> Step:
    first, *others = (_step_at(centre, operation, centres) for centre in (operation.work_centre, *operation.alternates))
    return first._replace(others=tuple(others))


def _step_at(centre: Hashable, operation: Operation, centres: Mapping[Hashable, WorkCentre]) -> Step:
    pace = MINUTE / Fraction(centres[centre].efficiency)
    base = (Fraction(operation.setup_minutes) + Fraction(operation.fixed_minutes)) * pace
    rate = Fraction(operation.minutes_per_unit) * pace
    divisor = lcm(base.denominator, rate.denominator)
    return Step(centre, int(base * divisor), int(rate * divisor), divisor)
