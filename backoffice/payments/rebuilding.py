"""Finding again what was paid after a backup that had to be brought back, from the provider's books.

A backup is a night old; what was paid since then is known to the provider alone. Each of its paid sessions that we do not know,
or do not know as paid, is settled once more, by the same `settle`; one whose order is lost is written first, from what the
provider kept of it. Money that cannot be an order any more goes back.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import rebuilding
from backoffice.crm.models import Checkout
from backoffice.payments import settle
from backoffice.payments.gateway import PaidSession
from backoffice.payments.models import Payment


def shop_of(secret_key: str) -> str:
    """Return by what a shop knows its own sessions among others of the same account; it tells nothing of the key."""
    return hashlib.sha256(b"shop:" + secret_key.encode()).hexdigest()[:16]


def find(session: Session, paid: PaidSession) -> Payment | None:
    """Return the payment of a session, also one whose page the provider had opened before we noted it."""
    known = session.scalar(sa.select(Payment).where(Payment.provider_ref == paid.session.ref))
    if known is not None:
        return known
    waiting = session.scalars(sa.select(Payment).where(Payment.provider_ref.is_(None), Payment.state == "opened"))
    return next((one for one in waiting if settle.reference(one) == paid.reference), None)


def knows(session: Session, intent: str) -> bool:
    """Tell whether money that the provider speaks of was paid to us."""
    return session.scalar(sa.select(Payment.id).where(Payment.intent_ref == intent)) is not None


def write(session: Session, paid: PaidSession, *, provider: str, secret_key: str, now: datetime) -> str:
    """Write the payment of a session that we have lost, with its checkout, as one that ended unpaid; settling it is next.

    One that is there is tied to its session. Return why the order cannot be written again; empty: it can.
    """
    known = find(session, paid)
    if known is not None:
        settle.attach(session, known.id, paid.session, lead_id=None, now=now)
        return ""
    amount, at, why = paid.session.amount, paid.opened_at, ""
    try:
        checkout = rebuilding.write_checkout(session, paid.kept, amount, secret_key=secret_key, created_at=at, now=now)
    except rebuilding.CannotRebuildError as error:
        why = str(error)
        checkout = rebuilding.write_unknown(session, paid.email, amount, secret_key=secret_key, created_at=at, now=now)
    session.add(_ended(checkout, paid, provider))
    session.flush()
    return why


def _ended(checkout: Checkout, paid: PaidSession, provider: str) -> Payment:
    return Payment(
        checkout_id=checkout.id,
        provider=provider,
        provider_ref=paid.session.ref,
        pay_url="",
        state="expired",
        amount_minor=checkout.total_minor,
        currency=checkout.currency,
        opened_at=paid.opened_at,
        expires_at=paid.session.expires_at,
    )
