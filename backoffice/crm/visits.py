"""Visits: noted only for browsers whose owner allowed it, in batches, for a bounded time; all gone when it is taken back.

A visit ends with half an hour without a look, and where somebody else says who they are: people share browsers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import identity, links, parties, profiles
from backoffice.crm.models import Account, AccountSession, Cart, Order, Party, Visit, VisitEvent, Visitor
from backoffice.crm.models.buying import Checkout
from backoffice.db import write_row, write_rows
from backoffice.public.errors import BadInput
from backoffice.public.visits import Look

QUIET = timedelta(minutes=30)
LONGEST = 200  # letters of what a look was about
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Seen:
    """A look at one of the pages, as it is shown to whoever looks after the customer. Kinds: see VisitEvent."""

    at: datetime
    kind: str
    about: str
    visit_id: int
    rule: str


def allow(session: Session, *, wording: str, language: str, now: datetime) -> str:
    """Write down that the owner of a browser allows its visits to be noted; return the token that it keeps.

    Raises BadInput(invalid_form, wording).
    """
    if not wording.strip():
        raise BadInput("invalid_form", {"wording": "missing"})
    token = links.new_token()
    row = Visitor(token_hash=links.hash_token(token), wording=wording.strip(), language=language, allowed_at=now)
    session.add(row)
    return token


def take_back(session: Session, token: str) -> bool:
    """Delete a browser and all its visits; False: there is none such."""
    visitor_id = session.scalar(sa.select(Visitor.id).where(Visitor.token_hash == links.hash_token(token)).with_for_update())
    if visitor_id is None:
        return False
    people = session.scalars(sa.select(Visit.party_id).where(Visit.visitor_id == visitor_id, Visit.party_id.is_not(None)))
    known = sorted({party_id for party_id in people if party_id is not None})
    _drop(session, Visit.visitor_id == visitor_id)
    profiles.refresh(session, known)
    session.execute(sa.delete(Visitor).where(Visitor.id == visitor_id))
    return True


def record(session: Session, looks: Sequence[Look]) -> int:
    """Write looks down, oldest first; return how many. Those of a browser that nobody allowed, or no longer, are left out."""
    hashes = {look.token: links.hash_token(look.token) for look in looks}
    allowed = sa.select(Visitor.token_hash, Visitor.id).where(Visitor.token_hash.in_(sorted(set(hashes.values()))))
    visitors = dict(session.execute(allowed.order_by(Visitor.id).with_for_update()).all())
    theirs = sorted((look for look in looks if hashes[look.token] in visitors), key=lambda look: look.at)
    said, carts = _who(session, theirs), _carts(session, theirs)
    last = _last_visits(session, sorted({visitors[hashes[look.token]] for look in theirs}))
    rows = []
    for look in theirs:
        visitor_id = visitors[hashes[look.token]]
        person = said.get(look.account) or said.get(look.email)
        visit = _visit_of(session, last.get(visitor_id), visitor_id, person, look)
        last[visitor_id] = visit
        visit.cart_id = carts.get(look.cart, visit.cart_id)
        if person is not None and visit.party_id is None:
            rule = "login" if look.account in said else "form"
            identity.link_visit(session, visit, person, rule, {}, now=look.at)
        if look.kind != "said":
            rows.append(VisitEvent(visit_id=visit.id, kind=look.kind, about=look.about[:LONGEST], at=look.at))
    session.flush()
    write_rows(session, rows)
    return len(rows)


def link_orders(session: Session, *, now: datetime) -> int:
    """Note of visits whose cart became an order whose they were; return how many."""
    found = (
        sa.select(Visit, Order.party_id, Order.number, Order.placed_at)
        .join(Checkout, Checkout.cart_id == Visit.cart_id)
        .join(Order, Order.checkout_id == Checkout.id)
        .where(Visit.party_id.is_(None))
        .order_by(Visit.id)
        .limit(AT_ONCE)
    )
    rows = session.execute(found).all()
    linked = [
        (visit, number, at)
        for visit, party_id, number, at in rows
        if visit.party_id is None and identity.link_visit(session, visit, party_id, "order", {"order": number}, now=now)
    ]
    write_rows(session, [VisitEvent(visit_id=visit.id, kind="order", about=number, at=at) for visit, number, at in linked])
    return len(linked)


def forget_old(session: Session, *, before: datetime) -> int:
    """Delete visits that ended before an instant; return how many looks went."""
    return _drop(session, Visit.ended_at < before)


def find_visits(session: Session, party_id: int, *, limit: int = 50) -> Sequence[Seen]:
    """Return what somebody looked at, newest first, at most `limit`; of all parties that are this person."""
    return [
        Seen(event.at, event.kind, event.about, event.visit_id, rule)
        for event, rule in session.execute(identity.events_of(party_id).limit(limit))
    ]


def _drop(session: Session, which: sa.ColumnElement[bool]) -> int:
    """Delete visits, what was looked at and whose they were."""
    gone = session.scalars(sa.select(Visit.id).where(which)).all()
    looks = 0
    for at in range(0, len(gone), AT_ONCE):
        these = gone[at : at + AT_ONCE]
        looks += len(session.scalars(sa.delete(VisitEvent).where(VisitEvent.visit_id.in_(these)).returning(VisitEvent.id)).all())
        identity.drop_visits(session, these)
        session.execute(sa.delete(Visit).where(Visit.id.in_(these)).execution_options(synchronize_session="fetch"))
    return looks


def _visit_of(session: Session, last: Visit | None, visitor_id: int, person: int | None, look: Look) -> Visit:
    """Return the visit that a look belongs to: the last one while it lasts and is nobody else's, else a new one."""
    same = last is not None and (person is None or last.party_id in (None, person))
    if last is not None and same and look.at - last.ended_at < QUIET:
        last.ended_at = max(last.ended_at, look.at)
        return last
    return write_row(session, Visit(visitor_id=visitor_id, began_at=look.at, ended_at=look.at))


def _last_visits(session: Session, visitors: Sequence[int]) -> dict[int, Visit]:
    latest = sa.select(sa.func.max(Visit.id)).where(Visit.visitor_id.in_(visitors)).group_by(Visit.visitor_id)
    return {visit.visitor_id: visit for visit in session.scalars(sa.select(Visit).where(Visit.id.in_(latest)))}


def _who(session: Session, looks: Sequence[Look]) -> Mapping[str, int]:
    """Return whose the tokens of log-ins and the addresses in forms are, as the looks carry them."""
    tokens = {links.hash_token(look.account): look.account for look in looks if look.account}
    of_login = sa.select(AccountSession.token_hash, Account.party_id).join(Account, Account.id == AccountSession.account_id)
    said = {
        tokens[key]: party_id for key, party_id in session.execute(of_login.where(AccountSession.token_hash.in_(sorted(tokens))))
    }
    emails = {}
    for look in looks:
        try:
            emails[look.email] = parties.normalise_email(look.email) if look.email else ""
        except BadInput:
            continue
    known = sa.select(Party.email, Party.id).where(Party.email.in_(sorted(set(emails.values()) - {""})))
    of_email = dict(session.execute(known).all())
    return said | {typed: of_email[email] for typed, email in emails.items() if email in of_email}


def _carts(session: Session, looks: Sequence[Look]) -> Mapping[str, int]:
    tokens = {links.hash_token(look.cart): look.cart for look in looks if look.cart}
    found = session.execute(sa.select(Cart.token_hash, Cart.id).where(Cart.token_hash.in_(sorted(tokens))))
    return {tokens[key]: cart_id for key, cart_id in found}
