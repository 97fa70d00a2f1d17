"""How often the first promise is kept: by month and by basis, for the planner and whoever runs the company."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice.crm import kept_promises
from backoffice.crm.kept_promises import Kept
from backoffice.desk import context
from backoffice.desk.phrases import gettext as _
from backoffice.erp import learning
from backoffice.erp.company import get_company
from backoffice.erp.learning import Experience
from backoffice.erp.models import Item, Supplier, Warehouse, WorkCentre

LEVELS = (80, 90, 95)  # for which the page says what margin they would take

bp = Blueprint("kept", __name__, url_prefix="/desk/planning/kept")
MONTHS = 12


@bp.get("")
def home() -> ResponseReturnValue:
    """Show the last twelve months, and what was learnt of how late things come."""
    level = context.read(get_company).service_level
    return render_template("desk/planning/kept.html", months=find_months(MONTHS), learnt=context.read(_learnt), level=level)


@dataclass(frozen=True, slots=True)
class Learnt:
    """What is known of one source, in words. margins: level → open days, None: too little is known for it."""

    name: str
    known: Experience
    margins: Mapping[int, int | None]


def _learnt(session: Session) -> Sequence[Learnt]:
    """Return what was learnt, whole kinds before what is a part of them."""
    level = get_company(session).service_level
    levels = sorted({*LEVELS, level} - {0})
    names = _Names(session)
    found = [Learnt(names.of(one.source), one, {n: one.margin(n) for n in levels}) for one in learning.find_experience(session)]
    return sorted(found, key=lambda one: (one.known.source.split(":")[0], one.known.source.count(":"), one.name))


class _Names:
    """What sources are called, in the reader's language."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def of(self, source: str) -> str:
        kind, *rest = source.split(":", 2)
        if not rest:
            return {"receipt": _("All deliveries to us"), "made": _("All production"), "carrier": _("All parcels")}[kind]
        if kind == "carrier":
            warehouse = self._name(Warehouse, rest[0])
            return _("Parcels from %(warehouse)s with %(carrier)s", warehouse=warehouse, carrier=rest[1] or "–")
        if rest[0] == "supplier":
            return _("From %(supplier)s", supplier=self._name(Supplier, rest[1]))
        if rest[0] == "at":
            return _("Made, last at %(centre)s", centre=self._name(WorkCentre, rest[1]))
        item = self._name(Item, rest[1])
        return _("Delivered: %(item)s", item=item) if kind == "receipt" else _("Made, waiting for %(item)s", item=item)

    def _name(self, table: type[Item | Supplier | Warehouse | WorkCentre], number: str) -> str:
        return self._session.scalar(sa.select(table.name).where(table.id == int(number))) or "–"


def find_months(months: int) -> Sequence[Kept]:
    """Return this month and those before it, as many as asked for, with all their bases."""
    today = context.today()
    first = today.replace(day=1)
    for _month in range(months - 1):
        first = (first - timedelta(days=1)).replace(day=1)
    # goods may arrive before their month has come: the next one is looked at too
    return context.read(lambda db: kept_promises.find_kept(db, first, today + timedelta(days=62), today=today))


def find_whole(months: int) -> Sequence[Kept]:
    """Return each of the last months as a whole, for pages that name the figure in passing."""
    return [one for one in find_months(months) if one.basis is None]
