"""Money back: asked for in one transaction, sent by the worker, settled by the provider's word. Any number of times, one effect.

States (REFUND_MOVES). `Payment.refunded_minor` counts what was asked for: it is raised under the database's own condition, so
that two colleagues together never give back more than was paid, and lowered again when a refund fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from backoffice import events
from backoffice.crm import orders
from backoffice.payments import on_account
from backoffice.payments.gateway import GatewayRefund
from backoffice.payments.models import Dispute, Payment, Refund
from backoffice.public.errors import BadInput, Refused

REFUND_MOVES: dict[str, tuple[str, ...]] = {
    "requested": ("pending", "succeeded", "failed"),
    "pending": ("succeeded", "failed"),
    "succeeded": ("failed",),  # a bank may send money back days later
    "failed": (),
}
ASK_EVERY = timedelta(minutes=3)  # the provider, where no message came: a lost one costs that and the time between two polls
PAID = ("succeeded", "partly_refunded")
GIVABLE = (*PAID, "authorised")  # of what is only set aside it waits until it was taken
NOT_PAID = ("opened", "processing", "failed", "expired")
NOT_PAID_YET = (*NOT_PAID, "authorised")


def request(
    session: Session,
    payment: Payment,
    amount_minor: int,
    *,
    reason: str,
    key: str,
    by: str,
    parts: Mapping[str, int] | None = None,
    now: datetime,
) -> Refund:
    """Ask for money to be given back; the same `key` is one refund.

    parts: SKU → what of it is for that. Of money that is only set aside it is sent once that was taken (see captures).
    Raises BadInput(bad_amount), Refused(refund_too_much, most) when that is more than is left of the payment.
    """
    known = session.scalar(sa.select(Refund).where(Refund.key == key))
    if known is not None:
        return known
    if amount_minor < 1:
        raise BadInput("bad_amount", {"amount": "bad_amount"})
    if not _raise_refunded(session, payment, amount_minor, Payment.state.in_(GIVABLE)):
        session.refresh(payment)
        raise Refused("refund_too_much", most=payment.amount_minor - payment.refunded_minor, currency=payment.currency)
    refund = _add(session, payment, amount_minor, reason=reason, key=key, by=by, now=now)
    refund.parts = dict(parts or {})
    if payment.state != "authorised":
        events.publish(session, events.RefundWanted(refund.id, f"payment:{payment.id}", now))
    return refund


def settle(session: Session, refund_id: int, news: GatewayRefund, *, now: datetime) -> None:
    """Act on the provider's word about a refund: the payment's state, the timeline, a mail to the customer once it is done."""
    refund, payment = _locked(session, refund_id)
    refund.provider_ref = refund.provider_ref or news.ref
    if news.state not in REFUND_MOVES[refund.state]:
        return
    if news.state == "failed":
        _fail(session, refund, payment, "failed_at_provider", now)
        return
    refund.state = news.state
    if news.state == "succeeded":
        refund.settled_at = now
        session.flush()
        show_state(session, payment)
        orders.tell_refunded(
            session,
            payment.checkout_id,
            amount_minor=refund.amount_minor,
            reason=refund.reason if payment.provider != on_account.PROVIDER else on_account.PROVIDER,
            actor=refund.requested_by,
            now=now,
        )
    session.flush()


def fail(session: Session, refund_id: int, problem: str, *, now: datetime) -> None:
    """Note that the provider refuses a refund for good; what was counted for it is free again."""
    refund, payment = _locked(session, refund_id)
    if "failed" in REFUND_MOVES[refund.state]:
        _fail(session, refund, payment, problem, now)


class NotPaidYetError(Exception):
    """A refund was heard of before its payment: messages come in any order, so it waits until the payment is heard of."""


def note_by_provider(session: Session, news: GatewayRefund, *, now: datetime) -> Refund | None:
    """Return the refund that the provider speaks of; one made by hand on its own pages is written down first.

    None: nothing is to be noted. Raises NotPaidYetError when we have not heard yet that this payment was made.
    """
    known = session.scalar(sa.select(Refund).where(Refund.provider_ref == news.ref))
    if known is not None:
        return known
    payment = session.scalar(sa.select(Payment).where(Payment.intent_ref == news.intent).with_for_update())
    if payment is None or payment.state in NOT_PAID_YET:
        raise NotPaidYetError
    if payment.state == "voided":  # providers write what is let go as money that goes back
        return None
    ours = session.scalar(
        sa.select(Refund)
        .where(
            Refund.payment_id == payment.id,
            Refund.provider_ref.is_(None),
            Refund.state == "requested",
            Refund.amount_minor == news.amount.amount_minor,
        )
        .order_by(Refund.id)
    )
    if ours is not None:  # the event was faster than the answer to our own request
        return ours
    if not _raise_refunded(session, payment, news.amount.amount_minor, Payment.state.in_((*PAID, "disputed"))):
        payment.problem = "refunded_elsewhere"
        return None
    refund = _add(
        session, payment, news.amount.amount_minor, reason="by_provider", key=f"provider:{news.ref}", by=payment.provider, now=now
    )
    refund.provider_ref = news.ref
    session.flush()
    return refund


def note_taken(session: Session, payment: Payment, amount_minor: int, *, key: str, now: datetime) -> None:
    """Write down money that the buyer's bank has kept: it went back, without us. Never more than is left, the same key once."""
    left = payment.amount_minor - payment.refunded_minor
    amount = min(amount_minor, left)
    if amount < 1 or session.scalar(sa.select(Refund.id).where(Refund.key == key)):
        return
    if _raise_refunded(session, payment, amount):
        refund = _add(session, payment, amount, reason="dispute", key=key, by=payment.provider, now=now)
        refund.state, refund.settled_at = "succeeded", now
        session.flush()


def unsettled(session: Session, *, limit: int = 100, now: datetime) -> list[Refund]:
    """Return refunds whose end we do not know yet and were not asked about lately, those that waited longest for it first."""
    waiting = sa.select(Refund).where(
        Refund.state == "pending",
        Refund.provider_ref.is_not(None),
        sa.or_(Refund.last_asked_at.is_(None), Refund.last_asked_at <= now - ASK_EVERY),
    )
    return list(session.scalars(waiting.order_by(Refund.last_asked_at.nulls_first(), Refund.id).limit(limit)))


_OF_PAYMENT = sa.select(Refund).where(Refund.payment_id == sa.bindparam("payment_id")).order_by(Refund.id)


def of_payment(session: Session, payment_id: int) -> list[Refund]:
    """Return the refunds of a payment, the oldest first."""
    return list(session.scalars(_OF_PAYMENT, {"payment_id": payment_id}))


def reference(refund: Refund) -> str:
    """Return our own name for a refund at the provider: no other has it, also when a backup was brought back and counts anew."""
    return f"refund:{refund.id}:{refund.requested_at.isoformat()}:{refund.key}"


def _locked(session: Session, refund_id: int) -> tuple[Refund, Payment]:
    """Lock the payment, then its refund."""
    payment_id = sa.select(Refund.payment_id).where(Refund.id == refund_id).scalar_subquery()
    payment = session.scalars(
        sa.select(Payment).where(Payment.id == payment_id).with_for_update().execution_options(populate_existing=True)
    ).one()
    return session.get_one(Refund, refund_id, populate_existing=True, with_for_update=True), payment


def _fail(session: Session, refund: Refund, payment: Payment, problem: str, now: datetime) -> None:
    refund.state, refund.problem, refund.settled_at = "failed", problem, now
    session.flush()
    _raise_refunded(session, payment, -refund.amount_minor)
    show_state(session, payment)


def show_state(session: Session, payment: Payment) -> None:
    """Let the payment say how much of it has been given back by now, or that its buyer's bank disputes what is left."""
    if payment.state == "voided":
        return
    given = sa.select(sa.func.coalesce(sa.func.sum(Refund.amount_minor), 0))
    back = session.scalar(given.where(Refund.payment_id == payment.id, Refund.state == "succeeded")) or 0
    if back >= payment.amount_minor:
        payment.state = "refunded"
    elif session.scalar(sa.select(Dispute.id).where(Dispute.payment_id == payment.id, Dispute.state == "open").limit(1)):
        payment.state = "disputed"
    else:
        payment.state = "partly_refunded" if back else "succeeded"
    session.flush()


def _add(session: Session, payment: Payment, amount: int, *, reason: str, key: str, by: str, now: datetime) -> Refund:
    refund = Refund(
        payment_id=payment.id,
        key=key,
        amount_minor=amount,
        currency=payment.currency,
        reason=reason,
        state="requested",
        requested_by=by,
        requested_at=now,
    )
    session.add(refund)
    session.flush()
    return refund


def _raise_refunded(session: Session, payment: Payment, delta: int, *conditions: sa.ColumnElement[bool]) -> bool:
    total = Payment.refunded_minor + delta
    result = session.execute(
        sa.update(Payment)
        .where(Payment.id == payment.id, total <= Payment.amount_minor, total >= 0, *conditions)
        .values(refunded_minor=total)
        .execution_options(synchronize_session="fetch")
    )
    won = cast("CursorResult[Any]", result).rowcount == 1
    if won:
        on_account.give(session, payment, delta)
    return won
