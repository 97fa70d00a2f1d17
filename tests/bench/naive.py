"""The control of the race: how not to promise. Reads what is free, then writes, with no lock and no condition between.

Only benches and tests call this. It keeps to the tables of the shop, so that one judge counts for both (`last_pieces.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import decisions, plan, snapshot
from backoffice.erp import models as t
from backoffice.planning.outcome import Outcome
from backoffice.public.errors import Refused

LIVE = ("held", "paying", "converted")


def hold(
    session: Session,
    item: t.Item,
    quantity: int,
    *,
    owner: str,
    minutes: int,
    now: datetime,
    between: Callable[[], object] = lambda: None,
) -> t.Reservation:
    """Promise as `backoffice.erp.holds.hold` does, but read, then write. between: called after the one, before the other.

    Raises Refused(not_available) where it reads that there is not enough.
    """
    reservation = t.Reservation(
        item_id=item.id, quantity=quantity, state="held", owner_ref=owner, basis="stock", ready_at=now, chain=[]
    )
    reservation.expires_at, reservation.plan_version = now + timedelta(minutes=minutes), plan.version(session)
    if item.sell_from == "production":
        outcome = snapshot.load(session, [item.id], now=now).quote(item.id, quantity, sell_from="production")
        if outcome.ready_at is None:
            raise Refused("not_available", sku=item.sku, most=0)
        between()
        session.add(reservation)
        session.flush()
        _write_making(session, reservation, outcome)
        return reservation
    supply = _supply(session, item, now)
    if supply.pop("free") < quantity:
        raise Refused("not_available", sku=item.sku, most=0)
    between()
    session.add(reservation)
    session.flush()
    session.add(t.Peg(reservation_id=reservation.id, item_id=item.id, quantity=quantity, available_at=now, **supply))
    session.flush()
    return reservation


def _supply(session: Session, item: t.Item, now: datetime) -> dict[str, Any]:
    """Return what a peg on the item's only supply says of it, and how much of it is free."""
    taken = sa.select(sa.func.coalesce(sa.func.sum(t.Peg.quantity), 0)).join(
        t.Reservation, t.Reservation.id == t.Peg.reservation_id
    )
    live = (t.Reservation.state.in_(LIVE), t.Reservation.expires_at > now, t.Peg.item_id == item.id)
    promised = session.scalars(taken.where(*live)).one()
    if item.sell_from == "incoming":
        line = session.scalars(sa.select(t.PurchaseOrderLine).where(t.PurchaseOrderLine.item_id == item.id)).one()
        return {"kind": "receipt", "purchase_order_line_id": line.id, "free": line.quantity - promised}
    row = session.scalars(sa.select(t.Stock).where(t.Stock.item_id == item.id)).one()
    return {"kind": "stock", "warehouse_id": row.warehouse_id, "free": row.on_hand - promised}


def _write_making(session: Session, reservation: t.Reservation, outcome: Outcome) -> None:
    """Write the orders and minutes of something that is made without parts."""
    reservation.basis, reservation.ready_at = outcome.basis, outcome.ready_at or reservation.ready_at
    for number, make in enumerate(outcome.makes):
        order = t.ProductionOrder(
            number=f"naive-{reservation.id}-{number}",
            item_id=reservation.item_id,
            quantity=int(make.quantity),
            pegged=int(make.quantity),
            state="held",
            reservation_id=reservation.id,
            starts_at=make.starts_at,
            ready_at=make.ready_at,
        )
        session.add(order)
        session.flush()
        session.add_all(
            t.OperationSlot(
                production_order_id=order.id,
                work_centre_id=slot.work_centre,
                position=slot.position,
                lane=slot.lane,
                starts_at=slot.starts_at,
                ends_at=slot.ends_at,
            )
            for slot in make.slots
        )
        session.add(
            t.Peg(
                reservation_id=reservation.id,
                item_id=reservation.item_id,
                quantity=int(make.quantity),
                kind="make",
                supply_order_id=order.id,
                available_at=make.ready_at,
            )
        )
    session.flush()


def release(session: Session, reservation_id: int, *, now: datetime) -> bool:
    """Give it back; False if it had run out."""
    reservation = session.get_one(t.Reservation, reservation_id)
    for gone in (t.Peg, t.ProductionOrder):
        session.execute(sa.delete(gone).where(gone.reservation_id == reservation_id).execution_options(**decisions.NOTED))
    reservation.state = "released"
    return reservation.expires_at > now
