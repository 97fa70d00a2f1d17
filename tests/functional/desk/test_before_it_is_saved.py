"""A change that moves promises shows which before it is saved, leaves no trace until then, and saves only what was seen."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import date, datetime

import pytest
from sqlalchemy.orm import Session

from backoffice.desk.moved import Unseen, Watch
from backoffice.erp import expediting, production
from backoffice.erp.models import PurchaseOrderLine, WorkCentreStop
from tests.company import at
from tests.functional.desk.conftest import Colleague, every_row
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]
LAMPS = "/desk/planning/receipts/1/due"
MOVE = {"due_on": "2026-12-03", "version": "1", "key": "a"}
STOP = {"work_centre": "2", "starts_at": "2026-11-24T09:00", "hours": "48", "reason": "Belt", "key": "a"}


def move_lamps(session: Session, now: datetime) -> None:
    """Let the lamps come on 3 December."""
    expediting.answer(session, 1, at(3, 8, month=12), version=1, actor="Petra", by="petra@werk.test", now=now)


def stop_assembly(session: Session, now: datetime) -> None:
    """Stop the second work centre for two days."""
    production.stop(session, 2, at(24, 9), at(26, 9), reason="Belt", actor="Petra", now=now)


@pytest.mark.parametrize("change", [move_lamps, stop_assembly])
def test_looking_leaves_no_trace_and_tells_what_saving_then_does(
    shop: Workshop, now: datetime, change: Callable[[Session, datetime], None]
) -> None:
    shop.buy(LAMP=2)
    shop.buy(TABLE=1)
    with shop.db.read() as session:
        before = every_row(session)
    with pytest.raises(Unseen) as unseen:
        shop.db.run(Watch("").over(lambda session: change(session, now)))
    with shop.db.read() as session:
        assert every_row(session) == before  # the plan's version, the outbox, the timeline, the audit: all of it
    [move] = unseen.value.moves
    assert (move.before.customer, move.late, unseen.value.changed) == ("Ada Lovelace", True, False)
    shop.db.run(Watch(unseen.value.mark).over(lambda session: change(session, now)))
    [moved] = [line for line in lines(shop) if line[0] == move.line_id]
    assert moved[1] == move.after.expected_on != move.before.expected_on


def lines(shop: Workshop) -> list[tuple[int, date]]:
    """Return each order line with its expected day."""
    from backoffice.crm.models import OrderLine

    return [(line.id, line.expected_on) for line in shop.rows(OrderLine)]


def test_a_move_is_shown_with_whose_it_is_then_saved_as_seen(at_desk: AtDesk, workshop: Workshop) -> None:
    number = workshop.buy(LAMP=2).number
    petra = at_desk("Petra")
    page = petra.look(LAMPS, **MOVE)
    for words in ("1 promise would move", number, "Lamp from PO-1: Thu 3 Dec instead of Fri 27 Nov", "days late"):
        assert words in page
    assert workshop.rows(PurchaseOrderLine)[0].due_at == at(27, 8)
    assert f"Saved. New days, told to their customers: {number}, Lamp: " in petra.send(LAMPS, **MOVE, seen=mark(page))
    assert workshop.rows(PurchaseOrderLine)[0].due_at == at(3, 8, month=12)


def test_what_moves_nobody_is_saved_at_once(at_desk: AtDesk, workshop: Workshop) -> None:
    assert "No order's day has moved." in at_desk("Petra").send(LAMPS, **MOVE)


def test_a_plan_that_changed_since_is_told_and_nothing_is_saved(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(LAMP=2)
    petra = at_desk("Petra")
    seen = mark(petra.look(LAMPS, **MOVE))
    second = workshop.buy(LAMP=1).number
    page = petra.refused(LAMPS, 409, **MOVE, seen=seen)
    assert "The plan has changed since you looked." in page
    assert "2 promises would move" in page
    assert second in page
    assert workshop.rows(PurchaseOrderLine)[0].due_at == at(27, 8)
    petra.send(LAMPS, **MOVE, seen=mark(page))
    assert workshop.rows(PurchaseOrderLine)[0].due_at == at(3, 8, month=12)


def test_a_receipt_that_a_colleague_moved_meanwhile_is_told(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(LAMP=2)
    petra, ada = at_desk("Petra"), at_desk("Ada")
    seen = mark(petra.look(LAMPS, **MOVE))
    ada.confirm(LAMPS, due_on="2026-12-09", version="1", key="b")
    assert "Somebody changed this in the meantime." in petra.refused(LAMPS, 409, **MOVE, seen=seen)
    assert workshop.rows(PurchaseOrderLine)[0].due_at == at(9, 8, month=12)


def test_a_stop_is_shown_first_keeps_what_was_typed_and_is_saved_once(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(TABLE=1)
    petra = at_desk("Petra")
    page = petra.look("/desk/planning/stops", **STOP)
    assert "stands still, Tue 24 Nov, 09:00 – Thu 26 Nov, 09:00" in page
    assert workshop.rows(WorkCentreStop) == []
    for name, value in STOP.items():
        assert f'name="{name}" value="{value}"' in page
    for _ in range(2):
        petra.send("/desk/planning/stops", **STOP, seen=mark(page))
    assert [stop.reason for stop in workshop.rows(WorkCentreStop)] == ["Belt"]


def mark(page: str) -> str:
    """Return what the page's form says was seen."""
    found = re.search(r'name="seen" value="([^"]+)"', html.unescape(page))
    assert found, page
    return found[1]
