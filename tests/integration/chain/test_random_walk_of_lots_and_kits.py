"""The random walk with goods that expire, a set that is sold by its parts, and a phantom: all must still agree."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import counting, expiring, fulfilment, offers, plan, production, purchasing, splitting
from backoffice.erp import models as t
from backoffice.erp.purchasing import Arrived
from backoffice.public.errors import Refused
from tests.company import item_id
from tests.integration.chain.test_random_walk import Walk, what_is_wrong

KEPT = {"VASE": 3, "LAMP": 2, "LEG": 0}  # days that must be left
PARTS = {"STOOL": 1, "LAMP": 2, "VASE": 1}


class LotWalk(Walk):
    """A walk in which lots come in, get old and are thrown away, and sets are bought."""

    def __init__(self, workshop: Any, seed: int) -> None:
        super().__init__(workshop, seed)
        self.actions |= {self.add_set: 12, self.let_go: 4, self.write_off: 3, self.run_short: 3, self.order_more: 4}

    def add_set(self) -> None:
        cart = self.workshop.shop.carts.add(
            self.random.choice([*self.carts[-4:], None]),
            "SET",
            self.random.choice([1, 1, 2]),
            postcode=None,
            now=self.workshop.now,
        )
        if cart.token not in self.carts:
            self.carts.append(cart.token)

    def let_go(self) -> None:
        self.workshop.db.run(lambda session: expiring.let_go(session, now=self.workshop.now))

    def write_off(self) -> None:
        lot = self.one_of(self.workshop.rows(t.StockLot))
        self.workshop.do(expiring.write_off, lot.id, ref=f"off:{self.count}")

    def run_short(self) -> None:
        line = self.one_of([one for one in self.workshop.rows(t.ShipmentLine) if one.picked < one.quantity])
        sku = next(one.sku for one in self.workshop.rows(t.Item) if one.id == line.item_id)
        self.workshop.do(splitting.short_pick, line.shipment_id, sku, line.quantity - 1)

    def order_more(self) -> None:
        def work(session: Session) -> None:
            row = t.PurchaseOrder(number=f"PO-W-{self.count}", supplier_id=1, state="ordered", ordered_at=self.workshop.now)
            session.add(row)
            session.flush()
            due_at = self.workshop.now + timedelta(hours=self.random.randint(1, 120))
            sku, quantity = self.random.choice(list(KEPT)), self.random.randint(1, 8)
            session.add(
                t.PurchaseOrderLine(purchase_order_id=row.id, item_id=item_id(session, sku), quantity=quantity, due_at=due_at)
            )
            plan.bump(session)
            offers.touch(session, [item_id(session, sku)], now=self.workshop.now)

        self.workshop.db.run(work)

    def recount(self) -> None:
        lot = self.one_of(self.workshop.rows(t.StockLot))
        counted, ref = max(0, lot.on_hand + self.random.choice([-2, -1, 0, 1])), f"count:{self.count}"
        self.workshop.do(counting.count_stock, lot.item_id, 1, counted, lot_id=lot.id, ref=ref)

    def take_in(self, line: t.PurchaseOrderLine, quantity: int, ref: str) -> None:
        item = next(one for one in self.workshop.rows(t.Item) if one.id == line.item_id)
        days = 400 if ref.startswith("last") else self.random.choice([1, 4, 8, 30])
        lot = Arrived(f"L-{ref}", self.workshop.now.date() + timedelta(days=days))
        self.workshop.do(purchasing.receive, line.id, quantity, lot=None if item.days_left is None else lot, ref=ref)

    def carry_out(self) -> None:
        """Buy, make, throw away and ship in turns, until nothing is left to do."""
        self.workshop.now += timedelta(hours=1)
        self.poll()
        for turn in range(8):
            for order in self.workshop.rows(t.PurchaseOrder, state="proposed"):
                self.workshop.do(purchasing.confirm, order.id)
            for line in self.open_lines():
                self.take_in(line, line.quantity - line.received, f"last:{turn}:{line.id}")
            for order in self.workshop.rows(t.ProductionOrder, state="planned"):
                self.attempt(lambda order=order: self.workshop.do(production.finish, order.id))
            self.let_go()
            for shipment in self.workshop.rows(t.Shipment):
                self.attempt(lambda shipment=shipment: self.send(shipment))
        self.nothing_is_left()

    def send(self, shipment: t.Shipment) -> None:
        if shipment.state in ("to_pick", "picking"):
            try:
                self.pick_all(shipment)
            except Refused as refused:
                if refused.code != "lot_too_old":
                    raise
                self.throw_away(shipment, str(refused.details["number"]))
                raise
            self.workshop.do(fulfilment.pack, shipment.id)
        if shipment.state in ("to_pick", "picking", "packed"):
            self.workshop.do(fulfilment.ship, shipment.id, tracking="last")

    def throw_away(self, shipment: t.Shipment, number: str) -> None:
        """Say of a parcel in hand that a lot it names is not there: it was thrown away."""
        skus = {item.id: item.sku for item in self.workshop.rows(t.Item)}
        [lot] = [one for one in self.workshop.rows(t.StockLot) if one.number == number]
        self.workshop.do(splitting.short_pick, shipment.id, skus[lot.item_id], 0, lot=number)


def furnish(session: Session) -> None:
    """Keep vases, lamps and legs in lots, sell the set, and blow the top through."""
    legs, now = item_id(session, "LEG"), session.execute(sa.select(t.Stock.figure_at)).scalars().first()
    assert now is not None
    counting.count_stock(session, legs, 1, 0, ref="empty", actor="", now=now)
    for sku, days_left in KEPT.items():
        expiring.keep_in_lots(session, item_id(session, sku), days_left, by="planner", now=now)
    session.execute(sa.update(t.Item).where(t.Item.sku == "TOP").values(source="phantom"))
    product = t.Product(category_id=1, slug="set", name="Set")
    session.add(product)
    session.flush()
    sold = {"product_id": product.id, "on_sale": True, "sell_from": "production", "price_minor": 15_000}
    session.add(t.Item(sku="SET", name="Set", source="kit", **sold))
    session.flush()
    for sku, quantity in PARTS.items():
        part = {"component_id": item_id(session, sku), "quantity": quantity}
        session.add(t.BomLine(parent_id=item_id(session, "SET"), **part))
    session.flush()
    plan.bump(session, master=True)
    offers.refresh(session, None, now=now)


def walk(workshop: Any, seed: int, steps: int) -> LotWalk:
    workshop.db.run(furnish)
    one = LotWalk(workshop, seed)
    one.run(steps)
    with workshop.db.read() as session:
        assert what_is_wrong(session) == []
    one.carry_out()
    with workshop.db.read() as session:
        assert what_is_wrong(session) == []
    return one


@pytest.mark.parametrize("seed", [1])
def test_a_random_walk(workshop: Any, seed: int) -> None:
    one = walk(workshop, seed, 120)
    assert one.said["add_set", "done"] > 0
    assert one.said["receive", "done"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(300, 340))
def test_a_longer_random_walk(workshop: Any, seed: int) -> None:
    walk(workshop, seed, 250)
