"""Decisions folded into a plan: what stands, what leaves, and one hash for one plan."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice.planning.folding import Order, Slot, State, differences, folded

ORDER = ["order", 7, [3, 2, "held", 41, 100, 300, None]]
SLOTS = [["slot", 1, [7, 5, 0, 0, 100, 200]], ["slot", 2, [7, 5, 1, 0, 200, 300]]]
PEG = ["peg", 9, [41, None, 3, 2, "make", 7, 300]]


def test_an_order_that_leaves_takes_its_slots_with_it_and_may_come_back_with_others() -> None:
    state = folded([ORDER, *SLOTS, PEG])
    assert state.slots_of(7) == [Slot(7, 5, 0, 0, 100, 200), Slot(7, 5, 1, 0, 200, 300)]
    state.fold([["order", 7, None]])
    assert state.of["slot"] == {} == state.of["order"]
    state.fold([["order", 7, [3, 2, "planned", 41, 500, 600, None]], ["slot", 3, [7, 5, 0, 1, 500, 600]]])
    assert state.of["order"] == {7: Order(3, 2, "planned", 41, 500, 600, None)}
    assert state.slots_of(7) == [Slot(7, 5, 0, 1, 500, 600)]


def test_what_never_was_may_leave() -> None:
    assert folded([["peg", 1, None], ["order", 1, None], ["slot", 1, None]]) == State()


def test_the_hash_is_of_the_plan_not_of_the_way_to_it() -> None:
    first = folded([ORDER, *SLOTS, PEG])
    second = folded([PEG, *reversed(SLOTS), ["order", 7, [3, 9, "held", 41, 1, 2, 3]], ORDER])
    assert first.digest() == second.digest()
    assert folded(json.loads(json.dumps(first.as_data()))).digest() == first.digest()
    second.fold([["slot", 2, [7, 5, 1, 0, 200, 301]]])
    assert first.digest() != second.digest()
    # written down here so that a plan's hash is the same anywhere, and after any change of the program
    assert first.digest() == "006ef6dcf9db31db9951a380061cac3af352bf8694a8d0e27bf93c5ea32df321"


def test_each_difference_is_named_in_a_line_with_its_id() -> None:
    log, rows = folded([ORDER, *SLOTS]), folded([ORDER, SLOTS[0], PEG])
    rows.fold([["slot", 1, [7, 5, 0, 1, 100, 250]]])
    assert list(differences(log, rows)) == [
        "slot 1: lane 0 in the log, 1 in the rows, ends_at 200 in the log, 250 in the rows",
        "slot 2: in the log (order 7, work_centre 5, position 1, lane 0, starts_at 200, ends_at 300), not in the rows",
        "peg 9: in the rows (reservation 41, item 3, quantity 2, kind make, supply 7, available_at 300), not in the log",
    ]
    assert list(differences(log, log)) == []


def test_a_kind_that_nobody_knows_is_refused() -> None:
    with pytest.raises(KeyError):
        folded([["reservation", 1, [2]]])


keys = st.integers(1, 4)
orders = st.tuples(st.just("order"), keys, st.none() | st.tuples(keys, keys, st.just("held"), keys, keys, keys, st.none()))
slots = st.tuples(st.just("slot"), keys, st.none() | st.tuples(keys, keys, keys, keys, keys, keys))


@given(st.lists(orders | slots, max_size=40), st.integers(0, 40))
def test_folding_in_two_goes_or_over_a_checkpoint_is_folding_at_once(decided: list[object], cut: int) -> None:
    at_once = folded(decided)  # type: ignore[arg-type] # tuples as data
    in_two = folded(folded(decided[:cut]).as_data())  # type: ignore[arg-type] # the same
    in_two.fold(decided[cut:])  # type: ignore[arg-type] # the same
    assert in_two == at_once
    assert in_two.digest() == at_once.digest()
