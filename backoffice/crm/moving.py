"""When the plan moves an order's day: keep the promised one, store the expected one with its cause, tell the customer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import causes, events
from backoffice.crm import timeline
from backoffice.crm.models import Order, OrderLine
from backoffice.crm.orders import lines_of, mail_frame
from backoffice.erp import models as t
from backoffice.erp import splitting


def make_on_day_moved(secret_key: str) -> Callable[[Session, events.ExpectedDayMoved], None]:
    """Return the listener; it writes once when a day moves, once when nobody knows one any more, once when one is found."""

    def on_day_moved(session: Session, happened: events.ExpectedDayMoved) -> None:
        first = splitting.root(session.get_one(t.Reservation, happened.reservation_id))
        line = session.scalar(sa.select(OrderLine).where(OrderLine.reservation_id == first))
        if line is None:
            return
        was_known = causes.is_day_known(line.moved_cause)
        expected_on = splitting.last_day(session, first) if happened.ready_at is not None else None
        line.moved_because = causes.in_english(happened.cause)
        line.moved_cause = causes.stored(happened.cause, day_known=expected_on is not None)
        order = session.get_one(Order, line.order_id)
        if expected_on is None:
            if was_known:
                _tell(session, order, line, happened, None, secret_key)
            return
        if was_known and expected_on == line.expected_on:
            return
        for mate in lines_of(session, order.id):  # what leaves in the same parcel arrives with it
            mate.expected_on = splitting.last_day(session, mate.reservation_id) or mate.expected_on
        _tell(session, order, line, happened, expected_on, secret_key)

    return on_day_moved


def _tell(
    session: Session,
    order: Order,
    line: OrderLine,
    happened: events.ExpectedDayMoved,
    expected_on: date | None,
    secret_key: str,
) -> None:
    """Write it into the timeline, and to the customer."""
    kind = "day_moved" if expected_on else "day_unknown"
    said: dict[str, Any] = {
        "item": line.name,
        "promised_on": line.promised_on.isoformat(),
        "cause": causes.stored(happened.cause),
    }
    if expected_on:
        said["expected_on"] = expected_on.isoformat()
    english = causes.in_english(happened.cause)
    text = english if english.startswith(f"{line.name}:") else f"{line.name}: {english}"
    timeline.record(session, order.party_id, kind, text=text, order_ref=order.number, values=said, now=happened.at)
    payload = mail_frame(session, order, secret_key) | said
    events.publish(session, events.MailWanted(kind, f"order:{order.number}", payload, happened.at))
