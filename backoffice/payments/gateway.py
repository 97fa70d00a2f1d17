"""The gateway port: what we ask of a payment provider. One real provider and one labelled sandbox speak it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

from backoffice.public.money import Money

SessionState = Literal["open", "processing", "authorised", "paid", "voided", "failed", "expired"]


@dataclass(frozen=True, slots=True)
class PaymentSession:
    """A hosted payment page at the provider. capture_by: until when money that is only set aside can be taken.

    reference: our own name for it, as given when it was opened.
    """

    ref: str
    pay_url: str
    state: SessionState
    amount: Money
    expires_at: datetime
    intent: str | None = None  # the payment itself, once there is one: what a refund names
    capture_by: datetime | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class PaidSession:
    """A session that was paid, as it is found again by somebody who has lost their books.

    reference, kept: as given when it was opened. shop: whose it is, see `payments.rebuilding`. Empty: not one of ours.
    """

    session: PaymentSession
    reference: str
    shop: str
    kept: str
    email: str
    opened_at: datetime


RefundState = Literal["pending", "succeeded", "failed"]


@dataclass(frozen=True, slots=True)
class GatewayRefund:
    """Money that the provider gives back."""

    ref: str
    state: RefundState
    amount: Money
    intent: str | None = None


DisputeState = Literal["open", "won", "lost"]


@dataclass(frozen=True, slots=True)
class GatewayDispute:
    """Money that the buyer's bank takes back, or tries to. evidence_due_at: until when it wants proof."""

    ref: str
    state: DisputeState
    amount: Money
    reason: str
    evidence_due_at: datetime | None = None
    intent: str | None = None


@dataclass(frozen=True, slots=True)
class GatewayCapture:
    """Money that was set aside: it was taken now, or let go."""

    intent: str
    state: Literal["paid", "voided"]
    amount: Money


News: TypeAlias = PaymentSession | GatewayRefund | GatewayDispute | GatewayCapture


@dataclass(frozen=True, slots=True)
class GatewayEvent:
    """Something that happened at the provider, under its own id. news: what it says; None: nothing that concerns us."""

    id: str
    kind: str
    ref: str
    news: News | None


class GatewayError(Exception):
    """The provider did not answer as documented; `permanent`: asking again will not help; `away`: nobody was reached at all.

    reason: words of ours or the code of its error, for the log; never what it wrote, which may name a person.
    about: what of a payment page it does not take, where that is something of the customer's.
    """

    def __init__(
        self, reason: str, *, permanent: bool = False, away: bool = False, about: Literal["", "email", "amount"] = ""
    ) -> None:
        super().__init__(reason)
        self.reason, self.permanent, self.away, self.about = reason, permanent, away, about


class Gateway(Protocol):
    """A payment provider. Never called while a database transaction of ours is open."""

    name: str

    def open_session(
        self,
        *,
        reference: str,
        amount: Money,
        description: str,
        email: str,
        language: str,
        return_url: str,
        cancel_url: str,
        expires_at: datetime,
        shop: str,
        keep: str,
        capture_later: bool = False,
        now: datetime,
    ) -> PaymentSession:
        """Open a payment page; the same `reference` gives the same session. Raises GatewayError.

        capture_later: the bank only sets the money aside, until `capture` or `void`.
        shop, keep: whose it is and what was ordered, to be given back by `list_paid`; as much as there is room for.
        """
        ...

    def find_session(self, reference: str, *, since: datetime, until: datetime, now: datetime) -> PaymentSession | None:
        """Return the session that was opened with a reference between two instants; None: none was. Raises GatewayError."""
        ...

    def find_reference(self, intent: str, *, now: datetime) -> str:
        """Return the reference that a payment was opened with; "": without one, or there is none. Raises GatewayError."""
        ...

    def get_session(self, ref: str, *, now: datetime) -> PaymentSession:
        """Return a session as the provider sees it now. Raises GatewayError."""
        ...

    def expire_session(self, ref: str, *, now: datetime) -> PaymentSession:
        """Close an open session; return it as it is afterwards: expired, or paid if the customer was faster."""
        ...

    def capture(self, ref: str, amount: Money, *, reference: str, now: datetime) -> PaymentSession:
        """Take money that is set aside, all of it; return the session as it is then: paid, or voided where that was faster.

        The same `reference` takes it once. Raises GatewayError, permanent when the provider refuses.
        """
        ...

    def void(self, ref: str, *, reference: str, now: datetime) -> PaymentSession:
        """Let go of money that is set aside; return the session as it is then: voided, or paid where that was faster."""
        ...

    def refund(self, session: str, amount: Money, *, reference: str, now: datetime) -> GatewayRefund:
        """Give money of a paid session back; the same `reference` gives the same refund.

        Raises GatewayError, permanent when the provider refuses (more than was paid, not paid at all).
        """
        ...

    def events_since(self, since: datetime, *, now: datetime) -> Sequence[GatewayEvent]:
        """Return what happened at the provider since an instant, the oldest first. Raises GatewayError."""
        ...

    def get_event(self, event_id: str, *, now: datetime) -> GatewayEvent:
        """Return an event by its id. Raises GatewayError, permanent where it is not as documented."""
        ...

    def get_refund(self, ref: str, *, now: datetime) -> GatewayRefund:
        """Return a refund as the provider sees it now. Raises GatewayError."""
        ...

    def list_paid(self, *, since: datetime) -> Sequence[PaidSession]:
        """Return the sessions opened since then that were paid, whoever opened them. Raises GatewayError."""
        ...

    def list_refunds(self, *, since: datetime) -> Sequence[GatewayRefund]:
        """Return the refunds made since then. Raises GatewayError."""
        ...


class Hears(Protocol):
    """Where the messages go: the till."""

    def hear(self, event: GatewayEvent, *, now: datetime) -> None:
        """Act on an event, and store it, also one that changes nothing here."""
        ...
