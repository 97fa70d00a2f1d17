"""Bring our books up to what the payment provider's say, after a backup was brought back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa
import structlog

from backoffice.crm.models import Order
from backoffice.local.checkout import Till
from backoffice.payments import rebuilding, refunds
from backoffice.payments.gateway import GatewayRefund, PaidSession

Ending = Literal["known", "order", "waiting", "money_back", "given_back_before", "not_ours"]
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Found:
    """What became of one session that was paid. order: the number; why: for whoever has to look."""

    ref: str
    ending: Ending
    order: str = ""
    why: str = ""


def rebuild(till: Till, *, since: datetime, dry_run: bool = False, now: datetime) -> Iterator[Found]:
    """Yield what became of each session that was paid at the provider since then. Any number of times, one effect.

    dry_run: change nothing; `order` then means that it would be tried. Raises GatewayError.
    """
    back = till.gateway.list_refunds(since=since)
    for paid in till.gateway.list_paid(since=since):
        found = _settled(till, paid, back, dry_run=dry_run, now=now)
        if found.ending == "money_back":
            log.error("paid_order_lost", provider_ref=found.ref, why=found.why)
        yield found
    if not dry_run:
        _hear(till, back, now=now)


def _settled(till: Till, paid: PaidSession, back: Sequence[GatewayRefund], *, dry_run: bool, now: datetime) -> Found:
    news, secret_key = paid.session, till.secret_key
    if paid.shop != rebuilding.shop_of(secret_key):
        return Found(news.ref, "not_ours", why="it is another shop's, or from before orders were kept with the provider")
    with till.db.read() as session:
        known = rebuilding.find(session, paid)
    if known is not None and known.state not in refunds.NOT_PAID:
        return Found(news.ref, "known", _number(till, known.id))
    gone = news.state == "voided" or _given_back(paid, back)
    if dry_run or (gone and known is None):
        return Found(news.ref, "given_back_before" if gone else "order")
    provider = till.gateway.name
    why = till.db.run(lambda session: rebuilding.write(session, paid, provider=provider, secret_key=secret_key, now=now))
    refused = "given_back" if gone else "not_rebuilt" if why else ""
    order = till.settle(news, event_id=f"rebuild:{news.ref}:{news.state}", refused=refused, now=now)
    if order is not None:
        return Found(news.ref, "order", order.number)
    if gone:
        return Found(news.ref, "given_back_before")
    return (
        Found(news.ref, "waiting") if news.state != "paid" else Found(news.ref, "money_back", why=why or "it cannot be had now")
    )


def _given_back(paid: PaidSession, back: Sequence[GatewayRefund]) -> bool:
    """Tell whether all that was paid has gone back at the provider."""
    own = [one.amount.amount_minor for one in back if one.intent == paid.session.intent and one.state != "failed"]
    return paid.session.intent is not None and sum(own) >= paid.session.amount.amount_minor


def _hear(till: Till, back: Sequence[GatewayRefund], *, now: datetime) -> None:
    """Note the refunds that we have lost; those of payments that are not ours are none of our business."""
    for one in sorted(back, key=lambda one: one.ref):
        with till.db.read() as session:
            ours = one.intent is not None and rebuilding.knows(session, one.intent)
        if ours:
            till.hear_refund(one, event_id=f"rebuild:{one.ref}:{one.state}", now=now)


def _number(till: Till, payment_id: int) -> str:
    with till.db.read() as session:
        return session.scalar(sa.select(Order.number).where(Order.payment_id == payment_id)) or ""
