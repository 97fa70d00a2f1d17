"""Read models of the warehouse desk: what to pick, what waits for what, one parcel, what comes in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.desk.listing import contains
from backoffice.erp import fulfilment, holding_back, lots, splitting
from backoffice.erp.models import (
    Item,
    Peg,
    ProductionOrder,
    PurchaseOrder,
    PurchaseOrderLine,
    Shipment,
    ShipmentLine,
    StockLot,
    Supplier,
)
from backoffice.public.errors import NotFound

MOST = 100  # parcels shown of each kind, the most urgent
RECEIPTS = 50


@dataclass(frozen=True, slots=True)
class Task:
    """A parcel in a list: pieces to pick, picked so far."""

    shipment: Shipment
    pieces: int
    picked: int
    names: str


@dataclass(frozen=True, slots=True)
class Wait:
    """What a parcel waits for. kind: make | receipt | buy; ref: the order's number; at: when it is expected."""

    kind: str
    ref: str
    item: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Board:
    """Everything the warehouse has before it. counts: how many parcels there are of each kind, more than are listed maybe."""

    counts: Mapping[str, int]
    pick: Sequence[Task]
    packed: Sequence[Task]
    waiting: Sequence[tuple[Task, Sequence[Wait]]]
    receipts_late: int
    receipts_today: int

    def numbered(self, number: str) -> Shipment | None:
        """Return the parcel with exactly this number."""
        every = [*self.pick, *self.packed, *(task for task, _ in self.waiting)]
        return next((task.shipment for task in every if task.shipment.number.casefold() == number.casefold()), None)


@dataclass(frozen=True, slots=True)
class FromLot:
    """How many of a line are to be taken from a lot."""

    lot: StockLot
    quantity: int
    picked: int


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a parcel, as the picker needs it."""

    item: Item
    options: str
    quantity: int
    picked: int
    lots: Sequence[FromLot] = ()

    def is_called(self, scanned: str) -> bool:
        """Tell whether this line was meant by what was scanned: its number, or one of its lots."""
        return scanned in {self.item.sku.casefold(), *(one.lot.number.casefold() for one in self.lots)}

    @property
    def left(self) -> int:
        """Return how many are still to be picked."""
        return self.quantity - self.picked


@dataclass(frozen=True, slots=True)
class Parcel:
    """One parcel, opened. task: the line to pick next."""

    shipment: Shipment
    lines: Sequence[Line]
    waits: Sequence[Wait]
    some_here: bool  # a part of a waiting parcel could leave without the rest

    @property
    def task(self) -> Line | None:
        """Return the line to pick next, by its place in the warehouse."""
        return next((line for line in self.lines if line.left), None)

    @property
    def pieces(self) -> int:
        """Return how many pieces belong in the parcel."""
        return sum(line.quantity for line in self.lines)

    @property
    def picked(self) -> int:
        """Return how many are in it."""
        return sum(line.picked for line in self.lines)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A purchase order line that is still to come."""

    line: PurchaseOrderLine
    order: PurchaseOrder
    supplier: str
    item: Item
    late: bool

    @property
    def open(self) -> int:
        """Return what is still to come, in smallest units."""
        return self.line.quantity - self.line.received


def find_board(session: Session, query: str = "", *, now: datetime, day_ends_at: datetime) -> Board:
    """Return the lists of the first page. query: parcel or order; day_ends_at: the end of today, where the company is."""
    kinds = {"pick": ("to_pick", "picking"), "packed": ("packed",), "waiting": ("waiting",)}
    shipments, counts = {}, {}
    for kind, states in kinds.items():
        wanted = sa.select(Shipment).where(Shipment.state.in_(states))
        if kind != "waiting":
            wanted = wanted.where(holding_back.is_free())
        wanted = wanted.where(contains(query, Shipment.number, Shipment.order_ref))
        ordered = wanted.order_by(Shipment.ship_by_on, Shipment.promised_on, Shipment.id).limit(MOST)
        shipments[kind] = session.scalars(ordered).all()
        counted = sa.select(sa.func.count()).select_from(wanted.with_only_columns(Shipment.id).subquery())
        counts[kind] = session.scalar(counted) or 0
    pick, packed, waiting = shipments["pick"], shipments["packed"], shipments["waiting"]
    tasks = _tasks(session, [*pick, *packed, *waiting])
    waits = _waits(session, [shipment.id for shipment in waiting])
    late = _count_due(session, before=now)
    return Board(
        counts,
        [tasks[one.id] for one in pick],
        [tasks[one.id] for one in packed],
        [(tasks[one.id], waits.get(one.id, ())) for one in waiting],
        late,
        _count_due(session, before=day_ends_at) - late,
    )


def get_parcel(session: Session, shipment_id: int) -> Parcel:
    """Return one parcel with its lines by bin. Raises NotFound(unknown_shipment)."""
    shipment = fulfilment.get_shipment(session, shipment_id)
    found = session.execute(
        sa.select(ShipmentLine, Item)
        .join(Item, Item.id == ShipmentLine.item_id)
        .where(ShipmentLine.shipment_id == shipment_id)
        .order_by(Item.bin, Item.sku)
    ).all()
    named = lots_for(session, [line.reservation_id for line, item in found if item.days_left is not None])
    lines = [Line(item, options_of(item), line.quantity, line.picked, named.get(line.reservation_id, ())) for line, item in found]
    waiting = shipment.state == "waiting"
    waits = _waits(session, [shipment_id]) if waiting else {}
    return Parcel(shipment, lines, waits.get(shipment_id, ()), waiting and splitting.has_something(session, shipment_id))


def lots_for(session: Session, reservation_ids: Sequence[int]) -> Mapping[int, Sequence[FromLot]]:
    """Return reservation → the lots that it is picked from, the first to be taken first. No statement where there are none."""
    if not reservation_ids:
        return {}
    found: dict[int, dict[int, FromLot]] = defaultdict(dict)
    for reservation_id, named in lots.named_for(session, reservation_ids).items():
        for peg, lot in named:
            before = found[reservation_id].get(lot.id, FromLot(lot, 0, 0))
            found[reservation_id][lot.id] = FromLot(lot, before.quantity + peg.quantity, before.picked + peg.picked)
    return {reservation_id: list(of.values()) for reservation_id, of in found.items()}


def find_receipts(session: Session, query: str, page: int, *, now: datetime) -> tuple[Sequence[Receipt], int]:
    """Return one page of purchase order lines still to come, by due time, and how many; `query`: item, order or supplier."""
    found = _open_lines().where(contains(query, Item.sku, Item.name, PurchaseOrder.number, Supplier.name))
    ordered = found.order_by(PurchaseOrderLine.due_at, PurchaseOrderLine.id).limit(RECEIPTS).offset((page - 1) * RECEIPTS)
    total = session.scalar(sa.select(sa.func.count()).select_from(found.with_only_columns(PurchaseOrderLine.id).subquery()))
    return [_receipt(*row, now) for row in session.execute(ordered).all()], total or 0


def get_receipt(session: Session, line_id: int, *, now: datetime) -> Receipt:
    """Return one line that is still to come. Raises NotFound(unknown_receipt)."""
    row = session.execute(_open_lines().where(PurchaseOrderLine.id == line_id)).one_or_none()
    if row is None:
        raise NotFound("unknown_receipt")
    return _receipt(*row, now)


def options_of(item: Item) -> str:
    """Return what tells an item from its sisters (Oak, 160 cm) as far as its name does not say it."""
    name = item.name.casefold()
    return ", ".join(str(value) for value in item.options.values() if str(value).casefold() not in name)


def _receipt(line: PurchaseOrderLine, order: PurchaseOrder, supplier: str, item: Item, now: datetime) -> Receipt:
    return Receipt(line, order, supplier, item, line.due_at < now)


def _open_lines() -> sa.Select[PurchaseOrderLine, PurchaseOrder, str, Item]:
    return (
        sa.select(PurchaseOrderLine, PurchaseOrder, Supplier.name, Item)
        .join(PurchaseOrder, PurchaseOrder.id == PurchaseOrderLine.purchase_order_id)
        .join(Supplier, Supplier.id == PurchaseOrder.supplier_id)
        .join(Item, Item.id == PurchaseOrderLine.item_id)
        .where(PurchaseOrder.state == "ordered", PurchaseOrderLine.received < PurchaseOrderLine.quantity)
    )


def _count_due(session: Session, *, before: datetime) -> int:
    lines = _open_lines().where(PurchaseOrderLine.due_at < before).with_only_columns(PurchaseOrderLine.id)
    return session.execute(sa.select(sa.func.count()).select_from(lines.subquery())).scalar_one()


def _tasks(session: Session, shipments: Sequence[Shipment]) -> Mapping[int, Task]:
    rows = session.execute(
        sa.select(ShipmentLine, Item.name)
        .join(Item, Item.id == ShipmentLine.item_id)
        .where(ShipmentLine.shipment_id.in_([one.id for one in shipments]))
        .order_by(ShipmentLine.id)
    ).all()
    lines: dict[int, list[tuple[ShipmentLine, str]]] = defaultdict(list)
    for line, name in rows:
        lines[line.shipment_id].append((line, name))
    return {
        one.id: Task(
            one,
            sum(line.quantity for line, _ in lines[one.id]),
            sum(line.picked for line, _ in lines[one.id]),
            ", ".join(f"{line.quantity} × {name}" for line, name in lines[one.id]),
        )
        for one in shipments
    }


def _waits(session: Session, shipment_ids: Sequence[int]) -> Mapping[int, Sequence[Wait]]:
    """Return what is not on the shelf yet, from the pegs of the parcels' own lines."""
    rows = session.execute(
        sa.select(ShipmentLine.shipment_id, Peg, Item.name, PurchaseOrder.number, ProductionOrder.number)
        .join(Peg, Peg.reservation_id == ShipmentLine.reservation_id)
        .join(Item, Item.id == Peg.item_id)
        .join(PurchaseOrderLine, PurchaseOrderLine.id == Peg.purchase_order_line_id, isouter=True)
        .join(PurchaseOrder, PurchaseOrder.id == PurchaseOrderLine.purchase_order_id, isouter=True)
        .join(ProductionOrder, ProductionOrder.id == Peg.supply_order_id, isouter=True)
        .where(
            ShipmentLine.shipment_id.in_(shipment_ids),
            Peg.production_order_id.is_(None),
            Peg.kind != "stock",
            Peg.used.is_(False),
        )
        .order_by(Peg.available_at, Peg.id)
    ).all()
    waits: dict[int, list[Wait]] = defaultdict(list)
    for shipment_id, peg, item, purchase, production in rows:
        waits[shipment_id].append(Wait(peg.kind, purchase or production or "", item, peg.available_at))
    return waits
