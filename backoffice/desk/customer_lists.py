"""Read model: the list of people and companies. One query for a page of it, two for what stands beside each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from backoffice.crm.models import Activity, Order, Party
from backoffice.desk.listing import PAGE, Filters, contains, total
from backoffice.erp.models import Staff

WHICH = ("all", "people", "companies", "open")
SORTS = ("active", "new", "name")
OPEN = ("placed", "confirmed", "picking")
FEWEST_DIGITS = 4  # of a telephone number, to be looked for without its spaces


@dataclass(frozen=True, slots=True)
class Row:
    """One person or company; orders: also those of a company's people."""

    party: Party
    company: str
    owner: str
    orders: int
    last_order_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of the list, and how many there are."""

    rows: Sequence[Row]
    total: int


def find_customers(session: Session, filters: Filters) -> Listed:
    """Return one page of people and companies."""
    company = aliased(Party)
    last_at = _last_at()
    wanted = (
        sa.select(Party, company.name, Staff.name, last_at)
        .join(company, company.id == Party.company_id, isouter=True)
        .join(Staff, Staff.id == Party.owner_id, isouter=True)
    )
    counted = sa.select(Party.id).join(company, company.id == Party.company_id, isouter=True)
    for condition in _conditions(filters, company):
        wanted, counted = wanted.where(condition), counted.where(condition)
    order: dict[str, tuple[Any, ...]] = {
        "active": (sa.nulls_last(last_at.desc()), Party.id.desc()),
        "new": (Party.id.desc(),),
        "name": (sa.func.lower(Party.name), Party.id),
    }
    page = wanted.order_by(*order[filters.sort]).limit(PAGE).offset((filters.page - 1) * PAGE)
    found = session.execute(page).all()
    bought = _bought(session, [party.id for party, *_ in found])
    rows = [
        Row(party, company_name or "", owner or "", *bought.get(party.id, (0, None)), at)
        for party, company_name, owner, at in found
    ]
    return Listed(rows, total(session, counted))


def _last_at() -> sa.ColumnElement[datetime | None]:
    """Return when something last happened between us; with a company, or with one of its people."""
    member = aliased(Party)
    own = sa.select(sa.func.max(Activity.at)).where(Activity.party_id == Party.id).correlate(Party).scalar_subquery()
    of_people = (
        sa.select(sa.func.max(Activity.at))
        .join(member, member.id == Activity.party_id)
        .where(member.company_id == Party.id)
        .correlate(Party)
        .scalar_subquery()
    )
    return sa.case((Party.kind == "company", sa.func.coalesce(of_people, own)), else_=own)


def _conditions(filters: Filters, company: Any) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if filters.which in {"people", "companies"}:
        conditions.append(Party.kind == {"people": "person", "companies": "company"}[filters.which])
    if filters.which == "open":
        buying = sa.select(Order.party_id).where(Order.state.in_(OPEN))
        conditions.append(Party.id.in_(buying))
    if filters.query:
        conditions.append(_matches(filters.query, company))
    return conditions


def _matches(typed: str, company: Any) -> sa.ColumnElement[bool]:
    by_order = Party.id.in_(sa.select(Order.party_id).where(contains(typed, Order.number)))
    found = sa.or_(contains(typed, Party.name, Party.email, Party.phone, Party.vat_number, company.name), by_order)
    digits = "".join(letter for letter in typed if letter.isdecimal()).lstrip("0")
    if len(digits) < FEWEST_DIGITS or any(letter.isalpha() for letter in typed):
        return found
    plain: Any = Party.phone
    for sign in " -/().":
        plain = sa.func.replace(plain, sign, "")
    return sa.or_(found, plain.contains(digits, autoescape=True))


def _bought(session: Session, ids: Sequence[int]) -> dict[int, tuple[int, datetime | None]]:
    """Return how often each bought and when last; a company with its people."""
    found: dict[int, tuple[int, datetime | None]] = {}
    for whose in (Party.id, Party.company_id):
        orders = (
            sa.select(whose, sa.func.count(Order.id), sa.func.max(Order.placed_at))
            .join(Order, Order.party_id == Party.id)
            .where(whose.in_(ids))
            .group_by(whose)
        )
        for party_id, count, last in session.execute(orders):
            found[int(party_id or 0)] = (count, last)
    return found
