"""Another link to an order, for whoever passed theirs on or lost it: the one of before opens nothing from now on."""

from __future__ import annotations

import secrets
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import audit, events
from backoffice.crm import links, orders, timeline
from backoffice.crm.customers import Editor
from backoffice.crm.models import Checkout, Order
from backoffice.public.errors import Refused


def renew_link(session: Session, number: str, *, version: int, secret_key: str, by: Editor, now: datetime) -> None:
    """Give an order a new link and mail it to its customer, behind whatever mail of the order still waits.

    Raises NotFound(unknown_order), Refused(stale | wrong_state: its customer was forgotten); nothing has changed then.
    """
    orders.get_by_number(session, number)
    order = session.scalars(
        sa.select(Order).where(Order.number == number).with_for_update().execution_options(populate_existing=True)
    ).one()
    checkout = session.get_one(Checkout, order.checkout_id, populate_existing=True)
    if order.version != version:
        raise Refused("stale")
    if not checkout.email:
        raise Refused("wrong_state")
    nonce = secrets.token_urlsafe(20)
    checkout.link_nonce, checkout.token_hash = nonce, links.hash_token(links.order_token(secret_key, nonce))
    order.version += 1
    session.flush()
    timeline.record(session, order.party_id, "link_renewed", order_ref=number, actor=by.name, now=now)
    audit.record(session, "order.renew_link", f"order:{number}", actor=by.email, role=by.role, now=now)
    events.publish(session, events.MailWanted("order_link", f"order:{number}", orders.mail_frame(session, order), now))
