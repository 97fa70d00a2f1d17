"""Waves: parcels that leave with one pick-up are picked in one walk through the shelves.

A wave holds what one warehouse hands to one carrier by one cut-off: the warehouse's own, or that of the service that a parcel
goes with. It belongs to whoever scans first, until somebody takes it over. Locks: the wave, then its parcels by id; who plans
anew never asks for a wave.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from backoffice.erp import fulfilment, holding_back, lots, pegging, pickers, services
from backoffice.erp import models as t
from backoffice.public.errors import BadInput, NotFound, Refused

log = structlog.get_logger()
MOST = 60  # parcels of one wave: what one walk with a cart can carry
OPEN = ("to_pick", "picking")


@dataclass(frozen=True, slots=True)
class Departure:
    """Parcels in no wave yet that are to leave with one pick-up. late: how many should have left on an earlier day.

    cutoff_minute: of the local day; services: what the parcels are sent with beside the usual way.
    """

    warehouse: t.Warehouse
    carrier: str
    leaves_on: date
    cut_off_at: datetime
    parcels: Sequence[t.Shipment]
    late: int
    cutoff_minute: int
    services: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Released:
    """A new wave and how many parcels it holds."""

    wave: t.Wave
    parcels: int


def cut_off(warehouse: t.Warehouse, day: date, minute: int) -> datetime:
    """Return the instant on a day, on the warehouse's clocks, by which its carrier must have the parcels."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(warehouse.timezone))
    hours, minutes = divmod(minute, 60)
    if hours == 24:
        return (midnight + timedelta(days=1)).astimezone(UTC)
    return midnight.replace(hour=hours, minute=minutes).astimezone(UTC)


def departures(session: Session, *, now: datetime) -> Sequence[Departure]:
    """Return what can be picked and is in no wave, the soonest cut-off first; late parcels leave with today's."""
    rows = session.execute(
        sa.select(t.Shipment, t.Warehouse)
        .join(t.Warehouse, t.Warehouse.id == t.Shipment.warehouse_id)
        .where(t.Shipment.state == "to_pick", _in_no_wave())
        .order_by(t.Shipment.ship_by_on, t.Shipment.promised_on, t.Shipment.id)
    ).all()
    groups: dict[tuple[int, str, date, int], list[t.Shipment]] = {}
    warehouses: dict[int, t.Warehouse] = {}
    for shipment, warehouse in rows:
        warehouses[warehouse.id] = warehouse
        leaves_on = max(shipment.ship_by_on, _today(warehouse, now))
        minute = _minute(session, warehouse, shipment.ship_to)
        groups.setdefault((warehouse.id, shipment.carrier, leaves_on, minute), []).append(shipment)
    found = []
    for (warehouse_id, carrier, leaves_on, minute), parcels in groups.items():
        warehouse = warehouses[warehouse_id]
        late = sum(one.ship_by_on < leaves_on for one in parcels)
        names = {services.name_of(session, one.ship_to.get("service", "")) for one in parcels} - {""}
        at = cut_off(warehouse, leaves_on, minute)
        found.append(Departure(warehouse, carrier, leaves_on, at, parcels, late, minute, sorted(names)))
    return sorted(found, key=lambda one: (one.cut_off_at, one.warehouse.id, one.carrier))


def release(
    session: Session,
    warehouse_id: int,
    carrier: str,
    leaves_on: date,
    *,
    cutoff_minute: int | None = None,
    actor: str,
    now: datetime,
) -> Released:
    """Put the parcels of one departure into a new wave, at most MOST of them, the late ones first.

    cutoff_minute: as of the departure; None: the warehouse's own. Of two who release the same departure one gets its parcels.
    Raises NotFound(unknown_warehouse), Refused(nothing_to_release).
    """
    warehouse = session.get(t.Warehouse, warehouse_id)
    if warehouse is None:
        raise NotFound("unknown_warehouse")
    earliest = _today(warehouse, now)
    days = t.Shipment.ship_by_on <= leaves_on if leaves_on <= earliest else t.Shipment.ship_by_on == leaves_on
    mine = (
        t.Shipment.warehouse_id == warehouse.id,
        t.Shipment.carrier == carrier,
        t.Shipment.state == "to_pick",
        _in_no_wave(),
        days,
    )
    minute = warehouse.cutoff_minute if cutoff_minute is None else cutoff_minute
    urgent = sa.select(t.Shipment.id, t.Shipment.ship_to).where(*mine)
    rows = session.execute(urgent.order_by(t.Shipment.ship_by_on, t.Shipment.promised_on, t.Shipment.id))
    wanted = sorted([row.id for row in rows if _minute(session, warehouse, row.ship_to) == minute][:MOST])
    locked = session.scalars(
        sa.select(t.Shipment.id).where(t.Shipment.id.in_(wanted), *mine).order_by(t.Shipment.id).with_for_update()
    ).all()
    if not locked:
        raise Refused("nothing_to_release")
    wave = t.Wave(
        number=f"new-{locked[0]}-{now.timestamp():.6f}",  # until its id is known
        warehouse_id=warehouse.id,
        carrier=carrier,
        cut_off_at=cut_off(warehouse, max(leaves_on, earliest), minute),
        picker="",
        created_at=now,
    )
    session.add(wave)
    session.flush()
    wave.number = f"W-{wave.id:04d}"
    session.execute(
        sa.update(t.Shipment)
        .where(t.Shipment.id.in_(locked))
        .values(wave_id=wave.id)
        .execution_options(synchronize_session="fetch")
    )
    session.flush()
    log.info("wave_released", wave=wave.number, parcels=len(locked), actor=actor)
    return Released(wave, len(locked))


def _minute(session: Session, warehouse: t.Warehouse, ship_to: Mapping[str, Any]) -> int:
    """Return by which minute of the day a parcel must be packed: as its service says, else the warehouse."""
    service = services.find(session, ship_to.get("service", ""), ship_to["country"])
    return warehouse.cutoff_minute if service is None or service.cutoff_minute is None else service.cutoff_minute


def get_wave(session: Session, wave_id: int, *, lock: bool = False) -> t.Wave:
    """Return a wave; `lock`: nobody else scans in it until we are done. Raises NotFound(unknown_wave)."""
    wave = session.get(t.Wave, wave_id, populate_existing=True, with_for_update=lock or None)
    if wave is None:
        raise NotFound("unknown_wave")
    return wave


def pick(
    session: Session, wave_id: int, scanned: str, quantity: int, *, actor: str, staff_id: int | None = None, now: datetime
) -> int:
    """Put `quantity` of a scanned SKU into the wave's parcels, the most urgent one first; return how many are still to pick.

    A lot may be scanned instead, then it is taken from that one.

    Raises NotFound(unknown_wave | not_in_wave), Refused(too_many | wrong_state | taken, who), BadInput(bad_quantity).
    """
    if quantity < 1:
        raise BadInput("bad_quantity")
    wave = _claim(session, wave_id, actor, staff_id)
    lines = _lines(session, wave, scanned)
    left = sum(line.quantity - line.picked for line, _ in lines)
    if quantity > left:
        raise Refused("too_many", sku=scanned, left=left)
    remaining = quantity
    for line, shipment in lines:
        part = min(remaining, line.quantity - line.picked)
        if part:
            fulfilment.pick(session, shipment.id, scanned, part, actor=actor, staff_id=staff_id, now=now)
            remaining -= part
    return left - quantity


def unpick(
    session: Session, wave_id: int, scanned: str, quantity: int, *, actor: str, staff_id: int | None = None, now: datetime
) -> None:
    """Take `quantity` back out, from the parcel that was filled last. Raises as `pick`."""
    if quantity < 1:
        raise BadInput("bad_quantity")
    wave = _claim(session, wave_id, actor, staff_id)
    lines = [(line, shipment) for line, shipment in _lines(session, wave, scanned) if line.picked]
    if quantity > sum(line.picked for line, _ in lines):
        raise Refused("too_many", sku=scanned)
    remaining = quantity
    for line, shipment in reversed(lines):
        part = min(remaining, line.picked)
        if part:
            fulfilment.unpick(session, shipment.id, scanned, part, actor=actor, staff_id=staff_id, now=now)
            remaining -= part


def take_over(session: Session, wave_id: int, *, actor: str, staff_id: int | None = None, now: datetime) -> None:
    """Make the wave and its parcels in hand this picker's. Raises NotFound(unknown_wave), Refused(wrong_state)."""
    wave = get_wave(session, wave_id, lock=True)
    if wave.state != "open":
        raise Refused("wrong_state", state=wave.state)
    wave.picker, wave.picker_id = actor, staff_id
    session.flush()
    for shipment in _parcels(session, wave.id):
        if shipment.state == "picking" and not pickers.has(shipment, actor, staff_id):
            pickers.give(session, shipment, actor, staff_id, now=now)


def pack_full(session: Session, wave_id: int, *, actor: str, now: datetime) -> int:
    """Close every parcel of the wave that holds all it should; return how many. Raises NotFound(unknown_wave)."""
    wave = get_wave(session, wave_id, lock=True)
    packed = 0
    for shipment in _parcels(session, wave.id):
        if shipment.state == "picking" and all(
            line.picked == line.quantity for line in fulfilment.lines_of(session, shipment.id)
        ):
            fulfilment.pack(session, shipment.id, actor=actor, now=now)
            packed += 1
    session.flush()
    if not session.scalar(
        sa.select(sa.func.count()).where(t.Shipment.wave_id == wave.id, t.Shipment.state.in_((*OPEN, "waiting")))
    ):
        wave.state = "done"
    session.flush()
    return packed


def close(session: Session, wave_id: int) -> int:
    """End a wave: what nobody has begun to pick is free for the next one; return how many parcels that is.

    Raises NotFound(unknown_wave).
    """
    wave = get_wave(session, wave_id, lock=True)
    if wave.state == "done":
        return 0
    free = [one.id for one in _parcels(session, wave.id) if one.state in ("to_pick", "waiting")]
    freed = session.execute(
        sa.update(t.Shipment).where(t.Shipment.id.in_(free)).values(wave_id=None).execution_options(synchronize_session="fetch")
    )
    wave.state = "done"
    session.flush()
    return cast("CursorResult[Any]", freed).rowcount


def _in_no_wave() -> sa.ColumnElement[bool]:
    """A parcel that came back to the shelf after its wave was over is free for the next one; of a held order none is."""
    over = sa.select(t.Wave.id).where(t.Wave.state == "done")
    return sa.and_(sa.or_(t.Shipment.wave_id.is_(None), t.Shipment.wave_id.in_(over)), holding_back.is_free())


def _today(warehouse: t.Warehouse, now: datetime) -> date:
    return now.astimezone(ZoneInfo(warehouse.timezone)).date()


def _claim(session: Session, wave_id: int, actor: str, staff_id: int | None) -> t.Wave:
    """Lock the wave and make it this picker's. Raises Refused(wrong_state), Refused(taken, who)."""
    wave = get_wave(session, wave_id, lock=True)
    if wave.state != "open":
        raise Refused("wrong_state", state=wave.state)
    if wave.picker and not pickers.has(wave, actor, staff_id):
        raise Refused("taken", who=wave.picker)
    wave.picker, wave.picker_id = actor, staff_id
    session.flush()
    return wave


def _parcels(session: Session, wave_id: int) -> Sequence[t.Shipment]:
    """Lock the wave's parcels in the order of their ids."""
    return session.scalars(
        sa.select(t.Shipment)
        .where(t.Shipment.wave_id == wave_id)
        .order_by(t.Shipment.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _lines(session: Session, wave: t.Wave, scanned: str) -> list[tuple[t.ShipmentLine, t.Shipment]]:
    """Lock the parcels, then return those lines of one item that can be picked, the most urgent parcel first."""
    inside = t.ShipmentLine.shipment_id == t.Shipment.id, t.Shipment.wave_id == wave.id
    pegging.lock(  # before the parcels, as who plans anew does
        session, t.Peg.lot_id.is_not(None), t.Peg.reservation_id.in_(sa.select(t.ShipmentLine.reservation_id).where(*inside))
    )
    parcels = {one.id: one for one in _parcels(session, wave.id) if one.state in OPEN}
    every = session.execute(
        sa.select(t.ShipmentLine, t.Item)
        .join(t.Item, t.Item.id == t.ShipmentLine.item_id)
        .where(t.ShipmentLine.shipment_id.in_(parcels))
        .execution_options(populate_existing=True)
    ).all()
    sku = scanned.strip().lower()
    lines = [line for line, item in every if item.sku.lower() == sku]
    if not lines and (lot := lots.find_scanned(session, scanned, {item.id for _, item in every}, wave.warehouse_id)):
        lines = [line for line, _ in every if line.item_id == lot.item_id]
    if not lines:
        raise NotFound("not_in_wave", sku=scanned)
    found = [(line, parcels[line.shipment_id]) for line in lines]
    return sorted(found, key=lambda pair: (pair[1].ship_by_on, pair[1].promised_on, pair[1].id))
