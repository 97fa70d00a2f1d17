"""What holds for every plan: random factories, random questions, an independent judge."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice.planning import (
    BomLine,
    Booking,
    Calendar,
    Factory,
    Item,
    Operation,
    Outcome,
    Plan,
    Stop,
    Supply,
    WorkCentre,
    check,
)
from tests.unit.planning.models import NOW, PLANT, judge

KEYS = "ABCDEF"
CALENDARS = {
    "plant": PLANT,
    "nights": Calendar("Europe/Berlin", {0: [(1320, 1440)], 1: [(0, 360)], 3: [(1320, 1440)], 4: [(0, 360)]}),
    "odd": Calendar("America/New_York", {2: [(540, 600), (660, 720)]}, {date(2026, 11, 28): [(0, 1440)]}),
}
small = st.integers(0, 4)


@st.composite
def items(draw: st.DrawFn) -> list[Item]:
    return [
        Item(
            key,
            draw(st.sampled_from(["make", "make", "buy", "none"])),
            lead_days=draw(small),
            lead_calendar=draw(st.sampled_from([None, "plant"])),
            minimum=draw(small),
            multiple=draw(st.sampled_from([0, 1, 1, 3])),
            maximum=draw(st.sampled_from([None, None, 6, 9])),
            safety_stock=draw(st.sampled_from([0, 0, 2])),
        )
        for key in KEYS
    ]


@st.composite
def factories(draw: st.DrawFn) -> Factory:
    # A component comes later in the alphabet than its parent, so there are no cycles; letters are shared freely.
    boms = {
        key: [
            BomLine(part, draw(st.sampled_from([1, 2, Fraction(1, 2)])), draw(st.sampled_from([0, 0, Fraction(1, 10)])))
            for part in draw(st.lists(st.sampled_from(KEYS[place + 1 :]), max_size=3, unique=True))
        ]
        for place, key in enumerate(KEYS[:-1])
    }
    operation = st.builds(Operation, st.sampled_from(["SAW", "BENCH", "OVEN"]), st.integers(0, 90), st.integers(0, 60), small)
    routings = {key: draw(st.lists(operation, max_size=3)) for key in KEYS}
    centres = [
        WorkCentre("SAW", "plant", 1, Fraction(3, 4)),
        WorkCentre("BENCH", draw(st.sampled_from(["plant", "nights"])), 2, 1, NOW + timedelta(hours=draw(small))),
        WorkCentre("OVEN", "odd", None),
    ]
    stops = [Stop("SAW", NOW + timedelta(hours=draw(small)), NOW + timedelta(hours=6))]
    return Factory(CALENDARS, draw(items()), boms, routings, centres, stops, draw(st.booleans()), "Europe/Berlin")


@st.composite
def supplies(draw: st.DrawFn) -> list[Supply]:
    return [
        Supply(
            number,
            draw(st.sampled_from(KEYS)),
            draw(st.integers(0, 12)),
            NOW + timedelta(hours=draw(st.integers(-5, 200))),
            draw(st.sampled_from(["stock", "receipt", "receipt"])),
        )
        for number in range(draw(st.integers(0, 10)))
    ]


@st.composite
def bookings(draw: st.DrawFn) -> list[Booking]:
    found, clock = [], NOW - timedelta(hours=2)
    for _ in range(draw(st.integers(0, 5))):
        start = clock + timedelta(minutes=draw(st.integers(0, 300)))
        clock = start + timedelta(minutes=draw(st.integers(1, 300)))
        found.append(Booking("SAW", 0, start, clock))
    return found


questions = st.lists(st.tuples(st.sampled_from(KEYS), st.integers(1, 15)), min_size=1, max_size=6)


@given(factories(), supplies(), bookings(), questions)
def test_answers_committed_one_after_another_are_feasible_together(
    model: Factory, there: list[Supply], booked: list[Booking], asked: list[tuple[str, int]]
) -> None:
    assert [fault for fault in check(model) if "no lot fits" not in fault] == []
    answers = Plan(model, NOW, there, booked)
    judge(model, NOW, there, booked, [answers.commit(key, quantity) for key, quantity in asked])
    for item in model.item_by.values():
        begun = Plan(model, NOW, there, booked).most(item.key)
        held = answers.most(item.key) + item.safety_stock
        assert held >= item.safety_stock or begun == 0


@given(factories(), supplies(), bookings(), questions)
def test_a_quote_leaves_no_trace_and_a_commit_keeps_what_was_quoted(
    model: Factory, there: list[Supply], booked: list[Booking], asked: list[tuple[str, int]]
) -> None:
    answers = Plan(model, NOW, there, booked)
    for key, quantity in asked:
        before = answers.digest()
        quoted = answers.quote(key, quantity)
        assert answers.digest() == before
        assert answers.quote(key, quantity) == quoted
        committed = answers.commit(key, quantity)
        assert committed == quoted
        if committed.ready_at is None:
            assert answers.digest() == before
        elif leaves_a_mark(committed):
            assert answers.digest() != before


def leaves_a_mark(outcome: Outcome) -> bool:
    """Tell whether an outcome takes from supplies or working time, or yields more than it needs."""
    used = sum(peg.quantity for peg in outcome.pegs if peg.kind == "make")
    return (
        any(peg.kind in ("stock", "receipt") for peg in outcome.pegs)
        or any(slot.starts_at < slot.ends_at and slot.work_centre != "OVEN" for m in outcome.makes for slot in m.slots)
        or used < sum(make.quantity for make in outcome.makes)
    )


@given(factories(), supplies(), st.sampled_from(KEYS), st.integers(1, 15))
def test_more_to_sell_from_is_never_later(model: Factory, there: list[Supply], key: str, quantity: int) -> None:
    answers = Plan(model, NOW, there, [])
    found = [answers.quote(key, quantity, sell_from=policy) for policy in ("stock", "incoming", "production")]
    dates = [outcome.ready_at for outcome in found]
    known = [at for at in dates if at is not None]
    assert known == sorted(known, reverse=True)
    assert dates == [None] * (3 - len(known)) + known
    assert (found[1].ready_at is None) == (answers.most(key) < quantity)


@given(factories(), supplies(), bookings(), st.sampled_from(KEYS), st.integers(1, 15))
def test_a_plan_rebuilt_from_what_was_decided_answers_alike(
    model: Factory, there: list[Supply], booked: list[Booking], key: str, quantity: int
) -> None:
    """Feed pegs and slots of a commit back as smaller supplies and bookings: the digest of what is left is the same."""
    answers = Plan(model, NOW, there, booked)
    outcome = answers.commit(key, quantity)
    taken: dict[object, int | Fraction] = {}
    for peg in outcome.pegs:
        if peg.kind in ("stock", "receipt"):
            taken[peg.supply] = taken.get(peg.supply, 0) + peg.quantity
    left = [Supply(s.key, s.item, s.quantity - taken.get(s.key, 0), s.available_at, s.kind) for s in there]
    slots = [slot for make in outcome.makes for slot in make.slots]
    again = Plan(model, NOW, left, [*booked, *(Booking(s.work_centre, s.lane, s.starts_at, s.ends_at) for s in slots)])
    for centre in ("SAW", "BENCH"):
        assert again._centre(centre).busy(0) == answers._centre(centre).busy(0)
    for item in KEYS:
        assert again.most(item) <= answers.most(item)  # the surplus of lots is not fed back here


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 6)), max_size=8),
    bookings(),
    st.integers(1, 30),
    st.sampled_from([0, 3]),
    st.integers(0, 5),
)
def test_the_earliest_whole_combination_is_found(
    receipts: list[tuple[int, int]], booked: list[Booking], quantity: int, safety: int, minimum: int
) -> None:
    """Try every cut one by one: all that is there by then, the rest made on an empty plan; none may be earlier."""
    model = Factory(
        {"plant": PLANT},
        [Item("A", "make", minimum=minimum, safety_stock=safety)],
        {},
        {"A": [Operation("SAW", 20, 45)]},
        [WorkCentre("SAW", "plant")],
    )
    there = [Supply(n, "A", q, NOW + timedelta(hours=at), "receipt") for n, (at, q) in enumerate(receipts)]
    outcome = Plan(model, NOW, there, booked).quote("A", quantity)
    found = []
    for cut in [NOW, *(supply.available_at for supply in there)]:
        free = max(0, sum(supply.quantity for supply in there if supply.available_at <= cut) - safety)
        rest = quantity - min(quantity, free)
        made = Plan(model, NOW, [], booked).quote("A", rest).ready_at if rest else NOW
        assert made is not None
        found.append((max(cut if free else NOW, made), rest))
    ready, rest = min(found)
    assert outcome.ready_at == ready
    assert sum(peg.quantity for peg in outcome.pegs if peg.kind == "make") == rest


@given(factories(), supplies(), bookings(), questions, st.integers(0, 200))
def test_a_plan_that_moved_on_answers_like_one_built_later(
    model: Factory, there: list[Supply], booked: list[Booking], asked: list[tuple[str, int]], hours: int
) -> None:
    later = NOW + timedelta(hours=hours)
    moved, built = Plan(model, NOW, there, booked), Plan(model, later, there, booked)
    for key, quantity in asked:
        moved.quote(key, quantity)
    moved.advance(later)
    assert moved.digest() == built.digest()
    for key, quantity in asked:
        assert moved.commit(key, quantity) == built.commit(key, quantity)
    with pytest.raises(ValueError, match="back in time"):
        moved.advance(later - timedelta(seconds=1))


dated = st.lists(st.tuples(st.sampled_from(KEYS), st.integers(1, 15), st.none() | st.integers(-5, 300)), min_size=1, max_size=6)


@given(factories(), supplies(), bookings(), dated)
def test_asked_instants_are_feasible_together_and_explained_without_a_gap(
    model: Factory, there: list[Supply], booked: list[Booking], asked: list[tuple[str, int, int | None]]
) -> None:
    answers = Plan(model, NOW, there, booked)
    outcomes = []
    for key, quantity, hours in asked:
        due = None if hours is None else NOW + timedelta(hours=hours)
        before = answers.digest()
        quoted = answers.quote(key, quantity, due=due)
        assert answers.digest() == before
        outcomes.append(answers.commit(key, quantity, due=due))
        assert outcomes[-1] == quoted
        assert [(part.quantity, part.ready_at) for part in quoted.parts] == (
            [(quantity, quoted.ready_at)] if quoted.parts else []
        )
    judge(model, NOW, there, booked, outcomes)
