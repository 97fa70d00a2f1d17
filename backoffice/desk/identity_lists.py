"""Read models: which records and visits are a customer's, by which link, and what each link stands on in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from backoffice.crm import identity
from backoffice.crm.models import IdentityLink, Party, Visit, VisitEvent
from backoffice.desk.phrases import gettext as _

VISITS = 30
RECORDS = 100


@dataclass(frozen=True, slots=True)
class Record:
    """Two records that are one person. one, other: the first of them is the one whose page it is, where it is among them."""

    link: IdentityLink
    one: Party
    other: Party


@dataclass(frozen=True, slots=True)
class Sat:
    """A visit that is theirs. looks: how many pages, searches and carts."""

    link: IdentityLink
    visit: Visit
    looks: int


@dataclass(frozen=True, slots=True)
class Part:
    """Visits, the newest link first. older: where the next part begins; empty: there is none."""

    visits: Sequence[Sat]
    older: str


def find_records(session: Session, party_id: int) -> Sequence[Record]:
    """Return the links between two records of this person, those undone too: one statement."""
    same, one, other = identity.parties_of(party_id), aliased(Party), aliased(Party)
    found = (
        sa.select(IdentityLink, one, other)
        .join(one, one.id == IdentityLink.party_id)
        .join(other, other.id == IdentityLink.other_id)
        .where(sa.or_(IdentityLink.party_id.in_(same), IdentityLink.other_id.in_(same)))
        .order_by(IdentityLink.id.desc())
        .limit(RECORDS)
    )
    rows = session.execute(found).all()
    return [Record(link, *((right, left) if right.id == party_id else (left, right))) for link, left, right in rows]


def find_visits(session: Session, party_id: int, before: str = "", *, size: int = VISITS) -> Part:
    """Return the visits tied to this person before a link's number, those undone too: one statement, by key."""
    looks = sa.select(sa.func.count()).where(VisitEvent.visit_id == Visit.id).correlate(Visit).scalar_subquery()
    found = sa.select(IdentityLink, Visit, looks).join(Visit, Visit.id == IdentityLink.visit_id)
    found = found.where(IdentityLink.party_id.in_(identity.parties_of(party_id)))
    if before.isdecimal() and len(before) < 18:
        found = found.where(IdentityLink.id < int(before))
    rows = session.execute(found.order_by(IdentityLink.id.desc()).limit(size + 1)).all()
    visits = [Sat(*row) for row in rows[:size]]
    return Part(visits, str(visits[-1].link.id) if len(rows) > size else "")


def reason(rule: str, evidence: Mapping[str, Any]) -> str:
    """Say what a link stands on."""
    if rule == "order" and evidence.get("order"):
        return _("The cart of this visit became order %(number)s.", number=evidence["order"])
    return {
        "login": _("They were logged in to their account."),
        "form": _("They typed their e-mail into a form."),
        "order": _("The cart of this visit became an order of theirs."),
        "letter": _("They followed a link in our mail to them."),
        "only_one": _("They are the only one known at this browser."),
        "same_day": _("They were known at this browser within half a day, and nobody else was."),
        "phone": _("The same name and the same telephone."),
        "place": _("The same name and the same postal address."),
        "browser": _("The same name, and both said at one browser who they are."),
        "email": _("The same name, and e-mails that differ by one slip of the finger."),
    }.get(rule, rule)
