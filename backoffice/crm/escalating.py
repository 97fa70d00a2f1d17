"""What is overdue goes to somebody: its owner is reminded, and if that does not help, somebody who is here has it.

The rule, in the company's open hours. At its deadline: an owner who is here is reminded, once. `after_minutes` of open time
later, or at once where the owner is away or there is none, it goes to the colleague whom the rule names, else to the one of
sales who is here and has the least to do. Each step is taken once for a deadline; a new deadline begins anew. Where nobody else
is here it stays, and is looked at again.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import audit, events
from backoffice.crm import answer_time, assigning, timeline
from backoffice.crm.deadlines import HAS_DUE, NEXT_DUE
from backoffice.crm.models import EscalationRule, Lead
from backoffice.db import Database
from backoffice.erp.company import get_company
from backoffice.erp.models import Staff
from backoffice.planning.calendars import Calendar
from backoffice.public.errors import BadInput

USUAL_MINUTES = 240
MOST_MINUTES = 10_000
AT_ONCE = 500  # a turn of the worker does at most so many
REMINDED, HANDED = 1, 2


@dataclass(frozen=True, slots=True)
class Rule:
    """How long after a deadline somebody else gets it, in open time, and who; to_id None: who has the least to do."""

    after: timedelta = timedelta(minutes=USUAL_MINUTES)
    to_id: int | None = None


@dataclass(frozen=True, slots=True)
class Overdue:
    """A deadline that has passed. done: what was done about it already (0, REMINDED, HANDED)."""

    due_at: datetime
    owner_id: int | None
    done: int = 0


def next_step(rule: Rule, one: Overdue, *, calendar: Calendar | None, away: Set[int], now: datetime) -> int | None:
    """Return what is to be done now: REMINDED, HANDED, or None. calendar: None where no office hours are known. Pure."""
    if now < one.due_at or one.done >= HANDED:
        return None
    if one.owner_id is None or one.owner_id in away:
        return HANDED
    patience = answer_time.add_open_time(calendar, one.due_at, rule.after) if calendar else one.due_at + rule.after
    if now >= patience:
        return HANDED
    return REMINDED if one.done < REMINDED else None


def receiver(rule: Rule, owner_id: int | None, load: Mapping[int, int]) -> int | None:
    """Return who gets it of those who are here (load: their ids → what they have open); None: nobody else is here. Pure."""
    others = load.keys() - {owner_id}
    if rule.to_id in others:
        return rule.to_id
    return min(others, key=lambda one: (load[one], one), default=None)


def escalate(db: Database, *, base_url: str = "", now: datetime) -> int:
    """Do what is to be done about everything overdue, each in a transaction of its own; return for how many it was."""
    with db.read() as session:
        rule = find_rule(session)
        found = [] if rule is None else session.scalars(_overdue(now).limit(AT_ONCE)).all()
    return sum(db.run(partial(_act, lead_id=lead_id, base_url=base_url, now=now)) for lead_id in found)


def find_rule(session: Session) -> Rule | None:
    """Return the company's rule, the usual one where it has said nothing; None: it is switched off."""
    row = session.get(EscalationRule, 1)
    if row is None:
        return Rule()
    return Rule(timedelta(minutes=row.after_minutes), row.to_id) if row.active else None


def find_here(session: Session, rule: Rule, away: Set[int]) -> set[int]:
    """Return who may get something now: of sales, else an administrator, and whom the rule names, if they are here."""
    here = set(session.scalars(_sellers("sales"))) - away or set(session.scalars(_sellers())) - away
    return here | {rule.to_id} if rule.to_id is not None and rule.to_id not in away else here


def save_rule(
    session: Session, *, after_minutes: int, to_id: int | None, active: bool, by: str, role: str = "", now: datetime
) -> None:
    """Write the rule. Raises BadInput(invalid_form, after_minutes | to_id)."""
    wrong = {}
    if not 0 < after_minutes <= MOST_MINUTES:
        wrong["after_minutes"] = "bad_number"
    if to_id is not None and to_id not in session.scalars(_sellers()).all():
        wrong["to_id"] = "bad_choice"
    if wrong:
        raise BadInput("invalid_form", wrong)
    kept = session.get(EscalationRule, 1)
    before = kept and {"after_minutes": kept.after_minutes, "to_id": kept.to_id, "active": kept.active}
    after = {"after_minutes": after_minutes, "to_id": to_id, "active": active}
    session.merge(EscalationRule(id=1, **after))
    session.flush()
    if before != after:
        details = {"before": before, "after": after}
        audit.record(session, "escalation.save", "escalation", actor=by, role=role, details=details, now=now)


def _overdue(now: datetime) -> sa.Select[int]:
    undone = sa.or_(Lead.escalated_for.is_(None), Lead.escalated_for != NEXT_DUE, Lead.escalation < HANDED)
    return sa.select(Lead.id).where(HAS_DUE, now >= NEXT_DUE, undone).order_by(NEXT_DUE, Lead.id)


def _act(session: Session, *, lead_id: int, base_url: str, now: datetime) -> bool:
    """Take the next step for one enquiry, if there is one; tell whether there was."""
    rule, lead = find_rule(session), session.get(Lead, lead_id)
    due_at = session.scalar(sa.select(NEXT_DUE).where(Lead.id == lead_id, HAS_DUE))
    if rule is None or lead is None or due_at is None:
        return False
    away = assigning.find_away(session, assigning.working_day(session, now))
    done = lead.escalation if lead.escalated_for == due_at else 0
    overdue = Overdue(due_at, lead.owner_id, done)
    step = next_step(rule, overdue, calendar=answer_time.find_calendar(session, due_at, now), away=away, now=now)
    if step is None:
        return False
    to_id = lead.owner_id
    if step == HANDED:
        to_id = receiver(rule, lead.owner_id, assigning.load_of(session, find_here(session, rule, away)))
    if to_id is None:
        return False
    handed = to_id != lead.owner_id
    taken = session.execute(
        sa.update(Lead)
        .where(Lead.id == lead.id, Lead.version == lead.version)
        .values(escalation=step, escalated_for=due_at, owner_id=to_id, version=Lead.version + int(handed))
        .returning(Lead.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if taken is None:  # somebody saved it this moment: it is looked at again
        return False
    to = session.get_one(Staff, to_id)
    timeline.record(session, lead.party_id, "escalated" if handed else "reminded", text=to.name, lead_id=lead.id, now=now)
    _tell(session, lead, to, handed=handed, base_url=base_url, now=now)
    return True


def _tell(session: Session, lead: Lead, to: Staff, *, handed: bool, base_url: str, now: datetime) -> None:
    company = get_company(session)
    payload = {
        "to": to.email,
        "name": to.name,
        "language": company.language,
        "shop": company.name,
        "number": lead.number,
        "handed": handed,
        "link": f"{base_url}/desk/sales/leads/{lead.id}" if base_url else "",
    }
    events.publish(session, events.MailWanted("lead_overdue", f"lead:{lead.number}", payload, now))


def _sellers(*roles: str) -> sa.Select[int]:
    return sa.select(Staff.id).where(Staff.active, Staff.role.in_(roles or assigning.SELLERS)).order_by(Staff.id)
