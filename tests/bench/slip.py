"""`make bench-slip`: how long 10,000 open orders on PostgreSQL take to be promised again where something slips.

100 products of two levels on 20 work centres of two lanes, 100 placed orders of each: 60,000 operations, planned by the engine in
the order in which they came and written as the shop writes them. Each product waits for one receipt, so a receipt that comes
later touches 1 % of all orders. Then the real use cases, each in its one transaction, letters included: receipts re-dated
(`purchasing.move_due`), and a work centre stopped for as long as 100 orders have work there (`production.stop`). Goal: 1 s each.
Prints figures and a last JSON line; cpu_s and server_cpu_s are the processor time of the program and of its database connection:
together what it takes where nothing else runs.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.bootstrap import wire
from backoffice.bridge.models import OutboxMessage
from backoffice.crm.models import Cart, Checkout, Order, OrderLine, Party
from backoffice.db import Database, table_of
from backoffice.erp import factory as masters
from backoffice.erp import models as t
from backoffice.erp import offers, plan, production, purchasing
from backoffice.erp.company import get_warehouse
from backoffice.planning import Outcome, Plan, Supply
from backoffice.tables import metadata
from tests.bench.serving import cpu_of, percentile
from tests.company import open_company
from tests.need import postgres_database
from tests.statements import sent

CENTRES, OF_EACH, GOAL_SECONDS = 20, 100, 1.0
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5, help="of each kind")
    parser.add_argument("--profile", action="store_true", help="print where one round spends its time")
    given = parser.parse_args()
    wire()
    with postgres_database() as url:
        db = Database(url)
        metadata.create_all(db.engine)
        db.run(lambda session: open_company(session, now=NOW))
        begun = time.perf_counter()
        fill(db, given.orders // OF_EACH)
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("ANALYZE"))
        print(f"{given.orders:,} orders written in {time.perf_counter() - begun:.1f} s")
        figures = {
            "receipt": measured(db, "a receipt comes later", given, redate),
            "stop": measured(db, "a work centre stops", given, stop),
        }
        db.dispose()
    print(json.dumps({"bench": "slip", "orders": given.orders, "figures": figures}))


def redate(session: Session, number: int) -> None:
    """Let the receipt of product `number` come three days later."""
    line = session.scalars(
        sa.select(t.PurchaseOrderLine)
        .join(t.Item, t.Item.id == t.PurchaseOrderLine.item_id)
        .where(t.Item.sku == f"PART-{number}")
    ).one()
    purchasing.move_due(session, line.id, line.due_at + timedelta(days=3), version=line.version, actor="bench", now=NOW)


def stop(session: Session, number: int) -> None:
    """Stop a work centre in two weeks, for as long as it has work of 100 orders then."""
    centre = session.scalars(sa.select(t.WorkCentre.id).where(t.WorkCentre.code == f"C{number}")).one()
    slot = t.OperationSlot
    later = sa.select(slot.starts_at, slot.ends_at).where(
        slot.work_centre_id == centre, slot.starts_at > NOW + timedelta(days=14)
    )
    rows = session.execute(later.order_by(slot.starts_at).limit(OF_EACH)).all()
    production.stop(session, centre, rows[0].starts_at, max(row.ends_at for row in rows), reason="", actor="bench", now=NOW)


def measured(db: Database, name: str, given: argparse.Namespace, change: Callable[[Session, int], None]) -> dict[str, Any]:
    """Let something slip in several places, one after another; return the figures."""
    took, cpu, letters, statements = [], [], [], []
    servers: list[float] = []

    def run(session: Session, number: int) -> None:
        server = session.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
        before = cpu_of(server)
        change(session, number)
        session.flush()
        servers.append(cpu_of(server) - before)

    db.run(lambda session: change(session, 0))  # warm: statements compiled, master data read
    for number in range(1, given.rounds + 1):
        before = _letters(db)
        with sent(db) as seen:
            began, used = time.perf_counter(), time.process_time()
            db.run(lambda session, n=number: run(session, n))  # type: ignore[misc]  # a default argument binds the loop's value
            took.append(time.perf_counter() - began)
            cpu.append(time.process_time() - used)
        letters.append(_letters(db) - before)
        statements.append(len(seen))
    if given.profile:
        profiler = cProfile.Profile()
        profiler.runcall(db.run, lambda session: change(session, given.rounds + 1))
        pstats.Stats(profiler).sort_stats("cumulative").print_stats(45)
    figures = {
        "p50_s": round(percentile(took, 0.5), 2),
        "worst_s": round(max(took), 2),
        "cpu_s": round(percentile(cpu, 0.5), 2),
        "server_cpu_s": round(percentile(servers, 0.5), 2),
        "letters": letters,
        "statements": round(percentile(statements, 0.5)),
        "goal_s": GOAL_SECONDS,
        "met": percentile(took, 0.5) < GOAL_SECONDS,
    }
    print(f"{name:<24}" + "  ".join(f"{key} {value}" for key, value in figures.items()), flush=True)
    return figures


def _letters(db: Database) -> int:
    with db.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(OutboxMessage).where(OutboxMessage.kind == "day_moved")) or 0


def fill(db: Database, products: int, *, now: datetime = NOW) -> None:
    """Write products, receipts and orders; what is planned is planned with no transaction open."""
    sold, supplies = db.run(lambda session: make_products(session, products, now))
    with db.read() as session:
        engine = Plan(masters.load(session, now=now).factory, now, supplies, ())
        warehouse = get_warehouse(session).id
    planned = [(item, engine.commit(item.id, 1)) for _ in range(OF_EACH) for item in sold]

    def write(session: Session) -> None:
        rows = Rows(session, warehouse, now)
        for item, outcome in planned:
            rows.add(item, outcome)
        rows.write()

    db.run(write)
    db.run(lambda session: offers.refresh(session, None, now=now))


def make_products(session: Session, products: int, now: datetime) -> tuple[list[t.Item], list[Supply]]:
    """Write products of two levels with their receipts, all of which will be taken; return what is sold, and the supplies."""
    calendar, supplier = (session.scalars(sa.select(one).order_by(one)).first() for one in (t.Calendar.id, t.Supplier.id))
    centres = [t.WorkCentre(code=f"C{n}", name=f"Centre {n}", calendar_id=calendar, lanes=2) for n in range(CENTRES)]
    session.add_all(centres)
    session.flush()
    category, warehouse = session.scalars(sa.select(t.Category.id)).first(), get_warehouse(session).id
    sold, supplies = [], []
    for n in range(products):
        product = t.Product(category_id=category, slug=f"p-{n}", name=f"Product {n}", position=n, search_text=f"product {n}")
        session.add(product)
        session.flush()
        item = t.Item(
            sku=f"P-{n}", name=f"Product {n}", product_id=product.id, on_sale=True, source="make", sell_from="production"
        )
        frame = t.Item(sku=f"FRAME-{n}", name=f"Frame {n}", source="make")
        part, rod = (t.Item(sku=f"{name}-{n}", name=f"{name.capitalize()} {n}", source="buy") for name in ("PART", "ROD"))
        session.add_all([item, frame, part, rod])
        session.flush()
        session.add_all([t.SupplierItem(supplier_id=supplier, item_id=one.id, lead_days=40) for one in (part, rod)])
        session.add_all(
            [
                t.BomLine(parent_id=item.id, component_id=frame.id, quantity=1),
                t.BomLine(parent_id=item.id, component_id=part.id, quantity=1),
                t.BomLine(parent_id=frame.id, component_id=rod.id, quantity=1),
            ]
        )
        for made, steps in ((item, 4), (frame, 2)):
            session.add_all(
                t.RoutingOperation(
                    item_id=made.id, position=step, work_centre_id=centres[(n + 7 * step) % CENTRES].id, run_seconds=480
                )
                for step in range(steps)
            )
        order = t.PurchaseOrder(number=f"PO-P{n}", supplier_id=supplier, state="ordered", ordered_at=now)
        session.add(order)
        session.flush()
        line = t.PurchaseOrderLine(
            purchase_order_id=order.id, item_id=part.id, quantity=2 * OF_EACH, due_at=now + timedelta(days=10 + n % 5)
        )
        session.add(line)
        session.add(t.Stock(item_id=rod.id, warehouse_id=warehouse, on_hand=2 * OF_EACH, allocated=OF_EACH, figure_at=now))
        session.flush()
        line.pegged = OF_EACH
        sold.append(item)
        supplies += [
            Supply(("po", line.id), part.id, 2 * OF_EACH, line.due_at, "receipt"),
            Supply(("stock", warehouse), rod.id, 2 * OF_EACH, now, "stock"),
        ]
    plan.bump(session, master=True)
    return sold, supplies


class Rows:
    """The rows of many placed orders of one line, as the shop would have written them one after another."""

    def __init__(self, session: Session, warehouse: int, now: datetime) -> None:
        self._session, self._warehouse, self._now = session, warehouse, now
        party = Party(kind="person", name="Ada", email="ada@example.test", created_at=now)
        session.add(party)
        session.flush()
        self._party = party.id
        self._rows: dict[Any, list[dict[str, Any]]] = {}
        self._ids: dict[Any, Iterator[int]] = {}

    def add(self, item: t.Item, outcome: Outcome) -> None:
        """Take in an order."""
        assert outcome.ready_at is not None
        reservation = self._new(
            t.Reservation, item_id=item.id, quantity=1, state="converted", owner_ref="", basis=outcome.basis,
            ready_at=outcome.ready_at, expires_at=self._now, plan_version=1, chain=[{"kind": "make"}],
        )  # fmt: skip
        number = f"SF-{reservation:06d}"
        self._rows[t.Reservation][-1]["order_ref"] = number
        made = []
        for make in outcome.makes:
            order = self._new(
                t.ProductionOrder, number=f"M-{reservation}-{len(made)}", item_id=make.item, quantity=1, pegged=1,
                state="planned", reservation_id=reservation, starts_at=make.starts_at, ready_at=make.ready_at,
            )  # fmt: skip
            made.append(order)
            for slot in make.slots:
                self._new(
                    t.OperationSlot, production_order_id=order, work_centre_id=slot.work_centre, position=slot.position,
                    lane=slot.lane, starts_at=slot.starts_at, ends_at=slot.ends_at,
                )  # fmt: skip
        for peg in outcome.pegs:
            self._new(
                t.Peg, reservation_id=reservation, production_order_id=None if peg.demand is None else made[peg.demand],
                item_id=peg.item, quantity=1, kind=peg.kind, available_at=peg.available_at,
                warehouse_id=self._warehouse if peg.kind == "stock" else None,
                purchase_order_line_id=peg.supply[1] if peg.kind == "receipt" else None,  # type: ignore[index]  # ("po", its id)
                supply_order_id=made[peg.supply] if peg.kind == "make" else None,  # type: ignore[index]  # an index into makes
            )  # fmt: skip
        self._order(item, reservation, number, outcome)

    def _order(self, item: t.Item, reservation: int, number: str, outcome: Outcome) -> None:
        assert outcome.ready_at is not None
        on = (outcome.ready_at + timedelta(days=3)).date()
        where = {"name": "Ada", "street": "Weg 1", "city": "Berlin", "postcode": "10115", "country": "DE"}
        at = self._now
        cart = self._new(Cart, token_hash=f"c{reservation}", country="DE", state="ordered", created_at=at, updated_at=at)
        checkout = self._new(
            Checkout, key=f"k{reservation}", request_hash="", cart_id=cart, state="completed", email="ada@example.test", **where,
            currency="EUR", shipping_minor=0, total_minor=100, lines=[], link_nonce=f"n{reservation}",
            token_hash=f"t{reservation}", base_url="http://localhost", created_at=self._now,
        )  # fmt: skip
        order = self._new(
            Order, number=number, checkout_id=checkout, payment_id=reservation, party_id=self._party, state="placed",
            currency="EUR", shipping_minor=0, total_minor=100, placed_at=self._now,
        )  # fmt: skip
        self._new(
            OrderLine, order_id=order, item_id=item.id, reservation_id=reservation, sku=item.sku, name=item.name, quantity=1,
            unit_price_minor=100, basis=outcome.basis, promised_on=on, expected_on=on, promise={},
        )  # fmt: skip
        shipment = self._new(
            t.Shipment, number=f"SH-{reservation}", order_ref=number, warehouse_id=self._warehouse, state="waiting",
            ship_to=where, promised_on=on, ship_by_on=on, expected_on=on,
        )  # fmt: skip
        self._new(t.ShipmentLine, shipment_id=shipment, reservation_id=reservation, item_id=item.id, quantity=1)

    def _new(self, table: Any, **values: Any) -> int:
        key = next(self._ids.setdefault(table, count(1_000)))
        self._rows.setdefault(table, []).append({"id": key, **values})
        return key

    def write(self) -> None:
        """Write all of them, and let the database number on behind them."""
        for table, rows in self._rows.items():
            self._session.execute(sa.insert(table_of(table)), rows)  # past the program
            name = table.__tablename__
            last = f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))"  # noqa: S608 - our own name
            self._session.execute(sa.text(last))


if __name__ == "__main__":
    main()
