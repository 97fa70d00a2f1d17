"""Asked instants against searches that try everything, and what may be promised against a maximum flow."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from backoffice.planning import BomLine, Booking, Calendar, Item, Operation, Supply, WorkCentre
from backoffice.planning.lanes import Lane
from tests.unit.planning.models import NOW, factory, judge, plan

MINUTES = timedelta(minutes=1)
stretches = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 8)), max_size=8)


@given(stretches, st.integers(0, 70), st.integers(1, 12))
def test_the_latest_gap_is_the_latest(busy: list[tuple[int, int]], end: int, length: int) -> None:
    lane = Lane([(start, start + long) for start, long in busy])
    taken = {minute for start, long in busy for minute in range(start, start + long)}
    fits = [start for start in range(end - length + 1) if not taken & set(range(start, start + length))]
    found = lane.gap_before(end, length)
    assert found == fits[-1] if fits else found < 0


@given(st.integers(0, 10**9), st.integers(1, 3_100))
def test_the_latest_gap_among_many(seed: int, end: int) -> None:
    pick = random.Random(seed)  # noqa: S311 - no secret; drawing 400 stretches one by one takes hypothesis long
    lane, taken = Lane(), [False] * 3_200
    for _ in range(600):  # reserved one by one, so that chunks split and bounds are raised
        start, long = pick.randrange(3_000), pick.randint(1, 6)
        if not any(taken[start : start + long]):
            lane.reserve(start, start + long)
            taken[start : start + long] = [True] * long
    for length in range(60, 0, -1):
        lane.gap(0, length)  # looks through what is in vain, so that bounds are exact
    latest: dict[int, int] = {}  # length of free time that ends somewhere before `end` -> its latest start
    free = 0
    for minute in range(end):
        free = 0 if taken[minute] else free + 1
        for length in range(1, min(free, 60) + 1):
            latest[length] = minute + 1 - length
    for length in range(1, 60):
        found = lane.gap_before(end, length)
        assert found == latest[length] if length in latest else found < 0


CLOCK = {day: [(540, 552), (555, 570)] for day in range(7)}  # open 9:00 to 9:12 and 9:15 to 9:30
SMALL = Calendar("Europe/Berlin", CLOCK)


def is_open(minute: int) -> bool:
    """Tell whether the small calendar is open in a minute after NOW (09:00)."""
    return 0 <= minute < 12 or 15 <= minute < 30


def spans(start: int, work: int, busy: set[int]) -> int | None:
    """Return when `work` minutes begun at `start` are done, through closed time but not through other work; or None."""
    minute, left = start, work
    while left:
        if minute >= 30:
            return None
        if is_open(minute):
            if minute in busy:
                return None
            left -= 1
        minute += 1
    return minute


@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=3),
    st.lists(st.sampled_from("XY"), min_size=3, max_size=3),
    st.lists(st.tuples(st.sampled_from("XY"), st.integers(0, 29), st.integers(1, 4)), max_size=4),
    st.integers(0, 30),
    st.integers(0, 20),
)
def test_one_order_into_a_fixed_plan_against_every_schedule(
    lengths: list[int], where: list[str], booked: list[tuple[str, int, int]], due: int, legs: int
) -> None:
    """Try every minute for every operation: earliest forward, latest start backward, none better, and the same feasibility."""
    busy = {
        centre: {minute for place, start, long in booked if place == centre for minute in range(start, start + long)}
        for centre in "XY"
    }
    chains = []
    for starts in product(range(30), repeat=len(lengths)):
        clock, chain = legs, []
        for start, work, centre in zip(starts, lengths, where, strict=False):
            end = spans(start, work, busy[centre])
            if start < clock or not is_open(start) or end is None:
                break
            chain.append((start, end))
            clock = end
        else:
            chains.append(chain)
    model = factory(
        Item("A", "make"),
        Item("LEG", "none"),
        boms={"A": [BomLine("LEG", 1)]},
        routings={"A": [Operation(centre, work) for centre, work in zip(where, lengths, strict=False)]},
        centres=[WorkCentre("X", "small"), WorkCentre("Y", "small")],
        calendars={"small": SMALL},
    )
    receipt = Supply("PO", "LEG", 1, NOW + legs * MINUTES, "receipt")
    bookings = merged(busy)
    answers = plan(model, receipt, bookings=bookings)
    early = answers.quote("A", 1)
    today = NOW + timedelta(minutes=30)
    assert early.ready_at is not None
    if chains:
        assert early.ready_at == NOW + min(chain[-1][1] for chain in chains) * MINUTES
    else:
        assert early.ready_at > today
    asked = answers.quote("A", 1, due=NOW + due * MINUTES)
    judge(model, NOW, [receipt], bookings, [asked])
    in_time = [chain for chain in chains if chain[-1][1] <= due]
    if in_time:
        [make] = asked.makes
        assert asked.ready_at == NOW + max(chain[-1][1] for chain in in_time) * MINUTES
        assert make.starts_at == NOW + max(chain[0][0] for chain in in_time) * MINUTES
    else:
        assert asked == early


def merged(busy: dict[str, set[int]]) -> list[Booking]:
    """Return bookings for the open minutes that are taken."""
    return [
        Booking(centre, 0, NOW + minute * MINUTES, NOW + (minute + 1) * MINUTES)
        for centre, minutes in busy.items()
        for minute in sorted(minutes)
    ]


def max_flow(supplies: Sequence[tuple[int, int, int]], demands: Sequence[tuple[int, int, int]]) -> int:
    """Return how much of the demands (at, used on, quantity) can be met from supplies (from, expires, quantity).

    Source of the method: Edmonds and Karp, shortest augmenting paths, on the small network between the two.
    """
    source, sink, count = 0, 1, 2 + len(supplies) + len(demands)
    room = [[0] * count for _ in range(count)]
    for s, (begins, expires, quantity) in enumerate(supplies):
        room[source][2 + s] = quantity
        for d, (at, used, _) in enumerate(demands):
            if begins <= at and used < expires:
                room[2 + s][2 + len(supplies) + d] = 10**9
    for d, (*_, quantity) in enumerate(demands):
        room[2 + len(supplies) + d][sink] = quantity
    total = 0
    while True:
        came = {source: source}
        waiting = deque([source])
        while waiting and sink not in came:
            here = waiting.popleft()
            for there in range(count):
                if room[here][there] > 0 and there not in came:
                    came[there] = here
                    waiting.append(there)
        if sink not in came:
            return total
        path, node = [], sink
        while node != source:
            path.append((came[node], node))
            node = came[node]
        amount = min(room[a][b] for a, b in path)
        for a, b in path:
            room[a][b] -= amount
            room[b][a] += amount
        total += amount


FOREVER = 10**6
hours = st.integers(0, 9)
wants = st.lists(st.tuples(hours, st.integers(1, 6)), max_size=6)


@given(st.integers(0, 12), st.lists(st.tuples(hours, st.integers(1, 8)), max_size=5), wants, hours)
def test_what_may_be_promised_is_the_largest_that_can_be_added(
    on_hand: int, coming: list[tuple[int, int]], wanted: list[tuple[int, int]], at: int
) -> None:
    """Commitments in any order, each met only if it can be: what is left at an instant is what a flow could add there."""
    model = factory(Item("A", "none"))
    supplies = [Supply("s", "A", on_hand, NOW, "stock")]
    supplies += [Supply(n, "A", quantity, NOW + timedelta(hours=hour), "receipt") for n, (hour, quantity) in enumerate(coming)]
    answers = plan(model, *supplies)
    there = [(0, FOREVER, on_hand), *((hour, FOREVER, quantity) for hour, quantity in coming)]
    kept: list[tuple[int, int, int]] = []
    for hour, quantity in wanted:
        due = NOW + timedelta(hours=hour)
        quoted = answers.quote("A", quantity, due=due)
        possible = max_flow(there, [*kept, (hour, 0, quantity)]) == quantity + sum(q for *_, q in kept)
        assert (quoted.ready_at is not None and quoted.ready_at <= due) == possible
        if possible:
            assert answers.commit("A", quantity, due=due) == quoted
            kept.append((hour, 0, quantity))
    most = max_flow(there, [*kept, (at, 0, 10**6)]) - sum(q for *_, q in kept)
    asked = NOW + timedelta(hours=at)
    for quantity, fits in ((most, True), (most + 1, False)):
        if quantity:
            ready = answers.quote("A", quantity, due=asked).ready_at
            assert (ready is not None and ready <= asked) == fits


amounts = st.sampled_from([1, 2, 4])


@given(
    st.lists(st.tuples(st.integers(1, 8), amounts), min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(1, 5), amounts), min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(0, 8), amounts), min_size=2, max_size=6).map(lambda rows: sorted(rows, reverse=True)),
)
def test_lots_that_expire_are_shared_as_well_as_a_flow_could(
    expiring: list[tuple[int, int]], coming: list[tuple[int, int]], wanted: list[tuple[int, int]]
) -> None:
    """Work that begins on given days takes lots that are fresh then; later lines may move the pegs of earlier ones."""

    # Every line is made by an operation of no time at a centre of its own, frozen until its day: it begins exactly then.
    def day(number: int) -> timedelta:
        return timedelta(days=number)

    lines = [(f"L{n}", begins, quantity) for n, (begins, quantity) in enumerate(wanted)]
    model = factory(
        Item("MILK", "none"),
        *(Item(key, "make") for key, *_ in lines),
        boms={key: [BomLine("MILK", 1)] for key, *_ in lines},
        routings={key: [Operation(key)] for key, *_ in lines},
        centres=[WorkCentre(key, "plant", frozen_until=NOW + day(begins)) for key, begins, _ in lines],
    )
    supplies = [
        Supply(("s", n), "MILK", quantity, NOW, "stock", (NOW + day(expires)).date())
        for n, (expires, quantity) in enumerate(expiring)
    ]
    supplies += [Supply(("r", n), "MILK", quantity, NOW + day(begins), "receipt") for n, (begins, quantity) in enumerate(coming)]
    there = [(0, expires, quantity) for expires, quantity in expiring]
    there += [(begins, FOREVER, quantity) for begins, quantity in coming]
    answers = plan(model, *supplies)
    kept: list[tuple[int, int, int]] = []
    outcomes = []
    for key, begins, quantity in lines:
        due = NOW + day(begins)
        want = (begins, begins, quantity)
        possible = max_flow(there, [*kept, want]) == quantity + sum(q for *_, q in kept)
        digest = answers.digest()
        quoted = answers.quote(key, quantity, due=due)
        assert answers.digest() == digest
        assert (quoted.ready_at is not None and quoted.ready_at <= due) == possible
        if possible:
            outcomes.append((answers.commit(key, quantity, due=due), want))
            kept.append(want)
    drawn: dict[object, int] = {}
    for number, (outcome, (begins, *_)) in enumerate(outcomes):
        now = answers.review(number, outcome)
        assert sum(peg.quantity for peg in now.pegs if peg.item == "MILK") == outcome.quantity
        for peg in now.pegs:
            if peg.kind in ("stock", "receipt"):
                drawn[peg.supply] = drawn.get(peg.supply, 0) + int(peg.quantity)
                kind, place = peg.supply  # type: ignore[misc] # supplies of this test have pairs as keys
                assert expiring[place][0] > begins if kind == "s" else coming[place][0] <= begins
    for supply in supplies:
        assert drawn.get(supply.key, 0) <= supply.quantity
