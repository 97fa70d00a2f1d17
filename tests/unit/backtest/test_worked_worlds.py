"""Years of a few orders, worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backoffice.backtest.floor import planned_order
from backoffice.backtest.methods import FALLBACK, Margin
from backoffice.backtest.report import Row, rows
from backoffice.backtest.simulate import Record, simulate
from backoffice.backtest.world import Delivery, Luck
from backoffice.planning import Make, Outcome, Stop
from backoffice.planning.residuals import open_days
from tests.unit.backtest.worlds import PLANT, berlin, world

TEN_DAYS = [f"2026-03-{day:02d} 07:00" for day in (2, 3, 4, 5, 6, 9, 10, 11, 12, 13)]


def days(records: list[Record]) -> list[tuple[int, int, int]]:
    """Return for each order the days of March: guessed with load, without load, and real."""
    return [(one.engine_on.day, one.infinite_on.day, one.actual_on.day) for one in records if one.actual_on]


def test_without_bad_luck_the_load_is_all_that_makes_waiting() -> None:
    # 8 hours fill Monday; the next two orders take Tuesday 06:00 to 14:00, and the table waits for its leg until Wednesday 09:00.
    found = simulate(
        world(
            [
                ("2026-03-02 05:00", "BOARD", 8),
                ("2026-03-02 06:00", "BOARD", 5),
                ("2026-03-02 07:00", "BOARD", 3),
                ("2026-03-02 09:00", "TABLE", 1),
                ("2026-03-02 10:00", "BOARD", 4),
            ]
        ),
        0.95,
    )
    # The last one's 4 hours do not fit before the table (Wednesday 06:00 to 09:00): after it, 10:00 to 14:00.
    assert days(found) == [(2, 2, 2), (3, 2, 3), (3, 2, 3), (4, 4, 4), (4, 2, 4)]


def test_a_supplier_who_is_always_three_days_late() -> None:
    """Every table is guessed for two open days after the order and comes after five, a week later in calendar days.

    At a level of one half a single finished order is enough to learn from. The first is ready on Monday the 9th, known on the
    10th: six orders have the fallback of 5 open days, two too many. Those of Thursday and Friday lose a weekend by it:
    2 + 2 + 2 + 4 + 4 + 2 = 16 days in ten orders. From then on 3 days are added to the guess (5 to the order): exact.
    """
    late = world([(at, "TABLE", 1) for at in TEN_DAYS], luck=Luck(late={"LEG": (3,)}))
    records = simulate(late, 0.5)
    assert days(records)[:2] == [(4, 4, 9), (5, 5, 10)]
    assert [open_days(PLANT, one.engine_on, one.engine_promised) for one in records] == [5] * 6 + [3] * 4
    assert rows(late, records) == [
        Row("this engine", 10, 1.0, 8.6, 1.6, 4, 1.6),
        Row("a static lead time, learnt", 10, 1.0, 7.0, 0.0, 0, 0.0),
        # 3 open days: Monday and Tuesday of both weeks 5 calendar days (Wednesday to Monday, Thursday to Tuesday), and so on
        Row("infinite capacity", 10, 0.0, 2.8, 4.2, 5, 0.0),
        Row("this engine without its margin", 10, 0.0, 2.8, 4.2, 5, 0.0),
        Row("a static lead time, same rate", 10, 1.0, 7.0, 0.0, 0, 0.0, 5),
        Row("infinite capacity, same rate", 10, 1.0, 7.0, 0.0, 0, 0.0, 3),
    ]


def test_a_breakdown_is_known_the_morning_after_it_began() -> None:
    stop = Stop("SAW", berlin("2026-03-02 07:30"), berlin("2026-03-02 09:30"))
    found = simulate(
        world(
            [
                ("2026-03-02 07:00", "BOARD", 7),  # planned until 14:00, two hours are lost: Tuesday 08:00
                ("2026-03-02 13:00", "BOARD", 1),  # planned Tuesday 06:00 to 07:00, done 09:00
                ("2026-03-03 05:00", "BOARD", 6),  # 09:00 to 14:00 and one hour on Wednesday, and that is what is said
            ],
            breakdowns=[stop],
        ),
        0.95,
    )
    assert days(found) == [(2, 2, 3), (3, 2, 3), (4, 3, 4)]


def test_pieces_that_are_spoilt_are_done_again() -> None:
    found = simulate(world([("2026-03-02 07:00", "BOARD", 5)], luck=Luck(spoilt=1.0)), 0.95)
    assert days(found) == [(2, 2, 3)]  # ten hours instead of five: Tuesday 09:00


def test_a_late_delivery_lets_others_go_first() -> None:
    # the table's leg comes on the 9th instead of the 4th; the board has the saw to itself meanwhile
    found = simulate(
        world([("2026-03-02 06:00", "TABLE", 1), ("2026-03-03 06:00", "BOARD", 8)], luck=Luck(late={"LEG": (3,)})), 0.95
    )
    assert days(found) == [(4, 4, 9), (3, 3, 3)]


def test_a_delivery_is_believed_until_its_day_has_passed() -> None:
    # Said for Tuesday the 3rd, 08:00, it comes on Friday at 08:00, which is known on Wednesday. The second table's leg is then
    # bought: it is said to come on Friday at 07:00, an hour earlier, and comes on Wednesday the 11th.
    late = world([("2026-03-02 06:00", "TABLE", 1), ("2026-03-04 07:00", "TABLE", 1)], luck=Luck(late={"LEG": (3,)}))
    found = simulate(replace(late, deliveries=[Delivery("PO 1", "LEG", 5, berlin("2026-03-03 08:00"))]), 0.95)
    assert days(found) == [(3, 3, 6), (6, 6, 11)]


def test_the_margin_is_the_quantile_that_holds_for_the_next_one() -> None:
    margin = Margin(0.9)
    assert margin.days("a") == FALLBACK
    for residual in (4, 0, 1, 0, 2, 0, 9, 0):
        margin.learn("a", residual)
    assert margin.days("a") == 9  # eight are too few for nine in ten: the worst that was seen
    margin.learn("a", 3)
    assert margin.days("a") == 9  # the ninth of nine: ceil(10 x 0.9)
    for _ in range(10):
        margin.learn("a", 1)
    assert margin.days("a") == 4  # the 18th of 19
    assert margin.days("b") == 4  # nothing known of its own: all together
    for _ in range(9):
        margin.learn("b", -2)
    assert margin.days("b") == 0  # early is no reason to name a day before the plan's


def test_lots_are_planned_again_in_the_order_in_which_the_engine_planned_them() -> None:
    monday = berlin("2026-03-02 06:00")
    makes = [
        Make(name, 1, monday, monday, (), demand) for name, demand in (("A", None), ("B", 0), ("C", 1), ("D", 0), ("E", None))
    ]
    outcome = Outcome("A", 2, monday, "make", (), makes, ())
    assert [makes[number].item for number in planned_order(outcome)] == ["C", "B", "D", "A", "E"]


def test_an_order_that_can_never_be_made_is_said() -> None:
    with pytest.raises(ValueError, match="order 1 can never be made: unknown_item CHAIR"):
        simulate(world([("2026-03-02 07:00", "CHAIR", 1)]), 0.95)
