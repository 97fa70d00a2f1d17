"""Kits: an item sold as the set of its parts. Nothing of it is assembled; it is kept, picked and shipped part by part.

The order's line names the kit's own reservation, which stands on nothing itself: its goods are the reservations parted from it
(`split_from_id`), one for each part, as those of a line that was parted (docs/decisions/0010). They live and die together while
they are a cart's; once ordered each is planned, picked and shipped by itself, and the kit is ready when its last part is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import models as t
from backoffice.erp import pegging
from backoffice.planning.outcome import Outcome
from backoffice.planning.through import parts_of


def write(session: Session, kit: t.Reservation, outcome: Outcome, *, in_lots: Collection[int], arrives_on: date | None) -> None:
    """Write what a kit stands on: a reservation for each of its parts, all of them or (PlanMoved) none. The caller flushes."""
    same = ("state", "owner_ref", "expires_at", "plan_version", "customer_class", "chain", "margin_days")
    for part in parts_of(outcome):
        assert part.ready_at is not None
        child = t.Reservation(
            item_id=part.item,
            quantity=int(part.quantity),
            basis=part.basis,
            ready_at=part.ready_at,
            split_from_id=kit.id,
            **{name: getattr(kit, name) for name in same},
        )
        session.add(child)
        session.flush()
        item = session.get_one(t.Item, child.item_id)
        pegging.write(session, child, part, item=item, in_lots=in_lots, arrives_on=arrives_on)
        session.flush()


def goods_of(session: Session, reservation: t.Reservation) -> Sequence[t.Reservation]:
    """Return the reservations that keep a reservation's goods: of a kit those parted from it, else itself. Fresh rows."""
    if not reservation.kit:
        return [reservation]
    parts = sa.select(t.Reservation).where(t.Reservation.split_from_id == reservation.id).order_by(t.Reservation.id)
    return session.scalars(parts.execution_options(populate_existing=True)).all()


def goods_in(session: Session, reservation_ids: Iterable[int]) -> set[int]:
    """Return these reservations, of a kit those that keep its goods."""
    wanted = sorted(reservation_ids)
    of = t.Reservation
    kits = sa.select(of.id).where(of.id.in_(wanted), of.kit)
    return set(session.scalars(sa.select(of.id).where(~of.kit, sa.or_(of.id.in_(wanted), of.split_from_id.in_(kits)))))


def kit_of(session: Session, reservation: t.Reservation) -> int | None:
    """Return the kit that a reservation is a part of; None: it is none's."""
    if reservation.split_from_id is None:
        return None
    return session.scalar(sa.select(t.Reservation.id).where(t.Reservation.id == reservation.split_from_id, t.Reservation.kit))


def settle(session: Session, parts: Iterable[t.Reservation]) -> None:
    """Let the kits of these parts be ready when their last part is, and have left when all of them have."""
    roots = {one.split_from_id for one in parts if one.split_from_id is not None}
    if not roots:
        return
    session.flush()
    for kit in session.scalars(
        sa.select(t.Reservation).where(t.Reservation.id.in_(sorted(roots)), t.Reservation.kit).order_by(t.Reservation.id)
    ):
        goods = goods_of(session, kit)
        last = max(goods, key=lambda one: (not one.chain, one.ready_at))  # a part without a day comes last of all
        kit.ready_at, kit.margin_days, kit.chain = last.ready_at, last.margin_days, last.chain
        if kit.state == "converted" and all(one.state == "shipped" for one in goods):
            kit.state = "shipped"
    session.flush()
