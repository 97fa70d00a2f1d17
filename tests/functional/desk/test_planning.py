"""The planning desk: what is open, what it moves, and that a wrong entry moves nothing."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from backoffice.erp.models import ProductionOrder, PurchaseOrder, PurchaseOrderLine, WorkCentreStop
from tests.company import at
from tests.conftest import FixedClock
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]
LAMPS = "/desk/planning/receipts/1/due"


def test_production_names_operations_and_whose_they_are(at_desk: AtDesk, workshop: Workshop) -> None:
    order = workshop.buy(TABLE=1)
    page = at_desk("Petra").get("/desk/planning/production")
    # Saw: 10 minutes and 20 for the one top, from Tuesday 09:00; then Assembly: 30 and 60
    assert "Tue 24 Nov, 09:00 – 09:30" in page
    assert "Tue 24 Nov, 09:30 – 11:00" in page
    assert page.count(f">{order.number}<") == 2


def test_finishing_puts_it_on_the_shelf(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(TABLE=1)
    petra, orders = at_desk("Petra"), workshop.rows(ProductionOrder)
    ids = {workshop_item(workshop, order.item_id): order.id for order in orders}
    page = petra.refused(f"/desk/planning/production/{ids['TABLE']}/finish", 409)
    assert "Not possible yet: Top is still missing. Nothing was booked." in page
    for _ in range(2):
        assert "Done." in petra.send(f"/desk/planning/production/{ids['TOP']}/finish")
    petra.send(f"/desk/planning/production/{ids['TABLE']}/finish")
    assert workshop.stock("TABLE") == (1, 1, 0)
    assert "Nothing is being made" in petra.get("/desk/planning/production")


def test_moving_a_receipt_moves_the_day_and_says_whose(at_desk: AtDesk, workshop: Workshop) -> None:
    start = workshop.start(workshop.cart(LAMP=2))
    workshop.pay(start)
    first = workshop.order(start).expected_on
    petra = at_desk("Petra")
    assert workshop.order(start).number in petra.get("/desk/planning/receipts")
    page = petra.confirm(LAMPS, due_on="2026-12-03", version="1", key="a")
    assert f"Saved. New days, told to their customers: {workshop.order(start).number}, Lamp: " in page
    assert workshop.rows(PurchaseOrderLine)[0].due_at == at(3, 8, month=12)  # at its own time of day
    order = workshop.order(start)
    assert (order.promised_on, order.expected_on > first) == (first, True)
    today = petra.get("/desk/planning")
    assert "1 promise is late" in today
    assert order.number in today


@pytest.mark.parametrize(
    ("due_on", "says"),
    [
        ("2026-11-23", "Choose today or later."),
        ("someday", "Choose a day, for example 2026-12-08."),
        ("", "Choose a day, for example 2026-12-08."),
        ("9999-12-31", "Choose a day of these years: that one is too far away."),
    ],
)
def test_a_wrong_day_moves_nothing_and_is_kept(at_desk: AtDesk, workshop: Workshop, due_on: str, says: str) -> None:
    page = at_desk("Petra").refused(LAMPS, 422, due_on=due_on, version="1", key="a")
    assert says in page
    assert f'value="{due_on}"' in page
    assert workshop.rows(PurchaseOrderLine)[0].due_at == at(27, 8)


def test_today_means_later_today(at_desk: AtDesk, workshop: Workshop) -> None:
    at_desk("Petra").send(LAMPS, due_on="2026-11-24", version="1", key="a")
    assert workshop.rows(PurchaseOrderLine)[0].due_at == at(24, 23, 59)  # 08:00 is over


def test_two_planners_and_one_receipt(at_desk: AtDesk, workshop: Workshop) -> None:
    at_desk("Petra").send(LAMPS, due_on="2026-12-03", version="1", key="a")
    page = at_desk("Ada").refused(LAMPS, 409, due_on="2026-12-09", version="1", key="b")
    assert "Somebody changed this in the meantime." in page
    assert 'value="2026-12-09"' in page
    assert workshop.rows(PurchaseOrderLine)[0].due_at == at(3, 8, month=12)


def test_a_move_posted_twice_is_one_move(at_desk: AtDesk, workshop: Workshop) -> None:
    for _ in range(2):
        at_desk("Petra").send(LAMPS, due_on="2026-12-03", version="1", key="a")
    assert workshop.rows(PurchaseOrderLine)[0].version == 2


def test_late_receipts_come_first(at_desk: AtDesk, workshop: Workshop, clock: FixedClock) -> None:
    clock.advance(days=5)
    petra = at_desk("Petra")
    assert "1 receipt is late" in petra.get("/desk/planning")
    assert "was due Fri 27 Nov" in petra.get("/desk/planning/receipts")


def test_a_proposed_purchase_is_confirmed_once(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(TABLE=4)  # 16 legs are needed, 12 are there
    petra = at_desk("Petra")
    assert "1 purchase to order" in petra.get("/desk/planning")
    order = next(one for one in workshop.rows(PurchaseOrder) if one.state == "proposed")
    page = petra.get(f"/desk/planning/receipts?q={order.number}")
    assert "once it is ordered" in page  # it has no day of its own to move
    assert "/due" not in page
    for _ in range(2):
        petra.send(f"/desk/planning/purchase-orders/{order.id}/confirm", key="a")
    assert [one.state for one in workshop.rows(PurchaseOrder, id=order.id)] == ["ordered"]
    petra.refused(f"/desk/planning/purchase-orders/{order.id}/confirm", 409, key="b")
    petra.refused("/desk/planning/purchase-orders/99/confirm", 404, key="c")


def test_stopping_a_work_centre_moves_the_day_and_ends_early(at_desk: AtDesk, workshop: Workshop) -> None:
    petra, before = at_desk("Petra"), workshop.day("TABLE")
    form = {"work_centre": "2", "starts_at": "2026-11-24T09:00", "hours": "48", "reason": "Belt <torn>", "key": "a"}
    for _ in range(2):
        petra.send("/desk/planning/stops", **form)
    (stop,) = workshop.rows(WorkCentreStop)
    assert (stop.starts_at, stop.ends_at, stop.reason, stop.actor) == (at(24, 9), at(26, 9), "Belt <torn>", "Petra")
    assert workshop.day("TABLE") > before
    page = petra.get("/desk/planning/load")
    assert "stands still" in page
    assert "Belt <torn>" in page
    assert "It works again." in petra.send("/desk/planning/stops/1/end")
    assert workshop.day("TABLE") == before
    assert "Every work centre runs." in petra.get("/desk/planning/load")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"hours": "0"}, "Write a number of hours between 1 and 720."),
        ({"hours": "721"}, "Write a number of hours between 1 and 720."),
        ({"hours": "many"}, "Write a number of hours between 1 and 720."),
        ({"starts_at": "tomorrow"}, "Choose a day and a time."),
        ({"starts_at": "0001-01-01T00:00"}, "Choose a day of these years: that one is too far away."),
        ({"work_centre": ""}, "Choose one of the list."),
        ({"starts_at": "2026-11-01T08:00"}, "A stop must end after it starts and after now."),
    ],
)
def test_a_wrong_stop_stops_nothing_and_is_kept(at_desk: AtDesk, workshop: Workshop, changes: dict[str, str], says: str) -> None:
    form = {"work_centre": "1", "starts_at": "2026-11-24T10:00", "hours": "4", "reason": "Service", "key": "a"} | changes
    page = at_desk("Petra").refused("/desk/planning/stops", 422, **form)
    assert says in page
    assert 'value="Service"' in page
    assert f'value="{form["hours"]}"' in page
    assert workshop.rows(WorkCentreStop) == []


def test_load_is_minutes_given_of_minutes_open(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(TABLE=1)
    page = at_desk("Petra").get("/desk/planning/load")
    assert re.search(r"1\.5 / 8 <a [^>]*>19 %</a>", page)  # Assembly: 90 of 480 minutes
    assert re.search(r"0\.5 / 8 <a [^>]*>6 %</a>", page)  # Saw: 30 of 480
    assert page.count("Sat 28 Nov") == 3  # two charts and the table
    assert page.count("<tr") == 1 + 28 + 1  # head, days, together


def workshop_item(workshop: Workshop, item_id: int) -> str:
    """Return an item's SKU."""
    from backoffice.erp.models import Item

    with workshop.db.read() as session:
        return session.scalar(sa.select(Item.sku).where(Item.id == item_id)) or ""
