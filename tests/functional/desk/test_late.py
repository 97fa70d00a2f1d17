"""Late promises first, with what can be done: ask the supplier, write down the answer, plan earlier, see what fills a day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.audit import AuditEntry
from backoffice.erp import plan, production
from backoffice.erp.models import OperationSlot, ProductionOrder, PurchaseOrderLine, WorkCentreStop
from tests.company import at
from tests.conftest import FixedClock
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]
ASK = "/desk/planning/receipts/1/ask"


def asked(workshop: Workshop) -> tuple[date | None, str]:
    """Return which day the supplier of the lamps was asked for, and by whom."""
    line = workshop.rows(PurchaseOrderLine)[0]
    return line.expedite_on, line.expedite_asked_by


def test_a_late_promise_says_whose_how_late_why_and_what_to_do(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(LAMP=2)  # due Fri 27 Nov, promised Mon 30 Nov
    petra = at_desk("Petra")
    assert "is late" not in petra.get("/desk/planning")
    petra.confirm("/desk/planning/receipts/1/due", due_on="2026-11-30", version="1", key="a")
    today = petra.get("/desk/planning")
    assert "1 promise is late" in today
    for words in ("2 × Lamp", "Mon 30 Nov", "Tue 1 Dec", "1 day late"):
        assert words in today
    assert "Lamp from PO-1, due Mon 30 Nov: ask for an earlier day" in today
    assert 'href="/desk/planning/receipts?q=PO-1#receipt-1"' in today


def test_a_promise_whose_receipt_is_overdue_is_late_before_its_day_moves(
    at_desk: AtDesk, workshop: Workshop, clock: FixedClock
) -> None:
    workshop.buy(LAMP=2)
    clock.advance(days=3, hours=2)
    today = at_desk("Petra").get("/desk/planning")
    assert "1 promise is late" in today
    assert "not moved yet" in today


def test_asking_a_supplier_moves_no_promise_and_their_answer_does(at_desk: AtDesk, workshop: Workshop) -> None:
    start = workshop.start(workshop.cart(LAMP=2))
    workshop.pay(start)
    promised = workshop.order(start).expected_on
    petra = at_desk("Petra")
    assert "no promise has moved yet" in petra.send(ASK, wanted_on="2026-11-25", note="please", key="a")
    assert asked(workshop) == (date(2026, 11, 25), "Petra")
    assert workshop.order(start).expected_on == promised
    assert "asked for Wed 25 Nov" in petra.get("/desk/planning/receipts")
    petra.send("/desk/planning/receipts/1/due", due_on="2026-11-26", version="1", key="b")
    assert asked(workshop) == (None, "")
    assert workshop.rows(PurchaseOrderLine)[0].due_at == at(26, 8)
    [first, second] = workshop.rows(AuditEntry)
    assert (first.action, first.subject, first.actor, first.role) == (
        "receipt.expedite",
        "receipt:1",
        "petra@werk.test",
        "planner",
    )
    assert (first.details["wanted_on"], first.details["note"]) == ("2026-11-25", "please")
    assert second.action == "receipt.due"
    assert (second.details["before"], second.details["after"]) == (at(27, 8).isoformat(), at(26, 8).isoformat())


def test_of_what_is_overdue_any_day_may_be_asked(at_desk: AtDesk, workshop: Workshop, clock: FixedClock) -> None:
    clock.advance(days=4)
    at_desk("Petra").send(ASK, wanted_on="2026-12-02", key="a")
    assert asked(workshop) == (date(2026, 12, 2), "Petra")


def test_a_supplier_who_cannot_leaves_the_day(at_desk: AtDesk, workshop: Workshop) -> None:
    petra = at_desk("Petra")
    petra.refused("/desk/planning/receipts/1/declined", 409)
    petra.send(ASK, wanted_on="2026-11-25", key="a")
    assert "The day stays." in petra.send("/desk/planning/receipts/1/declined")
    assert asked(workshop) == (None, "")
    assert workshop.rows(PurchaseOrderLine)[0].due_at == at(27, 8)


@pytest.mark.parametrize(
    ("wanted_on", "says"),
    [
        ("2026-11-23", "Choose today or later."),
        ("2026-11-27", "Choose a day before the one it is due."),
        ("soon", "Choose a day, for example 2026-12-08."),
    ],
)
def test_a_wrong_day_asks_nobody_and_is_kept(at_desk: AtDesk, workshop: Workshop, wanted_on: str, says: str) -> None:
    page = at_desk("Petra").refused(ASK, 422, wanted_on=wanted_on, note="please", key="a")
    assert says in page
    assert f'value="{wanted_on}"' in page
    assert asked(workshop) == (None, "")
    assert workshop.rows(AuditEntry) == []


def test_what_has_no_earlier_time_stays(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(TABLE=1)
    before = [(one.id, one.starts_at, one.ready_at, one.state) for one in workshop.rows(ProductionOrder)]
    petra = at_desk("Petra")
    page = petra.refused(f"/desk/planning/production/{before[0][0]}/earlier", 409)
    assert "There is no earlier time for it. Nothing was changed." in page
    assert [(one.id, one.starts_at, one.ready_at, one.state) for one in workshop.rows(ProductionOrder)] == before
    petra.refused("/desk/planning/production/99/earlier", 404)


def the_stop_is_gone(session: Session) -> None:
    """Take every stop away without telling anybody, as an import of calendars would."""
    session.execute(sa.delete(WorkCentreStop))
    plan.bump(session, master=True)


def test_a_table_is_planned_earlier_when_a_stop_is_gone(at_desk: AtDesk, workshop: Workshop) -> None:
    start = workshop.start(workshop.cart(TABLE=1))
    workshop.pay(start)
    first = workshop.order(start).expected_on
    workshop.do(production.stop, 1, at(24, 9), at(30, 14), reason="")
    assert workshop.order(start).expected_on > first
    workshop.db.run(the_stop_is_gone)
    petra = at_desk("Petra")
    made = [one.id for one in workshop.rows(ProductionOrder, state="planned")]
    assert "Planned earlier." in petra.send(f"/desk/planning/production/{made[-1]}/earlier")
    assert workshop.order(start).expected_on == first
    assert [one.action for one in workshop.rows(AuditEntry)] == ["production.earlier"]


def test_a_work_centre_opens_into_what_fills_it(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(TABLE=1)
    slot = workshop.rows(OperationSlot)[0]
    day = slot.starts_at.date().isoformat()
    petra = at_desk("Petra")
    path = f"/desk/planning/load/{slot.work_centre_id}"
    assert workshop.orders()[0].number in petra.get(path)
    assert workshop.orders()[0].number in petra.get(f"{path}?day={day}")
    assert "Nothing fills it" in petra.get(f"{path}?day=2027-03-01")
    assert f'href="{path}?day={day}"' in petra.get("/desk/planning/load")
    petra.get("/desk/planning/load/99", 404)
    petra.get(f"{path}?day=nonsense")
