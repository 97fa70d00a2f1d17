"""The works as they really run: deliveries come late, machines stop, pieces are spoilt; and what is believed of it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from backoffice.backtest.world import Delivery, Order, World
from backoffice.planning import Booking, Factory, Outcome, Stop, Supply
from backoffice.planning.calendars import HORIZON_DAYS
from backoffice.planning.capacity import Axis, Centre
from backoffice.planning.instants import DAY, local_instant, local_same_clock, micros, moment
from backoffice.planning.model import duration

ANNOUNCED_DAYS = 28
"""How far ahead standing deliveries are known."""
LOOK_BACK = 30 * DAY
"""Work that runs was begun within this time."""


@dataclass(slots=True, eq=False)
class Purchase:
    """A delivery. stated: when it was said to come; actual: when it does; free: what of it no order has yet."""

    name: str
    item: Hashable
    free: int
    stated: int
    actual: int

    def believed(self, now: int) -> int:
        """Return when it is thought to be there: as stated; once that has passed the supplier names the true day."""
        return self.stated if now < min(self.stated, self.actual) else self.actual

    def done(self) -> int:
        """Return when it really is there."""
        return self.actual


@dataclass(slots=True, eq=False)
class Task:
    """An operation. length, real: working time as planned and as it is; start, end: its place in the plan of today."""

    centre: Hashable
    length: int
    real: int
    lane: int
    start: int
    end: int
    started: int | None = None
    ended: int | None = None
    _booking: Booking | None = None

    def booking(self) -> Booking:
        """Return its place in the plan; kept, as every order of a day asks for it."""
        if self._booking is None:
            self._booking = Booking(self.centre, self.lane, moment(self.start), moment(self.end))
        return self._booking

    def place(self, lane: int, start: int, end: int) -> None:
        """Give it another place in the plan."""
        self.lane, self.start, self.end, self._booking = lane, start, end, None


@dataclass(slots=True, eq=False)
class Lot:
    """Something made: first its inputs are all there, then its tasks are done one after another."""

    tasks: list[Task]
    inputs: list[Purchase | Lot] = field(default_factory=list)
    thought: int = 0

    def believed(self, now: int) -> int:  # noqa: ARG002 - asked like a purchase
        """Return when it is thought to be done, by the plan of today."""
        return self.thought

    def done(self) -> int | None:
        """Return when it really is done; None: that is not decided yet."""
        return self.tasks[-1].ended if self.tasks else latest(self.inputs)


@dataclass(slots=True, eq=False)
class Job:
    """An order under way: what it is delivered from, and its lots in the order in which they were planned."""

    order: Order
    sources: list[Purchase | Lot]
    lots: list[Lot]


def latest(sources: Sequence[Purchase | Lot]) -> int | None:
    """Return when all of them are really there; None: that is not decided yet. Nothing to wait for is 0."""
    done = [source.done() for source in sources]
    return None if None in done else max((at for at in done if at is not None), default=0)


class Floor:
    """The shop floor and the goods inwards. `believe`, then `accept` the orders of the day, then `work` until its end."""

    def __init__(self, world: World) -> None:
        """Open it on the first morning, empty but for what is in stock."""
        self.world = world
        zone = world.plant.zone
        self.begin = local_instant(world.begin, 0, zone)
        self.open: list[Job] = []
        self.purchases = {delivery.name: self._buy(delivery) for delivery in world.deliveries}
        self.factory: Factory = world.factory
        self._truth = {
            key: Axis(world.factory.calendars[centre.calendar], _stops_of(key, world.breakdowns), self.begin)
            for key, centre in world.factory.centre_by.items()
        }
        self._free: dict[tuple[Hashable, int], int] = {}

    def believe(self, now: int) -> None:
        """Plan all open work anew from what is known at `now`, first come, first served, each at its earliest.

        A breakdown is known once it has begun, with its end; work under way is thought to take what was planned.
        """
        known = [
            stop for stop in self.world.breakdowns if now - LOOK_BACK < micros(stop.ends_at) and micros(stop.starts_at) < now
        ]
        self.factory = replace(self.world.factory, stops=(*self.world.factory.stops, *known))
        centres = {}
        running: dict[Hashable, list[tuple[int, int, int]]] = {}
        for key, centre in self.factory.centre_by.items():
            centres[key] = Centre(self.factory.axis(key, max(self.begin, now - LOOK_BACK)), centre.lanes, now)
        for task in self._tasks():
            if task.started is not None and (task.ended is None or task.ended > now):
                axis = centres[task.centre].axis
                done_by = axis.work_at(task.started) + task.length
                axis.reach(done_by, now + HORIZON_DAYS * DAY)
                task.place(task.lane, task.started, max(now, axis.end_of(done_by)))
                running.setdefault(task.centre, []).append((task.lane, now, task.end))
        for key, stretches in running.items():
            centres[key].load(stretches)
        for job in self.open:
            for lot in job.lots:
                self._place(lot, now, centres)

    def _place(self, lot: Lot, now: int, centres: dict[Hashable, Centre]) -> None:
        clock = max((source.believed(now) for source in lot.inputs), default=now)
        for task in lot.tasks:
            if task.started is not None:
                clock = task.ended if task.ended is not None and task.ended <= now else task.end
                continue
            centre = centres[task.centre]
            place = centre.find(max(now, clock), task.length, now + HORIZON_DAYS * DAY)
            if place is None:
                raise ValueError(f"{task.centre} never gets to its work")
            if centre.lanes is not None and place.work_start < place.work_end:
                centre.lanes[place.lane].reserve(place.work_start, place.work_end)
            task.place(place.lane, place.starts_at, place.ends_at)
            clock = task.end
        lot.thought = clock

    def bookings(self, now: int) -> list[Booking]:
        """Return the work that is planned or thought to be under way at an instant."""
        return [task.booking() for task in self._tasks() if task.end > now]

    def supplies(self, at: datetime) -> list[Supply]:
        """Return what is free of stock and of announced deliveries, as it is known at an instant."""
        now, found = micros(at), []
        for purchase in self.purchases.values():
            if purchase.free and purchase.stated <= now + ANNOUNCED_DAYS * DAY:
                there = purchase.actual <= now
                when = at if there else moment(purchase.believed(now))
                found.append(Supply(purchase.name, purchase.item, purchase.free, when, "stock" if there else "receipt"))
        return found

    def accept(self, order: Order, outcome: Outcome) -> Job:
        """Take an order as the engine has planned it: its pegs, purchases, lots and places."""
        lots = []
        for number, make in enumerate(outcome.makes):
            tasks = []
            for slot in make.slots:
                step = self.factory.recipe(make.item).steps[slot.position]
                spoilt = self.world.luck.pieces_spoilt(f"{order.number} {number} {slot.position}", int(make.quantity))
                real = duration(step, make.quantity + spoilt)
                start, end = micros(slot.starts_at), micros(slot.ends_at)
                tasks.append(Task(slot.work_centre, duration(step, make.quantity), real, slot.lane, start, end))
            lots.append(Lot(tasks, thought=micros(make.ready_at)))
        job = Job(order, [], [lots[number] for number in planned_order(outcome)])
        for number, peg in enumerate(outcome.pegs):
            source: Purchase | Lot
            if peg.kind == "make":
                assert isinstance(peg.supply, int)
                source = lots[peg.supply]
            elif peg.kind == "buy":
                source = self._buy(Delivery(f"{order.number} buys {number}", peg.item, 0, peg.available_at))
            else:
                source = self.purchases[str(peg.supply)]
                source.free -= int(peg.quantity)
            (job.sources if peg.demand is None else lots[peg.demand].inputs).append(source)
        self.open.append(job)
        return job

    def work(self, until: int) -> None:
        """Let the day happen: work begins as planned, or as soon after as its inputs are there and its lane is free.

        What cannot begin before `until` waits for the next plan.
        """
        waiting = [(task.start, number, task, lot) for number, (task, lot) in enumerate(self._placed()) if task.started is None]
        for start, _, task, lot in sorted(waiting, key=lambda entry: entry[:2]):
            if start >= until:
                break
            before = lot.tasks[lot.tasks.index(task) - 1].ended if task is not lot.tasks[0] else latest(lot.inputs)
            if before is None:
                continue
            start = max(start, before, self._free.get((task.centre, task.lane), 0))
            if task.real == 0:
                if start < until:
                    task.started = task.ended = start
                continue
            axis = self._truth[task.centre]
            work = axis.work_at(start)
            if not axis.reach(work + task.real, start + HORIZON_DAYS * DAY):
                raise ValueError(f"{task.centre} never gets to its work")
            if axis.start_of(work) >= until:
                continue
            task.started, task.ended = axis.start_of(work), axis.end_of(work + task.real)
            if self.world.factory.centre_by[task.centre].lanes is not None:
                self._free[task.centre, task.lane] = task.ended

    def finished(self, now: int) -> Iterator[tuple[Job, int]]:
        """Yield the jobs that are done by `now`, each once, and when they were."""
        still: list[Job] = []
        ended: list[tuple[Job, int]] = []
        for job in self.open:
            at = latest(job.sources)
            if at is None or at > now:
                still.append(job)
            else:
                ended.append((job, at))
        self.open = still
        yield from ended

    def _buy(self, delivery: Delivery) -> Purchase:
        stated, plant = delivery.at, self.world.plant
        late = self.world.luck.days_late(delivery.name, delivery.item) if micros(stated) >= self.begin else 0
        day = plant.add_open_days(stated.astimezone(plant.zone).date(), late)
        actual = micros(stated) if late == 0 or day is None else local_same_clock(stated, day, plant.zone)
        return Purchase(delivery.name, delivery.item, delivery.quantity, micros(stated), actual)

    def _placed(self) -> Iterator[tuple[Task, Lot]]:
        return ((task, lot) for job in self.open for lot in job.lots for task in lot.tasks)

    def _tasks(self) -> Iterator[Task]:
        return (task for task, _ in self._placed())


def _stops_of(centre: Hashable, stops: Sequence[Stop]) -> list[tuple[int, int]]:
    return [(micros(stop.starts_at), micros(stop.ends_at)) for stop in stops if stop.work_centre == centre]


def planned_order(outcome: Outcome) -> list[int]:
    """Return the numbers of an outcome's lots as the engine placed them: components before what is made of them."""
    below: dict[int | None, list[int]] = {}
    for number, make in enumerate(outcome.makes):
        below.setdefault(make.demand, []).append(number)

    def walk(number: int) -> Iterator[int]:
        for part in below.get(number, ()):
            yield from walk(part)
        yield number

    return [number for top in below.get(None, ()) for number in walk(top)]
