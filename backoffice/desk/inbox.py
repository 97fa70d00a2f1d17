"""Read models of the sales desk: the inbox, one lead, one customer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import lead_forms, parties, timeline
from backoffice.crm.deadlines import COMING_BACK, IS_OPEN, NEXT_DUE
from backoffice.crm.models import Activity, Checkout, Lead, Order, OrderLine, Party
from backoffice.crm.models.long_lists import LEAD_WORDS, PARTY_WORDS, URGENCY
from backoffice.desk.listing import MOST_COUNTED, PAGE, count_to, holds, read_place, write_place
from backoffice.erp.models import Shipment, Staff

WHOSE = ("all", "mine")
STATES = ("open", "call_first", "due", "new", "working", "answered", "paying", "won", "lost", "done", "quarantined", "any")
TO_DO = ("open", "due", "new", "working")  # states that are listed by what is next due, the others newest first
KINDS = ("any", *lead_forms.ALL_KINDS)


@dataclass(frozen=True, slots=True)
class Filters:
    """What part of the inbox is shown; all of it stands in the address. after: where the last page ended."""

    whose: str = "all"
    state: str = "open"
    kind: str = "any"
    query: str = ""
    after: str = ""

    @classmethod
    def parse(cls, args: Mapping[str, str]) -> Filters:
        """Read them from an address; what makes no sense becomes the default."""
        return cls(
            whose=_one_of(args.get("whose"), WHOSE),
            state=_one_of(args.get("state"), STATES),
            kind=_one_of(args.get("kind"), KINDS),
            query=args.get("q", "").replace("\x00", "").strip()[:100],
            after=args.get("after", "")[:60],
        )

    def args(self, **changed: Any) -> dict[str, Any]:
        """Return the part of an address that says the same, without defaults; `changed` first."""
        new, plain = replace(self, **changed), Filters()
        pairs = {"whose": "whose", "state": "state", "kind": "kind", "query": "q", "after": "after"}
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
    """One page of the list. rest: where the next one begins; empty: this was the last.

    total: how many there are in all pages; late, due: of everybody's, past their time and to be called today. None of the three
    is counted further than one more than MOST.
    """

    MOST: ClassVar[int] = MOST_COUNTED
    rows: Sequence[Row]
    rest: str
    total: int
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
    matching = sa.select(Lead.id).where(*_conditions(filters, staff_id, day_ends))
    page = first_with(filters.query, _in_order(_from_there(matching, filters), filters), most=PAGE + 1)
    found = session.execute(_in_order(_shown(page), filters).limit(PAGE + 1)).all()
    paying = find_paying(session, [lead.id for lead, _, _ in found])
    rows = [row_of(lead, name, owner or "", lead.id in paying, now) for lead, name, owner in found[:PAGE]]
    all_of_it = first_with(filters.query, matching, most=MOST_COUNTED + 1)
    late = sa.select(Lead.id).where(_to_do(day_ends), now > NEXT_DUE)
    counts = session.execute(sa.select(count_to(all_of_it), count_to(late), count_to(sa.select(Lead.id).where(*_due(day_ends)))))
    return Inbox(rows, _place(filters, rows[-1].lead) if len(found) > PAGE else "", *counts.one())


def first_with(typed: str, wanted: sa.Select[int], *, most: int) -> sa.Select[int] | sa.CompoundSelect[int]:
    """Return the first of some leads that hold the words, in what they say or in who asks; no words: the first of them.

    With words there may be twice as many, in any order. No index holds what two tables say, so there are two parts, sorted and
    cut each: of each the server may take the index of words, or go through the list until there are enough, whichever is shorter.
    """
    if not typed:
        return wanted.limit(most)
    who = sa.select(Party.id).where(holds(typed, PARTY_WORDS))
    said, asked = (wanted.where(one).limit(most).subquery() for one in (holds(typed, LEAD_WORDS), Lead.party_id.in_(who)))
    return sa.select(said.c.id).union(sa.select(asked.c.id))


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


def _shown(page: sa.Select[int] | sa.CompoundSelect[int]) -> sa.Select[Lead, str, str]:
    """Return the rows of a page with their names: joined when the page is chosen, not before."""
    query = sa.select(Lead, Party.name, Staff.name).join(Party, Party.id == Lead.party_id)
    return query.join(Staff, Staff.id == Lead.owner_id, isouter=True).where(Lead.id.in_(page))


def _due(day_ends: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return IS_OPEN, COMING_BACK, day_ends > NEXT_DUE


def _in_order(query: Any, filters: Filters) -> Any:
    if filters.state == "call_first":
        return query.order_by(URGENCY, Lead.due_at, Lead.id)
    return query.order_by(*((NEXT_DUE, Lead.id) if filters.state in TO_DO else (Lead.created_at.desc(), Lead.id.desc())))


def _from_there(query: sa.Select[int], filters: Filters) -> sa.Select[int]:
    """Begin where the last page ended; what makes no sense is the beginning."""
    score, _, later = filters.after.partition("~") if filters.state == "call_first" else ("0", "", filters.after)
    place = read_place(later)
    if place is None or not (score.isdecimal() and len(score) < 4):
        return query
    if filters.state == "call_first":
        return query.where(sa.tuple_(URGENCY, Lead.due_at, Lead.id) > (-int(score), *place))
    if filters.state in TO_DO:
        return query.where(sa.tuple_(NEXT_DUE, Lead.id) > place)
    return query.where(sa.tuple_(Lead.created_at, Lead.id) < place)


def _place(filters: Filters, last: Lead) -> str:
    if filters.state == "call_first":
        return f"{last.score}~{write_place(last.due_at, last.id)}"
    return write_place(next_due(last) if filters.state in TO_DO else last.created_at, last.id)


def next_due(lead: Lead) -> datetime:
    """Return when something is to be done about one that is open, as deadlines.NEXT_DUE."""
    return lead.follow_up_at if lead.state != "new" and lead.follow_up_at is not None else lead.due_at


def _conditions(filters: Filters, staff_id: int, day_ends: datetime) -> list[sa.ColumnElement[bool]]:
    wanted: list[sa.ColumnElement[bool]] = []
    if filters.state == "open":
        wanted.append(_to_do(day_ends))
    elif filters.state == "call_first":
        wanted += [IS_OPEN, Lead.state != "answered"]
    elif filters.state == "due":
        wanted += _due(day_ends)
    elif filters.state in ("new", "working"):
        wanted += [IS_OPEN, Lead.state == filters.state]
    elif filters.state == "paying":
        wanted.append(Lead.id.in_(sa.select(Checkout.lead_id).where(Checkout.state == "open")))
    elif filters.state in ("won", "lost"):
        wanted.append(Lead.outcome == filters.state)
    elif filters.state != "any":
        wanted.append(Lead.state == filters.state)
    if filters.kind != "any":
        wanted.append(Lead.kind == filters.kind)
    if filters.whose == "mine":
        wanted.append(Lead.owner_id == staff_id)
    return wanted


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
