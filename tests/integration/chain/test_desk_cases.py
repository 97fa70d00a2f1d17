"""What the planning and administrators' desks do, on both databases: late promises, suppliers asked, arrivals, settings."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice import staff
from backoffice.audit import AuditEntry
from backoffice.crm import routines
from backoffice.crm.models import AssignmentRule, OrderLine
from backoffice.desk import late, planning_lists
from backoffice.erp import company_settings, delivering, expediting, fulfilment, splitting
from backoffice.erp.models import PurchaseOrderLine, Shipment, Staff, StaffAbsence
from backoffice.payments import handling
from backoffice.payments.models import Payment
from backoffice.public.errors import BadInput, NotFound, Refused
from tests.company import at
from tests.integration.chain.conftest import Workshop

BY = {"by": "petra@werk.test", "role": "planner"}


def find_late(workshop: Workshop, now: Any = None) -> Any:
    """Return the late promises."""
    with workshop.db.read() as session:
        return late.find_late(session, (now or workshop.now).date(), now=now or workshop.now)[0]


def without_actor(workshop: Workshop, verb: Any, *args: Any, **named: Any) -> Any:
    """Run a use case that asks only for who answers for it."""
    return workshop.db.run(lambda session: verb(session, *args, **BY, now=workshop.now, **named))


def test_late_promises_are_the_worst_first_with_what_they_wait_for(workshop: Workshop) -> None:
    workshop.buy(LAMP=2)
    assert find_late(workshop) == []
    workshop.do(expediting.answer, 1, at(30, 8), version=1, **BY)
    [one] = find_late(workshop)
    assert (one.customer, one.days, one.day_known, one.line.expected_on) == ("Ada Lovelace", 1, True, date(2026, 12, 1))
    assert [(wait.kind, wait.id, wait.ref, wait.late) for wait in one.blockers] == [("receipt", 1, "PO-1", False)]
    [one] = find_late(workshop, workshop.now + timedelta(days=7))
    assert [wait.late for wait in one.blockers] == [True]


def test_an_overdue_receipt_makes_its_promise_late_before_the_day_moves(workshop: Workshop) -> None:
    workshop.buy(LAMP=2)
    [one] = find_late(workshop, at(27, 9))
    assert (one.days, one.overdue, [wait.late for wait in one.blockers]) == (0, False, [True])


def test_a_promise_that_nobody_kept_is_late_by_the_days_since(workshop: Workshop) -> None:
    workshop.buy(LAMP=2)  # promised Mon 30 Nov
    workshop.do(expediting.answer, 1, at(30, 8), version=1, **BY)  # expected Tue 1 Dec
    workshop.buy(STOOL=1)  # on the shelf, promised Wed 25 Nov
    stool, lamp = find_late(workshop, at(5, 9, month=12))
    assert [(one.days, one.overdue) for one in (stool, lamp)] == [(10, True), (5, True)]
    assert stool.blockers == ()
    [parcel] = workshop.rows(Shipment, state="to_pick")
    workshop.do(fulfilment.pick, parcel.id, "STOOL", 1)
    workshop.do(fulfilment.pack, parcel.id)
    workshop.do(fulfilment.ship, parcel.id, tracking="")
    assert [one.line.name for one in find_late(workshop, at(5, 9, month=12))] == [lamp.line.name]


def test_what_nobody_has_ordered_yet_is_to_be_ordered(workshop: Workshop) -> None:
    workshop.buy(TABLE=4)  # 16 legs are needed, 12 are there
    [one] = find_late(workshop, at(20, 9, month=12))
    assert "proposed" in [wait.kind for wait in one.blockers]


def test_asking_is_written_down_and_the_answer_clears_it(workshop: Workshop) -> None:
    workshop.do(expediting.ask, 1, date(2026, 11, 25), note="please", **BY)
    line = workshop.rows(PurchaseOrderLine)[0]
    assert (line.expedite_on, line.expedite_asked_at, line.expedite_asked_by) == (date(2026, 11, 25), workshop.now, "tester")
    without_actor(workshop, expediting.decline, 1)
    assert workshop.rows(PurchaseOrderLine)[0].expedite_on is None
    with pytest.raises(Refused, match="wrong_state"):
        without_actor(workshop, expediting.decline, 1)
    with pytest.raises(NotFound, match="unknown_receipt"):
        workshop.do(expediting.ask, 99, date(2026, 11, 25), **BY)
    assert [one.action for one in workshop.rows(AuditEntry)] == ["receipt.expedite", "receipt.expedite_declined"]


def test_what_fills_a_work_centre(workshop: Workshop) -> None:
    order = workshop.buy(TABLE=1)
    with workshop.db.read() as session:
        centre, slots, total = planning_lists.find_slots(session, 2, at(24), at(30), now=workshop.now)
    assert (centre.name, total) == ("Assembly", 1)
    assert [(one.item.sku, one.order_ref, one.promised_on) for one in slots] == [("TABLE", order.number, order.expected_on)]


def send(workshop: Workshop, shipment_id: int, quantity: int) -> None:
    """Pick, pack and ship stools."""
    workshop.do(fulfilment.pick, shipment_id, "STOOL", quantity)
    workshop.do(fulfilment.pack, shipment_id)
    workshop.do(fulfilment.ship, shipment_id, tracking="")


def test_a_line_in_two_parcels_has_arrived_with_the_last(workshop: Workshop) -> None:
    workshop.buy(STOOL=3)
    workshop.do(splitting.short_pick, 1, "STOOL", 2)
    with pytest.raises(BadInput, match="invalid_form"):
        workshop.do(delivering.deliver, [1], date(2026, 11, 25))
    assert workshop.do(delivering.deliver, [1], date(2026, 11, 24)) == 0  # it has not left
    send(workshop, 1, 2)
    assert workshop.do(delivering.deliver, [1], date(2026, 11, 24)) == 1
    assert [one.actual_on for one in workshop.rows(OrderLine)] == [None]
    assert workshop.orders()[0].state == "picking"
    send(workshop, 2, 1)
    assert workshop.do(delivering.deliver, [1, 2], date(2026, 11, 24)) == 1
    assert [one.actual_on for one in workshop.rows(OrderLine)] == [date(2026, 11, 24)]
    assert workshop.orders()[0].state == "delivered"


def test_an_order_is_delivered_with_its_parcel(workshop: Workshop) -> None:
    workshop.buy(STOOL=2)
    send(workshop, 1, 2)
    assert workshop.do(delivering.deliver, [1, 1], date(2026, 11, 24)) == 1
    assert [one.actual_on for one in workshop.rows(OrderLine)] == [date(2026, 11, 24)]
    assert workshop.orders()[0].state == "delivered"


def test_the_last_administrator_stays(workshop: Workshop) -> None:
    by = staff.Admin("ada@werk.test")
    ada, password = workshop.db.run(
        lambda session: staff.welcome(session, email="ada@werk.test", name="Ada", role="admin", by=by, now=workshop.now)
    )
    assert len(password) == 16
    with pytest.raises(Refused, match="last_admin"):
        workshop.db.run(
            lambda session: staff.change(session, ada.id, name="Ada", role="sales", active=True, by=by, now=workshop.now)
        )
    assert [(one.role, one.active) for one in workshop.rows(Staff)] == [("admin", True)]


def test_rules_and_absences(workshop: Workshop) -> None:
    workshop.db.run(
        lambda session: staff.add(
            session, email="bea@werk.test", name="Bea", role="sales", password="hammer and nail", now=workshop.now
        )
    )
    values = {"position": 1, "kind": "", "language": "", "country": "", "postcode_prefix": "", "category_id": None}
    without_actor(workshop, routines.save_rule, None, values | {"owner_id": 1, "active": True})
    without_actor(workshop, routines.add_absence, 1, date(2026, 12, 1), date(2026, 12, 1))
    without_actor(workshop, routines.remove, AssignmentRule, 1)
    without_actor(workshop, routines.remove, AssignmentRule, 1)
    without_actor(workshop, routines.remove, StaffAbsence, 1)
    assert workshop.rows(AssignmentRule) == workshop.rows(StaffAbsence) == []
    assert [one.action for one in workshop.rows(AuditEntry)] == [
        "rule.save",
        "absence.add",
        "assignment_rule.remove",
        "staff_absence.remove",
    ]


def test_the_company_changes_as_a_whole_or_not_at_all(workshop: Workshop) -> None:
    values: dict[str, Any] = {"name": "Neu", "email": "neu@werk.test", "phone": "", "vat_number": "", "register_entry": ""}
    values |= {"default_postcode": "10115", "address": ["A"], "languages": [], "returns_days": 14, "shipping_minor": 500}
    values |= {"quotation_percent": 10, "quotation_days": 14, "campaign_days": 7}
    values |= {"choose_days": 2, "important_minor": 50_000, "service_level": 0, "capture_on_shipment": False}
    with pytest.raises(BadInput, match="invalid_form"):
        without_actor(workshop, company_settings.change, values | {"returns_days": 13})
    changed = without_actor(workshop, company_settings.change, values)
    assert sorted(changed) == ["address", "email", "name", "phone"]
    assert without_actor(workshop, company_settings.change, values) == {}
    assert len(workshop.rows(AuditEntry)) == 1


def test_goods_of_a_payment_that_cannot_become_an_order_are_let_go(workshop: Workshop) -> None:
    workshop.start(workshop.cart(STOOL=2))
    workshop.db.run(lambda session: session.execute(sa.update(Payment).values(problem="amount_differs")))
    assert without_actor(workshop, handling.handle, 1, note="given back") is True
    assert workshop.stock("STOOL") == (5, 0, 0)
    assert [(one.state, one.problem) for one in workshop.rows(Payment)] == [("failed", "")]
