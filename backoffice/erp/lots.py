"""Lots that expire, as rows: what lies of each and what of it is promised. The database itself forbids to promise one twice.

An item is kept in lots if it says how many days must be left (`Item.days_left`) when it arrives at the customer's, or when
the work that uses it begins. Every piece of it on a shelf belongs to a lot.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from backoffice.erp import models as t
from backoffice.public.errors import BadInput, Refused

LONGEST_NUMBER = 40


def expires_on(best_before_on: date, days_left: int) -> date:
    """Return the first day on which goods are too old to arrive, or to be worked up."""
    return best_before_on - timedelta(days=days_left - 1)


def is_good(lot: t.StockLot, days_left: int, use_on: date) -> bool:
    """Tell whether a lot may be used on a day."""
    return use_on < expires_on(lot.best_before_on, days_left)


def change(session: Session, lot_id: int, *, on_hand: int = 0, pegged: int = 0) -> bool:
    """Add to what lies there of a lot and to what of it is promised; tell whether the lot covers that."""
    of = t.StockLot
    covered = of.on_hand + on_hand >= of.pegged + pegged, of.pegged + pegged >= 0
    result = session.execute(
        sa.update(of)
        .where(of.id == lot_id, *covered)
        .values(on_hand=of.on_hand + on_hand, pegged=of.pegged + pegged)
        .execution_options(synchronize_session=False)
    )
    return cast("CursorResult[Any]", result).rowcount == 1


def get_lot(session: Session, item_id: int, warehouse_id: int, number: str, best_before_on: date) -> t.StockLot:
    """Return the row of a lot in a warehouse; made if there is none yet.

    Raises BadInput(invalid_form, lot), Refused(other_best_before, best_before_on) if it was noted with another day.
    """
    number = " ".join(number.split())
    if not number or len(number) > LONGEST_NUMBER or "\x00" in number:
        raise BadInput("invalid_form", {"lot": "shorten" if number else "required"})
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    session.execute(
        insert(t.StockLot)
        .values(item_id=item_id, warehouse_id=warehouse_id, number=number, best_before_on=best_before_on, on_hand=0, pegged=0)
        .on_conflict_do_nothing(index_elements=["item_id", "warehouse_id", "number"])
    )
    of = t.StockLot
    wanted = of.item_id == item_id, of.warehouse_id == warehouse_id, of.number == number
    lot = session.scalars(sa.select(of).where(*wanted).execution_options(populate_existing=True)).one()
    if lot.best_before_on != best_before_on:
        raise Refused("other_best_before", number=number, best_before_on=lot.best_before_on)
    return lot


def lots_of(session: Session, item_ids: Iterable[int]) -> dict[int, list[t.StockLot]]:
    """Return what lies of each of these items, the lot that is to be used first first."""
    of = t.StockLot
    found: dict[int, list[t.StockLot]] = {one: [] for one in item_ids}
    lying = sa.select(of).where(of.item_id.in_(sorted(found)), of.on_hand > 0)
    for lot in session.scalars(lying.order_by(of.best_before_on, of.id).execution_options(populate_existing=True)):
        found[lot.item_id].append(lot)
    return found


def find_scanned(session: Session, number: str, item_ids: Iterable[int], warehouse_id: int) -> t.StockLot | None:
    """Return the lot of one of these items whose number was scanned."""
    of = t.StockLot
    wanted = sa.select(of).where(
        of.item_id.in_(sorted(item_ids)), of.warehouse_id == warehouse_id, sa.func.lower(of.number) == number.strip().lower()
    )
    return session.scalar(wanted.order_by(of.best_before_on, of.id).limit(1))


def named_for(session: Session, reservation_ids: Iterable[int]) -> dict[int, list[tuple[t.Peg, t.StockLot]]]:
    """Return reservation → the lots that it is to be picked from, the one that expires first first. Fresh rows."""
    found: dict[int, list[tuple[t.Peg, t.StockLot]]] = {one: [] for one in reservation_ids}
    rows = session.execute(
        sa.select(t.Peg, t.StockLot)
        .join(t.StockLot, t.StockLot.id == t.Peg.lot_id)
        .where(t.Peg.reservation_id.in_(sorted(found)), t.Peg.production_order_id.is_(None), t.Peg.used.is_(False))
        .order_by(t.StockLot.best_before_on, t.StockLot.id, t.Peg.id)
        .execution_options(populate_existing=True)
    )
    for peg, lot in rows:
        found[peg.reservation_id].append((peg, lot))
    return found


def expiring(session: Session, until: date) -> Sequence[tuple[t.StockLot, t.Item]]:
    """Return the lots on the shelves that are good for nobody on the day `until`, the oldest first."""
    of = t.StockLot
    rows = session.execute(
        sa.select(of, t.Item)
        .join(t.Item, t.Item.id == of.item_id)
        .where(of.on_hand > 0, t.Item.days_left.is_not(None))
        .order_by(of.best_before_on, t.Item.sku, of.id)
    )
    return [(lot, item) for lot, item in rows if not is_good(lot, item.days_left or 0, until)]
