"""`make bench-verify`: every rule of `shopfloor verify` over 100,000 orders on PostgreSQL.

The orders are written as rows, two lines each, a quarter still in the warehouse: reading them is what is measured, and that
nothing is found shows that the rows are as the shop would have written them. Then a breach is planted in the last order and
must be found. Prints the figures and a last JSON line.
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import verify
from backoffice.bridge.models import OutboxMessage
from backoffice.crm.models import Cart, Checkout, Order, OrderLine, Party
from backoffice.db import Database, table_of
from backoffice.erp import models as t
from backoffice.payments.models import Payment
from backoffice.tables import metadata
from tests.bench.generate import grow
from tests.need import postgres_database

BATCH = 5_000


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    now = datetime.now(UTC)
    with postgres_database() as url:
        db = Database(url)
        metadata.create_all(db.engine)
        grow(db, 1_000, now=now)
        for start in range(0, given.orders, BATCH):
            write_orders(db, range(start + 1, min(start + BATCH, given.orders) + 1), now)
        db.run(settle_totals)
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("VACUUM ANALYZE"))
        took = []
        for _ in range(given.rounds):
            started = time.perf_counter()
            with db.read() as session:
                found = verify.breaches(session, now=now)
            took.append(time.perf_counter() - started)
            print(f"{given.orders} orders: {took[-1]:.2f} s, {len(found)} breaches", *found[:3], sep="\n  ")
        peg = table_of(t.Peg)
        db.run(lambda session: session.execute(sa.update(peg).where(peg.c.id == 2 * given.orders).values(quantity=7)))
        with db.read() as session:
            planted = verify.breaches(session, now=now)
        print("planted:", *planted, sep="\n  ")
        db.dispose()
    figures = {"orders": given.orders, "rules": len(verify.RULES), "seconds": [round(one, 2) for one in took]}
    print(json.dumps({"bench": "verify", **figures, "breaches": len(found), "found_of_planted": len(planted)}))


def write_orders(db: Database, numbers: range, now: datetime) -> None:
    """Write paid orders of two lines, one piece each; every fourth is still to be picked, the others are shipped."""
    items = 1_000

    def write(session: Session) -> None:
        address = {"name": "A", "street": "Weg 1", "city": "Berlin", "postcode": "10115", "country": "DE"}
        rows: dict[type, list[dict[str, object]]] = {}

        def add(model: type, **values: object) -> None:
            rows.setdefault(model, []).append(values)

        for n in numbers:
            number, shipped = f"SF-{n:07}", n % 4 != 0
            add(Cart, id=n, token_hash=f"t{n}", version=1, state="ordered", country="DE", created_at=now, updated_at=now)
            add(Party, id=n, name="A", email=f"a{n}@example.test", facts={}, created_at=now)
            checkout = {"key": f"k{n}", "request_hash": "h", "cart_id": n, "state": "completed", "email": f"a{n}@example.test"}
            checkout |= {"currency": "EUR", "shipping_minor": 500, "total_minor": 2_500, "lines": [], "link_nonce": "n"}
            add(Checkout, id=n, **checkout, **address, token_hash=f"c{n}", base_url="http://localhost", created_at=now)
            payment = {"provider": "sandbox", "provider_ref": f"p{n}", "state": "succeeded", "amount_minor": 2_500}
            add(Payment, id=n, checkout_id=n, **payment, currency="EUR", opened_at=now, expires_at=now, settled_at=now)
            state = "shipped" if shipped else "confirmed"
            order = {"number": number, "checkout_id": n, "payment_id": n, "party_id": n, "state": state, "currency": "EUR"}
            add(Order, id=n, **order, shipping_minor=500, total_minor=2_500, placed_at=now)
            parcel = {"number": f"SH-{n:07}", "order_ref": number, "warehouse_id": 1, "ship_to": address}
            days = {"promised_on": now.date(), "ship_by_on": now.date()}
            add(t.Shipment, id=n, **parcel, state="shipped" if shipped else "to_pick", **days)
            mail = {"target": "mail", "aggregate": f"order:{number}", "sequence": 1, "kind": "order_confirmed", "payload": {}}
            add(OutboxMessage, id=n, **mail, state="done", available_at=now, created_at=now)
            for part in (0, 1):
                line, item = 2 * n - part, (2 * n - part) % items + 1
                kept = {"item_id": item, "quantity": 1, "state": "shipped" if shipped else "converted", "owner_ref": f"cart:{n}"}
                kept |= {
                    "order_ref": number,
                    "basis": "stock",
                    "ready_at": now,
                    "expires_at": now,
                    "plan_version": 1,
                    "chain": [],
                }
                add(t.Reservation, id=line, **kept)
                peg = {"reservation_id": line, "item_id": item, "quantity": 1, "kind": "stock", "warehouse_id": 1}
                add(t.Peg, id=line, **peg, available_at=now, used=shipped)
                sold = {"order_id": n, "item_id": item, "reservation_id": line, "sku": "S", "name": "N", "quantity": 1}
                sold |= {"unit_price_minor": 1_000, "basis": "stock", "promised_on": now.date(), "expected_on": now.date()}
                add(OrderLine, id=line, **sold, promise={"plan_version": 1})
                picked = {"shipment_id": n, "reservation_id": line, "item_id": item, "quantity": 1, "picked": int(shipped)}
                add(t.ShipmentLine, id=line, **picked)
                moved = {"item_id": item, "warehouse_id": 1, "cause": "shipment", "at": now - timedelta(days=1)}
                if shipped:
                    add(t.StockMovement, id=10_000_000 + line, **moved, delta=-1, ref=f"ship:{line}")
                add(t.StockMovement, id=20_000_000 + line, **(moved | {"cause": "receipt"}), delta=1, ref=f"in:{line}")
        for model, values in rows.items():
            session.execute(sa.insert(table_of(model)), values)

    db.run(write)


def settle_totals(session: Session) -> None:
    """Bring the totals to what the ledger and the pegs have."""
    moved = sa.select(sa.func.coalesce(sa.func.sum(t.StockMovement.delta), 0)).where(t.StockMovement.item_id == t.Stock.item_id)
    kept = (
        sa.select(sa.func.coalesce(sa.func.sum(t.Peg.quantity), 0))
        .join(t.Reservation, t.Reservation.id == t.Peg.reservation_id)
        .where(t.Peg.item_id == t.Stock.item_id, t.Reservation.state == "converted")
    )
    here = sa.select(t.StockMovement.item_id).distinct()
    there = sa.select(t.Stock.item_id)
    for item_id in session.scalars(here.where(t.StockMovement.item_id.not_in(there))).all():
        session.add(t.Stock(item_id=item_id, warehouse_id=1, figure_at=datetime.now(UTC)))
    session.flush()
    session.execute(
        sa.update(t.Stock)
        .values(on_hand=moved.scalar_subquery(), allocated=kept.scalar_subquery())
        .execution_options(synchronize_session=False)
    )


if __name__ == "__main__":
    main()
