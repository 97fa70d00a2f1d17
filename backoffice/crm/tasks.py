"""Tasks: something that a desk, or one of its people, shall do by a day. One kind is asked of planning: an earlier day.

An earlier day is done by itself as soon as the plan allows it; whoever has the enquiry is told then, in their own list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import possible_days, timeline
from backoffice.crm.answer_time import FURTHEST, answer_due, come_back_at
from backoffice.crm.lead_forms import clean_text
from backoffice.crm.models import Lead, Task
from backoffice.db import Database
from backoffice.erp import plan
from backoffice.erp.company import get_company, local_today
from backoffice.erp.models import Company, Item, Staff
from backoffice.public.errors import BadInput, NotFound, Refused
from backoffice.wording import day_in

DESK_OF: Mapping[str, Sequence[str]] = {
    "sales": ("sales",),
    "warehouse": ("warehouse",),
    "planner": ("planning",),
    "admin": ("sales", "warehouse", "planning"),
}
TRANSITIONS: Mapping[str, Mapping[str, str]] = {
    # verb: {state before: state after}
    "finish": {"open": "done"},
    "drop": {"open": "dropped"},
}
LONGEST_TITLE = 200
BATCH = 200


def add(
    session: Session, title: str, due_on: date, *, desk: str, owner_id: int | None, lead_id: int | None, by: str, now: datetime
) -> Task:
    """Write a task down for a desk, or for one of its people.

    Raises NotFound(unknown_lead), BadInput(invalid_form, title | due_on | desk | owner).
    """
    wrong: dict[str, str] = {}
    words, today = " ".join(title.replace("\x00", " ").split()), local_today(get_company(session), now)
    if not words or len(words) > LONGEST_TITLE:
        wrong["title"] = "too_long" if words else "missing"
    if not today <= due_on <= today + FURTHEST:
        wrong["due_on"] = "past_date" if due_on < today else "bad_date"
    if desk not in DESK_OF["admin"]:
        wrong["desk"] = "bad_choice"
    owner = session.get(Staff, owner_id) if owner_id is not None else None
    if owner_id is not None and (owner is None or not owner.active or desk not in DESK_OF.get(owner.role, ())):
        wrong["owner"] = "bad_choice"
    if wrong:
        raise BadInput("invalid_form", wrong)
    if lead_id is not None and session.get(Lead, lead_id) is None:
        raise NotFound("unknown_lead")
    task = Task(
        kind="to_do", desk=desk, owner_id=owner_id, lead_id=lead_id, title=words, due_on=due_on, asked_by=by, created_at=now
    )
    session.add(task)
    session.flush()
    return task


def ask_for_day(session: Session, lead: Lead, *, by: str = "", now: datetime) -> Task:
    """Ask planning for the day that a lead needs; asked already, that is the task. by: empty for the shop itself.

    Raises BadInput(invalid_form, sku | needed_by_on) where the lead does not say what or by when, Refused(wrong_state) once
    it is closed.
    """
    wrong = {name: "missing" for name in ("sku", "needed_by_on") if not getattr(lead, name)}
    if wrong:
        raise BadInput("invalid_form", wrong)
    if lead.state == "done":
        raise Refused("wrong_state", state=lead.state, owner="")
    _lock(session, lead.id)
    found = _open_day(session, lead.id)
    if found is not None:
        found.plan_version = None  # what is wanted may be something else by now
        session.flush()
        return found
    due_on = day_in(get_company(session).timezone, answer_due(session, now))
    task = Task(kind="earlier_day", desk="planning", lead_id=lead.id, due_on=due_on, asked_by=by, created_at=now)
    session.add(task)
    session.flush()
    timeline.record(
        session, lead.party_id, "day_asked", lead_id=lead.id, actor=by, values={"on": str(lead.needed_by_on)}, now=now
    )
    return task


def finish(session: Session, task_id: int, *, by: str, role: str, now: datetime) -> Task:
    """Say that a task is done; done already stays as it is.

    Raises NotFound(unknown_record), also for another desk's, Refused(wrong_state) of a dropped one, and of an earlier day:
    it is done when the plan allows it, or declined.
    """
    task = get(session, task_id, role=role)
    if task.state == "done":
        return task
    if task.kind == "earlier_day":
        raise Refused("wrong_state", state=task.state, owner="")
    return _end(session, task, "finish", by=by, now=now)


def decline(session: Session, task_id: int, words: str, *, by: str, role: str, now: datetime) -> Task:
    """Say why an earlier day cannot be had; whoever has the enquiry is told. The same form twice is one answer.

    Raises NotFound(unknown_record), BadInput(invalid_form, text), Refused(wrong_state).
    """
    text, task = clean_text(words), get(session, task_id, role=role)
    if task.outcome == "impossible" and task.answer == text:
        return task
    if task.kind != "earlier_day":
        raise Refused("wrong_state", state=task.state, owner="")
    _lock(session, task.lead_id)
    task = _end(session, task, "finish", by=by, now=now, outcome="impossible", answer=text)
    _tell(session, session.get_one(Lead, task.lead_id), "day_refused", text=text, by=by, now=now)
    return task


def get(session: Session, task_id: int, *, role: str) -> Task:
    """Return a task of one's own desk. Raises NotFound(unknown_record)."""
    task = session.get(Task, task_id)
    if task is None or task.desk not in DESK_OF.get(role, ()):
        raise NotFound("unknown_record")
    return task


def watch(db: Database, *, now: datetime) -> int:
    """End the earlier days that the plan allows by now, and drop those nobody needs any more; return how many ended.

    A task is looked at once for each version of the plan.
    """
    with db.read() as session:
        if session.get(Company, 1) is None:
            return 0
        version, today = plan.version(session), local_today(get_company(session), now)
    ended, after = 0, 0
    while True:
        with db.read() as session:
            ids = _to_look_at(session, version, today, after)
        if not ids:
            return ended
        ended, after = ended + sum(_look_at(db, task_id, version, today, now) for task_id in ids), ids[-1]


def of_lead(session: Session, lead_id: int) -> Sequence[Task]:
    """Return an enquiry's tasks: the open ones by their day, then the others, newest first; at most twenty."""
    found = sa.select(Task).where(Task.lead_id == lead_id)
    return session.scalars(found.order_by(Task.ended_at.is_not(None), Task.due_on, Task.id.desc()).limit(20)).all()


def _to_look_at(session: Session, version: int, today: date, after: int) -> Sequence[int]:
    gone = sa.or_(Lead.state == "done", Lead.needed_by_on < today)
    fresh = sa.or_(Task.plan_version.is_(None), Task.plan_version != version)
    found = sa.select(Task.id).join(Lead, Lead.id == Task.lead_id)
    found = found.where(Task.kind == "earlier_day", Task.state == "open", Task.id > after, sa.or_(gone, fresh))
    return session.scalars(found.order_by(Task.id).limit(BATCH)).all()


def _look_at(db: Database, task_id: int, version: int, today: date, now: datetime) -> int:
    """Look at one task in a transaction of its own; return 1 if it ended."""
    return db.run(lambda session: _look(session, task_id, version, today, now))


def _look(session: Session, task_id: int, version: int, today: date, now: datetime) -> int:
    lead_id = session.scalars(sa.select(Task.lead_id).where(Task.id == task_id)).one()
    _lock(session, lead_id)
    task, lead = session.get_one(Task, task_id), session.get_one(Lead, lead_id)
    if task.state != "open":
        return 0
    if lead.state == "done" or lead.needed_by_on is None or lead.needed_by_on < today:
        _end(session, task, "drop", by="", now=now)
        return 1
    item = session.scalar(sa.select(Item).where(Item.sku == lead.sku))
    day = possible_days.find_day(session, item, lead.quantity or 1, lead.postcode, now=now) if item is not None else None
    if day is None or day > lead.needed_by_on:
        task.plan_version = version
        session.flush()
        return 0
    _end(session, task, "finish", by="", now=now, outcome="possible")
    _tell(session, lead, "day_freed", on=day, now=now)
    return 1


def _end(session: Session, task: Task, verb: str, *, by: str, now: datetime, **values: str) -> Task:
    """Move a task along its table; of two who end it, one does. Raises Refused(wrong_state)."""
    after = TRANSITIONS[verb].get(task.state)
    if after is not None:
        change = sa.update(Task).where(Task.id == task.id, Task.state == task.state)
        change = change.values(state=after, ended_at=now, ended_by=by, **values)
        moved = session.execute(change.returning(Task.id).execution_options(synchronize_session=False)).scalar_one_or_none()
        session.refresh(task)
        if moved is not None:
            return task
    raise Refused("wrong_state", state=task.state, owner="")


def _tell(
    session: Session, lead: Lead, kind: str, *, text: str = "", on: date | None = None, by: str = "", now: datetime
) -> None:
    """Put what became of it on the timeline, and the enquiry on its owner's list for today, or for when the office opens."""
    values = {"on": on.isoformat()} if on else {}
    timeline.record(session, lead.party_id, kind, text=text, lead_id=lead.id, actor=by, values=values, now=now)
    again_at = come_back_at(session, local_today(get_company(session), now), now)
    due = sa.update(Lead).where(Lead.id == lead.id, Lead.state.in_(("working", "answered")))
    session.execute(due.values(follow_up_at=again_at, version=Lead.version + 1).execution_options(synchronize_session="fetch"))


def _lock(session: Session, lead_id: int | None) -> None:
    """Let nobody else ask for, answer or look at an enquiry's day until we are done: the enquiry first, its task after it."""
    session.execute(sa.select(Lead.id).where(Lead.id == lead_id).with_for_update())


def _open_day(session: Session, lead_id: int) -> Task | None:
    found = sa.select(Task).where(Task.lead_id == lead_id, Task.kind == "earlier_day", Task.state == "open")
    return session.scalars(found).one_or_none()
