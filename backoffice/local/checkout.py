"""Checkout and the till: transactions of ours before and after each call to the payment provider, never around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import urlsplit

import structlog
from sqlalchemy.orm import Session

from backoffice.config import Settings
from backoffice.crm import carts, desk_orders, links, quotations
from backoffice.crm import checkout as checkouts
from backoffice.crm.models import Cart, Checkout, Order
from backoffice.crm.rebuilding import written
from backoffice.db import Database
from backoffice.erp.company import get_company
from backoffice.local import capturing, polling
from backoffice.local import on_account as placing
from backoffice.local.plainly import refusal_of, told_plainly
from backoffice.payments import on_account, rebuilding, refunds
from backoffice.payments import settle as settling
from backoffice.payments.gateway import Gateway, GatewayDispute, GatewayError, GatewayEvent, GatewayRefund, PaymentSession
from backoffice.payments.models import Payment, Refund
from backoffice.public.checkout import LONGEST_PAY_MINUTES, PAY_MINUTES, CheckoutForm, DeskOrder, OnAccount, PaymentStart
from backoffice.public.errors import BadInput, Refused
from backoffice.public.money import Money

log = structlog.get_logger()
T = TypeVar("T")


def pay_within(desk: DeskOrder | None) -> timedelta:
    """Return how long a payment page lives; sales may give more time. Raises BadInput(invalid_form, pay_minutes)."""
    minutes = desk.pay_minutes if desk else PAY_MINUTES
    if not PAY_MINUTES <= minutes <= LONGEST_PAY_MINUTES:
        raise BadInput("invalid_form", {"pay_minutes": "bad_choice"})
    return timedelta(minutes=minutes)


def public_address(configured: str, seen: str) -> str:
    """Return the shop's address in the customer's language: the configured one, with the path that `seen` has."""
    if not configured:
        return seen
    own = urlsplit(configured)
    return f"{own.scheme}://{own.netloc}{own.path.rstrip('/')}{urlsplit(seen).path.removeprefix(own.path.rstrip('/'))}"


class PageOpenError(Exception):
    """A cart has a payment page open, which its provider has to close before the cart changes."""


@dataclass(frozen=True, slots=True)
class Page:
    """A payment with what its page is made of. shop: the name over it. keep: the order, for the provider to keep.

    back: whence its customer came, where that is no cart.
    """

    payment: Payment
    checkout: Checkout
    shop: str
    keep: str
    back: str = ""


def page_of(session: Session, payment: Payment, secret_key: str) -> Page:
    """Return a payment with what its page is made of."""
    return _page(session, payment, session.get_one(Checkout, payment.checkout_id), secret_key)


def _page(session: Session, payment: Payment, checkout: Checkout, secret_key: str) -> Page:
    back = quotations.back_to(session, checkout, secret_key)
    return Page(payment, checkout, get_company(session).name, written(session, checkout), back)


def started(checkout: Checkout, payment: Payment, secret_key: str) -> PaymentStart:
    """Return where a payment that was begun is paid and where its order will be, or is already."""
    nonce = checkout.link_nonce
    token, proof = links.order_token(secret_key, nonce), links.order_proof(secret_key, nonce)
    paid = payment.pay_url is None or payment.state not in ("opened", "processing")
    return PaymentStart(f"/o/{token}" if paid else payment.pay_url or "", token, proof, payment.capture_later)


class Till:
    """Ask the provider how a payment stands and settle it."""

    def __init__(self, db: Database, gateway: Gateway, secret_key: str, hold_minutes: int) -> None:
        """Settle into `db` what `gateway` says."""
        self.db = db
        self.gateway = gateway
        self.secret_key = secret_key
        self.hold_minutes = hold_minutes

    def settle(
        self, news: PaymentSession, *, event_id: str, now: datetime, keep: bool = False, by: str = "", refused: str = ""
    ) -> Order | None:
        """Settle one piece of news; `keep`: the customer is still here, hold the goods on if they have not paid.

        by: the colleague who closed the page. refused: why it can be no order, which is known before.
        """

        def settle(session: Session, refused: str = refused) -> Order | None:
            return settling.settle(
                session,
                news,
                event_id=event_id,
                keep_minutes=self.hold_minutes if keep else None,
                by=by,
                refused=refused,
                now=now,
            )

        try:
            return self.db.run(settle)
        except settling.NoOrderError as error:  # rare, so it pays with a second transaction, not each order with a savepoint
            reason = str(error)
        return self.db.run(lambda session: settle(session, reason))

    def look_up(self, ref: str, *, now: datetime) -> Order | None:
        """Fetch a session from the provider and settle what it says."""
        news = self.gateway.get_session(ref, now=now)
        return self.settle(news, event_id=f"poll:{ref}:{news.state}", now=now)

    def run_on_cart(self, token: str | None, work: Callable[[Session, Cart | None], T], *, now: datetime) -> T:
        """Change a browser's open cart (none: it has none) in one transaction.

        One whose payment page is open leaves that page first, which is no part of a transaction.
        """

        def change(session: Session, *, leaving: bool) -> T:
            cart, paying = checkouts.find_mine(session, token)
            if leaving and paying:
                raise PageOpenError
            return work(session, cart)

        try:
            return self.db.run(lambda session: change(session, leaving=True))
        except PageOpenError:
            self.leave_payments(token, now=now)
        return self.db.run(lambda session: change(session, leaving=False))

    def open_page(self, page: Page, *, now: datetime, keep_minutes: int | None = None) -> Payment:
        """Ask the provider for the payment page of a payment, again if an earlier answer was lost.

        Raises Refused: payment_away; email_refused | amount_refused | stale where the provider never opens this page. Then the
        payment ends, and its goods are held on for `keep_minutes`.
        """
        try:
            return self._open(page, now=now)
        except GatewayError as error:
            log.warning("payment_page_not_opened", payment_id=page.payment.id, error=error.reason, permanent=error.permanent)
            if error.permanent:
                payment_id = page.payment.id
                self.db.run(lambda session: settling.end_unopened(session, payment_id, keep_minutes=keep_minutes, now=now))
            raise refusal_of(error, again=page.payment.opened_at < now) from error

    def _open(self, page: Page, *, now: datetime) -> Payment:
        payment, checkout = page.payment, page.checkout
        token, base = links.order_token(self.secret_key, checkout.link_nonce), checkout.base_url
        opened = self.gateway.open_session(
            reference=settling.reference(payment),
            amount=Money(payment.amount_minor, payment.currency),
            description=page.shop,
            email=checkout.email,
            language=checkout.language,
            return_url=f"{base}/o/{token}",
            # who came by a link of ours has no cart
            cancel_url=page.back or (f"{base}/o/{token}" if checkout.lead_id else f"{base}/cart"),
            expires_at=payment.expires_at,
            shop=rebuilding.shop_of(self.secret_key),
            keep=page.keep,
            capture_later=payment.capture_later,
            now=now,
        )
        lead_id = checkout.lead_id
        if lead_id is None:  # nobody to tell, so it is one statement
            with self.db.single() as session:
                settling.attach(session, payment.id, opened, lead_id=None, now=now)
        else:
            self.db.run(lambda session: settling.attach(session, payment.id, opened, lead_id=lead_id, now=now))
        payment.provider_ref, payment.pay_url = opened.ref, opened.pay_url
        return payment

    def leave_payments(self, cart_token: str | None, *, now: datetime) -> None:
        """Close every payment page that a cart has open, and hold its goods on: its customer came back."""
        with self.db.read() as session:
            cart = carts.find_cart(session, cart_token)
            open_ones = checkouts.open_checkouts(session, cart) if cart else []
            payments = [settling.find_by_checkout(session, one.id) for one in open_ones]
        for payment in payments:
            if payment is not None:
                with told_plainly():
                    self.close(payment, now=now, keep=True)

    def withdraw(self, checkout_id: int, *, by: str, now: datetime) -> bool:
        """Take an order to pay back; False: it was paid, or had ended before. Raises Refused(payment_away).

        The provider closes its page first, so that nobody can pay for what has been let go.
        """
        with self.db.read() as session:
            payment = settling.find_by_checkout(session, checkout_id)
        if payment is None or payment.state not in ("opened", "processing"):
            return False
        with told_plainly():
            self.close(payment, now=now, keep=False, by=by)
        with self.db.read() as session:
            return session.get_one(Payment, payment.id).state in ("expired", "failed")

    def close(self, payment: Payment, *, now: datetime, keep: bool, by: str = "") -> None:
        """Close a payment's page and settle how it stood; one that was never opened ends. keep, by: as `settle`."""
        ref = payment.provider_ref or self._find_opened(payment, now)
        if ref is None:
            minutes = self.hold_minutes if keep else None
            if self.db.run(lambda session: settling.end_unopened(session, payment.id, keep_minutes=minutes, by=by, now=now)):
                return
            with self.db.read() as session:
                ref = session.get_one(Payment, payment.id).provider_ref
            if ref is None:  # somebody else was faster
                return
        news = self.gateway.expire_session(ref, now=now)
        self.settle(news, event_id=f"close:{news.ref}:{news.state}", now=now, keep=keep, by=by)

    def _find_opened(self, payment: Payment, now: datetime) -> str | None:
        """Return the session of a payment whose opening was not answered; None: the provider never opened one."""
        named = settling.reference(payment)
        found = self.gateway.find_session(named, since=payment.opened_at, until=payment.expires_at, now=now)
        if found is None:
            return None
        with self.db.single() as session:  # only to be closed, so nobody is told of it
            settling.attach(session, payment.id, found, lead_id=None, now=now)
        return found.ref

    def poll(self, *, now: datetime) -> int:
        """Ask about every payment without an end; expire at the provider what has run out, then release. Return how many."""
        return polling.poll(self, now=now)

    def settle_refund(self, refund_id: int, news: GatewayRefund, *, now: datetime) -> None:
        """Settle one piece of news about a refund."""
        self.db.run(lambda session: refunds.settle(session, refund_id, news, now=now))

    def hear_refund(self, news: GatewayRefund, *, event_id: str, now: datetime) -> None:
        """Settle what the provider says of a refund, also of one made by hand on its own pages. Once for each event."""

        provider = self.gateway.name
        self.db.run(lambda session: settling.hear_refund(session, news, event_id=event_id, provider=provider, now=now))

    def hear_dispute(self, news: GatewayDispute, *, event_id: str, now: datetime) -> None:
        """Settle what the provider says of a dispute. Once for each event."""
        provider = self.gateway.name
        self.db.run(lambda session: settling.hear_dispute(session, news, event_id=event_id, provider=provider, now=now))

    def hear(self, event: GatewayEvent, *, now: datetime) -> None:
        """Act on an event, and store it, also one that changes nothing here."""
        news = capturing.seen(self.db, self.gateway, event.news, now=now)
        if isinstance(news, PaymentSession):
            self.settle(news, event_id=event.id, now=now)
        elif isinstance(news, GatewayRefund):
            self.hear_refund(news, event_id=event.id, now=now)
        elif isinstance(news, GatewayDispute):
            self.hear_dispute(news, event_id=event.id, now=now)
        self.keep_event(event.id, event.kind, event.ref, now=now)

    def keep_event(self, event_id: str, kind: str, ref: str, *, now: datetime) -> None:
        """Store an event of the provider, once."""
        provider = self.gateway.name
        self.db.run(lambda session: settling.keep_event(session, event_id, kind, ref, provider=provider, now=now))

    def send_refund(self, refund_id: int, *, now: datetime) -> None:
        """Ask the provider to give money back, with no transaction open; asked again it is still one refund.

        Raises GatewayError when the provider does not answer. One that it refuses for good is noted as failed.
        """
        with self.db.read() as session:
            refund = session.get_one(Refund, refund_id)
            payment = session.get_one(Payment, refund.payment_id)
        if refund.state != "requested" or payment.provider_ref is None:
            return
        try:
            news = placing.refund(self.gateway, payment, refund, now=now)
        except GatewayError as error:
            if not error.permanent:
                raise
            log.error("refund_refused", refund_id=refund_id, error=error.reason)
            self.db.run(lambda session: refunds.fail(session, refund_id, "refused_by_provider", now=now))
            return
        self.settle_refund(refund_id, news, now=now)


class LocalCheckout:
    """Start payments."""

    def __init__(self, db: Database, till: Till, settings: Settings) -> None:
        """Open payment pages at the till's provider."""
        self._db = db
        self._till = till
        self._settings = settings

    def start(
        self, cart: str, form: CheckoutForm, *, base_url: str, now: datetime, desk: DeskOrder | None = None
    ) -> PaymentStart:
        """Freeze the cart and open its payment page; the same form sent again finds the same page."""

        def work(session: Session) -> Page:
            return self._open(session, cart, form, base_url, now, desk)

        try:
            try:
                page = self._db.run(work)
            except PageOpenError:
                self._require_current(cart, form, now)
                self._till.leave_payments(cart, now=now)
                page = self._db.run(work)
        except PageOpenError:
            raise Refused("stale") from None  # another window of theirs was faster
        except Refused as refusal:
            if refusal.code in ("day_moved", "not_available", "hold_expired"):
                self._show_again(cart, now)
            raise
        payment = page.payment
        if payment.pay_url is None and payment.state == "opened":  # new, or the provider's answer was lost the first time
            payment = self._till.open_page(page, now=now, keep_minutes=self._settings.hold_minutes)
        return started(page.checkout, payment, self._settings.secret_key)

    def find_on_account(self, account: str | None, total: Money, *, now: datetime) -> OnAccount | None:
        """Tell how a total could be put on account."""
        return placing.find(self._db, account, total, now=now)

    def _open(
        self, session: Session, token: str, form: CheckoutForm, base_url: str, now: datetime, desk: DeskOrder | None
    ) -> Page:
        """Freeze the cart, or return what this form already became. Raises PageOpenError, and what `start` raises."""
        lasts = pay_within(desk)
        cart, paying, tenth_at = checkouts.find_to_pay(session, token)  # and wait: the same form may come twice at once
        known = self._known(session, form)
        if known is not None:
            return page_of(session, known, self._settings.secret_key)
        if cart is None:
            raise Refused("cart_empty")
        checkouts.require_patience(tenth_at, now=now)
        others = [settling.find_by_checkout(session, one.id) for one in checkouts.open_checkouts(session, cart)] if paying else []
        if any(payment is not None and payment.problem in ("", settling.NOT_SETTLED) for payment in others):
            raise PageOpenError
        buyer = on_account.get_buyer(session, form.account, now=now) if form.on_account and desk is None else None
        checkout = checkouts.open_checkout(
            session,
            cart,
            form,
            secret_key=self._settings.secret_key,
            base_url=public_address(self._settings.base_url, base_url),
            minutes=self._settings.hold_minutes,
            now=now,
        )
        if desk is not None:
            desk_orders.begin(session, checkout, desk, now=now)  # last: the enquiry is locked after the goods, as in paying
        provider = on_account.PROVIDER if buyer else self._till.gateway.name
        payment = settling.open_payment(session, checkout, provider=provider, expires_at=now + lasts, now=now)
        if buyer is not None:
            placing.place(session, payment, checkout, buyer, now=now)
        return _page(session, payment, checkout, self._settings.secret_key)

    def _require_current(self, token: str, form: CheckoutForm, now: datetime) -> None:
        """Refuse before a payment page that is still open is closed: whoever is refused has changed nothing."""
        with self._db.read() as session:
            cart = carts.find_cart(session, token)
            if cart is not None and checkouts.open_checkouts(session, cart):
                checkouts.require_current(session, cart, form, now=now)

    def _known(self, session: Session, form: CheckoutForm) -> Payment | None:
        checkout = checkouts.find_by_key(session, form.key)
        if checkout is None:
            return None
        if checkout.request_hash != checkouts.request_hash(form) or checkout.state == "abandoned":
            raise Refused("stale")
        payment = settling.find_by_checkout(session, checkout.id)
        assert payment is not None
        return payment

    def _show_again(self, token: str, now: datetime) -> None:
        """Note the days as the customer is about to see them, so that their next try is measured against those."""

        def work(session: Session) -> None:
            cart = carts.find_mine(session, token)
            if cart is not None:
                carts.renew(session, cart, minutes=self._settings.hold_minutes, now=now)
                carts.remember_shown(carts.lines_of(session, cart, now=now)[0])

        self._db.run(work)
