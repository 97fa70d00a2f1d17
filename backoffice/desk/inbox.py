"""Read models of the sales desk: the inbox, one lead, one customer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import lead_forms, parties, timeline
from backoffice.crm.deadlines import COMING_BACK, IS_OPEN, NEXT_DUE
from backoffice.crm.models import Activity, Checkout, Lead, Order, OrderLine, Party
from backoffice.desk.listing import PAGE, contains, pages_of, total
from backoffice.erp.models import Shipment, Staff

WHOSE = ("all", "mine")
STATES = ("open", "call_first", "due", "new", "working", "answered", "paying", "won", "lost", "done", "quarantined", "any")
TO_DO = ("open", "due", "new", "working")  # states that are listed by what is next due, the others newest first
KINDS = ("any", *lead_forms.ALL_KINDS)


@dataclass(frozen=True, slots=True)
class Filters:
    """What part of the inbox is shown; all of it stands in the address. page counts from 1."""

    whose: str = "all"
    state: str = "open"
    kind: str = "any"
    query: str = ""
    page: int = 1

    @classmethod
    def parse(cls, args: Mapping[str, str]) -> Filters:
        """Read them from an address; what makes no sense becomes the default."""
        page = args.get("page", "1")
        return cls(
            whose=_one_of(args.get("whose"), WHOSE),
            state=_one_of(args.get("state"), STATES),
            kind=_one_of(args.get("kind"), KINDS),
            query=args.get("q", "").replace("\x00", "").strip()[:100],
            page=min(int(page), 1_000_000) if page.isdecimal() and len(page) < 8 and int(page) else 1,
        )

    def args(self, **changed: Any) -> dict[str, Any]:
        """Return the part of an address that says the same, without defaults; `changed` first."""
        new, plain = replace(self, **changed), Filters()
        pairs = {"whose": "whose", "state": "state", "kind": "kind", "query": "q", "page": "page"}
        return {name: str(getattr(new, field)) for field, name in pairs.items() if getattr(new, field) != getattr(plain, field)}


@dataclass(frozen=True, slots=True)
class Row:
    """One lead in the list. reason: what is to be done (answer | call_again | paying), empty for nothing; due_at: by when."""

    lead: Lead
    name: str
    owner: str
    reason: str
    due_at: datetime
    overdue: bool
    excerpt: str


@dataclass(frozen=True, slots=True)
class Inbox:
    """One page of the list, with how much there is of it; late, due: of everybody's, past their time and to be called today."""

    rows: Sequence[Row]
    total: int
    pages: int
    late: int
    due: int


@dataclass(frozen=True, slots=True)
class Bought:
    """An order with its lines and parcels."""

    order: Order
    lines: Sequence[OrderLine]
    shipments: Sequence[Shipment]


@dataclass(frozen=True, slots=True)
class Customer:
    """A party with everything that happened between us."""

    party: Party
    entries: Sequence[Activity]
    leads: Sequence[Lead]
    orders: Sequence[Bought]


def find_inbox(session: Session, filters: Filters, *, staff_id: int, now: datetime, day_ends: datetime) -> Inbox:
    """Return one page of leads: those to do by what is next due, the others newest first. day_ends: when today is over."""
    matching = _matching(filters, staff_id, day_ends)
    page = matching.limit(PAGE).offset((filters.page - 1) * PAGE)
    found = session.execute(_shown(page).order_by(*_order(filters))).all()
    paying = find_paying(session, [lead.id for lead, _, _ in found])
    rows = [row_of(lead, name, owner or "", lead.id in paying, now) for lead, name, owner in found]
    late = sa.select(sa.func.count()).where(_to_do(day_ends), now > NEXT_DUE)
    due = sa.select(sa.func.count()).where(IS_OPEN, COMING_BACK, Lead.follow_up_at < day_ends)
    counts = (session.execute(one).scalar_one() for one in (late, due))
    number = total(session, matching)
    return Inbox(rows, number, pages_of(number), *counts)


def find_next(session: Session, staff_id: int, *, day_ends: datetime) -> int | None:
    """Return the lead to look at next: of mine and of what nobody took, the one that is due first; later days wait."""
    mine = sa.or_(Lead.owner_id == staff_id, Lead.state == "new")
    agreed_later = sa.and_(COMING_BACK, Lead.follow_up_at >= day_ends)
    found = sa.select(Lead.id).where(mine, _to_do(day_ends), sa.not_(agreed_later))
    return session.execute(found.order_by(NEXT_DUE, Lead.id).limit(1)).scalar_one_or_none()


def find_paying(session: Session, lead_ids: Sequence[int]) -> frozenset[int]:
    """Return those of the leads whose order can still be paid."""
    waiting = sa.select(Checkout.lead_id).where(Checkout.lead_id.in_(lead_ids), Checkout.state == "open")
    return frozenset(one for one in session.scalars(waiting) if one is not None)


def get_customer(session: Session, party_id: int) -> Customer:
    """Return a party with its timeline, leads and orders. Raises NotFound(unknown_record)."""
    party = parties.get_party(session, party_id)
    asked = sa.select(Lead).where(Lead.party_id == party_id).order_by(Lead.created_at.desc()).limit(50)
    return Customer(
        party,
        timeline.find_entries(session, party_id),
        session.execute(asked).scalars().all(),
        _orders(session, Order.party_id == party_id),
    )


def _orders(session: Session, which: sa.ColumnElement[bool]) -> Sequence[Bought]:
    newest = sa.select(Order).where(which).order_by(Order.placed_at.desc()).limit(20)
    orders = session.execute(newest).scalars().all()
    ids, numbers = [order.id for order in orders], [order.number for order in orders]
    lines: dict[int, list[OrderLine]] = {}
    for line in session.execute(sa.select(OrderLine).where(OrderLine.order_id.in_(ids)).order_by(OrderLine.id)).scalars():
        lines.setdefault(line.order_id, []).append(line)
    parcels: dict[str, list[Shipment]] = {}
    for parcel in session.execute(sa.select(Shipment).where(Shipment.order_ref.in_(numbers))).scalars():
        parcels.setdefault(parcel.order_ref, []).append(parcel)
    return [Bought(order, lines.get(order.id, []), parcels.get(order.number, [])) for order in orders]


def _to_do(day_ends: datetime) -> sa.ColumnElement[bool]:
    """Tell what is to do: unanswered, or answered and to be called again today."""
    again = sa.and_(Lead.state == "answered", Lead.follow_up_at < day_ends)
    return sa.and_(IS_OPEN, sa.or_(Lead.state.in_(("new", "working")), again))


def _shown(page: sa.Select[int]) -> sa.Select[Lead, str, str]:
    """Return the rows of a page with their names: joined when the page is chosen, not before."""
    query = sa.select(Lead, Party.name, Staff.name).join(Party, Party.id == Lead.party_id)
    return query.join(Staff, Staff.id == Lead.owner_id, isouter=True).where(Lead.id.in_(page))


def _order(filters: Filters) -> tuple[sa.ColumnElement[Any], ...]:
    if filters.state == "call_first":
        return Lead.score.desc(), Lead.due_at.asc(), Lead.id.asc()
    return (NEXT_DUE, Lead.id.asc()) if filters.state in TO_DO else (Lead.created_at.desc(), Lead.id.desc())


def _matching(filters: Filters, staff_id: int, day_ends: datetime) -> sa.Select[int]:
    query = sa.select(Lead.id)
    if filters.query:
        query = query.join(Party, Party.id == Lead.party_id)
    if filters.state == "open":
        query = query.where(_to_do(day_ends))
    elif filters.state == "call_first":
        query = query.where(Lead.state.in_(("new", "working")))
    elif filters.state == "due":
        query = query.where(IS_OPEN, COMING_BACK, Lead.follow_up_at < day_ends)
    elif filters.state == "paying":
        query = query.where(Lead.id.in_(sa.select(Checkout.lead_id).where(Checkout.state == "open")))
    elif filters.state in ("won", "lost"):
        query = query.where(Lead.outcome == filters.state)
    elif filters.state != "any":
        query = query.where(Lead.state == filters.state)
    if filters.kind != "any":
        query = query.where(Lead.kind == filters.kind)
    if filters.whose == "mine":
        query = query.where(Lead.owner_id == staff_id)
    if filters.query:
        columns = (Party.name, Party.email, Party.phone, Lead.message, Lead.number, Lead.sku, Lead.order_ref)
        query = query.where(contains(filters.query, *columns))
    return query.order_by(*_order(filters))


def reason_of(lead: Lead, *, paying: bool) -> tuple[str, datetime]:
    """Return what is to be done with a lead, and by when; nothing: empty."""
    if lead.state in ("working", "answered") and lead.follow_up_at is not None:
        return ("paying" if paying else "call_again"), lead.follow_up_at
    return ("answer" if lead.state in ("new", "working") else ""), lead.due_at


def row_of(lead: Lead, name: str, owner: str, paying: bool, now: datetime) -> Row:
    """Return a lead as lists show it. paying: an order of theirs can still be paid."""
    text = " ".join(lead.message.split()) or lead.sku
    reason, due_at = reason_of(lead, paying=paying)
    excerpt = text if len(text) <= 120 else text[:119] + "…"
    return Row(lead, name, owner, reason, due_at, bool(reason) and due_at < now, excerpt)


def _one_of(value: str | None, choices: Sequence[str]) -> str:
    return value if value is not None and value in choices else choices[0]
