"""The bucket ledger against worked cases and a flow model; the pool of supplies against the ledger."""

from __future__ import annotations

import json
import os
from collections import deque
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice.planning import ledger
from backoffice.planning.atp import Lot, Pool

# on hand, supply, committed -> discrete, projected, promisable. Sources: docs.oracle.com (JD Edwards cumulative ATP),
# ofienterprises.com and quesba.com (discrete ATP), docs.oracle.com (NetSuite, by supply order); projected and promisable
# were worked out from the definitions by two independent computations.
WORKED = {
    "jde": (
        (80, [0, 0, 60, 0, 0, 60, 0, 0], [30, 25, 30, 10, 0, 35, 0, 0]),
        [25, None, 20, None, None, 25, None, None],
        [50, 25, 55, 45, 45, 70, 70, 70],
        [25, 25, 45, 45, 45, 70, 70, 70],
    ),
    "ofi": (  # the third bucket lacks 9, covered from the first: 22 - 9 = 13 may be promised there, not 22
        (15, [40, 0, 40, 0, 40, 0, 40, 0], [18, 15, 27, 22, 10, 8, 6, 5]),
        [22, None, -9, None, 22, None, 29, None],
        [37, 22, 35, 13, 43, 35, 69, 64],
        [13, 13, 13, 13, 35, 35, 64, 64],
    ),
    "quesba": (
        (65, [250, 0, 0, 200, 0, 0, 150, 0], [25, 150, 49, 26, 75, 22, 68, 10]),
        [91, None, None, 77, None, None, 72, None],
        [290, 140, 91, 265, 190, 168, 250, 240],
        [91, 91, 91, 168, 168, 168, 240, 240],
    ),
    "netsuite": (
        (0, [50, 40, 50, 50], [30, 40, 10, 0]),
        [20, 0, 40, 50],
        [20, 20, 60, 110],
        [20, 20, 60, 110],
    ),
    "lab": ((80, [0, 0, 60], [30, 25, 30]), [25, None, 30], [50, 25, 55], [25, 25, 55]),
    "short": ((0, [5, 0], [7, 0]), [-2, None], [-2, -2], [0, 0]),
    "empty": ((3, [], []), [], [], []),
}


@pytest.mark.parametrize("case", WORKED.values(), ids=WORKED)
def test_worked_cases(case: tuple) -> None:
    inputs, discrete, projected, promisable = case
    rows = ledger(*inputs)
    assert (rows.discrete, rows.projected, rows.promisable) == (discrete, projected, promisable)


def test_the_folder_of_worked_cases() -> None:
    folder = os.environ.get("SHOPFLOOR_CASES")
    if not folder:
        pytest.skip("SHOPFLOOR_CASES is not set: the folder of worked cases is not read")
    cases = json.loads(Path(folder, "atp_ctp.json").read_text())["cases"]
    found = [case for case in cases if case["kind"] == "atp"]
    assert found
    for case in found:
        rows = ledger(**case["inputs"])
        assert list(rows.projected) == case["derived"]["cumulative_no_lookahead"], case["id"]
        assert list(rows.promisable) == case["derived"]["cumulative_lookahead"], case["id"]
        assert list(rows.discrete) == case["printed_by_source"]["discrete"], case["id"]


def test_rows_must_be_equally_long() -> None:
    with pytest.raises(ValueError, match="same number"):
        ledger(0, [1], [])


rows_of = st.integers(1, 6).flatmap(
    lambda size: st.tuples(
        st.integers(0, 8),
        st.lists(st.integers(0, 8), min_size=size, max_size=size),
        st.lists(st.integers(0, 8), min_size=size, max_size=size),
    )
)


def most_flow(supply: list[int], demand: list[int]) -> int:
    """Return the maximum flow from supplies to demands in the same or a later bucket (shortest augmenting paths)."""
    size = len(supply)
    source, sink = 2 * size, 2 * size + 1
    room = [[0] * (2 * size + 2) for _ in range(2 * size + 2)]
    for early in range(size):
        room[source][early], room[size + early][sink] = supply[early], demand[early]
        for late in range(early, size):
            room[early][size + late] = 10**6
    total = 0
    while True:
        parents = {source: source}
        queue = deque([source])
        while queue and sink not in parents:
            node = queue.popleft()
            for other, free in enumerate(room[node]):
                if free and other not in parents:
                    parents[other] = node
                    queue.append(other)
        if sink not in parents:
            return total
        node = sink
        while node != source:  # one unit at a time: slow and beyond doubt
            room[parents[node]][node] -= 1
            room[node][parents[node]] += 1
            node = parents[node]
        total += 1


def feasible(supply: list[int], demand: list[int]) -> bool:
    return most_flow(supply, demand) == sum(demand)


@given(rows_of)
def test_promisable_is_the_largest_quantity_that_can_be_added(rows: tuple[int, list[int], list[int]]) -> None:
    on_hand, supply, committed = rows
    there = [on_hand + supply[0], *supply[1:]]
    promisable = ledger(on_hand, supply, committed).promisable
    if not feasible(there, committed):
        # What is committed cannot be kept; the row then only promises what leaves the shortage as it is.
        assert promisable[0] == 0
        return
    for bucket, most in enumerate(promisable):
        for quantity, possible in ((most, True), (most + 1, False)):
            asked = list(committed)
            asked[bucket] += quantity
            assert feasible(there, asked) is possible


@given(rows_of)
def test_promisable_never_decreases(rows: tuple[int, list[int], list[int]]) -> None:
    promisable = ledger(*rows).promisable
    assert list(promisable) == sorted(promisable)
    assert all(quantity >= 0 for quantity in promisable)


@given(rows_of, st.randoms(use_true_random=False))
def test_latest_fit_leaves_exactly_the_look_ahead_row(rows: tuple[int, list[int], list[int]], random: object) -> None:
    """Peg demands in any order, each by latest fit: what stays free is the suffix minimum, so nothing is lost."""
    on_hand, supply, wanted = rows
    pool = Pool([Lot(0, on_hand, "stock", "s", 0), *(Lot(at, q, "receipt", at, at) for at, q in enumerate(supply))], 0)
    committed = [0] * len(wanted)
    order = list(range(len(wanted)))
    random.shuffle(order)
    for at in order:
        quantity = min(wanted[at], pool.free_by(at))
        assert quantity == min(wanted[at], ledger(on_hand, supply, committed).promisable[at])
        for lot, amount in pool.latest_fit(quantity, at):
            assert lot.at <= at
            lot.free -= amount
        committed[at] += quantity
    assert [pool.free_by(at) for at in range(len(wanted))] == ledger(on_hand, supply, committed).promisable


@given(rows_of, st.integers(0, 12), st.integers(1, 20))
def test_the_pool_answers_earliest_total_and_rises_alike(
    rows: tuple[int, list[int], list[int]], safety: int, quantity: int
) -> None:
    on_hand, supply, _ = rows
    pool = Pool([Lot(0, on_hand, "stock", "s", 0), *(Lot(at, q, "receipt", at, at) for at, q in enumerate(supply))], safety)
    buckets = range(len(supply))
    free = [pool.free_by(at) for at in buckets]
    assert free == [max(0, on_hand + sum(supply[: at + 1]) - safety) for at in buckets]
    assert pool.total() == free[-1]
    assert pool.earliest(quantity) == next((at for at in buckets if free[at] >= quantity), None)
    assert pool.rises(0, len(supply)) == [at for at in buckets if at and free[at] > free[at - 1]]
