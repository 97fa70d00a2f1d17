"""Worked models of where material comes from, what can never be kept, and cases from textbooks."""

from __future__ import annotations

import time
from datetime import timedelta
from fractions import Fraction

from backoffice.planning import (
    BomLine,
    Booking,
    Calendar,
    Item,
    Operation,
    Plan,
    Supplier,
    Supply,
    WorkCentre,
)
from tests.unit.planning.models import NOW, berlin, factory, judge, plan, receipt, stock, summary

SAW = WorkCentre("SAW", "plant")


def test_components_take_the_latest_supply_in_time() -> None:
    # The saw is busy until 12:00. A needs one B: the receipt of 11:00 is in time, so the stock stays free for others,
    # and the receipt of 13:00 is not. 11:00 does not decide: the saw does.
    model = factory(
        Item("A", "make"),
        Item("B", "none"),
        boms={"A": [BomLine("B", 1)]},
        routings={"A": [Operation("SAW", 60)]},
        centres=[SAW],
    )
    answers = plan(
        model,
        stock("B", 1),
        receipt("B", 1, "2026-11-24 11:00", "in time"),
        receipt("B", 1, "2026-11-24 13:00", "late"),
        bookings=[Booking("SAW", 0, NOW, berlin("2026-11-24 12:00"))],
    )
    outcome = answers.commit("A", 1)
    assert outcome.ready_at == berlin("2026-11-24 13:00")
    assert [peg.supply for peg in outcome.pegs if peg.item == "B"] == ["in time"]
    assert answers.quote("B", 1).ready_at == NOW


def test_open_orders_come_before_new_purchases_if_they_are_in_time() -> None:
    # B could be bought by Thursday, C only by Tuesday (7 days). B's open order arrives on Friday: in time for the start
    # on Tuesday, so nothing is bought. A B asked for alone is bought, for it is earlier.
    model = factory(
        Item("A", "make"),
        Item("B", "buy", lead_days=2),
        Item("C", "buy", lead_days=7),
        boms={"A": [BomLine("B", 5), BomLine("C", 1)]},
    )
    answers = plan(model, receipt("B", 8, "2026-11-27 08:00"))
    outcome = answers.quote("A", 1)
    assert outcome.ready_at == berlin("2026-12-01 09:00")
    assert [(peg.item, peg.kind) for peg in outcome.pegs] == [("A", "make"), ("B", "receipt"), ("C", "buy")]
    assert answers.quote("B", 5).basis == "buy"


def test_the_earliest_whole_combination_is_taken() -> None:
    # 10 wanted, an hour each on one saw from 09:00. 2 in stock: the other 8 would take to Wednesday 09:00 (5 + 3 hours).
    # With the 7 arriving at 10:00 only one is made, by 10:00. The last one, arriving at 13:30, would be later.
    model = factory(Item("A", "make"), routings={"A": [Operation("SAW", minutes_per_unit=60)]}, centres=[SAW])
    answers = plan(model, stock("A", 2), receipt("A", 7, "2026-11-24 10:00", "seven"), receipt("A", 1, "2026-11-24 13:30", "one"))
    outcome = answers.quote("A", 10)
    assert (outcome.ready_at, outcome.basis) == (berlin("2026-11-24 10:00"), "mixed")
    assert summary(outcome) == [("A", 7, "receipt", "seven"), ("A", 2, "stock", "stock"), ("A", 1, "make", 0)]


def test_a_receipt_beats_making_when_it_is_as_early() -> None:
    model = factory(Item("A", "make"), routings={"A": [Operation("SAW", 60)]}, centres=[SAW])
    outcome = plan(model, receipt("A", 1, "2026-11-24 10:00")).quote("A", 1)
    assert (outcome.ready_at, outcome.basis) == (berlin("2026-11-24 10:00"), "receipt")


def test_receipts_past_due_are_no_supply() -> None:
    answers = plan(factory(Item("A", "none")), receipt("A", 5, "2026-11-24 08:59"), receipt("A", 2, "2026-11-24 09:00"))
    assert answers.most("A") == 2


def test_stock_may_be_used_now_whenever_it_came() -> None:
    supply = Supply("old", "A", 1, berlin("2020-01-01 00:00"), "stock")
    assert plan(factory(Item("A", "none")), supply).quote("A", 1).pegs[0].available_at == NOW


def test_no_minutes_need_no_open_time_and_no_lane() -> None:
    never = Calendar("Europe/Berlin", {})
    model = factory(
        Item("A", "make"),
        routings={"A": [Operation("X")]},
        centres=[WorkCentre("X", "never")],
        calendars={"never": never},
    )
    outcome = plan(model).quote("A", 1)
    assert outcome.ready_at == NOW
    assert (outcome.makes[0].slots[0].starts_at, outcome.makes[0].slots[0].ends_at) == (NOW, NOW)


def test_a_calendar_that_never_opens() -> None:
    model = factory(
        Item("A", "make"),
        Item("B", "buy", lead_days=1, lead_calendar="never"),
        routings={"A": [Operation("X", 1)]},
        centres=[WorkCentre("X", "never")],
        calendars={"never": Calendar("Europe/Berlin", {})},
    )
    made, bought = plan(model).quote("A", 1), plan(model).quote("B", 1)
    assert (made.ready_at, made.reason, made.blocked) == (None, "never_opens", "X")
    assert (bought.ready_at, bought.reason, bought.blocked) == (None, "never_opens", "B")


def test_nothing_is_made_from_nothing_without_a_routing() -> None:
    model = factory(Item("A", "make"), Item("B", "make"), routings={"B": [Operation("SAW", 1)]}, centres=[SAW])
    assert plan(model).quote("A", 1).reason == "no_bom_or_routing"
    assert plan(model).quote("B", 1).ready_at == berlin("2026-11-24 09:01")


def test_huge_quantities_are_answered_at_once() -> None:
    model = factory(
        Item("A", "make", maximum=1),
        Item("B", "make"),
        Item("C", "buy", lead_days=1, maximum=1),
        Item("D", "make", minimum=10, maximum=5),
        boms={"A": [BomLine("C", 1)], "D": [BomLine("C", 1)]},
        routings={"B": [Operation("SAW", minutes_per_unit=5)]},
        centres=[SAW],
    )
    answers, begun = plan(model), time.process_time()
    assert answers.quote("A", 10**9).reason == "too_many"
    assert answers.quote("B", 10**9).reason == "beyond_horizon"
    assert answers.quote("C", 10**9).ready_at == berlin("2026-11-25 09:00")
    assert answers.quote("D", 1).reason == "lot_sizes"
    assert time.process_time() - begun < 2  # generous: it must not hang


def test_a_tree_of_choices_is_answered_at_once() -> None:
    # Twelve levels, two parts each, and a late receipt at every one: 4,096 leaves and a choice at every node.
    keys = [(level, side) for level in range(13) for side in "LR"]
    boms = {key: [BomLine((key[0] + 1, side), 1) for side in "LR"] for key in keys if key[0] < 12}
    items = [Item(key, "make" if key[0] < 12 else "buy", lead_days=3) for key in keys]
    routings = {key: [Operation("SAW", 1)] for key in keys if key[0] < 12}
    answers = plan(
        factory(*items, boms=boms, routings=routings, centres=[SAW]),
        *(receipt(key, 1, "2026-11-26 08:00", ("PO", key)) for key in keys),
    )
    begun = time.process_time()
    outcome = answers.quote((0, "L"), 2)
    assert (outcome.ready_at is None) == (outcome.reason == "too_many")
    assert time.process_time() - begun < 5  # generous: it must not hang


def test_a_cycle_is_answered_and_not_followed() -> None:
    model = factory(Item("A", "make"), Item("B", "make"), boms={"A": [BomLine("B", 1)], "B": [BomLine("A", 1)]})
    assert plan(model).quote("A", 1).reason == "cyclic_bom"


def test_castings_that_arrive_in_two_weeks() -> None:
    # Source: a worked capable-to-promise case (usersolutions.com). 80 pumps; castings 45 there, lead time 2 weeks;
    # motors 80, seal kits 200. 35 castings are short: all 80 start in two weeks, a part of 45 could start today.
    model = factory(
        Item("PUMP", "make"),
        Item("CASTING", "buy", lead_days=14),
        Item("MOTOR", "none"),
        Item("SEAL", "none"),
        boms={"PUMP": [BomLine("CASTING", 1), BomLine("MOTOR", 1), BomLine("SEAL", 1)]},
    )
    answers = plan(model, stock("CASTING", 45, "c"), stock("MOTOR", 80, "m"), stock("SEAL", 200, "s"))
    outcome = answers.quote("PUMP", 80)
    assert outcome.ready_at == berlin("2026-12-08 09:00")
    assert [peg.quantity for peg in outcome.pegs if peg.kind == "buy"] == [35]
    assert answers.quote("PUMP", 45).ready_at == NOW


def test_fixed_and_variable_lead_time() -> None:
    # Source: a worked lead-time case (docs.oracle.com). 9 days fixed and 0.1 day a piece: 10 pieces take 10 days, so
    # from day 1 they are ready on day 11. Days are 24 hours of a work centre that is always open.
    always = Calendar("UTC", {day: [(0, 1440)] for day in range(7)})
    model = factory(
        Item("A", "make"),
        routings={"A": [Operation("X", fixed_minutes=9 * 1440, minutes_per_unit=144)]},
        centres=[WorkCentre("X", "always")],
        calendars={"always": always},
    )
    assert plan(model).quote("A", 10).ready_at == NOW + timedelta(days=10)


def test_a_lead_time_is_a_purchase_that_is_pegged_and_not_an_endless_supply() -> None:
    # Source: a worked replenishment case (blogs.sap.com). 100 wanted, 50 come before and 50 after the lead time ends:
    # 50 from the receipt and 50 from a purchase at the end of the lead time; the later receipt stays free.
    model = factory(Item("A", "buy", lead_days=5))
    answers = plan(model, receipt("A", 50, "2026-11-26 08:00", "before"), receipt("A", 50, "2026-12-10 08:00", "after"))
    outcome = answers.commit("A", 100)
    assert outcome.ready_at == berlin("2026-11-29 09:00")
    assert summary(outcome) == [("A", 50, "receipt", "before"), ("A", 50, "buy", None)]
    assert answers.most("A") == 50


def test_a_deep_model_is_feasible_as_a_whole() -> None:
    model = factory(
        Item("DESK", "make", maximum=3),
        Item("TOP", "make", minimum=4),
        Item("LEG", "buy", lead_days=2, multiple=6),
        boms={"DESK": [BomLine("TOP", 1), BomLine("LEG", 4)], "TOP": [BomLine("LEG", 1, Fraction(1, 4))]},
        routings={"DESK": [Operation("SAW", 5, 7), Operation("OVEN", 30)], "TOP": [Operation("SAW", 0, 11)]},
        centres=[SAW, WorkCentre("OVEN", "plant", lanes=2)],
    )
    supplies = [stock("LEG", 9), receipt("LEG", 5, "2026-11-24 12:00"), stock("TOP", 1, "top")]
    answers = Plan(model, NOW, supplies, [])
    judge(model, NOW, supplies, [], [answers.commit("DESK", quantity) for quantity in (2, 5, 1)])


def test_suppliers_are_tried_in_their_order() -> None:
    # The first supplier brings by the dozen in 5 days, the second any quantity from 10 on in 2 days, the third in 1. With no
    # day asked the first is taken; for Friday noon (3 days) the second; for Wednesday noon the third; 5 of 12 are left over.
    screw = Item(
        "SCREW",
        "buy",
        lead_days=5,
        multiple=12,
        suppliers=[Supplier("quick", 2, minimum=10), Supplier("near", 1, multiple=100), Supplier("far", 30)],
    )
    answers = plan(factory(screw))
    first = answers.quote("SCREW", 7)
    assert (first.ready_at, summary(first)) == (berlin("2026-11-29 09:00"), [("SCREW", 7, "buy", None)])
    assert first.chain[0].details["lead_days"] == 5
    friday, wednesday = (answers.quote("SCREW", 7, due=berlin(f"2026-11-{day} 12:00")) for day in (27, 25))
    assert (friday.ready_at, summary(friday)) == (berlin("2026-11-27 12:00"), [("SCREW", 7, "buy", "quick")])
    assert (wednesday.ready_at, summary(wednesday)) == (berlin("2026-11-25 12:00"), [("SCREW", 7, "buy", "near")])
    assert wednesday.chain[0].details["lead_days"] == 1
    late = answers.quote("SCREW", 7, due=berlin("2026-11-25 08:00"))
    assert (late.ready_at, summary(late)) == (berlin("2026-11-29 09:00"), [("SCREW", 7, "buy", None)])
    answers.commit("SCREW", 7, due=berlin("2026-11-27 12:00"))
    assert answers.most("SCREW") == 3  # at least 10 are ordered
