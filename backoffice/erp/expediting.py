"""Ask a supplier for an earlier day, and write down what they answered."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from backoffice import audit, causes
from backoffice.erp import decisions, plan, purchasing, replan
from backoffice.erp import models as t
from backoffice.erp.company import get_company, local_today
from backoffice.public.errors import BadInput, NotFound, Refused


def ask(
    session: Session, line_id: int, wanted_on: date, *, note: str = "", actor: str, by: str, role: str = "", now: datetime
) -> None:
    """Note that the supplier was asked to deliver a line on an earlier day; no promise moves before they answer.

    actor: the colleague's name, for their desk; by: their e-mail, for the audit.
    Raises NotFound(unknown_receipt), BadInput(invalid_form, wanted_on), Refused(not_ordered_yet), Refused(wrong_state) once all
    of it is here.
    """
    line = _get(session, line_id)
    order = session.get_one(t.PurchaseOrder, line.purchase_order_id)
    if order.state == "proposed":
        raise Refused("not_ordered_yet")
    company = get_company(session)
    if wanted_on < local_today(company, now):
        raise BadInput("invalid_form", {"wanted_on": "past_date"})
    due_on = local_today(company, line.due_at)
    if wanted_on >= due_on and due_on > local_today(company, now):  # of what is due or overdue any day may be asked
        raise BadInput("invalid_form", {"wanted_on": "not_earlier"})
    before = line.expedite_on
    result = session.execute(
        sa.update(t.PurchaseOrderLine)
        .where(t.PurchaseOrderLine.id == line.id, t.PurchaseOrderLine.received < t.PurchaseOrderLine.quantity)
        .values(expedite_on=wanted_on, expedite_asked_at=now, expedite_asked_by=actor)
        .execution_options(synchronize_session="fetch", **decisions.NOTED)  # asking moves nothing
    )
    if cast("CursorResult[Any]", result).rowcount != 1:
        raise Refused("wrong_state", state="received")
    details = {
        "due_at": line.due_at.isoformat(),
        "asked_before": _iso(before),
        "wanted_on": wanted_on.isoformat(),
        "note": note[:500],
    }
    audit.record(session, "receipt.expedite", _subject(line), actor=by, role=role, details=details, now=now)


def answer(
    session: Session, line_id: int, due_at: datetime, *, version: int, actor: str, by: str, role: str = "", now: datetime
) -> int:
    """Write down the day that the supplier named; whoever waits is planned anew. Returns how many lines moved.

    Raises as `purchasing.move_due`.
    """
    line = _get(session, line_id)
    before, asked = line.due_at, line.expedite_on
    moved = purchasing.move_due(session, line_id, due_at, version=version, actor=actor, now=now)
    _clear(session, line_id)
    details = {"before": before.isoformat(), "after": due_at.isoformat(), "asked_for": _iso(asked), "lines_moved": moved}
    audit.record(session, "receipt.due", _subject(line), actor=by, role=role, details=details, now=now)
    return moved


def decline(session: Session, line_id: int, *, by: str, role: str = "", now: datetime) -> None:
    """Write down that the supplier cannot: the day stays.

    Raises NotFound(unknown_receipt), Refused(wrong_state) if nobody asked them.
    """
    line = _get(session, line_id)
    if line.expedite_on is None:
        raise Refused("wrong_state", state="not_asked")
    details = {"due_at": line.due_at.isoformat(), "asked_for": _iso(line.expedite_on)}
    _clear(session, line_id)
    audit.record(session, "receipt.expedite_declined", _subject(line), actor=by, role=role, details=details, now=now)


def earlier(session: Session, production_order_id: int, *, by: str, role: str = "", now: datetime) -> None:
    """Plan the promise behind a production order anew, for the minutes and goods that have become free since.

    Raises NotFound(unknown_production_order), Refused(wrong_state), Refused(made_for_stock), and Refused(no_earlier) when
    nothing is gained: then all stays as it was.
    """
    plan.bump(session)
    order = session.get(t.ProductionOrder, production_order_id, populate_existing=True)
    if order is None:
        raise NotFound("unknown_production_order")
    if order.state != "planned":
        raise Refused("wrong_state", state=order.state)
    if order.reservation_id is None:
        raise Refused("made_for_stock")
    reservation = session.get_one(t.Reservation, order.reservation_id, populate_existing=True)
    before = reservation.ready_at
    replan.after_change(session, [reservation.id], cause=causes.of("planned_again"), now=now)
    session.refresh(reservation)
    if reservation.ready_at >= before:
        raise Refused("no_earlier")
    details = {"order": reservation.order_ref, "before": before.isoformat(), "after": reservation.ready_at.isoformat()}
    audit.record(session, "production.earlier", f"production_order:{order.id}", actor=by, role=role, details=details, now=now)


def _clear(session: Session, line_id: int) -> None:
    session.execute(
        sa.update(t.PurchaseOrderLine)
        .where(t.PurchaseOrderLine.id == line_id)
        .values(expedite_on=None, expedite_asked_at=None, expedite_asked_by="")
        .execution_options(synchronize_session="fetch", **decisions.NOTED)  # moves nothing
    )


def _get(session: Session, line_id: int) -> t.PurchaseOrderLine:
    line = session.get(t.PurchaseOrderLine, line_id, populate_existing=True)
    if line is None:
        raise NotFound("unknown_receipt")
    return line


def _subject(line: t.PurchaseOrderLine) -> str:
    return f"receipt:{line.id}"


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
