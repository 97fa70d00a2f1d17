"""What does not keep: which items are kept in lots, promises that their lot is too old for, and writing off.

Nothing that is too old is ever promised: each question counts a lot only up to its day. What was promised and then waited
too long finds another supply here.
"""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import audit, causes
from backoffice.db import Database
from backoffice.erp import chains, claiming, counting, fulfilment, lots, offers, pegging, plan, replan, shipping
from backoffice.erp import models as t
from backoffice.erp.company import get_company, local_today
from backoffice.public.errors import BadInput, NotFound, Refused
from backoffice.public.orders import CauseLink
from backoffice.wording import day_in

MOST_DAYS = 3650


def keep_in_lots(session: Session, item_id: int, days_left: int | None, *, by: str, role: str = "", now: datetime) -> None:
    """Say how many days must be left of an item; None: it is not kept in lots. Locks the plan.

    Whether it is kept in lots changes only while none lies on a shelf: nobody knows of which lot it is.
    Raises NotFound(unknown_product), BadInput(invalid_form, days_left), Refused(still_on_hand), Refused(made_here).
    """
    plan.bump(session)
    item = session.get(t.Item, item_id, populate_existing=True, with_for_update=True)
    if item is None:
        raise NotFound("unknown_product")
    if days_left is not None and not 0 <= days_left <= MOST_DAYS:
        raise BadInput("invalid_form", {"days_left": "bad_number"})
    before = item.days_left
    if days_left == before:
        return
    if item.source not in ("buy", "none"):
        raise Refused("made_here")
    if (days_left is None) != (before is None):
        _require_empty_shelves(session, item_id)
    item.days_left = days_left
    session.flush()
    plan.bump(session, master=True)
    details = {"before": before, "after": days_left}
    audit.record(session, "item.lots", f"item:{item_id}", actor=by, role=role, details=details, now=now)
    offers.touch(session, [item_id], now=now)


def _require_empty_shelves(session: Session, item_id: int) -> None:
    lies = sa.select(t.Stock.id).where(t.Stock.item_id == item_id, sa.or_(t.Stock.on_hand > 0, t.Stock.allotted > 0))
    kept = sa.select(t.Allotment.id).where(t.Allotment.item_id == item_id, t.Allotment.released_at.is_(None))
    if session.scalar(lies.limit(1)) or session.scalar(kept.limit(1)):
        raise Refused("still_on_hand")


def write_off(session: Session, lot_id: int, *, ref: str, actor: str, now: datetime) -> int:
    """Take what is left of a lot off the shelf for good; return how much. Promises on it find another supply. Locks the plan.

    Raises NotFound(unknown_record), Refused(lot_still_good), Refused(already_moved), Refused(not_enough_stock): some of it lies
    in a closed parcel.
    """
    lot = session.get(t.StockLot, lot_id)
    if lot is None:
        raise NotFound("unknown_record")
    item = session.get_one(t.Item, lot.item_id)
    if lots.is_good(lot, item.days_left or 0, local_today(get_company(session), now)):
        raise Refused("lot_still_good", number=lot.number)
    place = lot.item_id, lot.warehouse_id
    return -counting.count_stock(session, *place, 0, ref=ref, actor=actor, lot_id=lot.id, cause="expired", now=now)


def sweep(db: Database, *, now: datetime) -> int:
    """Let promises go of lots that are too old for them; return how many orders' lines moved. Locks the plan if there are any."""
    with db.read() as session:
        found = bool(_too_old(session, now))
    return db.run(lambda session: let_go(session, now=now)) if found else 0


def let_go(session: Session, *, now: datetime) -> int:
    """Plan anew what stands on a lot that will be too old when it is used; return how many moved. Locks the plan."""
    plan.bump(session)
    by_item: dict[int, list[t.Peg]] = {}
    pegging.lock(session, t.Peg.id.in_([peg.id for peg in _too_old(session, now)]))
    for peg in _too_old(session, now):  # as they are now that nobody moves them
        by_item.setdefault(peg.item_id, []).append(peg)
    moved = 0
    for item_id, pegs in sorted(by_item.items()):
        item = session.get_one(t.Item, item_id)
        origin = chains.Origin(CauseLink("shelf", item.name))
        cause = causes.of("lot_expired", item=item.name)
        moved += replan.after_change(session, {peg.reservation_id for peg in pegs}, cause=cause, origin=origin, now=now)
    return moved


def _too_old(session: Session, now: datetime) -> list[t.Peg]:
    """Return the pegs of what is promised and in nobody's hand yet whose lot has expired on the day it will be used."""
    of, order = t.Peg, t.ProductionOrder
    company = get_company(session)
    today = local_today(company, now)
    rows = session.execute(
        sa.select(of, t.StockLot, t.Item.days_left, order.starts_at, t.Shipment)
        .join(t.StockLot, t.StockLot.id == of.lot_id)
        .join(t.Item, t.Item.id == of.item_id)
        .join(t.Reservation, t.Reservation.id == of.reservation_id)
        .outerjoin(order, order.id == of.production_order_id)
        .outerjoin(t.ShipmentLine, t.ShipmentLine.reservation_id == of.reservation_id)
        .outerjoin(t.Shipment, t.Shipment.id == t.ShipmentLine.shipment_id)
        .where(of.used.is_(False), t.Reservation.state.in_(["paying", "converted"]), ~claiming.in_hand())
        .order_by(of.id)
        .execution_options(populate_existing=True)
    ).all()

    def used_on(starts_at: datetime | None, shipment: t.Shipment | None) -> date:
        if starts_at is not None:
            return max(today, day_in(company.timezone, starts_at))
        if shipment is None:
            return today
        arrives_on = shipping.arrival(fulfilment.way_of(session, shipment, now=now), now=now)(now)
        return max(arrives_on or date.max, shipment.expected_on or today)

    return [
        peg
        for peg, lot, days_left, starts_at, shipment in rows
        if not lots.is_good(lot, days_left or 0, used_on(starts_at, shipment))
    ]
