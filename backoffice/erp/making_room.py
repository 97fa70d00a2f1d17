"""Move pegs of items kept in lots to other supplies, as good for who has them, so that a new promise can have theirs.

Their promises stay (docs/decisions/0022); a parcel whose goods are on their way now waits for them again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.db import PlanMoved
from backoffice.erp import claiming, fulfilment, lots, pegging, stock, taking
from backoffice.erp import models as t
from backoffice.erp.snapshot import SupplyKey
from backoffice.planning.outcome import Moved, Taken


def make_room(session: Session, moved: Sequence[Moved]) -> None:
    """Let these pegs stand on what the plan says. The caller holds the plan's lock; locks whose pegs they are.

    Raises PlanMoved when one of them, or a supply, has gone in the meantime: ask the plan again.
    """
    if not moved:
        return
    ids = sorted(cast(int, one.claim) for one in moved)
    pegging.lock(session, t.Peg.id.in_(ids))
    rows = session.execute(
        sa.select(t.Peg, t.Reservation.state)
        .join(t.Reservation, t.Reservation.id == t.Peg.reservation_id)
        .where(t.Peg.id.in_(ids), t.Peg.used.is_(False), t.Reservation.state.in_(claiming.LIVE), ~claiming.in_hand())
        .execution_options(populate_existing=True)
    )
    found = {peg.id: (peg, state) for peg, state in rows}
    if len(found) < len(ids):
        raise PlanMoved("a peg that was to be moved")
    for peg, state in found.values():
        pegging.give_back(session, peg, state=state)
    for one in moved:
        peg, state = found[cast(int, one.claim)]
        if sum(int(taken.quantity) for taken in one.taken) != peg.quantity:
            raise PlanMoved(f"peg {peg.id}")
        first, *others = one.taken
        for taken in others:
            session.add(_stand(session, _twin(peg), taken, state))
        _stand(session, peg, first, state)
    session.flush()
    fulfilment.wake(session, [peg.reservation_id for peg, _ in found.values() if peg.production_order_id is None])


def _twin(peg: t.Peg) -> t.Peg:
    same = ("reservation_id", "production_order_id", "item_id", "use_on")
    return t.Peg(**{name: getattr(peg, name) for name in same})


def _stand(session: Session, peg: t.Peg, taken: Taken, state: str) -> t.Peg:
    """Let a supply know that a peg stands on it, then the peg."""
    (kind, number), quantity = cast(SupplyKey, taken.supply), int(taken.quantity)
    lot = session.get_one(t.StockLot, number) if kind == "lot" else None
    if lot is not None:
        total = {pegging.total_of(state): quantity}
        there = stock.change(session, peg.item_id, lot.warehouse_id, there=quantity, **total)
        there = there and lots.change(session, lot.id, pegged=quantity)
    elif kind == "po":
        there = taking.change_receipt(session, number, quantity)
    else:
        there = taking.change_production(session, number, quantity)
    if not there:
        raise PlanMoved(f"{kind} {number}")
    peg.kind = {"lot": "stock", "po": "receipt", "mo": "make"}[kind]
    peg.quantity, peg.available_at, peg.picked = quantity, taken.available_at, 0
    peg.warehouse_id, peg.lot_id = (lot.warehouse_id, lot.id) if lot else (None, None)
    peg.purchase_order_line_id = number if kind == "po" else None
    peg.supply_order_id = number if kind == "mo" else None
    return peg
