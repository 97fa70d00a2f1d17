"""Tasks for sales about a payment, by its bank's own deadline: gather proof, or take money before the bank lets it go."""

from __future__ import annotations

import secrets
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import assigning, timeline
from backoffice.crm.answer_time import answer_due
from backoffice.crm.models import Checkout, Lead, Order, Party

TO_DO = ("new", "working")
TOLD = {"dispute": "disputed", "authorisation": "authorisation_ends"}


def make(session: Session, order: Order, kind: str, reason: str, *, due_at: datetime | None, now: datetime) -> int:
    """Write the task (kind: dispute | authorisation), due by the bank's own deadline, else as any message; return its id."""
    checkout, party = session.get_one(Checkout, order.checkout_id), session.get_one(Party, order.party_id)
    wanted = assigning.Wanted(kind, checkout.language or party.language, checkout.country, checkout.postcode, "")
    [owner_id] = assigning.find_owners(session, [wanted], now=now)
    lead = Lead(
        number=secrets.token_hex(8),  # until its row has an id
        party_id=party.id,
        kind=kind,
        state="new",
        message=reason,
        sku="",
        postcode=checkout.postcode,
        order_ref=order.number,
        source="payment",
        page="order",
        language=wanted.language,
        owner_id=party.owner_id or owner_id,
        due_at=due_at or answer_due(session, now),
        created_at=now,
        version=1,
    )
    session.add(lead)
    session.flush()
    lead.number = f"L-{lead.id:05d}"
    timeline.record(session, party.id, TOLD[kind], lead_id=lead.id, order_ref=order.number, text=reason, now=now)
    return lead.id


def move(session: Session, lead_id: int | None, due_at: datetime) -> None:
    """Let a task be due at another instant: the bank has moved its deadline."""
    wanted = sa.update(Lead).where(Lead.id == lead_id, Lead.state.in_(TO_DO))
    session.execute(wanted.values(due_at=due_at, version=Lead.version + 1).execution_options(synchronize_session="fetch"))


def close(session: Session, lead_id: int | None, *, now: datetime) -> None:
    """Take a task off the list: the bank has decided."""
    closed = session.execute(
        sa.update(Lead)
        .where(Lead.id == lead_id, Lead.state.in_(TO_DO))
        .values(state="done", follow_up_at=None, version=Lead.version + 1)
        .returning(Lead.id, Lead.party_id)
        .execution_options(synchronize_session="fetch")
    ).first()
    if closed is not None:
        timeline.record(session, closed.party_id, "done", lead_id=closed.id, now=now)
