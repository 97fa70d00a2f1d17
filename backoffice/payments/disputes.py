"""Disputes: the buyer's bank takes money back until somebody decides. Any number of messages in any order, one end.

While a dispute is open the payment is `disputed`: nothing is given back twice, nothing of the order leaves, and a task with the
bank's own deadline waits for a colleague. Won: all goes on as before. Lost: what the bank kept is money that went back, with a
credit note like any other; what has not left yet stays until a colleague has decided. An order may be cancelled meanwhile (its
buyer may withdraw from it at any time): what the bank has not given back goes back at the end.
A dispute never goes back from its end, and a payment of which all was given back stays so.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from backoffice.crm import payment_tasks
from backoffice.crm.models import Order
from backoffice.erp import holding_back
from backoffice.payments import cancelling, refunds
from backoffice.payments.gateway import GatewayDispute
from backoffice.payments.models import Dispute, Payment

log = structlog.get_logger()
DISPUTE_MOVES: dict[str, tuple[str, ...]] = {"open": ("won", "lost"), "won": (), "lost": ()}
LOST = "dispute_lost"


def note(session: Session, news: GatewayDispute, *, now: datetime) -> Dispute:
    """Act on the provider's word about a dispute. Raises NotPaidYetError when its payment has not been heard of yet."""
    its = sa.or_(Payment.intent_ref == news.intent, Payment.provider_ref == news.intent)  # the sandbox knows only sessions
    payment = session.scalar(sa.select(Payment).where(its).with_for_update().execution_options(populate_existing=True))
    if payment is None or payment.state in refunds.NOT_PAID_YET:
        raise refunds.NotPaidYetError
    known = session.scalar(sa.select(Dispute).where(Dispute.provider_ref == news.ref))
    if known is None:
        known = _open(session, payment, news, now)
    if news.state in DISPUTE_MOVES[known.state]:
        _close(session, payment, known, news.state, now)
    elif known.state == "open" and news.evidence_due_at not in (None, known.evidence_due_at):
        known.evidence_due_at = news.evidence_due_at
        payment_tasks.move(session, known.lead_id, news.evidence_due_at or now)
    session.flush()
    return known


def _open(session: Session, payment: Payment, news: GatewayDispute, now: datetime) -> Dispute:
    """Write a dispute down; of one that we hear of only at its end nothing is held and nobody is asked."""
    dispute = Dispute(
        payment_id=payment.id,
        provider_ref=news.ref,
        amount_minor=news.amount.amount_minor,
        currency=news.amount.currency,
        reason=news.reason,
        state="open",
        evidence_due_at=news.evidence_due_at,
        opened_at=now,
    )
    session.add(dispute)
    session.flush()
    if news.state != "open":
        return dispute
    log.error("payment_disputed", payment_id=payment.id, dispute=news.ref)
    refunds.show_state(session, payment)
    order = _order_of(session, payment)
    if order is not None:
        holding_back.hold_back(session, order.number, now=now)
        dispute.lead_id = payment_tasks.make(session, order, "dispute", news.reason, due_at=news.evidence_due_at, now=now)
    return dispute


def _close(session: Session, payment: Payment, dispute: Dispute, state: str, now: datetime) -> None:
    dispute.state, dispute.closed_at = state, now
    session.flush()
    order = _order_of(session, payment)
    if state == "lost":
        refunds.note_taken(session, payment, dispute.amount_minor, key=f"dispute:{dispute.provider_ref}", now=now)
        if order is None or order.state != "cancelled":
            payment.problem = payment.problem or LOST
    refunds.show_state(session, payment)
    payment_tasks.close(session, dispute.lead_id, now=now)
    if order is not None and state == "won" and payment.state != "disputed":
        holding_back.let_go_on(session, order.number)
    if order is not None:
        cancelling.give_back_disputed(session, payment, order, now=now)


def _order_of(session: Session, payment: Payment) -> Order | None:
    return session.scalar(sa.select(Order).where(Order.payment_id == payment.id))
