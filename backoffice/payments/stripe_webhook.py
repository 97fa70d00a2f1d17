"""Stripe's messages to us: signed, any number of times, in any order. Stored with their effect in one transaction.

The signature is checked over the raw body with each of our secrets, its time against our own clock in both directions.
What an event says about a session or a refund goes through the same settling as our own questions to Stripe.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import stripe
import structlog
from flask import Blueprint, abort, request
from prometheus_client import Counter
from werkzeug.wrappers import Response

from backoffice.payments.gateway import Hears
from backoffice.payments.stripe_gateway import event_of

if TYPE_CHECKING:
    from flask import Flask

MOST_BYTES = 256 * 1024
TOLERANCE = timedelta(seconds=300)
log = structlog.get_logger("shopfloor.payments")
_refused = Counter(
    "shopfloor_webhooks_refused_total", "Messages of the payment provider without a right signature, or of another mode."
)


def register(app: Flask, till: Hears, secrets: str, clock: Callable[[], datetime], *, live: bool) -> None:
    """Add POST /payments/stripe/webhook to the site. secrets: comma separated; live: which mode our key belongs to."""
    known = [secret.strip() for secret in secrets.split(",") if secret.strip()]
    pages = Blueprint("payments", __name__, url_prefix="/payments")

    @pages.post("/stripe/webhook")
    def stripe_webhook() -> Response:
        if request.content_length is None or request.content_length > MOST_BYTES:
            abort(413)
        now = clock()
        event = verified(request.get_data(cache=False), request.headers.get("Stripe-Signature", ""), known, now)
        # `account` is named where events of other accounts reach a platform, which we are not
        if event is None or bool(event.get("livemode")) != live or event.get("account"):
            log.warning("webhook_refused", signed=event is not None)
            _refused.inc()
            abort(400)
        _act(till, event, now)
        return Response("stored\n", 200, mimetype="text/plain")

    app.register_blueprint(pages)


def verified(body: bytes, header: str, secrets: Sequence[str], now: datetime) -> dict[str, Any] | None:
    """Return the event of a body that one of our secrets signed within the last five minutes, else None."""
    for secret in secrets:
        try:
            stripe.WebhookSignature.verify_header(body, header, secret, tolerance=None)
        except (stripe.SignatureVerificationError, UnicodeDecodeError):
            continue
        stamp = next((part[2:] for part in header.split(",") if part.startswith("t=")), "")
        if not stamp.isdigit() or abs(now.timestamp() - int(stamp)) > TOLERANCE.total_seconds():
            return None
        try:
            event = json.loads(body)
        except ValueError:
            return None
        well_formed = isinstance(event, dict) and isinstance(event.get("id"), str) and isinstance(event.get("type"), str)
        return event if well_formed else None
    return None


def _act(till: Hears, event: dict[str, Any], now: datetime) -> None:
    try:
        till.hear(event_of(event), now=now)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        log.warning("webhook_not_as_documented", kind=event["type"], error=type(error).__name__)
        abort(400)
