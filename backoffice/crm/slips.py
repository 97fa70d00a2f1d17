"""Slips: a later day that a customer was told of, waiting for what they choose. Told once, chosen once.

States (SLIP_MOVES): every move is one conditional update, so of two tabs, or of a choice and the next slip, one wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import audit, causes, events
from backoffice.crm import slip_calls, timeline
from backoffice.crm.models import Order, OrderLine, Slip
from backoffice.public.errors import NotFound, Refused

CHOSEN = ("accepted", "parted", "substituted", "cancelled")
SLIP_MOVES: dict[str, tuple[str, ...]] = {
    "open": (*CHOSEN, "replaced", "over"),
    **dict.fromkeys((*CHOSEN, "replaced", "over"), ()),
}


@dataclass(frozen=True, slots=True)
class Worse:
    """An order whose customer is to be told of its late lines. before: the day of each line as they knew it, None: no day."""

    order: Order
    late: Sequence[OrderLine]
    before: Mapping[int, date | None]


def tell_all(session: Session, worse: Sequence[Worse], waiting: Mapping[int, Slip], *, now: datetime) -> dict[int, Slip]:
    """Write down that the customers of these orders are told of their late lines; return order → its slip.

    waiting: `find_open_all` of the orders: a slip that still waits gives way to the new one. An order of importance is a task
    at once. In a handful of statements, however many orders there are.
    """
    before = {one.order.id: waiting[one.order.id] for one in worse if one.order.id in waiting}
    _move_all(session, [slip.id for slip in before.values()], "replaced")
    told = {
        one.order.id: Slip(
            order_id=one.order.id,
            state="open",
            lines=[_told(line, one.before) for line in one.late],
            told_at=now,
            lead_id=before[one.order.id].lead_id if one.order.id in before else None,
        )
        for one in worse
    }
    slip_calls.call_important(session, [(one.order, told[one.order.id]) for one in worse], now=now)
    session.add_all(told.values())
    session.flush()
    return told


def late_lines(session: Session, order_id: int) -> list[OrderLine]:
    """Return an order's lines that come later than promised, or that nobody has a day for."""
    return late_of(session.scalars(sa.select(OrderLine).where(OrderLine.order_id == order_id).order_by(OrderLine.id)))


def late_of(lines: Iterable[OrderLine]) -> list[OrderLine]:
    """Return those of these lines that come later than promised, or that nobody has a day for."""
    return [line for line in lines if not causes.is_day_known(line.moved_cause) or line.expected_on > line.promised_on]


_OPEN = (
    sa.select(Slip)
    .where(Slip.order_id == sa.bindparam("order_id"), Slip.state == "open")
    .execution_options(populate_existing=True)
)


def find_open(session: Session, order_id: int) -> Slip | None:
    """Return the slip of an order that waits for a choice, as it stands in the database now."""
    return session.scalar(_OPEN, {"order_id": order_id})


def find_open_all(session: Session, order_ids: Iterable[int]) -> dict[int, Slip]:
    """Return order → its slip that waits for a choice, of those that have one, as they stand in the database now."""
    wanted = sa.select(Slip).where(Slip.order_id.in_(sorted(order_ids)), Slip.state == "open")
    return {slip.order_id: slip for slip in session.scalars(wanted.execution_options(populate_existing=True))}


def newest(session: Session, order_id: int) -> Slip | None:
    """Return the slip that an order's customer was told of last."""
    return session.scalar(sa.select(Slip).where(Slip.order_id == order_id).order_by(Slip.id.desc()).limit(1))


def get_slip(session: Session, order_id: int, slip_id: int) -> Slip:
    """Return a slip of this order. Raises NotFound(unknown_slip), for those of others too."""
    query = sa.select(Slip).where(Slip.id == slip_id, Slip.order_id == order_id)
    slip = session.scalar(query.execution_options(populate_existing=True))
    if slip is None:
        raise NotFound("unknown_slip")
    return slip


def end(session: Session, order_id: int, *, now: datetime) -> None:
    """Say that nothing is left to choose of an order: its day is kept after all, it has left, or it is cancelled."""
    slip = find_open(session, order_id)
    if slip is not None:
        end_all(session, [slip], now=now)


def end_all(session: Session, waiting: Sequence[Slip], *, now: datetime) -> None:
    """Say so of these slips, all at once."""
    ended = _move_all(session, [slip.id for slip in waiting], "over")
    slip_calls.close_all(session, [slip for slip in waiting if slip.id in ended], now=now)


def on_shipped(session: Session, happened: events.ShipmentShipped) -> None:
    """Say that nothing is left to choose once all of an order has left."""
    order_id = session.scalar(sa.select(Order.id).where(Order.number == happened.order_ref))
    if happened.complete and order_id is not None:
        end(session, order_id, now=happened.at)


def mark(session: Session, order: Order, slip_id: int, state: str, option: str, *, by: str, now: datetime) -> bool:
    """Mark a slip as chosen, once. False: the same was chosen before, nothing happens. by: "customer" or a colleague's name.

    option: which of several it was, empty for a choice without. Raises NotFound(unknown_slip), Refused(already_chosen |
    newer_day | too_late_to_choose).
    """
    choice = {"option": option} if option else {}
    if _move(session, slip_id, state, choice=choice, chosen_at=now, chosen_by=by):
        return True
    slip = get_slip(session, order.id, slip_id)
    if slip.state == state and slip.choice.get("option", "") == option:
        return False
    raise Refused({"replaced": "newer_day", "over": "too_late_to_choose"}.get(slip.state, "already_chosen"))


def note(session: Session, order: Order, slip: Slip, *, by: str, now: datetime) -> None:
    """Write what was chosen into the order's history and the audit, and take the call off the list of sales."""
    slip_calls.close_all(session, [slip], now=now)
    said = {"choice": slip.state, **{name: value for name, value in slip.choice.items() if name in ("item", "instead_of")}}
    actor = "" if by == "customer" else by
    text = str(slip.choice.get("said_by", ""))  # who told the colleague so
    timeline.record(session, order.party_id, "chosen", text=text, order_ref=order.number, values=said, actor=actor, now=now)
    details = {"slip": slip.id, "choice": slip.state, **slip.choice}
    audit.record(session, "slip.choose", f"order:{order.number}", actor=by, details=details, now=now)


def _told(line: OrderLine, before: Mapping[int, date | None]) -> dict[str, Any]:
    known = causes.is_day_known(line.moved_cause)
    was_on = before.get(line.id)
    return {
        "line_id": line.id,
        "name": line.name,
        "quantity": line.quantity,
        "promised_on": line.promised_on.isoformat(),
        "before_on": was_on.isoformat() if was_on else None,
        "expected_on": line.expected_on.isoformat() if known else None,
        "cause": line.moved_cause,
    }


def _move(session: Session, slip_id: int, new: str, **values: Any) -> bool:
    return slip_id in _move_all(session, [slip_id], new, **values)


def _move_all(session: Session, slip_ids: Sequence[int], new: str, **values: Any) -> set[int]:
    """Move slips on that may go there; return which were moved."""
    if not slip_ids:
        return set()
    allowed = [old for old, news in SLIP_MOVES.items() if new in news]
    moved = (
        sa.update(Slip)
        .where(Slip.id.in_(slip_ids), Slip.state.in_(allowed))
        .values(state=new, **values)
        .returning(Slip.id)
        .execution_options(synchronize_session="fetch")
    )
    return set(session.scalars(moved))
