"""Parts and operations changed by the planner: what is not begun follows, what is begun does not; nonsense changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from backoffice.audit import AuditEntry
from backoffice.crm.models import OrderLine
from backoffice.erp import models as t
from backoffice.erp import recipe_lines
from backoffice.erp.recipe_lines import Part, Work
from backoffice.public.errors import BadInput, NotFound, Refused, ShopError
from tests.company import at, item_id
from tests.functional.desk.conftest import every_row

BY = {"by": "petra@werk.test", "role": "planner"}
WED, THU, MON = date(2026, 11, 25), date(2026, 11, 26), date(2026, 11, 30)
TOP_LINE, LEG_LINE = 1, 2  # of the table's bill
ASSEMBLING, SAWING = 1, 2  # of the table, of its top


def run(workshop, verb: Callable[..., int], sku: str, *args: Any) -> int:
    """Do it to an item; return how many orders' lines moved."""
    return workshop.db.run(lambda session: verb(session, item_id(session, sku), *args, **BY, now=workshop.now))


@pytest.fixture
def two(workshop) -> None:
    """Two tables: assembled from 09:30 and from 11:00 on. 12 legs are here."""
    workshop.buy(TABLE=1)
    workshop.buy(TABLE=1)


def expected(workshop) -> list[date]:
    return [line.expected_on for line in workshop.rows(OrderLine)]


def test_more_of_a_part_redates_who_lacks_it(workshop, two):
    assert run(workshop, recipe_lines.set_part, "TABLE", LEG_LINE, Part("LEG", 6)) == 0  # 12 legs are enough for two
    assert run(workshop, recipe_lines.set_part, "TABLE", LEG_LINE, Part("LEG", 7)) == 1  # two more come on Sunday
    assert expected(workshop) == [WED, date(2026, 12, 1)]
    assert [line.moved_cause and line.moved_cause["code"] for line in workshop.rows(OrderLine)] == [None, "recipe_changed"]


def test_what_is_begun_is_made_in_the_old_way(workshop, two):
    workshop.now = at(24, 10)
    assert run(workshop, recipe_lines.set_part, "TABLE", None, Part("LAMP", 1)) == 1
    assert expected(workshop) == [WED, MON]


def test_a_part_is_added_and_taken_out(workshop, two):
    assert run(workshop, recipe_lines.set_part, "TABLE", None, Part("LAMP", 1)) == 2  # they come on Friday
    assert expected(workshop) == [MON, MON]
    line = workshop.rows(t.BomLine)[-1]
    assert (line.parent_id, line.component_id, line.quantity, line.per, line.position) == (4, 3, 1, 1, 3)
    assert run(workshop, recipe_lines.drop_part, "TABLE", line.id) == 2
    assert expected(workshop) == [WED, WED]
    details = [one.details for one in workshop.rows(AuditEntry, action="item.part")]
    assert [(one["component"], one.get("taken_away", False)) for one in details] == [(3, False), (3, True)]


def test_operations_are_added_ordered_and_taken_out(workshop, two):
    # assembled by 11:00 and 12:30; two hours at the saw end at 13:00, and on Wednesday
    assert run(workshop, recipe_lines.set_work, "TABLE", None, Work("SAW", 2, run_seconds=7200)) == 2
    assert expected(workshop) == [WED, THU]
    own = next(row for row in workshop.rows(t.RoutingOperation, item_id=4) if row.work_centre_id == 1)
    run(workshop, recipe_lines.set_work, "TABLE", own.id, Work("SAW", 1, setup_seconds=60, alternates=["ASSEMBLY"]))
    rows = sorted(workshop.rows(t.RoutingOperation, item_id=4), key=lambda row: row.position)
    found = [(row.position, row.work_centre_id, row.setup_seconds, row.run_seconds) for row in rows]
    assert found == [(0, 1, 60, 0), (1, 2, 1800, 3600)]
    assert expected(workshop) == [WED, WED]
    run(workshop, recipe_lines.drop_work, "TABLE", own.id)
    assert [(row.position, row.id) for row in workshop.rows(t.RoutingOperation, item_id=4)] == [(0, ASSEMBLING)]
    assert workshop.rows(t.OperationAlternate) == []
    last = max(workshop.rows(t.OperationSlot), key=lambda slot: slot.ends_at)
    assert (last.starts_at, last.ends_at) == (at(24, 11), at(24, 12, 30))


def test_what_may_stand_in_moves_nothing(workshop, two):
    with workshop.db.read() as session:
        before = every_row(session)
    assert run(workshop, recipe_lines.set_part, "TABLE", LEG_LINE, Part("LEG", 4, alternates=["BOARD"])) == 0
    with workshop.db.read() as session:
        after = every_row(session)
    assert {name for name, rows in after.items() if rows != before[name]} == {
        "bom_alternate",
        "audit_chain",
        "audit_entry",
        "plan_domain",
        "offer",
    }


@pytest.mark.parametrize(
    ("verb", "sku", "args", "error", "fields"),
    [
        ("set_part", "TABLE", (None, Part("NOTHING", 1)), BadInput, {"component": "unknown_part"}),
        ("set_part", "TABLE", (None, Part("TABLE", 1)), BadInput, {"component": "cycle"}),
        ("set_part", "TOP", (None, Part("TABLE", 1)), BadInput, {"component": "cycle"}),
        ("set_part", "TOP", (None, Part("STOOL", 1, alternates=["TABLE"])), BadInput, {"alternates": "cycle"}),
        ("set_part", "TABLE", (None, Part("LEG", 1)), BadInput, {"component": "in_it_already"}),
        ("set_part", "TABLE", (TOP_LINE, Part("LEG", 1)), BadInput, {"component": "in_it_already"}),
        ("set_part", "TABLE", (LEG_LINE, Part("LEG", 0, 0)), BadInput, {"amount": "bad_quantity", "per": "bad_quantity"}),
        ("set_part", "TABLE", (LEG_LINE, Part("LEG", -4, 1, 1000)), BadInput, {"amount": "bad_quantity", "scrap": "bad_number"}),
        ("set_part", "TABLE", (3, Part("LEG", 1)), NotFound, {}),  # a line of the top
        ("set_part", "LEG", (None, Part("BOARD", 1)), Refused, {}),  # it is bought
        ("drop_part", "TABLE", (99,), NotFound, {}),
        ("set_work", "TABLE", (None, Work("OVEN", 1)), BadInput, {"centre": "bad_choice"}),
        ("set_work", "TABLE", (None, Work("SAW", 3)), BadInput, {"step": "bad_number"}),
        ("set_work", "TABLE", (ASSEMBLING, Work("ASSEMBLY", 2)), BadInput, {"step": "bad_number"}),
        (
            "set_work",
            "TABLE",
            (None, Work("SAW", 1, -1, -1, -1, 0)),
            BadInput,
            dict.fromkeys(("setup", "fixed", "minutes"), "bad_minutes") | {"pieces": "bad_quantity"},
        ),
        ("set_work", "TABLE", (None, Work("SAW", 1, alternates=["SAW"])), BadInput, {"alternates": "bad_choice"}),
        ("set_work", "TABLE", (SAWING, Work("SAW", 1)), NotFound, {}),  # an operation of the top
        ("drop_work", "LEG", (ASSEMBLING,), Refused, {}),
    ],
)
def test_what_makes_no_sense_changes_nothing(
    workshop, two, verb: str, sku: str, args: tuple[Any, ...], error: type[ShopError], fields: dict[str, str]
):
    with workshop.db.read() as session:
        before = every_row(session)
    with pytest.raises(error) as refused:
        run(workshop, getattr(recipe_lines, verb), sku, *args)
    assert dict(getattr(refused.value, "fields", {})) == fields
    with workshop.db.read() as session:
        assert every_row(session) == before
    assert workshop.day("TABLE")  # nor is anything left in memory
