"""How an item is made, as the planner may change it here: what may stand in for a part or a work centre, scrap, pace.

Parts and operations themselves come from the import. What was promised keeps what it stands on; what is planned from now on
follows the recipe as it stands.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
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


def set_part(
    session: Session, line_id: int, skus: Sequence[str], scrap_permille: int, *, by: str, role: str = "", now: datetime
) -> None:
    """Set what may stand in for a component, in this order, and how many of each 1,000 are lost.

    Raises NotFound(unknown_record), BadInput(invalid_form, alternates | scrap) where an item is unknown, named twice, the
    component itself, or would make the parent a part of itself.
    """
    line = session.get(t.BomLine, line_id)
    if line is None:
        raise NotFound("unknown_record")
    if not 0 <= scrap_permille < 1000:
        raise BadInput("invalid_form", {"scrap": "bad_number"})
    found = {row.sku: row.id for row in session.execute(sa.select(t.Item.sku, t.Item.id).where(t.Item.sku.in_(skus)))}
    ids = _known(found, skus, line.component_id)
    line.scrap_permille = scrap_permille
    of = t.BomAlternate
    instead = [of(bom_line_id=line.id, item_id=one, priority=number) for number, one in enumerate(ids, start=1)]
    _replace(session, of, of.bom_line_id == line.id, instead)
    plan.bump(session, master=True)
    below = masters.load(session, now=now).below([line.component_id, *ids])
    if line.parent_id in below:
        raise BadInput("invalid_form", {"alternates": "cycle"})
    details = {"component": line.component_id, "alternates": list(skus), "scrap_permille": scrap_permille}
    audit.record(session, "item.part", f"item:{line.parent_id}", actor=by, role=role, details=details, now=now)
    offers.touch(session, [line.parent_id], now=now)


def set_work(session: Session, operation_id: int, codes: Sequence[str], *, by: str, role: str = "", now: datetime) -> None:
    """Set which work centres may do an operation instead, in this order.

    Raises NotFound(unknown_record), BadInput(invalid_form, alternates) where one is unknown, named twice or the first itself.
    """
    operation = session.get(t.RoutingOperation, operation_id)
    if operation is None:
        raise NotFound("unknown_record")
    rows = session.execute(sa.select(t.WorkCentre.code, t.WorkCentre.id).where(t.WorkCentre.code.in_(codes)))
    ids = _known({row.code: row.id for row in rows}, codes, operation.work_centre_id)
    of = t.OperationAlternate
    instead = [of(operation_id=operation.id, work_centre_id=one, priority=number) for number, one in enumerate(ids, start=1)]
    _replace(session, of, of.operation_id == operation.id, instead)
    plan.bump(session, master=True)
    details = {"position": operation.position, "alternates": list(codes)}
    audit.record(session, "item.work", f"item:{operation.item_id}", actor=by, role=role, details=details, now=now)
    offers.touch(session, [operation.item_id], now=now)


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


def _known(found: Mapping[str, int], names: Sequence[str], first: int) -> list[int]:
    """Return the ids of names. Raises BadInput(invalid_form, alternates)."""
    ids = [found[name] for name in names if name in found]
    if len(ids) < len(names) or len(set(ids)) < len(ids) or first in ids:
        raise BadInput("invalid_form", {"alternates": "bad_choice"})
    return ids


def _replace(session: Session, table: type, mine: sa.ColumnElement[bool], rows: Sequence[object]) -> None:
    session.execute(sa.delete(table).where(mine).execution_options(synchronize_session=False))
    session.add_all(rows)
    session.flush()
