"""Items at the planning desk: how each comes, and from whom it is bought first."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.audit import AuditEntry
from backoffice.erp import plan, substituting
from backoffice.erp.models import (
    Allotment,
    BomAlternate,
    BomLine,
    Item,
    ItemSubstitute,
    OperationAlternate,
    RoutingOperation,
    Supplier,
    SupplierItem,
    WorkCentre,
)
from tests.company import item_id
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]
TERMS = {"priority": "1", "lead_days": "2", "order_minimum": "10", "order_multiple": "5", "order_maximum": "", "price": "1,25"}


@pytest.fixture
def leg(workshop: Workshop) -> str:
    """The page of the legs; there is a second supplier."""
    workshop.db.run(lambda session: session.add(Supplier(code="Q", name="Quick & Sons")))
    with workshop.db.read() as session:
        return f"/desk/planning/items/{item_id(session, 'LEG')}"


def offers(workshop: Workshop) -> list[tuple[int, int, int, int, int | None, int]]:
    rows = [row for row in workshop.rows(SupplierItem) if row.item_id == 6]
    return [(r.supplier_id, r.priority, r.lead_days, r.order_minimum, r.order_multiple, r.price_minor) for r in rows]


def test_another_supplier_is_put_first(at_desk: AtDesk, workshop: Workshop, leg: str) -> None:
    petra = at_desk("Petra")
    assert f'href="{leg}"' in petra.get("/desk/planning/items?q=leg")
    page = petra.send(f"{leg}/suppliers", supplier="2", **TERMS)
    assert page.index("Quick & Sons") < page.index("Holz & Co")  # of equals the quicker one
    assert offers(workshop) == [(1, 1, 5, 0, 1, 0), (2, 1, 2, 10, 5, 125)]
    petra.send(f"{leg}/suppliers", supplier="1", **TERMS | {"lead_days": "4"})
    assert offers(workshop)[0] == (1, 1, 4, 10, 5, 125)
    page = petra.send(f"{leg}/suppliers/1/drop")
    assert [row[0] for row in offers(workshop)] == [2]
    changes = [(one.actor, one.action, one.subject) for one in workshop.rows(AuditEntry)]
    assert changes == [("petra@werk.test", "item.supplier", "item:6")] * 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lead_days": "-1"}, "Write a whole number within the limits."),
        ({"priority": "0"}, "Write a whole number within the limits."),
        ({"order_multiple": "0"}, "Write a whole number, 1 or more."),
        ({"order_maximum": "7", "order_minimum": "8"}, "Write a whole number within the limits."),
        ({"price": "much"}, "Write an amount, for example 4.90."),
        ({"supplier": "9"}, "There is no such record."),
        ({"supplier": "x"}, "Something is missing or wrong."),
    ],
)
def test_what_makes_no_sense_is_said_and_nothing_is_saved(
    at_desk: AtDesk, workshop: Workshop, leg: str, changes: dict[str, str], words: str
) -> None:
    status = 404 if changes.get("supplier") == "9" else 422
    assert words in at_desk("Petra").refused(f"{leg}/suppliers", status, **{"supplier": "2", **TERMS, **changes})
    assert offers(workshop) == [(1, 1, 5, 0, 1, 0)]


def test_only_planners_see_it(at_desk: AtDesk, leg: str) -> None:
    assert at_desk("Wim").client.get(leg).status_code == 403
    assert at_desk("Petra").client.get("/desk/planning/items/999").status_code == 404


STOOL = "/desk/planning/items/1"


def test_a_quantity_is_kept_for_a_class_and_given_free(at_desk: AtDesk, workshop: Workshop) -> None:
    petra = at_desk("Petra")
    assert "On the shelf: 5, of it free for everybody: 5" in petra.get(STOOL)
    form = {"customer_class": "key", "quantity": "3", "release_on": "2026-12-01", "reason": "for the fair", "key": "a"}
    page = petra.send(f"{STOOL}/allotments", **form)
    assert "3 of 3 left, until Tue 1 Dec" in page
    assert "of it free for everybody: 2" in page
    petra.send(f"{STOOL}/allotments", **form)  # the same form twice is one
    assert [(one.customer_class, one.quantity, one.actor) for one in workshop.rows(Allotment)] == [("key", 3, "petra@werk.test")]
    assert "of it free for everybody: 5" in petra.send(f"{STOOL}/allotments/1/release")
    assert [one.action for one in workshop.rows(AuditEntry)] == ["allotment.set", "allotment.release"]


def test_a_part_of_what_is_to_come_is_kept(at_desk: AtDesk, workshop: Workshop) -> None:
    petra, lamp = at_desk("Petra"), "/desk/planning/items/3"
    assert "PO-1, due Fri 27 Nov, free: 10" in petra.get(lamp)
    form = {"customer_class": "trade", "line": "1", "quantity": "4", "release_on": "2026-12-01", "reason": "", "key": "a"}
    page = petra.send(f"{lamp}/allotments", **form)
    assert "4 of 4 left, until Tue 1 Dec · PO-1, Fri 27 Nov" in page
    assert "PO-1, due Fri 27 Nov, free: 6" in page
    assert "There is no such delivery." in petra.refused(f"{STOOL}/allotments", 404, **form | {"key": "b"})


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"quantity": "6"}, 409, "There are not that many on the shelf that are free."),
        ({"quantity": "-1"}, 422, "Write a whole number, 1 or more."),
        ({"release_on": "2026-11-24"}, 422, "Choose today or later."),
        ({"release_on": "soon"}, 422, "Choose a day"),
        ({"customer_class": "kings"}, 422, "Choose one of the list."),
    ],
)
def test_what_cannot_be_kept(at_desk: AtDesk, workshop: Workshop, changes: dict[str, str], status: int, words: str) -> None:
    form = {"customer_class": "key", "quantity": "3", "release_on": "2026-12-01", "reason": "", "key": "a"}
    assert words in at_desk("Petra").refused(f"{STOOL}/allotments", status, **form | changes)
    assert workshop.rows(Allotment) == []


TABLE, LOAD = "/desk/planning/items/4", "/desk/planning/load"


LEGS = {"component": "LEG", "amount": "4", "per": "1", "scrap": "0", "alternates": ""}
ASSEMBLE = {"centre": "ASSEMBLY", "step": "1", "setup": "30", "fixed": "0", "minutes": "60", "pieces": "1", "alternates": ""}


def test_what_stands_in_and_how_fast_they_work(at_desk: AtDesk, workshop: Workshop) -> None:
    petra = at_desk("Petra")
    page = petra.send(f"{TABLE}/parts/2", **LEGS | {"alternates": " BOARD , STOOL ", "scrap": "2,5"})
    assert 'value="BOARD, STOOL"' in page
    assert 'value="2.5"' in page
    assert [(one.item_id, one.priority) for one in workshop.rows(BomAlternate)] == [(7, 1), (1, 2)]
    assert [one.scrap_permille for one in workshop.rows(BomLine)] == [0, 25, 0]
    assert 'value="SAW"' in petra.send(f"{TABLE}/operations/1", **ASSEMBLE | {"alternates": "SAW"})
    petra.send(f"{TABLE}/operations/1", **ASSEMBLE)
    assert workshop.rows(OperationAlternate) == []
    assert 'value="80"' in petra.send(f"{LOAD}/1/pace", efficiency="80", frozen_days="3")
    assert [(one.efficiency_percent, one.frozen_days) for one in workshop.rows(WorkCentre)] == [(80, 3), (100, 0)]


def test_a_recipe_is_changed_after_a_look_at_whom_it_moves(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(TABLE=1)  # begins now
    petra, number = at_desk("Petra"), workshop.buy(TABLE=1).number
    more = LEGS | {"amount": "9", "key": "a"}
    page = petra.look(f"{TABLE}/parts/2", **more)
    for words in ("1 promise would move", number, "Table is made in another way. Nothing is saved yet.", f'href="{TABLE}"'):
        assert words in page
    assert [one.quantity for one in workshop.rows(BomLine)] == [1, 4, 2]
    page = petra.confirm(f"{TABLE}/parts/2", **more)
    assert f"Saved. New days, told to their customers: {number}, Table: Tue 1 Dec instead of Wed 25 Nov." in page
    petra.confirm(f"{TABLE}/parts/2/drop")
    assert [one.component_id for one in workshop.rows(BomLine)] == [5, 7]
    assert "Lamp" in petra.confirm(f"{TABLE}/parts", **LEGS | {"component": "LAMP", "amount": "1", "key": "b"})
    petra.send(f"{TABLE}/operations", **ASSEMBLE | {"centre": "SAW", "step": "2", "setup": "0", "minutes": "0,25", "pieces": "3"})
    assert 'value="0.25"' in petra.get(TABLE)
    assert [(one.run_seconds, one.run_per) for one in workshop.rows(RoutingOperation, item_id=4)] == [(3600, 1), (15, 3)]
    petra.send(f"{TABLE}/operations/{workshop.rows(RoutingOperation)[-1].id}/drop")
    assert len(workshop.rows(RoutingOperation)) == 2


@pytest.mark.parametrize(
    ("path", "form", "words"),
    [
        (f"{TABLE}/parts/1", LEGS | {"component": "TOP", "alternates": "TABLE"}, "It would be a part of itself."),
        (f"{TABLE}/parts/1", LEGS | {"component": "TOP", "alternates": "TABLES"}, "Choose one of the list."),
        (f"{TABLE}/parts/2", LEGS | {"scrap": "100"}, "Write a whole number within the limits."),
        (f"{TABLE}/parts/2", LEGS | {"scrap": "much"}, "Write a whole number within the limits."),
        (f"{TABLE}/parts/2", LEGS | {"amount": "-4"}, "Write a whole number, 1 or more."),
        (f"{TABLE}/parts", LEGS, "This stands in the list already: change it there."),
        (f"{TABLE}/parts", LEGS | {"component": "LEGS"}, "We have no item with that number."),
        (f"{TABLE}/operations/1", ASSEMBLE | {"alternates": "OVEN"}, "Choose one of the list."),
        (f"{TABLE}/operations/1", ASSEMBLE | {"centre": "OVEN"}, "Choose one of the list."),
        (f"{TABLE}/operations/1", ASSEMBLE | {"minutes": "-1"}, "Write minutes from 0 on, for example 12.5."),
        (f"{TABLE}/operations", ASSEMBLE | {"minutes": "long"}, "Write minutes from 0 on, for example 12.5."),
        (f"{LOAD}/1/pace", {"efficiency": "0", "frozen_days": "0"}, "Write a whole number within the limits."),
        (f"{LOAD}/1/pace", {"efficiency": "100", "frozen_days": "61"}, "Write a whole number within the limits."),
    ],
)
def test_a_recipe_that_makes_no_sense_is_not_saved_and_loses_no_text(
    at_desk: AtDesk, workshop: Workshop, path: str, form: dict[str, str], words: str
) -> None:
    page = at_desk("Petra").refused(path, 422, **form)
    assert words in page
    assert page.count('aria-invalid="true"') == 1
    assert all(f'value="{typed}"' in page for typed in form.values() if typed and typed != "OVEN")
    assert (workshop.rows(BomAlternate), workshop.rows(OperationAlternate), workshop.rows(AuditEntry)) == ([], [], [])
    assert [(one.quantity, one.scrap_permille) for one in workshop.rows(BomLine)] == [(1, 0), (4, 0), (2, 0)]


def test_what_is_wrong_in_the_master_data_stands_above_the_items(at_desk: AtDesk, workshop: Workshop) -> None:
    petra = at_desk("Petra")
    assert "Wrong in the master data" not in petra.get("/desk/planning/items")

    def break_it(session: Session) -> None:
        session.execute(sa.update(BomLine).where(BomLine.id == 3).values(component_id=4))
        plan.bump(session, master=True)

    workshop.db.run(break_it)
    assert "TABLE: is a part of itself: TABLE > TOP > TABLE" in petra.get("/desk/planning/items")


def test_what_may_stand_in_for_an_item_is_listed_ordered_and_offered(at_desk: AtDesk, workshop: Workshop) -> None:
    petra, vase = at_desk("Petra"), "/desk/planning/items/2"
    for sku in ("LAMP", "STOOL"):
        page = petra.send(f"{vase}/substitutes", substitute=f" {sku} ")
    assert page.index("1. <a") < page.index(">Lamp<") < page.index(">Stool<")
    petra.send(f"{vase}/substitutes/1/prefer")
    petra.send(f"{vase}/substitutes/1/prefer")  # it is the first one already
    assert order_of(workshop) == [(1, 1), (3, 2)]
    with workshop.db.read() as session:
        assert [one.sku for one in substituting.candidates(session, 2, currency="EUR")] == ["STOOL", "LAMP"]
    petra.send(f"{vase}/substitutes/1/drop")
    assert order_of(workshop) == [(3, 1)]
    details = [one.details for one in workshop.rows(AuditEntry)]
    assert [(one["before"], one["after"]) for one in details] == [([], [3]), ([3], [3, 1]), ([3, 1], [1, 3]), ([1, 3], [3])]


@pytest.mark.parametrize(
    ("sku", "words"),
    [
        ("NOTHING", "We have no item with that number."),
        ("VASE", "That is the item itself."),
        ("LEG", "That is not sold in the shop."),
        ("LAMP", "This stands in the list already: change it there."),
        ("STOOL", "That is sold in another currency."),
        ("", "We have no item with that number."),
    ],
)
def test_what_cannot_stand_in_is_said(at_desk: AtDesk, workshop: Workshop, sku: str, words: str) -> None:
    petra, vase = at_desk("Petra"), "/desk/planning/items/2"
    petra.send(f"{vase}/substitutes", substitute="LAMP")
    workshop.db.run(lambda session: session.execute(sa.update(Item).where(Item.sku == "STOOL").values(currency="USD")))
    page = petra.refused(f"{vase}/substitutes", 422, substitute=sku)
    assert words in page
    assert re.search(f'id="instead-substitute" name="substitute" [^>]*value="{sku}" required', page)
    assert order_of(workshop) == [(3, 1)]
    assert petra.refused(f"{vase}/substitutes/9/drop", 404)


def order_of(workshop: Workshop) -> list[tuple[int, int]]:
    """Return what may stand in, with its priority."""
    rows = workshop.rows(ItemSubstitute)
    return [(one.substitute_id, one.priority) for one in sorted(rows, key=lambda row: row.priority)]
