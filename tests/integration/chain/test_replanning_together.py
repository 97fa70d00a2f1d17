"""A slip of many orders is planned, written and told together: as one after the other, in as many statements for 40 as for 10."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import events
from backoffice.bridge.models import OutboxMessage
from backoffice.crm.models import Activity, Lead, Order, OrderLine, Slip
from backoffice.erp import counting, production, proposing, purchasing, replan
from backoffice.erp import models as t
from backoffice.erp.planning_again import PlanningAgain
from tests import statements
from tests.company import item_id
from tests.integration.chain.test_random_walk import in_lots

ALL = 400


class RolledBack(Exception):
    """Everything was looked at; nothing is kept of it."""


class OneByOne(PlanningAgain):
    """Reads the plan anew for each reservation, and writes each before the next."""

    def __init__(self, session: Session, item_ids: Any, *, now: Any) -> None:
        self._asked = (session, list(item_ids), now)
        super().__init__(session, self._asked[1], now=now)

    def plan(self, reservations: Any, *, reuse: Any) -> set[int]:
        session, item_ids, now = self._asked
        found: set[int] = set()
        for one in reservations:
            again = PlanningAgain(session, item_ids, now=now)
            found |= again.plan([one], reuse=reuse)
            self.stands_on |= again.stands_on
            self.buying |= again.buying
        return found


@contextmanager
def one_by_one() -> Iterator[None]:
    """Let everything in this block be planned, proposed and told for one after the other."""
    publish, propose = events.publish, proposing.propose_all

    def publish_each(session: Session, happened: object) -> None:
        if isinstance(happened, events.ExpectedDaysMoved):
            for number, moves in happened.moves.items():
                publish(session, events.ExpectedDaysMoved({number: moves}, happened.at))
        else:
            publish(session, happened)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replan, "PlanningAgain", OneByOne)
        patch.setattr(events, "publish", publish_each)
        patch.setattr(proposing, "propose_all", lambda session, rows, *, now: [propose(session, [row], now=now) for row in rows])
        yield


def state(session: Session) -> dict[str, list[Any]]:
    """Return everything that a slip may change, without the numbers of new rows."""
    session.flush()
    make, buy, line = sa.orm.aliased(t.ProductionOrder), t.PurchaseOrder, t.PurchaseOrderLine
    made = [t.ProductionOrder.reservation_id, t.ProductionOrder.item_id, t.ProductionOrder.starts_at, t.ProductionOrder.ready_at]
    peg, slot, lead, order = t.Peg, t.OperationSlot, Lead, t.ProductionOrder
    own, stock, parcel, mail, act, told = t.Reservation, t.Stock, t.Shipment, OutboxMessage, Activity, OrderLine
    queries = {
        "reservations": sa.select(own.id, own.state, own.ready_at, own.basis, own.warehouse_id, own.margin_days, own.chain),
        "orders": sa.select(*made, order.quantity, order.pegged, order.state, order.learns, order.first_ready_at),
        "slots": sa.select(*made, slot.work_centre_id, slot.position, slot.lane, slot.starts_at, slot.ends_at).join(
            slot, slot.production_order_id == order.id
        ),
        "pegs": sa.select(
            peg.reservation_id, peg.item_id, peg.quantity, peg.kind, peg.available_at, peg.warehouse_id, peg.allotment_id,
            peg.supplier_id, *made, make.reservation_id, make.item_id, make.starts_at, line.item_id, line.due_at, line.quantity,
        )
        .outerjoin(order, order.id == peg.production_order_id)
        .outerjoin(make, make.id == peg.supply_order_id)
        .outerjoin(line, line.id == peg.purchase_order_line_id),
        "bought": sa.select(buy.state, buy.supplier_id, line.item_id, line.quantity, line.pegged, line.due_at).join(
            line, line.purchase_order_id == buy.id
        ),
        "stock": sa.select(stock.item_id, stock.warehouse_id, stock.on_hand, stock.allocated, stock.reserved, stock.allotted),
        "parcels": sa.select(parcel.id, parcel.state, parcel.ship_by_on, parcel.expected_on),
        "lines": sa.select(told.id, told.expected_on, told.moved_because, told.moved_cause),
        "slips": sa.select(Order.number, Slip.state, Slip.lines, lead.order_ref, lead.message)
        .join(Order, Order.id == Slip.order_id)
        .outerjoin(lead, lead.id == Slip.lead_id),
        "tasks": sa.select(lead.order_ref, lead.state, lead.message, lead.sku, lead.quantity, lead.language, lead.due_at),
        "mails": sa.select(mail.aggregate, mail.sequence, mail.kind, mail.payload),
        "timeline": sa.select(act.party_id, act.order_ref, act.kind, act.text, act.values, act.at),
    }  # fmt: skip
    numbers = re.compile(r"MO-\d+|/moved/\d+")
    return {name: sorted(numbers.sub("#", repr(tuple(row))) for row in session.execute(query)) for name, query in queries.items()}


def orders(workshop: Any, chance: random.Random) -> None:
    """Let customers buy this and that, and one fill a cart."""
    workshop.do(counting.count_stock, workshop.rows(t.Item, sku="STOOL")[0].id, 1, 30, ref="stools")
    workshop.db.run(lambda session: session.execute(sa.update(t.Company).values(important_minor=60_000)))
    for _ in range(9):
        sold = chance.sample(["STOOL", "LAMP", "TABLE"], chance.randint(1, 3))
        lines = {sku: 1 if sku == "LAMP" else chance.randint(1, 2) for sku in sold}
        workshop.buy(**lines)
        workshop.now += timedelta(minutes=chance.randint(0, 30))
    workshop.cart(TABLE=1, STOOL=1)


def slips(workshop: Any, chance: random.Random) -> list[Callable[[Session], object]]:
    """Return what happens then: each a change of a kind of its own."""
    now = workshop.now
    by = {"actor": "tester", "now": now}
    [line] = workshop.rows(t.PurchaseOrderLine, item_id=workshop.rows(t.Item, sku="LAMP")[0].id)
    saw, stool, leg = (workshop.rows(model, **of)[0].id for model, of in (
        (t.WorkCentre, {"code": "SAW"}), (t.Item, {"sku": "STOOL"}), (t.Item, {"sku": "LEG"})))  # fmt: skip
    later, few = line.due_at + timedelta(days=chance.choice([1, 3])), chance.randint(0, 5)
    last = later + timedelta(days=chance.choice([2, 9]))
    until = now + timedelta(days=chance.randint(3, 6))
    return [
        lambda session: purchasing.move_due(session, line.id, later, version=line.version, **by),
        lambda session: production.stop(session, saw, now, until, reason="", **by),
        lambda session: counting.count_stock(session, stool, 1, few, ref="few", **by),
        lambda session: counting.count_stock(session, leg, 1, 2 * few, ref="legs", **by),
        lambda session: counting.count_stock(session, item_id(session, "BOARD"), 1, 0, ref="boards", **by),
        lambda session: purchasing.move_due(session, line.id, last, version=line.version + 1, **by),
    ]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_is_planned_and_told_together_is_as_one_after_the_other(workshop, seed):
    """The plan is read anew for each in between; goods, steps, slips, tasks, letters and history are the same."""
    chance = random.Random(seed)  # noqa: S311 - a story, not a secret
    if seed % 2:
        workshop.db.run(in_lots)
    orders(workshop, chance)
    for number, change in enumerate(slips(workshop, chance)):
        found: list[dict[str, list[Any]]] = []

        def look(session: Session, change: Any = change, found: Any = found) -> None:
            change(session)
            found.append(state(session))
            raise RolledBack

        with one_by_one(), pytest.raises(RolledBack):
            workshop.db.run(look)
        workshop.db.run(change)
        with workshop.db.read() as session:
            together = state(session)
        for name, rows in found[0].items():
            assert together[name] == rows, f"change {number}: {name}"
    assert len([mail for mail in workshop.rows(OutboxMessage) if mail.kind == "day_moved"]) > 5
    assert len(workshop.rows(Lead, kind="late_order")) > 1
    assert {slip.state for slip in workshop.rows(Slip)} >= {"open", "replaced"}


def later_lamps(session: Session, now: datetime) -> None:
    [line] = session.scalars(sa.select(t.PurchaseOrderLine).where(t.PurchaseOrderLine.quantity == ALL))
    purchasing.move_due(session, line.id, line.due_at + timedelta(days=7), version=line.version, actor="tester", now=now)


def stopped_saw(session: Session, now: datetime) -> None:
    saw = session.scalars(sa.select(t.WorkCentre.id).where(t.WorkCentre.code == "SAW")).one()
    production.stop(session, saw, now, now + timedelta(days=30), reason="", actor="tester", now=now)


def no_boards(session: Session, now: datetime) -> None:
    counting.count_stock(session, item_id(session, "BOARD"), 1, 0, ref="none", actor="tester", now=now)


@pytest.mark.postgresql  # SQLite's driver numbers new rows one by one
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("sku", "slip"), [("LAMP", later_lamps), ("TABLE", stopped_saw), ("TABLE", no_boards)])
def test_forty_orders_take_as_many_statements_as_ten(workshop, sku, slip):
    """With a letter for each, and a task for sales; where nothing is left, with a purchase proposed for each."""

    def much(session: Session) -> None:
        session.execute(sa.update(t.Company).values(important_minor=1))
        session.execute(sa.update(t.SupplierItem).values(lead_days=60))
        [line] = session.scalars(sa.select(t.PurchaseOrderLine))
        line.quantity = ALL
        for part in ("LEG", "BOARD"):
            counting.count_stock(session, item_id(session, part), 1, ALL, ref=part, actor="tester", now=workshop.now)
        in_lots(session)  # of tops, three at least: what one order makes beyond its need goes into the next ones

    def rolled_back(session: Session) -> None:
        slip(session, workshop.now)
        session.flush()
        counted = [session.scalar(sa.select(sa.func.count()).select_from(one)) for one in (Slip, Lead)]
        assert counted == [len(workshop.orders())] * 2
        raise RolledBack

    def taken(many: int) -> int:
        for _ in range(many - len(workshop.orders())):
            workshop.buy(**{sku: 1})
        with statements.sent(workshop.db) as found, pytest.raises(RolledBack):
            workshop.db.run(rolled_back)
        return len(found)

    workshop.db.run(much)
    taken(1)  # what is read once, and compiled
    assert taken(10) == taken(40)
