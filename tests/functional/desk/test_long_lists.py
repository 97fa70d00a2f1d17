"""A thousand rows: every list pages or says what it leaves out, finds by word, and asks the database no more than for ten."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from backoffice.audit import AuditEntry
from backoffice.bridge.models import OutboxMessage
from backoffice.crm.models import Cart, Checkout, Order, OrderLine, Party, ServiceCase
from backoffice.db import table_of
from backoffice.erp.models import (
    ProductionOrder,
    PurchaseOrder,
    PurchaseOrderLine,
    Reservation,
    Shipment,
    ShipmentLine,
    Supplier,
)
from tests.company import item_id
from tests.conftest import FixedClock
from tests.functional.desk.conftest import Colleague
from tests.statements import sent

AtDesk = Callable[[str], Colleague]
FEW, MANY = 10, 1000
LISTS = {
    "/desk/warehouse": "The 100 most urgent of 1000.",
    "/desk/warehouse?q=SF-0999": "SH-0999",
    "/desk/warehouse/waves": "",
    "/desk/warehouse/sent": "1 to 50 of 1000",
    "/desk/warehouse/sent?page=20": "951 to 1000 of 1000",
    "/desk/warehouse/receive?q=LEG": "1 to 50 of 1000",
    "/desk/warehouse/receive?q=LEG&page=20": "951 to 1000 of 1000",
    "/desk/planning": "1000 receipts are late",
    "/desk/planning?page=1": "1000 promises are late",
    "/desk/planning?page=20": "951 to 1000 of 1000",
    "/desk/planning?page=21": "The list has become shorter.",
    "/desk/planning/receipts?q=PO-T": "1 to 50 of 1000",
    "/desk/planning/receipts?q=PO-T0999": "PO-T0999",
    "/desk/planning/receipts?q=nothing-at-all": "Nothing found",
    "/desk/planning/receipts?page=900": "The list has become shorter.",
    "/desk/planning/production": "1 to 50 of 1000",
    "/desk/planning/production?q=MO-T0999": "MO-T0999",
    "/desk/planning/load": "",
    "/desk/sales/cases": "1000 late",
    "/desk/sales/cases?q=Ada 0777&state=any": "C-L0777",
    "/desk/sales/cases?state=overdue&after=1795400000000000-5": 'rel="next"',
    "/desk/admin/outgoing": "1 to 50 of 1000",
    "/desk/admin/changes?actor=theres": "1 to 50 of 1000",
}


def late_orders(item: int, now: datetime) -> dict[Any, Callable[[int], dict[str, Any]]]:
    """Return the rows of orders that wait for their goods, each a day later than the one before.

    Their ids count down from far above, so that rows that number themselves meet none of them.
    """
    made, to, first = {"created_at": now}, {"name": "Ada", "country": "DE", "postcode": "10115"}, now.date()
    placed = {"currency": "EUR", "total_minor": 100, "shipping_minor": 0}
    ship_to = {"ship_to": to, "promised_on": first, "ship_by_on": first, "expected_on": first}
    return {
        Party: lambda n: made | {"id": 90_000 - n, "kind": "person", "name": f"Ada {n:04}", "email": f"a{n}@example.test"},
        Cart: lambda n: made | {"id": 90_000 - n, "token_hash": f"c{n}", "country": "DE", "state": "ordered", "updated_at": now},
        Checkout: lambda n: made | to | placed | {
            "id": 90_000 - n, "key": f"k{n}", "request_hash": "", "cart_id": 90_000 - n, "state": "completed", "email": "",
            "street": "", "city": "", "lines": [], "link_nonce": f"n{n}", "token_hash": f"t{n}", "base_url": "",
        },
        Order: lambda n: placed | {
            "id": 90_000 - n, "number": f"SF-L{n:04}", "checkout_id": 90_000 - n, "payment_id": 90_000 - n,
            "party_id": 90_000 - n, "state": "confirmed", "placed_at": now,
        },
        ServiceCase: lambda n: {
            "id": 90_000 - n, "number": f"C-L{n:04}", "party_id": 90_000 - n, "order_ref": f"SF-L{n:04}", "kind": "other",
            "message": "?", "language": "", "source": "page", "priority": "low", "state": "open", "comment": "",
            "due_from_at": now, "solve_due_at": now - timedelta(days=1, minutes=n), "created_at": now, "version": 1,
        },
        Reservation: lambda n: {
            "id": 90_000 - n, "item_id": item, "quantity": 1, "state": "converted", "owner_ref": "", "order_ref": f"SF-L{n:04}",
            "basis": "receipt", "ready_at": now, "expires_at": now, "plan_version": 1, "chain": [],
        },
        OrderLine: lambda n: {
            "order_id": 90_000 - n, "item_id": item, "reservation_id": 90_000 - n, "sku": "LEG", "name": "Leg", "quantity": 1,
            "unit_price_minor": 100, "basis": "receipt", "promised_on": first, "expected_on": first + timedelta(days=1 + n),
            "promise": {},
        },
        Shipment: lambda n: ship_to | {
            "id": 90_000 - n, "number": f"SL-{n:04}", "order_ref": f"SF-L{n:04}", "warehouse_id": 1, "state": "waiting",
        },
        ShipmentLine: lambda n: {"shipment_id": 90_000 - n, "reservation_id": 90_000 - n, "item_id": item, "quantity": 1},
    }  # fmt: skip


def fill(session: Session, numbers: range, now: datetime) -> None:
    """Write parcels to pick and sent ones, receipts, production orders, undelivered messages and changes."""
    leg, day = item_id(session, "LEG"), now.date()
    supplier = session.scalars(sa.select(Supplier.id).order_by(Supplier.id)).first()
    parcel = {
        "warehouse_id": 1,
        "ship_to": {"name": "Ada", "country": "DE"},
        "promised_on": day,
        "ship_by_on": day,
        "expected_on": day,
    }
    ordered_at, due_at = now - timedelta(days=9), now - timedelta(days=1)
    rows: dict[Any, Callable[[int], dict[str, Any]]] = {
        Shipment: lambda n: parcel | {"number": f"SH-{n:04}", "order_ref": f"SF-{n:04}", "state": "to_pick"},
        PurchaseOrder: lambda n: {"id": 1000 + n, "number": f"PO-T{n:04}", "supplier_id": supplier, "ordered_at": ordered_at},
        PurchaseOrderLine: lambda n: {"purchase_order_id": 1000 + n, "item_id": leg, "quantity": 4, "due_at": due_at},
        ProductionOrder: lambda n: {"number": f"MO-T{n:04}", "item_id": leg, "quantity": 1, "starts_at": now, "ready_at": now},
        OutboxMessage: lambda n: {
            "target": "mail",
            "aggregate": f"order:SF-{n:04}",
            "sequence": 1,
            "kind": "shipped",
            "payload": {},
            "state": "dead",
            "available_at": now,
            "created_at": now,
        },
        AuditEntry: lambda n: {"at": now, "actor": "theres@werk.test", "action": "receipt.due", "subject": f"receipt:{n}"},
    }
    for model, row in (*rows.items(), *late_orders(leg, now).items()):
        session.execute(sa.insert(table_of(model)), [row(n) for n in numbers])
    sent = [parcel | {"number": f"SN-{n:04}", "order_ref": f"SN-{n:04}", "state": "shipped"} for n in numbers]
    session.execute(sa.insert(Shipment), sent)


def test_a_thousand_rows_ask_no_more_than_ten_and_hide_nothing(site: Flask, at_desk: AtDesk, clock: FixedClock) -> None:
    db, ada, few = site.extensions["shopfloor"].db, at_desk("Ada"), {}
    db.run(lambda session: fill(session, range(FEW), clock()))
    for path in LISTS:
        with sent(db) as statements:
            ada.get(path.replace("T0999", "T0009"))  # one of the few: what is found asks more than what is not
        few[path] = len(statements)
    db.run(lambda session: fill(session, range(FEW, MANY), clock()))
    for path, says in LISTS.items():
        with sent(db) as statements:
            page = ada.get(path)
        assert says in page, path
        assert (path, len(statements) <= few[path] + 1, len(page) < 400_000) == (path, True, True)


def test_a_list_is_kept_where_it_was(site: Flask, at_desk: AtDesk, clock: FixedClock) -> None:
    site.extensions["shopfloor"].db.run(lambda session: fill(session, range(120), clock()))
    petra = at_desk("Petra")
    page = petra.get("/desk/planning/receipts?q=PO-T&page=2")
    assert 'action="/desk/planning/receipts/52/due?q=PO-T&page=2"' in page
    page = petra.refused("/desk/planning/receipts/52/due?q=PO-T&page=2", 422, due_on="2026-01-01", version="1", key="a")
    assert "Choose today or later." in page
    assert 'value="2026-01-01"' in page
    answer = petra.post("/desk/planning/receipts/52/due?q=PO-T&page=2", due_on="2026-12-01", version="1", key="b")
    assert answer.headers["Location"] == "/desk/planning/receipts?q=PO-T&page=2"


def test_a_parcel_is_found_by_its_label_or_its_order(site: Flask, at_desk: AtDesk, clock: FixedClock) -> None:
    site.extensions["shopfloor"].db.run(lambda session: fill(session, range(20), clock()))
    wim = at_desk("Wim")
    assert wim.client.get("/desk/warehouse?q=sh-0007").headers["Location"] == "/desk/warehouse/shipments/8"
    page = wim.get("/desk/warehouse?q=SF-0007")
    assert (page.count('class="task"'), "SH-0007" in page) == (1, True)
    assert "Nothing to pick matches." in wim.get("/desk/warehouse?q=zzz")


def test_late_promises_are_paged_the_worst_first(site: Flask, at_desk: AtDesk, clock: FixedClock) -> None:
    site.extensions["shopfloor"].db.run(lambda session: fill(session, range(70), clock()))
    petra = at_desk("Petra")
    pages = [re.findall(r"SF-L\d{4}(?=</a>)", petra.get(f"/desk/planning?page={page}")) for page in (1, 2)]
    assert pages == [[f"SF-L{n:04}" for n in range(69, 19, -1)], [f"SF-L{n:04}" for n in range(19, -1, -1)]]
