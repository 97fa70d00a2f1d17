"""Money that is only set aside at checkout: taken when the first parcel leaves, let go when the order is cancelled before.

Who asks first for its end has it (`Payment.ending`, by a conditional update); the worker then asks the provider with no
transaction open, and the provider's own word about the session ends it here, once. All of it is taken with the first parcel:
what must go back of it before then waits as a refund that nobody has sent yet, and is forgotten where all of it is let go.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from backoffice import audit, events
from backoffice.crm import orders, payment_tasks
from backoffice.crm.customers import Editor
from backoffice.crm.models import Checkout, Order
from backoffice.erp import holding_back
from backoffice.erp.company import get_company, local_today
from backoffice.payments import on_account, refunds
from backoffice.payments.models import Payment, Refund
from backoffice.public.checkout import is_charged_later

log = structlog.get_logger()
WARN_BEFORE = timedelta(hours=24)
LAPSED, REFUSED = "authorisation_lapsed", "capture_refused"


def is_wanted(session: Session, checkout: Checkout, *, now: datetime) -> bool:
    """Tell whether a checkout's money is only set aside: the shop wants it so, and its bank keeps it for long enough."""
    company = get_company(session)
    last = max(date.fromisoformat(line["deliver_on"]) for line in checkout.lines)
    return company.capture_on_shipment and is_charged_later(last, local_today(company, now))


def reference(payment: Payment) -> str:
    """Return our own name for the end of a payment's money at the provider: asked again it is still one."""
    return f"{payment.ending}:{payment.id}:{payment.opened_at.isoformat()}"


def take(session: Session, payment_id: int, *, now: datetime) -> bool:
    """Ask for money that is set aside; False: it is not, or its end was asked for before."""
    if not claim(session, payment_id, "capture"):
        return False
    events.publish(session, events.CaptureEnds(payment_id, "capture", f"payment:{payment_id}", now))
    return True


def let_go(session: Session, payment_id: int, *, now: datetime) -> bool:
    """Let go of money that is set aside; False: it is not, or its end was asked for before."""
    if not claim(session, payment_id, "void"):
        return False
    events.publish(session, events.CaptureEnds(payment_id, "void", f"payment:{payment_id}", now))
    return True


CHARGES = {"authorised": "later", "voided": "let_go", on_account.PROVIDER: "account"}


def charge_of(provider: str, state: str) -> str:
    """Return how a payment's order is paid where that is not at once: account | later | let_go; "": it is paid."""
    return CHARGES.get(on_account.PROVIDER if provider == on_account.PROVIDER else state, "")


def claim(session: Session, payment_id: int, ending: str) -> bool:
    """Write how money that is set aside is to end; False: it is not, or that is written already."""
    asked = session.execute(
        sa.update(Payment)
        .where(Payment.id == payment_id, Payment.state == "authorised", Payment.ending == "")
        .values(ending=ending)
        .returning(Payment.id)
        .execution_options(synchronize_session="fetch")
    )
    return asked.first() is not None


def take_at_desk(session: Session, number: str, *, by: Editor, now: datetime) -> bool:
    """Take the money of an order before anything of it leaves; False: as `take`. Raises NotFound(unknown_order)."""
    order = orders.get_by_number(session, number)
    if session.get_one(Payment, order.payment_id).provider == on_account.PROVIDER:
        return False  # what is on account is invoiced when it leaves, as its buyer was told
    taken = take(session, order.payment_id, now=now)
    if taken:
        audit.record(session, "payment.capture", f"order:{number}", actor=by.email, role=by.role, details={}, now=now)
    return taken


def on_shipped(session: Session, happened: events.ShipmentShipped) -> None:
    """Ask for the money of an order when a parcel of it leaves.

    The worker claims it: whoever ships has locked goods by now, which others lock after the payment.
    """
    of_order = sa.select(Order.payment_id).where(Order.number == happened.order_ref)
    waiting = session.scalar(sa.select(Payment.id).where(Payment.id.in_(of_order), Payment.state == "authorised"))
    if waiting is not None:
        events.publish(session, events.CaptureEnds(waiting, "capture", f"payment:{waiting}", happened.at))


def note_taken(session: Session, payment: Payment, now: datetime) -> None:
    """Note that money which was set aside is ours; what of it goes back can go now. The payment is locked."""
    payment.state, payment.settled_at = "succeeded", now
    on_account.note_invoiced(session, payment, now=now)
    order = _order_of(session, payment)
    if order is not None:
        order.to_invoice = True
    payment_tasks.close(session, payment.lead_id, now=now)
    session.flush()
    for one in _waiting(session, payment):
        events.publish(session, events.RefundWanted(one.id, f"payment:{payment.id}", now))
    left = payment.amount_minor - payment.refunded_minor
    if payment.ending == "void" and left > 0:  # somebody took it at the provider's: it goes back
        reason, key = ("cancelled", f"cancel:{order.number}") if order else ("late_payment", f"late:{payment.id}")
        refunds.request(session, payment, left, reason=reason, key=key, by="worker", now=now)


def note_let_go(session: Session, payment: Payment, now: datetime) -> None:
    """Note that money which was set aside is the customer's again. The payment is locked."""
    payment.state, payment.settled_at = "voided", now
    for one in _waiting(session, payment):  # nothing was taken, so nothing of it can go back
        session.delete(one)
    on_account.give(session, payment, payment.amount_minor - payment.refunded_minor)
    payment.refunded_minor = 0
    payment_tasks.close(session, payment.lead_id, now=now)
    order = _order_of(session, payment)
    if order is not None and order.state != "cancelled":
        payment.problem = LAPSED
        holding_back.hold_back(session, order.number, now=now)
        log.error("payment_needs_attention", payment_id=payment.id, problem=LAPSED)
    session.flush()


def waiting(session: Session) -> Sequence[sa.Row[str, int, int]]:
    """Return (currency, how many, how much) of what is set aside and not taken: it is in no book yet."""
    amount = sa.func.sum(Payment.amount_minor - Payment.refunded_minor)
    aside = sa.select(Payment.currency, sa.func.count(), amount).where(Payment.state == "authorised", Payment.ending != "void")
    aside = aside.where(Payment.provider != on_account.PROVIDER)  # no bank has set that aside
    return session.execute(aside.group_by(Payment.currency).order_by(Payment.currency)).all()


def note_refused(session: Session, payment_id: int) -> None:
    """Note that the provider refuses for good to take money that is still set aside: a person must look."""
    payment = session.get_one(Payment, payment_id, populate_existing=True, with_for_update=True)
    if payment.state == "authorised":
        payment.problem, payment.ending = REFUSED, ""
        log.error("payment_needs_attention", payment_id=payment.id, problem=REFUSED)


def warn(session: Session, *, now: datetime) -> int:
    """Write a task for each order whose money the bank keeps for less than a day; return how many."""
    query = (
        sa.select(Payment, Order)
        .join(Order, Order.payment_id == Payment.id)
        .where(Payment.state == "authorised", Payment.ending == "", Payment.lead_id.is_(None))
        .where(Payment.capture_by_at < now + WARN_BEFORE)
        .order_by(Payment.id)
        .with_for_update(of=Payment)
    )
    rows = session.execute(query).all()
    for payment, order in rows:
        payment.lead_id = payment_tasks.make(session, order, "authorisation", "", due_at=payment.capture_by_at, now=now)
    session.flush()
    return len(rows)


def _waiting(session: Session, payment: Payment) -> list[Refund]:
    return list(session.scalars(sa.select(Refund).where(Refund.payment_id == payment.id, Refund.state == "requested")))


def _order_of(session: Session, payment: Payment) -> Order | None:
    return session.scalar(sa.select(Order).where(Order.payment_id == payment.id).with_for_update())
