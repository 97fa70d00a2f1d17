"""Where things come from and what they are for: pegs as a tree, from an order line down to lots, or from a lot up to orders.

Whoever asks for several starts gets them from a handful of queries: the pegs are read level by level, then named in bulk.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import models as t
from backoffice.erp.snapshot import ignored

MOST = 400  # nodes of one tree; the rest is counted
Kind = Literal["line", "made", "receipt", "stock", "buy"]
Direction = Literal["origin", "purpose"]


class Key(NamedTuple):
    """A thing in the tree: line (reservation) | made (production order) | receipt (purchase order line) | stock (item,
    warehouse) | buy (a peg: still to be ordered)."""

    kind: Kind
    id: int
    place: int = 0


@dataclass(frozen=True, slots=True)
class Node:
    """A thing with what stands behind it (origin) or what waits for it (purpose).

    quantity: origin: what of it the node above takes; purpose, and of a start: all of it, `free` of which nobody was promised.
    takes: purpose: what of the node above it takes, in that item's smallest units; else 0.
    ref: its number; of a line its order's, empty for a cart. at: ready, due, or on the shelf (None).
    promised_on, expected_on: of a line's parcel. state: of the row. used: consumed or sent already.
    again: it stands above in this tree with all that belongs to it. left_out: how many more there are.
    """

    key: Key
    item_id: int
    item: str
    parts_per_unit: int
    quantity: int
    takes: int
    free: int
    ref: str
    partner: str
    at: datetime | None
    promised_on: date | None
    expected_on: date | None
    state: str
    used: bool
    again: bool
    left_out: int
    nodes: Sequence[Node]

    def late(self, now: datetime) -> bool:
        """Tell whether its time is over, or its parcel comes later than promised."""
        if self.key.kind == "line":
            return bool(self.promised_on and self.expected_on and self.expected_on > self.promised_on)
        return self.at is not None and self.at < now and self.state in ("planned", "held", "ordered", "proposed")


class _Edge(NamedTuple):
    """A peg: `lower` gives `quantity` of an item to `upper`."""

    lower: Key
    upper: Key
    item_id: int
    quantity: int
    used: bool


class _Named(NamedTuple):
    """What there is to say of a thing."""

    item_id: int
    quantity: int
    free: int
    ref: str = ""
    partner: str = ""
    at: datetime | None = None
    promised_on: date | None = None
    expected_on: date | None = None
    state: str = ""


def find_tree(session: Session, starts: Sequence[Key], direction: Direction, *, now: datetime) -> Sequence[Node]:
    """Return a tree for each start, in their order; a start that does not exist is left out.

    Holds that have died count for nothing. No thing is unfolded twice in one tree, so that a loop could not hang it.
    """
    edges = _edges(session, starts, direction, now)
    keys = {*starts, *(edge.lower for found in edges.values() for edge in found)}
    keys |= {edge.upper for found in edges.values() for edge in found}
    named = _names(session, keys, [edge for found in edges.values() for edge in found])
    items = _items(session, {one.item_id for one in named.values()})
    trees = []
    for start in starts:
        if start in named:
            grower = _Grower(edges, named, items, direction)
            trees.append(grower.grow(start, None))
    return trees


def path_of(node: Node) -> Sequence[Node]:
    """Return the way from a node down to what it waits for longest: at each step the part that comes last."""
    way = [node]
    while waiting := [one for one in way[-1].nodes if one.at is not None and not one.used]:
        way.append(max(waiting, key=lambda one: (one.at is not None and one.at.timestamp(), one.key)))
    return way


def lines_of_order(session: Session, order_ref: str) -> Sequence[Key]:
    """Return an order's lines, parted ones after what they were parted from; empty if there is no such order."""
    kept = t.Reservation.state != "released", ~t.Reservation.kit  # of a kit its parts
    rows = sa.select(t.Reservation.id).where(t.Reservation.order_ref == order_ref, *kept).order_by(t.Reservation.id)
    return [Key("line", one) for one in session.scalars(rows)]


def supplies_of_item(session: Session, item_id: int) -> Sequence[Key]:
    """Return where an item is and what of it is still to come: shelves, receipts, production orders."""
    stock = session.execute(
        sa.select(t.Stock.warehouse_id).where(t.Stock.item_id == item_id, t.Stock.on_hand > 0).order_by(t.Stock.warehouse_id)
    ).scalars()
    line = t.PurchaseOrderLine
    receipts = session.scalars(
        sa.select(line.id)
        .join(t.PurchaseOrder, t.PurchaseOrder.id == line.purchase_order_id)
        .where(line.item_id == item_id, line.received < line.quantity, t.PurchaseOrder.state.in_(("ordered", "proposed")))
        .order_by(line.due_at, line.id)
        .limit(MOST)
    )
    made = session.scalars(
        sa.select(t.ProductionOrder.id)
        .where(t.ProductionOrder.item_id == item_id, t.ProductionOrder.state == "planned")
        .order_by(t.ProductionOrder.ready_at, t.ProductionOrder.id)
        .limit(MOST)
    )
    return [
        *(Key("stock", item_id, place) for place in stock),
        *(Key("receipt", one) for one in receipts),
        *(Key("made", one) for one in made),
    ]


class _Grower:
    """Puts one tree together and remembers what stands in it."""

    def __init__(
        self,
        edges: Mapping[Key, Sequence[_Edge]],
        named: Mapping[Key, _Named],
        items: Mapping[int, tuple[str, int]],
        direction: Direction,
    ) -> None:
        self.edges, self.named, self.items, self.direction = edges, named, items, direction
        self.seen: set[Key] = set()
        self.count = 0

    def grow(self, key: Key, edge: _Edge | None) -> Node:
        """Return a node with all below it."""
        again = key in self.seen
        self.seen.add(key)
        self.count += 1
        one = self.named[key]
        next_edges = [] if again else self.edges.get(key, [])
        nodes = []
        for below in next_edges:
            if self.count >= MOST:
                break
            nodes.append(self.grow(below.lower if self.direction == "origin" else below.upper, below))
        name, parts = self.items[one.item_id]
        taken = edge.quantity if edge else 0
        return Node(
            key,
            one.item_id,
            name,
            parts,
            taken if edge and self.direction == "origin" else one.quantity,
            taken if self.direction == "purpose" else 0,
            one.free,
            one.ref,
            one.partner,
            one.at,
            one.promised_on,
            one.expected_on,
            one.state,
            bool(edge and edge.used),
            again and bool(self.edges.get(key)),
            len(next_edges) - len(nodes),
            nodes,
        )


def _edges(session: Session, starts: Iterable[Key], direction: Direction, now: datetime) -> Mapping[Key, Sequence[_Edge]]:
    """Return thing → its pegs in one direction, for everything that can be reached from the starts."""
    found: dict[Key, list[_Edge]] = {}
    waiting = set(starts)
    while waiting:
        edges = _read(session, waiting, direction, now)
        for key in waiting:
            found[key] = []
        for edge in edges:
            found[edge.upper if direction == "origin" else edge.lower].append(edge)
        reached = {edge.lower if direction == "origin" else edge.upper for edge in edges}
        waiting = {one for one in reached - found.keys() if one.kind not in ("stock", "buy")}
    return found


def _read(session: Session, keys: Iterable[Key], direction: Direction, now: datetime) -> Sequence[_Edge]:
    of: dict[str, list[int]] = defaultdict(list)
    shelves = []
    for key in sorted(keys):
        of[key.kind].append(key.id)
        if key.kind == "stock":
            shelves.append(sa.and_(t.Peg.item_id == key.id, t.Peg.warehouse_id == key.place))
    if direction == "origin":
        own = sa.and_(t.Peg.reservation_id.in_(of["line"]), t.Peg.production_order_id.is_(None))
        wanted = sa.or_(own, t.Peg.production_order_id.in_(of["made"]))
    else:
        coming = sa.or_(t.Peg.purchase_order_line_id.in_(of["receipt"]), t.Peg.supply_order_id.in_(of["made"]), *shelves)
        wanted = sa.and_(t.Peg.used.is_(False), coming)
    pegs = session.scalars(
        sa.select(t.Peg)
        .join(t.Reservation, t.Reservation.id == t.Peg.reservation_id)
        .where(wanted, sa.not_(ignored(now, None)))
        .order_by(t.Peg.available_at, t.Peg.id)
    )
    together: dict[tuple[Key, Key, bool], _Edge] = {}
    for peg in pegs:  # two pegs of one supply for one need are one line of the tree
        place = _lower(peg), _upper(peg), peg.used
        before = together[place].quantity if place in together else 0
        together[place] = _Edge(*place[:2], peg.item_id, before + peg.quantity, peg.used)
    return list(together.values())


def _lower(peg: t.Peg) -> Key:
    if peg.kind == "stock":
        return Key("stock", peg.item_id, peg.warehouse_id or 0)
    if peg.kind == "receipt":
        return Key("receipt", peg.purchase_order_line_id or 0)
    return Key("made", peg.supply_order_id or 0) if peg.kind == "make" else Key("buy", peg.id)


def _upper(peg: t.Peg) -> Key:
    return Key("made", peg.production_order_id) if peg.production_order_id else Key("line", peg.reservation_id)


def _names(session: Session, keys: Iterable[Key], edges: Sequence[_Edge]) -> Mapping[Key, _Named]:
    of: dict[str, list[int]] = defaultdict(list)
    for key in keys:
        of[key.kind].append(key.id)
    bought = {edge.lower: edge for edge in edges if edge.lower.kind == "buy"}
    return (
        _lines(session, of["line"])
        | _made(session, of["made"])
        | _receipts(session, of["receipt"])
        | _shelves(session, of["stock"])
        | _bought(session, bought)
    )


def _lines(session: Session, ids: Sequence[int]) -> dict[Key, _Named]:
    rows = session.execute(
        sa.select(t.Reservation, sa.func.max(t.Shipment.promised_on), sa.func.max(t.Shipment.expected_on))
        .join(t.ShipmentLine, t.ShipmentLine.reservation_id == t.Reservation.id, isouter=True)
        .join(t.Shipment, sa.and_(t.Shipment.id == t.ShipmentLine.shipment_id, t.Shipment.state != "cancelled"), isouter=True)
        .where(t.Reservation.id.in_(ids))
        .group_by(t.Reservation.id)
    )
    return {
        Key("line", one.id): _Named(
            one.item_id, one.quantity, 0, one.order_ref or "", "", one.ready_at, promised_on, expected_on, one.state
        )
        for one, promised_on, expected_on in rows
    }


def _made(session: Session, ids: Sequence[int]) -> dict[Key, _Named]:
    rows = session.scalars(sa.select(t.ProductionOrder).where(t.ProductionOrder.id.in_(ids)))
    return {
        Key("made", one.id): _Named(
            one.item_id, one.quantity, one.quantity - one.pegged, one.number, "", one.ready_at, None, None, one.state
        )
        for one in rows
    }


def _receipts(session: Session, ids: Sequence[int]) -> dict[Key, _Named]:
    line = t.PurchaseOrderLine
    rows = session.execute(
        sa.select(line, t.PurchaseOrder, t.Supplier.name)
        .join(t.PurchaseOrder, t.PurchaseOrder.id == line.purchase_order_id)
        .join(t.Supplier, t.Supplier.id == t.PurchaseOrder.supplier_id)
        .where(line.id.in_(ids))
    )
    return {
        Key("receipt", one.id): _Named(
            one.item_id,
            one.quantity - one.received,
            max(one.quantity - one.received - one.pegged - one.allotted, 0),
            order.number,
            supplier,
            one.due_at,
            None,
            None,
            order.state,
        )
        for one, order, supplier in rows
    }


def _bought(session: Session, edges: Mapping[Key, _Edge]) -> dict[Key, _Named]:
    rows = session.execute(
        sa.select(t.Peg.id, t.Supplier.name)
        .join(t.Supplier, t.Supplier.id == t.Peg.supplier_id)
        .where(t.Peg.id.in_(sorted(key.id for key in edges)))
    )
    names = {row.id: row.name for row in rows} if edges else {}
    return {key: _Named(edge.item_id, edge.quantity, 0, "", names.get(key.id, "")) for key, edge in edges.items()}


def _shelves(session: Session, item_ids: Sequence[int]) -> dict[Key, _Named]:
    free = t.Stock.on_hand - t.Stock.allocated - t.Stock.reserved - t.Stock.allotted
    rows = session.execute(
        sa.select(t.Stock.item_id, t.Stock.warehouse_id, t.Stock.on_hand, free, t.Warehouse.name)
        .join(t.Warehouse, t.Warehouse.id == t.Stock.warehouse_id)
        .where(t.Stock.item_id.in_(item_ids))
    )
    return {Key("stock", item, place): _Named(item, on_hand, left, "", name) for item, place, on_hand, left, name in rows}


def _items(session: Session, ids: Iterable[int]) -> Mapping[int, tuple[str, int]]:
    rows = session.execute(sa.select(t.Item.id, t.Item.name, t.Item.parts_per_unit).where(t.Item.id.in_(sorted(ids))))
    return {item_id: (name, parts) for item_id, name, parts in rows}
