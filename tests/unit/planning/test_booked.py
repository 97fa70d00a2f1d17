"""Lanes made ready once and changed since answer as lanes made for the question, and a question leaves no trace in them."""

from __future__ import annotations

import gc
import weakref
from datetime import timedelta
from typing import Any
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from backoffice.planning import Booking, Calendar, Factory, Item, Operation, Plan, Stop, WorkCentre, lanes
from backoffice.planning.capacity import Booked, Span
from backoffice.planning.instants import MINUTE, micros
from tests.unit.planning.models import berlin

NOW = berlin("2026-11-24 09:00")
WEEK = Calendar("Europe/Berlin", {day: [(360, 720), (780, 1020)] for day in range(5)})
STEPS = [Operation("SAW", 5, 20), Operation("DRILL", 0, 7), Operation("SAW", 0, 3)]
CENTRES = {"SAW": 2, "DRILL": 1}

works = st.tuples(st.sampled_from(sorted(CENTRES)), st.integers(0, 2), st.integers(-100, 4000), st.integers(0, 300))
changes = st.lists(st.tuples(st.sampled_from(["book", "book", "free", "ask"]), works), max_size=40)


def span(work: tuple[str, int, int, int]) -> Span:
    """Return lane, start and end; the start may lie before now, the lane may not exist any more."""
    _, lane, after, minutes = work
    return lane, micros(NOW) + after * MINUTE, micros(NOW) + (after + minutes) * MINUTE


def booking(work: tuple[str, int, int, int]) -> Booking:
    starts_at = NOW + timedelta(minutes=work[2])
    return Booking(work[0], work[1], starts_at, starts_at + timedelta(minutes=work[3]))


def answers(plan: Plan) -> list[Any]:
    """Ask forward and backward, one and many."""
    dues = (None, NOW + timedelta(days=3), NOW + timedelta(days=6))
    return [plan.quote("A", quantity, due=due) for quantity in (1, 9) for due in dues]


@given(st.lists(works, max_size=30), changes)
def test_prepared_lanes_answer_as_fresh_ones(begun: list[Any], since: list[Any]) -> None:
    centres = [WorkCentre(key, "week", lanes=count) for key, count in CENTRES.items()]
    factory = Factory({"week": WEEK}, [Item("A", "make")], {}, {"A": STEPS}, centres, timezone="Europe/Berlin")
    standing = list(begun)
    with mock.patch.object(lanes, "_CHUNK", 4):
        ready = {
            key: Booked(factory.axis(key, micros(NOW)), count, [span(one) for one in standing if one[0] == key])
            for key, count in CENTRES.items()
        }
        for action, work in [*since, ("ask", None)]:
            if action == "ask":
                prepared, fresh = Plan(factory, NOW, (), (), booked=ready), Plan(factory, NOW, (), map(booking, standing))
                assert answers(prepared) == answers(fresh)
                assert prepared.digest() == fresh.digest()
                assert prepared.commit("A", 3) == fresh.commit("A", 3)  # whoever keeps it keeps it for himself
                continue
            if action == "free" and standing:
                work = standing.pop(work[2] % len(standing))
                changed = ready[work[0]].changed([span(work)], [])
            else:
                standing.append(work)
                changed = ready[work[0]].changed([], [span(work)])
            spans = [span(one) for one in standing if one[0] == work[0]]
            ready[work[0]] = changed or Booked(ready[work[0]].axis, CENTRES[work[0]], spans)


def test_a_plan_goes_with_whoever_asked_it() -> None:
    """It must not wait for a look for garbage: those are what the slowest questions waited for."""
    factory = Factory({"week": WEEK}, [Item("A", "make")], {}, {"A": STEPS[:1]}, [WorkCentre("SAW", "week")])
    gc.disable()
    try:
        plan = Plan(factory, NOW, (), ())
        plan.quote("A", 2)
        plan.commit("A", 1)
        gone = weakref.ref(plan)
        del plan
        assert gone() is None
    finally:
        gc.enable()


def test_hours_that_stay_the_same_are_folded_once() -> None:
    """SAW keeps its hours, DRILL stands still for a day, LATHE has another week."""
    short = Calendar("Europe/Berlin", {0: [(360, 720)]})
    before, after = (
        Factory(
            {"week": WEEK, "lathe": lathe},
            [],
            {},
            {},
            [WorkCentre("SAW", "week"), WorkCentre("DRILL", "week"), WorkCentre("LATHE", "lathe")],
            stops,
        )
        for lathe, stops in ((WEEK, []), (short, [Stop("DRILL", NOW, NOW + timedelta(days=1))]))
    )
    axes = {key: before.axis(key, micros(NOW)) for key in ("SAW", "DRILL", "LATHE")}
    after.keep_axes(before)
    assert [after.axis(key, micros(NOW)) is axes[key] for key in axes] == [True, False, False]
