"""Read models of the waves: what leaves with which pick-up, and one wave as a list in the order of the shelves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.desk.warehouse_tasks import FromLot, lots_for, options_of
from backoffice.erp import waves
from backoffice.erp.models import Item, Shipment, ShipmentLine, Warehouse, Wave

MOST = 200


@dataclass(frozen=True, slots=True)
class Part:
    """What one parcel of a wave needs of one item."""

    shipment: Shipment
    quantity: int
    picked: int
    lots: Sequence[FromLot] = ()


@dataclass(frozen=True, slots=True)
class Stop:
    """One place on the walk: an item, and how many of it go into which parcels."""

    item: Item
    options: str
    parts: Sequence[Part]

    @property
    def lots(self) -> Sequence[FromLot]:
        """Return the lots that are still to be taken from, the first to be taken first."""
        left: dict[int, FromLot] = {}
        for one in (one for part in self.parts for one in part.lots if one.picked < one.quantity):
            before = left.get(one.lot.id, FromLot(one.lot, 0, 0))
            left[one.lot.id] = FromLot(one.lot, before.quantity + one.quantity, before.picked + one.picked)
        return sorted(left.values(), key=lambda one: (one.lot.best_before_on, one.lot.id))

    def is_called(self, scanned: str) -> bool:
        """Tell whether this item was meant by what was scanned: its number, or one of its lots."""
        called = {self.item.sku.casefold(), *(one.lot.number.casefold() for part in self.parts for one in part.lots)}
        return scanned in called

    @property
    def quantity(self) -> int:
        """Return how many are needed in all."""
        return sum(part.quantity for part in self.parts)

    @property
    def picked(self) -> int:
        """Return how many were picked."""
        return sum(part.picked for part in self.parts)

    @property
    def left(self) -> int:
        """Return how many are still to be picked."""
        return self.quantity - self.picked


@dataclass(frozen=True, slots=True)
class ParcelOf:
    """A parcel of a wave with its progress in pieces."""

    shipment: Shipment
    quantity: int
    picked: int

    @property
    def full(self) -> bool:
        """Tell whether it can be closed."""
        return self.shipment.state == "picking" and self.picked == self.quantity


@dataclass(frozen=True, slots=True)
class WavePage:
    """A wave, opened. stops: in the order of the shelves, finished ones too; parcels: the most urgent first."""

    wave: Wave
    warehouse: Warehouse
    stops: Sequence[Stop]
    parcels: Sequence[ParcelOf]

    @property
    def task(self) -> Stop | None:
        """Return where to go next."""
        return next((stop for stop in self.stops if stop.left), None)

    @property
    def quantity(self) -> int:
        """Return how many pieces the wave holds."""
        return sum(stop.quantity for stop in self.stops)

    @property
    def picked(self) -> int:
        """Return how many were picked."""
        return sum(stop.picked for stop in self.stops)


@dataclass(frozen=True, slots=True)
class Going:
    """A wave in the list of open ones."""

    wave: Wave
    warehouse: str
    parcels: int
    quantity: int
    picked: int


def find_open(session: Session) -> Sequence[Going]:
    """Return the open waves, the soonest cut-off first."""
    counted = (
        sa.select(
            Shipment.wave_id,
            sa.func.count(Shipment.id.distinct()).label("parcels"),
            sa.func.coalesce(sa.func.sum(ShipmentLine.quantity), 0).label("quantity"),
            sa.func.coalesce(sa.func.sum(ShipmentLine.picked), 0).label("picked"),
        )
        .join(ShipmentLine, ShipmentLine.shipment_id == Shipment.id)
        .where(Shipment.wave_id.is_not(None), Shipment.state != "cancelled")
        .group_by(Shipment.wave_id)
        .subquery()
    )
    rows = session.execute(
        sa.select(Wave, Warehouse.name, counted.c.parcels, counted.c.quantity, counted.c.picked)
        .join(Warehouse, Warehouse.id == Wave.warehouse_id)
        .join(counted, counted.c.wave_id == Wave.id, isouter=True)
        .where(Wave.state == "open")
        .order_by(Wave.cut_off_at, Wave.id)
        .limit(MOST)
    ).all()
    return [
        Going(wave, name, int(parcels or 0), int(quantity or 0), int(picked or 0))
        for wave, name, parcels, quantity, picked in rows
    ]


def get_page(session: Session, wave_id: int) -> WavePage:
    """Return one wave with its walk. Raises NotFound(unknown_wave)."""
    wave = waves.get_wave(session, wave_id)
    rows = session.execute(
        sa.select(Shipment, ShipmentLine, Item)
        .join(ShipmentLine, ShipmentLine.shipment_id == Shipment.id)
        .join(Item, Item.id == ShipmentLine.item_id)
        .where(Shipment.wave_id == wave_id, Shipment.state != "cancelled")
        .order_by(Shipment.ship_by_on, Shipment.promised_on, Shipment.id, ShipmentLine.id)
    ).all()
    stops: dict[int, tuple[Item, list[Part]]] = {}
    parcels: dict[int, list[tuple[Shipment, ShipmentLine]]] = {}
    named = lots_for(session, [line.reservation_id for _, line, item in rows if item.days_left is not None])
    for shipment, line, item in rows:
        parcels.setdefault(shipment.id, []).append((shipment, line))
        if shipment.state != "waiting":  # its goods are promised from elsewhere now: nothing to walk for
            stops.setdefault(item.id, (item, []))[1].append(
                Part(shipment, line.quantity, line.picked, named.get(line.reservation_id, ()))
            )
    walk = sorted((Stop(item, options_of(item), parts) for item, parts in stops.values()), key=_place)
    return WavePage(
        wave,
        session.get_one(Warehouse, wave.warehouse_id),
        walk,
        [_parcel(pairs) for pairs in parcels.values()],
    )


def cut_off_words(cut_off_at: datetime, now: datetime) -> str:
    """Return past | soon (within the hour) | later: how a cut-off is shown."""
    left = (cut_off_at - now).total_seconds()
    return "past" if left < 0 else "soon" if left <= 3600 else "later"


def _place(stop: Stop) -> tuple[str, str]:
    return stop.item.bin, stop.item.sku


def _parcel(pairs: Sequence[tuple[Shipment, ShipmentLine]]) -> ParcelOf:
    return ParcelOf(pairs[0][0], sum(line.quantity for _, line in pairs), sum(line.picked for _, line in pairs))
