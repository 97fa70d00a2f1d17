"""Lines of a recipe, parts and operations: written, changed, taken away by the planner.

What is promised and not begun is planned anew in the new way where the recipe is another one then (`remaking`); something that
may stand in changes nothing about what stands already. What has begun is finished in the old way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session

from backoffice import audit
from backoffice.erp import factory as masters
from backoffice.erp import models as t
from backoffice.erp import offers, plan, remaking
from backoffice.public.errors import BadInput, NotFound, Refused

Row = TypeVar("Row", t.BomLine, t.RoutingOperation)
MOST = 1_000_000_000
MOST_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Part:
    """`quantity` smallest units of a component go into `per` smallest units. alternates: numbers of items, the first first."""

    sku: str
    quantity: int
    per: int = 1
    scrap_permille: int = 0
    alternates: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Work:
    """An operation: setup and fixed seconds once an order, run seconds for so many pieces. step: its place, from 1.

    alternates: codes of work centres, the first first.
    """

    centre: str
    step: int
    setup_seconds: int = 0
    fixed_seconds: int = 0
    run_seconds: int = 0
    run_per: int = 1
    alternates: Sequence[str] = ()


def set_part(session: Session, item_id: int, line_id: int | None, part: Part, *, by: str, role: str = "", now: datetime) -> int:
    """Write a line of an item's bill, a new one without an id; return how many orders' lines moved. Locks the plan.

    Raises NotFound(unknown_product | unknown_record), Refused(wrong_state) for what is not made, BadInput(invalid_form) naming
    component | amount | per | scrap | alternates: unknown, named twice, out of bounds, or a part of itself then.
    """

    def write() -> Mapping[str, object]:
        line = _line(session, t.BomLine, t.BomLine.parent_id, item_id, line_id)
        ids = _items(session, [part.sku, *part.alternates])
        wrong = _wrong_part(session, item_id, line_id, part, ids)
        if wrong:
            raise BadInput("invalid_form", wrong)
        if line is None:
            last = sa.select(sa.func.coalesce(sa.func.max(t.BomLine.position), 0)).where(t.BomLine.parent_id == item_id)
            line = t.BomLine(parent_id=item_id, position=session.scalars(last).one() + 1)
            session.add(line)
        line.component_id, line.quantity, line.per = ids[part.sku], part.quantity, part.per
        line.scrap_permille = part.scrap_permille
        session.flush()
        of = t.BomAlternate
        instead = [of(bom_line_id=line.id, item_id=ids[sku], priority=n) for n, sku in enumerate(part.alternates, start=1)]
        _replace(session, of, of.bom_line_id == line.id, instead)
        _require_no_cycle(session, item_id, ids[part.sku], [ids[sku] for sku in part.alternates], now)
        return {
            "component": line.component_id,
            "quantity": f"{part.quantity}/{part.per}",
            "alternates": list(part.alternates),
            "scrap_permille": part.scrap_permille,
        }

    return _change(session, item_id, "item.part", write, by=by, role=role, now=now)


def drop_part(session: Session, item_id: int, line_id: int, *, by: str, role: str = "", now: datetime) -> int:
    """Take a line out of an item's bill; return how many orders' lines moved. Locks the plan.

    Raises NotFound(unknown_product | unknown_record), Refused(wrong_state).
    """

    def write() -> Mapping[str, object]:
        line = _line(session, t.BomLine, t.BomLine.parent_id, item_id, line_id)
        assert line is not None
        _replace(session, t.BomAlternate, t.BomAlternate.bom_line_id == line.id, [])
        session.delete(line)
        return {"component": line.component_id, "taken_away": True}

    return _change(session, item_id, "item.part", write, by=by, role=role, now=now)


def set_work(
    session: Session, item_id: int, operation_id: int | None, work: Work, *, by: str, role: str = "", now: datetime
) -> int:
    """Write an operation of an item, a new one without an id; return how many orders' lines moved. Locks the plan.

    The operations behind its step move on by one. Raises NotFound(unknown_product | unknown_record), Refused(wrong_state),
    BadInput(invalid_form) naming centre | step | setup | fixed | minutes | pieces | alternates.
    """

    def write() -> Mapping[str, object]:
        ids = _centres(session, [work.centre, *work.alternates])
        row = _line(session, t.RoutingOperation, t.RoutingOperation.item_id, item_id, operation_id)
        others = [one for one in _operations(session, item_id) if one is not row]
        wrong = _wrong_work(work, ids, len(others) + 1)
        if wrong:
            raise BadInput("invalid_form", wrong)
        if row is None:
            row = t.RoutingOperation(item_id=item_id, position=-1)
            session.add(row)
        row.work_centre_id, row.setup_seconds, row.fixed_seconds = ids[work.centre], work.setup_seconds, work.fixed_seconds
        row.run_seconds, row.run_per = work.run_seconds, work.run_per
        session.flush()
        _number(session, [*others[: work.step - 1], row, *others[work.step - 1 :]])
        of = t.OperationAlternate
        centres = enumerate(work.alternates, start=1)
        instead = [of(operation_id=row.id, work_centre_id=ids[code], priority=n) for n, code in centres]
        _replace(session, of, of.operation_id == row.id, instead)
        return {
            "work_centre": work.centre,
            "step": work.step,
            "setup_seconds": work.setup_seconds,
            "fixed_seconds": work.fixed_seconds,
            "run_seconds": f"{work.run_seconds}/{work.run_per}",
            "alternates": list(work.alternates),
        }

    return _change(session, item_id, "item.work", write, by=by, role=role, now=now)


def drop_work(session: Session, item_id: int, operation_id: int, *, by: str, role: str = "", now: datetime) -> int:
    """Take an operation out of an item's routing; return how many orders' lines moved. Locks the plan.

    Raises NotFound(unknown_product | unknown_record), Refused(wrong_state).
    """

    def write() -> Mapping[str, object]:
        row = _line(session, t.RoutingOperation, t.RoutingOperation.item_id, item_id, operation_id)
        assert row is not None
        _replace(session, t.OperationAlternate, t.OperationAlternate.operation_id == row.id, [])
        session.delete(row)
        session.flush()
        _number(session, _operations(session, item_id))
        return {"work_centre": row.work_centre_id, "taken_away": True}

    return _change(session, item_id, "item.work", write, by=by, role=role, now=now)


def _change(
    session: Session,
    item_id: int,
    action: str,
    write: Callable[[], Mapping[str, object]],
    *,
    by: str,
    role: str,
    now: datetime,
) -> int:
    plan.bump(session, master=True)
    item = session.get(t.Item, item_id)
    if item is None:
        raise NotFound("unknown_product")
    if item.source != "make":
        raise Refused("wrong_state", state=item.source)
    before = remaking.recipes(session, item_id)
    details = write()
    session.flush()
    audit.record(session, action, f"item:{item_id}", actor=by, role=role, details=dict(details), now=now)
    offers.touch(session, [item_id], now=now)
    another = remaking.changed(before, remaking.recipes(session, item_id))
    return remaking.after_change(session, another, now=now) if another else 0


def _line(session: Session, table: type[Row], of: Mapped[int], item_id: int, row_id: int | None) -> Row | None:
    """Return an item's own row; None without an id. Raises NotFound(unknown_record)."""
    if row_id is None:
        return None
    row = session.scalar(sa.select(table).where(table.id == row_id, of == item_id).execution_options(populate_existing=True))
    if row is None:
        raise NotFound("unknown_record")
    return row


def _items(session: Session, skus: Sequence[str]) -> Mapping[str, int]:
    rows = session.execute(sa.select(t.Item.sku, t.Item.id).where(t.Item.sku.in_(skus)))
    return {row.sku: row.id for row in rows}


def _centres(session: Session, codes: Sequence[str]) -> Mapping[str, int]:
    rows = session.execute(sa.select(t.WorkCentre.code, t.WorkCentre.id).where(t.WorkCentre.code.in_(codes)))
    return {row.code: row.id for row in rows}


def _operations(session: Session, item_id: int) -> list[t.RoutingOperation]:
    of = t.RoutingOperation
    return list(session.scalars(sa.select(of).where(of.item_id == item_id).order_by(of.position)))


def _number(session: Session, rows: Sequence[t.RoutingOperation]) -> None:
    """Let operations stand in this order; no two have the same position on the way."""
    if [row.position for row in rows] == list(range(len(rows))):
        return
    for number, row in enumerate(rows):
        row.position = -2 - number
    session.flush()
    for number, row in enumerate(rows):
        row.position = number
    session.flush()


def _wrong_part(session: Session, item_id: int, line_id: int | None, part: Part, ids: Mapping[str, int]) -> dict[str, str]:
    wrong = {}
    if part.sku not in ids:
        wrong["component"] = "unknown_part"
    elif ids[part.sku] == item_id:
        wrong["component"] = "cycle"
    elif _is_in_it(session, item_id, line_id, ids[part.sku]):
        wrong["component"] = "in_it_already"
    if not 1 <= part.quantity <= MOST:
        wrong["amount"] = "bad_quantity"
    if not 1 <= part.per <= MOST:
        wrong["per"] = "bad_quantity"
    if not 0 <= part.scrap_permille < 1000:
        wrong["scrap"] = "bad_number"
    return wrong | _wrong_alternates(part.alternates, part.sku, ids)


def _is_in_it(session: Session, item_id: int, line_id: int | None, component_id: int) -> bool:
    of = t.BomLine
    mine = sa.select(of.id).where(of.parent_id == item_id, of.component_id == component_id)
    return session.scalar(mine if line_id is None else mine.where(of.id != line_id)) is not None


def _wrong_work(work: Work, ids: Mapping[str, int], steps: int) -> dict[str, str]:
    wrong = {}
    if work.centre not in ids:
        wrong["centre"] = "bad_choice"
    if not 1 <= work.step <= steps:
        wrong["step"] = "bad_number"
    seconds = {"setup": work.setup_seconds, "fixed": work.fixed_seconds, "minutes": work.run_seconds}
    wrong |= {name: "bad_minutes" for name, value in seconds.items() if not 0 <= value <= MOST_SECONDS}
    if not 1 <= work.run_per <= MOST:
        wrong["pieces"] = "bad_quantity"
    return wrong | _wrong_alternates(work.alternates, work.centre, ids)


def _wrong_alternates(names: Sequence[str], first: str, ids: Mapping[str, int]) -> dict[str, str]:
    fine = all(name in ids for name in names) and len(set(names)) == len(names) and first not in names
    return {} if fine else {"alternates": "bad_choice"}


def _require_no_cycle(session: Session, item_id: int, component_id: int, instead: Sequence[int], now: datetime) -> None:
    """Raise BadInput(invalid_form, component | alternates) if an item would be a part of itself."""
    master = masters.load(session, now=now)
    for field, ids in (("component", [component_id]), ("alternates", instead)):
        if item_id in master.below(ids):
            raise BadInput("invalid_form", {field: "cycle"})


def _replace(session: Session, table: type, mine: sa.ColumnElement[bool], rows: Sequence[object]) -> None:
    session.execute(sa.delete(table).where(mine).execution_options(synchronize_session=False))
    session.add_all(rows)
    session.flush()
