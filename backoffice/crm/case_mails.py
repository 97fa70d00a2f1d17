"""Mails about service cases: the answer to one of ours, or a customer who names an order of theirs.

Who may be believed: the secret in our mails' headers names a case, whoever writes. An order number alone names nothing: only its
own customer's address does, and what a machine wrote, or what is taken for spam, goes the way of every other mail.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import case_opening, cases, links, timeline
from backoffice.crm.case_rules import order_numbers
from backoffice.crm.incoming_mail import Incoming, told
from backoffice.crm.models import Checkout, Order, Party, ServiceCase


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a mail. outcome: threaded | new; id: of its case."""

    outcome: str
    id: int


def take_in(session: Session, mail: Incoming, *, secret_key: str, now: datetime) -> Taken | None:
    """Thread a mail into its case, or open one; None, and nothing changed, for a mail that is about none.

    A machine's mail is written down and nothing else: it opens nothing, and nobody answers it.
    """
    named = _find_named(session, mail, secret_key)
    if named is not None:
        return _add(session, named, mail, now)
    if mail.automatic or mail.doubtful or not (mail.text or mail.attachments):
        return None
    order = _find_order(session, mail)
    if order is None:
        return None
    waiting = _find_open(session, order)
    if waiting is not None:
        return _add(session, waiting, mail, now)
    return Taken("new", case_opening.by_mail(session, told(mail), order, now=now).id)


def _find_named(session: Session, mail: Incoming, secret_key: str) -> ServiceCase | None:
    """Return the case whose secret the mail carries."""
    found = (links.read_case_thread(secret_key, one) for one in mail.threads)
    case_id = next((one for one in found if one is not None), None)
    return session.get(ServiceCase, case_id) if case_id is not None else None


def _find_order(session: Session, mail: Incoming) -> Order | None:
    """Return the order that the mail names, if it is its sender's."""
    numbers = order_numbers(mail.subject, mail.text)
    if not numbers:
        return None
    theirs = sa.or_(sa.func.lower(Checkout.email) == mail.sender, Party.email == mail.sender)
    found = sa.select(Order).join(Checkout, Checkout.id == Order.checkout_id).join(Party, Party.id == Order.party_id)
    named = found.where(Order.number.in_(numbers), theirs).order_by(Order.placed_at.desc(), Order.id.desc())
    return session.scalars(named.limit(1)).first()


def _find_open(session: Session, order: Order) -> ServiceCase | None:
    """Return the newest case of an order that is not settled."""
    of_order = sa.select(ServiceCase).where(ServiceCase.order_ref == order.number, ServiceCase.party_id == order.party_id)
    newest = of_order.where(ServiceCase.state.in_(("open", "waiting"))).order_by(ServiceCase.id.desc())
    return session.scalars(newest.limit(1)).first()


def _add(session: Session, case: ServiceCase, mail: Incoming, now: datetime) -> Taken:
    words = told(mail, of=session.scalar(sa.select(Party.email).where(Party.id == case.party_id)))
    if mail.automatic:
        timeline.record(session, case.party_id, "automatic", text=words, case_id=case.id, order_ref=case.order_ref, now=now)
        return Taken("threaded", case.id)
    if cases.write_again(session, case.id, words, now=now) is not None:
        return Taken("threaded", case.id)
    return Taken("new", case_opening.follow(session, case, words, source="mail", now=now).id)
