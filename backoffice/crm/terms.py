"""What is agreed with a company: who may do what for it, and how much it may owe us."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from backoffice.crm import customers, parties, timeline
from backoffice.crm.company_roles import ROLES
from backoffice.crm.customers import Editor
from backoffice.crm.models import CompanyTerms, Party
from backoffice.db import table_of
from backoffice.erp.company import get_company
from backoffice.public.errors import BadInput, NotFound, Refused

MOST_MINOR = 10**12
MOST_DAYS = 365
MOST_PROPOSED = 20
# addresses there say nothing of where somebody works
FOR_ANYBODY = frozenset(
    """
    gmail.com googlemail.com outlook.com hotmail.com live.com yahoo.com icloud.com me.com aol.com gmx.de gmx.net gmx.at web.de
    t-online.de freenet.de mail.ru proton.me protonmail.com posteo.de mailbox.org orange.fr free.fr libero.it wp.pl
    """.split()  # noqa: SIM905 - so many names are read more easily without their quotation marks
)


def set_role(session: Session, person_id: int, company_id: int, role: str, *, by: Editor, now: datetime) -> None:
    """Say what somebody may do for their company ("": nothing); said again it changes nothing.

    Raises NotFound(unknown_record) for who does not belong to it, BadInput(invalid_form, role).
    """
    if role not in ROLES:
        raise BadInput("invalid_form", {"role": "bad_choice"})
    locked = sa.select(Party).where(Party.id == person_id, Party.company_id == company_id).with_for_update()
    person = session.scalars(locked.execution_options(populate_existing=True)).one_or_none()
    if person is None:
        raise NotFound("unknown_record")
    before = person.company_role
    if before == role:
        return
    person.company_role, person.version = role, person.version + 1
    session.flush()
    values = {"company": company_id, "role": role}
    timeline.record(session, person.id, "company_role", text=role, values=values, actor=by.name, now=now)
    customers.note(session, "company.role", person.id, by, now, company=company_id, before=before, after=role)


def find_terms(session: Session, company_id: int) -> CompanyTerms | None:
    """Return how a company may buy on account."""
    return session.get(CompanyTerms, company_id, populate_existing=True)


def set_terms(
    session: Session, company_id: int, limit_minor: int, *, due_days: int, pause_overdue: bool, by: Editor, now: datetime
) -> None:
    """Let a company owe so much (0: it pays first), to be paid so many days after the invoice. What it owes stays.

    Raises NotFound(unknown_record), Refused(not_a_company), BadInput(invalid_form, limit | due_days).
    """
    company, wrong = parties.get_party(session, company_id), {}
    if company.kind != "company":
        raise Refused("not_a_company")
    if not 0 <= limit_minor <= MOST_MINOR:
        wrong["limit"] = "bad_amount"
    if not 0 <= due_days <= MOST_DAYS:
        wrong["due_days"] = "out_of_range"
    if wrong:
        raise BadInput("invalid_form", wrong)
    new = {"limit_minor": limit_minor, "due_days": due_days, "pause_overdue": pause_overdue}
    known = find_terms(session, company_id)
    before = {name: getattr(known, name) for name in new} if known is not None else {}
    if before == new:
        return
    currency = known.currency if known is not None else get_company(session).currency
    session.execute(_writing(session.get_bind().dialect.name), {"party_id": company_id, "currency": currency, **new})
    values = {"amount_minor": limit_minor, "currency": currency}
    timeline.record(session, company_id, "credit_limit", values=values, actor=by.name, now=now)
    customers.note(session, "company.terms", company_id, by, now, before=before, after=new)


@cache
def _writing(dialect: str) -> sa.Executable:
    made = (sqlite_insert if dialect == "sqlite" else postgresql_insert)(table_of(CompanyTerms))
    changed = {name: made.excluded[name] for name in ("limit_minor", "due_days", "pause_overdue")}
    return made.on_conflict_do_update(index_elements=["party_id"], set_=changed)


def find_colleagues(session: Session, company_id: int) -> Sequence[Party]:
    """Return who may work at a company too: people of none whose address has the domain of somebody with a role there.

    A proposal for a colleague to confirm, never more: anybody may write any address.
    """
    known = sa.select(Party.email).where(Party.company_id == company_id, Party.company_role != "", Party.email.is_not(None))
    domains = {str(one).rpartition("@")[2] for one in session.scalars(known)} - FOR_ANYBODY
    if not domains:
        return []
    alike = sa.or_(*(Party.email.endswith(f"@{one}", autoescape=True) for one in sorted(domains)))
    found = sa.select(Party).where(Party.kind == "person", Party.company_id.is_(None), alike)
    return session.scalars(found.order_by(Party.name, Party.id).limit(MOST_PROPOSED)).all()
