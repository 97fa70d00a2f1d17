"""Read stock figures from an outside ERP and take them in; or let them be our own again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from backoffice.bridge.models import OutboxMessage
from backoffice.bridge.outside.handing_over import TARGET, aggregate_of
from backoffice.bridge.outside.port import Erp, NoAnswer, NotReached, Rejected
from backoffice.db import Database
from backoffice.erp import models as t
from backoffice.erp import stock_snapshots

log = structlog.get_logger("shopfloor.erp")


def pull(db: Database, erp: Erp, *, max_age: timedelta, now: datetime) -> t.StockSnapshot | None:
    """Ask for what is newer than what we have and take it in; a change to something else is followed by all of it.

    Returns what came, None when nothing did. No transaction is open over a call.
    """
    with db.read() as session:
        last = stock_snapshots.find_last(session)
    if last is None:
        last = db.run(lambda session: stock_snapshots.begin(session, now=now))
    after = last.sequence if last.sequence and not last.in_doubt else None
    taken = _pull(db, erp, after, max_age=max_age, now=now)
    if taken is not None and taken.reason == "gap":
        taken = _pull(db, erp, None, max_age=max_age, now=now)
    return taken


def keep_own(db: Database, *, now: datetime) -> None:
    """Where no outside ERP is set any more, let its last figures not close the sale."""
    with db.read() as session:
        if stock_snapshots.find_last(session) is None:
            return
    db.run(lambda session: stock_snapshots.end(session, now=now))


def unbooked(session: Session, as_of: datetime) -> Mapping[int, int]:
    """Return item → how much left the works in parcels that the ERP may not have booked at an instant.

    What it was told before the instant it has booked; of what was on its way then, it is not known: it counts as not booked, so
    that for a while too little is sold rather than too much.
    """
    told = sa.exists().where(
        OutboxMessage.target == TARGET,
        OutboxMessage.aggregate == sa.literal(aggregate_of("")) + t.Shipment.order_ref,
        OutboxMessage.kind == "shipped",
        sa.cast(OutboxMessage.payload["parcel"].as_integer(), sa.BigInteger) == t.Shipment.parcel,
        sa.or_(OutboxMessage.state.in_(["pending", "dead"]), OutboxMessage.done_at >= as_of),
    )
    works = sa.select(sa.func.min(t.Warehouse.id)).scalar_subquery()
    rows = session.execute(
        sa.select(t.ShipmentLine.item_id, sa.func.sum(t.ShipmentLine.quantity))
        .join(t.Shipment, t.Shipment.id == t.ShipmentLine.shipment_id)
        .where(t.Shipment.state.in_(["shipped", "delivered"]), t.Shipment.warehouse_id == works, told)
        .group_by(t.ShipmentLine.item_id)
    )
    return {item_id: int(quantity) for item_id, quantity in rows}


def _pull(db: Database, erp: Erp, after: int | None, *, max_age: timedelta, now: datetime) -> t.StockSnapshot | None:
    try:
        snapshot = erp.stock(after)
    except (NotReached, NoAnswer, Rejected) as error:  # asked again in a minute; what we have goes stale by itself
        log.warning("no_stock_snapshot", reason=type(error).__name__)
        return None
    if snapshot is None:
        return None
    return db.run(
        lambda session: stock_snapshots.receive(
            session, snapshot, unbooked=unbooked(session, snapshot.as_of), max_age=max_age, now=now
        )
    )
