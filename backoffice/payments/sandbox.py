"""The sandbox provider: no money moves. It keeps its own book of sessions, as a provider on the network would.

It stands in where no real provider is configured and says so on every page. Nothing else reads its table.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from backoffice.db import Database, table_of
from backoffice.masking import mask
from backoffice.payments.gateway import (
    DisputeState,
    GatewayDispute,
    GatewayError,
    GatewayEvent,
    GatewayRefund,
    PaidSession,
    PaymentSession,
    SessionState,
)
from backoffice.payments.models import SandboxDispute, SandboxRefund, SandboxSession
from backoffice.public.money import Money

AUTHORISED_FOR = timedelta(days=7)  # as banks keep what a card pays
_STATES: dict[str, SessionState] = {
    "open": "open",
    "authorised": "authorised",
    "paid": "paid",
    "declined": "open",
    "expired": "expired",
    "voided": "voided",
}

# button → states that it works in, the state after it, whether it works only while the session lives
_BUTTONS: dict[str, tuple[tuple[str, ...], str, bool]] = {
    "pay": (("open", "declined"), "paid", True),
    "decline": (("open",), "declined", True),
    "cancel": (("open", "declined"), "expired", False),
    "capture": (("authorised",), "paid", False),
    "void": (("authorised",), "voided", False),
}


@cache
def _opening(dialect: str) -> ReturningInsert[tuple[str]]:
    page = table_of(SandboxSession)
    insert = (sqlite_insert if dialect == "sqlite" else postgresql_insert)(page)
    return insert.on_conflict_do_nothing(index_elements=["id"]).returning(page.c.id)


@cache
def _pressing(action: str) -> sa.Executable:
    olds, new, alive = _BUTTONS[action]
    page = table_of(SandboxSession)
    conditions = [page.c.id == sa.bindparam("pressed"), page.c.state.in_(olds)]
    if alive:
        conditions.append(page.c.expires_at > sa.bindparam("now"))
    changed: dict[str, Any] = {"state": new}
    if action == "pay":
        changed["state"] = sa.case((page.c.capture_later, "authorised"), else_=new)
        changed["capture_by_at"] = sa.case((page.c.capture_later, sa.bindparam("capture_by")), else_=None)
    if action == "capture":
        conditions.append(page.c.capture_by_at > sa.bindparam("now"))
    return sa.update(page).where(*conditions).values(**changed).returning(page)


def _ref(reference: str) -> str:
    return "sbx_" + hashlib.sha256(reference.encode()).hexdigest()[:32]


class SandboxGateway:
    """Speak the gateway port over a table of our own."""

    name = "sandbox"

    def __init__(self, db: Database, secret_key: str) -> None:
        """Keep the books in `db`; `secret_key` masks the buyer's links in them, which a real provider keeps elsewhere."""
        self._db = db
        self._secret_key = secret_key

    def open_session(
        self,
        *,
        reference: str,
        amount: Money,
        description: str,
        email: str,  # noqa: ARG002 - a real provider shows it on its page
        language: str,  # noqa: ARG002 - the sandbox's page speaks the site's language
        return_url: str,
        cancel_url: str,
        expires_at: datetime,
        shop: str,  # noqa: ARG002 - its books are ours, and lost with them
        keep: str,  # noqa: ARG002 - for the same reason
        capture_later: bool = False,
        now: datetime,
    ) -> PaymentSession:
        """Open a session; its id is derived from the reference, so asking twice opens one."""
        ref = _ref(reference)
        with self._db.single() as session:
            page = {
                "id": ref,
                "amount_minor": amount.amount_minor,
                "currency": amount.currency,
                "description": description,
                "return_url": mask(self._secret_key, f"{ref}:return", return_url),
                "cancel_url": mask(self._secret_key, f"{ref}:cancel", cancel_url),
                "state": "open",
                "expires_at": expires_at,
                "capture_later": capture_later,
            }
            opened = session.scalar(_opening(session.get_bind().dialect.name), page)
            return session_of(SandboxSession(**page) if opened else session.get_one(SandboxSession, ref), now)

    def find_session(self, reference: str, *, since: datetime, until: datetime, now: datetime) -> PaymentSession | None:  # noqa: ARG002 - its name says which
        """Return the session that a reference opened."""
        with self._db.read() as session:
            row = session.get(SandboxSession, _ref(reference))
            return None if row is None else session_of(row, now)

    def find_reference(self, intent: str, *, now: datetime) -> str:  # noqa: ARG002 - all in its books is ours, and known here
        """Return nothing: whatever it speaks of is known by its own name."""
        return ""

    def get_session(self, ref: str, *, now: datetime) -> PaymentSession:
        """Return the session. Raises GatewayError(permanent) for an id that was never given out."""
        with self._db.read() as session:
            return session_of(_get(session.get(SandboxSession, ref)), now)

    def expire_session(self, ref: str, *, now: datetime) -> PaymentSession:
        """Close the session unless it is paid."""
        return session_of(self.press(ref, "cancel", now=now), now)

    def capture(self, ref: str, amount: Money, *, reference: str, now: datetime) -> PaymentSession:  # noqa: ARG002 - all, once
        """Take what is set aside. Raises GatewayError(permanent) where nothing is."""
        taken = session_of(self.press(ref, "capture", now=now), now)
        if taken.state not in ("paid", "voided"):
            raise GatewayError("nothing is set aside", permanent=True)
        return taken

    def void(self, ref: str, *, reference: str, now: datetime) -> PaymentSession:  # noqa: ARG002 - once by its state
        """Let go of what is set aside."""
        return session_of(self.press(ref, "void", now=now), now)

    def refund(self, session: str, amount: Money, *, reference: str, now: datetime) -> GatewayRefund:  # noqa: ARG002 - at once
        """Give money back at once, never more than was paid; the same reference is one refund."""
        ref = "sbr_" + hashlib.sha256(reference.encode()).hexdigest()[:32]
        with self._db.write() as books:
            row = _get(books.get(SandboxSession, session, with_for_update=True))
            known = books.get(SandboxRefund, ref)
            if known is None:
                back = _given_back(books, session)
                if row.state != "paid" or amount.currency != row.currency or back + amount.amount_minor > row.amount_minor:
                    raise GatewayError("more than was paid", permanent=True)
                known = SandboxRefund(id=ref, session_id=session, amount_minor=amount.amount_minor)
                books.add(known)
            return GatewayRefund(ref, "succeeded", Money(known.amount_minor, row.currency))

    def get_refund(self, ref: str, *, now: datetime) -> GatewayRefund:  # noqa: ARG002 - the port's signature
        """Return a refund. Raises GatewayError(permanent) for an id that was never given out."""
        with self._db.read() as books:
            row = books.get(SandboxRefund, ref)
            if row is None:
                raise GatewayError("no such refund", permanent=True)
            return GatewayRefund(
                ref, "succeeded", Money(row.amount_minor, _get(books.get(SandboxSession, row.session_id)).currency)
            )

    def list_paid(self, *, since: datetime) -> Sequence[PaidSession]:  # noqa: ARG002 - the port's signature
        """Return nothing: its books are ours, so it knows of nothing that we have lost."""
        return ()

    def list_refunds(self, *, since: datetime) -> Sequence[GatewayRefund]:  # noqa: ARG002 - the port's signature
        """Return nothing, for the same reason."""
        return ()

    def events_since(self, since: datetime, *, now: datetime) -> Sequence[GatewayEvent]:  # noqa: ARG002 - the port's signature
        """Return nothing: it sends its messages from its own pages, and asking finds what was lost."""
        return []

    def get_event(self, event_id: str, *, now: datetime) -> GatewayEvent:  # noqa: ARG002 - the port's signature
        """Refuse: it keeps none."""
        raise GatewayError("no such event", permanent=True)

    def pay(self, ref: str, *, now: datetime) -> PaymentSession:
        """Do what the customer does on the payment page: pay, if the session still lives."""
        return session_of(self.press(ref, "pay", now=now), now)

    def press(self, ref: str, action: str, *, now: datetime) -> SandboxSession:
        """Do what a button of the payment page does; return the session as it is afterwards. GatewayError for an unknown id.

        pay, decline (what a refused card does: it stays open for another try): if it still lives. cancel: unless it is paid.
        """
        with self._db.single() as session:
            asked = {"pressed": ref, "now": now, "capture_by": now + AUTHORISED_FOR}
            row = session.execute(_pressing(action), asked).one_or_none()
            return SandboxSession(**row._mapping) if row else _get(session.get(SandboxSession, ref))

    def dispute(self, ref: str, *, now: datetime) -> GatewayEvent:
        """Let the buyer's bank dispute all that is left of a paid session; one at a time. Raises GatewayError."""
        with self._db.write() as books:
            row = _get(books.get(SandboxSession, ref, with_for_update=True))
            if row.state != "paid":
                raise GatewayError("nothing was paid", permanent=True)
            known = books.scalars(
                sa.select(SandboxDispute).where(SandboxDispute.session_id == ref).order_by(SandboxDispute.id)
            ).all()
            found = next((one for one in known if one.state == "open"), None)
            if found is None:
                due = now + AUTHORISED_FOR
                found = SandboxDispute(id=f"sbd_{ref}_{len(known) + 1:03}", session_id=ref, state="open", evidence_due_at=due)
                books.add(found)
                books.flush()
            return _told(found, row.amount_minor - _given_back(books, ref), row.currency)

    def decide(self, ref: str, state: str) -> GatewayEvent:
        """Let the bank end the open dispute of a session: won or lost. Raises GatewayError where none is open."""
        with self._db.write() as books:
            row = _get(books.get(SandboxSession, ref, with_for_update=True))
            open_one = sa.select(SandboxDispute).where(SandboxDispute.session_id == ref, SandboxDispute.state == "open")
            found, left = books.scalar(open_one), row.amount_minor - _given_back(books, ref)
            if found is None or state not in ("won", "lost"):
                raise GatewayError("nothing to decide", permanent=True)
            found.state = state
            if state == "lost" and left:
                books.add(SandboxRefund(id=found.id, session_id=ref, amount_minor=left))
            return _told(found, left, row.currency)

    def is_disputed(self, ref: str) -> bool:
        """Tell whether a dispute of a session is open."""
        with self._db.read() as books:
            mine = sa.select(SandboxDispute.id).where(SandboxDispute.session_id == ref, SandboxDispute.state == "open")
            return books.scalar(mine) is not None

    def page(self, ref: str) -> SandboxSession:
        """Return what the payment page shows. Raises GatewayError for an unknown id."""
        with self._db.read() as session:
            row = _get(session.get(SandboxSession, ref))
            session.expunge(row)
            return row

    def ways_back(self, book: SandboxSession) -> tuple[str, str]:
        """Return where its page sends the buyer: whoever has paid, and whoever has not."""
        ways = (("return", book.return_url), ("cancel", book.cancel_url))
        paid, not_paid = (mask(self._secret_key, f"{book.id}:{name}", kept) for name, kept in ways)
        return paid, not_paid


def _given_back(books: Session, ref: str) -> int:
    given = sa.select(sa.func.coalesce(sa.func.sum(SandboxRefund.amount_minor), 0))
    return books.scalar(given.where(SandboxRefund.session_id == ref)) or 0


def _told(row: SandboxDispute, amount_minor: int, currency: str) -> GatewayEvent:
    """Return the message about a dispute, as a real provider would send it."""
    state: DisputeState = "won" if row.state == "won" else "lost" if row.state == "lost" else "open"
    amount = Money(amount_minor, currency)
    news = GatewayDispute(row.id, state, amount, "fraudulent", row.evidence_due_at, row.session_id)
    return GatewayEvent(f"sandbox:{row.id}:{state}", "charge.dispute", row.id, news)


def _get(row: SandboxSession | None) -> SandboxSession:
    if row is None:
        raise GatewayError("no such session", permanent=True)
    return row


def session_of(row: SandboxSession, now: datetime) -> PaymentSession:
    """Return a row of the book as the port speaks of it."""
    state = _STATES[row.state]
    if state == "open" and row.expires_at <= now:
        state = "expired"
    if state == "authorised" and row.capture_by_at is not None and row.capture_by_at <= now:
        state = "voided"
    amount = Money(row.amount_minor, row.currency)
    return PaymentSession(row.id, f"/sandbox/pay/{row.id}", state, amount, row.expires_at, capture_by=row.capture_by_at)
