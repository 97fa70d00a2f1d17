"""Service cases that are overdue go to somebody, by the rule of enquiries (see escalating); settled ones close by themselves."""

from __future__ import annotations

from collections.abc import Set
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import events
from backoffice.crm import answer_time, assigning, escalating, timeline
from backoffice.crm.escalating import AT_ONCE, HANDED, Overdue
from backoffice.crm.models import ServiceCase
from backoffice.db import Database
from backoffice.erp.company import get_company
from backoffice.erp.models import Staff

CLOSES_AFTER = timedelta(days=30)  # of silence; until then a reply opens it again
NEXT_DUE = sa.func.coalesce(ServiceCase.answer_due_at, ServiceCase.solve_due_at)
"""When something is to be done about an open case: answer first, else solve. One expression for the list and the escalation."""


def escalate(db: Database, *, base_url: str = "", now: datetime) -> int:
    """Do what is to be done about every overdue case, each in a transaction of its own; return for how many it was."""
    undone = sa.or_(ServiceCase.escalated_for.is_(None), ServiceCase.escalated_for != NEXT_DUE, ServiceCase.escalation < HANDED)
    overdue = sa.select(ServiceCase.id).where(ServiceCase.state == "open", now >= NEXT_DUE, undone)
    with db.read() as session:
        rule = escalating.find_rule(session)
        found = [] if rule is None else session.scalars(overdue.order_by(NEXT_DUE, ServiceCase.id).limit(AT_ONCE)).all()
    return sum(db.run(partial(_act, case_id=case_id, base_url=base_url, now=now)) for case_id in found)


def close_settled(session: Session, *, now: datetime) -> int:
    """Close what has been solved for thirty days; return how many."""
    old = sa.select(ServiceCase.id).where(ServiceCase.state == "solved", ServiceCase.solved_at <= now - CLOSES_AFTER)
    closed = session.execute(
        sa.update(ServiceCase)
        .where(ServiceCase.id.in_(old.limit(AT_ONCE)), ServiceCase.state == "solved")
        .values(state="closed", version=ServiceCase.version + 1)
        .returning(ServiceCase.id, ServiceCase.party_id, ServiceCase.order_ref)
        .execution_options(synchronize_session=False)
    ).all()
    entries = [timeline.entry(row.party_id, "closed", case_id=row.id, order_ref=row.order_ref, now=now) for row in sorted(closed)]
    timeline.record_all(session, entries)
    return len(closed)


def load_of(session: Session, people: Set[int]) -> dict[int, int]:
    """Return person → how many open cases are theirs; of nobody else."""
    waiting = sa.select(ServiceCase.owner_id, sa.func.count()).where(
        ServiceCase.owner_id.in_(people), ServiceCase.state == "open"
    )
    found = dict.fromkeys(people, 0)
    found.update({owner: number for owner, number in session.execute(waiting.group_by(ServiceCase.owner_id)) if owner})
    return found


def _act(session: Session, *, case_id: int, base_url: str, now: datetime) -> bool:
    """Take the next step for one case, if there is one; tell whether there was."""
    rule, case = escalating.find_rule(session), session.get(ServiceCase, case_id)
    if rule is None or case is None or case.state != "open":
        return False
    due_at = case.answer_due_at or case.solve_due_at
    away = assigning.find_away(session, assigning.working_day(session, now))
    overdue = Overdue(due_at, case.owner_id, case.escalation if case.escalated_for == due_at else 0)
    calendar = answer_time.find_calendar(session, due_at, now)
    step = escalating.next_step(rule, overdue, calendar=calendar, away=away, now=now)
    if step is None:
        return False
    to_id = case.owner_id
    if step == HANDED:
        to_id = escalating.receiver(rule, case.owner_id, load_of(session, escalating.find_here(session, rule, away)))
    if to_id is None:
        return False
    handed = to_id != case.owner_id
    taken = session.execute(
        sa.update(ServiceCase)
        .where(ServiceCase.id == case.id, ServiceCase.version == case.version)
        .values(escalation=step, escalated_for=due_at, owner_id=to_id, version=ServiceCase.version + int(handed))
        .returning(ServiceCase.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if taken is None:  # somebody saved it this moment: it is looked at again
        return False
    to, kind = session.get_one(Staff, to_id), "escalated" if handed else "reminded"
    timeline.record(session, case.party_id, kind, text=to.name, case_id=case.id, order_ref=case.order_ref, now=now)
    _tell(session, case, to, handed=handed, base_url=base_url, now=now)
    return True


def _tell(session: Session, case: ServiceCase, to: Staff, *, handed: bool, base_url: str, now: datetime) -> None:
    company = get_company(session)
    payload = {
        "to": to.email,
        "name": to.name,
        "language": company.language,
        "shop": company.name,
        "number": case.number,
        "handed": handed,
        "link": f"{base_url}/desk/sales/cases/{case.id}" if base_url else "",
    }
    events.publish(session, events.MailWanted("case_overdue", f"case:{case.number}", payload, now))
