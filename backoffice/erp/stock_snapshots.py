"""Stock figures from outside: snapshots of the works' shelves, each of a sequence and an instant, believed with care.

    older than what we have ──▶ refused        a change to something that we do not have ──▶ refused (all is asked for next)
    more than half of what lay there gone, or all of it ──▶ in quarantine, until a person approves or declines it
    else ──▶ applied: on hand is set, by the ledger; where less is there than was promised, the newest promises lose it

What a line says is what the ERP may still give to anybody (`available`) and what of its goods it keeps for orders of ours
(`ours`). On hand here is the sum, less what left here in parcels that it may not have booked yet. So an order of ours counts
once, by our own allocation, whether the ERP has heard of it or not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from backoffice import audit
from backoffice.db import table_of
from backoffice.erp import counting, offers, plan
from backoffice.erp import models as t
from backoffice.erp.company import get_warehouse
from backoffice.public.errors import NotFound, Refused

MOST_GONE = 0.5  # of the items that lay there
CLOCKS_DIFFER = timedelta(minutes=5)
log = structlog.get_logger("shopfloor.erp")


@dataclass(frozen=True, slots=True)
class Line:
    """One item. available: what the ERP may still give away; ours: what it keeps for orders of ours that it has not shipped."""

    sku: str
    available: int
    ours: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What an ERP said. after: the sequence that a delta changes; of a full one None: what it does not name is not there."""

    sequence: int
    kind: Literal["full", "delta"]
    after: int | None
    as_of: datetime
    lines: Sequence[Line]


def begin(session: Session, *, now: datetime) -> t.OutsideStock:
    """Return where we stand; the first time: nothing is sold from the works' shelves before a snapshot came. Locks it."""
    works = get_warehouse(session).id
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    new = insert(table_of(t.OutsideStock)).values(warehouse_id=works, sequence=0, as_of=now, good_until=now, in_doubt=False)
    if session.execute(new.on_conflict_do_nothing().returning(t.OutsideStock.warehouse_id)).first() is not None:
        offers.touch_all(session, now=now)
    return session.get_one(t.OutsideStock, works, with_for_update=True, populate_existing=True)


def end(session: Session, *, now: datetime) -> None:
    """Let the figures be our own again."""
    if session.execute(sa.delete(t.OutsideStock).returning(t.OutsideStock.warehouse_id)).first() is not None:
        offers.touch_all(session, now=now)


def find_last(session: Session) -> t.OutsideStock | None:
    """Return where we stand; None: figures are our own."""
    return session.scalars(sa.select(t.OutsideStock)).first()


def receive(
    session: Session, snapshot: Snapshot, *, unbooked: Mapping[int, int], max_age: timedelta, now: datetime
) -> t.StockSnapshot | None:
    """Take a snapshot in: apply it, refuse it or put it aside; None: it came before. One transaction, locks the plan.

    unbooked: item → how much left here that the ERP may not have booked at `as_of`. max_age: how long figures are sold from.
    """
    plan.bump(session)
    last = begin(session, now=now)
    known = sa.select(t.StockSnapshot.id).where(
        t.StockSnapshot.sequence == snapshot.sequence, t.StockSnapshot.kind == snapshot.kind
    )
    if session.scalar(known) is not None:
        return None
    row = t.StockSnapshot(
        sequence=snapshot.sequence,
        kind=snapshot.kind,
        after=snapshot.after,
        as_of=snapshot.as_of,
        received_at=now,
        state="refused",
        reason=_fault(snapshot.sequence, snapshot.after, snapshot.as_of, last, now),
        lines=[],
        short=[],
    )
    if not row.reason:
        wanted = _wanted(session, snapshot.kind, snapshot.lines, unbooked)
        row.reason = _absurd(session, wanted)
        if row.reason:
            return _put_aside(session, row, snapshot)
        session.add(row)
        _apply(session, row, wanted, last, max_age=max_age, now=now)
        last.in_doubt = bool(unbooked)
    else:
        session.add(row)
        log.warning("stock_snapshot_refused", sequence=row.sequence, kind=row.kind, reason=row.reason, last=last.sequence)
    session.flush()
    return row


def _put_aside(session: Session, row: t.StockSnapshot, snapshot: Snapshot) -> t.StockSnapshot:
    """Keep a snapshot for a person; of those that come every minute there is one decision, over the newest."""
    row.state, row.lines = "quarantined", [[line.sku, line.available, line.ours] for line in snapshot.lines]
    log.error("stock_snapshot_quarantined", sequence=row.sequence, kind=row.kind, reason=row.reason)
    waits = session.scalars(sa.select(t.StockSnapshot).where(t.StockSnapshot.state == "quarantined")).first()
    if waits is None:
        session.add(row)
        session.flush()
        return row
    if row.sequence > waits.sequence:
        for name in ("sequence", "kind", "after", "as_of", "received_at", "reason", "lines"):
            setattr(waits, name, getattr(row, name))
        session.flush()
    return waits


def approve(
    session: Session,
    snapshot_id: int,
    *,
    unbooked: Mapping[int, int],
    max_age: timedelta,
    by: str,
    role: str,
    now: datetime,
) -> None:
    """Apply what was put aside, because a person says that it is true.

    Raises NotFound(unknown_record), Refused(wrong_state) when it was decided before or a newer one has come since.
    """
    plan.bump(session)
    last = begin(session, now=now)
    row = get_waiting(session, snapshot_id)
    if _fault(row.sequence, row.after, row.as_of, last, now):
        raise Refused("wrong_state")
    lines = [Line(str(sku), int(available), int(ours)) for sku, available, ours in row.lines]
    wanted = _wanted(session, "full" if row.kind == "full" else "delta", lines, unbooked)
    _apply(session, row, wanted, last, max_age=max_age, now=now)
    last.in_doubt = bool(unbooked)
    _decided(session, row, "approve", by, role, now)


def decline(session: Session, snapshot_id: int, *, by: str, role: str, now: datetime) -> None:
    """Do not believe what was put aside. Raises NotFound(unknown_record), Refused(wrong_state)."""
    row = get_waiting(session, snapshot_id)
    row.state = "declined"
    _decided(session, row, "decline", by, role, now)


def get_waiting(session: Session, snapshot_id: int) -> t.StockSnapshot:
    """Return what waits for a decision, locked. Raises NotFound(unknown_record), Refused(wrong_state)."""
    row = session.get(t.StockSnapshot, snapshot_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("unknown_record")
    if row.state != "quarantined":
        raise Refused("wrong_state")
    return row


def _decided(session: Session, row: t.StockSnapshot, what: str, by: str, role: str, now: datetime) -> None:
    row.decided_by, row.decided_at, row.lines = by, now, []
    details = {"sequence": row.sequence, "kind": row.kind, "reason": row.reason}
    audit.record(session, f"stock_snapshot.{what}", f"stock_snapshot:{row.id}", actor=by, role=role, details=details, now=now)


def _fault(sequence: int, after: int | None, as_of: datetime, last: t.OutsideStock, now: datetime) -> str:
    """Return why a snapshot cannot follow the last one, as a code; empty: it can."""
    if sequence <= last.sequence or (last.sequence and as_of < last.as_of):
        return "older"
    if as_of > now + CLOCKS_DIFFER:
        return "ahead"
    if after is not None and after != last.sequence:
        return "gap"
    return ""


def _wanted(
    session: Session, kind: Literal["full", "delta"], lines: Sequence[Line], unbooked: Mapping[int, int]
) -> Mapping[int, int]:
    """Return item → what is to be on hand at the works, below 0 where more left than there was; not items in lots."""
    works = get_warehouse(session).id
    said = Counter[str]()
    for line in lines:
        said[line.sku] += line.available + line.ours
    there = sa.select(t.Stock.item_id).where(t.Stock.warehouse_id == works, t.Stock.on_hand > 0)
    named = t.Item.sku.in_(said) if len(said) < 1_000 else sa.true()
    touched = sa.or_(named, t.Item.id.in_(there)) if kind == "full" else named
    items = session.execute(sa.select(t.Item.id, t.Item.sku).where(touched, t.Item.days_left.is_(None)).order_by(t.Item.id))
    return {item_id: said[sku] - unbooked.get(item_id, 0) for item_id, sku in items if sku in said or kind == "full"}


def _absurd(session: Session, wanted: Mapping[int, int]) -> str:
    """Return why a person must look at this first, as a code; empty: nobody must."""
    works = get_warehouse(session).id
    rows = session.execute(
        sa.select(t.Stock.item_id, t.Stock.on_hand)
        .join(t.Item, t.Item.id == t.Stock.item_id)
        .where(t.Stock.warehouse_id == works, t.Stock.on_hand > 0, t.Item.days_left.is_(None))
    )
    before = {row.item_id: row.on_hand for row in rows}
    after = {item_id: max(wanted.get(item_id, on_hand), 0) for item_id, on_hand in before.items()}
    new = sum(max(quantity, 0) for item_id, quantity in wanted.items() if item_id not in before)
    if before and not sum(after.values()) + new:
        return "empty"
    gone = sum(1 for quantity in after.values() if not quantity)
    return "dropped" if gone > MOST_GONE * len(before) else ""


def _apply(
    session: Session,
    row: t.StockSnapshot,
    wanted: Mapping[int, int],
    last: t.OutsideStock,
    *,
    max_age: timedelta,
    now: datetime,
) -> None:
    was_closed = last.good_until <= now
    # first: who loses goods is planned anew, and may stand on what is left of these
    last.sequence, last.as_of, last.good_until = row.sequence, row.as_of, row.as_of + max_age
    session.flush()
    for item_id, on_hand in wanted.items():
        _set(session, row, item_id, last.warehouse_id, on_hand, now)
    row.state = "applied"
    session.flush()
    if was_closed:
        offers.touch_all(session, now=now)
    if row.short:
        log.error("stock_snapshot_short", sequence=row.sequence, items=len(row.short))


def _set(session: Session, row: t.StockSnapshot, item_id: int, works: int, on_hand: int, now: datetime) -> None:
    """Set on hand of one item to what was said, by a movement; where more was promised, say how much is missing."""
    of = t.Stock
    stock = session.execute(
        sa.select(of.on_hand, of.allocated + of.reserved).where(of.item_id == item_id, of.warehouse_id == works)
    ).one_or_none()
    before, promised = (stock[0], stock[1]) if stock else (0, 0)
    counted = max(on_hand, 0)
    if promised > on_hand:
        sku = session.get_one(t.Item, item_id).sku
        row.short = [*row.short, {"sku": sku, "promised": promised, "there": on_hand}]
    if counted == before:
        return
    ref = f"snapshot:{row.sequence}:{row.kind}:{item_id}"

    def count(pieces: int) -> None:
        counting.count_stock(session, item_id, works, pieces, ref=ref, actor="erp", cause="snapshot", now=now)

    try:
        with session.begin_nested():
            count(counted)
    except Refused as error:
        if error.code != "not_enough_stock":
            raise
        # it lies in closed parcels, whatever the ERP says: what they hold is there
        count(_in_closed_parcels(session, item_id, works))
    row.changed += 1


def _in_closed_parcels(session: Session, item_id: int, works: int) -> int:
    peg = t.Peg
    packed = (
        sa.exists()
        .where(t.ShipmentLine.reservation_id == peg.reservation_id, t.Shipment.id == t.ShipmentLine.shipment_id)
        .where(t.Shipment.state == "packed")
    )
    held = sa.select(sa.func.coalesce(sa.func.sum(peg.quantity), 0)).where(
        peg.item_id == item_id, peg.warehouse_id == works, peg.kind == "stock", peg.used.is_(False), packed
    )
    return int(session.scalars(held).one())
