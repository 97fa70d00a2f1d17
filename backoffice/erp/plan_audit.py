"""The audit of the plan: fold its log from scratch, compare with the rows, look whether it can be carried out.

It believes nobody: what stands is computed from what was decided, in a transaction that sees one instant, and held against
the rows, the figures that are kept beside them, and the rule book (planning.feasible).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from backoffice.db import Database
from backoffice.erp import decisions, plan
from backoffice.erp import factory as masters
from backoffice.erp import models as t
from backoffice.erp.pegging import total_of
from backoffice.planning import feasible
from backoffice.planning.folding import State, differences, folded
from backoffice.planning.instants import micros

KEPT_FOR = timedelta(days=30)
MOST_KEPT = 500  # breaches of one audit that are kept
LIVE = ("held", "paying", "converted")
log = structlog.get_logger("shopfloor.plan_audit")


@dataclass(frozen=True, slots=True)
class Report:
    """What an audit found. number: of the last decision; decisions: that were folded; digest: of the plan by its log."""

    number: int
    decisions: int
    plan_version: int
    master_version: int
    digest: str
    digest_of_rows: str
    orders: int
    slots: int
    pegs: int
    breaches: tuple[str, ...]


def audit(db: Database, *, whole: bool = False, now: datetime) -> Report:
    """Audit the plan as it stands. whole: from the oldest checkpoint that is kept, not the newest."""
    with db.still() as session:
        start, state = _begin(session, whole=whole)
        broken: list[str] = []
        number = _fold(session, start, state, broken)
        rows = decisions.as_rows(session)
        broken += differences(state, rows)
        broken += feasible.breaches(state, masters.load(session, now=now).factory, micros(now))
        broken += [*_counters(session, state), *_stock(session), *_reservations(session)]
        versions = plan.version(session), plan.master_version(session)
    orders, slots, pegs = (len(state.of[kind]) for kind in ("order", "slot", "peg"))
    return Report(number, number - start, *versions, state.digest(), rows.digest(), orders, slots, pegs, tuple(broken))


def keep(db: Database, *, now: datetime) -> Report:
    """Audit, write down what was found and, if all is well, a checkpoint; forget what is older than a month."""
    found = audit(db, now=now)
    said = log.error if found.breaches else log.info
    said("plan_audited", number=found.number, digest=found.digest, breaches=len(found.breaches), first=found.breaches[:3])
    db.run(lambda session: _keep(session, found, now))
    return found


def find_last(session: Session) -> t.PlanAudit | None:
    """Return the last audit that was written down."""
    return session.scalar(sa.select(t.PlanAudit).order_by(t.PlanAudit.at.desc(), t.PlanAudit.id.desc()).limit(1))


def _keep(session: Session, found: Report, now: datetime) -> None:
    broken = list(found.breaches[:MOST_KEPT])
    session.add(t.PlanAudit(at=now, number=found.number, digest=found.digest, breaches=broken))
    if not broken:
        decisions.fold_up(session, found.number, now=now)
    decisions.forget(session, now - KEPT_FOR)
    session.execute(sa.delete(t.PlanAudit).where(t.PlanAudit.at < now - KEPT_FOR))


def _begin(session: Session, *, whole: bool) -> tuple[int, State]:
    """Return the checkpoint to begin with; none: nothing, before the first decision."""
    by = t.PlanCheckpoint.number
    number = session.scalar(sa.select(by).order_by(by.asc() if whole else by.desc()).limit(1))
    return (0, State()) if number is None else (number, _written(session, number))


def _written(session: Session, number: int) -> State:
    """Return the plan of a checkpoint."""
    return folded(session.scalars(sa.select(t.PlanCheckpoint.decided).where(t.PlanCheckpoint.number == number)).one())


def _fold(session: Session, start: int, state: State, broken: list[str]) -> int:
    """Fold every decision after `start`; return the last one's number.

    Each must be there, and each checkpoint on the way be what they make.
    """
    checkpoints = set(session.scalars(sa.select(t.PlanCheckpoint.number).where(t.PlanCheckpoint.number > start)))
    row, number = t.PlanDecision, start
    for one in session.execute(sa.select(row.number, row.at, row.decided).where(row.number > start).order_by(row.number)):
        if one.number != number + 1:
            broken.append(f"decision {number + 1}: is missing, the next one is {one.number}")
        number = one.number
        broken += feasible.in_the_past(number, micros(one.at) if one.at else None, one.decided)
        state.fold(one.decided)
        if number in checkpoints:
            broken += (f"checkpoint {number}: {line}" for line in differences(state, _written(session, number)))
    last = session.scalar(sa.select(t.PlanDomain.version).where(t.PlanDomain.id == plan.LOG)) or 0
    if last > number:
        broken.append(f"decision {last}: is missing, the last one is {number}")
    return number


def _counters(session: Session, state: State) -> Iterator[str]:
    """Compare what is noted as pegged of each supply with its pegs."""
    given: dict[tuple[str, int], int] = {}
    for peg in state.of["peg"].values():
        if peg.kind in ("make", "receipt"):
            given[peg.kind, peg.supply] = given.get((peg.kind, peg.supply), 0) + peg.quantity
    line, order = t.PurchaseOrderLine, t.ProductionOrder
    noted: Iterable[tuple[str, str, sa.Select[int, int]]] = (
        ("receipt", "receipt", sa.select(line.id, line.pegged).where(line.received < line.quantity)),
        ("make", "order", sa.select(order.id, order.pegged).where(order.state.in_(decisions.OPEN))),
    )
    for kind, name, query in noted:
        for key, pegged in session.execute(query):
            if pegged != given.get((kind, key), 0):
                yield f"{name} {key}: {pegged} noted as pegged, its pegs add up to {given.get((kind, key), 0)}"


def _stock(session: Session) -> Iterator[str]:
    """Compare what is noted as kept of each item on the shelf with the pegs of it; nothing may be kept that is not there."""
    totals = (
        sa.select(t.Peg.item_id, t.Peg.warehouse_id, t.Reservation.state, sa.func.sum(t.Peg.quantity))
        .join(t.Reservation, t.Reservation.id == t.Peg.reservation_id)
        .where(t.Peg.kind == "stock", t.Peg.used.is_(False), t.Reservation.state.in_(LIVE))
        .group_by(t.Peg.item_id, t.Peg.warehouse_id, t.Reservation.state)
    )
    kept: dict[tuple[str, int, int | None], int] = {}
    for item_id, warehouse_id, state, quantity in session.execute(totals):
        key = total_of(state), item_id, warehouse_id
        kept[key] = kept.get(key, 0) + int(quantity)
    of = t.Stock
    for row in session.execute(sa.select(of.item_id, of.warehouse_id, of.on_hand, of.allocated, of.reserved)):
        noted: Mapping[str, int] = {"allocated": row.allocated, "reserved": row.reserved}
        here = f"stock of item {row.item_id} in warehouse {row.warehouse_id}"
        for total, quantity in noted.items():
            pegs = kept.get((total, row.item_id, row.warehouse_id), 0)
            if quantity != pegs:
                yield f"{here}: {quantity} {total}, its pegs add up to {pegs}"
        if row.allocated + row.reserved > row.on_hand:
            yield f"{here}: more is kept than is there"


def _reservations(session: Session) -> Iterator[str]:
    """Let every live promise stand on what it promises, and nothing stand behind one that has ended."""
    own = t.Peg.production_order_id.is_(None), t.Peg.used.is_(False)
    totals = (
        sa.select(t.Peg.reservation_id, sa.func.sum(t.Peg.quantity).label("pegged")).where(*own).group_by(t.Peg.reservation_id)
    )
    pegs = totals.subquery()
    of = t.Reservation
    rows = session.execute(
        sa.select(of.id, of.state, of.quantity, pegs.c.pegged)
        .outerjoin(pegs, pegs.c.reservation_id == of.id)
        .where(of.state.in_(LIVE), sa.func.coalesce(pegs.c.pegged, of.quantity) != of.quantity)
        .order_by(of.id)
    )
    for key, state, quantity, pegged in rows:
        yield f"reservation {key} ({state}): {quantity} promised, its pegs add up to {pegged}"
    ended = sa.select(t.Peg.id, of.id, of.state).join(of, of.id == t.Peg.reservation_id)
    for peg_id, key, state in session.execute(ended.where(t.Peg.used.is_(False), of.state.not_in(LIVE)).order_by(t.Peg.id)):
        yield f"peg {peg_id}: left behind by reservation {key}, which is {state}"
