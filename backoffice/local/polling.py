"""Asking the provider how payments and refunds stand: what no message told us, and what has run out.

Each is asked about in its turn and settled by itself, so that no one of them keeps the others from theirs. A provider that does
not answer is asked for nothing more until the next poll; the goods stay held meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import sqlalchemy as sa
import structlog

from backoffice.db import table_of
from backoffice.payments import refunds
from backoffice.payments import settle as settling
from backoffice.payments.gateway import GatewayError
from backoffice.payments.models import Payment, Refund

if TYPE_CHECKING:
    from backoffice.local.checkout import Till

log = structlog.get_logger()


def poll(till: Till, *, now: datetime) -> int:
    """Ask about payments and refunds without an end; expire at the provider what has run out. Return how many were asked about.

    What cannot be settled is marked (`settling.NOT_SETTLED`) until it can be.
    """
    with till.db.read() as session:
        waiting: list[Payment | Refund] = [*settling.unsettled(session, now=now), *refunds.unsettled(session, now=now)]
    asked = 0
    for row in waiting:
        if not _ask(till, row, now):
            break
        asked += 1
    _hear_waiting(till, now)
    return asked


def _ask(till: Till, row: Payment | Refund, now: datetime) -> bool:
    """Ask about one and settle it; False: the provider does not answer."""
    _write(till, row, {"last_asked_at": now})  # before: whatever comes of it, the others have their turn first
    what: Callable[..., None] = _payment if isinstance(row, Payment) else _refund
    try:
        what(till, row, now)
    except GatewayError as error:
        log.warning("poll_failed", of=row.__tablename__, id=row.id, error=error.reason)
        if not error.permanent:
            return False
        _mark(till, row)
    except Exception:  # whatever one of them meets must not keep us from those behind it; the log says why
        log.exception("poll_failed", of=row.__tablename__, id=row.id)
        _mark(till, row)
    else:
        if row.problem == settling.NOT_SETTLED:
            _write(till, row, {"problem": ""}, settling.NOT_SETTLED)
    return True


def _payment(till: Till, payment: Payment, now: datetime) -> None:
    if payment.expires_at <= now and payment.state != "authorised":
        till.close(payment, now=now, keep=False)
    elif payment.provider_ref is not None:
        till.look_up(payment.provider_ref, now=now)


def _refund(till: Till, refund: Refund, now: datetime) -> None:
    assert refund.provider_ref is not None
    till.settle_refund(refund.id, till.gateway.get_refund(refund.provider_ref, now=now), now=now)


def _mark(till: Till, row: Payment | Refund) -> None:
    _write(till, row, {"problem": settling.NOT_SETTLED}, "")


def _write(till: Till, row: Payment | Refund, values: dict[str, object], problem: str | None = None) -> None:
    """Write values of a row; problem: only while it has this one, as somebody else may have seen another by now."""
    table = table_of(type(row))
    writing = sa.update(table).where(table.c.id == row.id).values(values)
    with till.db.single() as session:
        session.execute(writing if problem is None else writing.where(table.c.problem == problem))


def _hear_waiting(till: Till, now: datetime) -> None:
    """Act on what waited for its payment, one payment at a time."""
    with till.db.read() as session:
        intents = settling.awaited(session)
    for intent in intents:
        try:
            till.db.run(partial(settling.hear_waiting, intent=intent, now=now))
        except Exception:  # as above
            log.exception("waiting_not_heard", intent=intent)
