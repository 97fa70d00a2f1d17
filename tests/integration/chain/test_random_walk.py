"""Everybody does something at random: customers, buyers, planners, pickers, the clock. All figures must agree all the time.

A walk is decided by its seed alone. What the shop refuses in words is part of life; any other exception is a defect. At
the end everything that was paid for is bought, made and shipped: no order may be left that nobody can ever send.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm.models import Order, OrderLine
from backoffice.erp import counting, fulfilment, holds, offers, plan, production, promising, purchasing
from backoffice.erp import models as t
from backoffice.payments.models import Payment
from backoffice.public.errors import Refused, ShopError
from tests.invariants import breaches

SOLD = ("STOOL", "LAMP", "TABLE", "VASE")
BERLIN = ZoneInfo("Europe/Berlin")
STEPS = 120


class Walk:
    """One seeded walk over the workshop."""

    def __init__(self, workshop: Any, seed: int) -> None:
        self.workshop, self.random = workshop, random.Random(seed)  # noqa: S311 - a walk, not a secret
        self.carts: list[str] = []
        self.starts: list[Any] = []
        self.count = 0
        self.said: Counter[tuple[str, str]] = Counter()
        self.actions: dict[Callable[[], object], int] = {
            self.add: 18,
            self.change: 6,
            self.renew: 4,
            self.start: 22,
            self.pay: 22,
            self.come_back: 3,
            self.wait: 10,
            self.wait_days: 1,
            self.poll: 4,
            self.sweep: 3,
            self.freshen: 4,
            self.move_receipt: 4,
            self.stop: 2,
            self.end_stop: 2,
            self.recount: 6,
            self.confirm: 4,
            self.receive: 6,
            self.finish: 10,
            self.pick: 8,
            self.pack: 6,
            self.ship: 6,
        }

    def run(self, steps: int) -> None:
        """Take steps; after each all figures must agree."""
        names, weights = list(self.actions), list(self.actions.values())
        for _ in range(steps):
            action = self.random.choices(names, weights)[0]
            self.attempt(action)
            assert self.workshop.breaches() == [], f"step {self.count}: {action.__name__}"
            self.count += 1

    def attempt(self, action: Callable[[], object]) -> None:
        """Do it; a refusal in words is an answer."""
        said = "done"
        try:
            action()
        except ShopError as error:
            said = error.code
        assert said != "busy", f"step {self.count}: {action.__name__} is refused though nobody else is there"
        self.said[action.__name__, said] += 1

    # --- customers

    def add(self) -> None:
        token = self.random.choice([*self.carts[-4:], None])
        cart = self.workshop.shop.carts.add(
            token, self.random.choice(SOLD), self.random.choice([1, 1, 2, 3, 4, 6]), postcode=None, now=self.workshop.now
        )
        if cart.token not in self.carts:
            self.carts.append(cart.token)

    def change(self) -> None:
        token, sku = self.one_of(self.carts[-5:]), self.random.choice(SOLD)
        self.workshop.shop.carts.set_quantity(token, sku, self.random.randint(0, 6), now=self.workshop.now)

    def renew(self) -> None:
        self.workshop.shop.carts.renew(self.one_of(self.carts[-5:]), now=self.workshop.now)

    def start(self) -> None:
        carts, now = self.workshop.shop.carts, self.workshop.now
        token = self.one_of(self.carts[-5:])
        cart = carts.find(token, now=now)
        if cart is None:  # ordered long ago
            self.carts.remove(token)
        for line in cart.lines if cart else ():
            if line.promise is None and self.random.random() < 0.8:  # most people take out what cannot be had
                cart = carts.set_quantity(cart.token, line.sku, 0, now=now)
        if cart is None or not cart.lines:
            raise Refused("nothing_there")
        place = self.random.choice(["10115", "80331"])
        try:
            self.starts.append(self.workshop.start(cart, key=f"form-of-step-{self.count}", postcode=place))
        except Refused as refusal:
            if refusal.code != "day_moved" or self.random.random() < 0.3:
                raise
            cart = carts.find(cart.token, now=now)  # they have seen the new day and press again
            self.starts.append(self.workshop.start(cart, key=f"again-of-step-{self.count}", postcode=place))

    def pay(self) -> None:
        start = self.one_of([start for start in self.starts[-2:] if "/sandbox/" in start.pay_url])
        if self.random.random() < 0.2:  # the provider's message is lost: the poll or the order page will find it
            self.workshop.services.gateway.pay(start.pay_url.rsplit("/", 1)[1], now=self.workshop.now)
        else:
            self.workshop.pay(start)

    def come_back(self) -> None:
        self.workshop.services.till.leave_payments(self.one_of(self.carts[-5:]), now=self.workshop.now)

    # --- time and the worker

    def wait(self) -> None:
        self.workshop.now += timedelta(minutes=self.random.randint(1, 40), seconds=self.random.randint(0, 59))

    def wait_days(self) -> None:
        self.workshop.now += timedelta(hours=self.random.randint(8, 80))

    def poll(self) -> None:
        self.workshop.services.till.poll(now=self.workshop.now)

    def sweep(self) -> None:
        self.workshop.db.run(lambda session: holds.sweep(session, now=self.workshop.now))

    def freshen(self) -> None:
        offers.freshen(self.workshop.db, now=self.workshop.now)
        with self.workshop.db.read() as session:
            assert unlike_their_offer(session, self.workshop.now) == []

    # --- desks

    def move_receipt(self) -> None:
        line = self.one_of(self.open_lines())
        due_at = self.workshop.now + timedelta(hours=self.random.randint(1, 400))
        self.workshop.do(purchasing.move_due, line.id, due_at, version=line.version)

    def stop(self) -> None:
        centre = self.one_of(self.workshop.rows(t.WorkCentre))
        starts_at = self.workshop.now + timedelta(minutes=self.random.randint(-60, 600))
        ends_at = starts_at + timedelta(minutes=self.random.randint(30, 3_000))
        self.workshop.do(production.stop, centre.id, starts_at, ends_at, reason="broken")

    def end_stop(self) -> None:
        self.workshop.do(production.end_stop, self.one_of(self.workshop.rows(t.WorkCentreStop)).id)

    def recount(self) -> None:
        item = self.one_of(self.workshop.rows(t.Item))
        counted = max(0, self.on_hand(item.id) + self.random.choice([-6, -3, -1, 0, 1, 2, 5, 8]))
        self.workshop.do(counting.count_stock, item.id, 1, counted, ref=f"count:{self.count}")

    def confirm(self) -> None:
        order = self.one_of(self.workshop.rows(t.PurchaseOrder, state="proposed"))
        self.workshop.do(purchasing.confirm, order.id)

    def receive(self) -> None:
        line = self.one_of(self.open_lines())
        quantity = self.random.randint(1, line.quantity - line.received)
        self.take_in(line, quantity, f"delivery:{self.count}")

    def finish(self) -> None:
        order = self.one_of(self.workshop.rows(t.ProductionOrder, state="planned"))
        self.workshop.do(production.finish, order.id)

    def pick(self) -> None:
        shipment = self.one_of([s for s in self.workshop.rows(t.Shipment) if s.state in ("to_pick", "picking")])
        self.pick_all(shipment, self.random.randint(1, 3))

    def pack(self) -> None:
        self.workshop.do(fulfilment.pack, self.one_of(self.workshop.rows(t.Shipment, state="picking")).id)

    def ship(self) -> None:
        shipment = self.one_of(self.workshop.rows(t.Shipment, state="packed"))
        self.workshop.do(fulfilment.ship, shipment.id, tracking=f"JD {self.count}")

    # --- helpers

    def take_in(self, line: t.PurchaseOrderLine, quantity: int, ref: str) -> None:
        self.workshop.do(purchasing.receive, line.id, quantity, ref=ref)

    def one_of(self, things: Sequence[Any]) -> Any:
        if not things:
            raise Refused("nothing_there")
        return self.random.choice(things)

    def on_hand(self, item_id: int) -> int:
        rows = self.workshop.rows(t.Stock, item_id=item_id)
        return rows[0].on_hand if rows else 0

    def open_lines(self) -> list[t.PurchaseOrderLine]:
        with self.workshop.db.read() as session:
            return list(
                session.scalars(
                    sa.select(t.PurchaseOrderLine)
                    .join(t.PurchaseOrder, t.PurchaseOrder.id == t.PurchaseOrderLine.purchase_order_id)
                    .where(
                        t.PurchaseOrder.state.in_(["ordered", "proposed"]),
                        t.PurchaseOrderLine.received < t.PurchaseOrderLine.quantity,
                    )
                    .order_by(t.PurchaseOrderLine.id)
                )
            )

    def pick_all(self, shipment: t.Shipment, most: int | None = None) -> None:
        skus = {item.id: item.sku for item in self.workshop.rows(t.Item)}
        for line in self.workshop.rows(t.ShipmentLine, shipment_id=shipment.id):
            left = line.quantity - line.picked
            if left:
                self.workshop.do(fulfilment.pick, shipment.id, skus[line.item_id], min(left, most or left))

    # --- the end

    def carry_out(self) -> None:
        """Let every payment page run out, then buy, make and ship all that is left to do: nothing may be stuck."""
        self.workshop.now += timedelta(hours=1)
        self.poll()
        for order in self.workshop.rows(t.PurchaseOrder, state="proposed"):
            self.workshop.do(purchasing.confirm, order.id)
        for line in self.open_lines():
            self.take_in(line, line.quantity - line.received, f"last:{line.id}")
        for _ in range(3):  # tops, then the tables that they go into
            for order in self.workshop.rows(t.ProductionOrder, state="planned"):
                self.attempt(lambda order=order: self.workshop.do(production.finish, order.id))
        for shipment in self.workshop.rows(t.Shipment):
            if shipment.state in ("to_pick", "picking"):
                self.pick_all(shipment)
                self.workshop.do(fulfilment.pack, shipment.id)
            if shipment.state in ("to_pick", "picking", "packed"):
                self.workshop.do(fulfilment.ship, shipment.id, tracking="last")
        self.nothing_is_left()

    def nothing_is_left(self) -> None:
        assert {shipment.state for shipment in self.workshop.rows(t.Shipment)} <= {"shipped"}
        assert {order.state for order in self.workshop.rows(Order)} <= {"shipped"}
        assert {row.state for row in self.workshop.rows(t.Reservation)} <= {"shipped", "released", "held"}


def unlike_their_offer(session: Session, now: Any) -> list[str]:
    """Return the items that are listed though nobody can have one, or the other way round."""
    found = []
    rows = session.execute(sa.select(t.Item, t.Offer).join(t.Offer, t.Offer.item_id == t.Item.id).order_by(t.Item.id)).all()
    for item, offer in rows:
        try:
            promising.quote(session, item, 1, country=None, postcode=None, now=now)
            quotable = True
        except Refused:
            quotable = False
        if offer.listed != quotable:
            found.append(f"{item.sku}: listed {offer.listed}, quotable {quotable}")
    return found


def what_is_wrong(session: Session) -> list[str]:
    """Return what no order and no payment may look like."""
    found = breaches(session)
    for line, order in session.execute(sa.select(OrderLine, Order).join(Order, Order.id == OrderLine.order_id)):
        placed_on = order.placed_at.astimezone(BERLIN).date()
        if line.promised_on < placed_on or line.expected_on < placed_on:
            found.append(f"order {order.number}: placed {placed_on}, promised {line.promised_on}, expected {line.expected_on}")
    orders = {order.payment_id: order for order in session.scalars(sa.select(Order))}
    for payment in session.scalars(sa.select(Payment)):
        order = orders.get(payment.id)
        if payment.problem or (payment.state == "succeeded") != (order is not None):
            found.append(f"payment {payment.id}: {payment.state}, {payment.problem or 'no problem'}, order {order}")
        elif order is not None and (order.total_minor, order.currency) != (payment.amount_minor, payment.currency):
            found.append(f"payment {payment.id}: another amount than its order")
    unbought = sa.select(t.Peg).join(t.Reservation, t.Reservation.id == t.Peg.reservation_id)
    for peg in session.scalars(unbought.where(t.Peg.kind == "buy", t.Reservation.state == "converted")):
        found.append(f"reservation {peg.reservation_id}: waits for a purchase that nobody proposed")
    return found


def in_lots(session: Session) -> None:
    """Let tops be made at least three at a time, and boards be bought ten at a time: what is left over goes to others."""
    session.execute(sa.update(t.Item).where(t.Item.sku == "TOP").values(lot_minimum=3))
    boards = sa.select(t.Item.id).where(t.Item.sku == "BOARD").scalar_subquery()
    session.execute(sa.update(t.SupplierItem).where(t.SupplierItem.item_id == boards).values(order_multiple=10))
    plan.bump(session, master=True)


def walk(workshop: Any, seed: int, steps: int = STEPS) -> None:
    """Walk and look; odd seeds make and buy in lots."""
    if seed % 2:
        workshop.db.run(in_lots)
    one = Walk(workshop, seed)
    one.run(steps)
    offers.freshen(workshop.db, now=workshop.now)
    with workshop.db.read() as session:
        assert what_is_wrong(session) == []
        assert unlike_their_offer(session, workshop.now) == []
    one.carry_out()
    with workshop.db.read() as session:
        assert what_is_wrong(session) == []


@pytest.mark.parametrize("seed", range(3))
def test_a_random_walk(workshop, seed):
    walk(workshop, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 160))
def test_a_longer_random_walk(workshop, seed):
    walk(workshop, seed, 250)
