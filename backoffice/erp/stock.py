"""Stock: the movement ledger and the totals beside it. Every figure changes in SQL, under the database's own condition."""

from __future__ import annotations

from datetime import datetime
from functools import cache

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from backoffice.db import table_of
from backoffice.erp import lots
from backoffice.erp import models as t
from backoffice.public.errors import BadInput, Refused


def change(
    session: Session, item_id: int, warehouse_id: int, *, free: int | None = None, there: int | None = None, **deltas: int
) -> bool:
    """Add `deltas` (on_hand, allocated, reserved, allotted) to a stock row; tell whether that was done.

    free: only if at least so much was anybody's before: on hand − allocated − reserved − allotted; the only way to take what is
    not allotted. there: so much, with what is allotted.
    """
    guards = {name: least for name, least in (("free", free), ("there", there)) if least is not None}
    asked = {"item": item_id, "warehouse": warehouse_id, **{f"more_{name}": delta for name, delta in deltas.items()}}
    result = session.execute(_changing(tuple(deltas), tuple(guards)), asked | guards)
    assert isinstance(result, CursorResult)
    return result.rowcount == 1


_of = table_of(t.Stock).c
_there = _of.on_hand - _of.allocated - _of.reserved
_GUARDS = {
    "free": _there - _of.allotted >= sa.bindparam("free", type_=sa.BigInteger),
    "there": _there >= sa.bindparam("there", type_=sa.BigInteger),
}


@cache
def _changing(fields: tuple[str, ...], guards: tuple[str, ...]) -> sa.Update:
    """Return the statement that adds to these totals: there are a handful."""
    mine = [_of.item_id == sa.bindparam("item"), _of.warehouse_id == sa.bindparam("warehouse")]
    added = {name: _of[name] + sa.bindparam(f"more_{name}", type_=sa.BigInteger) for name in fields}
    return sa.update(table_of(t.Stock)).where(*mine, *(_GUARDS[name] for name in guards)).values(added)


def ensure_row(session: Session, item_id: int, warehouse_id: int, *, now: datetime) -> None:
    """Make the stock row of an item in a warehouse, with nothing on it, if there is none."""
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    session.execute(
        insert(t.Stock)
        .values(item_id=item_id, warehouse_id=warehouse_id, figure_at=now)
        .on_conflict_do_nothing(index_elements=["item_id", "warehouse_id"])
    )


def move(
    session: Session,
    item_id: int,
    warehouse_id: int,
    delta: int,
    *,
    cause: str,
    ref: str,
    actor: str,
    now: datetime,
    allocated: int = 0,
    reserved: int = 0,
    lot_id: int | None = None,
) -> None:
    """Write a movement and change the total with it; `allocated`, `reserved`: what changes with the same goods.

    lot_id: of which lot, for an item kept in lots.
    Raises Refused(already_moved) if `ref` moved stock before, Refused(not_enough_stock) if the total, or the lot, would not
    cover what is promised, Refused(lot_missing) if it must be said which lot.
    """
    if lot_id is None and session.get_one(t.Item, item_id).days_left is not None:
        raise Refused("lot_missing", item_id=item_id)
    if session.scalar(sa.select(t.StockMovement.id).where(t.StockMovement.ref == ref)):
        raise Refused("already_moved", ref=ref)
    ensure_row(session, item_id, warehouse_id, now=now)
    deltas = {"on_hand": delta, "allocated": allocated, "reserved": reserved}
    if not change(session, item_id, warehouse_id, there=allocated + reserved - delta, **deltas):
        raise Refused("not_enough_stock", item_id=item_id)
    if lot_id is not None and not lots.change(session, lot_id, on_hand=delta, pegged=allocated + reserved):
        raise Refused("not_enough_stock", item_id=item_id)
    session.execute(
        sa.update(t.Stock)
        .where(t.Stock.item_id == item_id, t.Stock.warehouse_id == warehouse_id)
        .values(figure_at=now)
        .execution_options(synchronize_session=False)
    )
    where = {"item_id": item_id, "warehouse_id": warehouse_id, "lot_id": lot_id}
    session.add(t.StockMovement(**where, delta=delta, cause=cause, ref=ref, actor=actor, at=now))
    session.flush()


def get_stock(session: Session, item_id: int, warehouse_id: int, *, lock: bool = False) -> t.Stock:
    """Return the fresh stock row; `lock`: nobody else moves it until we are done.

    Raises BadInput(unknown_stock) if the item never lay there.
    """
    query = sa.select(t.Stock).where(t.Stock.item_id == item_id, t.Stock.warehouse_id == warehouse_id)
    row = session.scalar((query.with_for_update() if lock else query).execution_options(populate_existing=True))
    if row is None:
        raise BadInput("unknown_stock", item_id=item_id)
    return row
