"""The plan folded from its log: decisions in their order → what stands. No clock, no search: the same plan anywhere.

A decision is data: [kind, key, values], or [kind, key, None] for what leaves the plan. A production order that leaves takes its
slots with it. Instants are microseconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple


class Purchase(NamedTuple):
    """A purchase order that is open. state: proposed | ordered."""

    state: str


class Receipt(NamedTuple):
    """A purchase order line of which something is still to come."""

    purchase: int
    item: int
    quantity: int
    received: int
    due_at: int


class Order(NamedTuple):
    """A production order that is open. state: held | planned; reservation: None = made for stock."""

    item: int
    quantity: int
    state: str
    reservation: int | None
    starts_at: int
    ready_at: int
    not_before_at: int | None


class Slot(NamedTuple):
    """Minutes of a lane for one operation of a production order."""

    order: int
    work_centre: int
    position: int
    lane: int
    starts_at: int
    ends_at: int


class Peg(NamedTuple):
    """A quantity of a supply for a reservation (order None) or a production order of its. supply: a warehouse for stock."""

    reservation: int
    order: int | None
    item: int
    quantity: int
    kind: str
    supply: int | None
    available_at: int


KINDS: Mapping[str, type[Any]] = {"purchase": Purchase, "receipt": Receipt, "order": Order, "slot": Slot, "peg": Peg}
"""What a plan is made of, by the name that it has in the log."""

Decided = Sequence[Any]
"""[kind, key, values or None]"""


@dataclass(slots=True)
class State:
    """The plan: kind → key → what stands."""

    of: dict[str, dict[int, Any]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    _slots: dict[int, set[int]] = field(default_factory=dict, compare=False)  # order → its slots

    def fold(self, decided: Iterable[Decided]) -> None:
        """Let decisions happen, in their order. Raises KeyError for a kind nobody knows."""
        for kind, key, values in decided:
            if values is None or kind == "slot":
                self._forget(kind, key)
            if values is not None:
                self.of[kind][key] = KINDS[kind](*values)
                if kind == "slot":
                    self._slots.setdefault(values[0], set()).add(key)

    def _forget(self, kind: str, key: int) -> None:
        gone = self.of[kind].pop(key, None)
        if kind == "slot" and gone is not None:
            self._slots[gone.order].discard(key)
        if kind == "order":
            for slot in self._slots.pop(key, ()):
                del self.of["slot"][slot]

    def slots_of(self, order: int) -> list[Slot]:
        """Return the slots of a production order in the order of its operations."""
        return sorted((self.of["slot"][key] for key in self._slots.get(order, ())), key=lambda one: one.position)

    def part(self, orders: Iterable[int]) -> State:
        """Return a plan of nothing but these production orders and their slots, to fold on apart from this one."""
        some = State()
        for order in orders:
            if order in self.of["order"]:
                some.of["order"][order] = self.of["order"][order]
            if keys := self._slots.get(order):
                some.of["slot"] |= {key: self.of["slot"][key] for key in keys}
                some._slots[order] = set(keys)
        return some

    def as_data(self) -> list[list[Any]]:
        """Return the decisions that alone make this plan, in an order that depends on nothing else."""
        return [[kind, key, list(values)] for kind in KINDS for key, values in sorted(self.of[kind].items())]

    def digest(self) -> str:
        """Return the hash of the plan: equal for equal plans, however they came about."""
        return sha256(json.dumps(self.as_data(), separators=(",", ":")).encode()).hexdigest()


def folded(decided: Iterable[Decided]) -> State:
    """Return the plan that these decisions make from nothing."""
    state = State()
    state.fold(decided)
    return state


def differences(log: State, rows: State) -> Iterator[str]:
    """Yield one line for each thing that is another in the rows than by the log."""
    for kind in KINDS:
        ours, theirs = log.of[kind], rows.of[kind]
        for key in sorted({*ours, *theirs}):
            if key not in theirs:
                yield f"{kind} {key}: in the log ({_told(ours[key])}), not in the rows"
            elif key not in ours:
                yield f"{kind} {key}: in the rows ({_told(theirs[key])}), not in the log"
            elif ours[key] != theirs[key]:
                pairs = zip(ours[key]._fields, ours[key], theirs[key], strict=True)
                changed = [f"{name} {one} in the log, {other} in the rows" for name, one, other in pairs if one != other]
                yield f"{kind} {key}: {', '.join(changed)}"


def corrections(log: State, rows: State) -> list[Decided]:
    """Return the decisions that make of the plan by the log the one in the rows: first what leaves."""
    gone = [[kind, key, None] for kind in KINDS for key in sorted(log.of[kind].keys() - rows.of[kind].keys())]
    others = [[kind, key, values] for kind, key, values in rows.as_data() if log.of[kind].get(key) != KINDS[kind](*values)]
    return [*gone, *others]


def _told(values: Any) -> str:
    return ", ".join(f"{name} {value}" for name, value in values._asdict().items() if value is not None)
