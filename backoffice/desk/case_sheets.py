"""Read model of one service case, opened: whose it is, which part of which order, what was said, what may be said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import cases, orders, parties, ready_answers
from backoffice.crm.models import Activity, MailTemplate, Order, OrderLine, Party, ServiceCase
from backoffice.desk.customer_sheets import find_sellers
from backoffice.erp.company import get_company
from backoffice.erp.models import Staff

MOST_ENTRIES = 200


@dataclass(frozen=True, slots=True)
class Sheet:
    """One case, opened. line: which of the goods it is about; expected_on: when the last of what is missing comes.

    entries: the newest first.
    """

    case: ServiceCase
    party: Party
    owner: str
    order: Order | None
    line: OrderLine | None
    expected_on: date | None
    entries: Sequence[Activity]
    answers: Sequence[MailTemplate]
    colleagues: Sequence[Staff]


def get_sheet(session: Session, case_id: int) -> Sheet:
    """Return one case with everything on its page. Raises NotFound(unknown_case)."""
    case = cases.get_case(session, case_id)
    party = parties.get_party(session, case.party_id)
    owner = session.get(Staff, case.owner_id) if case.owner_id else None
    order = orders.find_by_number(session, case.order_ref) if case.order_ref else None
    lines = orders.lines_of(session, order.id) if order else []
    happened = sa.select(Activity).where(Activity.case_id == case.id).order_by(Activity.at.desc(), Activity.id.desc())
    return Sheet(
        case,
        party,
        owner.name if owner else "",
        order,
        next((one for one in lines if one.id == case.order_line_id), None),
        max((one.expected_on for one in lines if one.actual_on is None), default=None),
        session.scalars(happened.limit(MOST_ENTRIES)).all(),
        ready_answers.find(session, case.language, party.language, get_company(session).language),
        find_sellers(session),
    )


def find_of_order(session: Session, number: str) -> Sequence[ServiceCase]:
    """Return the cases of an order, the newest first."""
    of_order = sa.select(ServiceCase).where(ServiceCase.order_ref == number).order_by(ServiceCase.id.desc())
    return session.scalars(of_order.limit(20)).all()
