"""What holds for every model: random models, random questions; no crash, no trace of a quote, nothing given twice."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.lab.models import NOW, answer_to, model

KEYS = "ABCDEF"
BEGIN = datetime.fromisoformat(NOW)
small = st.integers(0, 4)
amounts = st.one_of(st.integers(0, 15), st.sampled_from([0.5, 2.25, 0.1]))
instants = st.integers(-30, 300).map(lambda hours: (BEGIN + timedelta(hours=hours)).isoformat())
CALENDARS = {
    "plant": {"weekly": {day: [["06:00", "14:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}, "holidays": "DE-BY"},
    "nights": {"weekly": {"mon": [["22:00", "24:00"]], "tue": [["00:00", "06:00"]], "thu": [["22:00", "24:00"]]}},
    "odd": {
        "timezone": "America/New_York",
        "weekly": {"wed": [["09:00", "10:00"]]},
        "exceptions": {"2026-11-28": [["00:00", "24:00"]]},
    },
    "never": {},
}


@st.composite
def masters(draw: st.DrawFn) -> dict[str, Any]:
    source = st.sampled_from(["make", "make", "buy", "kit", "phantom", "none"])
    items: dict[str, Any] = {
        key: {
            "source": draw(source if key != "F" else st.sampled_from(["buy", "none"])),
            "lead_days": draw(small),
            "calendar": draw(st.sampled_from([None, None, "plant", "never"])),
            "minimum": draw(small),
            "multiple": draw(st.sampled_from([0, 1, 1, 3, 0.5])),
            "maximum": draw(st.sampled_from([None, None, 6, 9])),
            "safety_stock": draw(st.sampled_from([0, 0, 2])),
        }
        for key in KEYS
    }
    boms: dict[str, Any] = {}
    for place, key in enumerate(KEYS[:-1]):
        below = st.sampled_from(KEYS[place + 1 :])
        if items[key]["source"] in ("make", "kit", "phantom"):
            boms[key] = [
                {
                    "item": part,
                    "quantity": draw(st.sampled_from([0, 1, 2, 0.5])),
                    "scrap": draw(st.sampled_from([0, 0, 0.1])),
                    "alternates": draw(st.lists(below, max_size=1)),
                }
                for part in draw(st.lists(below, min_size=1, max_size=3, unique=True))
            ]
    centre = st.sampled_from(["SAW", "BENCH", "OVEN"])
    routings = {
        key: [
            {
                "work_centre": draw(centre),
                "setup_minutes": draw(st.integers(0, 90)),
                "minutes_per_unit": draw(amounts),
                "alternates": draw(st.lists(centre, max_size=1)),
            }
            for _ in range(draw(small) % 3)
        ]
        for key in KEYS
    }
    centres = {
        "SAW": {"calendar": "plant", "efficiency": 0.75},
        "BENCH": {"calendar": draw(st.sampled_from(["plant", "nights"])), "lanes": 2, "frozen_until": draw(instants)},
        "OVEN": {"calendar": draw(st.sampled_from(["odd", "odd", "never"])), "lanes": None},
    }
    return {"calendars": CALENDARS, "items": items, "boms": boms, "routings": routings, "work_centres": centres}


@st.composite
def models(draw: st.DrawFn, expiring: bool = True) -> dict[str, Any]:
    days = st.sampled_from([None, None, "2026-11-24", "2026-11-25", "2026-11-27", "2026-12-02"] if expiring else [None])
    item = st.sampled_from(KEYS)
    stock = st.lists(st.fixed_dictionaries({"item": item, "quantity": amounts, "expires_on": days}), max_size=6)
    receipts = st.lists(st.fixed_dictionaries({"item": item, "quantity": amounts, "at": instants}), max_size=5)
    ask = {"item": item, "quantity": amounts, "due": st.one_of(st.none(), instants), "partial": st.booleans()}

    def numbered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{"id": str(number), **row} for number, row in enumerate(rows)]

    return model(
        **draw(masters()),
        stock=numbered(draw(stock)),
        receipts=numbered(draw(receipts)),
        commitments=numbered(draw(st.lists(st.fixed_dictionaries({**ask, "priority": small}), max_size=5))),
        quotes=numbered(draw(st.lists(st.fixed_dictionaries(ask), max_size=3))),
        shipping=draw(
            st.sampled_from(
                [
                    None,
                    {
                        "pick_pack_days": 1,
                        "cutoff": "12:00",
                        "warehouse_calendar": "plant",
                        "transit_days": 2,
                        "carrier_calendar": "odd",
                    },
                    {"warehouse_calendar": "never"},
                ]
            )
        ),
    )


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def judge(data: dict[str, Any], line: dict[str, Any], asked: dict[str, Any]) -> None:
    """Assert what must be true of one line whatever the model."""
    assert set(line) == {
        *("id", "ready_at", "ship_on", "deliver_on", "late", "basis", "parts", "pegs", "operations", "reasons"),
    }
    due, ready = asked["due"], line["ready_at"]
    assert line["late"] == (due is not None and (ready is None or moment(ready) > moment(due)))
    assert all(reason.isprintable() and reason for reason in line["reasons"])
    assert line["reasons"]
    if ready is not None:
        assert moment(ready) >= BEGIN
        if asked["quantity"]:
            assert sum(part["quantity"] for part in line["parts"]) == asked["quantity"]
            assert max(moment(part["ready_at"]) for part in line["parts"]) == moment(ready)
        if data["shipping"] is None:
            assert line["ship_on"] == line["deliver_on"] == ready[:10]
    if not asked["partial"] and ready is None:
        assert (line["parts"], line["pegs"], line["operations"], line["basis"]) == ([], [], [], None)
    for operation in line["operations"]:
        assert BEGIN <= moment(operation["start"]) <= moment(operation["end"])
        frozen = data["work_centres"][operation["work_centre"]].get("frozen_until")
        assert frozen is None or moment(operation["start"]) >= moment(frozen)


@given(models())
def test_no_model_breaks_the_lab_and_no_supply_or_lane_is_given_twice(data: dict[str, Any]) -> None:
    refused = [key for key in KEYS if not _has_lots(data["items"][key])]
    for key in refused:
        data["items"][key] |= {"minimum": 0, "maximum": None}
    found = answer_to(data)
    supplies = {
        **{f"stock {row['id']}": row for row in data["stock"]},
        **{f"receipt {row['id']}": row for row in data["receipts"]},
    }
    taken: dict[tuple[str, str], float] = defaultdict(float)
    busy: dict[tuple[str, int], list[tuple[datetime, datetime]]] = defaultdict(list)
    for line, asked in zip(found["commitments"], data["commitments"], strict=True):
        judge(data, line, asked)
        for peg in line["pegs"]:
            taken[peg["supply"], peg["item"]] += peg["quantity"]
        for operation in line["operations"]:
            if operation["start"] != operation["end"] and operation["work_centre"] != "OVEN":
                place = operation["work_centre"], operation["lane"]
                busy[place].append((moment(operation["start"]), moment(operation["end"])))
    for line, asked in zip(found["quotes"], data["quotes"], strict=True):
        judge(data, line, asked)
    for (name, item), quantity in taken.items():
        there = sum(row["quantity"] for row in supplies.values() if row["id"] == name and row["item"] == item)
        if name.isdigit():
            assert quantity <= there + 1e-9
    for stretches in busy.values():
        stretches.sort()
        assert all(before[1] <= after[0] for before, after in pairwise(stretches))
    assert answer_to({**data, "quotes": []})["plan_hash"] == found["plan_hash"]
    assert json.dumps(answer_to(data)) == json.dumps(found)


def _has_lots(item: dict[str, Any]) -> bool:
    largest = item["maximum"]
    if largest is None:
        return True
    multiple = item["multiple"]
    full = largest // multiple * multiple if multiple else largest
    least = -(-item["minimum"] // multiple) * multiple if multiple else item["minimum"]
    return bool(full > 0 and full >= least)


@given(models(expiring=False), st.sampled_from(KEYS), st.integers(1, 9), st.integers(0, 300))
def test_an_asked_instant_is_met_wherever_the_earliest_is_before_it(
    data: dict[str, Any], key: str, quantity: int, hours: int
) -> None:
    """In time if and only if it can be, as far as the earliest answer shows; and the earliest is never late for itself."""
    for item in data["items"].values():
        item |= {"minimum": 0, "maximum": None}
    due = (BEGIN + timedelta(hours=hours)).isoformat()
    data["quotes"] = [
        {"id": "earliest", "item": key, "quantity": quantity},
        {"id": "asked", "item": key, "quantity": quantity, "due": due},
    ]
    early, asked = answer_to(data)["quotes"]
    if asked["late"]:
        assert asked["ready_at"] == early["ready_at"]
    if early["ready_at"] is not None and moment(early["ready_at"]) <= moment(due):
        assert not asked["late"]
