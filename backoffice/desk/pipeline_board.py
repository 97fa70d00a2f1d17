"""Read model of the board: what is on its way to an order, stage by stage, the one due first on top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import pipeline
from backoffice.crm.deadlines import IS_OPEN, NEXT_DUE
from backoffice.crm.models import Lead, Party
from backoffice.desk.inbox import Row, row_of
from backoffice.desk.listing import read_place, write_place
from backoffice.erp.models import Staff

CARDS = 20
WHOSE = ("all", "mine", "nobody")


@dataclass(frozen=True, slots=True)
class Filters:
    """Whose cards are shown, and from which one on a stage goes on (after: stage → the last card seen: its deadline and id)."""

    whose: str = "all"
    after: Mapping[str, tuple[datetime, int]] | None = None

    @classmethod
    def parse(cls, args: Mapping[str, str]) -> Filters:
        """Read them from an address; what makes no sense becomes the default."""
        whose = args.get("whose", "")
        seen = {stage: place for stage in pipeline.STAGES if (place := read_place(args.get(f"after_{stage}", ""))) is not None}
        return cls(whose if whose in WHOSE else "all", seen)

    def args(self, **changed: str) -> dict[str, str]:
        """Return the part of an address that says the same, without defaults; `changed` first."""
        said = {} if self.whose == "all" else {"whose": self.whose}
        return said | {f"after_{stage}": write_place(*place) for stage, place in (self.after or {}).items()} | changed


@dataclass(frozen=True, slots=True)
class Column:
    """One stage. number, values: of everything in it, not only of the cards shown; values: currency → minor units.

    weighted: what is to be expected of it. rest: where the next cards begin, None: these were the last.
    """

    stage: str
    percent: int
    number: int
    values: Mapping[str, int]
    weighted: Mapping[str, int]
    cards: Sequence[Row]
    begins_later: bool
    rest: tuple[datetime, int] | None


def find_board(session: Session, filters: Filters, *, staff_id: int, now: datetime) -> Sequence[Column]:
    """Return the three stages. Sends one statement for the sums, one for the shares and one for each stage."""
    mine = _whose(filters.whose, staff_id)
    percents = pipeline.probabilities(session)
    sums = (
        sa.select(Lead.stage, Lead.currency, sa.func.count(), sa.func.coalesce(sa.func.sum(Lead.value_minor), 0))
        .where(IS_OPEN, Lead.kind.in_(pipeline.SELLING_KINDS), mine)
        .group_by(Lead.stage, Lead.currency)
    )
    numbers: dict[str, int] = dict.fromkeys(pipeline.STAGES, 0)
    values: dict[str, dict[str, int]] = {stage: {} for stage in pipeline.STAGES}
    for stage, currency, number, value in session.execute(sums):
        numbers[stage] += number
        if value:
            values[stage][currency] = int(value)
    columns = []
    for stage in pipeline.STAGES:
        after = (filters.after or {}).get(stage)
        found = session.execute(_cards(stage, after, mine)).all()
        cards = [row_of(lead, name, owner or "", False, now) for lead, name, owner in found[:CARDS]]
        more = (cards[-1].due_at, cards[-1].lead.id) if len(found) > CARDS else None
        weighted = {currency: value * percents[stage] // 100 for currency, value in values[stage].items()}
        columns.append(Column(stage, percents[stage], numbers[stage], values[stage], weighted, cards, after is not None, more))
    return columns


def _cards(stage: str, after: tuple[datetime, int] | None, mine: sa.ColumnElement[bool]) -> sa.Select[Lead, str, str]:
    """Return a stage's next cards with their names, which are joined when the cards are chosen, not before."""
    chosen = sa.select(Lead.id).where(IS_OPEN, Lead.stage == stage, Lead.kind.in_(pipeline.SELLING_KINDS), mine)
    if after is not None:
        chosen = chosen.where(sa.tuple_(NEXT_DUE, Lead.id) > after)
    page = chosen.order_by(NEXT_DUE, Lead.id).limit(CARDS + 1)
    query = sa.select(Lead, Party.name, Staff.name).join(Party, Party.id == Lead.party_id)
    shown = query.join(Staff, Staff.id == Lead.owner_id, isouter=True).where(Lead.id.in_(page))
    return shown.order_by(NEXT_DUE, Lead.id)


def _whose(whose: str, staff_id: int) -> sa.ColumnElement[bool]:
    if whose == "mine":
        return Lead.owner_id == staff_id
    return Lead.owner_id.is_(None) if whose == "nobody" else sa.true()
