"""Cancelling an order: its goods are free again and its money goes back, in one transaction, once."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import events
from backoffice.crm import orders, timeline
from backoffice.crm.models import Order
from backoffice.erp import cancelling
from backoffice.payments import refunds
from backoffice.payments.models import Payment

BY_CUSTOMER = "customer"


def cancel(session: Session, number: str, *, by: str, secret_key: str, now: datetime) -> None:
    """Cancel a whole order and ask for its money back; cancelled before: nothing happens.

    by: BY_CUSTOMER or a colleague's name. Raises Refused(too_late_to_cancel) once a parcel of it is closed.
    """
    order = orders.get_by_number(session, number)
    payment = session.scalars(sa.select(Payment).where(Payment.id == order.payment_id).with_for_update()).one()
    if not cancelling.cancel(session, number, now=now):
        return
    order = session.scalars(
        sa.select(Order).where(Order.number == number).with_for_update().execution_options(populate_existing=True)
    ).one()
    order.state, order.cancelled_at, order.cancelled_by, order.version = "cancelled", now, by, order.version + 1
    left = payment.amount_minor - payment.refunded_minor
    if left > 0:
        refunds.request(session, payment, left, reason="cancelled", key=f"cancel:{number}", by=by, now=now)
    timeline.record(session, order.party_id, "cancelled", order_ref=number, actor="" if by == BY_CUSTOMER else by, now=now)
    payload = orders.mail_frame(session, order, secret_key) | {
        "by_customer": by == BY_CUSTOMER,
        "amount": {"amount_minor": left, "currency": payment.currency},
    }
    events.publish(session, events.MailWanted("order_cancelled", f"order:{number}", payload, now))
