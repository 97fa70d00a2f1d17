"""Take what pegs are to stand on from its supplies: gathered for many of them, then one guarded update of each supply.

A guard holds as if one peg had been given its part after the other. Rows are locked in the order of their keys.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_dirty, set_committed_value
from sqlalchemy.orm.util import identity_key

from backoffice.db import Base, PlanMoved, table_of
from backoffice.erp import allotting, lots, stock
from backoffice.erp import models as t
from backoffice.erp.snapshot import SupplyKey

_ROWS = {"stock": "stock", "receipt": "po"}  # of what is kept, and of a lot: its supply's row changes too


@dataclass(frozen=True, slots=True)
class _Asked:
    """A peg that is to be given its part. total: which stock total carries it; keep: what must stay free behind it."""

    peg: t.Peg
    total: str
    customer_class: str
    keep: int


class Taking:
    """What pegs ask of supplies, until it is given."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._asked: dict[tuple[str, int, int, str, str], list[_Asked]] = defaultdict(list)

    def ask(self, peg: t.Peg, supply: SupplyKey, *, total: str, customer_class: str, keep: int) -> None:
        """Let a peg (kind stock or receipt) stand on a supply."""
        kind, number = supply
        if kind == "stock":
            peg.warehouse_id = number
        elif kind == "lot":
            peg.lot_id = number
        elif kind == "po":
            peg.purchase_order_line_id = number
        elif kind == "mo":
            peg.kind, peg.supply_order_id = "make", number
        rows = _ROWS[peg.kind] if kind in ("kept", "lot") else kind
        key = (rows, peg.item_id, number, kind, total if kind == "kept" else "")
        self._asked[key].append(_Asked(peg, total, customer_class, keep))

    def give(self, session: Session) -> None:
        """Take it. Raises PlanMoved when a supply has gone in the meantime: ask the plan again."""
        for key, asked in sorted(self._asked.items(), key=lambda one: one[0]):
            _, item_id, number, kind, total = key
            quantity = sum(one.peg.quantity for one in asked)
            if kind == "stock":
                given = _take_stock(session, item_id, number, asked)
            elif kind == "lot":
                given = _take_lot(session, item_id, number, quantity, asked)
            elif kind == "kept":
                given = _take_kept(session, number, quantity, total, asked)
            elif kind == "po":
                given = change_receipt(session, number, quantity)
            else:
                given = change_production(session, number, quantity)
            if not given:
                raise PlanMoved(f"{kind} {number} of item {item_id}")
        self._asked.clear()


def _take_stock(session: Session, item_id: int, warehouse_id: int, asked: Sequence[_Asked]) -> bool:
    taken = least = 0
    totals = Counter[str]()
    for one in asked:
        taken += one.peg.quantity
        least = max(least, taken + one.keep)
        totals[one.total] += one.peg.quantity
    return stock.change(session, item_id, warehouse_id, free=least, **dict(sorted(totals.items())))


def _take_lot(session: Session, item_id: int, lot_id: int, quantity: int, asked: Sequence[_Asked]) -> bool:
    warehouse_id = session.get_one(t.StockLot, lot_id).warehouse_id
    for one in asked:
        one.peg.warehouse_id = warehouse_id
    return _take_stock(session, item_id, warehouse_id, asked) and lots.change(session, lot_id, pegged=quantity)


def _take_kept(session: Session, allotment_id: int, quantity: int, total: str, asked: Sequence[_Asked]) -> bool:
    kept = allotting.take(session, allotment_id, quantity, customer_class=asked[0].customer_class, total=total)
    if kept is None:
        return False
    for one in asked:
        one.peg.allotment_id = kept.id
        one.peg.warehouse_id, one.peg.purchase_order_line_id = kept.warehouse_id, kept.purchase_order_line_id
    return True


_DELTA = sa.bindparam("delta", type_=sa.BigInteger)
_LINE, _ORDER = table_of(t.PurchaseOrderLine).c, table_of(t.ProductionOrder).c
_FREE = _LINE.quantity - _LINE.received - _LINE.pegged - _LINE.allotted
_RECEIPT = (
    sa.update(table_of(t.PurchaseOrderLine))
    .where(_LINE.id == sa.bindparam("supply"), _LINE.pegged + _DELTA >= 0, sa.or_(_DELTA <= 0, _FREE >= _DELTA))
    .values(pegged=_LINE.pegged + _DELTA)
    .returning(_LINE.pegged)
)
_PRODUCTION = (
    sa.update(table_of(t.ProductionOrder))
    .where(_ORDER.id == sa.bindparam("supply"), _ORDER.pegged + _DELTA <= _ORDER.quantity, _ORDER.pegged + _DELTA >= 0)
    .values(pegged=_ORDER.pegged + _DELTA)
    .returning(_ORDER.pegged)
)


def change_receipt(session: Session, line_id: int, delta: int) -> bool:
    """Add `delta` to what is pegged of a purchase order line; tell whether the line covers it."""
    return _changed(session, _RECEIPT, t.PurchaseOrderLine, line_id, delta)


def change_production(session: Session, order_id: int, delta: int) -> bool:
    """Add `delta` to what is pegged of a production order; tell whether it covers it."""
    return _changed(session, _PRODUCTION, t.ProductionOrder, order_id, delta)


def _changed(session: Session, statement: sa.Executable, model: type[Base], supply: int, delta: int) -> bool:
    """Change the row past the session, then the object that stands for it, if there is one.

    The plan's log need not see it: how much of a supply is pegged, the pegs themselves say.
    """
    if session.autoflush:
        session.flush()  # the row may be new, or have changed
    pegged = session.execute(statement, {"supply": supply, "delta": delta}).scalar_one_or_none()
    if pegged is None:
        return False
    held = session.identity_map.get(identity_key(model, supply))
    if held is not None:
        set_committed_value(held, "pegged", pegged)
        flag_dirty(held)  # so that it is read again where a savepoint is taken back
    return True
