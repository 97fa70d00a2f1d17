"""Cancelling an order: its goods are free again and its money goes back, in one transaction, once."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from backoffice import audit, events
from backoffice.crm import coupons, orders, slips, timeline
from backoffice.crm.customers import Editor
from backoffice.crm.lead_forms import clean_text
from backoffice.crm.models import Order
from backoffice.erp import cancelling, returning
from backoffice.payments import captures, on_account, refunds, requests
from backoffice.payments.models import Payment

log = structlog.get_logger()
BY_CUSTOMER = "customer"
IN_DISPUTE = "cancelled_in_dispute"
DESK_KEY = "cancelled"


class Desk(NamedTuple):
    """Which colleague cancels, and why."""

    by: Editor
    reason: str


def cancel(session: Session, number: str, *, by: str, desk: Desk | None = None, now: datetime) -> bool:
    """Cancel a whole order, ask for its money back or let go of what is only set aside; False: it was cancelled before.

    While the buyer's bank disputes the payment its money waits for the end of that (see `give_back_disputed`).
    by: BY_CUSTOMER or a colleague's name. desk: a colleague on whose word alone no more goes back than sales may give; the
    goods are free at once, the rest of the money waits for a second person. Raises Refused(too_late_to_cancel) once a parcel
    of it is closed.
    """
    order = orders.get_by_number(session, number)
    payment = session.scalars(sa.select(Payment).where(Payment.id == order.payment_id).with_for_update()).one()
    session.refresh(order)  # who cancels holds its payment
    if order.state == "cancelled" or not cancelling.cancel(session, number, now=now):
        return False
    order = session.scalars(
        sa.select(Order).where(Order.number == number).with_for_update().execution_options(populate_existing=True)
    ).one()
    order.state, order.cancelled_at, order.cancelled_by, order.version = "cancelled", now, by, order.version + 1
    slips.end(session, order.id, now=now)
    returning.forget(session, number)
    if order.discount_minor:
        coupons.release(session, order.checkout_id, now=now)
    left, charge = payment.amount_minor - payment.refunded_minor, charge_of(payment)
    if captures.let_go(session, payment.id, now=now) or payment.state == "voided":
        left = 0  # it was never taken
    if left > 0 and payment.state == "disputed":
        payment.problem = payment.problem or IN_DISPUTE
        log.error("payment_needs_attention", payment_id=payment.id, problem=IN_DISPUTE)
    elif left > 0 and desk is not None and payment.provider != on_account.PROVIDER and requests.needs_second(payment, left):
        requests.ask(session, number, left, reason=desk.reason, key=DESK_KEY, by=desk.by, now=now)
        left = 0  # nothing is on its way yet, so the mail promises nothing
    elif left > 0:
        refunds.request(session, payment, left, reason="cancelled", key=f"cancel:{number}", by=by, now=now)
    timeline.record(session, order.party_id, "cancelled", order_ref=number, actor="" if by == BY_CUSTOMER else by, now=now)
    payload = orders.mail_frame(session, order) | {
        "by_customer": by == BY_CUSTOMER,
        "charge": charge,
        "amount": {"amount_minor": left, "currency": payment.currency},
    }
    events.publish(session, events.OrderCancelled(number, now))
    events.publish(session, events.MailWanted("order_cancelled", f"order:{number}", payload, now))
    return True


def charge_of(payment: Payment) -> str:
    """Return how money goes back, as `captures.charge_of`; "disputed": once the bank has decided, unless it gave it back."""
    return "disputed" if payment.state == "disputed" else captures.charge_of(payment.provider, payment.state)


def give_back_disputed(session: Session, payment: Payment, order: Order, *, now: datetime) -> None:
    """Give back what a dispute has left of a cancelled order's money; nothing while another is open. The payment is locked."""
    if order.state != "cancelled" or payment.state == "disputed":
        return
    if payment.problem == IN_DISPUTE:
        payment.problem = ""
    left, by = payment.amount_minor - payment.refunded_minor, order.cancelled_by or BY_CUSTOMER
    if left > 0:
        refunds.request(session, payment, left, reason="cancelled", key=f"cancel:{order.number}", by=by, now=now)


def cancel_at_desk(session: Session, number: str, *, reason: str, by: Editor, now: datetime) -> bool:
    """Cancel an order for a customer who asked us to; the reason is for us. False: it was cancelled before.

    Above what sales gives back alone the money is asked for (`requests`). Raises NotFound(unknown_order),
    BadInput(invalid_form, reason), Refused(too_late_to_cancel).
    """
    words = clean_text(reason, field="reason")
    if not cancel(session, number, by=by.name, desk=Desk(by, words), now=now):
        return False
    order = orders.get_by_number(session, number)
    timeline.record(session, order.party_id, "note", text=words, order_ref=number, actor=by.name, now=now)
    audit.record(session, "order.cancel", f"order:{number}", actor=by.email, role=by.role, details={"reason": words}, now=now)
    return True
