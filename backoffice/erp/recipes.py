"""How an item is made, as the planner sees it: its parts, its operations, how fast work centres are, and what is wrong.

Lines are written in `recipe_lines`. What is planned from now on follows the pace as it stands.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import audit
from backoffice.erp import factory as masters
from backoffice.erp import models as t
from backoffice.erp import offers, plan
from backoffice.planning.check import cycles
from backoffice.public.errors import BadInput, NotFound

MOST_FROZEN = 60


@dataclass(frozen=True, slots=True)
class Part:
    """A line of an item's bill with its component and what may stand in for it, in order."""

    line: t.BomLine
    component: t.Item
    instead: Sequence[t.Item]


@dataclass(frozen=True, slots=True)
class Work:
    """An operation with its work centre and those that may do it instead, in order."""

    operation: t.RoutingOperation
    centre: t.WorkCentre
    instead: Sequence[t.WorkCentre]


def parts_of(session: Session, item_id: int) -> Sequence[Part]:
    """Return an item's bill of material."""
    lines = session.execute(
        sa.select(t.BomLine, t.Item)
        .join(t.Item, t.Item.id == t.BomLine.component_id)
        .where(t.BomLine.parent_id == item_id)
        .order_by(t.BomLine.position, t.BomLine.id)
    ).all()
    of = t.BomAlternate
    return [
        Part(
            line,
            component,
            session.scalars(
                sa.select(t.Item).join(of, of.item_id == t.Item.id).where(of.bom_line_id == line.id).order_by(of.priority, of.id)
            ).all(),
        )
        for line, component in lines
    ]


def work_of(session: Session, item_id: int) -> Sequence[Work]:
    """Return an item's routing."""
    rows = session.execute(
        sa.select(t.RoutingOperation, t.WorkCentre)
        .join(t.WorkCentre, t.WorkCentre.id == t.RoutingOperation.work_centre_id)
        .where(t.RoutingOperation.item_id == item_id)
        .order_by(t.RoutingOperation.position)
    ).all()
    of, centre = t.OperationAlternate, t.WorkCentre
    return [
        Work(
            operation,
            first,
            session.scalars(
                sa.select(centre)
                .join(of, of.work_centre_id == centre.id)
                .where(of.operation_id == operation.id)
                .order_by(of.priority, of.id)
            ).all(),
        )
        for operation, first in rows
    ]


def set_pace(
    session: Session, centre_id: int, efficiency_percent: int, frozen_days: int, *, by: str, role: str = "", now: datetime
) -> None:
    """Set how fast a work centre works, and on how many days from today on it begins nothing new.

    Raises NotFound(unknown_work_centre), BadInput(invalid_form, efficiency | frozen_days).
    """
    centre = session.get(t.WorkCentre, centre_id)
    if centre is None:
        raise NotFound("unknown_work_centre")
    wrong = {} if 1 <= efficiency_percent <= 1000 else {"efficiency": "bad_number"}
    if not 0 <= frozen_days <= MOST_FROZEN:
        wrong["frozen_days"] = "bad_number"
    if wrong:
        raise BadInput("invalid_form", wrong)
    before = {"efficiency_percent": centre.efficiency_percent, "frozen_days": centre.frozen_days}
    centre.efficiency_percent, centre.frozen_days = efficiency_percent, frozen_days
    session.flush()
    plan.bump(session, master=True)
    after = {"efficiency_percent": efficiency_percent, "frozen_days": frozen_days}
    details = {"before": before, "after": after}
    audit.record(session, "work_centre.pace", f"work_centre:{centre.id}", actor=by, role=role, details=details, now=now)
    offers.touch(session, [], now=now, capacity=True)


def find_faults(session: Session, *, now: datetime) -> Sequence[str]:
    """Return what is wrong with the master data of things that are made, one line each: nothing of it can be promised."""
    master = masters.load(session, now=now)
    rows = session.execute(sa.select(t.Item.id, t.Item.sku))
    skus: dict[Hashable, str] = {row.id: row.sku for row in rows}
    found = [
        f"{skus[way[0]]}: is a part of itself: {' > '.join(skus[one] for one in way)}" for way in cycles(master.factory.boms)
    ]
    made = [item.key for item in master.factory.item_by.values() if item.source == "make"]
    bare = [one for one in made if not master.factory.boms.get(one) and not master.factory.routings.get(one)]
    found += [f"{skus[one]}: is made, but has neither parts nor operations" for one in bare]
    for centre in master.factory.centre_by.values():
        calendar = master.factory.calendars[centre.calendar]
        if not any(calendar.weekly.values()) and not any(calendar.exceptions.values()):
            found.append(f"{centre.name}: its calendar never opens")
    return found
