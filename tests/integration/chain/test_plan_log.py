"""The plan's log: one row for each commit that moves the plan, none for an order from stock, nothing forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import cancelling, decisions, holds, plan, production, purchasing, rescheduling
from backoffice.erp import models as t
from backoffice.public.errors import Refused
from tests.company import item_id


def log(workshop: Any) -> list[tuple[str, list[str]]]:
    """Return of each decision its cause and what it put (+) or took (-)."""
    with workshop.db.read() as session:
        rows = session.scalars(sa.select(t.PlanDecision).order_by(t.PlanDecision.number)).all()
        return [(row.cause, [f"{'-' if values is None else '+'}{kind}" for kind, _, values in row.decided]) for row in rows]


def since(workshop: Any, number: int) -> list[tuple[str, list[str]]]:
    return log(workshop)[number:]


def test_a_hold_its_payment_and_its_end_are_decisions_with_cause_instant_and_version(workshop: Any) -> None:
    start = len(log(workshop))
    checkout = workshop.start(workshop.cart(TABLE=1))
    made = since(workshop, start)
    assert [cause for cause, _ in made] == ["held"]
    assert {one for _, put in made for one in put} == {"+order", "+slot", "+peg"}
    workshop.pay(checkout)
    placed = since(workshop, start + 1)
    assert [cause for cause, _ in placed] == ["placed"]
    with workshop.db.read() as session:
        row = session.scalars(sa.select(t.PlanDecision).order_by(t.PlanDecision.number.desc())).first()
        assert row is not None
        assert (row.at, row.plan_version) == (workshop.now, plan.version(session))
        assert {values[2] for kind, _, values in row.decided if kind == "order"} == {"planned"}
    order = workshop.orders()[0]
    workshop.db.run(lambda session: cancelling.cancel(session, order.number, now=workshop.now))
    assert decided_by_rows(workshop) == {}


def decided_by_rows(workshop: Any) -> dict[str, int]:
    """Return how many orders, slots and pegs stand."""
    with workshop.db.read() as session:
        state = decisions.as_rows(session)
    return {kind: len(state.of[kind]) for kind in ("order", "slot", "peg") if state.of[kind]}


def test_an_order_from_stock_writes_no_decision_and_its_end_neither(workshop: Any) -> None:
    start = len(log(workshop))
    workshop.buy(STOOL=1)
    cart = workshop.cart(STOOL=1)
    workshop.shop.carts.set_quantity(cart.token, "STOOL", 0, now=workshop.now)
    workshop.cart(STOOL=1)
    workshop.now += timedelta(hours=1)
    assert workshop.db.run(lambda session: holds.sweep(session, now=workshop.now)) == 1
    assert since(workshop, start) == []


@pytest.mark.postgresql
def test_an_order_from_stock_does_not_wait_for_whoever_appends(postgres_db: Any, now: Any) -> None:
    from tests.company import open_company

    postgres_db.run(lambda session: open_company(session, now=now))
    with postgres_db.write() as planner:
        decisions.because(planner, "held", now=now)
        planner.execute(sa.update(t.PlanDomain).values(version=t.PlanDomain.version + 1))  # every lock of the plan and its log
        with postgres_db.write() as buyer:
            buyer.execute(sa.text("SET LOCAL lock_timeout = '100ms'"))
            item = buyer.get_one(t.Item, item_id(buyer, "STOOL"))
            assert holds.hold(buyer, item, 1, owner="them", minutes=15, now=now).basis == "stock"


def test_an_expired_hold_frees_its_slots_and_moves_nobody(workshop: Any) -> None:
    workshop.cart(TABLE=1)
    keep = workshop.cart(TABLE=1)
    workshop.now += timedelta(minutes=10)
    workshop.shop.carts.renew(keep.token, now=workshop.now)
    before = rows_of_others(workshop)
    start = len(log(workshop))
    workshop.now += timedelta(minutes=10)
    assert workshop.db.run(lambda session: holds.sweep(session, now=workshop.now)) == 1
    [(cause, put)] = since(workshop, start)
    assert cause == "expired"
    assert set(put) == {"-order", "-peg"}  # an order that leaves takes its slots with it
    assert rows_of_others(workshop) == before


def rows_of_others(workshop: Any) -> list[Any]:
    """Return the slots of the second cart."""
    with workshop.db.read() as session:
        last = session.scalar(sa.select(sa.func.max(t.Reservation.id)))
        mine = sa.select(t.ProductionOrder.id).where(t.ProductionOrder.reservation_id == last)
        of = t.OperationSlot
        wanted = sa.select(of.id, of.lane, of.starts_at, of.ends_at).where(of.production_order_id.in_(mine)).order_by(of.id)
        return list(session.execute(wanted).all())


def test_what_a_savepoint_takes_back_was_never_decided(workshop: Any) -> None:
    workshop.buy(TABLE=1)
    start = len(log(workshop))

    def try_and_stay(session: Session) -> None:
        order = session.scalars(sa.select(t.ProductionOrder).order_by(t.ProductionOrder.id)).first()
        assert order is not None
        decisions.because(session, "tried", now=workshop.now)
        with session.begin_nested() as trial:
            rescheduling.push(session, order, not_before=workshop.now + timedelta(days=3), now=workshop.now)
            assert decisions.pending(session) != []
            trial.rollback()
        assert decisions.pending(session) == []
        with session.begin_nested():
            order.not_before_at = workshop.now + timedelta(days=1)
        assert len(decisions.pending(session)) == 1

    workshop.db.run(try_and_stay)
    assert since(workshop, start) == [("tried", ["+order"])]


def test_a_transaction_that_fails_decides_nothing_and_leaves_no_gap_in_the_numbers(workshop: Any) -> None:
    workshop.buy(TABLE=1)
    start = len(log(workshop))

    def fail(session: Session) -> None:
        order = session.scalars(sa.select(t.ProductionOrder).order_by(t.ProductionOrder.id)).first()
        assert order is not None
        order.not_before_at = workshop.now
        session.flush()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        workshop.db.run(fail)
    workshop.cart(TABLE=1)
    with workshop.db.read() as session:
        numbers = session.scalars(sa.select(t.PlanDecision.number).order_by(t.PlanDecision.number)).all()
    assert len(numbers) == start + 1
    assert list(numbers) == list(range(numbers[0], numbers[0] + len(numbers)))


def test_a_receipt_that_moves_and_comes_is_a_decision_even_where_nobody_waits(workshop: Any) -> None:
    line = workshop.rows(t.PurchaseOrderLine)[0]
    start = len(log(workshop))
    due_at = workshop.now + timedelta(days=9)
    workshop.do(purchasing.move_due, line.id, due_at, version=line.version)
    workshop.do(purchasing.receive, line.id, line.quantity, ref="all")
    causes = [cause for cause, _ in since(workshop, start)]
    assert causes[0].startswith("receipt_moved")
    assert causes[1] == "received"
    assert "-receipt" in since(workshop, start)[1][1]


@pytest.mark.parametrize(
    "statement",
    [
        sa.update(t.OperationSlot).values(lane=1),
        sa.update(t.Peg).values(quantity=1),
        sa.delete(t.ProductionOrder),
        sa.insert(t.PurchaseOrder).values(number="x", supplier_id=1),
    ],
)
def test_a_statement_past_the_session_that_says_nothing_is_refused(workshop: Any, statement: Any) -> None:
    with pytest.raises(RuntimeError, match="the plan's log does not know of it"):
        workshop.db.run(lambda session: session.execute(statement))


def test_pegs_deleted_past_the_session_may_be_noted_as_gone(workshop: Any) -> None:
    workshop.buy(TABLE=1, STOOL=1)
    start = len(log(workshop))
    pegs = workshop.rows(t.Peg)

    def note(session: Session) -> None:
        for peg in pegs:
            decisions.note(session, peg, gone=True)
            decisions.note(session, peg)  # and back, as nothing was deleted here

    workshop.db.run(note)
    planned = [peg for peg in pegs if peg.kind != "stock" or peg.production_order_id is not None]
    assert since(workshop, start) == [("", ["-peg", "+peg"] * len(planned))]
    assert len(planned) == len(pegs) - 1  # not the stool on the shelf


def test_a_finished_order_leaves_and_a_refused_one_stays(workshop: Any) -> None:
    workshop.buy(TABLE=1)
    table = max(workshop.rows(t.ProductionOrder), key=lambda order: order.ready_at)
    start = len(log(workshop))
    with pytest.raises(Refused):
        workshop.do(production.finish, table.id)
    assert since(workshop, start) == []
