"""Bad models: every fault with its place, all at once, exit 2, and never a traceback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from backoffice.cli import main
from tests.unit.lab.models import NOW, model


def run(path: Path, text: str | bytes | dict[str, Any]) -> Result:
    data = json.dumps(text) if isinstance(text, dict) else text
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return CliRunner().invoke(main, ["lab", str(path)])


def faults(path: Path, text: str | bytes | dict[str, Any]) -> list[str]:
    """Return the lines of a refusal."""
    result = run(path, text)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    return result.stderr.splitlines()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.json"


def test_all_faults_are_told_at_once_with_their_places(path: Path) -> None:
    bad = model(
        hurry=1,
        calendars={
            "plant": {"weekly": {"mon": [["06:00", "25:00"], ["14:00", "06:00"]], "day": []}, "holidays": "DE-ZZ"},
            "b": {"timezone": "Mars/Base", "exceptions": {"tomorrow": []}},
        },
        items={
            "A": {"source": "make"},
            "B": {"source": "buy", "lead_days": 1.5, "minimum": -1},
            "C": {"source": "grow", "calendar": "none"},
            "K": {"source": "kit"},
            "L": {"source": "none", "minimum": 10, "maximum": 5},
            "M": {"source": "buy"},
        },
        stock=[{"id": "s", "item": "Z", "quantity": True}, {"id": "s", "item": "B", "quantity": 1, "expires_on": "soon"}],
        receipts=[{"id": "r", "item": "B", "quantity": "4", "at": "2026-11-24T09:00:00"}],
        boms={"X": [{"item": "B", "quantity": 1}], "L": [{"item": "L2", "scrap": 1, "alternates": ["B", 3]}]},
        routings={"B": [{"work_centre": "MILL", "setup_minutes": None}]},
        work_centres={"SAW": {}, "OVEN": {"calendar": "x", "lanes": 0, "efficiency": 0}},
        shipping={"cutoff": "2 pm", "warehouse_calendar": "y"},
        commitments=[{"id": "c", "item": "B"}, {"item": "B", "quantity": 1, "priority": "high", "partial": 1}],
        quotes={},
        buckets={"on_hand": 1, "supply": [1], "committed": []},
        jobshop={"machine": [[0, 1]], "duration": [[1]], "seconds": 0},
    )
    assert sorted(faults(path, bad)) == sorted(
        [
            "hurry: unknown key",
            "calendars.plant.weekly.day: unknown key",
            'calendars.plant.weekly.mon[0][1]: must be a time of day from 00:00 to 24:00, not "25:00"',
            "calendars.plant.weekly.mon[1]: must end after it starts; a night shift is two entries",
            "calendars.plant.holidays: unknown holiday region 'DE-ZZ'",
            'calendars.b.timezone: unknown time zone "Mars/Base"',
            "calendars.b.exceptions.tomorrow: is not a date (2026-12-24)",
            "items.A: is made, but has neither bill of material nor routing",
            "items.B.lead_days: must be a whole number of 0 or more, not 1.5",
            "items.B.minimum: must be a number of 0 or more, not -1",
            'items.C.source: must be one of make, buy, kit, phantom, none, not "grow"',
            "items.C.calendar: unknown calendar 'none'",
            "items.K: a kit needs a bill of material in boms",
            "items.L: no lot fits its minimum, multiple and maximum",
            "items.M: lead_days is missing",
            "stock[0].item: unknown item 'Z'",
            "stock[0].quantity: must be a number of 0 or more, not true",
            'stock[1].expires_on: must be a date (2026-11-24), not "soon"',
            "stock[1]: id 's' is that of stock[0] too",
            'receipts[0].quantity: must be a number of 0 or more, not "4"',
            'receipts[0].at: must be an instant with offset (2026-11-24T09:00:00+01:00) or a date, not "2026-11-24T09:00:00"',
            "boms.X: unknown item 'X'",
            "boms.L[0].item: unknown item 'L2'",
            "boms.L[0]: quantity is missing",
            "boms.L[0].scrap: must be a number of 0 or more below 1, not 1",
            "boms.L[0].alternates[1]: must be a text, not 3",
            "routings.B[0].work_centre: unknown work centre 'MILL'",
            "routings.B[0].setup_minutes: must be a number of 0 or more, not null",
            "work_centres.SAW: calendar is missing",
            "work_centres.OVEN.calendar: unknown calendar 'x'",
            "work_centres.OVEN.lanes: must be a whole number of 1 to 10000, not 0",
            "work_centres.OVEN.efficiency: must be a number above 0, not 0",
            'shipping.cutoff: must be a time of day from 00:00 to 24:00, not "2 pm"',
            "shipping.warehouse_calendar: unknown calendar 'y'",
            "commitments[0]: quantity is missing",
            "commitments[1]: id is missing",
            'commitments[1].priority: must be a number of 0 or more, not "high"',
            "commitments[1].partial: must be true or false, not 1",
            "quotes: must be a list, not an object",
            "buckets: supply has 1 buckets and committed 0",
            "jobshop.seconds: must be a number above 0 below 3601, not 0",
            "jobshop: machine and duration must have as many rows, and rows as long as each other's",
        ]
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "line 1, column 1: not JSON: Expecting value"),
        ('{"now": }', "line 1, column 9: not JSON: Expecting value"),
        ("[]", "model: must be an object, not a list"),
        ("[" * 200_000, "model: nested too deeply"),
        (b'{"now": "\xff"}', "model.json: is not UTF-8 text at byte 9"),
        ('{"now": "2026-11-24", "now": "2026-11-25"}', "now: is written twice"),
        (
            '{"buckets": {"on_hand": NaN, "supply": [], "committed": []}}',
            "buckets.on_hand: must be a number of 0 or more, not NaN",
        ),
        (
            '{"buckets": {"on_hand": -Infinity, "supply": [], "committed": []}}',
            "buckets.on_hand: must be a number of 0 or more, not -Infinity",
        ),
        (
            '{"buckets": {"on_hand": 1e999999999, "supply": [], "committed": []}}',
            "buckets.on_hand: 1e999999999 is too large or too fine a number",
        ),
        ('{"a\\nb": 1}', '"a\\nb": unknown key'),
        ('{"timezone": "Europe"}', 'timezone: unknown time zone "Europe"'),
        ('{"now": "0001-01-01"}', "now: must be an instant with offset"),
        ('{"now": "2026-W48-2"}', "now: must be an instant with offset"),
    ],
)
def test_one_fault(path: Path, text: str | bytes, fault: str) -> None:
    [line] = faults(path, text)
    assert line.startswith(fault)


@pytest.mark.parametrize(
    ("boms", "cycle"),
    [
        ({"A": [{"item": "B", "quantity": 1}], "B": [{"item": "A", "quantity": 1}]}, "A > B > A"),
        ({"A": [{"item": "C", "quantity": 1, "alternates": ["B"]}], "B": [{"item": "A", "quantity": 1}]}, "A > B > A"),
        ({"A": [{"item": "P", "quantity": 1}], "P": [{"item": "A", "quantity": 1}]}, "A > P > A"),
    ],
)
def test_an_item_made_of_itself(path: Path, boms: dict[str, Any], cycle: str) -> None:
    known = {**{key: {"source": "make"} for key in "AB"}, "C": {"source": "none"}, "P": {"source": "phantom"}}
    there = {key: item for key, item in known.items() if key in boms or key == "C"}
    assert faults(path, model(items=there, boms=boms)) == [f"boms: cycle {cycle}"]


def test_too_large_a_file_is_refused_before_it_is_read(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(100_000_000)
    result = CliRunner().invoke(main, ["lab", str(path)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "model.json: 100000000 bytes are too many for a model; at most 50000000 are read\n"


def test_a_file_that_is_not_there(path: Path) -> None:
    result = CliRunner().invoke(main, ["lab", str(path)])
    assert (result.exit_code, result.stderr) == (2, "model.json: cannot be read: No such file or directory\n")


def test_a_thousand_million_pieces_are_answered(path: Path) -> None:
    big = model(
        items={"A": {"source": "make"}, "B": {"source": "make", "maximum": 1}, "C": {"source": "buy", "lead_days": 1}},
        routings={key: [{"work_centre": "SAW", "minutes_per_unit": 5}] for key in "AB"},
        quotes=[{"id": key, "item": key, "quantity": 10**9, "due": due} for key in "ABC" for due in (None,)],
        stock=[{"item": "C", "quantity": 1e-9}],
    )
    result = run(path, big)
    assert result.exit_code == 0
    lines = json.loads(result.stdout)["quotes"]
    assert [line["ready_at"] for line in lines] == [None, None, "2026-11-25T09:00:00+01:00"]
    assert [line["reasons"][0] for line in lines[:2]] == [
        "it can never come: SAW would not be done within three years",
        "it can never come: B would take too many lots to plan",
    ]


def test_an_empty_model_is_a_model(path: Path) -> None:
    result = run(path, "{}")
    answers = json.loads(result.stdout)
    assert result.exit_code == 0
    assert {key: value for key, value in answers.items() if key != "plan_hash"} == {
        "commitments": [],
        "quotes": [],
        "buckets": None,
        "jobshop": None,
    }


def test_nothing_is_asked_for(path: Path) -> None:
    asked = model(items={"A": {"source": "none"}}, quotes=[{"id": "q", "item": "A", "quantity": 0, "due": "2026-11-23"}])
    [line] = json.loads(run(path, asked).stdout)["quotes"]
    assert (line["ready_at"], line["late"], line["parts"], line["pegs"]) == (NOW, True, [], [])
