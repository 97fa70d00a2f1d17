"""Holds: a quantity kept for a cart, with everything it stands on, under one expiry.

States (HOLD_MOVES): held dies by the clock; paying ends only by settling or by the provider's word; converted belongs to
an order. Every move is one conditional update, so of two that try, one wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from functools import cache, partial
from typing import Any, TypedDict, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.util import identity_key
from sqlalchemy.sql.dml import ReturningUpdate

from backoffice.db import among, table_of, write_row
from backoffice.erp import (
    allotting,
    decisions,
    kits,
    making_room,
    offers,
    pegging,
    plan,
    promising,
    shipping,
    snapshot,
    sources,
    stock,
)
from backoffice.erp import factory as masters
from backoffice.erp import models as t
from backoffice.erp.classes import RETAIL
from backoffice.erp.company import premises
from backoffice.public.errors import Refused


class Where(TypedDict):
    """For whom and where to: see `sources.find`."""

    country: str | None
    postcode: str | None
    customer_class: str
    by: date | None
    service: str


Converted = tuple[t.Reservation, Sequence[t.Peg]]  # with what it stands on

HOLD_MOVES: dict[str, tuple[str, ...]] = {
    "held": ("held", "paying", "released"),
    "paying": ("held", "converted", "released"),  # back to held: the provider says that the session was cancelled
    "converted": ("shipped", "released"),  # released: the order was cancelled
    "shipped": (),
    "released": (),
}


def needs_plan(item: t.Item) -> bool:
    """Tell whether promising this item can touch more than its stock row."""
    return item.sell_from != "stock" or item.days_left is not None


def queue(session: Session, item: t.Item, *, now: datetime) -> None:
    """Wait until it is our turn to plan this item, if it needs the plan: from then on nobody else plans until we are done.

    What can be made ready before is, so that others do not wait for it.
    """
    if needs_plan(item):
        snapshot.prepare(session, [item.id] if item.sell_from == "production" else [], now=now)
        plan.bump(session)


def hold(
    session: Session,
    item: t.Item,
    quantity: int,
    *,
    owner: str,
    minutes: int,
    country: str | None = None,
    postcode: str | None = None,
    customer_class: str = RETAIL,
    by: date | None = None,
    service: str = "",
    now: datetime,
) -> t.Reservation:
    """Keep `quantity` of `item` for `owner` until `minutes` from now, at the earliest day there is for a place.

    country, postcode: none: the company's default place. customer_class: the owner's. by, service: an asked day, how it is
    sent, see `sources.find`.

    Raises Refused(not_available, most) and changes nothing then.
    """
    queue(session, item, now=now)
    touched = masters.load(session, now=now).below([item.id]) if needs_plan(item) else [item.id]
    allotting.release_due(session, touched, now=now)
    where: Where = {"country": country, "postcode": postcode, "customer_class": customer_class, "by": by, "service": service}
    source = _find(session, item, quantity, touched, where, now)
    outcome = source.outcome
    assert outcome.ready_at is not None
    reservation = t.Reservation(
        item_id=item.id,
        quantity=quantity,
        state="held",
        owner_ref=owner,
        basis=outcome.basis,
        ready_at=outcome.ready_at,
        expires_at=now + timedelta(minutes=minutes),
        plan_version=plan.version(session),
        chain=promising.chain_rows(session, outcome, source.warehouse_id, now=now),
        warehouse_id=source.warehouse_id,
        customer_class=customer_class,
        margin_days=source.margin_days,
        kit=item.source in ("kit", "phantom"),  # nobody sells a phantom, but if they do it is a set
    )
    write_row(session, reservation)
    decisions.because(session, "held", now=now)
    making_room.make_room(session, outcome.moved)
    in_lots = masters.load(session, now=now).lots
    arrives_on = shipping.arrival(source.way, now=now)(outcome.ready_at) if in_lots else None
    if reservation.kit:
        kits.write(session, reservation, outcome, in_lots=in_lots, arrives_on=arrives_on)
    else:
        pegging.write(session, reservation, outcome, item=item, in_lots=in_lots, arrives_on=arrives_on)
    session.flush()
    stands_on = {item.id, *(cast(int, peg.item) for peg in outcome.pegs)}
    centres = {cast(int, slot.work_centre) for make in outcome.makes for slot in make.slots}
    offers.touch(session, stands_on, now=now, centres=centres)
    return reservation


def _find(session: Session, item: t.Item, quantity: int, touched: Iterable[int], where: Where, now: datetime) -> sources.Source:
    """Return where it comes from, when every expired hold in its way has been released. Raises Refused(not_available, most)."""
    ask = partial(sources.find, session, item, quantity, **where, reclaimed=True, now=now)
    if not needs_plan(item) and len(premises(session).warehouses) == 1:  # one shelf: while it has enough, none is in the way
        with suppress(Refused):
            return ask()
    reclaim(session, touched, minutes=item.sell_from == "production", now=now)
    return ask()  # also where there was none to release: somebody else may just have done it


def renew(session: Session, reservation_id: int, *, minutes: int, now: datetime) -> bool:
    """Let a live hold run from now again; False if it has died, or has missed its start."""
    until = now + timedelta(minutes=minutes)
    return _move(session, reservation_id, "held", "held", now, alive=True, expires_at=until)


def stands(session: Session, reservation: t.Reservation, *, until: datetime, now: datetime) -> bool:
    """Tell whether a hold lives beyond `until` and has not missed its start; `reservation` as it is now."""
    if reservation.state != "held" or reservation.expires_at <= until:
        return False
    made = reservation.basis not in ("stock", "receipt")
    return not (made and has_missed_its_start(session, reservation.id, now=now))


def has_missed_its_start(session: Session, reservation_id: int, *, now: datetime) -> bool:
    """Tell whether work that a hold keeps minutes for should have begun by now: those minutes are gone."""
    return session.scalar(sa.select(t.Reservation.id).where(t.Reservation.id == reservation_id, _missed(now))) is not None


def _missed(now: datetime | None = None) -> sa.ColumnElement[bool]:
    """Return the condition for a reservation whose held work, or a part's, should have begun.

    now: none = a parameter of that name.
    """
    part, order = aliased(t.Reservation), t.ProductionOrder
    late = order.state == "held", order.starts_at < (now or sa.bindparam("now"))
    of_part = sa.exists().where(part.split_from_id == t.Reservation.id, order.reservation_id == part.id, *late)
    return sa.or_(sa.exists().where(order.reservation_id == t.Reservation.id, *late), sa.and_(t.Reservation.kit, of_part))


def start_paying(session: Session, reservation_id: int, *, now: datetime) -> None:
    """Take a live hold out of the clock's reach while its buyer pays. Raises Refused(hold_expired)."""
    if not _move(session, reservation_id, "held", "paying", now, alive=True):
        raise Refused("hold_expired")


def stop_paying(session: Session, reservation_id: int, *, minutes: int, now: datetime) -> bool:
    """Make it a hold again, after the provider said that nobody will pay any more."""
    return _move(session, reservation_id, "paying", "held", now, expires_at=now + timedelta(minutes=minutes))


def release(session: Session, reservation_id: int, *, now: datetime, expired_only: bool = False, paying: bool = False) -> bool:
    """Give a hold back, of a part of a kit the whole kit. False if it was not there to release.

    expired_only: just if its time is over. paying: also what is being paid for, after the provider's word that it ended.
    """
    reservation = session.get_one(t.Reservation, reservation_id)
    if reservation.state in ("held", "paying") and (kit := kits.kit_of(session, reservation)) is not None:
        reservation_id, reservation = kit, session.get_one(t.Reservation, kit)
    released = _move(session, reservation_id, "held", "released", now, alive=False if expired_only else None)
    if paying and not released:
        released = _move(session, reservation_id, "paying", "released", now)
    if released:
        decisions.because(session, "expired" if expired_only else "released", now=now)
        touched = items_of(session, reservation)
        orders = [order for one in kits.goods_of(session, reservation) for order in pegging.strip(session, one, state="held")]
        offers.touch(session, touched, now=now, capacity=bool(orders))
    return released


def take_back(session: Session, reservation_id: int, *, now: datetime) -> bool:
    """Give back what a cancelled order kept. False if nothing of it was there to give. The caller holds the plan's lock.

    A kit's parts are taken back one by one, as its order's other reservations are.
    """
    reservation = session.get_one(t.Reservation, reservation_id, populate_existing=True)
    if not _move(session, reservation_id, "converted", "released", now, with_parts=False):
        return False
    decisions.because(session, "cancelled", now=now)
    touched = items_of(session, reservation)
    orders = pegging.strip(session, reservation, state="converted")
    offers.touch(session, touched, now=now, capacity=bool(orders))
    return True


_DEAD = (
    sa.select(t.Reservation.id)
    .where(t.Reservation.state == "held", t.Reservation.expires_at <= sa.bindparam("now"))
    .order_by(t.Reservation.id)
)
_STANDS_ON = t.Reservation.id.in_(sa.select(t.Peg.reservation_id).where(among(t.Peg.item_id, "item_ids")))
_MAKING = sa.exists().where(t.ProductionOrder.reservation_id == t.Reservation.id, t.ProductionOrder.state == "held")
_EXPIRED, _EXPIRED_MAKING = _DEAD.where(_STANDS_ON), _DEAD.where(sa.or_(_STANDS_ON, _MAKING))


def reclaim(session: Session, item_ids: Iterable[int], *, minutes: bool = False, now: datetime) -> int:
    """Release every expired hold that stands on one of these items; return how many.

    minutes: also every one that keeps minutes of a work centre, which are about to be planned for somebody else: whoever read the
    clock before us must not bring them back. The caller then holds the plan's lock.
    """
    expired = session.scalars(_EXPIRED_MAKING if minutes else _EXPIRED, {"now": now, "item_ids": sorted(item_ids)}).all()
    return sum(release(session, reservation_id, now=now, expired_only=True) for reservation_id in expired)


def sweep(session: Session, *, now: datetime, limit: int = 200) -> int:
    """Release expired holds, whatever they stand on. Housekeeping: reads and `hold` do not count them anyway."""
    expired = session.scalars(
        sa.select(t.Reservation.id)
        .where(t.Reservation.state == "held", t.Reservation.expires_at <= now)
        .order_by(t.Reservation.id)
        .limit(limit)
    ).all()
    return sum(release(session, reservation_id, now=now, expired_only=True) for reservation_id in expired)


def lock_goods(session: Session, reservation_ids: Sequence[int]) -> None:
    """Lock the shelves that these stand on, in the order of their items; then they may be changed one after the other.

    One by one they would be locked in the order of what was bought: a set, or what is made, has its parts anywhere.
    """
    if len(reservation_ids) > 1:
        goods = kits.goods_in(session, reservation_ids)
        items = sa.select(t.Peg.item_id).where(t.Peg.reservation_id.in_(goods), t.Peg.kind == "stock")
        shelves = sa.select(t.Stock.id).where(t.Stock.item_id.in_(items)).order_by(t.Stock.item_id, t.Stock.warehouse_id)
        session.execute(shelves.with_for_update())


_OF = table_of(t.Reservation)
_CONVERT = (
    sa.select(t.Reservation)
    .from_statement(
        sa.update(_OF)
        .where(_OF.c.id == sa.bindparam("converted"), _OF.c.state == "paying", ~_missed())
        .values(state="converted", order_ref=sa.bindparam("new_order_ref"))
        .returning(_OF)
    )
    .execution_options(populate_existing=True)
)


_PLAN = (
    sa.update(t.ProductionOrder)
    .where(t.ProductionOrder.reservation_id == sa.bindparam("converted"), t.ProductionOrder.state == "held")
    .values(state="planned")
    .returning(t.ProductionOrder)
    .execution_options(synchronize_session=False, populate_existing=True, **decisions.NOTED)
)


def convert(session: Session, reservation_id: int, *, order_ref: str, now: datetime) -> Converted | None:
    """Turn a paid hold into an order's: reserved becomes allocated, held production planned, in this transaction.

    Returns it with the pegs of its goods, see `kits.goods_of`.
    None, and nothing is done, while work that should have begun by now is to be planned
    anew first: nothing is made in the past.

    Raises Refused(hold_expired) if it is not `paying` any more.
    """
    reservation = session.scalar(_CONVERT, {"converted": reservation_id, "new_order_ref": order_ref, "now": now})
    if reservation is None:
        paying = sa.select(t.Reservation.id).where(t.Reservation.id == reservation_id, t.Reservation.state == "paying")
        if session.scalar(paying) is None:
            raise Refused("hold_expired", reservation_id=reservation_id)
        return None
    decisions.because(session, "placed", now=now)
    if reservation.kit:
        parts = [convert(session, one.id, order_ref=order_ref, now=now) for one in kits.goods_of(session, reservation)]
        assert None not in parts  # none has missed its start, or the kit would have
        return reservation, [peg for part in parts if part for peg in part[1]]
    pegs = pegging.pegs_of(session, reservation_id)
    for peg in pegs:
        if peg.kind == "stock":
            assert peg.warehouse_id is not None
            stock.change(session, peg.item_id, peg.warehouse_id, reserved=-peg.quantity, allocated=peg.quantity)
    if any(peg.kind == "make" for peg in pegs):  # whatever is made for it is pegged to it
        for order in session.scalars(_PLAN, {"converted": reservation_id}):
            decisions.note(session, order)
    return reservation, pegs


def items_of(session: Session, reservation: t.Reservation) -> list[int]:
    """Return the items whose supplies a reservation stands on."""
    goods = [one.id for one in kits.goods_of(session, reservation)]
    pegged = session.scalars(sa.select(t.Peg.item_id).where(t.Peg.reservation_id.in_(goods))).all()
    return sorted({reservation.item_id, *pegged})


def _move(
    session: Session,
    reservation_id: int,
    old: str,
    new: str,
    now: datetime,
    *,
    alive: bool | None = None,
    with_parts: bool = True,
    **values: Any,
) -> bool:
    """Move one reservation from `old` to `new` if it is there (and, if asked, alive or dead by the clock).

    One that stays held has not missed its start. A kit's parts go with it.
    """
    if new not in HOLD_MOVES[old]:
        raise ValueError(f"a reservation does not go from {old} to {new}")
    asked = {"moved": reservation_id, "now": now, **{f"new_{name}": value for name, value in values.items()}}
    moved = session.execute(_moving(old, new, alive, tuple(values)), asked).one_or_none()
    if moved is None:
        return False
    _note(session, reservation_id, state=new, **values)
    if moved.kit and with_parts:
        for one in kits.goods_of(session, session.get_one(t.Reservation, reservation_id)):
            if session.execute(_moving(old, new, None, tuple(values)), asked | {"moved": one.id}).one_or_none():
                _note(session, one.id, state=new, **values)
    return True


def _note(session: Session, reservation_id: int, **written: Any) -> None:
    """Say what was written to the object that stands for a reservation, if somebody has it in hand."""
    known = session.identity_map.get(identity_key(t.Reservation, reservation_id))
    if known is not None:
        for name, value in written.items():
            set_committed_value(known, name, value)


@cache
def _moving(old: str, new: str, alive: bool | None, fields: tuple[str, ...]) -> ReturningUpdate[int, bool]:
    """Return the statement of a move: there are as many as pairs of states and what else they write."""
    of = _OF.c
    conditions: list[sa.ColumnElement[bool]] = [of.id == sa.bindparam("moved"), of.state == old]
    if alive is not None:
        at: sa.BindParameter[datetime] = sa.bindparam("now")
        conditions.append(of.expires_at > at if alive else of.expires_at <= at)
    if (old, new) == ("held", "held"):
        conditions.append(~_missed())
    values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in fields}
    return sa.update(_OF).where(*conditions).values(state=new, **values).returning(of.id, of.kit)
