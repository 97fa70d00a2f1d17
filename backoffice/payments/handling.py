"""Payments that somebody must look at: say that it was done, and let go of goods that no order will come for."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import audit
from backoffice.crm import carts
from backoffice.crm import checkout as checkouts
from backoffice.crm.models import Checkout
from backoffice.payments.models import Payment
from backoffice.payments.settle import NOT_SETTLED
from backoffice.public.errors import BadInput, NotFound, Refused

RELEASES = ("amount_differs", NOT_SETTLED)  # the goods are still kept for an order that cannot come


def handle(session: Session, payment_id: int, *, note: str, by: str, role: str = "", now: datetime) -> bool:
    """Say that a payment's problem was looked into and what was done; return whether goods were let go.

    Where the amount was not what was asked, or the provider's word cannot be settled, the payment ends as failed and its goods
    can be sold again; money is given back at the provider. Raises NotFound(unknown_record), BadInput(invalid_form, note),
    Refused(wrong_state) without a problem.
    """
    note = note.strip()
    if not note:
        raise BadInput("invalid_form", {"note": "required"})
    checkout_id = session.scalar(sa.select(Payment.checkout_id).where(Payment.id == payment_id))
    if checkout_id is None:
        raise NotFound("unknown_record")
    cart_id = session.scalar(sa.select(Checkout.cart_id).where(Checkout.id == checkout_id))
    assert cart_id is not None
    carts.lock(session, cart_id)
    payment = session.get_one(Payment, payment_id, populate_existing=True, with_for_update=True)
    checkout = session.get_one(Checkout, checkout_id, populate_existing=True, with_for_update=True)
    if not payment.problem:
        raise Refused("wrong_state", state="no_problem")
    before = {"problem": payment.problem, "state": payment.state}
    released = payment.problem in RELEASES and payment.state in ("opened", "processing")
    if released:
        payment.state = "failed"
        checkouts.give_up(session, checkout, keep_minutes=None, now=now)
    payment.problem = ""
    session.flush()
    details = {
        "before": before,
        "after": {"problem": "", "state": payment.state},
        "note": note[:1000],
        "goods_released": released,
    }
    audit.record(session, "payment.handled", f"payment:{payment.id}", actor=by, role=role, details=details, now=now)
    return released
