"""Every worked case of the shared folder, through the lab. Beside each stands the fault that turned it red when planted."""

from __future__ import annotations

import csv
import json
import os
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.unit.lab.models import NOW, answer_to, at, parts, quote


def cases() -> Path:
    folder = os.environ.get("SHOPFLOOR_CASES")
    if not folder:
        pytest.skip("SHOPFLOOR_CASES is not set: the folder of worked cases is not read")
    return Path(folder)


@pytest.fixture(scope="module")
def worked() -> dict[str, dict[str, Any]]:
    found = json.loads((cases() / "atp_ctp.json").read_text(encoding="utf-8"))["cases"]
    return {case["id"]: case for case in found}


def test_all_cases_are_taken_here(worked: dict[str, dict[str, Any]]) -> None:
    assert set(worked) == {
        *("ATP-01-JDE-CATP", "ATP-02-OFI-DISCRETE", "ATP-04a-QUESBA", "ATP-06-NETSUITE-DISCRETE", "CTP-01-ORACLE-LEADTIME"),
        *("CTP-02-SAPB1-CUMLT", "CTP-03-USERSOLUTIONS", "RLT-01-SAP-TRLT", "SHIP-01-SAP-LES"),
    }


@pytest.mark.parametrize("name", ["ATP-01-JDE-CATP", "ATP-02-OFI-DISCRETE", "ATP-04a-QUESBA"])
def test_available_to_promise_in_buckets(worked: dict[str, dict[str, Any]], name: str) -> None:
    # Planted: `min(least, level)` in planning/atp.py made `level` (no look-ahead): promisable is red in all three.
    case = worked[name]
    rows = answer_to({"buckets": case["inputs"]})["buckets"]
    assert rows["discrete"] == case["printed_by_source"]["discrete"]
    assert rows["projected"] == case["derived"]["cumulative_no_lookahead"]
    assert rows["promisable"] == case["derived"]["cumulative_lookahead"]


@pytest.mark.parametrize("name", ["ATP-01-JDE-CATP", "ATP-02-OFI-DISCRETE", "ATP-04a-QUESBA"])
def test_available_to_promise_line_by_line(worked: dict[str, dict[str, Any]], name: str) -> None:
    """The same tables as a day a bucket: what the look-ahead row says is promised in time, and one more is not."""
    # Planted: `latest_fit` in planning/atp.py taking from the front (`place` counted up): red in all three.
    rows = worked[name]["inputs"]
    days = [f"{date(2026, 11, 24) + timedelta(days=bucket)}T09:00:00+01:00" for bucket in range(len(rows["supply"]))]
    promisable = worked[name]["derived"]["cumulative_lookahead"]
    asked = [(bucket, more) for bucket in range(len(days)) for more in (0, 1)]
    found = answer_to(
        {
            "now": NOW,
            "timezone": "Europe/Berlin",
            "items": {"A": {"source": "none"}},
            "stock": [{"id": "on hand", "item": "A", "quantity": rows["on_hand"]}],
            "receipts": [{"id": day, "item": "A", "quantity": q, "at": day} for q, day in zip(rows["supply"], days, strict=True)],
            "commitments": [
                {"id": day, "item": "A", "quantity": q, "due": day} for q, day in zip(rows["committed"], days, strict=True)
            ],
            "quotes": [
                {"id": f"{bucket} {more}", "item": "A", "quantity": promisable[bucket] + more, "due": days[bucket]}
                for bucket, more in asked
            ],
        }
    )
    assert not any(line["late"] for line in found["commitments"])
    assert [line["late"] for line in found["quotes"]] == [more == 1 for _, more in asked]


def test_available_by_supply_order(worked: dict[str, dict[str, Any]]) -> None:
    # Planted: `earliest` in planning/atp.py with `>` for `>=`: 60 waits for 1 March.
    inputs, derived = worked["ATP-06-NETSUITE-DISCRETE"]["inputs"], worked["ATP-06-NETSUITE-DISCRETE"]["derived"]
    days = [f"2027-{day}" for _, day, _ in inputs["supply"]]
    supply = [quantity for *_, quantity in inputs["supply"]]
    rows = answer_to({"buckets": {"on_hand": 0, "supply": supply, "committed": inputs["demand_in_bucket"]}})["buckets"]
    assert (rows["discrete"], rows["promisable"]) == ([20, 0, 40, 50], derived["cumulative_lookahead"])
    found = answer_to(
        {
            "now": "2026-12-31",
            "items": {"A": {"source": "none"}},
            "receipts": [{"item": "A", "quantity": q, "at": day} for q, day in zip(supply, days, strict=True)],
            "commitments": [
                {"id": day, "item": "A", "quantity": q, "due": day}
                for q, day in zip(inputs["demand_in_bucket"], days, strict=True)
            ],
            "quotes": [{"id": str(q), "item": "A", "quantity": q} for q in (10, 30, 60, 100, 110, 111)],
        }
    )
    ready = [line["ready_at"] and line["ready_at"][:10] for line in found["quotes"]]
    assert ready == ["2027-01-01", "2027-02-15", "2027-02-15", "2027-03-01", "2027-03-01", None]


def test_fixed_and_variable_lead_time(worked: dict[str, dict[str, Any]]) -> None:
    # Planted: `base + rate * quantity` in planning/model.py without the base: a day instead of ten.
    inputs = worked["CTP-01-ORACLE-LEADTIME"]["inputs"]
    printed = worked["CTP-01-ORACLE-LEADTIME"]["printed_by_source"]
    derived = worked["CTP-01-ORACLE-LEADTIME"]["derived"]["requested_day_5"]

    def day(number: int) -> str:
        return f"2027-01-{number:02}T00:00:00+00:00"

    asked = {
        "now": day(inputs["today"]),
        "calendars": {
            "always": {"weekly": {name: [["00:00", "24:00"]] for name in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}}
        },
        "work_centres": {"X": {"calendar": "always"}},
        "items": {"A": {"source": "make"}, "C1": {"source": "none"}, "C2": {"source": "none"}},
        "boms": {"A": [{"item": "C1", "quantity": 1}, {"item": "C2", "quantity": 1}]},
        "stock": [{"item": "C1", "quantity": 10}, {"item": "C2", "quantity": 10}],
        "routings": {
            "A": [
                {
                    "work_centre": "X",
                    "fixed_minutes": inputs["fixed_lt"] * 1440,
                    "minutes_per_unit": inputs["variable_lt"] * 1440,
                }
            ]
        },
        "quotes": [
            {"id": "17", "item": "A", "quantity": inputs["qty"], "due": day(inputs["requested_ship_day"])},
            {"id": "5", "item": "A", "quantity": inputs["qty"], "due": day(5)},
        ],
    }
    backward, forward = answer_to(asked)["quotes"]
    [slot] = backward["operations"]
    assert (slot["start"], slot["end"], backward["late"]) == (day(printed["mfg_start"]), day(printed["mfg_end"]), False)
    [slot] = forward["operations"]
    assert (slot["start"], slot["end"], forward["late"]) == (day(derived["mfg_start"]), day(derived["mfg_end"]), True)


def test_cumulative_lead_time(worked: dict[str, dict[str, Any]]) -> None:
    # Planted: `through` in planning/model.py without "kit": the kit's own days count, 12 instead of 10.
    bom = worked["CTP-02-SAPB1-CUMLT"]["inputs"]["bom"]
    sources = {"production": "make", "assembly": "phantom", "phantom": "phantom", "sales": "kit"}
    days = {"weekly": {name: [["00:00", "24:00"]] for name in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}}
    items = {
        key: {"source": sources[item["type"]]} if "type" in item else {"source": "buy", "lead_days": item["lt"]}
        for key, item in bom.items()
    }
    found = answer_to(
        {
            "now": NOW,
            "timezone": "Europe/Berlin",
            "calendars": {"always": days},
            "work_centres": {"X": {"calendar": "always", "lanes": None}},
            "items": items,
            "boms": {
                key: [{"item": child, "quantity": 1} for child in item["children"]]
                for key, item in bom.items()
                if "children" in item
            },
            "routings": {
                key: [{"work_centre": "X", "fixed_minutes": item["lt"] * 1440}] for key, item in bom.items() if "type" in item
            },
            "quotes": [{"id": "q", "item": "PBOM1", "quantity": 1}],
        }
    )
    printed = worked["CTP-02-SAPB1-CUMLT"]["printed_by_source"]["cumulative_lead_time_days"]
    ready = f"{date(2026, 11, 24) + timedelta(days=printed)}T09:00:00+01:00"
    assert found["quotes"][0]["ready_at"] == ready


def test_material_that_is_short(worked: dict[str, dict[str, Any]]) -> None:
    # Planted: `_combine` in planning/explode.py making or buying `quantity` instead of the rest: 80 bought.
    case = worked["CTP-03-USERSOLUTIONS"]
    pump = {
        "items": {"PUMP": {"source": "make"}, "Casting A": {"source": "buy", "lead_days": 14}}
        | {name: {"source": "none"} for name, *_ in case["inputs"]["components"][1:]},
        "boms": {"PUMP": [{"item": name, "quantity": 1} for name, *_ in case["inputs"]["components"]]},
        "stock": [{"item": name, "quantity": there} for name, _, there, _ in case["inputs"]["components"]],
    }
    whole, split = quote("PUMP", 80, **pump), quote("PUMP", 80, partial=True, **pump)
    bought = {peg["item"]: peg["quantity"] for peg in whole["pegs"] if peg["supply"].startswith("proposal")}
    assert bought == {"Casting A": case["printed_by_source"]["shortages"][0]}
    assert whole["ready_at"] == "2026-12-08T09:00:00+01:00"
    assert parts(split) == [(45, NOW), (35, "2026-12-08T09:00:00+01:00")]


def test_replenishment_lead_time(worked: dict[str, dict[str, Any]]) -> None:
    # Planted: `_work_out_arrival` in planning/plan.py counting a day more: the second part comes on the 30th.
    inputs = worked["RLT-01-SAP-TRLT"]["inputs"]
    receipts = [
        {"id": "before", "item": "A", "quantity": inputs["receipts"][0][1], "at": at("26 08:00")},
        {"id": "after", "item": "A", "quantity": inputs["receipts"][1][1], "at": "2026-12-10T08:00:00+01:00"},
    ]
    asked = {"quantity": inputs["order_qty"], "due": at("26 12:00"), "partial": True}
    bought = quote("A", **asked, items={"A": {"source": "buy", "lead_days": 5}}, receipts=receipts)
    assert parts(bought) == [(50, at("26 08:00")), (50, at("29 09:00"))]
    assert [peg["supply"] for peg in bought["pegs"]] == ["before", "proposal A for q0"]
    waited = quote("A", **asked, items={"A": {"source": "none"}}, receipts=receipts)
    assert parts(waited) == [(50, at("26 08:00")), (50, "2026-12-10T08:00:00+01:00")]


def test_pick_pack_load_and_transit(worked: dict[str, dict[str, Any]]) -> None:
    # Planted: `pick_pack_days` ignored by `_packed` in planning/shipping.py: goods issue on 28 August.
    inputs, printed = worked["SHIP-01-SAP-LES"]["inputs"], worked["SHIP-01-SAP-LES"]["printed_by_source"]["forward"]
    week = {"weekly": {day: [["08:00", "16:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}}
    line = quote(
        "A",
        1,
        now=f"{inputs['entry']}T09:00:00+02:00",
        calendars={"week": week},
        work_centres={},
        items={"A": {"source": "none"}},
        stock=[{"item": "A", "quantity": 1}],
        shipping={
            "pick_pack_days": inputs["pick_pack_days"] + inputs["loading_days"],
            "warehouse_calendar": "week",
            "transit_days": inputs["transit_days"],
            "carrier_calendar": "week",
        },
    )
    assert (line["ship_on"][5:], line["deliver_on"][5:]) == (printed["goods_issue"], printed["delivery"])


def _shipping_rows() -> list[dict[str, str]]:
    folder = cases()
    with (folder / "shipping_calendar.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_shipping_calendar() -> None:
    # Planted: `packed < local_instant(...)` in planning/shipping.py with `<=`: SHIP-11 leaves a day too soon.
    rows = _shipping_rows()
    assert rows
    for row in rows:
        week = {day: [["08:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
        line = quote(
            "A",
            1,
            now=row["order_utc"],
            timezone=row["warehouse_tz"],
            calendars={"week": {"weekly": week, "holidays": row["holidays"]}},
            work_centres={},
            items={"A": {"source": "none"}},
            stock=[{"item": "A", "quantity": 1}],
            shipping={
                "cutoff": row["cutoff_local"],
                "warehouse_calendar": "week",
                "transit_days": int(row["transit_business_days"]),
                "carrier_calendar": "week",
            },
        )
        assert (line["ship_on"], line["deliver_on"]) == (row["ship_date"], row["delivery_date"]), row["id"]


@pytest.mark.parametrize("name", ["ft06", "la01"])
def test_a_job_shop_is_solved_to_its_optimum(name: str) -> None:
    # Planted: `optimal` not passed on by `_jobshop` in lab/run.py: red.
    instance = json.loads((cases() / "jobshop.json").read_text(encoding="utf-8"))["instances"][name]
    asked = {"machine": instance["machine"], "duration": instance["duration"], "seconds": 30}
    assert answer_to({"jobshop": asked})["jobshop"] == {"makespan": instance["optimum"], "optimal": True}


def test_the_folder_holds_nothing_else() -> None:
    assert {path.name for path in cases().iterdir()} == {"atp_ctp.json", "shipping_calendar.csv", "jobshop.json"}
