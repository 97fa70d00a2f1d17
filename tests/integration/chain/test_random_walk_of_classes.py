"""The random walk with classes of customers, what is kept for them, two suppliers and alternates: all must still agree."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm.models import Cart
from backoffice.erp import allotting, offers, plan
from backoffice.erp import models as t
from backoffice.erp.classes import CUSTOMER_CLASSES
from tests.company import item_id
from tests.integration.chain.test_random_walk import Walk, unlike_their_offer, what_is_wrong


class ClassWalk(Walk):
    """A walk in which planners keep things for classes and customers belong to one."""

    def __init__(self, workshop: Any, seed: int) -> None:
        super().__init__(workshop, seed)
        self.actions |= {self.belong: 10, self.keep: 8, self.keep_of_a_receipt: 5, self.give_free: 2, self.tidy: 2}

    def belong(self) -> None:
        token, whose = self.one_of(self.carts[-5:]), self.random.choice(CUSTOMER_CLASSES)
        cart = self.workshop.shop.carts.find(token, now=self.workshop.now)
        if cart is not None:
            belongs = sa.update(Cart).where(Cart.state == "open", Cart.version == cart.version).values(customer_class=whose)
            self.workshop.db.run(lambda session: session.execute(belongs))

    def keep(self, line_id: int | None = None, item: int | None = None) -> None:
        item = item or self.one_of(self.workshop.rows(t.Item)).id
        whose, quantity = self.random.choice(CUSTOMER_CLASSES), self.random.randint(1, 4)
        until = self.workshop.now.date() + timedelta(days=self.random.randint(1, 4))
        self.workshop.db.run(
            lambda session: allotting.set_aside(
                session, item, whose, quantity, until, line_id=line_id, by="planner", now=self.workshop.now
            )
        )

    def keep_of_a_receipt(self) -> None:
        line = self.one_of(self.open_lines())
        self.keep(line.id, line.item_id)

    def give_free(self) -> None:
        kept = self.one_of(self.workshop.rows(t.Allotment, released_at=None))
        self.workshop.db.run(lambda session: allotting.release(session, kept.id, by="planner", now=self.workshop.now))

    def tidy(self) -> None:
        self.workshop.db.run(lambda session: allotting.sweep(session, now=self.workshop.now))


def furnish(session: Session) -> None:
    """Give the workshop a second supplier, an alternate of a part and of a work centre, and some scrap."""
    ids = {sku: item_id(session, sku) for sku in ("LEG", "BOARD", "STOOL")}
    second = t.Supplier(code="S2", name="Second")
    slow = t.WorkCentre(code="SLOW", name="Slow", calendar_id=1, efficiency_percent=70)
    session.add_all([second, slow])
    session.flush()
    for sku, days in {"LEG": 2, "STOOL": 4}.items():
        session.add(t.SupplierItem(supplier_id=second.id, item_id=ids[sku], priority=2, lead_days=days, order_multiple=6))
    session.add(t.BomAlternate(bom_line_id=2, item_id=ids["BOARD"]))
    session.add(t.OperationAlternate(operation_id=2, work_centre_id=slow.id))
    session.execute(sa.update(t.BomLine).where(t.BomLine.id == 3).values(scrap_permille=100))
    session.flush()
    plan.bump(session, master=True)


def walk(workshop: Any, seed: int, steps: int) -> ClassWalk:
    workshop.db.run(furnish)
    one = ClassWalk(workshop, seed)
    one.run(steps)
    offers.freshen(workshop.db, now=workshop.now)
    with workshop.db.read() as session:
        assert what_is_wrong(session) == []
        assert unlike_their_offer(session, workshop.now) == []
    one.carry_out()
    with workshop.db.read() as session:
        assert what_is_wrong(session) == []
    return one


@pytest.mark.parametrize("seed", [1])
def test_a_random_walk(workshop: Any, seed: int) -> None:
    one = walk(workshop, seed, 120)
    assert one.said["keep", "done"] > 0
    assert [peg for peg in workshop.rows(t.Peg) if peg.allotment_id is not None]  # somebody took what was kept


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200, 240))
def test_a_longer_random_walk(workshop: Any, seed: int) -> None:
    walk(workshop, seed, 250)
