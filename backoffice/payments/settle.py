"""Settling: the one way in which a payment becomes an order, whoever brings the news, however often and in what order.

What is to be done the rules of `settling` say. The news is the provider's own word about a session, fetched or signed; what a
browser says counts for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
import structlog
from prometheus_client import Counter
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backoffice import events
from backoffice.crm import checkout as checkouts
from backoffice.crm import orders, quotations
from backoffice.crm.models import Cart, Checkout, Order
from backoffice.db import PlanMoved, table_of, update_rows, write_row
from backoffice.payments import captures, disputes, refunds, settling
from backoffice.payments.gateway import GatewayDispute, GatewayRefund, PaymentSession
from backoffice.payments.models import Payment, PaymentEvent
from backoffice.public.errors import Refused
from backoffice.public.money import Money

log = structlog.get_logger()

WAITING = "waiting"  # the outcome of an event that came before what it speaks of
_unknown = Counter(
    "shopfloor_payment_news_unknown_total", "What the payment provider said of payments that we do not know (yet)."
)

NOT_SETTLED = "not_settled"  # the problem of what the poll could not settle; it goes as soon as it can
LONGEST_ID = 19  # digits of a number that the database has no room for
STRANGE_AFTER = timedelta(minutes=2)  # by then the message that it waits for has come
MOST_STRANGE = 20  # at once, the newest first: what is ours comes soon
LATE_HOLD_MINUTES = 5  # only as long as this transaction: the order is placed in it


class NoOrderError(Exception):
    """A paid session cannot become an order; its text is the code of the reason. Nothing of the attempt may stay."""


def open_payment(session: Session, checkout: Checkout, *, provider: str, expires_at: datetime, now: datetime) -> Payment:
    """Write the payment of a checkout before the provider is asked for its page."""
    payment = Payment(
        checkout_id=checkout.id,
        provider=provider,
        state="opened",
        amount_minor=checkout.total_minor,
        currency=checkout.currency,
        opened_at=now,
        expires_at=expires_at,
        capture_later=captures.is_wanted(session, checkout, now=now),
    )
    return write_row(session, payment)


def reference(payment: Payment) -> str:
    """Return our own name for a payment at the provider: asking again with it must not open a second session."""
    return f"payment:{payment.id}:{payment.opened_at.isoformat()}"


_OF = table_of(Payment)
_ATTACH = (
    sa.update(_OF)
    .where(_OF.c.id == sa.bindparam("attached"), _OF.c.provider_ref.is_(None))
    .values(provider_ref=sa.bindparam("new_ref"), pay_url=sa.bindparam("new_url"))
    .returning(_OF.c.checkout_id, _OF.c.expires_at)
)


def attach(session: Session, payment_id: int, opened: PaymentSession, *, lead_id: int | None, now: datetime) -> None:
    """Remember the provider's session. Of two who bring the same answer the first tells that the page is open.

    lead_id: the enquiry that its checkout comes from, which is what is told; None: there is nobody to tell.
    """
    first = session.execute(_ATTACH, {"attached": payment_id, "new_ref": opened.ref, "new_url": opened.pay_url}).one_or_none()
    if first is not None and lead_id is not None:
        events.publish(session, events.PaymentOpened(first.checkout_id, lead_id, first.expires_at, now))


def find_by_reference(session: Session, text: str) -> Payment | None:
    """Return the payment that a text names as `reference` does; None: it is another shop's, paid at the same account."""
    number = text.removeprefix("payment:").partition(":")[0]
    if not (number.isascii() and number.isdecimal() and len(number) < LONGEST_ID):
        return None
    payment = session.get(Payment, int(number))
    return payment if payment is not None and reference(payment) == text else None


def _adopt(session: Session, news: PaymentSession) -> bool:
    """Attach a session whose opening was never answered to the payment that it names; True: its payment knows it now."""
    payment = find_by_reference(session, news.reference)
    if payment is None:
        return False
    adopted = {"attached": payment.id, "new_ref": news.ref, "new_url": news.pay_url or None}
    return session.execute(_ATTACH, adopted).one_or_none() is not None


def find_by_checkout(session: Session, checkout_id: int) -> Payment | None:
    """Return the payment of a checkout."""
    return session.scalar(sa.select(Payment).where(Payment.checkout_id == checkout_id))


_WITH_CART = (
    sa.select(Payment, Checkout, Cart)
    .join(Checkout, Checkout.id == Payment.checkout_id)
    .join(Cart, Cart.id == Checkout.cart_id)  # before its holds, as whoever changes the cart does
    .with_for_update()
    .execution_options(populate_existing=True)
)
_LOCKED = _WITH_CART.where(Payment.provider_ref == sa.bindparam("ref"))
_UNOPENED = _WITH_CART.where(Payment.id == sa.bindparam("unopened"), Payment.provider_ref.is_(None), Payment.state == "opened")


def settle(
    session: Session,
    news: PaymentSession,
    *,
    event_id: str,
    keep_minutes: int | None = None,
    by: str = "",
    refused: str = "",
    now: datetime,
) -> Order | None:
    """Act on the provider's word about a session; return the order if it is paid. Any number of times, one effect.

    event_id: stored with its outcome, applied once. keep_minutes: when the session ended unpaid because its customer went
    back to the cart, hold the goods on for them; None: release. by: who of ours ended it. A payment that cannot become an
    order keeps its `problem`.

    Raises NoOrderError when the order of a paid session is refused: the transaction ends with it, and the same news comes
    again with the reason as `refused`; then the money goes back.
    """
    locked = session.execute(_LOCKED, {"ref": news.ref}).first()
    if locked is None and _adopt(session, news):
        locked = session.execute(_LOCKED, {"ref": news.ref}).first()
    if locked is None:
        log.warning("payment_unknown", event_id=event_id)
        _unknown.inc()
        return None
    payment, checkout, cart = locked
    step = settling.step_for(payment.state, Money(payment.amount_minor, payment.currency), news)
    outcome: str = step
    order: Order | None = None
    if step in ("order", "differs") and payment.intent_ref is None:
        payment.intent_ref = news.intent
    if step == "order":
        outcome, order = _paid(session, payment, checkout, cart, news, refused, now)
    elif step == "differs":
        outcome = _problem(payment, "amount_differs")
    elif step == "captured":
        captures.note_taken(session, payment, now)
        if payment.intent_ref is not None:
            hear_waiting(session, payment.intent_ref, now=now)
    elif step == "voided":
        captures.note_let_go(session, payment, now)
    elif step in ("expired", "failed"):
        _end(session, payment, checkout, step, keep_minutes, by, now)
    elif step == "processing":
        payment.state = step
    session.flush()
    _note(session, payment, news, event_id, outcome, now)
    return order or session.scalar(sa.select(Order).where(Order.checkout_id == checkout.id))


def _note(session: Session, payment: Payment, news: PaymentSession, event_id: str, outcome: str, now: datetime) -> None:
    """Store an event with its outcome, or the outcome with one that was stored before; the payment is locked by now."""
    event = {
        "id": event_id,
        "provider": payment.provider,
        "kind": news.state,
        "provider_ref": news.ref,
        "payload": {"state": news.state, "amount_minor": news.amount.amount_minor, "currency": news.amount.currency},
        "received_at": now,
        "outcome": outcome,
    }
    session.execute(_noting(session.get_bind().dialect.name, over=bool(outcome)), event)


@cache
def _noting(dialect: str, *, over: bool) -> sa.Insert:
    """Return the statement that stores an event; over: its outcome also with one that is there."""
    event = (sqlite_insert if dialect == "sqlite" else postgresql_insert)(table_of(PaymentEvent))
    if over:
        return event.on_conflict_do_update(index_elements=["id"], set_={"outcome": event.excluded.outcome})
    return event.on_conflict_do_nothing(index_elements=["id"])


def _paid(
    session: Session,
    payment: Payment,
    checkout: Checkout,
    cart: Cart,
    news: PaymentSession,
    refused: str,
    now: datetime,
) -> tuple[str, Order | None]:
    """Return the outcome, and the order where this news made it."""
    late = settling.is_late(payment.state)
    if refused:
        log.warning("paid_but_no_order", payment_id=payment.id, code=refused)
        _let_go_of_the_rest(session, checkout, now)
        if news.state == "authorised":
            payment.state, payment.capture_by_at = "authorised", news.capture_by
            session.flush()
            captures.let_go(session, payment.id, now=now)
            return "let_go", None
        payment.state, payment.settled_at = "succeeded", now
        session.flush()
        refunds.request(
            session, payment, payment.amount_minor, reason="late_payment", key=f"late:{payment.id}", by="worker", now=now
        )
        return "refund", None
    try:
        if late:
            checkouts.hold_again(session, checkout, minutes=LATE_HOLD_MINUTES, now=now)
        emptied = None if late else cart
        charge = captures.charge_of(payment.provider, news.state)
        order = orders.place(session, checkout, payment_id=payment.id, charge=charge, cart=emptied, now=now)
    except PlanMoved:
        raise  # somebody was faster by a moment: all of it is tried again
    except Refused as refusal:
        raise NoOrderError(refusal.code) from refusal
    if news.state == "authorised":
        payment.state, payment.capture_by_at, order.to_invoice = "authorised", news.capture_by, False
        return "order", order
    payment.state, payment.settled_at = "succeeded", now
    update_rows(session, [payment], "state", "settled_at", "intent_ref")
    if payment.intent_ref is not None:
        hear_waiting(session, payment.intent_ref, now=now)
    return "order", order


def _let_go_of_the_rest(session: Session, checkout: Checkout, now: datetime) -> None:
    """Let go of what is kept for a checkout that becomes no order although it was paid in time."""
    if checkout.state == "open":
        checkouts.give_up(session, checkout, keep_minutes=None, now=now)
        events.publish(session, events.PaymentEnded(checkout.id, "", now))


def _problem(payment: Payment, what: str) -> str:
    payment.problem = what
    log.error("payment_needs_attention", payment_id=payment.id, problem=what)
    return "problem"


def _end(
    session: Session, payment: Payment, checkout: Checkout, state: str, keep_minutes: int | None, by: str, now: datetime
) -> None:
    payment.state = state
    keep_minutes = keep_minutes if keep_minutes is not None else quotations.minutes_left(session, checkout, now)
    checkouts.give_up(session, checkout, keep_minutes=keep_minutes, now=now)
    events.publish(session, events.PaymentEnded(checkout.id, by, now))


def end_unopened(session: Session, payment_id: int, *, keep_minutes: int | None, by: str = "", now: datetime) -> bool:
    """End a payment whose page the provider never opened; False: it has one by now, or has ended. keep_minutes, by: as `settle`.

    Should a request of ours have reached the provider after all, its page is known by our reference: see `_adopt`.
    """
    locked = session.execute(_UNOPENED, {"unopened": payment_id}).first()
    if locked is None:
        return False
    payment, checkout, _ = locked
    _end(session, payment, checkout, "failed", keep_minutes, by, now)
    session.flush()
    return True


def keep_event(session: Session, event_id: str, kind: str, ref: str, *, provider: str, now: datetime) -> bool:
    """Store an event of the provider; False if it was stored before."""
    event = PaymentEvent(id=event_id, provider=provider, kind=kind, provider_ref=ref, payload={}, received_at=now)
    try:
        with session.begin_nested():
            session.add(event)
    except IntegrityError:
        return False
    return True


def hear_refund(session: Session, news: GatewayRefund, *, event_id: str, provider: str, now: datetime) -> None:
    """Act on what the provider says of a refund, once for each event; one that came before its payment waits for it."""
    if not keep_event(session, event_id, "refund", news.ref, provider=provider, now=now):
        return
    try:
        _note_refund(session, news, now)
    except refunds.NotPaidYetError:
        _let_wait(session, event_id, news)


def awaited(session: Session) -> Sequence[str]:
    """Return the intents whose payment is made now, and of which refunds and disputes still wait for it."""
    return session.scalars(sa.select(_AWAITED.c.provider_ref).distinct().order_by(_AWAITED.c.provider_ref)).all()


def unknown(session: Session, *, now: datetime) -> Sequence[PaymentEvent]:
    """Return refunds and disputes that have waited for a while, and of whose payment nothing is known here."""
    of_ours = sa.exists().where(Payment.intent_ref == PaymentEvent.provider_ref)
    waited = PaymentEvent.received_at <= now - STRANGE_AFTER
    found = sa.select(PaymentEvent).where(PaymentEvent.outcome == WAITING, waited, ~of_ours)
    return session.scalars(found.order_by(PaymentEvent.received_at.desc(), PaymentEvent.id).limit(MOST_STRANGE)).all()


def note_not_ours(session: Session, event_id: str, of: str) -> bool:
    """Write down that an event is about no payment of this shop; False: `of`, our reference at the provider, names one."""
    if find_by_reference(session, of) is not None:
        return False
    session.execute(sa.update(PaymentEvent).where(PaymentEvent.id == event_id).values(outcome="not_ours"))
    return True


def hear_waiting(session: Session, intent: str, *, now: datetime) -> int:
    """Act on refunds and disputes that waited for their payment; return how many."""
    found = sa.select(PaymentEvent).join(_AWAITED, _AWAITED.c.id == PaymentEvent.id).where(PaymentEvent.provider_ref == intent)
    waiting = session.scalars(found.order_by(PaymentEvent.received_at, PaymentEvent.id)).all()
    for event in waiting:
        if event.kind == "dispute":
            disputes.note(session, _unpacked(GatewayDispute, event.payload), now=now)
        else:
            _note_refund(session, _unpacked(GatewayRefund, event.payload), now)
        event.outcome = "heard"
    session.flush()
    return len(waiting)


_AWAITED = (
    sa.select(PaymentEvent.id, PaymentEvent.provider_ref)
    .join(Payment, Payment.intent_ref == PaymentEvent.provider_ref)
    .where(PaymentEvent.outcome == WAITING, Payment.state.not_in(refunds.NOT_PAID_YET))
    .subquery()
)


def hear_dispute(session: Session, news: GatewayDispute, *, event_id: str, provider: str, now: datetime) -> None:
    """Act on what the provider says of a dispute, once for each event; one that came before its payment waits for it."""
    if not keep_event(session, event_id, "dispute", news.ref, provider=provider, now=now):
        return
    try:
        disputes.note(session, news, now=now)
    except refunds.NotPaidYetError:
        _let_wait(session, event_id, news)


def _let_wait(session: Session, event_id: str, news: GatewayRefund | GatewayDispute) -> None:
    _unknown.inc()
    event, packed = session.get_one(PaymentEvent, event_id), asdict(news)
    due_at = packed.get("evidence_due_at")
    event.outcome, event.payload = WAITING, packed | ({"evidence_due_at": due_at.isoformat()} if due_at else {})
    event.provider_ref = news.intent or news.ref  # by which it is found again
    session.flush()


def _unpacked(kind: type[Any], packed: Mapping[str, Any]) -> Any:
    values = dict(packed) | {"amount": Money(**packed["amount"])}
    if values.get("evidence_due_at"):
        values["evidence_due_at"] = datetime.fromisoformat(values["evidence_due_at"])
    return kind(**values)


def _note_refund(session: Session, news: GatewayRefund, now: datetime) -> None:
    refund = refunds.note_by_provider(session, news, now=now)
    if refund is not None:
        refunds.settle(session, refund.id, news, now=now)


def unsettled(session: Session, *, limit: int = 100, now: datetime) -> list[Payment]:
    """Return payments to ask the provider about: what has run out, and whose end we do not know and did not ask for lately.

    Those that waited longest for it first, so that each has its turn; of new ones those that wait for a person last.
    """
    unasked = sa.or_(Payment.last_asked_at.is_(None), Payment.last_asked_at <= now - refunds.ASK_EVERY)
    return list(
        session.scalars(
            sa.select(Payment)
            .where(
                sa.or_(
                    sa.and_(Payment.state.in_(["opened", "processing"]), sa.or_(Payment.expires_at <= now, unasked)),
                    sa.and_(Payment.state == "authorised", Payment.capture_by_at <= now),
                ),
                sa.or_(Payment.provider_ref.is_not(None), Payment.expires_at <= now),
            )
            .order_by(Payment.last_asked_at.nulls_first(), Payment.problem != "", Payment.opened_at)
            .limit(limit)
        )
    )
