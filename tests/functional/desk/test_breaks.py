"""What breaks a plan, written down at the planning desk, and what would bring a late day back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from backoffice import tables
from backoffice.crm.models import OrderLine
from backoffice.erp import production
from backoffice.erp.models import ProductionOrder, PurchaseOrderLine, WorkCentreStop
from tests.company import at
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]


def everything(workshop: Workshop) -> dict[str, list[str]]:
    """Return every row of every table."""
    with workshop.db.read() as session:
        return {one.name: sorted(map(repr, session.execute(sa.select(one)).all())) for one in tables.metadata.sorted_tables}


def test_fewer_come_and_the_newest_promise_is_shown_before_it_is_saved(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(LAMP=4)
    second = workshop.buy(LAMP=3)
    petra = at_desk("Petra")
    page = petra.confirm("/desk/planning/receipts/1/shorten", quantity="6", version="1", key="a")
    assert f"Saved. New days, told to their customers: {second.number}, Lamp: Wed 2 Dec instead of Mon 30 Nov." in page
    assert [(one.quantity, one.version) for one in workshop.rows(PurchaseOrderLine, id=1)] == [(6, 2)]
    assert "PO-1 Lamp → Lamp +2 days" in petra.get("/desk/planning")


@pytest.mark.parametrize(("quantity", "status"), [("0", 422), ("10", 422), ("11", 422), ("few", 422), ("", 422)])
def test_what_is_not_fewer_is_refused(at_desk: AtDesk, workshop: Workshop, quantity: str, status: int) -> None:
    before = everything(workshop)["purchase_order_line"]
    page = at_desk("Petra").refused("/desk/planning/receipts/1/shorten", status, quantity=quantity, version="1", key="a")
    assert "Write a whole number, 1 or more." in page
    assert everything(workshop)["purchase_order_line"] == before


def test_a_missing_shift(at_desk: AtDesk, workshop: Workshop) -> None:
    order = workshop.buy(TABLE=1)
    petra = at_desk("Petra")
    page = petra.confirm("/desk/planning/shifts", shift_centre="2", on_day="2026-11-24", shift_reason="ill", key="a")
    assert f"Noted: the shift is missing. New days, told to their customers: {order.number}" in page
    assert [(one.ends_at, one.reason, one.actor) for one in workshop.rows(WorkCentreStop)] == [(at(24, 14), "ill", "Petra")]
    assert "Assembly: a shift is missing on Tue 24 Nov" in petra.get("/desk/planning")
    closed = petra.refused("/desk/planning/shifts", 422, shift_centre="2", on_day="2026-11-28", key="b")
    assert "It is closed then anyway." in closed


def test_production_that_cannot_begin(at_desk: AtDesk, workshop: Workshop) -> None:
    order = workshop.buy(TABLE=1)
    table = next(one for one in workshop.rows(ProductionOrder) if one.starts_at == at(24, 9, 30))
    petra = at_desk("Petra")
    path = f"/desk/planning/production/{table.id}/delay"
    assert "Choose a time after" in petra.refused(path, 422, not_before="2026-11-24T09:30", key="a")
    page = petra.confirm(path, not_before="2026-11-25T12:00", key="b")
    assert f"Saved. New days, told to their customers: {order.number}, Table: " in page
    assert workshop.rows(ProductionOrder, id=table.id)[0].not_before_at == at(25, 12)
    line = workshop.rows(OrderLine)[0]
    page = petra.get(f"/desk/planning/late/{line.id}")
    assert f"{table.number}, Table, can begin now" in page
    assert "as promised" in page
    back = petra.send(f"/desk/planning/production/{table.id}/begin")
    assert f"{order.number}, Table: Wed 25 Nov instead of" in back
    assert workshop.rows(ProductionOrder, id=table.id)[0].not_before_at is None
    assert petra.refused(f"/desk/planning/production/{table.id}/begin", 409)


def test_each_way_back_is_the_plan_s_own_answer_and_leaves_no_trace(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(LAMP=4)
    petra = at_desk("Petra")
    petra.confirm("/desk/planning/receipts/1/due", due_on="2026-11-30", version="1", key="a")
    line = workshop.rows(OrderLine)[0]
    assert f'href="/desk/planning/late/{line.id}"' in petra.get("/desk/planning")
    before = everything(workshop)
    page = petra.get(f"/desk/planning/late/{line.id}")
    # Fri 27 is the latest day on which they can come in and arrive on Mon 30, over the weekend
    assert "Lamp from PO-1 is here by Fri 27 Nov" in page
    assert 'name="wanted_on" value="2026-11-27"' in page
    assert "as promised" in page
    assert everything(workshop) == before
    petra.send("/desk/planning/receipts/1/ask", wanted_on="2026-11-27", key="b")
    assert workshop.rows(PurchaseOrderLine)[0].expedite_on.isoformat() == "2026-11-27"


def test_a_station_that_works_again_is_a_way_back(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(TABLE=1)
    workshop.do(production.stop, 2, at(24, 9), at(26, 14), reason="Belt")
    line = workshop.rows(OrderLine)[0]
    petra = at_desk("Petra")
    before = everything(workshop)
    page = petra.get(f"/desk/planning/late/{line.id}")
    assert "Assembly works again now" in page
    assert "Wed 25 Nov" in page
    assert everything(workshop) == before


def test_a_line_that_there_is_not(at_desk: AtDesk, workshop: Workshop) -> None:
    assert at_desk("Petra").client.get("/desk/planning/late/99").status_code == 404
