"""Faults of a factory's data are found and named, one line each."""

from __future__ import annotations

from backoffice.planning import BomLine, Calendar, Factory, Item, Operation, Stop, WorkCentre, check
from tests.unit.planning.models import NOW, PLANT, berlin, factory


def test_a_sound_factory_has_no_faults() -> None:
    model = factory(
        Item("A", "make"),
        Item("B", "buy", lead_days=1, lead_calendar="plant"),
        boms={"A": [BomLine("B", 2)]},
        routings={"A": [Operation("SAW", 1)]},
        centres=[WorkCentre("SAW", "plant")],
        stops=[Stop("SAW", NOW, NOW)],
    )
    assert check(model) == []


def test_every_fault_is_named() -> None:
    model = Factory(
        {"odd": Calendar("Europe/Berlin", {7: [(0, 60)], 0: [(60, 0), (0, 1441)]})},
        [
            Item("A", "make", minimum=10, maximum=5),
            Item("B", "buy", lead_days=-1, lead_calendar="none such"),
            Item("C", "steal"),  # type: ignore[arg-type] # a source that does not exist
        ],
        {"A": [BomLine("X", -1), BomLine("B", 1, 1)], "Y": []},
        {"A": [Operation("SAW", -1), Operation("MILL", 1)], "Z": []},
        [WorkCentre("SAW", "plant", lanes=0, efficiency=0)],
        [Stop("LATHE", NOW, berlin("2026-01-01 00:00"))],
    )
    assert check(model) == [
        "calendar odd: bad interval 60-0 on 0",
        "calendar odd: bad interval 0-1441 on 0",
        "calendar odd: bad weekday 7",
        "item A: no lot fits its minimum, multiple and maximum",
        "item B: unknown calendar none such",
        "item B: lead_days is negative",
        "item C: unknown source steal",
        "bom of A: unknown item X",
        "bom of A: quantity of X is negative",
        "bom of A: scrap of B is not in 0 <= scrap < 1",
        "bom: unknown item Y",
        "routing of A: minutes of operation 1 are negative",
        "routing of A: unknown work centre MILL in operation 2",
        "routing: unknown item Z",
        "work centre SAW: unknown calendar plant",
        "work centre SAW: needs at least one lane",
        "work centre SAW: efficiency must be above 0",
        "stop: unknown work centre LATHE",
        "stop of LATHE: ends before it starts",
    ]


def test_a_cycle_is_named_with_its_path() -> None:
    boms = {"A": [BomLine("B", 1)], "B": [BomLine("C", 1), BomLine("D", 1)], "C": [BomLine("B", 1)], "E": [BomLine("E", 1)]}
    model = Factory({"p": PLANT}, [Item(key, "make") for key in "ABCDE"], boms, {}, [])
    assert check(model) == ["bom: cycle B > C > B", "bom: cycle E > E"]


def test_a_deep_bill_is_walked_without_recursion() -> None:
    boms = {n: [BomLine(n + 1, 1)] for n in range(5000)}
    assert check(Factory({}, [Item(n, "make") for n in range(5001)], boms, {}, [])) == []
