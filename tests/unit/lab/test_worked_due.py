"""Asked days, worked by hand: as late as possible but in time, else the earliest and late."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.lab.models import NOW, answer, at, pegs, quote, quotes, times

TABLE: dict[str, Any] = {
    "items": {"TABLE": {"source": "make"}},
    "routings": {"TABLE": [{"work_centre": "SAW", "setup_minutes": 10, "minutes_per_unit": 5}]},
}
"""Ten tables take 10 + 5 x 10 = 60 minutes."""


@pytest.mark.parametrize(
    ("due", "start", "end", "late"),
    [
        (at("26 10:00"), at("26 09:00"), at("26 10:00"), False),  # in the middle of a shift: it ends exactly at due
        (at("26 20:00"), at("26 13:00"), at("26 14:00"), False),  # after the shift: it ends with it
        (at("27 06:30"), at("26 13:30"), at("27 06:30"), False),  # 30 minutes of Friday, 30 of Thursday: it pauses
        (at("30 06:00"), at("27 13:00"), at("27 14:00"), False),  # Monday's opening is of no use: it ends on Friday
        (at("24 10:00"), at("24 09:00"), at("24 10:00"), False),  # it must begin now: ready exactly at due is in time
        (at("24 09:59"), at("24 09:00"), at("24 10:00"), True),  # it would have had to begin before now
        (at("20 10:00"), at("24 09:00"), at("24 10:00"), True),  # due before now
        ("2026-11-27", at("26 13:00"), at("26 14:00"), False),  # a date is the start of that day
    ],
)
def test_an_asked_instant(due: str, start: str, end: str, late: bool) -> None:
    line = quote("TABLE", 10, due, **TABLE)
    assert (line["ready_at"], line["late"], times(line)) == (end, late, [("SAW", start, end)])


def test_the_latest_gap_that_is_long_enough_is_taken() -> None:
    # First 10 tables by Thursday 12:00: 11:00 to 12:00. Then 10 by Thursday 13:30: the gap 12:00 to 13:30 holds 60 minutes,
    # 12:30 to 13:30. Then 10 by 13:30 again: 12:00 to 12:30 is too short and so it goes before 11:00.
    lines = [
        {"id": str(n), "item": "TABLE", "quantity": 10, "due": at(f"26 {due}")}
        for n, due in enumerate(["12:00", "13:30", "13:30"])
    ]
    found = answer(commitments=lines, **TABLE)["commitments"]
    assert [times(line)[0][1] for line in found] == [at("26 11:00"), at("26 12:30"), at("26 10:00")]


def test_two_lanes_hold_two_operations_that_end_together() -> None:
    lanes = {"work_centres": {"SAW": {"calendar": "plant", "lanes": 2}}}
    lines = [{"id": str(n), "item": "TABLE", "quantity": 10, "due": at("26 12:00")} for n in range(3)]
    found = answer(commitments=lines, **TABLE, **lanes)["commitments"]
    assert [(line["operations"][0]["lane"], line["ready_at"]) for line in found] == [
        (0, at("26 12:00")),
        (1, at("26 12:00")),
        (0, at("26 11:00")),
    ]


def test_operations_and_components_follow_backwards() -> None:
    # Due Friday 12:00. Drilling 30 min (11:30), sawing 60 min (10:30): the legs must be there at 10:30 on Friday. They are
    # bought with 2 days' lead time, so they are ordered on Wednesday at 10:30, not now.
    line = quote(
        "TABLE",
        10,
        at("27 12:00"),
        items={"TABLE": {"source": "make"}, "LEG": {"source": "buy", "lead_days": 2}},
        boms={"TABLE": [{"item": "LEG", "quantity": 4}]},
        routings={
            "TABLE": [
                {"work_centre": "SAW", "setup_minutes": 10, "minutes_per_unit": 5},
                {"work_centre": "DRILL", "fixed_minutes": 30},
            ]
        },
        work_centres={"SAW": {"calendar": "plant"}, "DRILL": {"calendar": "plant"}},
    )
    assert times(line) == [("SAW", at("27 10:30"), at("27 11:30")), ("DRILL", at("27 11:30"), at("27 12:00"))]
    [leg] = [peg for peg in line["pegs"] if peg["item"] == "LEG"]
    assert (leg["quantity"], leg["available_at"], leg["supply"]) == (40, at("27 10:30"), "proposal LEG for q0")


def test_components_that_come_too_late_for_the_due_make_it_late() -> None:
    # The legs are there on Thursday 09:00 at the earliest: the tables are made then, 60 minutes, and 09:59 is missed.
    made = {
        **TABLE,
        "items": {"TABLE": {"source": "make"}, "LEG": {"source": "buy", "lead_days": 2}},
        "boms": {"TABLE": [{"item": "LEG", "quantity": 4}]},
    }
    missed, kept = quotes(
        {"item": "TABLE", "quantity": 10, "due": at("26 09:59")}, {"item": "TABLE", "quantity": 10, "due": at("26 10:00")}, **made
    )
    assert (missed["ready_at"], missed["late"]) == (at("26 10:00"), True)
    assert (kept["ready_at"], kept["late"]) == (at("26 10:00"), False)


def test_goods_that_are_there_are_not_moved_to_the_due() -> None:
    # Latest fit: by Friday the receipt of Thursday serves, and the stock stays free for who comes sooner.
    there = {
        "items": {"LEG": {"source": "none"}},
        "stock": [{"id": "lot", "item": "LEG", "quantity": 5}],
        "receipts": [{"id": "PO", "item": "LEG", "quantity": 5, "at": at("26 08:00")}],
    }
    wednesday, friday, both = quotes(
        {"item": "LEG", "quantity": 5, "due": at("25 12:00")},
        {"item": "LEG", "quantity": 5, "due": at("27 12:00")},
        {"item": "LEG", "quantity": 6, "due": at("27 12:00")},
        **there,
    )
    assert (wednesday["ready_at"], wednesday["basis"], pegs(wednesday)) == (NOW, "stock", {"lot": 5})
    assert (friday["ready_at"], friday["basis"], pegs(friday)) == (at("26 08:00"), "receipt", {"PO": 5})
    assert (both["ready_at"], both["basis"], pegs(both)) == (at("26 08:00"), "mixed", {"PO": 5, "lot": 1})


def test_what_may_be_promised_is_the_look_ahead_row() -> None:
    # Source: the worked ledger of docs.oracle.com: 80 there, 60 in week 3 and 6, promised 30, 25, 30, 10, 0, 35 at the ends of
    # the weeks. The row with look-ahead begins with 25: 25 more can be had now, 26 not before week 3, and 71 never.
    weeks = [f"2026-12-{day:02}T12:00:00+01:00" for day in (1, 2, 3, 4, 5, 6)]
    found = answer(
        items={"A": {"source": "none"}},
        stock=[{"id": "s", "item": "A", "quantity": 80}],
        receipts=[{"id": f"r{week}", "item": "A", "quantity": 60, "at": weeks[week]} for week in (2, 5)],
        commitments=[
            {"id": str(week), "item": "A", "quantity": quantity, "due": weeks[week]}
            for week, quantity in enumerate([30, 25, 30, 10, 0, 35])
        ],
        quotes=[{"id": str(quantity), "item": "A", "quantity": quantity} for quantity in (25, 26, 45, 46, 70, 71)],
    )
    assert [line["late"] for line in found["commitments"]] == [False] * 6
    assert [line["ready_at"] for line in found["quotes"]] == [NOW, weeks[2], weeks[2], weeks[5], weeks[5], None]


def test_commitments_are_decided_by_priority_and_then_by_place() -> None:
    # 5 there: "late comer" has the better priority and takes them; of the two others the first in the list gets the receipt.
    lines = [
        {"id": "first", "item": "A", "quantity": 5, "priority": 2},
        {"id": "second", "item": "A", "quantity": 5, "priority": 2},
        {"id": "late comer", "item": "A", "quantity": 5, "priority": 1},
    ]
    found = answer(
        items={"A": {"source": "none"}},
        stock=[{"id": "s", "item": "A", "quantity": 5}],
        receipts=[{"id": "r", "item": "A", "quantity": 5, "at": at("26 08:00")}],
        commitments=lines,
    )["commitments"]
    assert [(line["id"], line["ready_at"]) for line in found] == [
        ("first", at("26 08:00")),
        ("second", None),
        ("late comer", NOW),
    ]
    assert found[1]["reasons"] == ["it can never come: there is not enough of A, and no more can be made or bought"]


@pytest.mark.parametrize(
    ("due", "arrives"),
    [
        (None, "2026-11-27T09:00:00+01:00"),  # ordered Tuesday 09:00; open days Wednesday, Thursday, Friday
        ("2026-12-02T16:00:00+01:00", "2026-12-02T16:00:00+01:00"),  # an open day: as late as asked
        ("2026-11-29T16:00:00+01:00", "2026-11-27T16:00:00+01:00"),  # a Sunday: on the open day before, at that time
        ("2026-11-28T08:00:00+01:00", "2026-11-27T09:00:00+01:00"),  # but not before the earliest
    ],
)
def test_a_purchase_counted_in_open_days(due: str | None, arrives: str) -> None:
    line = quote("A", 1, due, items={"A": {"source": "buy", "lead_days": 3, "calendar": "plant"}})
    assert (line["ready_at"], line["basis"], line["late"]) == (arrives, "buy", False)


def test_a_frozen_zone_pushes_even_work_of_no_time() -> None:
    frozen = {"work_centres": {"SAW": {"calendar": "plant", "frozen_until": at("25 07:00")}}}
    assert quote("TABLE", 10, **TABLE, **frozen)["ready_at"] == at("25 08:00")
    idle = {"items": TABLE["items"], "routings": {"TABLE": [{"work_centre": "SAW"}]}}
    assert quote("TABLE", 10, **idle, **frozen)["ready_at"] == at("25 07:00")
    in_time, late = (quote("TABLE", 10, at(due), **TABLE, **frozen) for due in ("25 08:00", "25 07:59"))
    assert [(line["ready_at"], line["late"]) for line in (in_time, late)] == [(at("25 08:00"), False), (at("25 08:00"), True)]
