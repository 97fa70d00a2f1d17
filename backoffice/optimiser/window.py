"""The near part of a floor: what may move in it, the problem put to the solver, and the dates that follow from its answer.

The solver's answer is taken as a sequence only. Dates come from the planning engine's own rule, the earliest gap on the lane,
with the operations taken in the order of the answer's starts. So no operation is later than the answer had it, and none is
dated by the solver.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backoffice.optimiser import rules
from backoffice.optimiser.floor import Floor, Lot, Operation, Place, Sequencing
from backoffice.optimiser.problem import Answer, Problem, Target, Task
from backoffice.planning.capacity import Axis
from backoffice.planning.lanes import Lane, merge


class BadSequence(Exception):
    """Say that an answer is no sequence of this window. Caught by `proposing`."""


@dataclass(frozen=True, slots=True)
class Window:
    """What may move: `chosen`, lot by lot in the order in which they begin today. Nothing moves before `frozen`."""

    floor: Floor
    frozen: int
    chosen: Mapping[int, Sequence[Operation]]

    def operations(self) -> list[tuple[Lot, Operation]]:
        """Return every operation that may move, with its lot; tasks are numbered in this order."""
        return [(self.floor.lots[key], operation) for key, mine in self.chosen.items() for operation in mine]

    def begins(self, lot: int) -> bool:
        """Tell whether a lot's first operation may move, and so its beginning."""
        return lot in self.chosen and self.chosen[lot][0] is self.floor.lots[lot].operations[0]


def choose(floor: Floor, frozen: int, until: int, most: int) -> Window:
    """Return the window of lots that begin (or go on) in [frozen, until], the first ones first, at most `most` operations.

    Of a lot that has begun by `frozen` the operations after that may move. What breaks a rule today stays where it is.
    """
    near: list[tuple[int, int, list[Operation]]] = []
    for lot in floor.lots.values():
        later = [operation for operation in lot.operations if operation.starts_at >= frozen]
        if later and not lot.stays and later[0].starts_at <= until and all(operation.length for operation in later):
            near.append((later[0].starts_at, lot.key, later))
    chosen: dict[int, Sequence[Operation]] = {}
    count = 0
    for _, key, later in sorted(near, key=lambda one: one[:2]):
        count += len(later)
        if count > most:
            break
        chosen[key] = later
    while wrong := rules.faults(floor, _today(chosen), [one.key for mine in chosen.values() for one in mine], frozen):
        for fault in wrong:
            chosen.pop(fault.lot, None)
    return Window(floor, frozen, chosen)


def _today(chosen: Mapping[int, Sequence[Operation]]) -> Sequencing:
    return {one.key: Place(one.lane, one.starts_at, one.ends_at) for mine in chosen.values() for one in mine}


class Layout:
    """A window with its numbers: tasks, lanes and axes as the solver knows them, bounds in instants."""

    def __init__(self, window: Window) -> None:
        self.window, self.floor = window, window.floor
        self.operations = window.operations()
        self.number = {operation.key: number for number, (_, operation) in enumerate(self.operations)}
        self.after = self._order()
        self.earliest = self._earliest()
        self.latest = self._latest()
        self.horizon = max(self.latest, default=window.frozen)
        centres = sorted({operation.work_centre for _, operation in self.operations})
        self.lanes = [(centre, lane) for centre in centres for lane in range(self.floor.lanes[centre])]
        self.lane_number = {lane: number for number, lane in enumerate(self.lanes)}
        self.base = {centre: self.axis(centre).work_at(window.frozen) for centre in centres}
        self.busy = self._busy()

    def axis(self, centre: int) -> Axis:
        """Return a work centre's working time."""
        return self.floor.axes[centre]

    def problem(self) -> Problem:
        """Return what is asked of the solver. Its instants count from the frozen time: so sums of them fit into 64 bits."""
        open_times: list[Sequence[tuple[int, int]]] = []
        axis_number: dict[int, int] = {}
        for centre in self.base:  # centres that are open at the same times share an axis, and so need no way between
            times = self._open_times(self.axis(centre))
            if times not in open_times:
                open_times.append(times)
            axis_number[centre] = open_times.index(times)
        tasks = [
            self._task(number, operation, axis_number[operation.work_centre])
            for number, (_, operation) in enumerate(self.operations)
        ]
        busy = [
            (self.lane_number[lane], start, end)
            for lane, stretches in self.busy.items()
            for start, end in stretches
            if end > start
        ]
        return Problem(open_times, tasks, self.after, self._targets(), busy, early=True)

    def dated(self, answer: Answer) -> Sequencing:
        """Return the places that the engine gives the operations, taken in the order of the answer. Raises BadSequence."""
        lanes = {lane: Lane(stretches) for lane, stretches in self.busy.items()}
        before: dict[int, list[int]] = {}
        for first, then in self.after:
            before.setdefault(then, []).append(first)
        done: dict[int, int] = {}
        places: dict[int, Place] = {}
        for number in sorted(range(len(self.operations)), key=lambda one: (self._starts(answer, one), one)):
            operation, earliest = self.operations[number][1], self.earliest[number]
            for first in before.get(number, ()):
                if first not in done:
                    raise BadSequence("an operation is put before what it needs")
                earliest = max(earliest, done[first])
            place = self._place(operation, self.lanes[answer.places[number][0]][1], earliest, lanes)
            places[operation.key], done[number] = place, place.ends_at
        return places

    def _place(self, operation: Operation, lane: int, earliest: int, lanes: Mapping[tuple[int, int], Lane]) -> Place:
        """Take the earliest gap on the lane."""
        centre, length = operation.work_centre, operation.length or 0
        axis, base = self.axis(centre), self.base[centre]
        start = lanes[centre, lane].gap(axis.work_at(earliest) - base, length)
        if not axis.reach(base + start + length, self.horizon):
            raise BadSequence("an operation has no place before the horizon")
        lanes[centre, lane].reserve(start, start + length)
        return Place(lane, axis.start_of(base + start), axis.end_of(base + start + length))

    def _starts(self, answer: Answer, number: int) -> int:
        """Return the instant at which the answer lets a task begin."""
        lane, start = answer.places[number]
        centre = self.operations[number][1].work_centre
        if not (0 <= lane < len(self.lanes) and self.lanes[lane][0] == centre):
            raise BadSequence("an operation is put where it cannot be done")
        if start < 0 or not self.axis(centre).reach(self.base[centre] + start + 1, self.horizon):
            raise BadSequence("an operation is put outside the window")
        return self.axis(centre).start_of(self.base[centre] + start)

    def _task(self, number: int, operation: Operation, axis: int) -> Task:
        centre, base = operation.work_centre, self.base[operation.work_centre]
        work = self.axis(centre).work_at
        return Task(
            operation.length or 0,
            [self.lane_number[centre, lane] for lane in range(self.floor.lanes[centre])],
            work(self.earliest[number]) - base,
            work(self.latest[number]) - base,
            axis,
            (self.lane_number[centre, operation.lane], work(operation.starts_at) - base),
        )

    def _targets(self) -> list[Target]:
        """Return one target for everybody who waits for a lot that may move."""
        targets, frozen = [], self.window.frozen
        for demand in self.floor.demands:
            moving = [key for key in demand.lots if key in self.window.chosen]
            if moving:
                standing = [self.floor.lots[key].ready_at for key in demand.lots if key not in self.window.chosen]
                others = max([demand.others_at, frozen, *standing]) - frozen
                targets.append(Target([self._last(key) for key in moving], demand.due - frozen, others=others))
        return targets

    def _first(self, lot: int) -> int:
        return self.number[self.window.chosen[lot][0].key]

    def _last(self, lot: int) -> int:
        return self.number[self.window.chosen[lot][-1].key]

    def _order(self) -> list[tuple[int, int]]:
        """Return which task follows which: within a lot, and from a lot to what it goes into."""
        pairs = []
        for key, mine in self.window.chosen.items():
            pairs += [(number, number + 1) for number in range(self._first(key), self._first(key) + len(mine) - 1)]
        for supply, consumer in self.floor.feeds:
            if supply in self.window.chosen and self.window.begins(consumer):
                pairs.append((self._last(supply), self._first(consumer)))
        return pairs

    def _earliest(self) -> list[int]:
        """Return the instant before which each task cannot begin, whatever moves."""
        bounds = [self.window.frozen] * len(self.operations)
        for key, mine in self.window.chosen.items():
            lot = self.floor.lots[key]
            if self.window.begins(key):
                bounds[self._first(key)] = max(self.window.frozen, lot.inputs_at)
            else:
                bounds[self._first(key)] = max(one.ends_at for one in lot.operations if one not in mine)
        for supply, consumer in self.floor.feeds:
            if supply not in self.window.chosen and self.window.begins(consumer):
                bounds[self._first(consumer)] = max(bounds[self._first(consumer)], self.floor.lots[supply].ready_at)
        for first, then in sorted(self.after, key=lambda pair: self.operations[pair[0]][1].starts_at):
            operation = self.operations[first][1]
            axis = self.axis(operation.work_centre)
            work = axis.work_at(bounds[first]) + (operation.length or 0)
            axis.reach(work, operation.ends_at)  # today's place ends later, or then: the axis is known so far
            bounds[then] = max(bounds[then], axis.end_of(work))
        return bounds

    def _latest(self) -> list[int]:
        """Return the instant by which each task must be done, so that nobody has anything later than they were told."""
        ends = [max(one.ready_at for one in self.floor.lots.values())] * len(self.operations)

        def limit(lot: int, instant: int) -> None:
            ends[self._last(lot)] = min(ends[self._last(lot)], instant)

        for demand in self.floor.demands:
            for key in demand.lots:
                if key in self.window.chosen:
                    limit(key, demand.ready_at)
        for key in self.window.chosen:
            if self.floor.lots[key].spare:
                limit(key, self.floor.lots[key].ready_at)
        for supply, consumer in self.floor.feeds:
            if supply in self.window.chosen and not self.window.begins(consumer):
                limit(supply, rules.starts_at(self.floor.lots[consumer], {}))
        for first, then in sorted(self.after, key=lambda pair: -self.operations[pair[1]][1].starts_at):
            operation = self.operations[then][1]
            axis = self.axis(operation.work_centre)
            ends[first] = min(ends[first], axis.start_of(axis.work_at(ends[then]) - (operation.length or 0)))
        return ends

    def _open_times(self, axis: Axis) -> list[tuple[int, int]]:
        """Return when an axis is open between the frozen time and the horizon, counted from the frozen time."""
        axis.work_at(self.horizon)
        first, last = self.window.frozen, self.horizon
        pairs = ((max(opens, first), min(closes, last)) for opens, closes in zip(axis.opens, axis.closes, strict=True))
        return [(opens - first, closes - first) for opens, closes in pairs if opens < closes]

    def _busy(self) -> dict[tuple[int, int], list[tuple[int, int]]]:
        """Return what stays on each lane, along its axis from the frozen time on."""
        stays: dict[tuple[int, int], list[tuple[int, int]]] = {lane: [] for lane in self.lanes}
        for lot in self.floor.lots.values():
            for operation in lot.operations:
                if operation.key in self.number or operation.work_centre not in self.base:
                    continue
                centre, base = operation.work_centre, self.base[operation.work_centre]
                lane = centre, operation.lane % self.floor.lanes[centre]
                ends_at = min(operation.ends_at, self.horizon)  # what lies behind it is in nobody's way
                work = self.axis(centre).work_at
                stays[lane].append((max(0, work(operation.starts_at) - base), max(0, work(ends_at) - base)))
        return {lane: merge(stretches) for lane, stretches in stays.items()}
