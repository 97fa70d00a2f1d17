"""Stripe behind the gateway port: hosted Checkout by redirect, so that no card ever touches us.

Method: Stripe's API reference for Checkout Sessions, Refunds and idempotent requests. Every create carries an idempotency
key made from our own reference: asked again after a lost answer, Stripe answers as it did the first time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import stripe

from backoffice.erp import currencies
from backoffice.payments.gateway import (
    DisputeState,
    GatewayCapture,
    GatewayDispute,
    GatewayError,
    GatewayEvent,
    GatewayRefund,
    News,
    PaidSession,
    PaymentSession,
    RefundState,
    SessionState,
)
from backoffice.public.money import Money

SECONDS_TO_ANSWER = 4  # Stripe opens a page in half a second; a customer waits, and may press again under the same key
TRIES_MORE = 1
PAGE = 100  # of a list, the most that Stripe gives at once
LONGEST_VALUE, MOST_PARTS = 500, 40  # of metadata: Stripe keeps 50 values of 500 characters
# languages that Checkout's page speaks and that we may ask for; any other is left to the browser
LOCALES = frozenset("bg cs da de el en es et fi fr hr hu it lt lv mt nb nl pl pt ro ru sk sl sv tr".split())  # noqa: SIM905 - one line one can read
HEARD = (
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.captured",
    "payment_intent.canceled",
)
CLOCKS_APART = timedelta(minutes=5)  # theirs and ours
AUTHORISED_FOR = timedelta(days=7)  # where Stripe does not say until when
_DISPUTE_STATES: Mapping[str, DisputeState] = {"won": "won", "warning_closed": "won", "prevented": "won", "lost": "lost"}
_REFUND_STATES: Mapping[str, RefundState] = {"succeeded": "succeeded", "failed": "failed", "canceled": "failed"}


class StripeGateway:
    """Speak the gateway port to Stripe."""

    name = "stripe"

    def __init__(self, secret_key: str, *, api_base: str = "") -> None:
        """Use `secret_key`; `api_base`: another address than Stripe's own, for tests."""
        self.live = "_live_" in secret_key
        self._client = stripe.StripeClient(
            secret_key,
            base_addresses={"api": api_base} if api_base else None,
            max_network_retries=TRIES_MORE,
            http_client=stripe.RequestsClient(timeout=SECONDS_TO_ANSWER),
        )

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
        now: datetime,  # noqa: ARG002 - the port's signature
    ) -> PaymentSession:
        """Open a Checkout session over one amount; with capture_later it offers only what can be set aside."""
        price: dict[str, Any] = {
            "currency": amount.currency.lower(),
            "unit_amount": _theirs(amount),
            "product_data": {"name": description},
        }
        params: dict[str, Any] = {
            "mode": "payment",
            "line_items": [{"price_data": price, "quantity": 1}],
            "success_url": return_url,
            "cancel_url": cancel_url,
            "expires_at": int(expires_at.timestamp()),
            "customer_email": email,
            "client_reference_id": reference,
            "locale": language[:2] if language[:2] in LOCALES else "auto",
            "metadata": {"reference": reference, "shop": shop} | parted(keep),
            "payment_intent_data": {"metadata": {"reference": reference}}
            | ({"capture_method": "manual"} if capture_later else {}),
        }
        with _as_gateway_errors():
            made = self._client.v1.checkout.sessions.create(params, {"idempotency_key": _key(reference)})  # type: ignore[arg-type] # built above
        return session_of(made)

    def find_session(self, reference: str, *, since: datetime, until: datetime, now: datetime) -> PaymentSession | None:  # noqa: ARG002 - the port's signature
        """Look through the sessions of that time: Stripe cannot be asked for a reference."""
        between = {"gte": int((since - CLOCKS_APART).timestamp()), "lte": int((until + CLOCKS_APART).timestamp())}
        with _as_gateway_errors():
            listed = self._client.v1.checkout.sessions.list({"created": between, "limit": PAGE})  # type: ignore[arg-type] # two of its four
            found = next((one for one in listed.auto_paging_iter() if one["client_reference_id"] == reference), None)
        return None if found is None else session_of(found)

    def find_reference(self, intent: str, *, now: datetime) -> str:  # noqa: ARG002 - the port's signature
        """Return what the payment's metadata say; other programs may take payments at the same account."""
        with _as_gateway_errors():
            try:
                found = self._client.v1.payment_intents.retrieve(intent)
            except stripe.InvalidRequestError as error:
                if error.code != "resource_missing":
                    raise
                return ""
        return str((found["metadata"].to_dict() if found["metadata"] else {}).get("reference", ""))

    def get_session(self, ref: str, *, now: datetime) -> PaymentSession:  # noqa: ARG002 - the port's signature
        """Return a session as Stripe sees it now, with its payment: a session alone does not say that money is set aside."""
        with _as_gateway_errors():
            return session_of(self._client.v1.checkout.sessions.retrieve(ref, {"expand": ["payment_intent.latest_charge"]}))

    def expire_session(self, ref: str, *, now: datetime) -> PaymentSession:
        """Close a session. Stripe refuses when it is not open any more: then it is as it is."""
        try:
            with _as_gateway_errors():
                return session_of(self._client.v1.checkout.sessions.expire(ref))
        except GatewayError as error:
            if not error.permanent:
                raise
            return self.get_session(ref, now=now)

    def capture(self, ref: str, amount: Money, *, reference: str, now: datetime) -> PaymentSession:
        """Take what is set aside. Stripe refuses when it is not any more: then it is as it is."""
        intent = self._intent_of(ref, now)
        params: dict[str, Any] = {"amount_to_capture": _theirs(amount)}
        return self._ended(
            lambda: self._client.v1.payment_intents.capture(intent, params, {"idempotency_key": _key(reference)}),  # type: ignore[arg-type] # built above
            ref,
            now,
        )

    def void(self, ref: str, *, reference: str, now: datetime) -> PaymentSession:
        """Let go of what is set aside."""
        intent = self._intent_of(ref, now)
        return self._ended(
            lambda: self._client.v1.payment_intents.cancel(intent, {}, {"idempotency_key": _key(reference)}), ref, now
        )

    def _intent_of(self, ref: str, now: datetime) -> str:
        intent = self.get_session(ref, now=now).intent
        if intent is None:
            raise GatewayError("nothing was paid in this session", permanent=True)
        return intent

    def _ended(self, ask: Callable[[], object], ref: str, now: datetime) -> PaymentSession:
        """Ask for an end of what is set aside; return how it stands then. Raises GatewayError where that is no end."""
        try:
            with _as_gateway_errors():
                ask()
        except GatewayError as error:
            if not error.permanent or (found := self.get_session(ref, now=now)).state not in ("paid", "voided"):
                raise
            return found
        return self.get_session(ref, now=now)

    def refund(self, session: str, amount: Money, *, reference: str, now: datetime) -> GatewayRefund:
        """Give money of a paid session back."""
        intent = self._intent_of(session, now)
        params: dict[str, Any] = {
            "payment_intent": intent,
            "amount": _theirs(amount),
            "metadata": {"reference": reference},
        }
        with _as_gateway_errors():
            return refund_of(self._client.v1.refunds.create(params, {"idempotency_key": _key(reference)}))  # type: ignore[arg-type] # built above

    def events_since(self, since: datetime, *, now: datetime) -> Sequence[GatewayEvent]:  # noqa: ARG002 - the port's signature
        """List what happened, all of it. What is not as documented says nothing; the same message is refused by our ear."""
        params: dict[str, Any] = {"created": {"gte": int(since.timestamp())}, "types": list(HEARD), "limit": 100}
        with _as_gateway_errors():
            listed = [one.to_dict() for one in self._client.v1.events.list(params).auto_paging_iter()]  # type: ignore[arg-type] # built above
        found = []
        for one in reversed(listed):
            with suppress(KeyError, TypeError, ValueError, AttributeError):
                found.append(event_of(one))
        return found

    def get_event(self, event_id: str, *, now: datetime) -> GatewayEvent:  # noqa: ARG002 - the port's signature
        """Return an event as Stripe has it now: its object may have moved on since it was first read."""
        with _as_gateway_errors():
            found = self._client.v1.events.retrieve(event_id.removeprefix("stripe:")).to_dict()
        try:
            return event_of(found)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise GatewayError("an event that is not as documented", permanent=True) from error

    def get_refund(self, ref: str, *, now: datetime) -> GatewayRefund:  # noqa: ARG002 - the port's signature
        """Return a refund as Stripe sees it now."""
        with _as_gateway_errors():
            return refund_of(self._client.v1.refunds.retrieve(ref))

    def list_paid(self, *, since: datetime) -> Sequence[PaidSession]:
        """Return the complete sessions opened since then, those that wait for slow money too."""
        params: dict[str, Any] = {"status": "complete", "created": {"gte": int(since.timestamp())}, "limit": PAGE}
        params["expand"] = ["data.payment_intent.latest_charge"]
        with _as_gateway_errors():
            found = self._client.v1.checkout.sessions.list(params)  # type: ignore[arg-type] # built above
            return [_paid_of(one) for one in found.auto_paging_iter()]

    def list_refunds(self, *, since: datetime) -> Sequence[GatewayRefund]:
        """Return the refunds made since then."""
        with _as_gateway_errors():
            found = self._client.v1.refunds.list({"created": {"gte": int(since.timestamp())}, "limit": PAGE})
            return [refund_of(one) for one in found.auto_paging_iter()]


def parted(keep: str) -> dict[str, str]:
    """Return a text as metadata, or nothing where it is longer than there is room for."""
    parts = [keep[at : at + LONGEST_VALUE] for at in range(0, len(keep), LONGEST_VALUE)]
    return {f"order_{number:02}": part for number, part in enumerate(parts)} if len(parts) <= MOST_PARTS else {}


def _paid_of(found: Any) -> PaidSession:
    metadata: dict[str, str] = found["metadata"].to_dict() if found["metadata"] else {}
    return PaidSession(
        session=session_of(found),
        reference=metadata.get("reference", ""),
        shop=metadata.get("shop", ""),
        kept="".join(metadata[name] for name in sorted(metadata) if name.startswith("order_")),
        email=found["customer_email"] or "",
        opened_at=datetime.fromtimestamp(int(found["created"]), UTC),
    )


def _theirs(amount: Money) -> int:
    """Return an amount in the unit that Stripe counts its currency in."""
    return amount.amount_minor * currencies.provider_factor(amount.currency)


def _ours(amount: Any, currency: Any) -> Money:
    code = str(currency).upper()
    return Money(int(amount) // currencies.provider_factor(code), code)


def session_of(found: Any) -> PaymentSession:
    """Return a Checkout session as the port has it; `found`: Stripe's object, from an answer or an event."""
    intent = found["payment_intent"]
    inside = None if intent is None or isinstance(intent, str) else intent  # an event names it only by its id
    return PaymentSession(
        ref=found["id"],
        pay_url=found["url"] or "",
        state=_state_of(found["status"], found["payment_status"], inside["status"] if inside else ""),
        amount=_ours(found["amount_total"], found["currency"]),
        expires_at=datetime.fromtimestamp(int(found["expires_at"]), UTC),
        intent=_id_of(intent),
        capture_by=_capture_by(inside) if inside and inside["status"] == "requires_capture" else None,
        reference=found["client_reference_id"] or "",
    )


def _capture_by(intent: Any) -> datetime:
    """Return until when money can be taken: the bank's own word on the charge, else so long after it was made."""
    at = intent["latest_charge"]
    for name in ("payment_method_details", "card", "capture_before"):
        at = at[name] if at and not isinstance(at, str) and name in at else None
    return datetime.fromtimestamp(int(at), UTC) if at else datetime.fromtimestamp(int(intent["created"]), UTC) + AUTHORISED_FOR


def refund_of(found: Any) -> GatewayRefund:
    """Return a refund as the port has it; `found`: Stripe's object, from an answer or an event."""
    amount = _ours(found["amount"], found["currency"])
    return GatewayRefund(found["id"], _REFUND_STATES.get(found["status"], "pending"), amount, _id_of(found["payment_intent"]))


def dispute_of(found: Any) -> GatewayDispute:
    """Return a dispute as the port has it; `found`: Stripe's object, from an answer or an event.

    Its states that warn are inquiries: closed, they end as well for us.
    """
    due = (found["evidence_details"] or {}).get("due_by")
    return GatewayDispute(
        found["id"],
        _DISPUTE_STATES.get(found["status"], "open"),
        _ours(found["amount"], found["currency"]),
        str(found["reason"]),
        datetime.fromtimestamp(int(due), UTC) if due else None,
        _id_of(found["payment_intent"]),
    )


def event_of(found: Any) -> GatewayEvent:
    """Return an event as the port has it; `found`: Stripe's object. KeyError, TypeError, ValueError: not as documented."""
    kind, what = str(found["type"]), found["data"]["object"]
    return GatewayEvent(f"stripe:{found['id']}", kind, str(what.get("id", "")), _news_of(kind, what))


def _news_of(kind: str, what: Any) -> News | None:
    if kind.startswith("checkout.session."):
        news = session_of(what)
        return replace(news, state="failed") if kind == "checkout.session.async_payment_failed" else news
    if kind.startswith("charge.dispute."):
        return dispute_of(what)
    if kind == "charge.captured":
        amount = _ours(what["amount_captured"], what["currency"])
        return GatewayCapture(str(_id_of(what["payment_intent"])), "paid", amount)
    if kind == "payment_intent.canceled":
        return GatewayCapture(str(what["id"]), "voided", _ours(what["amount"], what["currency"]))
    return refund_of(what) if kind.startswith("refund.") or kind == "charge.refund.updated" else None


_INTENT_STATES: Mapping[str, SessionState] = {"requires_capture": "authorised", "canceled": "voided", "succeeded": "paid"}


def _state_of(status: str, payment_status: str, intent_status: str) -> SessionState:
    """A session that is complete without being paid waits for a slow method, or its money is set aside: its payment says."""
    if status == "open":
        return "open"
    if status == "expired":
        return "expired"
    return _INTENT_STATES.get(intent_status, "processing" if payment_status == "unpaid" else "paid")


def _id_of(value: Any) -> str | None:
    """Return the id of something that Stripe names by id or, expanded, as a whole."""
    return value if value is None or isinstance(value, str) else str(value["id"])


_ABOUT: Mapping[str, Literal["", "email", "amount"]] = {
    "email_invalid": "email",
    "amount_too_small": "amount",
    "amount_too_large": "amount",
}


def _key(reference: str) -> str:
    return hashlib.sha256(reference.encode()).hexdigest()


@contextmanager
def _as_gateway_errors() -> Iterator[None]:
    """Turn Stripe's errors into the port's: what the request itself is to blame for does not get better by asking again."""
    try:
        yield
    except (stripe.APIConnectionError, stripe.RateLimitError, stripe.IdempotencyError) as error:
        raise GatewayError(type(error).__name__, away=not isinstance(error, stripe.IdempotencyError)) from error
    except stripe.StripeError as error:
        permanent = error.http_status is not None and 400 <= error.http_status < 500
        about = _ABOUT.get(error.code or "", "")
        raise GatewayError(f"{type(error).__name__} {error.code or ''}".strip(), permanent=permanent, about=about) from error
