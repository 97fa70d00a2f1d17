"""Payments that somebody must look at, and refunds that did not go through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice.crm.models import Order
from backoffice.desk import context, forms
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.payments import handling
from backoffice.payments.models import Payment, Refund
from backoffice.public.errors import BadInput, ShopError

bp = Blueprint("troubles", __name__, url_prefix="/desk/admin/payments")
MOST = 200


@dataclass(frozen=True, slots=True)
class Trouble:
    """A payment with a problem and the order behind it, if there is one."""

    payment: Payment
    order: str


@bp.get("")
def home() -> ResponseReturnValue:
    """List payments with a problem, the oldest first."""
    return _page()


@bp.post("/<int:payment_id>/handled")
def handled(payment_id: int) -> ResponseReturnValue:
    """Say what was done about a payment."""
    me, now, note = context.me(), context.now(), forms.text("note").replace("\x00", " ")
    released: list[bool] = []
    try:
        context.write(lambda db: released.append(handling.handle(db, payment_id, note=note, by=me.email, role=me.role, now=now)))
    except ShopError as error:
        fields = error.fields if isinstance(error, BadInput) else {}
        return _page(explain(error), fields, {"id": str(payment_id), "note": note}, error.status)
    flash(_("Noted. The goods can be sold again.") if released[-1] else _("Noted."))
    return redirect(url_for("troubles.home"), 303)


def find_troubles(session: Session) -> tuple[Sequence[Trouble], Sequence[Refund]]:
    """Return payments with a problem and refunds that failed, the oldest first."""
    rows = session.execute(
        sa.select(Payment, Order.number)
        .join(Order, Order.payment_id == Payment.id, isouter=True)
        .where(Payment.problem != "")
        .order_by(Payment.opened_at, Payment.id)
        .limit(MOST)
    ).all()
    failed = session.scalars(sa.select(Refund).where(Refund.state == "failed").order_by(Refund.id).limit(MOST)).all()
    return [Trouble(payment, number or "") for payment, number in rows], failed


def advice(problem: str) -> str:
    """Say what a problem means and what to do about it."""
    words = {
        "amount_differs": _(
            "Paid, but not the amount that was asked. No order was made and nothing was given back by itself. Look the payment"
            " up at the provider, give the money back there, and write to the customer. Then say here that it is done: the"
            " goods that are still kept can be sold again."
        ),
        "not_settled": _(
            "We ask the provider about this payment again and again and cannot settle what it says; the log says why. Look the"
            " payment up at the provider. If nobody paid, or you gave the money back there, say here that it is done: goods that"
            " are still kept can be sold again."
        ),
        "refunded_elsewhere": _(
            "Money was given back at the provider, not here. See whether an order must be cancelled, then say that it is done."
        ),
        "dispute_lost": _(
            "The buyer's bank has kept this money for good. Cancel what has not left yet on the order's page, then say that it is"
            " done."
        ),
        "authorisation_lapsed": _(
            "The bank has let go of money that was only set aside, and its order still stands. Nothing of it leaves. Cancel it on"
            " its page, or agree with the customer on a new order to pay; then say that it is done."
        ),
        "capture_refused": _(
            "The provider refuses to take money that the bank keeps aside, and a parcel may have left. Look the payment up there,"
            " take it there if that can be done, or speak to the customer; then say that it is done."
        ),
        "cancelled_in_dispute": _(
            "Its order was cancelled while the buyer's bank has a dispute about this payment. What the bank does not give back"
            " goes back by itself once that has ended: there is nothing to pay out by hand."
        ),
        "returned_not_refunded": _(
            "Goods came back, and the buyer's bank has a dispute about this payment. Wait for its end before you give money back."
        ),
    }
    return words.get(problem, _("Look the payment up at the provider, then say here what was done."))


def _page(
    problem: str = "", fields: Mapping[str, str] | None = None, typed: Mapping[str, str] | None = None, status: int = 200
) -> ResponseReturnValue:
    troubles, failed = context.read(find_troubles)
    return render_template(
        "desk/admin/troubles.html",
        troubles=troubles,
        failed=failed,
        advice=advice,
        problem_text=problem,
        fields=fields or {},
        typed=typed or {},
    ), status
