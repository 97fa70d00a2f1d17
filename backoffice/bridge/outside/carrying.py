"""Carry an order's messages to an outside ERP so that it has each order once, although it knows of no idempotency.

    our reference bound to a number of theirs? ──yes──▶ tell them what became of it
      │ no
    asked before, and no answer came? ──yes──▶ wait until they must be done with it (their longest time)
      │ no, or they must be done by now
    search by our reference ──one──▶ bind it ──many──▶ a dead letter: somebody must look
      │ none
    note that we ask, ask, bind what they answer

An answer that is missing says nothing: they may have committed, or may yet. Only after their longest time is a search that
finds nothing worth anything. The search stands before the first try as well: after a backup is put back, nobody here knows
what was asked. (Source: the transactional outbox and the idempotent receiver of Hohpe and Woolf, turned round for a receiver
that is not.)
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from backoffice.bridge import outbox
from backoffice.bridge.outbox import Away, Message, Undeliverable, Unsettled
from backoffice.bridge.outside import documents
from backoffice.bridge.outside.port import Document, Erp, FellOver, NoAnswer, NotReached, Rejected
from backoffice.crm.models import Order
from backoffice.db import Database
from backoffice.erp.models import ExternalRef

SYSTEM, KIND = "erp", "orders"
T = TypeVar("T")


class Carrier:
    """Deliver messages of target "erp". longest: the ERP's maximum processing time, from our question on."""

    def __init__(self, db: Database, erp: Erp, *, longest: timedelta, clock: Callable[[], datetime]) -> None:
        self._db, self._erp, self._longest, self._clock = db, erp, longest, clock

    def __call__(self, message: Message) -> None:
        """Deliver one, no transaction open over a call. Raises Away, Unsettled, Undeliverable."""
        with self._db.read() as session:
            document = documents.of(session, message)
            number = document["reference"]
            their_id = find_binding(session, number)
        done_by = message.asked_at + self._longest if message.asked_at is not None else None
        there = message.kind == "placed" and their_id is not None
        if done_by is not None and self._clock() < done_by and not there:
            raise Unsettled("asked before, without an answer", done_by, counts=False)
        try:
            if message.kind == "placed":
                if their_id is None:
                    self._place(message, document)
            else:
                self._tell(message, document, their_id or self._search(number))
        except Rejected as error:
            raise Undeliverable(f"the ERP refused it: {error}") from error

    def _place(self, message: Message, document: Document) -> None:
        number = document["reference"]
        their_id = self._find(number)
        if their_id is None:
            their_id = self._asking(message, lambda: self._erp.create(document))
        self._bind(number, their_id)

    def _tell(self, message: Message, document: Document, their_id: str) -> None:
        self._asking(message, lambda: self._erp.update(their_id, document))

    def _search(self, number: str) -> str:
        their_id = self._find(number)
        if their_id is None:
            raise Undeliverable("the ERP does not have this order")
        self._bind(number, their_id)
        return their_id

    def _find(self, number: str) -> str | None:
        """Return their number of our order, None when they have none. A search changes nothing, so trouble is just that.

        One that the ERP falls over counts as a try: it may be this order that is wrong.
        """
        try:
            found = sorted(set(self._erp.find(number)))
        except FellOver:
            raise
        except (NotReached, NoAnswer) as error:
            raise Away(f"searching: {error}") from error
        if len(found) > 1:
            raise Undeliverable(f"the ERP has this order {len(found)} times")
        return found[0] if found else None

    def _asking(self, message: Message, call: Callable[[], T]) -> T:
        """Call, and leave behind that we did until an answer came."""
        asked_at = self._clock()
        if not self._db.run(lambda session: outbox.ask(session, message, now=asked_at)):
            raise Unsettled("another worker has it by now", asked_at, counts=False)
        try:
            return call()
        except NotReached as error:
            self._db.run(lambda session: outbox.not_asked(session, message))
            raise Away(str(error)) from error
        except NoAnswer as error:
            raise Unsettled(str(error), asked_at + self._longest, counts=not error.busy) from error

    def _bind(self, number: str, their_id: str) -> None:
        self._db.run(lambda session: bind(session, number, their_id))


def find_binding(session: Session, order_ref: str) -> str | None:
    """Return the outside ERP's number of an order, where it is known."""
    return session.scalar(
        sa.select(ExternalRef.their_id)
        .join(Order, Order.id == ExternalRef.our_id)
        .where(ExternalRef.system == SYSTEM, ExternalRef.kind == KIND, Order.number == order_ref)
    )


def bind(session: Session, order_ref: str, their_id: str) -> None:
    """Keep their number of an order, once. Raises Undeliverable when it is bound otherwise already."""
    order_id = session.scalars(sa.select(Order.id).where(Order.number == order_ref).with_for_update()).one()
    known = find_binding(session, order_ref)
    if known is None:
        insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
        named = {"system": SYSTEM, "kind": KIND, "their_id": their_id, "our_id": order_id, "fingerprint": ""}
        session.execute(insert(ExternalRef).values(named).on_conflict_do_nothing())
        known = find_binding(session, order_ref)
    if known != their_id:
        raise Undeliverable(f"their {their_id} is bound to another order, or this one to {known}")
