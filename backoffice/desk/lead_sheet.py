"""Read model of one lead, opened: who it is, what may be said to them, what waits to be paid, what comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import collapsing, consents, desk_orders, leads, links, lost_reasons, quotations, ready_answers, tasks
from backoffice.crm.assigning import SELLERS
from backoffice.crm.models import Checkout, Consent, Lead, LostReason, MailTemplate, Order, Party, PerhapsSame, Quotation, Task
from backoffice.desk.inbox import Customer, get_customer, reason_of
from backoffice.desk.task_lists import find_people
from backoffice.erp.company import get_company
from backoffice.erp.models import Item, Product, Staff
from backoffice.payments.models import Payment


@dataclass(frozen=True, slots=True)
class Waiting:
    """An order that was mailed as a link and is not paid yet. opened: False while the provider has not given its page."""

    checkout: Checkout
    until: datetime
    link: str
    opened: bool


@dataclass(frozen=True, slots=True)
class Sheet:
    """One lead, opened. reason, due_at: see inbox.Row; consents: what stands, by purpose; answers: to start from;
    lost_reasons: to choose from."""

    lead: Lead
    owner: str
    item_name: str
    slug: str
    customer: Customer
    reason: str
    due_at: datetime
    waiting: Waiting | None
    consents: Mapping[str, Consent]
    colleagues: Sequence[Staff]
    answers: Sequence[MailTemplate]
    twins: Sequence[tuple[PerhapsSame, Party]]
    lost_reasons: Sequence[LostReason]
    quotations: Sequence[Quotation]
    tasks: Sequence[Task]
    people: Sequence[Staff]  # whom a task can be given to


def get_sheet(session: Session, lead_id: int, *, secret_key: str) -> Sheet:
    """Return one lead with its person. Raises NotFound(unknown_lead)."""
    lead = leads.get_lead(session, lead_id)
    owner = session.get(Staff, lead.owner_id) if lead.owner_id else None
    about = sa.select(Item, Product.slug).join(Product, Product.id == Item.product_id, isouter=True)
    found = session.execute(about.where(Item.sku == lead.sku)).one_or_none()
    customer = get_customer(session, lead.party_id)
    waiting = _find_waiting(session, lead.id, secret_key)
    reason, due_at = reason_of(lead, paying=waiting is not None)
    sellers = sa.select(Staff).where(Staff.active, Staff.role.in_(SELLERS)).order_by(Staff.name, Staff.id)
    languages = (lead.language, customer.party.language, get_company(session).language)
    return Sheet(
        lead=lead,
        owner=owner.name if owner else "",
        item_name=found[0].name if found else "",
        slug=(found[1] or "") if found else "",
        customer=customer,
        reason=reason,
        due_at=due_at,
        waiting=waiting,
        consents={one.purpose: one for one in reversed(consents.standing(session, lead.party_id))},
        colleagues=session.scalars(sellers).all(),
        answers=ready_answers.find(session, *languages),
        twins=collapsing.find_twins(session, lead.party_id),
        lost_reasons=lost_reasons.find_active(session),
        quotations=quotations.of_lead(session, lead.id),
        tasks=tasks.of_lead(session, lead.id),
        people=find_people(session),
    )


def find_last_address(session: Session, party_id: int) -> Checkout | None:
    """Return where the last order of somebody went."""
    theirs = sa.select(Checkout).join(Order, Order.checkout_id == Checkout.id).where(Order.party_id == party_id)
    return session.scalars(theirs.order_by(Order.placed_at.desc(), Order.id.desc()).limit(1)).first()


def _find_waiting(session: Session, lead_id: int, secret_key: str) -> Waiting | None:
    checkout = desk_orders.find_open(session, lead_id)
    payment = session.scalar(sa.select(Payment).where(Payment.checkout_id == checkout.id)) if checkout else None
    if checkout is None or payment is None:
        return None
    link = f"{checkout.base_url}/o/{links.order_token(secret_key, checkout.link_nonce)}"
    return Waiting(checkout, payment.expires_at, link, payment.pay_url is not None)
