"""What is there and what is coming: stock with its first movement, suppliers, open purchase orders; and the customers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from backoffice.crm.models import Party
from backoffice.erp import models as t
from backoffice.erp import stock
from backoffice.imports.adventureworks import rules
from backoffice.imports.adventureworks.base import Anchor, warehouse_id
from backoffice.imports.adventureworks.records import Source
from backoffice.imports.sync import Incoming, Sync
from backoffice.public.errors import Refused

ACTOR = "import"


def write_stock(sync: Sync, source: Source, items: Mapping[int, int], parts: Mapping[int, int], now: datetime) -> None:
    """Open the ledger of each product with what is for sale. Stock that has moved here since is left alone."""
    session, place = sync.session, warehouse_id(sync.session)
    moved = set(session.scalars(sa.select(t.StockMovement.item_id).where(t.StockMovement.cause != "opening").distinct()))
    sync.count("stock", "unchanged", 0)
    totals: list[tuple[int, t.Stock, str]] = []
    bins: list[dict[str, object]] = []
    for product, found in rules.for_sale(source, parts).items():
        item, said = items[product], f"{found.quantity}"
        ref = sync.find("stock", str(product))
        if ref is None:
            totals.append((product, t.Stock(item_id=item, warehouse_id=place, on_hand=found.quantity, figure_at=now), said))
            bins.append({"id": item, "bin": found.bin})
        elif ref.fingerprint == said:
            sync.count("stock", "unchanged")
        elif item in moved or not _correct(sync, item, product, found.quantity - int(ref.fingerprint), now):
            sync.count("stock", "kept")
        else:
            sync.remember("stock", str(product), ref.our_id, said)
            sync.count("stock", "changed")
    if bins:
        session.execute(sa.update(t.Item), bins)
    _open(sync, totals, now)


def _open(sync: Sync, totals: list[tuple[int, t.Stock, str]], now: datetime) -> None:
    """Write new totals and the movements that they are the sum of."""
    sync.session.add_all([row for _product, row, _said in totals])
    sync.session.flush()
    sync.session.add_all(
        t.StockMovement(
            item_id=row.item_id,
            warehouse_id=row.warehouse_id,
            delta=row.on_hand,
            cause="opening",
            ref=f"opening:{sync.system}:{product}",
            actor=ACTOR,
            at=now,
        )
        for product, row, _said in totals
        if row.on_hand
    )
    for product, row, said in totals:
        sync.remember("stock", str(product), row.id, said)
    sync.count("stock", "added", len(totals))


def _correct(sync: Sync, item: int, product: int, delta: int, now: datetime) -> bool:
    """Change an opening that they have corrected; False where what is promised here does not allow it."""
    ref = f"opening:{sync.system}:{product}:{now.isoformat()}"
    try:
        stock.move(sync.session, item, warehouse_id(sync.session), delta, cause="opening", ref=ref, actor=ACTOR, now=now)
    except Refused:
        return False
    return True


def write_suppliers(sync: Sync, source: Source, items: Mapping[int, int], parts: Mapping[int, int]) -> dict[int, int]:
    """Write every vendor and what it sells, in smallest units, whole purchase units at a time; return vendor → id."""
    suppliers = sync.put(
        t.Supplier,
        [
            Incoming(str(i), {"code": vendor.account, "name": vendor.name, "active": vendor.active})
            for i, vendor in source.vendors.items()
        ],
    )
    rows = []
    for row in source.vendor_items:
        size = parts.get(row.product_id, 1)
        values = {
            "supplier_id": suppliers[str(row.vendor_id)],
            "item_id": items[row.product_id],
            "lead_days": row.lead,
            "order_minimum": rules.in_parts(row.row, "MinOrderQty", row.least, size),
            "order_multiple": size,
            "order_maximum": rules.in_parts(row.row, "MaxOrderQty", row.most, size),
            "price_minor": row.price_minor,
        }
        rows.append(Incoming(f"{row.product_id}:{row.vendor_id}", values))
    sync.put(t.SupplierItem, rows, whole=True)
    return {int(their_id): our_id for their_id, our_id in suppliers.items()}


def write_receipts(
    sync: Sync,
    source: Source,
    items: Mapping[int, int],
    suppliers: Mapping[int, int],
    parts: Mapping[int, int],
    anchor: Anchor,
) -> None:
    """Write the open purchase order lines. Lines that are here already belong to the people here: they are kept."""
    lines = rules.open_receipts(source)
    orders = {row.order_id: source.purchases[row.order_id] for row in lines}
    order_ids = sync.put(
        t.PurchaseOrder,
        [
            Incoming(
                str(i),
                {"number": f"AW-{i}", "supplier_id": suppliers[order.vendor_id]},
                {"state": "ordered", "ordered_at": anchor.received_at(order.ordered_on)},
            )
            for i, order in orders.items()
        ],
    )
    fresh = []
    for row in lines:
        size = parts.get(row.product_id, 1)
        first = {
            "purchase_order_id": order_ids[str(row.order_id)],
            "item_id": items[row.product_id],
            "quantity": rules.in_parts(row.row, "OrderQty", row.ordered, size),
            "received": rules.in_parts(row.row, "ReceivedQty", row.received, size),
            "due_at": anchor.received_at(row.due_on),
        }
        said = [row.product_id, str(row.ordered), str(row.received), row.due_on.isoformat()]
        ref = sync.find("purchase_order_line", str(row.id))
        if ref is not None:
            same = Incoming(str(row.id), {}, seen=said).fingerprint() == ref.fingerprint
            sync.count("purchase_order_line", "unchanged" if same else "kept")
        else:
            fresh.append(Incoming(str(row.id), {}, first, seen=said))
    sync.put(t.PurchaseOrderLine, fresh)


def write_companies(sync: Sync, source: Source, now: datetime) -> None:
    """Write the business customers as companies of the CRM."""
    sync.put(
        Party,
        [
            Incoming(str(i), {"kind": "company", "name": store.name, "facts": dict(store.facts)}, {"created_at": now})
            for i, store in source.stores.items()
        ],
    )
