"""One small model, once in a file and once in the tables: the lab and the shop name the same days, from the same supplies.

The models are worked out in their comments; the comparison is of every instant, peg and operation.
"""

from __future__ import annotations

import copy
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from backoffice.db import Database
from tests import lab_in_tables as tables
from tests.unit.lab.models import NOW, WEEK, answer_to, at

SHIPPING = {
    "pick_pack_days": 0,
    "cutoff": "14:00",
    "warehouse_calendar": "plant",
    "transit_days": 2,
    "carrier_calendar": "carrier",
}
CARRIER = {"holidays": "DE", "weekly": {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}}
TABLE: dict[str, Any] = {
    "now": NOW,
    "timezone": "Europe/Berlin",
    "calendars": {"plant": {"weekly": WEEK, "holidays": "DE-BE"}, "carrier": CARRIER},
    "items": {
        "TABLE": {"source": "make"},
        "TOP": {"source": "make", "minimum": 3, "multiple": 3},
        "LEG": {"source": "buy", "lead_days": 5, "minimum": 10, "multiple": 5},
        "BOARD": {"source": "buy", "lead_days": 3, "calendar": "carrier"},
        "LAMP": {"source": "none", "safety_stock": 1},
    },
    "stock": [{"id": "legs", "item": "LEG", "quantity": 12}, {"id": "lamps", "item": "LAMP", "quantity": 3}],
    "receipts": [
        {"id": "PO-17", "item": "LEG", "quantity": 10, "at": at("27 08:00")},
        {"id": "PO-18", "item": "LAMP", "quantity": 4, "at": at("30 08:00")},
    ],
    "boms": {
        "TABLE": [{"item": "TOP", "quantity": 1}, {"item": "LEG", "quantity": 4}],
        "TOP": [{"item": "BOARD", "quantity": 2}],
    },
    "routings": {
        "TABLE": [{"work_centre": "ASSEMBLY", "setup_minutes": 30, "minutes_per_unit": 60}],
        "TOP": [{"work_centre": "SAW", "setup_minutes": 10, "minutes_per_unit": 20, "fixed_minutes": 5}],
    },
    "work_centres": {"SAW": {"calendar": "plant"}, "ASSEMBLY": {"calendar": "plant", "lanes": 2}},
    "shipping": SHIPPING,
    "commitments": [
        {"id": "A", "item": "TABLE", "quantity": 1},  # a lot of three tops: two are left for whoever comes next
        {"id": "B", "item": "TABLE", "quantity": 2},
        {"id": "C", "item": "TABLE", "quantity": 4},  # more legs than are there and coming: 10 are bought, some are left
        {"id": "D", "item": "LAMP", "quantity": 2},
        {"id": "E", "item": "LAMP", "quantity": 4},
        {"id": "F", "item": "LAMP", "quantity": 1},  # the last one is safety stock
    ],
    "quotes": [
        {"id": "q1", "item": "TABLE", "quantity": 1},
        {"id": "q2", "item": "LEG", "quantity": 3},
        {"id": "q3", "item": "LAMP", "quantity": 1},
    ],
}
SCREWS: dict[str, Any] = TABLE | {
    "calendars": TABLE["calendars"] | {"never": {"weekly": {}}},
    "items": {
        "TABLE": {"source": "make"},
        "SCREW": {  # the first two never deliver: the third brings 10 in 2 days, 2 of them are left over
            "source": "buy",
            "lead_days": 1,
            "calendar": "never",
            "suppliers": [
                {"id": "closed", "lead_days": 1, "calendar": "never"},
                {"id": "quick", "lead_days": 2, "minimum": 10},
                {"id": "far", "lead_days": 1},
            ],
        },
    },
    "stock": [],
    "receipts": [],
    "boms": {"TABLE": [{"item": "SCREW", "quantity": 8}]},
    "routings": {"TABLE": [{"work_centre": "ASSEMBLY", "minutes_per_unit": 60}]},
    "commitments": [{"id": "A", "item": "TABLE", "quantity": 1}, {"id": "B", "item": "SCREW", "quantity": 2}],
    "quotes": [{"id": "q1", "item": "TABLE", "quantity": 2}],
}
CHAIRS: dict[str, Any] = TABLE | {
    "calendars": SCREWS["calendars"],
    "items": {
        "CHAIR": {"source": "make"},
        "SEAT": {"source": "none"},  # there are two, then the plywood ones stand in, which are made
        "PLYWOOD SEAT": {"source": "make"},
        "VENEER": {"source": "buy", "lead_days": 2},
    },
    "stock": [{"id": "seats", "item": "SEAT", "quantity": 2}, {"id": "veneer", "item": "VENEER", "quantity": 10}],
    "receipts": [],
    "boms": {
        "CHAIR": [{"item": "SEAT", "quantity": 1, "alternates": ["PLYWOOD SEAT"]}],
        "PLYWOOD SEAT": [{"item": "VENEER", "quantity": 4, "scrap": 0.2}],  # five are taken for the four that go into it
    },
    "routings": {
        # the press never opens: the second one does it, at half the pace, and begins nothing before Thursday
        "CHAIR": [{"work_centre": "SAW", "minutes_per_unit": 30}],
        "PLYWOOD SEAT": [
            {"work_centre": "PRESS", "minutes_per_unit": 60, "setup_minutes": 15, "alternates": ["OLD PRESS", "SAW"]}
        ],
    },
    "work_centres": {
        "SAW": {"calendar": "plant", "efficiency": 1.25},
        "PRESS": {"calendar": "never"},
        "OLD PRESS": {"calendar": "plant", "efficiency": 0.5, "frozen_until": "2026-11-26"},
    },
    "commitments": [
        {"id": "A", "item": "CHAIR", "quantity": 3},  # not two of the one and one of the other: three plywood seats
        {"id": "B", "item": "CHAIR", "quantity": 2},
        {"id": "C", "item": "CHAIR", "quantity": 1},
    ],
    "quotes": [{"id": "q1", "item": "CHAIR", "quantity": 2}, {"id": "q2", "item": "SEAT", "quantity": 1}],
}

GLUE: dict[str, Any] = TABLE | {
    "items": {
        "GLUE": {"source": "none"},
        "FRAME": {"source": "make"},
        "TUBE": {"source": "buy", "lead_days": 5},
    },
    "stock": [
        {"id": "B", "item": "GLUE", "quantity": 6, "expires_on": "2026-12-10"},
        {"id": "A", "item": "GLUE", "quantity": 5, "expires_on": "2026-11-26"},
    ],
    "receipts": [{"id": "PO-17", "item": "GLUE", "quantity": 5, "at": at("27 08:00")}],
    "boms": {"FRAME": [{"item": "TUBE", "quantity": 2}, {"item": "GLUE", "quantity": 1}]},
    "routings": {"FRAME": [{"work_centre": "SAW", "minutes_per_unit": 60}]},
    "work_centres": {"SAW": {"calendar": "plant"}},
    "shipping": SHIPPING | {"transit_days": 0},  # what arrives on the day it ships is good as long as it may ship
    "commitments": [
        {"id": "1", "item": "FRAME", "quantity": 1},  # glued when the tubes are there: of the lot that is good by then, B
        {"id": "2", "item": "GLUE", "quantity": 3},  # today: A goes first
        {"id": "3", "item": "GLUE", "quantity": 3},  # the rest of A and one of B
        {"id": "4", "item": "GLUE", "quantity": 6},  # all that is left of B, and two that come on Friday
        {"id": "5", "item": "GLUE", "quantity": 3},  # today: the frame and the fourth wait for Friday's instead
        {"id": "6", "item": "GLUE", "quantity": 1},  # nothing is left
    ],
    "quotes": [{"id": "q1", "item": "GLUE", "quantity": 1}],
}

SETS: dict[str, Any] = TABLE | {
    "items": {
        "SET": {"source": "kit"},
        "TABLE": {"source": "make"},
        "FRAME": {"source": "phantom"},
        "LEG": {"source": "buy", "lead_days": 5, "minimum": 10},
        "RAIL": {"source": "make"},
        "TOP": {"source": "buy", "lead_days": 3},
        "CHAIR": {"source": "none"},
        "GLASS": {"source": "buy", "lead_days": 2},
    },
    "stock": [
        {"id": "frames", "item": "FRAME", "quantity": 1},  # one was made by mistake: it is used first
        {"id": "chairs", "item": "CHAIR", "quantity": 5},
        {"id": "legs", "item": "LEG", "quantity": 6},
        {"id": "glasses", "item": "GLASS", "quantity": 5},
    ],
    "receipts": [{"id": "PO-17", "item": "CHAIR", "quantity": 4, "at": at("30 08:00")}],
    "boms": {
        "SET": [{"item": "TABLE", "quantity": 1}, {"item": "CHAIR", "quantity": 2}, {"item": "GLASS", "quantity": 4}],
        "TABLE": [{"item": "FRAME", "quantity": 1}, {"item": "TOP", "quantity": 1}],
        "FRAME": [{"item": "LEG", "quantity": 4}, {"item": "RAIL", "quantity": 2}],
    },
    "routings": {
        "TABLE": [{"work_centre": "ASSEMBLY", "minutes_per_unit": 60}],
        "RAIL": [{"work_centre": "SAW", "minutes_per_unit": 30}],
        "FRAME": [{"work_centre": "SAW", "minutes_per_unit": 240}],  # never: nobody makes one by itself
    },
    "commitments": [
        {"id": "A", "item": "SET", "quantity": 1},
        {"id": "B", "item": "SET", "quantity": 2},  # frames of legs and rails, and one chair of Monday's
        {"id": "C", "item": "TABLE", "quantity": 1},
        {"id": "D", "item": "SET", "quantity": 1},
        {"id": "E", "item": "SET", "quantity": 1},  # one chair is left: no set at all
        {"id": "F", "item": "CHAIR", "quantity": 1},
    ],
    "quotes": [{"id": "q1", "item": "SET", "quantity": 1}, {"id": "q2", "item": "TABLE", "quantity": 2}],
}


def both(db: Database, model: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Answer a model by the lab and over the tables; return both in one form."""
    zone, now = ZoneInfo(model["timezone"]), tables.instant(model["now"])
    said = answer_to(model)
    expected = {line["id"]: tables.as_the_shop_says(line, zone, model) for line in (*said["commitments"], *said["quotes"])}
    db.run(lambda session: tables.write(session, copy.deepcopy(model)))
    found = {}
    for line in model.get("commitments", ()):
        found[line["id"]] = db.run(lambda session, line=line: tables.commit(session, line, now))
    for line in model.get("quotes", ()):
        found[line["id"]] = db.run(lambda session, line=line: tables.quote(session, line, now))
        expected[line["id"]] = {key: expected[line["id"]].get(key) for key in found[line["id"]]}
    return expected, found


@pytest.mark.parametrize("model", [GLUE], ids=["the oldest first, and pegs that may move"])
def test_goods_that_expire_are_promised_as_in_the_lab(db: Database, model: dict[str, Any]) -> None:
    expected, found = both(db, model)
    with db.read() as session:
        for line in model["commitments"]:
            found[line["id"]] |= tables.stands_on(session, line)  # as they are in the end
    for line, said in expected.items():
        assert found[line] == said, line


MODELS = {
    "lots, calendars, receipts, safety stock": TABLE,
    "suppliers in their order": SCREWS,
    "alternates": CHAIRS,
    "kits and phantoms": SETS,
}


@pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))
def test_the_shop_answers_as_the_lab_does(db: Database, model: dict[str, Any]) -> None:
    expected, found = both(db, model)
    for line, said in expected.items():
        assert found[line] == said, line
