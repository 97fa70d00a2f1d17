"""Why a day moved, as a code; and a day that nobody knows: said once, calmly, and said again when there is one."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from backoffice import causes, events
from backoffice.bridge.models import OutboxMessage
from backoffice.crm.models import Activity, OrderLine
from backoffice.erp import counting, plan, purchasing, replan
from backoffice.erp import models as t
from backoffice.public.orders import Cause, CauseLink
from tests.company import at

WED = date(2026, 11, 25)


def count(workshop, counted: int, ref: str) -> None:
    """Count the stools on the shelf."""
    workshop.do(counting.count_stock, workshop.rows(t.Item, sku="STOOL")[0].id, 1, counted, ref=ref)


def nobody_delivers(workshop) -> None:
    """Let no supplier have anything more to sell."""

    def work(session, *, actor, now):
        session.execute(sa.delete(t.SupplierItem))
        plan.bump(session, master=True)

    workshop.do(work)


def kinds(workshop) -> list[str]:
    """Return the kinds of all mails so far."""
    return [one.kind for one in workshop.rows(OutboxMessage)]


def test_a_cause_is_a_code_for_the_page_the_mail_and_the_timeline_and_a_sentence_for_older_readers(workshop):
    order = workshop.buy(LAMP=10)
    line = workshop.rows(t.PurchaseOrderLine)[0]
    workshop.do(purchasing.move_due, line.id, at(30, 8), version=line.version)
    chain = (CauseLink("receipt", "Lamp", "PO-1", 3), CauseLink("line", "Lamp", days=1))
    cause = Cause("receipt_later", {"item": "Lamp", "due_on": "2026-11-30"}, chain)
    [row] = workshop.rows(OrderLine)
    links = [
        {"kind": "receipt", "name": "Lamp", "ref": "PO-1", "days": 3},  # Fri 27 → Mon 30
        {"kind": "line", "name": "Lamp", "ref": "", "days": 1},  # Mon 30 → Tue 1: over the weekend nothing is sent
    ]
    assert row.moved_cause == {"code": "receipt_later", "item": "Lamp", "due_on": "2026-11-30", "chain": links}
    assert row.moved_because == "Lamp: arrives only on Mon 30 Nov"
    mail = workshop.rows(OutboxMessage)[-1]
    assert (mail.kind, mail.payload["cause"], mail.payload["expected_on"]) == ("day_moved", row.moved_cause, "2026-12-01")
    entry = workshop.rows(Activity, kind="day_moved")[0]
    assert entry.values == {
        "item": "Lamp",
        "promised_on": order.promised_on.isoformat(),
        "expected_on": "2026-12-01",
        "cause": row.moved_cause,
    }
    token = workshop.letter(mail)["link"].rsplit("/", 1)[1]
    view = workshop.shop.orders.get(token, now=workshop.now)
    assert (view.lines[0].moved_cause, view.day_known) == (cause, True)
    assert [(one.item, one.cause) for one in view.events if one.kind == "day_moved"] == [("Lamp", cause)]


def test_a_day_that_nobody_knows_is_said_once_and_again_when_there_is_one(workshop):
    start = workshop.start(workshop.cart(STOOL=3))
    workshop.pay(start)
    nobody_delivers(workshop)
    count(workshop, 1, "count:1")
    order = workshop.order(start)
    assert (order.day_known, order.promised_on, order.lines[0].moved_cause) == (
        False,
        WED,
        Cause("counted_fewer", {"item": "Stool"}, (CauseLink("shelf", "Stool"), CauseLink("line", "Stool"))),
    )
    assert kinds(workshop) == ["order_confirmed", "day_unknown"]
    assert replan.find_days(workshop.db, now=workshop.now) == 0  # still none, and no second letter about it
    assert kinds(workshop) == ["order_confirmed", "day_unknown"]
    count(workshop, 5, "count:2")
    assert replan.find_days(workshop.db, now=workshop.now) == 1
    order = workshop.order(start)
    assert (order.day_known, order.expected_on, order.lines[0].moved_cause) == (True, WED, Cause("found_again"))
    assert kinds(workshop) == ["order_confirmed", "day_unknown", "day_moved"]
    assert workshop.stock("STOOL") == (5, 3, 0)
    version = workshop.rows(t.PlanDomain)[0].version
    assert replan.find_days(workshop.db, now=workshop.now) == 0
    assert workshop.rows(t.PlanDomain)[0].version == version  # nobody waits: the plan is left alone


def moved(held, ready_at, cause, now) -> events.ExpectedDaysMoved:
    """Return what is published when a reservation is ready at another instant."""
    return events.ExpectedDaysMoved({held.order_ref: (events.Move(held.id, ready_at, cause),)}, now)


def test_a_line_of_two_parcels_without_a_day_is_one_letter(workshop):
    workshop.buy(STOOL=3)
    [held] = workshop.rows(t.Reservation)
    lost = moved(held, None, causes.of("not_on_the_shelf"), workshop.now)
    for _ in range(2):
        workshop.db.run(lambda session: events.publish(session, lost))
    assert kinds(workshop) == ["order_confirmed", "day_unknown"]
    found = moved(held, held.ready_at, causes.of("found_again"), workshop.now)
    for _ in range(2):
        workshop.db.run(lambda session: events.publish(session, found))
    assert kinds(workshop) == ["order_confirmed", "day_unknown", "day_moved"]


def test_what_was_stored_before_there_were_codes_is_still_read(workshop):
    start = workshop.start(workshop.cart(STOOL=1))
    workshop.pay(start)
    workshop.db.run(lambda s: s.execute(sa.update(OrderLine).values(moved_because="The saw stood still.", moved_cause=None)))
    line = workshop.order(start).lines[0]
    assert (line.moved_because, line.moved_cause, line.day_known) == ("The saw stood still.", None, True)


@pytest.mark.parametrize("kept", [None, {}, {"code": "of_a_later_version", "item": "x"}])
def test_a_cause_without_words_is_none(kept):
    assert causes.read(kept) is None
    assert causes.is_day_known(kept)


def test_a_cause_in_words_of_a_language():
    cause = causes.of("station_stopped", station="Saw", until_on=WED)
    assert causes.in_english(cause) == "Saw stands still until Wed 25 Nov"
    assert causes.say(
        cause, {"%(station)s stands still until %(until_on)s": "%(station)s steht bis %(until_on)s"}.__getitem__, str
    ) == ("Saw steht bis 2026-11-25")
    assert causes.read(causes.stored(cause, day_known=False)) == cause
    with pytest.raises(KeyError):
        causes.of("no_such_code")
