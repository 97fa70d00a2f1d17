"""Keep the word of "tell me when it can be had": write once, as soon as a day can be promised."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from backoffice import events
from backoffice.crm import timeline
from backoffice.crm.leads import TRANSITIONS
from backoffice.crm.models import Lead, Party
from backoffice.db import Database
from backoffice.erp import models as t
from backoffice.erp import offers, promising
from backoffice.erp.company import get_company
from backoffice.public.errors import BadInput, Refused
from backoffice.public.promise import Promise

BATCH = 100
PRODUCT_PAGE = re.compile(r"(/[a-zA-Z]{2,3}(-[a-zA-Z0-9]+)*)?/p/[^/]")  # in any language
STILL_OPEN = [state for state in TRANSITIONS["answer"] if state != "answered"]  # as for a person: never told twice


def tell_waiting(db: Database, *, base_url: str, now: datetime) -> int:
    """Write to everybody whose wait is over and close it; return how many. Each in a transaction of its own."""
    offers.freshen(db, now=now)
    with db.read() as session:
        waiting = list(
            session.scalars(
                sa.select(Lead.id)
                .join(t.Item, t.Item.sku == Lead.sku)
                .join(t.Offer, t.Offer.item_id == t.Item.id)
                .where(Lead.kind == "tell_me", Lead.state.in_(STILL_OPEN), t.Offer.listed)
                .order_by(Lead.created_at, Lead.id)
                .limit(BATCH)
            )
        )
    return sum(db.run(lambda session, one=one: _tell(session, one, base_url, now)) for one in waiting)  # type: ignore[misc]  # a default argument binds the loop's value


def _tell(session: Session, lead_id: int, base_url: str, now: datetime) -> bool:
    lead = session.get_one(Lead, lead_id, populate_existing=True)
    promise = _promise(session, lead, now)
    if promise is None:
        return False
    told = session.execute(
        sa.update(Lead)
        .where(Lead.id == lead.id, Lead.version == lead.version, Lead.state.in_(STILL_OPEN))
        .values(state="answered", version=Lead.version + 1)
        .execution_options(synchronize_session=False)
    )
    if cast("CursorResult[Any]", told).rowcount != 1:
        return False  # a colleague or another worker was faster
    party = session.get_one(Party, lead.party_id)
    item = promising.get_item(session, lead.sku)
    payload = {
        "to": party.email,
        "name": party.name,
        "language": lead.language or party.language,
        "shop": get_company(session).name,
        "item": item.name,
        "quantity": promise.quantity,
        "deliver_on": promise.deliver_on.isoformat(),
        "link": f"{base_url.rstrip('/')}{lead.page}" if base_url and PRODUCT_PAGE.match(lead.page) else "",
    }
    events.publish(session, events.MailWanted("can_be_had", f"lead:{lead.number}", payload, now))
    said = f"{item.name}: {promise.deliver_on.isoformat()}"
    timeline.record(session, party.id, "answer", text=said, lead_id=lead.id, now=now)
    return True


def _promise(session: Session, lead: Lead, now: datetime) -> Promise | None:
    """Return what can be promised of what they wait for, in the quantity and to the place they named; None: not yet."""
    item = promising.get_item(session, lead.sku)
    for postcode in (lead.postcode or None, None):  # a place that we do not know must not keep them waiting for ever
        try:
            return promising.quote(session, item, lead.quantity or 1, country=None, postcode=postcode, now=now)
        except BadInput:
            continue
        except Refused:
            return None
    return None
