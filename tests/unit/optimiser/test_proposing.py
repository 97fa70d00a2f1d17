"""Better sequences on small floors, worked out by hand; and proposals that are none."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from backoffice.optimiser import rules
from backoffice.optimiser.floor import Floor, Place
from backoffice.optimiser.problem import Answer, Problem
from backoffice.optimiser.proposing import BadProposal, Proposal, propose
from backoffice.optimiser.window import Window, choose
from tests.unit.optimiser.floors import DAYS, HOUR, LATE, at, axis, demand, floor, hours, lot, operation, seen

SECONDS = 60  # a limit for a busy machine; what is asked here is proven in well under one


def window(of: Floor, *, frozen: float = 0, until: float = 24 * 28, most: int = 1_000) -> Window:
    return choose(of, at(frozen), at(until), most)


def proposal(of: Floor, **limits: float) -> Proposal:
    return propose(window(of, **limits), SECONDS)  # type: ignore[arg-type] # hours and counts alike


def test_a_hole_that_a_cancelled_order_left_is_filled() -> None:
    found = proposal(
        floor([lot(1, operation(11, 1, 0, 3)), lot(2, operation(21, 1, 8, 10))], [demand(1, 1, told=3), demand(2, 2, told=10)])
    )
    assert seen(found.places) == {21: (0, 3, 5)}
    assert (found.lateness_saved, found.time_saved, found.proven) == (0, 5 * HOUR, True)
    assert [(one.key, hours(ready)) for one, ready in found.earlier] == [(2, 5)]


def test_who_is_late_goes_before_who_has_time() -> None:
    """The first customer waits for something else until hour 20; the second was promised hour 4 and is told 10."""
    found = proposal(
        floor(
            [lot(1, operation(11, 1, 0, 8)), lot(2, operation(21, 1, 8, 10))],
            [demand(1, 1, told=20, others=20), demand(2, 2, told=10, due=4)],
        )
    )
    assert seen(found.places) == {11: (0, 2, 10), 21: (0, 0, 2)}
    assert (found.lateness_saved, found.time_saved) == (6 * HOUR, 8 * HOUR)


def test_less_lateness_counts_before_all_that_is_earlier() -> None:
    """One late by 5, two that could be 3 earlier each if it waited: the late one is served first."""
    lots = [lot(1, operation(11, 1, 1, 6)), lot(2, operation(21, 1, 6, 9)), lot(3, operation(31, 1, 9, 12))]
    found = proposal(floor(lots, [demand(1, 1, told=12, due=1), demand(2, 2, told=12), demand(3, 3, told=12)]))
    assert seen(found.places)[11] == (0, 0, 5)


def test_nobody_is_made_later_even_where_the_sum_would_be_less() -> None:
    """Shortest first would save 9 hours in sum, but the long one was told hour 10."""
    of = floor(
        [lot(1, operation(11, 1, 0, 10)), lot(2, operation(21, 1, 10, 11))], [demand(1, 1, told=10), demand(2, 2, told=11)]
    )
    assert proposal(of) == Proposal({}, 0, 0, (), True)


def test_a_part_comes_before_what_it_goes_into_and_both_move_up() -> None:
    lots = [lot(1, operation(11, 1, 4, 6)), lot(2, operation(21, 2, 9, 12))]
    found = proposal(floor(lots, [demand(1, 2, told=12)], [(1, 2)]))
    assert seen(found.places) == {11: (0, 0, 2), 21: (0, 2, 5)}


def test_nothing_begins_before_what_is_bought_is_there() -> None:
    found = proposal(floor([lot(1, operation(11, 1, 9, 12), inputs=7)], [demand(1, 1, told=12)]))
    assert seen(found.places) == {11: (0, 7, 10)}


def test_what_begins_soon_stays_and_what_follows_it_waits_for_it() -> None:
    lots = [lot(1, operation(11, 1, 3, 5), operation(12, 2, 20, 22))]
    found = proposal(floor(lots, [demand(1, 1, told=22)]), frozen=4)
    assert seen(found.places) == {12: (0, 5, 7)}


def test_work_pauses_over_the_night_and_never_starts_in_it() -> None:
    """06:00 to 14:00 on weekdays: 5 hours after 11:00 on Monday end on Tuesday at 08:00."""
    week = {1: axis(DAYS), 2: axis(DAYS)}
    lots = [lot(1, operation(11, 1, 6, 11), stays=True), lot(2, operation(21, 1, 56, 61))]
    found = proposal(floor(lots, [demand(2, 2, told=61)], axes=week))
    assert seen(found.places) == {21: (0, 11, 32)}


def test_what_comes_from_a_centre_of_other_hours_waits_for_the_next_opening() -> None:
    """Done in the late shift on Monday at 19:00; the early shift goes on with it on Tuesday at 06:00."""
    lots = [lot(1, operation(11, 1, 38, 43), operation(12, 2, 54, 57))]
    found = proposal(floor(lots, [demand(1, 1, told=57)], axes={1: axis(LATE), 2: axis(DAYS)}))
    assert seen(found.places) == {11: (0, 14, 19), 12: (0, 30, 33)}


def test_a_stop_is_closed_time() -> None:
    lots = [lot(1, operation(11, 1, 30, 34))]
    found = proposal(floor(lots, [demand(1, 1, told=34)], axes={1: axis(DAYS, [(6, 13)])}))
    assert seen(found.places) == {11: (0, 13, 33)}


def test_a_second_lane_is_used() -> None:
    lots = [lot(1, operation(11, 1, 0, 5)), lot(2, operation(21, 1, 5, 10)), lot(3, operation(31, 1, 10, 14))]
    found = proposal(floor(lots, [demand(1, 1, told=5), demand(2, 2, told=10), demand(3, 3, told=14)], lanes={1: 2}))
    assert {one.key: hours(ready) for one, ready in found.earlier} == {2: 9, 3: 4}  # 5 and 4 side by side, 5 behind the 4
    assert found.time_saved == (10 - 9 + 14 - 4) * HOUR


@pytest.mark.parametrize(
    "stuck",
    [
        lot(1, operation(11, 1, 5, 8), stays=True),
        lot(1, operation(11, 1, 5, 8, length=2)),  # its time is not what its routing says
        lot(1, operation(11, 1, 5, 8), inputs=6),  # it begins before its parts are there
        lot(1, operation(11, 1, 5, 8), operation(12, 1, 7.5, 9)),  # two operations at once
        lot(1, operation(11, 1, 5, 8, lane=1)),  # a lane that is no more
        lot(1, operation(11, 1, 5, 5), operation(12, 1, 5, 8)),  # one that takes no time
    ],
)
def test_what_may_not_move_or_breaks_a_rule_today_stays_and_others_move_around_it(stuck: object) -> None:
    of = floor([stuck, lot(2, operation(21, 1, 12, 14))], [demand(1, 1, told=9), demand(2, 2, told=14)])  # type: ignore[list-item] # a lot
    assert list(window(of).chosen) == [2]
    assert seen(proposal(of).places) == {21: (0, 0, 2)}


def test_a_lot_whose_day_was_told_wrong_today_stays() -> None:
    of = floor([lot(1, operation(11, 1, 5, 8))], [demand(1, 1, told=7)])
    assert proposal(of) == Proposal({}, 0, 0, (), True)


def test_what_is_spare_of_a_lot_comes_no_later_and_earlier_if_it_can() -> None:
    lots = [lot(1, operation(11, 1, 2, 5), spare=True), lot(2, operation(21, 1, 5, 6))]
    found = proposal(floor(lots, [demand(2, 2, told=6)]))
    assert seen(found.places) == {11: (0, 1, 4), 21: (0, 0, 1)}


def test_the_window_takes_the_nearest_lots_whole() -> None:
    lots = [
        lot(key, operation(10 * key, 1, 4 * key, 4 * key + 2), operation(10 * key + 1, 2, 4 * key + 2, 4 * key + 3))
        for key in (1, 2, 3)
    ]
    of = floor(lots, [demand(key, key, told=20) for key in (1, 2, 3)])
    assert list(window(of, most=5).chosen) == [1, 2]
    assert list(window(of, until=8).chosen) == [1, 2]
    assert list(window(of, until=7.9).chosen) == [1]


# --- what the solver may say and must not be believed ---------------------------------------------

TWO = floor(
    [lot(1, operation(11, 1, 2, 5), operation(12, 2, 6, 8)), lot(2, operation(21, 1, 5, 6))],
    [demand(1, 1, told=8), demand(2, 2, told=6)],
)


def says(status: str, *places: tuple[int, int]) -> Callable[[Problem, float], Answer]:
    return lambda problem, seconds: Answer(status, 0, places)  # type: ignore[arg-type] # planted words too


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (says("optimal", (0, 5 * HOUR), (1, 0), (0, 9 * HOUR)), "an operation is put before what it needs"),
        (says("optimal", (1, 0), (1, 5 * HOUR), (0, 9 * HOUR)), "an operation is put where it cannot be done"),
        (says("optimal", (7, 0), (1, 5 * HOUR), (0, 9 * HOUR)), "an operation is put where it cannot be done"),
        (says("optimal", (0, -1), (1, 5 * HOUR), (0, 9 * HOUR)), "an operation is put outside the window"),
        (says("optimal", (0, 9**15), (1, 5 * HOUR), (0, 9 * HOUR)), "an operation is put outside the window"),
        (says("feasible", (0, 5 * HOUR), (1, 7 * HOUR), (0, 0)), ""),
        (says("impossible"), "it says that today's plan is impossible"),
    ],
)
def test_an_answer_that_is_no_sequence_is_refused(answer: Callable[[Problem, float], Answer], why: str) -> None:
    if not why:
        assert seen(propose(window(TWO), 1, answer).places) == {11: (0, 1, 4), 12: (0, 4, 6), 21: (0, 0, 1)}
        return
    with pytest.raises(BadProposal) as refused:
        propose(window(TWO), 1, answer)
    assert refused.value.why == why


def test_a_sequence_that_breaks_a_promise_is_refused() -> None:
    of = floor(
        [lot(1, operation(11, 1, 0, 10)), lot(2, operation(21, 1, 10, 11))], [demand(1, 1, told=10), demand(2, 2, told=11)]
    )
    with pytest.raises(BadProposal) as refused:
        propose(window(of), 1, says("optimal", (0, 1 * HOUR), (0, 0)))
    assert refused.value.why == "somebody has it later than they were told"


def test_nothing_found_in_time_changes_nothing() -> None:
    assert propose(window(TWO), 1, says("unknown")) == Proposal({}, 0, 0, (), False)


def test_the_solver_is_not_asked_about_nothing() -> None:
    def asked(problem: Problem, seconds: float) -> Answer:
        raise AssertionError("it was asked")

    assert propose(window(floor([], [])), 1, asked) == Proposal({}, 0, 0, (), True)


# --- each rule on its own -------------------------------------------------------------------------

FED = floor(
    [
        lot(1, operation(11, 1, 6, 8)),
        lot(2, operation(21, 1, 9, 10), operation(22, 2, 10, 12), inputs=7, spare=True),
        lot(3, operation(31, 1, 13, 14)),
    ],
    [demand(2, 2, told=13)],
    [(1, 2)],
    axes={1: axis(DAYS)},
)


@pytest.mark.parametrize(
    ("moved", "rule"),
    [
        ({21: (0, 8, 9)}, None),
        ({11: (0, 7, 9)}, None),
        ({21: (1, 8, 9)}, "a lane that is not there"),
        ({21: (-1, 8, 9)}, "a lane that is not there"),
        ({11: (0, 5, 8)}, "an operation begins or ends in closed time"),
        ({11: (0, 6, 7)}, "an operation does not get its time"),
        ({11: (0, 6, 9)}, "an operation does not get its time"),
        ({21: (0, 13, 14)}, "an operation begins before the one before it is done"),
        ({21: (0, 7.5, 8.5)}, "it begins before its parts are made"),
        ({11: (0, 8, 10)}, "it begins before its parts are made"),
        ({11: (0, 12, 14)}, "a lane does two things at once"),
        ({22: (0, 12, 14)}, "somebody has it later than they were told"),
        ({22: (0, 10.5, 12.5)}, "what is spare of it is there later"),
        ({11: (0, 30, 32)}, "it begins before its parts are made"),
    ],
)
def test_each_rule_sees_its_fault(moved: dict[int, tuple[int, float, float]], rule: str | None) -> None:
    places = {key: Place(lane, at(start), at(end)) for key, (lane, start, end) in moved.items()}
    found = {fault.rule for fault in rules.faults(FED, places, list(places), at(5))}
    assert (rule in found) if rule else found == set()


def test_an_operation_without_a_place_is_a_fault() -> None:
    assert [fault.rule for fault in rules.faults(FED, {}, [31], 0)] == ["an operation has no place"]


def test_what_begins_soon_is_not_moved() -> None:
    places = {11: Place(0, at(6), at(8))}
    assert [fault.rule for fault in rules.faults(FED, places, [11], at(6) + 1)] == ["what begins soon is moved"]


def test_nothing_begins_before_its_bought_parts() -> None:
    places = {11: Place(0, at(6), at(8)), 21: Place(0, at(6.5), at(7.5))}
    assert "it begins before its parts are there" in {fault.rule for fault in rules.faults(FED, places, [21], 0)}
