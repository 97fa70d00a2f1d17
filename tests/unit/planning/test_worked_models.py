"""Models small enough to be worked out by hand; the reasoning stands beside each."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest

from backoffice.planning import (
    BomLine,
    Booking,
    Calendar,
    Item,
    Operation,
    Stop,
    Surplus,
    WorkCentre,
)
from tests.unit.planning.models import NOW, PLANT, berlin, factory, plan, receipt, stock, summary

SAW = WorkCentre("SAW", "plant")


def test_stock_is_ready_now() -> None:
    outcome = plan(factory(Item("A", "none")), stock("A", 5)).quote("A", 5)
    assert (outcome.ready_at, outcome.basis, summary(outcome)) == (NOW, "stock", [("A", 5, "stock", "stock")])
    assert [(link.kind, link.starts_at, link.ends_at) for link in outcome.chain] == [("stock", NOW, NOW)]


def test_more_than_there_is_is_refused_with_a_reason() -> None:
    answers = plan(factory(Item("A", "none")), stock("A", 5))
    outcome = answers.quote("A", 6)
    assert (outcome.ready_at, outcome.reason, outcome.blocked, answers.most("A")) == (None, "not_enough", "A", 5)
    assert answers.quote("?", 1).reason == "unknown_item"


@pytest.mark.parametrize("quantity", [0, -1])
def test_a_quantity_must_be_above_zero(quantity: int) -> None:
    with pytest.raises(ValueError, match="above 0"):
        plan(factory(Item("A", "none"))).quote("A", quantity)


def test_sell_from_limits_the_asked_item_only() -> None:
    # 2 in stock, 3 more on Thursday, and TABLE can be made from stocked LEGs in no time.
    model = factory(Item("TABLE", "make"), Item("LEG", "none"), boms={"TABLE": [BomLine("LEG", 4)]})
    answers = plan(model, stock("TABLE", 2), receipt("TABLE", 3, "2026-11-26 08:00"), stock("LEG", 40, "legs"))
    assert answers.quote("TABLE", 2, sell_from="stock").ready_at == NOW
    assert answers.quote("TABLE", 3, sell_from="stock").reason == "not_enough"
    assert answers.quote("TABLE", 5, sell_from="incoming").ready_at == berlin("2026-11-26 08:00")
    assert answers.quote("TABLE", 6, sell_from="incoming").reason == "not_enough"
    made = answers.quote("TABLE", 6, sell_from="production")
    assert (made.ready_at, made.basis) == (NOW, "mixed")  # 2 from stock, 4 made at once


def test_work_pauses_over_a_weekend_and_a_holiday() -> None:
    # 10 + 5 x 100 = 510 minutes from Friday 09:00. Friday gives 300, Monday is a holiday: 210 on Tuesday, to 09:30.
    closed_monday = Calendar("Europe/Berlin", PLANT.weekly, {date(2026, 11, 30): ()})
    model = factory(
        Item("A", "make"),
        routings={"A": [Operation("SAW", 10, 5)]},
        centres=[SAW],
        calendars={"plant": closed_monday},
    )
    outcome = plan(model, now=berlin("2026-11-27 09:00")).quote("A", 100)
    assert outcome.ready_at == berlin("2026-12-01 09:30")
    assert outcome.makes[0].slots[0].starts_at == berlin("2026-11-27 09:00")
    assert [link.kind for link in outcome.chain] == ["operation"]


def test_an_operation_starts_when_the_shift_starts_and_may_end_with_it() -> None:
    # Asked at 15:00 after the shift: 480 minutes are exactly the next shift, 06:00 to 14:00.
    model = factory(Item("A", "make"), routings={"A": [Operation("SAW", 480)]}, centres=[SAW])
    outcome = plan(model, now=berlin("2026-11-24 15:00")).quote("A", 1)
    slot = outcome.makes[0].slots[0]
    assert (slot.starts_at, slot.ends_at) == (berlin("2026-11-25 06:00"), berlin("2026-11-25 14:00"))
    assert [(link.kind, link.details.get("cause")) for link in outcome.chain] == [("wait", "closed"), ("operation", None)]


@pytest.mark.parametrize(
    ("saturday", "expected"),
    [
        ("2026-03-28", "2026-03-29 05:30"),  # clocks go forward: 22:00 CET + 6 h 30 = 03:30 UTC = 05:30 CEST
        ("2026-10-24", "2026-10-25 03:30"),  # clocks go back: 22:00 CEST + 6 h 30 = 02:30 UTC = 03:30 CET
        ("2026-11-21", "2026-11-22 04:30"),  # an ordinary night
    ],
)
def test_a_night_shift_is_as_long_as_it_really_is(saturday: str, expected: str) -> None:
    night = Calendar("Europe/Berlin", {5: [(1320, 1440)], 6: [(0, 360)]})
    model = factory(
        Item("A", "make"),
        routings={"A": [Operation("KILN", 390)]},
        centres=[WorkCentre("KILN", "night")],
        calendars={"night": night},
    )
    assert plan(model, now=berlin(f"{saturday} 12:00")).quote("A", 1).ready_at == berlin(expected)


def test_two_lanes_take_what_frees_first() -> None:
    # Lane 0 is busy to 11:00, lane 1 to 10:00; 60 minutes go to lane 1 at 10:00, the next to lane 0 or 1 at 11:00.
    model = factory(Item("A", "make"), routings={"A": [Operation("SAW", 60)]}, centres=[WorkCentre("SAW", "plant", lanes=2)])
    answers = plan(
        model,
        bookings=[
            Booking("SAW", 0, berlin("2026-11-24 07:00"), berlin("2026-11-24 11:00")),
            Booking("SAW", 1, NOW, berlin("2026-11-24 10:00")),
        ],
    )
    first, second = answers.commit("A", 1), answers.commit("A", 1)
    assert (first.makes[0].slots[0].lane, first.ready_at) == (1, berlin("2026-11-24 11:00"))
    assert (second.makes[0].slots[0].lane, second.ready_at) == (0, berlin("2026-11-24 12:00"))
    assert [(link.kind, link.details.get("cause")) for link in first.chain] == [("wait", "busy"), ("operation", None)]


def test_an_operation_fills_a_gap_only_if_it_fits() -> None:
    # Free from 09:00 to 10:00 and from 12:00. 60 minutes fit the gap, 61 do not and must not run through the booking.
    model = factory(Item("A", "make"), routings={"A": [Operation("SAW", minutes_per_unit=1)]}, centres=[SAW])
    booking = Booking("SAW", 0, berlin("2026-11-24 10:00"), berlin("2026-11-24 12:00"))
    answers = plan(model, bookings=[booking])
    assert answers.quote("A", 60).ready_at == berlin("2026-11-24 10:00")
    assert answers.quote("A", 61).ready_at == berlin("2026-11-24 13:01")


def test_unlimited_lanes_never_wait_for_each_other() -> None:
    model = factory(Item("A", "make"), routings={"A": [Operation("SAW", 60)]}, centres=[WorkCentre("SAW", "plant", lanes=None)])
    answers = plan(model)
    assert [answers.commit("A", 1).ready_at for _ in range(3)] == [berlin("2026-11-24 10:00")] * 3


def test_components_sharing_one_item_see_each_other() -> None:
    # TOP and FRAME take 4 screws each; 6 are there, the rest comes 3 days after the order (09:00 Friday). TOP is first in
    # the bill and takes 4; FRAME finds 2 and needs 2 more. Neither may count the same 6 screws.
    model = factory(
        Item("DESK", "make"),
        Item("TOP", "make"),
        Item("FRAME", "make"),
        Item("SCREW", "buy", lead_days=3),
        boms={
            "DESK": [BomLine("TOP", 1), BomLine("FRAME", 1)],
            "TOP": [BomLine("SCREW", 4)],
            "FRAME": [BomLine("SCREW", 4)],
        },
    )
    answers = plan(model, stock("SCREW", 6))
    outcome = answers.quote("DESK", 1)
    assert outcome.ready_at == berlin("2026-11-27 09:00")
    screws = [peg for peg in outcome.pegs if peg.item == "SCREW"]
    assert [(peg.quantity, peg.kind, outcome.makes[peg.demand].item) for peg in screws] == [
        (4, "stock", "TOP"),
        (2, "stock", "FRAME"),
        (2, "buy", "FRAME"),
    ]
    assert [(link.kind, link.item) for link in outcome.chain] == [("buy", "SCREW"), ("make", "FRAME"), ("make", "DESK")]


def test_components_sharing_one_work_centre_see_each_other() -> None:
    # TOP 60 and FRAME 60 minutes on one saw: 09:00-10:00 and 10:00-11:00; then DESK 30 minutes on the bench: 11:30.
    model = factory(
        Item("DESK", "make"),
        Item("TOP", "make"),
        Item("FRAME", "make"),
        boms={"DESK": [BomLine("TOP", 1), BomLine("FRAME", 1)]},
        routings={
            "TOP": [Operation("SAW", 60)],
            "FRAME": [Operation("SAW", 60)],
            "DESK": [Operation("BENCH", fixed_minutes=30)],
        },
        centres=[SAW, WorkCentre("BENCH", "plant")],
    )
    outcome = plan(model).quote("DESK", 1)
    assert outcome.ready_at == berlin("2026-11-24 11:30")
    assert [(link.kind, link.item, link.ends_at) for link in outcome.chain] == [
        ("wait", "FRAME", berlin("2026-11-24 10:00")),
        ("operation", "FRAME", berlin("2026-11-24 11:00")),
        ("operation", "DESK", berlin("2026-11-24 11:30")),
    ]


def test_lot_sizes_and_what_is_left_of_a_lot() -> None:
    # 43 in lots of 10 to 20 by fives: 20, 20, and 10 for the last 3. 7 are left and become free when that lot is done.
    # 1 minute each: 09:00 + 20 + 20 + 10 minutes on one saw.
    model = factory(
        Item("A", "make", minimum=10, multiple=5, maximum=20),
        routings={"A": [Operation("SAW", minutes_per_unit=1)]},
        centres=[SAW],
    )
    answers = plan(model)
    outcome = answers.commit("A", 43)
    assert [make.quantity for make in outcome.makes] == [20, 20, 10]
    assert [peg.quantity for peg in outcome.pegs] == [20, 20, 3]
    assert outcome.ready_at == berlin("2026-11-24 09:50")
    assert answers.most("A") == 7
    left = answers.commit("A", 7)
    assert (left.ready_at, left.basis, left.pegs[0].supply) == (berlin("2026-11-24 09:50"), "receipt", Surplus(0, "A", 2))
    assert answers.most("A") == 0
    nobodys = plan(model)
    assert nobodys.commit("A", 43, yields=("buy",)) == outcome
    assert nobodys.most("A") == 0


def test_a_buy_comes_in_order_lines_with_one_lead_time() -> None:
    # 25 bought in lines of at most 10, at least 4, by twos: 10, 10 and 6 for the last 5: one is left over.
    model = factory(Item("A", "buy", lead_days=2, minimum=4, multiple=2, maximum=10))
    answers = plan(model)
    outcome = answers.commit("A", 25)
    assert (outcome.ready_at, outcome.basis) == (berlin("2026-11-26 09:00"), "buy")
    assert summary(outcome) == [("A", 25, "buy", None)]
    assert answers.most("A") == 1


def test_a_lead_time_counts_open_days_of_its_calendar_and_keeps_the_time_of_day() -> None:
    # Tuesday 09:00 + 3 open days, Thursday closed: Wednesday, Friday, Monday.
    buyer = Calendar("Europe/Berlin", PLANT.weekly, {date(2026, 11, 26): ()})
    model = factory(Item("A", "buy", lead_days=3, lead_calendar="buyer"), calendars={"buyer": buyer})
    assert plan(model).quote("A", 1).ready_at == berlin("2026-11-30 09:00")


def test_a_lead_time_keeps_the_time_of_day_when_the_clocks_change() -> None:
    model = factory(Item("A", "buy", lead_days=2))
    answers = plan(model, now=berlin("2026-03-28 09:00"))  # 08:00 UTC; two days later 09:00 is 07:00 UTC
    assert answers.quote("A", 1).ready_at == berlin("2026-03-30 09:00")


def test_safety_stock_is_never_promised_and_what_comes_fills_it_first() -> None:
    # 3 there, 5 must stay: nothing now. With 10 on Thursday 13 are there, 8 may be promised.
    model = factory(Item("A", "none", safety_stock=5))
    answers = plan(model, stock("A", 3), receipt("A", 10, "2026-11-26 08:00"))
    assert answers.most("A") == 8
    assert answers.quote("A", 1).ready_at == berlin("2026-11-26 08:00")
    assert answers.commit("A", 8).ready_at == berlin("2026-11-26 08:00")
    assert answers.quote("A", 1).reason == "not_enough"


def test_a_stop_closes_a_work_centre() -> None:
    # 120 minutes from 09:00, stopped from 10:00 to 12:00: 60 before, 60 after. The other saw does not stop.
    model = factory(
        Item("A", "make"),
        Item("B", "make"),
        routings={"A": [Operation("SAW", 120)], "B": [Operation("SAW 2", 120)]},
        centres=[SAW, WorkCentre("SAW 2", "plant")],
        stops=[Stop("SAW", berlin("2026-11-24 10:00"), berlin("2026-11-24 12:00"))],
    )
    assert plan(model).quote("A", 1).ready_at == berlin("2026-11-24 13:00")
    assert plan(model).quote("B", 1).ready_at == berlin("2026-11-24 11:00")
    assert plan(model).quote("A", 1).chain[0].details["stopped_until"] == berlin("2026-11-24 12:00")
    assert "stopped_until" not in plan(model).quote("B", 1).chain[0].details


@pytest.mark.parametrize(
    ("stopped", "waits"),
    [
        # open 06:00 to 14:00: a stop of two hours; one over the night lasts to the opening; one while the work centre is
        # closed anyway explains nothing
        (("2026-11-24 08:00", "2026-11-24 10:00"), [("stopped", "2026-11-24 10:00")]),
        (("2026-11-24 08:00", "2026-11-25 05:00"), [("stopped", "2026-11-25 06:00")]),
        (("2026-11-24 18:00", "2026-11-24 19:00"), []),
    ],
)
def test_a_wait_for_a_stopped_work_centre_is_named(stopped: tuple[str, str], waits: list[tuple[str, str]]) -> None:
    model = factory(
        Item("A", "make"),
        routings={"A": [Operation("SAW", 60)]},
        centres=[SAW],
        stops=[Stop("SAW", berlin(stopped[0]), berlin(stopped[1]))],
    )
    chain = plan(model).quote("A", 1).chain
    found = [(link.details["cause"], link.ends_at) for link in chain if link.kind == "wait"]
    assert found == [(cause, berlin(until)) for cause, until in waits]


def test_behind_a_stop_a_busy_work_centre_is_named_too() -> None:
    # stopped from 09:00 to 11:00; another order has the saw from 11:00 to 12:00
    model = factory(
        Item("A", "make"),
        routings={"A": [Operation("SAW", 60)]},
        centres=[SAW],
        stops=[Stop("SAW", berlin("2026-11-24 08:00"), berlin("2026-11-24 11:00"))],
    )
    answers = plan(model)
    answers.commit("A", 1)
    chain = answers.quote("A", 1).chain
    found = [(link.kind, link.details.get("cause"), link.ends_at) for link in chain]
    assert found == [
        ("wait", "stopped", berlin("2026-11-24 11:00")),
        ("wait", "busy", berlin("2026-11-24 12:00")),
        ("operation", None, berlin("2026-11-24 13:00")),
    ]


def test_scrap_takes_more_than_is_needed() -> None:
    # A need of 90 at 10 % scrap takes 100; a need of 1 takes 2 whole ones, or 10/9 where parts are allowed.
    items = [Item("A", "make"), Item("B", "none")]
    boms = {"A": [BomLine("B", 1, Fraction(1, 10))]}
    answers = plan(factory(*items, boms=boms), stock("B", 1000))
    assert answers.quote("A", 90).pegs[1].quantity == 100
    assert answers.quote("A", 1).pegs[1].quantity == 2
    exact = plan(factory(*items, boms=boms, whole=False), stock("B", 1000))
    assert exact.quote("A", 1).pegs[1].quantity == Fraction(10, 9)


def test_efficiency_and_frozen_zone() -> None:
    # 60 minutes at efficiency 3/2 are 40; frozen to Wednesday 07:00: 07:40. The wait is the frozen zone's.
    slow = WorkCentre("SAW", "plant", efficiency=Fraction(3, 2), frozen_until=berlin("2026-11-25 07:00"))
    model = factory(Item("A", "make"), routings={"A": [Operation("SAW", 20, 20, 20)]}, centres=[slow])
    outcome = plan(model).quote("A", 1)
    assert outcome.ready_at == berlin("2026-11-25 07:40")
    assert outcome.chain[0].details["cause"] == "frozen"


def test_a_third_of_a_minute_is_exact() -> None:
    # 3 x 1/3 minute is one minute, not 0.99...; 1/7 minute is rounded up to the next microsecond.
    model = factory(
        Item("A", "make"),
        Item("B", "make"),
        routings={
            "A": [Operation("SAW", minutes_per_unit=Fraction(1, 3))],
            "B": [Operation("SAW", minutes_per_unit=Fraction(1, 7))],
        },
        centres=[SAW],
    )
    assert plan(model).quote("A", 3).ready_at == berlin("2026-11-24 09:01")
    assert plan(model).quote("B", 1).ready_at == NOW + timedelta(microseconds=8_571_429)
