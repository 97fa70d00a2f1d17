"""Read models of tasks: what is to do at one's desk, and what an asked day waits for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import possible_days
from backoffice.crm.models import Lead, Party, Task
from backoffice.crm.tasks import DESK_OF
from backoffice.desk.listing import PAGE, total
from backoffice.erp.models import Item, Staff

WHICH = ("open", "mine", "ended")


@dataclass(frozen=True, slots=True)
class Row:
    """A task with whom and what it is about. possible_on: of an asked day, as the plan stands; None: no day, or not asked."""

    task: Task
    lead: Lead | None
    customer: str
    owner: str
    item_name: str
    possible_on: date | None


def find_tasks(session: Session, which: str, *, role: str, staff_id: int, page: int, now: datetime) -> tuple[Sequence[Row], int]:
    """Return a page of the tasks of somebody's desks and how many there are: open ones by their day, ended ones newest first."""
    wanted = _wanted(which, role, staff_id)
    order = (Task.ended_at.desc(), Task.id.desc()) if which == "ended" else (Task.due_on, Task.id)
    found = _with_names(wanted).order_by(*order).limit(PAGE).offset((page - 1) * PAGE)
    return _rows(session, found, now), total(session, wanted)


def count_mine(session: Session, *, role: str, staff_id: int) -> int:
    """Return how many open tasks somebody may do: theirs, and those of their desks that nobody in particular has."""
    return total(session, _wanted("mine", role, staff_id))


def find_asked_days(session: Session, *, now: datetime, most: int = 6) -> tuple[Sequence[Row], int]:
    """Return the first days that planning is asked for, and how many there are."""
    wanted = sa.select(Task.id).where(Task.kind == "earlier_day", Task.state == "open")
    return _rows(session, _with_names(wanted).order_by(Task.due_on, Task.id).limit(most), now), total(session, wanted)


def find_people(session: Session) -> Sequence[Staff]:
    """Return whom a task can be given to."""
    return session.scalars(sa.select(Staff).where(Staff.active, Staff.role.in_(DESK_OF)).order_by(Staff.name, Staff.id)).all()


def _wanted(which: str, role: str, staff_id: int) -> sa.Select[int]:
    wanted = sa.select(Task.id).where(Task.desk.in_(DESK_OF.get(role, ())))
    if which == "ended":
        return wanted.where(Task.state != "open")
    wanted = wanted.where(Task.state == "open")
    if which == "mine":
        wanted = wanted.where(sa.or_(Task.owner_id == staff_id, Task.owner_id.is_(None)))
    return wanted


def _with_names(wanted: sa.Select[int]) -> sa.Select[Task, Lead | None, str | None, str | None, Item | None]:
    return (
        sa.select(Task, Lead, Party.name, Staff.name, Item)
        .join(Lead, Lead.id == Task.lead_id, isouter=True)
        .join(Party, Party.id == Lead.party_id, isouter=True)
        .join(Staff, Staff.id == Task.owner_id, isouter=True)
        .join(Item, Item.sku == Lead.sku, isouter=True)
        .where(Task.id.in_(wanted))
    )


def _rows(session: Session, found: sa.Select[Task, Lead | None, str | None, str | None, Item | None], now: datetime) -> list[Row]:
    days: dict[tuple[int, int, str], date | None] = {}
    rows = []
    for task, lead, customer, owner, item in session.execute(found):
        wish = None
        if task.kind == "earlier_day" and task.state == "open" and item is not None and lead is not None:
            wish = (item.id, lead.quantity or 1, lead.postcode)
            if wish not in days:
                days[wish] = possible_days.find_day(session, item, wish[1], wish[2], now=now)
        rows.append(Row(task, lead, customer or "", owner or "", item.name if item else "", days[wish] if wish else None))
    return rows
