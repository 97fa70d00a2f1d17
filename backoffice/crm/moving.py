"""When the plan moves orders' days: keep the promised ones, store the expected ones with their causes, tell each customer once.

One change is one letter to each, however many lines it moves; a change that moves no day says nothing. All orders that one change
moves are read and written together, in a number of statements that does not depend on how many they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import causes, events
from backoffice.crm import slips, timeline
from backoffice.crm.models import Activity, Checkout, Order, OrderLine, Slip
from backoffice.crm.orders import checkout_frame
from backoffice.db import update_rows
from backoffice.erp import splitting
from backoffice.public.orders import CauseLink

DAY_MOVED, DAY_UNKNOWN = "day_moved", "day_unknown"  # what a letter, and the timeline's entry, is
Days = Mapping[int, date | None]  # line (or its reservation) → its day, None: nobody knows one


@dataclass(frozen=True, slots=True)
class _Told:
    """An order that is spoken of. before: the days of its lines as its customer knows them; moved: the lines with others now."""

    order: Order
    checkout: Checkout
    lines: Sequence[OrderLine]
    before: Days
    moved: Sequence[OrderLine]


def on_days_moved(session: Session, happened: events.ExpectedDaysMoved) -> None:
    """Write once when days move, once when nobody knows one any more, once when one is found."""
    told = [one for one in _follow_all(session, happened) if one.moved]
    if not told:
        return
    timeline.record_all(session, [_entry(one.order, line, happened.at) for one in told for line in one.moved])
    waiting = _ask(session, told, happened.at)
    letters = [_letter(session, one, waiting.get(one.order.id), happened.at) for one in told]
    events.publish(session, events.MailsWanted(tuple(letters)))


def _follow_all(session: Session, happened: events.ExpectedDaysMoved) -> list[_Told]:
    """Let the lines of all orders expect what their parcels now do."""
    orders = sa.select(Order, Checkout).join(Checkout, Checkout.id == Order.checkout_id)
    rows = session.execute(orders.where(Order.number.in_(sorted(happened.moves)))).all()
    bought = {order.number: (order, checkout) for order, checkout in rows}
    lines = _lines_of(session, [order.id for order, _ in bought.values()])
    named = [line.reservation_id for some in lines.values() for line in some]
    arrives = splitting.last_days(session, named) | dict.fromkeys(splitting.lacking(session, named))
    first = splitting.roots(session, [move.reservation_id for moves in happened.moves.values() for move in moves])
    found = []
    for number, moves in happened.moves.items():
        if number in bought:
            order, checkout = bought[number]
            own = lines[order.id]
            before = _days(own)
            found.append(_Told(order, checkout, own, before, _follow(own, moves, first, arrives)))
    changed = [line for one in found for line in one.lines if sa.inspect(line).modified]
    update_rows(session, changed, "expected_on", "moved_because", "moved_cause")
    return found


def _lines_of(session: Session, order_ids: Sequence[int]) -> Mapping[int, list[OrderLine]]:
    found: dict[int, list[OrderLine]] = defaultdict(list)
    for line in session.scalars(sa.select(OrderLine).where(OrderLine.order_id.in_(sorted(order_ids))).order_by(OrderLine.id)):
        found[line.order_id].append(line)
    return found


def _days(lines: Sequence[OrderLine]) -> dict[int, date | None]:
    return {line.id: line.expected_on if causes.is_day_known(line.moved_cause) else None for line in lines}


def _follow(lines: Sequence[OrderLine], moves: Sequence[events.Move], first: Mapping[int, int], arrives: Days) -> list[OrderLine]:
    """Let an order's lines expect what their parcels now do; return those of the moves that have another day than before.

    first: reservation → the one that its line names; arrives: that one → the day on which the last of its parcels is expected;
    none while a part of it has no supply.
    """
    moved: dict[int, OrderLine] = {}
    for move in moves:
        line = next((one for one in lines if one.reservation_id == first[move.reservation_id]), None)
        if line is not None and _moves(line, move, arrives[line.reservation_id]):
            moved[line.id] = line
    for mate in lines:  # what leaves in the same parcel arrives with it
        if causes.is_day_known(mate.moved_cause):
            mate.expected_on = arrives[mate.reservation_id] or mate.expected_on
    return list(moved.values())


def _moves(line: OrderLine, move: events.Move, last_on: date | None) -> bool:
    """Let a line expect the day of its last parcel, and keep why; False if that is what was expected before."""
    was_on = line.expected_on if causes.is_day_known(line.moved_cause) else None
    expected_on = last_on if move.ready_at is not None else None
    if expected_on == was_on:
        return False
    chain = move.cause.chain
    if chain:
        days = (expected_on - was_on).days if expected_on and was_on else None
        chain = (*chain, CauseLink("line", line.name, days=days))
    cause = replace(move.cause, chain=chain)
    line.moved_because = causes.in_english(cause)
    line.moved_cause = causes.stored(cause, day_known=expected_on is not None)
    line.expected_on = expected_on or line.expected_on
    return True


def _said(line: OrderLine) -> dict[str, Any]:
    """Return what is said of a line that moved."""
    said: dict[str, Any] = {"item": line.name, "promised_on": line.promised_on.isoformat()}
    if causes.is_day_known(line.moved_cause):
        said["expected_on"] = line.expected_on.isoformat()
    cause = causes.read(line.moved_cause)
    return said | {"cause": causes.stored(cause) if cause else {}}


def _entry(order: Order, line: OrderLine, at: datetime) -> Activity:
    """Return what the timeline says of a line that moved."""
    said = _said(line)
    kind = DAY_MOVED if "expected_on" in said else DAY_UNKNOWN
    english = line.moved_because or ""
    text = english if english.startswith(f"{line.name}:") else f"{line.name}: {english}"
    return timeline.entry(order.party_id, kind, text=text, order_ref=order.number, values=said, now=at)


def _ask(session: Session, told: Sequence[_Told], at: datetime) -> Mapping[int, Slip]:
    """Let customers choose where there is something to choose: a day has become worse or is still late; return order → slip."""
    waiting = slips.find_open_all(session, [one.order.id for one in told])
    kept, worse = [], []
    for one in told:
        late, now_on = slips.late_of(one.lines), _days(one.lines)
        is_worse = any(is_later(now_on[line_id], was_on) for line_id, was_on in one.before.items())
        if late and (is_worse or one.order.id in waiting):
            worse.append(slips.Worse(one.order, late, one.before))
        elif not late and one.order.id in waiting:
            kept.append(waiting[one.order.id])
        # else they have chosen, and it comes earlier than they agreed to
    slips.end_all(session, kept, now=at)
    return slips.tell_all(session, worse, waiting, now=at)


def is_later(now_on: date | None, was_on: date | None) -> bool:
    """Tell whether a line's day has become worse: later, or unknown where there was one."""
    if was_on is None:
        return False
    return now_on is None or now_on > was_on


def _letter(session: Session, told: _Told, slip: Slip | None, at: datetime) -> events.MailWanted:
    """Return what is written to a customer: the line that waits longest first, the others named below it."""
    worst, *others = sorted((_said(line) for line in told.moved), key=lambda one: str(one.get("expected_on", "9")), reverse=True)
    number = told.order.number
    frame = checkout_frame(session, told.checkout, number)
    payload = frame | worst | {"others": others, "choose": ""}
    if slip:
        choose = frame["secrets"]["link"] | {"after": f"/moved/{slip.id}"}
        payload |= {"secrets": frame["secrets"] | {"choose": choose}}
    kind = DAY_MOVED if "expected_on" in worst else DAY_UNKNOWN
    return events.MailWanted(kind, f"order:{number}", payload, at)
