"""Hearing what the provider's messages would have told us: its own list of events, read each minute.

So a lost message costs a minute, also one about what no poll asks for: disputes, and refunds made by hand on its pages. An
event is acted on once under its own id, however it came. One that cannot be acted on waits among the messages (target
INBOX): tried again ever later, then for a person to look at, and none behind it waits for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa
import structlog

from backoffice.bridge import outbox
from backoffice.bridge.models import OutboxMessage
from backoffice.local.checkout import Till
from backoffice.payments import settle as settling
from backoffice.payments.gateway import GatewayError, GatewayEvent
from backoffice.payments.models import PaymentEvent, ProviderCursor

log = structlog.get_logger()
OVERLAP = timedelta(minutes=5)  # what their list and our clock may be late by
FIRST = timedelta(days=1)
AT_ONCE = 500
INBOX = "news"  # of what the provider says


def listen(till: Till, *, now: datetime) -> int:
    """Act on the events since we last listened that never reached us; return how many."""
    name = till.gateway.name
    with till.db.read() as session:
        cursor = session.get(ProviderCursor, name)
        since = (cursor.heard_until_at if cursor else now - FIRST) - OVERLAP
    try:
        events = till.gateway.events_since(since, now=now)
    except GatewayError as error:  # the next minute asks again, from the same instant on
        log.warning("provider_events_failed", error=error.reason)
        return 0
    _sort_out_strange(till, now)
    known: set[str] = set()
    with till.db.read() as session:
        for begin in range(0, len(events), AT_ONCE):
            ids = [event.id for event in events[begin : begin + AT_ONCE]]
            known.update(session.scalars(sa.select(PaymentEvent.id).where(PaymentEvent.id.in_(ids))))
            known.update(session.scalars(sa.select(OutboxMessage.aggregate).where(*_waits_here(ids))))
    missed = [event for event in events if event.id not in known]
    heard = sum(_hear(till, event, now) for event in missed)
    till.db.run(lambda session: session.merge(ProviderCursor(provider=name, heard_until_at=now)))
    if heard:
        log.warning("messages_were_lost", heard=heard)
    return heard


def _sort_out_strange(till: Till, now: datetime) -> None:
    """Look up whose what waits is: others may take payments at the same account, and of theirs nothing ever comes here."""
    with till.db.read() as session:
        strange = settling.unknown(session, now=now)
    for event in strange:
        try:
            of = till.gateway.find_reference(event.provider_ref, now=now)
        except GatewayError as error:  # the next minute asks again
            log.warning("strange_event_lookup_failed", event_id=event.id, error=error.reason)
            return
        if till.db.run(partial(settling.note_not_ours, event_id=event.id, of=of)):
            log.info("event_not_ours", event_id=event.id)


def hear_again(till: Till, event_id: str, *, now: datetime) -> None:
    """Act on an event that could not be acted on before; it is asked for anew. Raises GatewayError, and whatever it meets."""
    till.hear(till.gateway.get_event(event_id, now=now), now=now)


def _hear(till: Till, event: GatewayEvent, now: datetime) -> bool:
    """Act on one event; False: it could not be acted on, and waits by itself from now on."""
    try:
        till.hear(event, now=now)
    except Exception:  # whatever one of them meets must not keep us from those behind it; the log says why
        log.exception("event_not_heard", event_id=event.id)
        payload = {"event": event.id, "kind": event.kind}
        till.db.run(lambda session: outbox.put(session, INBOX, event.id, "provider_event", payload, now=now))
        return False
    return True


def _waits_here(ids: Sequence[str]) -> tuple[sa.ColumnElement[bool], ...]:
    return OutboxMessage.target == INBOX, OutboxMessage.aggregate.in_(ids)
