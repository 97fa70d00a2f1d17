"""When the plan moves an order's days: keep the promised ones, store the expected ones with their causes, tell the customer once.

One change is one letter, however many lines it moves; a change that moves no day says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from backoffice import causes, events
from backoffice.crm import slips, timeline
from backoffice.crm.models import Order, OrderLine
from backoffice.crm.orders import find_by_number, lines_of, mail_frame
from backoffice.erp import models as t
from backoffice.erp import splitting
from backoffice.public.orders import CauseLink

Days = Mapping[int, date | None]  # line (or its reservation) → its day, None: nobody knows one


def make_on_days_moved(secret_key: str) -> Callable[[Session, events.ExpectedDaysMoved], None]:
    """Return the listener; it writes once when days move, once when nobody knows one any more, once when one is found."""

    def on_days_moved(session: Session, happened: events.ExpectedDaysMoved) -> None:
        order = find_by_number(session, happened.order_ref)
        if order is None:
            return
        lines = lines_of(session, order.id)
        before = _days(lines)
        arrives = {line.reservation_id: splitting.last_day(session, line.reservation_id) for line in lines}
        moved = [line for move in happened.moves if (line := _follow(session, move, lines, arrives)) is not None]
        moved = list({line.id: line for line in moved}.values())
        for mate in lines:  # what leaves in the same parcel arrives with it
            if causes.is_day_known(mate.moved_cause):
                mate.expected_on = arrives[mate.reservation_id] or mate.expected_on
        if not moved:
            return
        session.flush()
        for line in moved:
            _note(session, order, line, happened)
        slip_id = _ask(session, order, lines, before, happened)
        _tell(session, order, moved, slip_id, secret_key, happened)

    return on_days_moved


def _days(lines: Sequence[OrderLine]) -> dict[int, date | None]:
    return {line.id: line.expected_on if causes.is_day_known(line.moved_cause) else None for line in lines}


def _follow(session: Session, move: events.Move, lines: Sequence[OrderLine], arrives: Days) -> OrderLine | None:
    """Let the move's line expect what its parcels now do, and keep why; None if that is what was expected before.

    arrives: reservation → the day on which the last of its parcels is expected now.
    """
    first = splitting.root(session.get_one(t.Reservation, move.reservation_id))
    line = next((one for one in lines if one.reservation_id == first), None)
    if line is None:
        return None
    was_on = line.expected_on if causes.is_day_known(line.moved_cause) else None
    expected_on = arrives[first] if move.ready_at is not None else None
    if expected_on == was_on:
        return None
    chain = move.cause.chain
    if chain:
        days = (expected_on - was_on).days if expected_on and was_on else None
        chain = (*chain, CauseLink("line", line.name, days=days))
    cause = replace(move.cause, chain=chain)
    line.moved_because = causes.in_english(cause)
    line.moved_cause = causes.stored(cause, day_known=expected_on is not None)
    line.expected_on = expected_on or line.expected_on
    return line


def _said(line: OrderLine) -> dict[str, Any]:
    """Return what is said of a line that moved."""
    said: dict[str, Any] = {"item": line.name, "promised_on": line.promised_on.isoformat()}
    if causes.is_day_known(line.moved_cause):
        said["expected_on"] = line.expected_on.isoformat()
    cause = causes.read(line.moved_cause)
    return said | {"cause": causes.stored(cause) if cause else {}}


def _note(session: Session, order: Order, line: OrderLine, happened: events.ExpectedDaysMoved) -> None:
    """Write it into the timeline."""
    said = _said(line)
    kind = "day_moved" if "expected_on" in said else "day_unknown"
    english = line.moved_because or ""
    text = english if english.startswith(f"{line.name}:") else f"{line.name}: {english}"
    timeline.record(session, order.party_id, kind, text=text, order_ref=order.number, values=said, now=happened.at)


def _ask(
    session: Session, order: Order, lines: Sequence[OrderLine], before: Days, happened: events.ExpectedDaysMoved
) -> int | None:
    """Return the slip that lets the customer choose, if there is something to choose: a day has become worse or is still late."""
    late, now_on = slips.late_of(lines), _days(lines)
    if not late:
        slips.end(session, order.id, now=happened.at)
        return None
    worse = any(is_later(now_on[one], was_on) for one, was_on in before.items())
    if not worse and slips.find_open(session, order.id) is None:
        return None  # they have chosen, and it comes earlier than they agreed to
    return slips.tell_of(session, order, late, before, now=happened.at).id


def is_later(now_on: date | None, was_on: date | None) -> bool:
    """Tell whether a line's day has become worse: later, or unknown where there was one."""
    if was_on is None:
        return False
    return now_on is None or now_on > was_on


def _tell(
    session: Session,
    order: Order,
    moved: list[OrderLine],
    slip_id: int | None,
    secret_key: str,
    happened: events.ExpectedDaysMoved,
) -> None:
    """Write to the customer: the line that waits longest first, the others named below it."""
    worst, *others = sorted((_said(line) for line in moved), key=lambda one: str(one.get("expected_on", "9")), reverse=True)
    frame = mail_frame(session, order, secret_key)
    payload = frame | worst | {"others": others, "choose": f"{frame['link']}/moved/{slip_id}" if slip_id else ""}
    kind = "day_moved" if "expected_on" in worst else "day_unknown"
    events.publish(session, events.MailWanted(kind, f"order:{order.number}", payload, happened.at))
