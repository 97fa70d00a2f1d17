"""When the plan moves under placed orders: find their new day, say so, and say why.

Only what the change touches is planned anew, in the order of the days that were promised. Holds that stood on what is gone
are released: their cart says so on its next page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import causes, events
from backoffice.db import Database
from backoffice.erp import chains, decisions, fulfilment, holds, kits, offers, pegging, plan, proposing
from backoffice.erp import factory as masters
from backoffice.erp import models as t
from backoffice.erp.planning_again import PlanningAgain
from backoffice.public.orders import Cause


def after_change(
    session: Session,
    reservation_ids: Iterable[int],
    *,
    cause: Cause,
    origin: chains.Origin | None = None,
    redated: Iterable[int] = (),
    now: datetime,
) -> int:
    """Plan these reservations anew and publish ExpectedDaysMoved, once for all; return how many moved.

    Whoever was promised what their production orders make beyond their own need is planned anew with them.
    cause: see backoffice/causes.py; origin: where it began, for its chain; redated: placed reservations whose parcels the same
    change has moved already, though their goods are ready as before. Locks the plan and the reservations.
    """
    plan.bump(session)
    decisions.because(session, cause.code, now=now)
    rows = _locked(session, with_dependants(session, reservation_ids))
    ways = chains.routes(session, origin, [row.id for row in rows]) if origin else {}
    for reservation in rows:
        if reservation.state == "held":
            holds.release(session, reservation.id, now=now)
    placed = [reservation for reservation in rows if reservation.state in ("paying", "converted")]
    # a dead hold counts for nobody, so what it still keeps is given back before others are given it
    holds.reclaim(session, masters.load(session, now=now).below(r.item_id for r in placed), minutes=True, now=now)
    moved = [one for one in _plan_again(session, placed, now) if one.state == "converted"]
    others = sorted(set(redated) - {one.id for one in moved})
    if others:
        moved += session.scalars(sa.select(t.Reservation).where(t.Reservation.id.in_(others)).order_by(t.Reservation.id))
    of_order: dict[str, list[events.Move]] = defaultdict(list)
    for one in moved:
        why = replace(cause, chain=ways.get(one.id, ()))
        of_order[one.order_ref or ""].append(events.Move(one.id, one.ready_at if one.chain else None, why))
    if of_order:
        moves = {order_ref: tuple(some) for order_ref, some in of_order.items()}
        events.publish(session, events.ExpectedDaysMoved(moves, now))
    return len(moved)


def find_days(db: Database, *, now: datetime) -> int:
    """Try again for what was ordered and stands without a day; return how many have one now."""
    with db.read() as session:
        waiting = list(session.scalars(_without_day()))
    return db.run(lambda session: after_change(session, waiting, cause=causes.of("found_again"), now=now)) if waiting else 0


def _without_day() -> sa.Select[int]:
    """Select the reservations of placed orders that nothing stands behind and that no closed parcel holds."""
    waiting = t.Shipment.state.in_(["waiting", "to_pick", "picking"])
    pegged = sa.select(t.Peg.id).where(t.Peg.reservation_id == t.Reservation.id).exists()
    return (
        sa.select(t.Reservation.id)
        .join(t.ShipmentLine, t.ShipmentLine.reservation_id == t.Reservation.id)
        .join(t.Shipment, t.Shipment.id == t.ShipmentLine.shipment_id)
        .where(t.Reservation.state == "converted", waiting, ~pegged)
        .order_by(t.Reservation.id)
        .distinct()
    )


def with_dependants(session: Session, reservation_ids: Iterable[int]) -> set[int]:
    """Return the reservations and all that were given what production orders of theirs make beyond their need."""
    found: set[int] = set()
    waiting = set(reservation_ids)
    while waiting:
        found |= waiting
        given = sa.select(t.Peg.reservation_id).join(t.ProductionOrder, t.ProductionOrder.id == t.Peg.supply_order_id)
        waiting = set(session.scalars(given.where(t.ProductionOrder.reservation_id.in_(sorted(waiting))))) - found
    return found


def lock(session: Session, reservation_ids: set[int]) -> None:
    """Let nobody else move these reservations until we are done; locked in the order of their ids."""
    wanted = t.Reservation.id.in_(sorted(reservation_ids))
    session.execute(sa.select(t.Reservation.id).where(wanted).order_by(t.Reservation.id).with_for_update())


def _locked(session: Session, reservation_ids: set[int]) -> Sequence[t.Reservation]:
    """Return the reservations as they are once nobody else can move them, in the order of their days."""
    reservation_ids = kits.goods_in(session, reservation_ids)
    lock(session, reservation_ids)
    wanted = t.Reservation.id.in_(sorted(reservation_ids))
    return session.scalars(
        sa.select(t.Reservation)
        .where(wanted)
        .order_by(t.Reservation.ready_at, t.Reservation.id)
        .execution_options(populate_existing=True)
    ).all()


def _plan_again(session: Session, placed: Sequence[t.Reservation], now: datetime) -> Sequence[t.Reservation]:
    """Take the supplies of placed reservations away and find new ones, in this order; return those ready at another instant.

    Whoever is being paid for keeps the place in the queue; its day is checked when it is paid. What they are made in, and what
    was proposed to be bought for them, is put to use again. Rows are read and written for all of them at once.
    """
    if not placed:
        return []
    before = {one.id: (one.ready_at, one.warehouse_id) if one.chain else None for one in placed}
    proposed = proposing.proposed_for(session, before)
    stripped = pegging.strip_all(session, {one.id: one.state for one in placed})
    again = PlanningAgain(session, [one.item_id for one in placed], now=now)
    planned = again.plan(placed, reuse={key: orders for key, (_, orders) in stripped.items()})
    orders = [one for one in placed if one.state != "paying"]
    buying = [one for one in orders if one.id in again.buying or proposed[one.id]]
    pegs = pegging.pegs_of_all(session, [one.id for one in buying])
    proposing.propose_all(session, [proposing.Needing(one, pegs[one.id], proposed[one.id]) for one in buying], now=now)
    kits.settle(session, placed)
    fulfilment.reschedule_all(session, orders, now=now)
    stood_on = {peg.item_id for pegs, _ in stripped.values() for peg in pegs} | {one.item_id for one in placed}
    offers.touch(session, stood_on | again.stands_on, now=now, capacity=True)
    after = {one.id: (one.ready_at, one.warehouse_id) if one.id in planned else None for one in placed}
    return [one for one in placed if after[one.id] != before[one.id]]
