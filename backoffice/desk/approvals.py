"""Refunds to approve: what sales asks for above the limit, decided by somebody else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session, aliased

from backoffice.crm.models import Order, Party
from backoffice.desk import context, forms
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.erp.models import Staff
from backoffice.payments import refunds, requests
from backoffice.payments.models import Payment, RefundRequest
from backoffice.public.errors import BadInput, ShopError

bp = Blueprint("approvals", __name__, url_prefix="/desk/admin/refunds")
MOST_WAITING, MOST_DECIDED = 200, 20


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, whose money it is, and how much is left of the payment."""

    request: RefundRequest
    customer: str
    asked_by: str
    decided_by: str
    paid_minor: int
    left_minor: int


@bp.get("")
def home() -> ResponseReturnValue:
    """List what waits, the oldest first, and what was decided lately."""
    return _page()


@bp.post("/<int:request_id>/approve")
def approve(request_id: int) -> ResponseReturnValue:
    """Approve a request: the money is on its way then."""
    me, now = context.me(), context.now()
    return _do(
        request_id, lambda db: requests.approve(db, request_id, by=me, now=now), _("Approved. The money is on its way back."), ""
    )


@bp.post("/<int:request_id>/decline")
def decline(request_id: int) -> ResponseReturnValue:
    """Decline a request and say why."""
    me, now, note = context.me(), context.now(), forms.text("note")[:5_100].replace("\x00", "")
    return _do(
        request_id,
        lambda db: requests.decline(db, request_id, note, by=me, now=now),
        _("Declined. Whoever asked sees your reason on the order."),
        note,
    )


def find_asked(session: Session) -> tuple[Sequence[Asked], Sequence[Asked]]:
    """Return what waits, the oldest first, and what was decided, the newest first."""
    decider = aliased(Staff)
    rows = (
        sa.select(RefundRequest, Party.name, Staff.name, decider.name, Payment)
        .join(Payment, Payment.id == RefundRequest.payment_id)
        .join(Order, Order.payment_id == Payment.id)
        .join(Party, Party.id == Order.party_id)
        .join(Staff, Staff.id == RefundRequest.asked_by_id)
        .join(decider, decider.id == RefundRequest.decided_by_id, isouter=True)
    )
    waiting = rows.where(RefundRequest.state == "waiting").order_by(RefundRequest.id).limit(MOST_WAITING)
    decided = rows.where(RefundRequest.state.in_(("approved", "declined"))).order_by(RefundRequest.decided_at.desc())
    return _asked(session, waiting), _asked(session, decided.limit(MOST_DECIDED))


def _asked(session: Session, rows: sa.Select[RefundRequest, str, str, str, Payment]) -> Sequence[Asked]:
    return [
        Asked(
            request,
            customer,
            asked_by,
            decided_by or "",
            payment.amount_minor,
            payment.amount_minor - payment.refunded_minor if payment.state in refunds.PAID else 0,
        )
        for request, customer, asked_by, decided_by, payment in session.execute(rows).all()
    ]


def _do(request_id: int, work: Callable[[Session], object], said: str, note: str) -> ResponseReturnValue:
    try:
        context.write(work)
    except ShopError as error:
        if error.status == 404:
            raise
        fields = error.fields if isinstance(error, BadInput) else {}
        return _page({"id": str(request_id), "note": note, "problem": explain(error)}, fields, error.status)
    flash(said)
    return redirect(url_for("approvals.home"), 303)


def _page(
    typed: Mapping[str, str] | None = None, fields: Mapping[str, str] | None = None, status: int = 200
) -> ResponseReturnValue:
    waiting, decided = context.read(find_asked)
    return render_template(
        "desk/admin/refunds.html", waiting=waiting, decided=decided, typed=typed or {}, fields=fields or {}
    ), status
