"""Read model: service cases as a list, each part of it beginning where the last one ended, however many there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm.case_escalating import NEXT_DUE
from backoffice.crm.case_rules import PRIORITIES
from backoffice.crm.models import Party, ServiceCase
from backoffice.desk.listing import PAGE, contains, read_place, write_place
from backoffice.erp.models import Staff

STATES = ("open", "overdue", "waiting", "solved", "closed", "any")
TO_DO = ("open", "overdue")  # listed by what is next due, the others newest first
WHOSE = ("all", "mine", "nobody")
CHOICES: Mapping[str, Sequence[str]] = {"state": STATES, "whose": WHOSE, "priority": ("any", *PRIORITIES)}
NAMES = {"state": "state", "whose": "whose", "priority": "priority", "query": "q", "after": "after"}


@dataclass(frozen=True, slots=True)
class Filters:
    """What part of the list is shown; all of it stands in the address. after: the place where the part before it ended."""

    state: str = "open"
    whose: str = "all"
    priority: str = "any"
    query: str = ""
    after: str = ""

    @classmethod
    def parse(cls, args: Mapping[str, str]) -> Filters:
        """Read them from an address; what makes no sense becomes the default."""
        chosen = {name: _one_of(args.get(name), choices) for name, choices in CHOICES.items()}
        query, after = args.get("q", "").replace("\x00", "").strip()[:100], args.get("after", "")
        return cls(**chosen, query=query, after=after if read_place(after) else "")

    def args(self, **changed: Any) -> dict[str, str]:
        """Return the part of an address that says the same, without defaults; `changed` first."""
        new, plain = replace(self, **changed), Filters()
        return {name: getattr(new, field) for field, name in NAMES.items() if getattr(new, field) != getattr(plain, field)}


@dataclass(frozen=True, slots=True)
class Row:
    """One case in the list. due_at: by when something is to be done; None: nothing is. answer: it is an answer."""

    case: ServiceCase
    name: str
    owner: str
    due_at: datetime | None
    answer: bool
    overdue: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """One part of the list. later: where the next part begins, empty for none; late: how many of everybody's are overdue."""

    rows: Sequence[Row]
    later: str
    late: int


def find_cases(session: Session, filters: Filters, *, staff_id: int, now: datetime) -> Listed:
    """Return a part of the list, in two statements whatever there is."""
    to_do = filters.state in TO_DO
    found = sa.select(ServiceCase, Party.name, Staff.name).join(Party, Party.id == ServiceCase.party_id)
    found = found.join(Staff, Staff.id == ServiceCase.owner_id, isouter=True).where(*_matching(filters, staff_id, now))
    found = found.order_by(NEXT_DUE, ServiceCase.id) if to_do else found.order_by(ServiceCase.id.desc())
    rows = [row_of(case, name, owner or "", now) for case, name, owner in session.execute(found.limit(PAGE + 1))]
    overdue = sa.select(sa.func.count()).select_from(ServiceCase).where(ServiceCase.state == "open", now > NEXT_DUE)
    later = _place(rows[PAGE - 1].case, to_do=to_do) if len(rows) > PAGE else ""
    return Listed(rows[:PAGE], later, session.scalar(overdue) or 0)


def row_of(case: ServiceCase, name: str, owner: str, now: datetime) -> Row:
    """Return a case as lists show it."""
    due_at = (case.answer_due_at or case.solve_due_at) if case.state == "open" else None
    return Row(case, name, owner, due_at, case.answer_due_at is not None, due_at is not None and due_at < now)


def _matching(filters: Filters, staff_id: int, now: datetime) -> list[sa.ColumnElement[bool]]:
    which: list[sa.ColumnElement[bool]] = []
    if filters.state in TO_DO:
        which.append(ServiceCase.state == "open")
    elif filters.state != "any":
        which.append(ServiceCase.state == filters.state)
    if filters.state == "overdue":
        which.append(now > NEXT_DUE)
    if filters.whose != "all":
        which.append(ServiceCase.owner_id == staff_id if filters.whose == "mine" else ServiceCase.owner_id.is_(None))
    if filters.priority != "any":
        which.append(ServiceCase.priority == filters.priority)
    if filters.query:
        which.append(
            contains(filters.query, Party.name, Party.email, ServiceCase.number, ServiceCase.order_ref, ServiceCase.message)
        )
    if place := read_place(filters.after):
        at, last = place
        after = sa.and_(at <= NEXT_DUE, sa.or_(at < NEXT_DUE, ServiceCase.id > last))
        which.append(after if filters.state in TO_DO else ServiceCase.id < last)
    return which


def _place(case: ServiceCase, *, to_do: bool) -> str:
    return write_place((case.answer_due_at or case.solve_due_at) if to_do else case.created_at, case.id)


def _one_of(value: str | None, choices: Sequence[str]) -> str:
    return value if value is not None and value in choices else choices[0]
