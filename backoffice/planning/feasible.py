"""The rule book of a plan, apart from how plans are found: what each line of it must keep, whoever decided it.

Rules: a lane does one thing at a time; work begins and ends in open time; an order's operations follow each other; its components
are there before the first; nothing gives more than it has; everything stands on something that is there.

How long an operation takes is not looked at: it was decided by the routing of its day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from backoffice.planning.folding import Decided, Slot, State
from backoffice.planning.instants import moment
from backoffice.planning.model import Factory


def breaches(state: State, factory: Factory, now: int) -> list[str]:
    """Return one line per broken rule, with ids; empty when the plan can be carried out. now: microseconds.

    What lies before `now` was right in its time: open time is looked at from there on.
    """
    return [
        *_overlaps(state, factory),
        *_closed(state, factory, now),
        *_out_of_order(state),
        *_too_early(state),
        *_overdrawn(state),
        *_left_behind(state),
    ]


def in_the_past(number: int, at: int | None, decided: list[Decided]) -> Iterator[str]:
    """Yield the slots that decision `number`, made for the instant `at`, let begin before it."""
    for kind, key, values in decided:
        if kind == "slot" and values is not None and at is not None and Slot(*values).starts_at < at:
            yield f"slot {key}: begins {_at(Slot(*values).starts_at)}, before decision {number} of {_at(at)}"


def _overlaps(state: State, factory: Factory) -> Iterator[str]:
    lanes: dict[tuple[int, int], list[tuple[int, int, int]]] = defaultdict(list)
    for key, slot in state.of["slot"].items():
        if slot.starts_at < slot.ends_at:
            centre = factory.centre_by.get(slot.work_centre)
            many = (centre.lanes if centre else None) or 0
            # work of a lane that was taken away is done on one of those that are left, as the engine has it
            lane = slot.lane % many if many else slot.lane
            lanes[slot.work_centre, lane].append((slot.starts_at, slot.ends_at, key))
    for (centre_id, lane), busy in sorted(lanes.items()):
        last = None
        for one in sorted(busy):
            if last is not None and one[0] < last[1]:
                where = f"lane {lane} of work centre {centre_id}"
                yield f"slot {one[2]}: begins {_at(one[0])} on {where}, before slot {last[2]} ends"
            if last is None or one[1] > last[1]:
                last = one


def _closed(state: State, factory: Factory, now: int) -> Iterator[str]:
    for key, slot in sorted(state.of["slot"].items()):
        if slot.starts_at == slot.ends_at or slot.ends_at <= now:
            continue
        if slot.work_centre not in factory.centre_by:
            yield f"slot {key}: at work centre {slot.work_centre}, which is not there"
            continue
        axis = factory.axis(slot.work_centre, now)
        end = axis.work_at(slot.ends_at)
        if slot.starts_at >= now:
            start = axis.work_at(slot.starts_at)
            if not axis.reach(start + 1, slot.starts_at) or axis.start_of(start) != slot.starts_at:
                yield f"slot {key}: begins {_at(slot.starts_at)}, when work centre {slot.work_centre} is closed"
        if end == 0 or axis.end_of(end) != slot.ends_at:
            yield f"slot {key}: ends {_at(slot.ends_at)}, when work centre {slot.work_centre} is closed"


def _out_of_order(state: State) -> Iterator[str]:
    for key, order in sorted(state.of["order"].items()):
        slots = state.slots_of(key)
        if any(after.starts_at < before.ends_at for before, after in pairwise(slots)):
            yield f"order {key}: an operation begins before the one before it is done"
        if slots and (order.starts_at > slots[0].starts_at or order.ready_at < slots[-1].ends_at):
            yield f"order {key}: says {_at(order.starts_at)} to {_at(order.ready_at)}, its operations say otherwise"


def _too_early(state: State) -> Iterator[str]:
    """Look at components: one is there when its peg says so; one that is made, when its order is ready."""
    for key, peg in sorted(state.of["peg"].items()):
        order = state.of["order"].get(peg.order)
        if order is None or peg.kind == "stock":
            continue
        made = state.of["order"].get(peg.supply) if peg.kind == "make" else None
        there_at = max(peg.available_at, made.ready_at) if made else peg.available_at
        if there_at > order.starts_at:
            yield f"order {peg.order}: begins {_at(order.starts_at)}, its component of peg {key} is there {_at(there_at)}"


def _overdrawn(state: State) -> Iterator[str]:
    """Add up what is pegged of each receipt and of each production order."""
    given: dict[tuple[str, int], int] = defaultdict(int)
    for peg in state.of["peg"].values():
        given[peg.kind, peg.supply] += peg.quantity
    for key, line in sorted(state.of["receipt"].items()):
        if given["receipt", key] > line.quantity - line.received:
            yield f"receipt {key}: {given['receipt', key]} pegged of {line.quantity - line.received} that are still to come"
    for key, order in sorted(state.of["order"].items()):
        if given["make", key] > order.quantity:
            yield f"order {key}: {given['make', key]} pegged of {order.quantity} that are made"


def _left_behind(state: State) -> Iterator[str]:
    orders, receipts = state.of["order"], state.of["receipt"]
    for key, slot in sorted(state.of["slot"].items()):
        if slot.order not in orders:
            yield f"slot {key}: of order {slot.order}, which is not open"
    for key, peg in sorted(state.of["peg"].items()):
        if peg.order is not None and peg.order not in orders:
            yield f"peg {key}: a component of order {peg.order}, which is not open"
        supplies = {"make": orders, "receipt": receipts}.get(peg.kind)
        if supplies is not None and peg.supply not in supplies:
            yield f"peg {key}: stands on {'order' if peg.kind == 'make' else 'receipt'} {peg.supply}, which is not open"


def _at(instant: int) -> str:
    return moment(instant).strftime("%Y-%m-%d %H:%M:%S%z")
