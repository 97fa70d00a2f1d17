"""A DOUBLE of Stripe for tests: it answers over HTTP on loopback as Stripe's API reference documents, and it is not Stripe.

Covered: Checkout Sessions (create, retrieve, expire, the hosted page with cards, declines and 3-D Secure), Refunds with their
cap, money that is only set aside (capture, cancel, its seven days), disputes, the list of events page by page, idempotency
keys, Stripe's JSON errors, signed events. The test decides which is delivered, how often and in what order. What only a real
key can show is listed in docs/payments.md.
"""

from __future__ import annotations

import hashlib
import hmac
import html
import http.client
import itertools
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

WHOLE = ("isk", "ugx")  # written with two decimals that must be 00
LEAST = {"eur": 50, "usd": 50, "gbp": 30, "jpy": 50}
SHORTEST, LONGEST = 30 * 60, 24 * 3600
GOOD, DECLINED, THREE_D = "4242424242424242", "4000000000000002", "4000002760003184"


def _require_whole(currency: str, amount: int) -> None:
    if currency in WHOLE and amount % 100:
        raise Refusal(400, "invalid_request_error", "Invalid amount.", "invalid_charge_amount_no_decimal_compatible")


class Refusal(Exception):
    """An error in Stripe's own shape."""

    def __init__(self, status: int, kind: str, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status, self.body = status, {"error": {"type": kind, "message": message, "code": code or None}}


class StripeDouble:
    """Stripe's books in memory. now: seconds since 1970, as the test says."""

    def __init__(self, secret_key: str = "sk_test_double", webhook_secret: str = "whsec_double") -> None:
        self.secret_key, self.webhook_secret = secret_key, webhook_secret
        self.now: Callable[[], float] = lambda: 0.0
        self.sessions: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.disputes: dict[str, dict[str, Any]] = {}
        self.intents: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.kept: dict[str, tuple[str, int, Any]] = {}
        self.calls: list[tuple[str, str]] = []
        self.fail_next: list[int] = []  # statuses to answer the next calls with after having done the work; 0: answer well
        self.slow_refunds = False
        self.base = ""
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()

    # -- what a test does ------------------------------------------------------------------------------------------

    def signed(self, event: dict[str, Any], *, at: float | None = None, secret: str = "") -> tuple[bytes, dict[str, str]]:
        """Return body and headers of an event as Stripe sends it."""
        body = json.dumps(event).encode()
        stamp = int(self.now() if at is None else at)
        digest = hmac.new((secret or self.webhook_secret).encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        return body, {"Stripe-Signature": f"t={stamp},v1={digest}", "Content-Type": "application/json"}

    def deliver(self, address: str, event: dict[str, Any]) -> int:
        """Send an event to the webhook of a shop that serves; return the status of its answer."""
        body, headers = self.signed(event)
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
        try:
            connection.request("POST", "/payments/stripe/webhook", body, headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def pay(self, session_id: str, card: str = GOOD, *, slow: bool = False) -> None:
        """Do what a customer does on the hosted page. slow: a payment method whose money comes days later."""
        with self._lock:
            session = self.sessions[session_id]
            assert session["status"] == "open"
            if card == DECLINED:
                return
            number = next(self._numbers)
            aside = session["capture_method"] == "manual"
            card = {"capture_before": int(self.now()) + 7 * 86_400} if aside else {}
            session.update(
                status="complete", payment_status="unpaid" if slow or aside else "paid", payment_intent=f"pi_{number}", url=None
            )
            self.intents[f"pi_{number}"] = {
                "id": f"pi_{number}",
                "object": "payment_intent",
                "amount": session["amount_total"],
                "currency": session["currency"],
                "created": int(self.now()),
                "metadata": {"reference": session["metadata"].get("reference", "")},
                "status": "requires_capture" if aside else "processing" if slow else "succeeded",
                "latest_charge": {"id": f"ch_{number}", "object": "charge", "payment_method_details": {"card": card}},
            }
            self._event("checkout.session.completed", session)

    def money_comes(self, session_id: str, *, well: bool = True) -> None:
        """End a slow payment."""
        with self._lock:
            session = self.sessions[session_id]
            if well:
                session["payment_status"] = "paid"
                self.intents[session["payment_intent"]]["status"] = "succeeded"
            self._event(f"checkout.session.async_payment_{'succeeded' if well else 'failed'}", session)

    def lapse(self, session_id: str) -> None:
        """Let the bank let go of money that nobody has taken."""
        with self._lock:
            self._end_intent(self.intents[self.sessions[session_id]["payment_intent"]], "canceled")

    def refund_by_hand(self, session_id: str, amount: int) -> dict[str, Any]:
        """Give money back on Stripe's own pages."""
        with self._lock:
            return self._refund({"payment_intent": self.sessions[session_id]["payment_intent"], "amount": str(amount)})

    def dispute(self, session_id: str, amount: int | None = None) -> dict[str, Any]:
        """Let the buyer's bank dispute a payment; it wants proof within seven days."""
        with self._lock:
            paid = self.sessions[session_id]
            dispute = {
                "id": f"dp_{next(self._numbers)}",
                "object": "dispute",
                "amount": paid["amount_total"] if amount is None else amount,
                "currency": paid["currency"],
                "payment_intent": paid["payment_intent"],
                "reason": "fraudulent",
                "status": "needs_response",
                "evidence_details": {"due_by": int(self.now()) + 7 * 86_400},
            }
            self.disputes[str(dispute["id"])] = dispute
            self._event("charge.dispute.created", dispute)
            return dispute

    def dispute_ends(self, dispute_id: str, state: str) -> None:
        """Let the bank decide: won or lost."""
        with self._lock:
            self.disputes[dispute_id]["status"] = state
            self._event("charge.dispute.closed", self.disputes[dispute_id])

    def refund_ends(self, refund_id: str, state: str) -> None:
        """End a refund that was pending."""
        with self._lock:
            self.refunds[refund_id]["status"] = state
            self._event("refund.failed" if state == "failed" else "refund.updated", self.refunds[refund_id])

    # -- the API ---------------------------------------------------------------------------------------------------

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer as a WSGI app."""
        request = Request(environ)
        with self._lock:
            response = self._page(request) if request.path.startswith("/pay/") else self._api(request)
        return response(environ, start_response)

    def _api(self, request: Request) -> Response:
        self.calls.append((request.method, request.path))
        try:
            if request.headers.get("Authorization") != f"Bearer {self.secret_key}":
                raise Refusal(401, "invalid_request_error", "Invalid API Key provided")
            status, answer = self._once(request)
        except Refusal as refusal:
            status, answer = refusal.status, refusal.body
        if self.fail_next and (failing := self.fail_next.pop(0)):
            status, answer = failing, {"error": {"type": "api_error", "message": "try again"}}
        return Response(json.dumps(answer), status, mimetype="application/json")

    def _once(self, request: Request) -> tuple[int, Any]:
        key, body = request.headers.get("Idempotency-Key"), request.get_data(as_text=True)
        asked = f"{request.path} {sorted(body.split('&'))}"
        if key and request.method == "POST" and key in self.kept:
            before, status, answer = self.kept[key]
            if before != asked:
                raise Refusal(
                    400, "idempotency_error", "Keys can only be used with the same parameters they were first used with"
                )
            return status, answer
        answer = json.loads(json.dumps(self._route(request)))
        if key and request.method == "POST":
            self.kept[key] = (asked, 200, answer)
        return 200, answer

    def _route(self, request: Request) -> Any:
        parts, form = request.path.strip("/").split("/"), request.form
        if parts[:3] == ["v1", "checkout", "sessions"]:
            if len(parts) == 3 and request.method == "POST":
                return self._create(form)
            if len(parts) == 3:
                complete = [one for one in self.sessions.values() if one["status"] == request.args.get("status", one["status"])]
                return _page([self._expanded(one, request) for one in complete], request)
            session = self._find(self.sessions, parts[3])
            if parts[4:] == ["expire"] and request.method == "POST":
                if session["status"] != "open":
                    raise Refusal(
                        400, "invalid_request_error", 'Only Checkout Sessions with a status in ["open"] can be expired.'
                    )
                session.update(status="expired", url=None)
                self._event("checkout.session.expired", session)
            return self._expanded(session, request)
        if parts[:2] == ["v1", "payment_intents"]:
            intent = self._find(self.intents, parts[2])
            return intent if request.method == "GET" else self._intent(intent, parts[3], form)
        if parts[:2] == ["v1", "refunds"]:
            if len(parts) == 2 and request.method == "POST":
                return self._refund(form)
            if len(parts) == 2:
                return _page(list(self.refunds.values()), request)
            return self._find(self.refunds, parts[2])
        if parts[:2] == ["v1", "events"] and request.method == "GET":
            return self._find({one["id"]: one for one in self.events}, parts[2]) if parts[2:] else self._list(request.args)
        raise Refusal(404, "invalid_request_error", f"Unrecognized request URL ({request.method}: {request.path})")

    def _expanded(self, session: dict[str, Any], request: Request) -> dict[str, Any]:
        """Return a session with its payment inside where that was asked for."""
        asked = any("payment_intent" in value for name, value in request.args.items(multi=True) if name.startswith("expand"))
        inside = self.intents.get(session["payment_intent"] or "")
        return session | {"payment_intent": inside} if asked and inside else session

    def _intent(self, intent: dict[str, Any], verb: str, form: Any) -> dict[str, Any]:
        if intent["status"] != "requires_capture":
            said = f"This PaymentIntent could not be {verb}d because it has a status of {intent['status']}."
            raise Refusal(400, "invalid_request_error", said, "payment_intent_unexpected_state")
        if verb == "capture" and int(form.get("amount_to_capture", intent["amount"])) > intent["amount"]:
            raise Refusal(400, "invalid_request_error", "more than can be captured", "amount_too_large")
        self._end_intent(intent, "succeeded" if verb == "capture" else "canceled")
        return intent

    def _end_intent(self, intent: dict[str, Any], state: str) -> None:
        intent["status"] = state
        if state == "canceled":
            self._event("payment_intent.canceled", intent)
            return
        for session in self.sessions.values():
            if session["payment_intent"] == intent["id"]:
                session["payment_status"] = "paid"
        charge = {"id": intent["latest_charge"]["id"], "object": "charge", "payment_intent": intent["id"]}
        self._event("charge.captured", charge | {"amount_captured": intent["amount"], "currency": intent["currency"]})

    def _create(self, form: Any) -> dict[str, Any]:
        for name in ("mode", "success_url", "line_items[0][price_data][currency]", "line_items[0][price_data][unit_amount]"):
            if not form.get(name):
                raise Refusal(400, "invalid_request_error", f"Missing required param: {name}.", "parameter_missing")
        currency = form["line_items[0][price_data][currency]"]
        amount = int(form["line_items[0][price_data][unit_amount]"]) * int(form["line_items[0][quantity]"])
        _require_whole(currency, amount)
        if amount < LEAST.get(currency, 1):
            raise Refusal(400, "invalid_request_error", "The Checkout Session's total amount is too small", "amount_too_small")
        if not (email := form.get("customer_email", "")).isascii():
            raise Refusal(400, "invalid_request_error", f"Invalid email address: {email}", "email_invalid")
        lives = int(form["expires_at"]) - self.now()
        if not SHORTEST <= lives <= LONGEST:
            raise Refusal(400, "invalid_request_error", "The `expires_at` must be between 30 minutes and 24 hours away.")
        name = f"cs_test_{next(self._numbers)}"
        self.sessions[name] = {
            "id": name,
            "object": "checkout.session",
            "url": f"{self.base}/pay/{name}",
            "status": "open",
            "payment_status": "unpaid",
            "amount_total": amount,
            "currency": currency,
            "payment_intent": None,
            "capture_method": form.get("payment_intent_data[capture_method]", "automatic"),
            "expires_at": int(form["expires_at"]),
            "success_url": form["success_url"],
            "cancel_url": form.get("cancel_url"),
            "customer_email": form.get("customer_email"),
            "client_reference_id": form.get("client_reference_id"),
            "metadata": _metadata(form),
            "created": int(self.now()),
            "livemode": False,
        }
        return self.sessions[name]

    def _refund(self, form: Any) -> dict[str, Any]:
        paid = next((s for s in self.sessions.values() if s["payment_intent"] == form.get("payment_intent")), None)
        if paid is None or paid["payment_status"] != "paid":
            raise Refusal(400, "invalid_request_error", "This PaymentIntent does not have a successful charge to refund.")
        _require_whole(paid["currency"], amount := int(form["amount"]))
        given = sum(
            r["amount"]
            for r in self.refunds.values()
            if r["payment_intent"] == paid["payment_intent"] and r["status"] != "failed"
        )
        if amount < 1 or given + amount > paid["amount_total"]:
            raise Refusal(
                400, "invalid_request_error", "Refund amount is greater than unrefunded amount on charge", "amount_too_large"
            )
        refund = {
            "id": f"re_{next(self._numbers)}",
            "object": "refund",
            "amount": amount,
            "currency": paid["currency"],
            "payment_intent": paid["payment_intent"],
            "status": "pending" if self.slow_refunds else "succeeded",
            "created": int(self.now()),
        }
        self.refunds[refund["id"]] = refund
        self._event("refund.created", refund)
        return refund

    def _list(self, asked: Any) -> dict[str, Any]:
        """List events, the newest first, a page at a time."""
        kinds = set(asked.getlist("types[]") or [value for name, value in asked.items() if name.startswith("types[")])
        since, most = int(asked.get("created[gte]", 0)), int(asked.get("limit", 10))
        found = [one for one in reversed(self.events) if one["created"] >= since and (not kinds or one["type"] in kinds)]
        if after := asked.get("starting_after"):
            found = found[[one["id"] for one in found].index(after) + 1 :]
        return {"object": "list", "url": "/v1/events", "has_more": len(found) > most, "data": found[:most]}

    def _find(self, books: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
        if name not in books:
            raise Refusal(404, "invalid_request_error", f"No such object: '{name}'", "resource_missing")
        return books[name]

    def _event(self, kind: str, what: dict[str, Any]) -> None:
        made = {
            "id": f"evt_{next(self._numbers)}",
            "object": "event",
            "type": kind,
            "livemode": False,
            "created": int(self.now()),
            "data": {"object": dict(what)},
        }
        self.events.append(json.loads(json.dumps(made)))

    # -- the hosted page -------------------------------------------------------------------------------------------

    def _page(self, request: Request) -> Response:
        session = self.sessions[request.path.rsplit("/", 1)[1]]
        card = request.form.get("card", "").replace(" ", "")
        if session["status"] != "open":
            return self._drawn(session, "This session is over.", form=False)
        if request.method == "GET":
            return self._drawn(session)
        if card == DECLINED:
            return self._drawn(session, "Your card was declined.")
        if card == THREE_D and request.form.get("bank") is None:
            return self._drawn(session, "Your bank asks: is it you?", bank=True)
        if request.form.get("bank") == "no":
            return self._drawn(session, "We are unable to authenticate your payment method.")
        if card not in (GOOD, THREE_D):
            return self._drawn(session, "Your card number is invalid.")
        self.pay(session["id"])
        return Response(status=303, headers={"Location": session["success_url"]})

    def _drawn(self, session: dict[str, Any], text: str = "", *, form: bool = True, bank: bool = False) -> Response:
        card = '<label>Card <input name="card"></label><button>Pay</button>'
        if bank:
            card = f'<input type="hidden" name="card" value="{THREE_D}"><button name="bank" value="yes">Complete</button>'
            card += '<button name="bank" value="no">Fail</button>'
        inside = f'<form method="post">{card}</form>' if form else ""
        back = html.escape(session["cancel_url"] or "")
        head = "<!doctype html><title>DOUBLE of Stripe</title><h1>A double of Stripe, for tests</h1>"
        page = f'{head}<p role="status">{text}</p>{inside}<a href="{back}">Back</a>'
        return Response(page, 200, mimetype="text/html")


def _metadata(form: Any) -> dict[str, str]:
    """Return the metadata of a form, refused as Stripe refuses it: 50 keys of 40 characters with values of 500."""
    found = {name[9:-1]: value for name, value in form.items() if name.startswith("metadata[")}
    if len(found) > 50 or any(len(name) > 40 or len(value) > 500 for name, value in found.items()):
        raise Refusal(400, "invalid_request_error", "Metadata values can have up to 500 characters")
    return found


def _page(rows: list[dict[str, Any]], request: Request) -> dict[str, Any]:
    """Return a page of a list as Stripe pages: the newest first, after an id, at most so many."""
    since, limit, after = (request.args.get(name) for name in ("created[gte]", "limit", "starting_after"))
    newest = [row for row in reversed(rows) if row["created"] >= int(since or 0)]
    if after:
        newest = newest[[row["id"] for row in newest].index(after) + 1 :]
    most = int(limit or 10)
    return {"object": "list", "url": request.path, "data": newest[:most], "has_more": len(newest) > most}


@contextmanager
def running() -> Iterator[StripeDouble]:
    """Serve a double on a free loopback port until the block ends."""
    double = StripeDouble()
    server = make_server("127.0.0.1", 0, double, threaded=True)
    double.base = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield double
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
