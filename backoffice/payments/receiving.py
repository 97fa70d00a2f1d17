"""Money that a company sends for an invoice on account, written down by the bookkeeper from the bank's statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import audit
from backoffice.crm import timeline
from backoffice.crm.company_names import is_storable
from backoffice.crm.customers import Editor
from backoffice.crm.models import Order
from backoffice.erp.company import get_company, local_today
from backoffice.payments import on_account
from backoffice.payments.models import Payment, Receipt, Receivable
from backoffice.public.errors import BadInput, NotFound, Refused
from backoffice.public.money import Money

LONGEST = 200


def record(
    session: Session,
    payment_id: int,
    amount_minor: int,
    *,
    received_on: date,
    reference: str,
    key: str,
    by: Editor,
    now: datetime,
) -> Receipt:
    """Write down money that came for an invoice, all of it or a part; the same `key` of the same invoice is one receipt.

    Raises NotFound(unknown_record), BadInput(invalid_form, amount | received_on | reference), Refused(wrong_state) before it is
    invoiced, Refused(more_than_open, left), Refused(form_reused) if that key wrote down something else.
    """
    locked = sa.select(Payment).where(Payment.id == payment_id, Payment.provider == on_account.PROVIDER).with_for_update()
    payment = session.scalars(locked.execution_options(populate_existing=True)).one_or_none()
    if payment is None:
        raise NotFound("unknown_record")
    own_key = f"{payment_id}:{key}"
    known = session.scalar(sa.select(Receipt).where(Receipt.key == own_key))
    wrong, words = {}, reference.strip()
    if known is not None:
        if (known.amount_minor, known.received_on, known.reference) != (amount_minor, received_on, words):
            raise Refused("form_reused")
        return known
    if amount_minor < 1:
        wrong["amount"] = "bad_amount"
    if received_on > local_today(get_company(session), now):
        wrong["received_on"] = "bad_date"
    if len(words) > LONGEST or not is_storable(words):
        wrong["reference"] = "too_long" if len(words) > LONGEST else "bad_character"
    if wrong:
        raise BadInput("invalid_form", wrong)
    owed = session.get_one(Receivable, payment_id, populate_existing=True)
    if owed.due_on is None:
        raise Refused("wrong_state")
    left = payment.amount_minor - payment.refunded_minor - owed.received_minor
    if amount_minor > left:
        raise Refused("more_than_open", left=Money(max(0, left), payment.currency))
    owed.received_minor = Receivable.received_minor + amount_minor
    receipt = Receipt(
        key=own_key,
        payment_id=payment_id,
        amount_minor=amount_minor,
        currency=payment.currency,
        received_on=received_on,
        reference=words,
        recorded_by_id=by.id,
        recorded_at=now,
    )
    session.add(receipt)
    session.flush()
    on_account.give(session, payment, amount_minor)
    order = session.scalars(sa.select(Order).where(Order.payment_id == payment_id)).one()
    values = {"amount_minor": amount_minor, "currency": payment.currency}
    timeline.record(session, order.party_id, "received", order_ref=order.number, values=values, actor=by.name, now=now)
    details = values | {"received_on": received_on.isoformat(), "receipt": receipt.id}
    audit.record(session, "receipt.record", f"order:{order.number}", actor=by.email, role=by.role, details=details, now=now)
    return receipt


def of_payment(session: Session, payment_id: int) -> Sequence[Receipt]:
    """Return what was received for an invoice, the oldest first."""
    return session.scalars(sa.select(Receipt).where(Receipt.payment_id == payment_id).order_by(Receipt.id)).all()
