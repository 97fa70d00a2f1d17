"""One order into a fixed plan, against an exact solver (CP-SAT): never earlier than can be, and a chain never later."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backoffice.planning import BomLine, Booking, Calendar, Item, Operation, WorkCentre
from tests.unit.planning.models import NOW, factory, plan

cp_model = pytest.importorskip("ortools.sat.python.cp_model", reason="OR-Tools is not installed: no comparison with CP-SAT")

MINUTE = timedelta(minutes=1)
ALWAYS = Calendar("UTC", {day: [(0, 1440)] for day in range(7)})
HORIZON = 400
steps = st.lists(st.tuples(st.sampled_from("XYZ"), st.integers(1, 20)), min_size=1, max_size=3)
booked = st.lists(st.tuples(st.sampled_from("XYZ"), st.integers(0, 120), st.integers(5, 30)), max_size=8)


def optimum(
    chains: list[list[tuple[str, int]]], last: list[tuple[str, int]], busy: list[tuple[str, int, int]], due: int | None
) -> int | None:
    """Return the least end of the chains (side by side) and then `last`; with a due the latest start of `last`, or None."""
    model = cp_model.CpModel()
    at: dict[str, list[object]] = {centre: [] for centre in "XYZ"}
    for centre, start, end in busy:
        at[centre].append(model.new_fixed_size_interval_var(start, end - start, ""))

    def chain(operations: list[tuple[str, int]], after: list[object]) -> tuple[object, object]:
        first = None
        for centre, length in operations:
            start = model.new_int_var(0, HORIZON, "")
            for before in after:
                model.add(start >= before)
            at[centre].append(model.new_fixed_size_interval_var(start, length, ""))
            first, after = start if first is None else first, [start + length]
        return first, after[0]

    ends = [chain(operations, [])[1] for operations in chains]
    first, end = chain(last, ends)
    for intervals in at.values():
        model.add_no_overlap(intervals)
    if due is None:
        model.minimize(end)
    else:
        model.add(end <= due)
        model.maximize(first)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    status = solver.solve(model)
    return round(solver.objective_value) if status == cp_model.OPTIMAL else None


def apart(busy: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """Return bookings (centre, start, length) as (centre, start, end) that do not overlap."""
    kept: list[tuple[str, int, int]] = []
    for centre, start, length in busy:
        if all(other != centre or end <= start or start + length <= begin for other, begin, end in kept):
            kept.append((centre, start, start + length))
    return kept


@settings(max_examples=60, deadline=None)
@given(steps, steps, steps, booked, st.integers(1, 200))
def test_one_order_against_the_exact_solver(
    left: list[tuple[str, int]],
    right: list[tuple[str, int]],
    last: list[tuple[str, int]],
    busy: list[tuple[str, int, int]],
    due: int,
) -> None:
    fixed = apart(busy)
    model = factory(
        Item("DESK", "make"),
        Item("LAMP", "make"),
        Item("L", "make"),
        Item("R", "make"),
        boms={"DESK": [BomLine("L", 1), BomLine("R", 1)], "LAMP": [BomLine("L", 1)]},
        routings={
            key: [Operation(centre, length) for centre, length in operations]
            for key, operations in {"DESK": last, "LAMP": last, "L": left, "R": right}.items()
        },
        centres=[WorkCentre(centre, "always") for centre in "XYZ"],
        calendars={"always": ALWAYS},
    )
    answers = plan(model, bookings=[Booking(c, 0, NOW + start * MINUTE, NOW + end * MINUTE) for c, start, end in fixed])
    # A lamp is one chain of operations: the earliest gap for each in turn is the earliest for all, and the latest the latest.
    lamp, asked = answers.quote("LAMP", 1), answers.quote("LAMP", 1, due=NOW + due * MINUTE)
    assert lamp.ready_at is not None
    best = optimum([left], last, fixed, None)
    assert best is not None
    assert lamp.ready_at == NOW + best * MINUTE
    latest = optimum([left], last, fixed, due)
    if latest is None:
        assert asked == lamp
    else:
        assert asked.ready_at is not None
        assert asked.ready_at <= NOW + due * MINUTE
        assert asked.makes[0].starts_at == NOW + latest * MINUTE
    # A desk has two parts that share the work centres: placed one after the other they may be later than the best, never earlier.
    desk = answers.quote("DESK", 1)
    least = optimum([left, right], last, fixed, None)
    assert desk.ready_at is not None
    assert least is not None
    assert desk.ready_at >= NOW + least * MINUTE
