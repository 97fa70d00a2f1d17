"""Read model of the list of enquiries: any part, in any of its orders, page by page from where the last one ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import lead_forms, pipeline
from backoffice.crm.deadlines import HAS_DUE, IS_OPEN, NEXT_DUE
from backoffice.crm.models import Lead, Party
from backoffice.crm.models.long_lists import WORTH
from backoffice.desk.inbox import Row, first_with, next_due, row_of
from backoffice.desk.listing import PAGE, read_place, write_place
from backoffice.erp.models import Staff

CHOICES: Mapping[str, tuple[str, ...]] = {
    "whose": ("all", "mine", "nobody"),
    "state": ("open", "overdue", "won", "lost", "any"),
    "stage": ("any", *pipeline.STAGES),
    "kind": ("any", *lead_forms.ALL_KINDS),
    "sort": ("due", "new", "value"),
}
COLUMNS = ("stage", "value", "expected", "due", "owner", "kind")


@dataclass(frozen=True, slots=True)
class Filters:
    """What part of the list is shown, and how; all of it stands in the address. after: where the last page ended."""

    whose: str = "all"
    state: str = "open"
    stage: str = "any"
    kind: str = "any"
    sort: str = "due"
    query: str = ""
    columns: tuple[str, ...] = COLUMNS
    after: str = ""

    @classmethod
    def parse(cls, args: Mapping[str, str]) -> Filters:
        """Read them from an address or a kept view; what makes no sense becomes the default."""
        chosen = {name: args[name] if args.get(name) in choices else choices[0] for name, choices in CHOICES.items()}
        asked = args.get("columns", "").split(",")
        columns = tuple(one for one in COLUMNS if one in asked) or COLUMNS
        query = args.get("q", "").replace("\x00", "").strip()[:100]
        return cls(**chosen, query=query, columns=columns, after=args.get("after", "")[:60])

    def args(self, **changed: Any) -> dict[str, Any]:
        """Return the part of an address that says the same, without defaults and without the page; `changed` first."""
        new, plain = replace(self, after="", **changed), Filters()
        pairs = {"q": "query"} | {name: name for name in CHOICES}
        said = {name: getattr(new, field) for name, field in pairs.items() if getattr(new, field) != getattr(plain, field)}
        if new.columns != COLUMNS:
            said["columns"] = ",".join(new.columns)
        return said | ({"after": new.after} if new.after else {})


@dataclass(frozen=True, slots=True)
class Found:
    """One page. rest: where the next one begins; empty: this was the last."""

    rows: Sequence[Row]
    rest: str


def find_list(session: Session, filters: Filters, *, staff_id: int, now: datetime) -> Found:
    """Return one page, in one statement."""
    wanted = _in_order(_from_there(sa.select(Lead.id).where(*_conditions(filters, staff_id, now)), filters), filters)
    page = first_with(filters.query, wanted, most=PAGE + 1)
    query = sa.select(Lead, Party.name, Staff.name).join(Party, Party.id == Lead.party_id)  # for what is chosen, not before
    query = query.join(Staff, Staff.id == Lead.owner_id, isouter=True).where(Lead.id.in_(page))
    found = session.execute(_in_order(query, filters).limit(PAGE + 1)).all()
    rows = [row_of(lead, name, owner or "", False, now) for lead, name, owner in found[:PAGE]]
    return Found(rows, _place(filters, rows[-1].lead) if len(found) > PAGE else "")


def _conditions(filters: Filters, staff_id: int, now: datetime) -> list[sa.ColumnElement[bool]]:
    wanted: list[sa.ColumnElement[bool]] = []
    if filters.state == "open":
        wanted.append(IS_OPEN)
    elif filters.state == "overdue":
        wanted += [HAS_DUE, now > NEXT_DUE]
    elif filters.state != "any":
        wanted.append(Lead.outcome == filters.state)
    if filters.whose != "all":
        wanted.append(Lead.owner_id == staff_id if filters.whose == "mine" else Lead.owner_id.is_(None))
    if filters.stage != "any":
        wanted.append(Lead.stage == filters.stage)
    if filters.kind != "any":
        wanted.append(Lead.kind == filters.kind)
    return wanted


def _in_order(query: Any, filters: Filters) -> Any:
    orders = {"due": (NEXT_DUE, Lead.id), "new": (Lead.id.desc(),), "value": (WORTH.desc(), Lead.id.desc())}
    return query.order_by(*orders[filters.sort])


def _from_there(query: Any, filters: Filters) -> Any:
    """Begin where the last page ended; what makes no sense is the beginning."""
    if filters.sort == "due":
        place = read_place(filters.after)
        return query.where(sa.tuple_(NEXT_DUE, Lead.id) > place) if place else query
    value, _, lead_id = filters.after.partition("~")
    if not (lead_id.isdecimal() and len(lead_id) < 16 and value.lstrip("-").isdecimal() and len(value) < 16):
        return query
    if filters.sort == "new":
        return query.where(Lead.id < int(lead_id))
    return query.where(sa.tuple_(WORTH, Lead.id) < (int(value), int(lead_id)))


def _place(filters: Filters, last: Lead) -> str:
    if filters.sort == "due":
        return write_place(next_due(last), last.id)
    return f"{0 if filters.sort == 'new' else -1 if last.value_minor is None else last.value_minor}~{last.id}"
