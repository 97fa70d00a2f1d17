"""The audit: clean where the plan is, and each planted fault is named in a line with its ids."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.bootstrap import Services
from backoffice.erp import decisions, holds, plan_audit, production, purchasing
from backoffice.erp import models as t
from tests.company import open_company
from tests.integration.chain.conftest import Workshop
from tests.need import ROOT


@pytest.fixture
def busy(services: Services, now: datetime) -> Workshop:
    """The workshop with two placed orders and two carts, after a slip, a stop and an expiry; it may be left broken."""
    services.db.run(lambda session: open_company(session, now=now))
    workshop = Workshop(services, now)
    workshop.buy(TABLE=2)
    workshop.buy(TABLE=3, LAMP=2)
    workshop.cart(TABLE=1)
    workshop.now += timedelta(hours=1)
    workshop.db.run(lambda session: holds.sweep(session, now=workshop.now))
    workshop.cart(TABLE=1)
    line = workshop.rows(t.PurchaseOrderLine)[0]
    workshop.do(purchasing.move_due, line.id, workshop.now + timedelta(days=6), version=line.version)
    centre = workshop.rows(t.WorkCentre)[0]
    workshop.do(production.stop, centre.id, workshop.now, workshop.now + timedelta(hours=20), reason="broken")
    workshop.cart(TABLE=1)
    return workshop


def audit(workshop: Any, *, whole: bool = False) -> plan_audit.Report:
    return plan_audit.audit(workshop.db, whole=whole, now=workshop.now)


def test_a_plan_that_stands_audits_clean_and_hashes_alike(busy: Any) -> None:
    found = audit(busy)
    assert found.breaches == ()
    assert found.digest == found.digest_of_rows
    assert found.decisions == found.number > 5
    assert (found.orders, found.slots) == (6, 6)


def past(busy: Any, statement: str, **values: Any) -> None:
    """Write past the program."""
    with busy.db.engine.begin() as connection:
        connection.execute(sa.text(statement), values)


def edit(busy: Any, change: Callable[[Session], object]) -> None:
    """Write with the program, so that the log knows."""

    def run(session: Session) -> None:
        decisions.because(session, "planted", now=busy.now)
        change(session)

    busy.db.run(run)


def slots(session: Session) -> list[t.OperationSlot]:
    """Return the slots that stand, those of one work centre in their order in time."""
    of = t.OperationSlot
    opened = sa.select(t.ProductionOrder.id).where(t.ProductionOrder.state.in_(["held", "planned"]))
    return list(
        session.scalars(sa.select(of).where(of.production_order_id.in_(opened)).order_by(of.work_centre_id, of.starts_at))
    )


def only(found: plan_audit.Report, *starts: str) -> None:
    """Let the breaches be exactly those that begin so."""
    assert len(found.breaches) == len(starts), found.breaches
    for breach, start in zip(found.breaches, starts, strict=True):
        assert breach.startswith(start), found.breaches


def test_a_slot_moved_behind_the_logs_back(busy: Any) -> None:
    with busy.db.read() as session:
        slot = slots(session)[0]
    past(busy, "UPDATE operation_slot SET position = 7 WHERE id = :v0", v0=slot.id)
    found = audit(busy)
    only(found, f"slot {slot.id}: position 0 in the log, 7 in the rows")
    assert found.digest != found.digest_of_rows


def test_a_decision_that_was_not_logged(busy: Any) -> None:
    order = busy.rows(t.ProductionOrder, state="planned")[0]

    def forget(session: Session) -> None:
        change = sa.update(t.ProductionOrder).where(t.ProductionOrder.id == order.id).values(not_before_at=busy.now)
        session.execute(change.execution_options(**decisions.NOTED))  # says so, and does not

    busy.db.run(forget)
    only(audit(busy), f"order {order.id}: not_before_at None in the log, ")


def test_a_decision_that_was_taken_out(busy: Any) -> None:
    number = audit(busy).number
    past(busy, "DELETE FROM plan_decision WHERE number = :v0", v0=number - 1)
    assert audit(busy).breaches[0] == f"decision {number - 1}: is missing, the next one is {number}"
    past(busy, "DELETE FROM plan_decision WHERE number = :v0", v0=number)
    assert audit(busy).breaches[0] == f"decision {number}: is missing, the last one is {number - 2}"


def test_a_peg_left_behind_after_expiry(busy: Any) -> None:
    held = busy.rows(t.Reservation, state="held")[-1]
    pegs = busy.rows(t.Peg, reservation_id=held.id)
    past(busy, "UPDATE reservation SET state = 'released' WHERE id = :v0", v0=held.id)
    broken = audit(busy).breaches
    for peg in pegs:
        assert f"peg {peg.id}: left behind by reservation {held.id}, which is released" in broken
    assert all("left behind" in one or one.startswith("stock of item") for one in broken), broken


def test_two_things_at_once_on_a_lane(busy: Any) -> None:
    def overlap(session: Session) -> None:
        first, second = slots(session)[:2]
        second.starts_at = first.ends_at - timedelta(minutes=1)
        session.get_one(t.ProductionOrder, second.production_order_id).starts_at = second.starts_at

    edit(busy, overlap)
    broken = audit(busy).breaches
    assert any(" on lane 0 of work centre 1, before slot " in one for one in broken), broken
    assert audit(busy).digest == audit(busy).digest_of_rows  # the log knows of it: only the rule book does not agree


def test_work_in_closed_time_and_before_its_parts_and_in_the_past(busy: Any) -> None:
    def too_early(session: Session) -> None:
        slot = slots(session)[-1]
        slot.starts_at = busy.now - timedelta(days=1)
        session.get_one(t.ProductionOrder, slot.production_order_id).starts_at = slot.starts_at

    with busy.db.read() as session:
        slot = slots(session)[-1]
    edit(busy, too_early)
    broken = audit(busy).breaches
    assert any(one.startswith(f"slot {slot.id}: begins 2026-11-23") and "before decision" in one for one in broken), broken
    assert any(one.startswith(f"order {slot.production_order_id}: begins") and "component" in one for one in broken), broken

    def at_night(session: Session) -> None:
        night = session.get_one(t.OperationSlot, slot.id)
        night.starts_at = night.ends_at.replace(hour=2, minute=0) + timedelta(days=1)
        night.ends_at = night.starts_at + timedelta(hours=1)
        order = session.get_one(t.ProductionOrder, slot.production_order_id)
        order.starts_at, order.ready_at = night.starts_at, night.ends_at

    edit(busy, at_night)
    broken = audit(busy).breaches
    assert sum(one.startswith(f"slot {slot.id}: ") and one.endswith("is closed") for one in broken) == 2, broken


def test_figures_kept_beside_the_pegs(busy: Any) -> None:
    order = busy.rows(t.ProductionOrder, state="planned")[0]
    past(busy, "UPDATE production_order SET pegged = 0 WHERE id = :v0", v0=order.id)
    past(busy, "UPDATE stock SET allocated = allocated - 1 WHERE allocated > 0 AND item_id = (SELECT MIN(item_id) FROM stock)")
    past(busy, "UPDATE purchase_order_line SET pegged = pegged + 1 WHERE id = 1")
    only(
        audit(busy),
        "receipt 1: 3 noted as pegged, its pegs add up to 2",
        f"order {order.id}: 0 noted as pegged, its pegs add up to {order.quantity}",
    )
    # what stays of it: a reservation that stands on less than it promises
    past(busy, "UPDATE production_order SET pegged = :v0 WHERE id = :v1", v0=order.pegged, v1=order.id)
    past(busy, "UPDATE purchase_order_line SET pegged = pegged - 1 WHERE id = 1")
    past(busy, "UPDATE reservation SET quantity = quantity + 1 WHERE id = 1")
    only(audit(busy), "reservation 1 (converted): 3 promised, its pegs add up to 2")


def test_the_log_may_be_cut_at_a_checkpoint_and_begun_anew_with_one(busy: Any) -> None:
    first = plan_audit.keep(busy.db, now=busy.now)
    assert first.breaches == ()
    busy.buy(TABLE=1)
    assert (audit(busy).decisions, audit(busy, whole=True).decisions) == (2, 2)
    busy.now += timedelta(days=1)
    plan_audit.keep(busy.db, now=busy.now)
    busy.cart(TABLE=1)
    assert (audit(busy).decisions, audit(busy, whole=True).decisions) == (1, 3)
    last = audit(busy)
    past(busy, "UPDATE operation_slot SET position = 7")  # somebody writes by hand, and says that it is right so
    assert audit(busy).breaches != ()
    assert busy.db.run(lambda session: decisions.correct(session, now=busy.now)) == last.number + 1
    busy.cart(TABLE=1)
    for whole in (False, True):
        assert audit(busy, whole=whole).breaches == ()
    busy.now += timedelta(days=32)
    plan_audit.keep(busy.db, now=busy.now)
    with busy.db.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(t.PlanDecision)) == 1
        assert session.scalar(sa.select(sa.func.count()).select_from(t.PlanCheckpoint)) == 2
        last = plan_audit.find_last(session)
        assert last is not None
        assert (last.at, last.breaches) == (busy.now, [])


def test_an_audit_that_finds_something_is_kept_and_no_checkpoint_is_made_of_it(busy: Any) -> None:
    past(busy, "UPDATE operation_slot SET position = 7 WHERE id = (SELECT MAX(id) FROM operation_slot)")
    found = plan_audit.keep(busy.db, now=busy.now)
    with busy.db.read() as session:
        last = plan_audit.find_last(session)
        assert last is not None
        assert (last.number, last.breaches) == (found.number, list(found.breaches))
        assert len(last.breaches) == 1
        assert session.scalar(sa.select(sa.func.count()).select_from(t.PlanCheckpoint)) == 0


def test_the_command_audits_in_a_process_of_its_own(busy: Any) -> None:
    def run() -> tuple[int, list[str]]:
        environment = os.environ | {"SHOPFLOOR_DATABASE_URL": busy.db.url}
        done = subprocess.run(
            [sys.executable, "-m", "backoffice.cli", "plan", "audit"], cwd=ROOT, env=environment, capture_output=True, text=True
        )
        return done.returncode, done.stdout.splitlines()

    code, said = run()
    found = audit(busy)
    digest = found.digest[:16]
    assert (code, len(said)) == (0, 1), said
    assert said[0].startswith("All is well: decision ")
    assert f"6 orders, 6 slots, {found.pegs} pegs, log {digest}, rows {digest}, 0 breaches" in said[0]
    past(busy, "UPDATE operation_slot SET position = 7")
    code, said = run()
    assert code == 1
    assert len(said) == 7
    assert said[-1].startswith("NOT WELL")
