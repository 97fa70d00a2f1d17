"""The log of the plan: every commit that moves a slot, a peg, a production order or a receipt appends what it decided.

What is written through the session is noted by the tables' own events, so that no use case can forget it; a savepoint that is
taken back takes its decisions with it. What is written past the session must be said (`note`), and says so itself: any
other statement on these tables is refused. Pegs of goods that lie on the shelf for a reservation itself are no part of the
plan: an order from stock writes nothing here, and waits for nobody.

The row is written last of all: its number comes from a row that is locked from there to the commit, so numbers have no gap, are
in the order of the commits, and whoever waits for one holds nothing that the other still needs.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import InstanceState, Mapper, ORMExecuteState, Session, SessionTransaction

from backoffice.db import table_of
from backoffice.erp import models as t
from backoffice.erp import plan
from backoffice.planning.folding import State, corrections
from backoffice.planning.instants import micros

NOTED = {"plan_noted": True}  # execution option: what this statement writes past the session is noted, or is no part of the plan
_DECIDED, _CAUSES, _AT, _MARKS = "plan_decided", "plan_causes", "plan_at", "plan_marks"
OPEN = ("held", "planned")


def because(session: Session, cause: str, *, now: datetime) -> None:
    """Say why, and for which instant, the plan is about to change in this transaction."""
    causes: dict[str, None] = session.info.setdefault(_CAUSES, {})
    causes[cause] = None
    session.info.setdefault(_AT, now)


def note(session: Session, row: t.ProductionOrder | t.PurchaseOrder | t.PurchaseOrderLine | t.Peg, *, gone: bool = False) -> None:
    """Note how a row stands that was written past the session; gone: that it was deleted so."""
    kind, _, values = _OF[type(row)]
    stands = values(row)
    if stands is not None or kind != "peg":  # of pegs most are no part of the plan
        _decide(session, kind, row.id, None if gone else stands)


def pending(session: Session) -> list[Any]:
    """Return what this transaction has decided so far and not yet appended."""
    decided: list[Any] = session.info.setdefault(_DECIDED, [])
    return decided


def _decide(session: Session, kind: str, key: int, values: list[Any] | None) -> None:
    pending(session).append([kind, key, values])


# --- what of a row is the plan


def _at(instant: datetime | None) -> int | None:
    return None if instant is None else micros(instant)


def _purchase(row: Any) -> list[Any] | None:
    return [row.state] if row.state in ("proposed", "ordered") else None


def _receipt(row: Any) -> list[Any] | None:
    if row.received >= row.quantity:
        return None
    return [row.purchase_order_id, row.item_id, row.quantity, row.received, _at(row.due_at)]


def _order(row: Any) -> list[Any] | None:
    if row.state not in OPEN:
        return None
    instants = _at(row.starts_at), _at(row.ready_at), _at(row.not_before_at)
    return [row.item_id, row.quantity, row.state, row.reservation_id, *instants]


def _slot(row: Any) -> list[Any]:
    instants = _at(row.starts_at), _at(row.ends_at)
    return [row.production_order_id, row.work_centre_id, row.position, row.lane, *instants]


def _peg(row: Any) -> list[Any] | None:
    if not _is_planned(row.kind, row.production_order_id, row.used):
        return None
    supply = row.warehouse_id or row.purchase_order_line_id or row.supply_order_id
    return [row.reservation_id, row.production_order_id, row.item_id, row.quantity, row.kind, supply, _at(row.available_at)]


def is_planned(peg: t.Peg) -> bool:
    """Tell whether a new peg is part of the plan: goods on the shelf for a reservation itself are not."""
    return _is_planned(peg.kind, peg.production_order_id, peg.used)


def _is_planned(kind: str, production_order_id: int | None, used: bool | None) -> bool:
    return not used and (kind != "stock" or production_order_id is not None)


_OF: dict[type[Any], tuple[str, tuple[str, ...], Any]] = {
    t.PurchaseOrder: ("purchase", ("state",), _purchase),
    t.PurchaseOrderLine: ("receipt", ("purchase_order_id", "item_id", "quantity", "received", "due_at"), _receipt),
    t.ProductionOrder: (
        "order",
        ("item_id", "quantity", "state", "reservation_id", "starts_at", "ready_at", "not_before_at"),
        _order,
    ),
    t.OperationSlot: (
        "slot",
        ("production_order_id", "work_centre_id", "position", "lane", "starts_at", "ends_at"),
        _slot,
    ),
    t.Peg: (
        "peg",
        (
            "reservation_id",
            "production_order_id",
            "item_id",
            "quantity",
            "kind",
            "warehouse_id",
            "purchase_order_line_id",
            "supply_order_id",
            "available_at",
            "used",
        ),
        _peg,
    ),
}
"""Table → its name in the log, the columns that are the plan, and their values; None: the row is no part of the plan."""


# --- who sees that a row was written


def _inserted(_mapper: Mapper[Any], _connection: sa.Connection, row: Any) -> None:
    kind, _, values = _OF[type(row)]
    _tell(row, kind, values(row), was=False)


def _updated(_mapper: Mapper[Any], _connection: sa.Connection, row: Any) -> None:
    kind, columns, values = _OF[type(row)]
    state = sa.inspect(row)
    if any(state.attrs[name].history.has_changes() for name in columns):
        _tell(row, kind, values(row), was=_was_planned(state) if kind == "peg" else True)


def _deleted(_mapper: Mapper[Any], _connection: sa.Connection, row: Any) -> None:
    kind, _, values = _OF[type(row)]
    _tell(row, kind, None, was=kind != "peg" or values(row) is not None)


def _was_planned(state: InstanceState[Any]) -> bool:
    """Tell whether a peg was part of the plan before it was changed."""

    def before(name: str) -> Any:
        history = state.attrs[name].history
        return history.deleted[0] if history.deleted else state.attrs[name].value

    return _is_planned(before("kind"), before("production_order_id"), before("used"))


def _tell(row: Any, kind: str, values: list[Any] | None, *, was: bool) -> None:
    session = sa.orm.object_session(row)
    if session is not None and (was or values is not None):
        _decide(session, kind, row.id, values)


for _table in _OF:
    event.listen(_table, "after_insert", _inserted)
    event.listen(_table, "after_update", _updated)
    event.listen(_table, "after_delete", _deleted)


@event.listens_for(Session, "do_orm_execute")
def _refuse_unnoted(state: ORMExecuteState) -> None:
    """Refuse a statement that writes the plan's rows past the session and does not say that this is noted."""
    if state.is_select or not (state.is_update or state.is_delete or state.is_insert):
        return
    mapper = state.bind_mapper
    if mapper is not None and mapper.class_ in _OF and not state.execution_options.get("plan_noted"):
        raise RuntimeError(f"{mapper.class_.__name__}: written past the session, and the plan's log does not know of it")


@event.listens_for(Session, "after_transaction_create")
def _mark(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        session.info.setdefault(_MARKS, {})[transaction] = len(pending(session))


@event.listens_for(Session, "after_soft_rollback")
def _take_back(session: Session, previous: SessionTransaction) -> None:
    mark = session.info.get(_MARKS, {}).pop(previous, None)
    if mark is not None:
        del pending(session)[mark:]
    elif not previous.nested and previous.parent is None:
        _forget(session)


@event.listens_for(Session, "before_commit")
def _append(session: Session) -> None:
    """Write what was decided as one row. Nothing decided: nothing is written."""
    if session.in_nested_transaction():
        return
    session.flush()
    if decided := pending(session):
        causes = ", ".join(session.info.get(_CAUSES, {}))
        plan.version(session)  # before the number: from there on others wait
        _write(session, _next_number(session), session.info.get(_AT), causes, decided)
    _forget(session)


def _write(session: Session, number: int, at: datetime | None, cause: str, decided: list[Any]) -> None:
    values = {"number": number, "at": at, "cause": cause, "plan_version": plan.version(session), "decided": list(decided)}
    session.execute(_APPEND, values)


def _forget(session: Session) -> None:
    for name in (_DECIDED, _CAUSES, _AT, _MARKS):
        session.info.pop(name, None)


def _next_number(session: Session) -> int:
    """Return the number of the next decision, ours alone until the transaction ends."""
    return int(session.execute(_numbering(session.get_bind().dialect.name)).scalar_one())


_APPEND = sa.insert(table_of(t.PlanDecision))


@cache
def _numbering(dialect: str) -> sa.Executable:
    versions = table_of(t.PlanDomain)
    row = (sqlite_insert if dialect == "sqlite" else postgresql_insert)(versions)
    first = row.values(id=plan.LOG, version=1, master_version=0)
    return first.on_conflict_do_update(index_elements=["id"], set_={"version": versions.c.version + 1}).returning(
        versions.c.version
    )


# --- the whole plan


def as_logged(session: Session, *, up_to: int | None = None) -> tuple[int, State]:
    """Return the plan folded from the newest checkpoint on, and the number of the last decision in it (at most `up_to`)."""
    of, row = t.PlanCheckpoint, t.PlanDecision
    known = sa.true() if up_to is None else of.number <= up_to
    checkpoint = session.execute(sa.select(of.number, of.decided).where(known).order_by(of.number.desc()).limit(1)).first()
    state, number = State(), 0
    if checkpoint is not None:
        number = checkpoint.number
        state.fold(checkpoint.decided)
    wanted = sa.true() if up_to is None else row.number <= up_to
    rows = sa.select(row.number, row.decided).where(row.number > number, wanted).order_by(row.number)
    for one in session.execute(rows):
        number = one.number
        state.fold(one.decided)
    return number, state


def as_rows(session: Session) -> State:
    """Return the plan as it stands in the rows themselves."""
    line, order, slot, peg = t.PurchaseOrderLine, t.ProductionOrder, t.OperationSlot, t.Peg
    opened = sa.select(order.id).where(order.state.in_(OPEN))
    planned = sa.and_(peg.used.is_(False), sa.or_(peg.kind != "stock", peg.production_order_id.is_not(None)))
    conditions: dict[type[Any], sa.ColumnElement[bool]] = {
        t.PurchaseOrder: t.PurchaseOrder.state.in_(("proposed", "ordered")),
        line: line.received < line.quantity,
        order: order.state.in_(OPEN),
        slot: slot.production_order_id.in_(opened),
        peg: planned,
    }
    state = State()
    for table, condition in conditions.items():
        kind, columns, values = _OF[table]
        wanted = sa.select(table.id, *(getattr(table, name) for name in columns)).where(condition)
        state.fold([kind, row.id, values(row)] for row in session.execute(wanted))
    return state


def correct(session: Session, *, now: datetime) -> int:
    """Decide that the plan is what stands in the rows, and begin the log anew with it; return that decision's number.

    Nobody else's decision can come in between.
    """
    number = _next_number(session)
    logged, rows = as_logged(session)[1], as_rows(session)
    _write(session, number, None, "corrected", corrections(logged, rows))  # whatever stands was decided before
    session.add(t.PlanCheckpoint(number=number, at=now, decided=rows.as_data()))
    session.flush()
    return number


def fold_up(session: Session, number: int, *, now: datetime) -> None:
    """Write a checkpoint of what the log says after decision `number`, unless there is one. Nobody waits for it."""
    if session.get(t.PlanCheckpoint, number) is None:
        _, state = as_logged(session, up_to=number)
        session.add(t.PlanCheckpoint(number=number, at=now, decided=state.as_data()))
        session.flush()


def forget(session: Session, before: datetime) -> None:
    """Cut the log at the newest checkpoint that is older than an instant: what lies before it goes."""
    of = t.PlanCheckpoint
    number = session.scalar(sa.select(sa.func.max(of.number)).where(of.at < before))
    if number is not None:
        session.execute(sa.delete(of).where(of.number < number))
        session.execute(sa.delete(t.PlanDecision).where(t.PlanDecision.number <= number))
