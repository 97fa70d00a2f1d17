"""Taking money that was set aside, or letting it go: the provider is asked with no transaction open, and then settled."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
import structlog

from backoffice.db import Database
from backoffice.payments import captures, on_account
from backoffice.payments.gateway import Gateway, GatewayCapture, GatewayError, News, PaymentSession
from backoffice.payments.models import Payment
from backoffice.public.money import Money

if TYPE_CHECKING:
    from backoffice.local.checkout import Till

log = structlog.get_logger()


def send(till: Till, payment_id: int, ending: str, *, now: datetime) -> None:
    """Ask the provider for the end that was asked of us; any number of times it is one. Raises GatewayError without an answer.

    What it refuses for good is looked up: if the money is still only set aside then, a person has to see to it.
    """
    till.db.run(lambda session: captures.claim(session, payment_id, ending))
    with till.db.read() as session:
        payment = session.get_one(Payment, payment_id)
    ref = payment.provider_ref
    if payment.state != "authorised" or payment.ending != ending or ref is None:
        return
    if payment.provider == on_account.PROVIDER:  # nobody is to be asked: we are the provider
        till.settle(on_account.answer(payment), event_id=f"{payment.ending}:{ref}", now=now)
        return
    amount, named = Money(payment.amount_minor, payment.currency), captures.reference(payment)
    try:
        if payment.ending == "capture":
            news = till.gateway.capture(ref, amount, reference=named, now=now)
        else:
            news = till.gateway.void(ref, reference=named, now=now)
    except GatewayError as error:
        if not error.permanent:
            raise
        log.error("capture_refused", payment_id=payment_id, ending=payment.ending, error=error.reason)
        till.look_up(ref, now=now)
        till.db.run(lambda session: captures.note_refused(session, payment_id))
        return
    till.settle(news, event_id=f"{payment.ending}:{ref}:{news.state}", now=now)


def seen(db: Database, gateway: Gateway, news: News | None, *, now: datetime) -> News | None:
    """Return a message as news of a session where it is one: what was taken or let go, and what is only set aside.

    Of a session whose money is not there only its payment says which of the two it is, so it is asked for once more.
    """
    if isinstance(news, GatewayCapture):
        with db.read() as session:
            payment = session.scalar(sa.select(Payment).where(Payment.intent_ref == news.intent))
        if payment is None or payment.provider_ref is None:  # not one of ours, or its session has not been heard of yet
            return None
        return PaymentSession(payment.provider_ref, "", news.state, news.amount, payment.expires_at, news.intent)
    if not isinstance(news, PaymentSession) or news.state != "processing":
        return news
    try:
        return replace(gateway.get_session(news.ref, now=now), intent=news.intent)
    except GatewayError as error:  # the poll asks again
        log.warning("payment_lookup_failed", error=error.reason)
        return news


def watch(till: Till, *, now: datetime) -> int:
    """Write a task for what is about to lapse; return how many."""
    return till.db.run(lambda session: captures.warn(session, now=now))
