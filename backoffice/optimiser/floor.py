"""The shop floor as it stands: lots with their operations, what feeds what, and who waits for what. Pure values.

Instants are microseconds. Keys are the caller's: of a lot, an operation, a work centre, a demand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from backoffice.planning.capacity import Axis


@dataclass(frozen=True, slots=True)
class Operation:
    """A step of a lot in its place. length: its working time by today's routing; None: it has none any more."""

    key: int
    work_centre: int
    lane: int
    starts_at: int
    ends_at: int
    length: int | None


@dataclass(frozen=True, slots=True)
class Lot:
    """A production order; its operations follow each other. A lot without operations is there when its parts are.

    stays: it may not be moved, whatever its dates. inputs_at: when all of its components that are not made are there.
    spare: more of it is made than is waited for, and somebody may be promised that for the day it is ready today.
    """

    key: int
    starts_at: int
    ready_at: int
    operations: Sequence[Operation]
    stays: bool
    inputs_at: int
    spare: bool


@dataclass(frozen=True, slots=True)
class Demand:
    """Somebody who waits for lots: was told `ready_at`, has all the rest at `others_at`, is served late after `due`."""

    key: int
    lots: Sequence[int]
    ready_at: int
    others_at: int
    due: int


@dataclass(frozen=True, slots=True)
class Floor:
    """feeds: pairs (lot, lot that it goes into). lanes: how many each work centre has. axes: when each is open; they grow as they
    are looked at, so two floors that differ in nothing else are equal.
    """

    lots: Mapping[int, Lot]
    feeds: Sequence[tuple[int, int]]
    demands: Sequence[Demand]
    lanes: Mapping[int, int]
    axes: Mapping[int, Axis] = field(compare=False)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an operation goes: a lane of its work centre, from one instant to another."""

    lane: int
    starts_at: int
    ends_at: int


Sequencing = Mapping[int, Place]
"""Operation → its place."""
