"""Alternates, kits, phantoms, goods that expire, parts and lots, worked by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.lab.models import NOW, answer, at, parts, pegs, quote, quotes, times


def stock(**quantities: float) -> list[dict[str, Any]]:
    return [{"id": item.lower(), "item": item, "quantity": quantity} for item, quantity in quantities.items()]


def items(**sources: str) -> dict[str, Any]:
    return {key: {"source": source, **({"lead_days": 5} if source == "buy" else {})} for key, source in sources.items()}


CHAIR: dict[str, Any] = {"boms": {"CHAIR": [{"item": "LEG", "quantity": 4, "alternates": ["LEG2", "LEG3"]}]}}


def test_an_alternate_takes_the_whole_need_and_is_never_mixed() -> None:
    # Two chairs take 8 legs. 6 and 7 of the first two do not do, though 13 would; 8 of the third do.
    made = items(CHAIR="make", LEG="none", LEG2="none", LEG3="none")
    line = quote("CHAIR", 2, items=made, stock=stock(LEG=6, LEG2=7, LEG3=8), **CHAIR)
    assert (line["ready_at"], pegs(line, "LEG", "LEG2", "LEG3")) == (NOW, {"leg3": 8})
    assert "LEG3 stands in for LEG in CHAIR" in line["reasons"]
    assert quote("CHAIR", 3, items=made, stock=stock(LEG=6, LEG2=7, LEG3=8), **CHAIR)["ready_at"] is None


def test_the_first_alternate_that_can_be_had_is_taken_and_the_first_in_time_where_a_day_is_asked() -> None:
    # LEG can be bought, in five days: with no day asked it is taken, though LEG2 is there. By Thursday it cannot be had: LEG2.
    made = {"items": items(CHAIR="make", LEG="buy", LEG2="none", LEG3="none"), "stock": stock(LEG2=8), **CHAIR}
    early, asked, later = quotes(
        {"item": "CHAIR", "quantity": 2},
        {"item": "CHAIR", "quantity": 2, "due": at("26 12:00")},
        {"item": "CHAIR", "quantity": 2, "due": at("30 12:00")},
        **made,
    )
    assert (early["ready_at"], pegs(early, "LEG", "LEG2")) == (at("29 09:00"), {"proposal LEG for q0": 8})
    assert (asked["ready_at"], asked["late"], pegs(asked, "LEG", "LEG2")) == (NOW, False, {"leg2": 8})
    assert (later["ready_at"], pegs(later, "LEG", "LEG2")) == (at("30 12:00"), {"proposal LEG for q2": 8})


def test_another_work_centre_is_tried_when_the_first_is_not_in_time() -> None:
    # The saw is taken from 09:00 to 13:00. 60 minutes by 13:30 do not fit there, so the other saw takes them, whole.
    other = {
        "items": items(BOX="make", BEAM="make"),
        "routings": {
            "BEAM": [{"work_centre": "SAW", "fixed_minutes": 240}],
            "BOX": [{"work_centre": "SAW", "fixed_minutes": 60, "alternates": ["SAW2"]}],
        },
        "work_centres": {"SAW": {"calendar": "plant"}, "SAW2": {"calendar": "plant", "efficiency": 0.5}},
        "commitments": [{"id": "c", "item": "BEAM", "quantity": 1}],
    }
    free, asked = quotes({"item": "BOX", "quantity": 1}, {"item": "BOX", "quantity": 1, "due": at("24 13:30")}, **other)
    assert times(free) == [("SAW", at("24 13:00"), at("24 14:00"))]
    assert times(asked) == [("SAW2", at("24 11:30"), at("24 13:30"))]  # half as fast: 120 minutes
    assert "BOX is made at SAW2 instead of SAW" in asked["reasons"]


def test_going_back_to_another_alternate_when_what_comes_before_no_longer_fits() -> None:
    # By 11:00: PAINT takes 60 on OVEN or 10 on OVEN2, after 70 on the saw. With OVEN the sawing would have to begin at 08:50.
    line = quote(
        "BOX",
        1,
        at("24 11:00"),
        items=items(BOX="make"),
        routings={
            "BOX": [
                {"work_centre": "SAW", "fixed_minutes": 70},
                {"work_centre": "OVEN", "fixed_minutes": 60, "alternates": ["OVEN2"]},
            ]
        },
        work_centres={
            "SAW": {"calendar": "plant"},
            "OVEN": {"calendar": "plant"},
            "OVEN2": {"calendar": "plant", "efficiency": 6},
        },
    )
    assert times(line) == [("SAW", at("24 09:40"), at("24 10:50")), ("OVEN2", at("24 10:50"), at("24 11:00"))]


def test_a_kit_is_ready_with_its_last_component_and_does_nothing_else() -> None:
    # 2 sets: 2 tables from stock, 8 cups of which 6 are there and the receipt brings 10 on Thursday 08:00. By then latest fit
    # takes all 8 cups from the receipt.
    cups = {
        "items": items(SET="kit", TABLE="none", CUP="none"),
        "boms": {"SET": [{"item": "TABLE", "quantity": 1}, {"item": "CUP", "quantity": 4}]},
        "routings": {"SET": [{"work_centre": "SAW", "fixed_minutes": 60}]},
        "stock": stock(TABLE=2, CUP=6),
        "receipts": [{"id": "PO", "item": "CUP", "quantity": 10, "at": at("26 08:00")}],
    }
    one, two, three = quotes(
        {"item": "SET", "quantity": 1}, {"item": "SET", "quantity": 2}, {"item": "SET", "quantity": 3}, **cups
    )
    assert (one["ready_at"], one["basis"], pegs(one), one["operations"]) == (NOW, "stock", {"table": 1, "cup": 4}, [])
    assert (two["ready_at"], two["basis"], pegs(two)) == (at("26 08:00"), "mixed", {"table": 2, "PO": 8})
    assert (three["ready_at"], three["basis"], three["parts"]) == (None, None, [])


def test_a_phantom_is_exploded_through() -> None:
    # 3 desks, each one frame (a phantom) of 2 bars, a tenth of which is lost: 3 x 2 / 0.9 = 6.67 bars, of any quantity.
    line = quote(
        "DESK",
        3,
        items={**items(DESK="make", FRAME="phantom"), "BAR": {"source": "buy", "lead_days": 1, "multiple": 0}},
        boms={
            "DESK": [{"item": "FRAME", "quantity": 1}],
            "FRAME": [{"item": "BAR", "quantity": 2, "scrap": 0.1}],
        },
        routings={"FRAME": [{"work_centre": "SAW", "fixed_minutes": 600}], "DESK": [{"work_centre": "SAW", "fixed_minutes": 30}]},
    )
    assert times(line) == [("SAW", at("25 09:00"), at("25 09:30"))]
    assert pegs(line) == {"lot DESK for q0": 3, "proposal BAR for q0": pytest.approx(20 / 3)}


MILK: dict[str, Any] = {
    "items": items(MILK="none"),
    "stock": [
        {"id": "old", "item": "MILK", "quantity": 4, "expires_on": "2026-11-24"},
        {"id": "long", "item": "MILK", "quantity": 4, "expires_on": "2026-12-24"},
        {"id": "short", "item": "MILK", "quantity": 4, "expires_on": "2026-11-26"},
    ],
}


def test_what_expires_first_goes_first_while_it_ships_before() -> None:
    # "old" has expired today. "short" ships until Wednesday the 25th.
    line = quote("MILK", 6, **MILK)
    assert (line["ready_at"], pegs(line)) == (NOW, {"short": 4, "long": 2})
    assert quote("MILK", 9, **MILK)["ready_at"] is None


def test_the_cut_off_decides_whether_a_lot_still_ships_in_time() -> None:
    # Two days of packing: Thursday the 26th, when "short" has expired.
    shipping = {"pick_pack_days": 2, "cutoff": "12:00", "warehouse_calendar": "plant"}
    line = quote("MILK", 4, shipping=shipping, **MILK)
    assert (line["ready_at"], line["ship_on"], pegs(line)) == (NOW, "2026-11-26", {"long": 4})


def test_a_lot_that_expires_before_the_work_begins_is_not_used_for_it() -> None:
    # 6 cakes take 6 milk; the oven opens on Friday the 27th. "short" is of no use then: with 5, 4 of "long" are not enough.
    oven = {"calendars": {"plant": {"weekly": {"fri": [["06:00", "14:00"]]}}}, "work_centres": {"OVEN": {"calendar": "plant"}}}
    baked = {
        **oven,
        "items": {**items(CAKE="make"), "MILK": {"source": "buy", "lead_days": 20}},
        "stock": MILK["stock"],
        "boms": {"CAKE": [{"item": "MILK", "quantity": 1}]},
        "routings": {"CAKE": [{"work_centre": "OVEN", "fixed_minutes": 30}]},
    }
    four, five = quotes({"item": "CAKE", "quantity": 4}, {"item": "CAKE", "quantity": 5}, **baked)
    assert (four["ready_at"], pegs(four, "MILK")) == (at("27 06:30"), {"long": 4})
    # Bought on 14 December, and the next Friday is the 18th: "long" is still good.
    assert (five["ready_at"], pegs(five, "MILK")) == ("2026-12-18T06:30:00+01:00", {"long": 4, "proposal MILK for q1": 1})


def test_a_lot_is_left_to_who_can_use_nothing_else() -> None:
    # "first" is due on Friday and takes the lot, as it expires first. Then "second" wants it today: the receipt of Thursday is as
    # good for "first", so its peg moves, and both are in time.
    found = answer(
        items=items(MILK="none"),
        stock=[{"id": "lot", "item": "MILK", "quantity": 4, "expires_on": "2026-11-30"}],
        receipts=[{"id": "PO", "item": "MILK", "quantity": 4, "at": at("26 08:00")}],
        commitments=[
            {"id": "first", "item": "MILK", "quantity": 4, "due": at("27 12:00")},
            {"id": "second", "item": "MILK", "quantity": 3},
        ],
        quotes=[{"id": "q", "item": "MILK", "quantity": 1}],
    )
    first, second = found["commitments"]
    assert (first["ready_at"], first["late"], pegs(first)) == (at("26 08:00"), False, {"lot": 1, "PO": 3})
    assert (second["ready_at"], pegs(second)) == (NOW, {"lot": 3})
    [left] = found["quotes"]
    assert (left["ready_at"], pegs(left)) == (NOW, {"lot": 1})  # "first" may move once more


def test_a_line_in_parts() -> None:
    # 10 by Wednesday 12:00: 4 are there, 3 come in time, 2 on Friday; the tenth never comes, and what can come is kept.
    shelf = {
        "items": items(A="none"),
        "stock": stock(A=4),
        "receipts": [
            {"id": "r1", "item": "A", "quantity": 3, "at": at("25 12:00")},
            {"id": "r2", "item": "A", "quantity": 2, "at": at("27 08:00")},
        ],
    }
    line = quote("A", 10, at("25 12:00"), partial=True, **shelf)
    assert (line["ready_at"], line["late"], parts(line)) == (None, True, [(7, at("25 12:00")), (2, at("27 08:00"))])
    line = quote("A", 9, at("25 12:00"), partial=True, **shelf)
    assert (line["ready_at"], line["late"], line["basis"]) == (at("27 08:00"), True, "mixed")
    assert parts(line) == [(7, at("25 12:00")), (2, at("27 08:00"))]
    assert parts(quote("A", 7, at("25 12:00"), partial=True, **shelf)) == [(7, at("25 12:00"))]
    # no day asked: what is there now, and then what comes when it comes
    assert parts(quote("A", 9, partial=True, **shelf)) == [(4, NOW), (3, at("25 12:00")), (2, at("27 08:00"))]
    assert quote("A", 10, at("25 12:00"), **shelf)["parts"] == []


def test_a_part_that_can_be_made_in_time() -> None:
    # 60 minutes each. By 14:00 today 5 can be made, 9:00 to 14:00; the other 3 tomorrow from 06:00 to 09:00.
    line = quote(
        "BOX",
        8,
        at("24 14:00"),
        partial=True,
        items=items(BOX="make"),
        routings={"BOX": [{"work_centre": "SAW", "minutes_per_unit": 60}]},
    )
    assert (line["ready_at"], line["late"], parts(line)) == (at("25 09:00"), True, [(5, at("24 14:00")), (3, at("25 09:00"))])


def test_minimum_multiple_and_maximum() -> None:
    # 25 wanted, at most 10 a lot, in fours, at least 6: 8, 8, 8, and 8 for the last one (4 is below 6, 8 is the next in fours).
    # 4 minutes each: 32 minutes a lot. 32 - 25 = 7 are left over and serve the next line.
    lots = {
        "items": {"BOX": {"source": "make", "minimum": 6, "multiple": 4, "maximum": 10}},
        "routings": {"BOX": [{"work_centre": "SAW", "minutes_per_unit": 4}]},
    }
    found = answer(
        commitments=[{"id": "c", "item": "BOX", "quantity": 25}], quotes=[{"id": "q", "item": "BOX", "quantity": 7}], **lots
    )
    [line], [left] = found["commitments"], found["quotes"]
    assert [operation["quantity"] for operation in line["operations"]] == [8, 8, 8, 8]
    assert line["ready_at"] == at("24 11:08")
    assert (left["ready_at"], left["basis"], pegs(left)) == (at("24 11:08"), "receipt", {"lot BOX for c (4 of 4)": 7})


def test_any_quantity_and_fractions_are_exact() -> None:
    oil = {"items": {"OIL": {"source": "buy", "lead_days": 1, "multiple": 0}}, "stock": [{"item": "OIL", "quantity": 0.3}]}
    assert quote("OIL", 0.3, **oil)["ready_at"] == NOW
    line = quote("OIL", 0.4, **oil)
    assert pegs(line) == {"stock 1": 0.3, "proposal OIL for q0": 0.1}  # with floats it would be 0.10000000000000003
    [whole] = quotes({"item": "OIL", "quantity": 0.4}, items={"OIL": {"source": "buy", "lead_days": 1}})
    assert pegs(whole) == {"proposal OIL for q0": 0.4}  # one is bought, by the piece; the rest is stock


def test_safety_stock_is_never_promised() -> None:
    kept = {"items": {"A": {"source": "none", "safety_stock": 2}}, "stock": stock(A=5)}
    assert [quote("A", quantity, **kept)["ready_at"] for quantity in (3, 4)] == [NOW, None]
