"""What must hold of a floor, whoever proposes it. It is checked on instants, apart from how places are found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from backoffice.optimiser.floor import Floor, Lot, Operation, Place, Sequencing


class Fault(NamedTuple):
    """A broken rule: whose lot, and which rule in words."""

    lot: int
    rule: str


def faults(floor: Floor, places: Sequencing, moved: Sequence[int], frozen: int) -> list[Fault]:
    """Return what is wrong with these places of the operations `moved`, all others standing where they are.

    An empty list: every operation is done whole, in open time, on a lane that is free, nothing before `frozen`, nothing before
    its parts; and nobody who waits has it later than they were told.
    """
    found: list[Fault] = []
    for lot in floor.lots.values():
        found += _faults_of(floor, lot, places, frozen, moved=set(moved))
    found += _overlaps(floor, places, set(moved))
    found += _broken_promises(floor, places, set(moved))
    return found


def place_of(operation: Operation, places: Sequencing) -> Place:
    """Return where an operation is to be: its new place, else the one it has."""
    return places.get(operation.key) or Place(operation.lane, operation.starts_at, operation.ends_at)


def starts_at(lot: Lot, places: Sequencing) -> int:
    """Return when a lot begins."""
    return min((place_of(one, places).starts_at for one in lot.operations), default=lot.starts_at)


def ready_at(lot: Lot, places: Sequencing) -> int:
    """Return when a lot is complete."""
    return max((place_of(one, places).ends_at for one in lot.operations), default=lot.ready_at)


def _faults_of(floor: Floor, lot: Lot, places: Sequencing, frozen: int, *, moved: set[int]) -> Iterator[Fault]:
    """Look at the operations of one lot that moved, and at their order."""
    mine = [operation for operation in lot.operations if operation.key in moved]
    if not mine:
        return
    for operation in mine:
        if operation.key not in places:
            yield Fault(lot.key, "an operation has no place")
            return
        yield from _faults_of_place(floor, lot, operation, places[operation.key], frozen)
    if any(place_of(after, places).starts_at < place_of(before, places).ends_at for before, after in pairwise(lot.operations)):
        yield Fault(lot.key, "an operation begins before the one before it is done")
    first = lot.operations[0]
    if first.key in moved and place_of(first, places).starts_at < lot.inputs_at:
        yield Fault(lot.key, "it begins before its parts are there")


def _faults_of_place(floor: Floor, lot: Lot, operation: Operation, place: Place, frozen: int) -> Iterator[Fault]:
    axis = floor.axes[operation.work_centre]
    if not 0 <= place.lane < floor.lanes[operation.work_centre]:
        yield Fault(lot.key, "a lane that is not there")
    if place.starts_at < frozen:
        yield Fault(lot.key, "what begins soon is moved")
    if operation.length is None or axis.work_at(place.ends_at) - axis.work_at(place.starts_at) != operation.length:
        yield Fault(lot.key, "an operation does not get its time")
        return
    work = axis.work_at(place.starts_at)
    axis.reach(work + operation.length, place.ends_at)
    if operation.length and (axis.start_of(work), axis.end_of(work + operation.length)) != (place.starts_at, place.ends_at):
        yield Fault(lot.key, "an operation begins or ends in closed time")


def _overlaps(floor: Floor, places: Sequencing, moved: set[int]) -> Iterator[Fault]:
    """Find lanes that do two things at once, one of which moved."""
    busy: dict[tuple[int, int], list[tuple[int, int, int, int]]] = {}
    for lot in floor.lots.values():
        for operation in lot.operations:
            place = place_of(operation, places)
            if place.starts_at < place.ends_at:
                lane = operation.work_centre, place.lane % floor.lanes[operation.work_centre]
                busy.setdefault(lane, []).append((place.starts_at, place.ends_at, operation.key, lot.key))
    for stretches in busy.values():
        last = None
        for stretch in sorted(stretches):
            if last and stretch[0] < last[1]:
                yield from (Fault(one[3], "a lane does two things at once") for one in (last, stretch) if one[2] in moved)
            if last is None or stretch[1] > last[1]:
                last = stretch


def _broken_promises(floor: Floor, places: Sequencing, moved: set[int]) -> Iterator[Fault]:
    """Find who would have something later than they were told: customers, other lots, and buyers of what is spare."""
    touched = {lot.key for lot in floor.lots.values() if any(one.key in moved for one in lot.operations)}
    ready = {key: ready_at(lot, places) for key, lot in floor.lots.items()}
    for supply, consumer in floor.feeds:
        if {supply, consumer} & touched and ready[supply] > starts_at(floor.lots[consumer], places):
            yield Fault(consumer if consumer in touched else supply, "it begins before its parts are made")
    for demand in floor.demands:
        for key in demand.lots:
            if key in touched and ready[key] > demand.ready_at:
                yield Fault(key, "somebody has it later than they were told")
    for key in sorted(touched):
        if floor.lots[key].spare and ready[key] > floor.lots[key].ready_at:
            yield Fault(key, "what is spare of it is there later")
