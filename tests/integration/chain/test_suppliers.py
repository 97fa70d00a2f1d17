"""Several suppliers of one item: who is tried first, whom a promise names, and what is ordered from whom."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import models as t
from backoffice.erp import plan, production, supplying, taking
from backoffice.erp.supplying import Terms
from backoffice.public.errors import BadInput, NotFound
from tests.company import at, item_id
from tests.integration.chain.conftest import Workshop

BY = {"by": "petra@werk.test", "role": "planner"}
QUICK = Terms(priority=1, lead_days=2, order_minimum=10, order_multiple=5)


def another(workshop: Workshop, name: str = "Quick") -> int:
    """Found another supplier."""

    def work(session):
        supplier = t.Supplier(code=name, name=name)
        session.add(supplier)
        session.flush()
        return supplier.id

    return workshop.db.run(work)


def offer(workshop: Workshop, sku: str, supplier_id: int, terms: Terms) -> None:
    workshop.db.run(
        lambda session: supplying.set_offer(session, item_id(session, sku), supplier_id, terms, **BY, now=workshop.now)
    )


def bought(workshop: Workshop) -> list[tuple[int | None, int, str]]:
    """Return (supplier, quantity, kind) of what stands on somebody who has to deliver it."""
    with workshop.db.read() as session:
        leg = item_id(session, "LEG")
        pegs = session.scalars(sa.select(t.Peg).where(t.Peg.item_id == leg, t.Peg.kind != "stock").order_by(t.Peg.id))
        return [(peg.supplier_id, peg.quantity, peg.kind) for peg in pegs]


def ordered(workshop: Workshop) -> list[tuple[int, int, int]]:
    """Return (supplier, quantity, pegged) of what is proposed."""
    with workshop.db.read() as session:
        rows = session.execute(
            sa.select(t.PurchaseOrder.supplier_id, t.PurchaseOrderLine.quantity, t.PurchaseOrderLine.pegged)
            .join(t.PurchaseOrder, t.PurchaseOrder.id == t.PurchaseOrderLine.purchase_order_id)
            .where(t.PurchaseOrder.state == "proposed")
            .order_by(t.PurchaseOrderLine.id)
        )
        return [tuple(row) for row in rows]


def test_the_hold_names_the_supplier_and_the_order_goes_to_him(workshop: Workshop) -> None:
    quick = another(workshop)
    assert workshop.day("TABLE", 4) == date(2026, 12, 1)  # 4 legs from the first, 5 days; 16 needed, 12 here
    offer(workshop, "LEG", 1, Terms(priority=2, lead_days=5))
    offer(workshop, "LEG", quick, QUICK)
    assert workshop.day("TABLE", 4) == date(2026, 11, 27)
    start = workshop.start(workshop.cart(TABLE=4))
    assert bought(workshop) == [(quick, 4, "buy")]
    workshop.pay(start)
    assert bought(workshop) == [(quick, 4, "receipt")]
    assert ordered(workshop) == [(quick, 10, 4)]  # his minimum, not the first one's


def test_a_promise_keeps_its_supplier_when_the_order_of_trying_changes_before_it_is_paid(workshop: Workshop) -> None:
    start = workshop.start(workshop.cart(TABLE=4))
    assert bought(workshop) == [(1, 4, "buy")]
    offer(workshop, "LEG", 1, Terms(priority=3, lead_days=5))
    offer(workshop, "LEG", another(workshop), QUICK)
    workshop.pay(start)
    assert ordered(workshop) == [(1, 4, 4)]


def test_planned_anew_it_is_ordered_from_who_is_first_by_then(workshop: Workshop) -> None:
    workshop.buy(TABLE=4)
    assert ordered(workshop) == [(1, 4, 4)]
    quick = another(workshop)
    offer(workshop, "LEG", quick, QUICK)  # as number 1 too: of equals the quicker one
    workshop.do(production.stop, 2, at(30, 6), at(30, 14), reason="repair")  # the hours of its assembly
    assert ordered(workshop) == [(quick, 10, 4)]


def test_who_is_not_active_is_not_asked(workshop: Workshop) -> None:
    quick = another(workshop)
    offer(workshop, "LEG", quick, QUICK)

    def end(session):
        session.get_one(t.Supplier, quick).active = False
        session.flush()
        plan.bump(session, master=True)

    workshop.db.run(end)
    workshop.start(workshop.cart(TABLE=4))
    assert bought(workshop) == [(1, 4, "buy")]


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (Terms(priority=0, lead_days=5), "priority"),
        (Terms(priority=1, lead_days=-1), "lead_days"),
        (Terms(priority=1, lead_days=5, order_multiple=0), "order_multiple"),
        (Terms(priority=1, lead_days=5, order_minimum=20, order_maximum=10), "order_maximum"),
        (Terms(priority=1, lead_days=5, price_minor=-1), "order_multiple"),
    ],
)
def test_an_offer_that_makes_no_sense_changes_nothing(workshop: Workshop, terms: Terms, field: str) -> None:
    before = [(row.priority, row.lead_days) for row in workshop.rows(t.SupplierItem)]
    versions = [(row.version, row.master_version) for row in workshop.rows(t.PlanDomain)]
    with pytest.raises(BadInput) as refused:
        offer(workshop, "LEG", 1, terms)
    assert list(refused.value.fields) == [field]
    assert [(row.priority, row.lead_days) for row in workshop.rows(t.SupplierItem)] == before
    assert [(row.version, row.master_version) for row in workshop.rows(t.PlanDomain)] == versions
    with pytest.raises(NotFound):
        offer(workshop, "LEG", 99, QUICK)


def test_without_anybody_who_sells_it_nothing_is_promised(workshop: Workshop) -> None:
    workshop.db.run(lambda session: supplying.drop_offer(session, item_id(session, "LEG"), 1, **BY, now=workshop.now))
    assert workshop.day("TABLE", 3)  # 12 legs are here
    with pytest.raises(Exception, match="not_available"):
        workshop.day("TABLE", 4)


def test_what_was_taken_in_a_savepoint_that_is_taken_back_is_forgotten(workshop: Workshop) -> None:
    def take_and_give_back(session: Session) -> tuple[int, int]:
        line = session.scalars(sa.select(t.PurchaseOrderLine)).one()
        with session.begin_nested() as trial:
            assert taking.change_receipt(session, line.id, 3)
            taken = line.pegged
            trial.rollback()
        return taken, line.pegged

    assert workshop.db.run(take_and_give_back) == (3, 0)
