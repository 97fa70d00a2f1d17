"""Orders that sales takes down for somebody who asked: tied to the enquiry, mailed as a link to pay, kept while it waits."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import audit, events
from backoffice.crm import introducing, leads, orders, timeline
from backoffice.crm.models import Checkout, Lead
from backoffice.erp.company import get_company
from backoffice.erp.models import Staff
from backoffice.public.checkout import DeskOrder
from backoffice.public.errors import NotFound, Refused

CHANNEL = "desk"


def begin(session: Session, checkout: Checkout, desk: DeskOrder, *, now: datetime) -> None:
    """Tie a checkout that was just opened to the enquiry it comes from; whoever asked is known by its e-mail from now on.

    Of two who begin at once one goes on. Raises NotFound(unknown_lead | unknown_record), Refused(stale | wrong_state),
    Refused(payment_open) while an earlier link can still be paid.
    """
    staff = session.get(Staff, desk.staff_id)
    if staff is None:
        raise NotFound("unknown_record")
    lead = leads.begin_order(session, desk.lead_id, staff=staff, version=desk.lead_version, now=now)
    if find_open(session, lead.id) is not None:
        raise Refused("payment_open")
    introducing.tie(session, lead, email=checkout.email, name=checkout.name, phone=checkout.phone, staff=staff, now=now)
    checkout.lead_id, checkout.channel = lead.id, CHANNEL
    audit.record(session, "offer.make", f"lead:{lead.number}", actor=staff.email, role=staff.role, now=now)


def find_open(session: Session, lead_id: int) -> Checkout | None:
    """Return the order of an enquiry that can still be paid."""
    waiting = sa.select(Checkout).where(Checkout.lead_id == lead_id, Checkout.state == "open")
    return session.scalars(waiting.order_by(Checkout.id.desc()).limit(1)).first()


def on_payment_opened(session: Session, happened: events.PaymentOpened) -> None:
    """Mail the link to pay, once the page behind it stands."""
    checkout = session.get_one(Checkout, happened.checkout_id)
    if checkout.channel != CHANNEL:
        return
    lead = session.get_one(Lead, happened.lead_id)
    until = happened.expires_at.astimezone(ZoneInfo(get_company(session).timezone))
    amount = {"amount_minor": checkout.total_minor, "currency": checkout.currency}
    payload = orders.checkout_frame(session, checkout, "") | {
        "lines": [_line(line, checkout.currency) for line in checkout.lines],
        "total": amount,
        "deliver_on": max(date.fromisoformat(line["deliver_on"]) for line in checkout.lines).isoformat(),
        "pay_until": until.isoformat(timespec="minutes"),
    }
    events.publish(session, events.MailWanted("order_to_pay", f"lead:{lead.number}", payload, happened.at))
    come_back(session, lead.id, happened.expires_at)
    values = amount | {"until": happened.expires_at.isoformat()}
    actor = _name_of(session, lead.owner_id)
    timeline.record(session, lead.party_id, "offered", lead_id=lead.id, actor=actor, values=values, now=happened.at)


def on_payment_ended(session: Session, happened: events.PaymentEnded) -> None:
    """Put an enquiry whose order was not paid back among those to call, from now on."""
    checkout = session.get_one(Checkout, happened.checkout_id)
    if checkout.channel != CHANNEL or checkout.lead_id is None:
        return
    lead = session.get_one(Lead, checkout.lead_id)
    come_back(session, lead.id, happened.at)
    kind = "offer_withdrawn" if happened.by else "offer_ended"
    if happened.by:
        audit.record(session, "offer.withdraw", f"lead:{lead.number}", actor=happened.by, now=happened.at)
    timeline.record(session, lead.party_id, kind, lead_id=lead.id, actor=happened.by, now=happened.at)


def come_back(session: Session, lead_id: int, at: datetime) -> None:
    """Name the instant to come back to an enquiry that is still worked on; whoever saw it before looks again."""
    session.execute(
        sa.update(Lead)
        .where(Lead.id == lead_id, Lead.state != "done")
        .values(follow_up_at=at, version=Lead.version + 1)
        .execution_options(synchronize_session="fetch")
    )


def _line(frozen: Any, currency: str) -> dict[str, Any]:
    return {
        "name": frozen["name"],
        "options": frozen["options"],
        "quantity": frozen["quantity"],
        "total": {"amount_minor": frozen["unit_price_minor"] * frozen["quantity"], "currency": currency},
        "deliver_on": frozen["deliver_on"],
    }


def _name_of(session: Session, staff_id: int | None) -> str:
    found = session.get(Staff, staff_id) if staff_id is not None else None
    return found.name if found else ""
