"""Find a better sequence for the next weeks' work and take it over: placed orders come earlier or stay, never later.

Read, search and write are three steps, and nothing is locked while the solver works. What it proposes is dated by the planning
engine and checked against every rule before it is written (backoffice/optimiser); and it is written only into the plan that it
was made for: if that has moved meanwhile, it is thrown away.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from backoffice import causes, events
from backoffice.db import Database
from backoffice.erp import decisions, fulfilment, offers, plan, replan, retelling, shop_floor, splitting
from backoffice.erp import models as t
from backoffice.optimiser import process, window
from backoffice.optimiser.floor import Floor
from backoffice.optimiser.proposing import BadProposal, Proposal, Solve, propose
from backoffice.planning.instants import MINUTE, micros, moment

FROZEN = timedelta(hours=4)  # what begins within this is being set up: it stays
NEAR = timedelta(days=28)
MOST_OPERATIONS = 1_000
log = structlog.get_logger("shopfloor.reoptimise")

Ending = Literal["applied", "nothing_better", "plan_moved", "refused", "no_answer", "only_looked"]


@dataclass(frozen=True, slots=True)
class Report:
    """What a search has come to. operations: that it was free to move; why: of an ending that is no success.

    Minutes are summed over the orders; late: those after the promised day. proven: no sequence is better.
    """

    ending: Ending
    operations: int
    orders_earlier: int = 0
    minutes_saved: int = 0
    late_minutes_saved: int = 0
    proven: bool = False
    why: str = ""


class _Moved(Exception):
    """Say that the plan is not the one that was read. Caught by `reoptimise`, after all was rolled back."""


def reoptimise(
    db: Database, *, seconds: float, clock: Callable[[], datetime], apply: bool = True, solve: Solve = process.solve
) -> Report:
    """Search for `seconds` (> 0) and take over what is better; tell what came of it.

    Whatever goes wrong (a dead solver, a proposal that breaks a rule, a plan that has moved) changes nothing.
    apply: False only looks.
    """
    read_at = clock()
    with db.read() as session:
        version = plan.version(session)
        floor = shop_floor.read(session, now=read_at)
    near = window.choose(floor, micros(read_at + FROZEN), micros(read_at + NEAR), MOST_OPERATIONS)
    operations = len(near.operations())
    try:
        proposal = propose(near, seconds, solve)
    except (process.SolverFailed, BadProposal) as error:
        ending: Ending = "refused" if isinstance(error, BadProposal) else "no_answer"
        return _told(Report(ending, operations, why=error.why))
    if not proposal.is_better:
        return _told(Report("nothing_better", operations, proven=proposal.proven))
    done = Report(
        "applied" if apply else "only_looked",
        operations,
        _orders(db, proposal),
        proposal.time_saved // MINUTE,
        proposal.lateness_saved // MINUTE,
        proposal.proven,
    )
    if apply:
        try:
            db.run(lambda session: _take_over(session, floor, proposal, done, version, read_at=read_at, now=clock()))
        except _Moved as moved:
            return _told(Report("plan_moved", operations, why=str(moved)))
    return _told(done)


def _told(report: Report) -> Report:
    log.info(
        report.ending,
        operations=report.operations,
        orders_earlier=report.orders_earlier,
        minutes_saved=report.minutes_saved,
        why=report.why,
    )
    return report


def _orders(db: Database, proposal: Proposal) -> int:
    """Return how many orders have something earlier."""
    earlier = sorted(demand.key for demand, _ in proposal.earlier)
    wanted = sa.select(sa.func.count(t.Reservation.order_ref.distinct())).where(t.Reservation.id.in_(earlier))
    with db.read() as session:
        return session.scalar(wanted) or 0


def _take_over(
    session: Session, floor: Floor, proposal: Proposal, report: Report, version: int, *, read_at: datetime, now: datetime
) -> None:
    """Write new places into the plan of that version, with all that follows from them. Raises _Moved."""
    if now >= read_at + FROZEN:
        raise _Moved("the search took too long")
    if not plan.raise_from(session, version):
        raise _Moved("the plan has moved meanwhile")
    moved = sorted({lot.key for lot in floor.lots.values() if any(one.key in proposal.places for one in lot.operations)})
    touched = _touched(session, moved)
    replan.lock(session, touched)
    if shop_floor.read(session, now=read_at) != floor:  # a dead hold that was swept raises no version
        raise _Moved("what it stands on has moved meanwhile")
    decisions.because(session, "resequenced", now=now)
    moves = _move(session, proposal)
    _date_orders(session, moved)
    _tell(session, touched, now=now)
    items = session.scalars(sa.select(t.ProductionOrder.item_id).where(t.ProductionOrder.id.in_(moved))).all()
    offers.touch(session, items, now=now, capacity=True)
    session.add(
        t.Resequencing(
            at=now,
            plan_version=plan.version(session),
            orders_earlier=report.orders_earlier,
            minutes_saved=report.minutes_saved,
            late_minutes_saved=report.late_minutes_saved,
            moves=moves,
        )
    )
    session.flush()


def _touched(session: Session, moved: Sequence[int]) -> set[int]:
    """Return the reservations that these production orders are made for, and those that take something of them."""
    own = sa.select(t.ProductionOrder.reservation_id).where(t.ProductionOrder.id.in_(moved))
    taken = sa.select(t.Peg.reservation_id).where(t.Peg.supply_order_id.in_(moved), t.Peg.used.is_(False))
    return {found for found in [*session.scalars(own), *session.scalars(taken)] if found is not None}


def _move(session: Session, proposal: Proposal) -> list[dict[str, Any]]:
    """Give each slot its new place; return the moves as data."""
    moves = []
    wanted = sa.select(t.OperationSlot).where(t.OperationSlot.id.in_(sorted(proposal.places)))
    for slot in session.scalars(wanted.order_by(t.OperationSlot.id)):
        place, before = proposal.places[slot.id], _as_data(slot)
        slot.lane, slot.starts_at, slot.ends_at = place.lane, moment(place.starts_at), moment(place.ends_at)
        moves.append({"slot": slot.id, "production_order": slot.production_order_id, "before": before, "after": _as_data(slot)})
    session.flush()
    return moves


def _as_data(slot: t.OperationSlot) -> list[int | str]:
    return [slot.lane, slot.starts_at.isoformat(), slot.ends_at.isoformat()]


def _date_orders(session: Session, moved: Sequence[int]) -> None:
    """Let production orders, and pegs on what they make, have the dates of their slots."""
    slot, order = t.OperationSlot, t.ProductionOrder
    spans = sa.select(slot.production_order_id, sa.func.min(slot.starts_at), sa.func.max(slot.ends_at))
    dates = {
        key: span
        for key, *span in session.execute(spans.where(slot.production_order_id.in_(moved)).group_by(slot.production_order_id))
    }
    for row in session.scalars(sa.select(order).where(order.id.in_(moved)).order_by(order.id)):
        row.starts_at, row.ready_at = dates[row.id]
    for peg in session.scalars(
        sa.select(t.Peg).where(t.Peg.supply_order_id.in_(moved), t.Peg.used.is_(False)).order_by(t.Peg.id)
    ):
        peg.available_at = dates[peg.supply_order_id or 0][1]
    session.flush()


def _tell(session: Session, reservation_ids: Iterable[int], *, now: datetime) -> None:
    """Date the promises of placed orders by what they stand on now and tell their steps anew; publish the days that moved.

    What is in a cart or being paid for keeps the day that its buyer has just been shown.
    """
    wanted = sa.and_(t.Reservation.id.in_(sorted(reservation_ids)), t.Reservation.state == "converted")
    fresh = sa.select(t.Reservation).where(wanted).order_by(t.Reservation.id).execution_options(populate_existing=True)
    moved: dict[str, list[events.Move]] = defaultdict(list)
    for reservation in session.scalars(fresh).all():
        last = session.scalar(
            sa.select(sa.func.max(t.Peg.available_at)).where(
                t.Peg.reservation_id == reservation.id, t.Peg.production_order_id.is_(None), t.Peg.used.is_(False)
            )
        )
        reservation.ready_at = min(reservation.ready_at, last or reservation.ready_at)
        reservation.chain = retelling.retell(session, reservation, now=now)
        day = splitting.last_day(session, splitting.root(reservation))
        fulfilment.reschedule(session, reservation, now=now)
        if splitting.last_day(session, splitting.root(reservation)) != day:
            moved[reservation.order_ref or ""].append(
                events.Move(reservation.id, reservation.ready_at, causes.of("planned_again"))
            )
    if moved:
        events.publish(session, events.ExpectedDaysMoved({order_ref: tuple(some) for order_ref, some in moved.items()}, now))
