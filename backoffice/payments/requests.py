"""Money that colleagues want to give back: sales asks, and above a limit a second person of administration approves.

States (REQUEST_MOVES). The limit counts everything that was given back of a payment, so that many small requests are one
large one. Nothing is kept of the payment while a request waits: an order that its customer cancels meanwhile gives all of it
back, and the approval is refused then. One that a desk cancels asks here for what is above the limit (see cancelling).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from babel.numbers import get_currency_precision
from sqlalchemy.orm import Session

from backoffice import audit
from backoffice.crm import orders, timeline
from backoffice.crm.customers import Editor
from backoffice.crm.lead_forms import clean_text
from backoffice.crm.models import Order
from backoffice.payments import refunds
from backoffice.payments.models import Payment, RefundRequest
from backoffice.public.errors import BadInput, NotFound, Refused

REQUEST_MOVES: dict[str, tuple[str, ...]] = {
    "within_limit": (),
    "waiting": ("approved", "declined"),
    "approved": (),
    "declined": (),
}
LIMIT = 100  # in whole units of the order's currency: so much of one payment sales gives back without a second person
LONGEST_REASON = 500


def limit_minor(currency: str) -> int:
    """Return how much of one payment may be given back without a second person."""
    return int(LIMIT * 10 ** get_currency_precision(currency))


def needs_second(payment: Payment, amount_minor: int) -> bool:
    """Tell whether giving so much of a payment back takes a second person: with all that was given back of it before."""
    return payment.refunded_minor + amount_minor > limit_minor(payment.currency)


def ask(session: Session, number: str, amount_minor: int, *, reason: str, key: str, by: Editor, now: datetime) -> RefundRequest:
    """Ask for a part of an order's money to be given back: at once up to the limit, else once somebody approves it.

    The same `key` of the same order is one request. Raises NotFound(unknown_order), BadInput(invalid_form, reason),
    BadInput(bad_amount), Refused(refund_too_much, most), Refused(form_reused) if that key asked for something else.
    """
    words = _words(reason, "reason")
    order = orders.get_by_number(session, number)
    payment = _lock_payment(session, order.payment_id)  # before we look for the key: the same form twice waits here
    own_key = f"{number}:{key}"
    known = session.scalar(sa.select(RefundRequest).where(RefundRequest.key == own_key))
    if known is not None:
        if (known.amount_minor, known.reason) != (amount_minor, words):
            raise Refused("form_reused")
        return known
    left = payment.amount_minor - payment.refunded_minor
    if amount_minor < 1:
        raise BadInput("bad_amount", {"amount": "bad_amount"})
    if amount_minor > left or payment.state not in refunds.PAID:
        raise Refused("refund_too_much", most=left if payment.state in refunds.PAID else 0, currency=payment.currency)
    at_once = not needs_second(payment, amount_minor)
    request = RefundRequest(
        payment_id=payment.id,
        order_ref=number,
        key=own_key,
        amount_minor=amount_minor,
        currency=payment.currency,
        reason=words,
        state="within_limit" if at_once else "waiting",
        asked_by_id=by.id,
        asked_at=now,
    )
    session.add(request)
    session.flush()
    if at_once:
        _give_back(session, payment, request, by.name, now)
    amount = {"amount_minor": amount_minor, "currency": payment.currency}
    timeline.record(session, order.party_id, "refund_asked", text=words, order_ref=number, values=amount, actor=by.name, now=now)
    _note(session, "refund.request", request, by, now, reason=words, state=request.state)
    return request


def approve(session: Session, request_id: int, *, by: Editor, now: datetime) -> RefundRequest:
    """Approve what a colleague asked for: the money is on its way then. Approved before by the same person: nothing happens.

    Raises NotFound(unknown_record), Refused(wrong_state | second_person | refund_too_much, most); nothing has changed then.
    """
    request, payment = _locked(session, request_id)
    if request.state == "approved" and request.decided_by_id == by.id:
        return request
    if "approved" not in REQUEST_MOVES[request.state]:
        raise Refused("wrong_state")
    if request.asked_by_id == by.id:
        raise Refused("second_person")
    _give_back(session, payment, request, by.name, now)
    request.state, request.decided_by_id, request.decided_at = "approved", by.id, now
    session.flush()
    _tell(session, "refund_approved", request, "", by, now)
    _note(session, "refund.approve", request, by, now)
    return request


def decline(session: Session, request_id: int, note: str, *, by: Editor, now: datetime) -> RefundRequest:
    """Decline what a colleague asked for, and say why; whoever asked may take it back so.

    Raises NotFound(unknown_record), BadInput(invalid_form, note), Refused(wrong_state).
    """
    words = _words(note, "note")
    request, _payment = _locked(session, request_id)
    if request.state == "declined" and request.decided_by_id == by.id:
        return request
    if "declined" not in REQUEST_MOVES[request.state]:
        raise Refused("wrong_state")
    request.state, request.decided_by_id, request.decided_at, request.note = "declined", by.id, now, words
    session.flush()
    _tell(session, "refund_declined", request, words, by, now)
    _note(session, "refund.decline", request, by, now, note=words)
    return request


def of_order(session: Session, number: str) -> Sequence[RefundRequest]:
    """Return what was asked for an order, the newest first."""
    payment_id = sa.select(Order.payment_id).where(Order.number == number).scalar_subquery()
    asked = sa.select(RefundRequest).where(RefundRequest.payment_id == payment_id)
    return session.scalars(asked.order_by(RefundRequest.id.desc())).all()


def waits(session: Session, number: str) -> bool:
    """Tell whether money of an order waits for a second person."""
    return any(one.state == "waiting" for one in of_order(session, number))


def _give_back(session: Session, payment: Payment, request: RefundRequest, by: str, now: datetime) -> None:
    key = f"request:{request.id}"
    refund = refunds.request(session, payment, request.amount_minor, reason="partial", key=key, by=by, now=now)
    request.refund_id = refund.id


def _lock_payment(session: Session, payment_id: int) -> Payment:
    locked = sa.select(Payment).where(Payment.id == payment_id).with_for_update()
    return session.scalars(locked.execution_options(populate_existing=True)).one()


def _locked(session: Session, request_id: int) -> tuple[RefundRequest, Payment]:
    """Lock the payment, then the request."""
    payment_id = session.scalar(sa.select(RefundRequest.payment_id).where(RefundRequest.id == request_id))
    if payment_id is None:
        raise NotFound("unknown_record")
    payment = _lock_payment(session, payment_id)
    return session.get_one(RefundRequest, request_id, populate_existing=True, with_for_update=True), payment


def _words(typed: str, field: str) -> str:
    words = clean_text(typed, field=field)
    if len(words) > LONGEST_REASON:
        raise BadInput("invalid_form", {field: "shorten"})
    return words


def _tell(session: Session, kind: str, request: RefundRequest, text: str, by: Editor, now: datetime) -> None:
    order = orders.get_by_number(session, request.order_ref)
    amount = {"amount_minor": request.amount_minor, "currency": request.currency}
    timeline.record(session, order.party_id, kind, text=text, order_ref=order.number, values=amount, actor=by.name, now=now)


def _note(session: Session, action: str, request: RefundRequest, by: Editor, now: datetime, **more: Any) -> None:
    details = {"request": request.id, "amount_minor": request.amount_minor, "currency": request.currency, **more}
    audit.record(session, action, f"order:{request.order_ref}", actor=by.email, role=by.role, details=details, now=now)
