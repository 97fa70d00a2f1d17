"""The totals of stock and their ledger, on the few tables that they need, in memory; each figure worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import ORMExecuteState, Session

from backoffice.db import table_of
from backoffice.erp import models as t
from backoffice.erp import stock
from backoffice.public.errors import BadInput, Refused

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
CHAIR, MILK = 1, 2
HERE, THERE = 10, 20
EVERY = (CHAIR, HERE), (CHAIR, THERE), (MILK, HERE)
WHO = {"cause": "count", "actor": "ada@example.test"}


@pytest.fixture(scope="module")
def engine() -> Iterator[sa.Engine]:
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    tables = [table_of(model) for model in (t.Item, t.Stock, t.StockLot, t.StockMovement)]
    t.Item.metadata.create_all(engine, tables)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: sa.Engine) -> Iterator[Session]:
    """Chairs in two warehouses: 10 here, of which 2 are allocated, 3 reserved and 1 is allotted. Milk of one lot."""
    with engine.connect() as connection:
        transaction = connection.begin()
        with Session(connection) as session:
            session.add_all([t.Item(id=CHAIR, sku="CHAIR", name="Chair"), t.Item(id=MILK, sku="MILK", name="Milk", days_left=3)])
            session.flush()
            figures = {"on_hand": 10, "allocated": 2, "reserved": 3, "allotted": 1, "figure_at": NOW}
            session.add_all(t.Stock(item_id=item, warehouse_id=place, **figures) for item, place in EVERY)
            best = date(2026, 12, 24)
            lot = t.StockLot(id=7, item_id=MILK, warehouse_id=HERE, number="L7", best_before_on=best, on_hand=6, pegged=5)
            session.add(lot)
            session.flush()
            session.expunge_all()
            yield session
        transaction.rollback()


def totals(session: Session, item: int = CHAIR, place: int = HERE) -> tuple[int, ...]:
    of = t.Stock
    query = sa.select(of.on_hand, of.allocated, of.reserved, of.allotted).where(of.item_id == item, of.warehouse_id == place)
    return tuple(session.execute(query).one())


def lot(session: Session) -> tuple[int, ...]:
    return tuple(session.execute(sa.select(t.StockLot.on_hand, t.StockLot.pegged)).one())


def ledger(session: Session) -> list[tuple[Any, ...]]:
    of = t.StockMovement
    return [tuple(row) for row in session.execute(sa.select(of.item_id, of.warehouse_id, of.delta, of.ref).order_by(of.id))]


class OnPostgresql:
    """A session that only keeps what PostgreSQL would be asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.dialect = postgresql.dialect()

    def get_bind(self) -> Any:
        return self

    def execute(self, statement: sa.Executable) -> None:
        self.asked.append(str(statement.compile(dialect=self.dialect)))


UNTOUCHED = (10, 2, 3, 1)

# --- totals ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "done", "after"),
    [
        ({"reserved": 4, "free": 4}, True, (10, 2, 7, 1)),  # 10 - 2 - 3 - 1 = 4 are anybody's
        ({"reserved": 5, "free": 5}, False, UNTOUCHED),
        ({"reserved": 5, "there": 5}, True, (10, 2, 8, 1)),  # with the one that is allotted 5 are there
        ({"reserved": 6, "there": 6}, False, UNTOUCHED),
        ({"reserved": 1, "free": 5, "there": 5}, False, UNTOUCHED),  # both must hold
        ({"reserved": 1, "free": 4, "there": 6}, False, UNTOUCHED),
        ({"reserved": -3, "allocated": 3}, True, (10, 5, 0, 1)),
        ({"allotted": 2, "free": 2}, True, (10, 2, 3, 3)),
        ({"on_hand": -1, "free": 0}, True, (9, 2, 3, 1)),
    ],
)
def test_a_total_changes_under_its_condition_or_not_at_all(session: Session, how: Any, done: bool, after: Any) -> None:
    assert stock.change(session, CHAIR, HERE, **how) is done
    assert totals(session) == after
    assert (totals(session, CHAIR, THERE), totals(session, MILK)) == (UNTOUCHED, UNTOUCHED)


def test_stock_that_is_nowhere_does_not_change(session: Session) -> None:
    assert stock.change(session, MILK, THERE, reserved=1) is False
    assert [totals(session, *one) for one in EVERY] == [UNTOUCHED] * 3


def test_a_row_is_made_once_with_nothing_on_it(session: Session) -> None:
    stock.ensure_row(session, MILK, THERE, now=NOW)
    assert totals(session, MILK, THERE) == (0, 0, 0, 0)
    assert stock.get_stock(session, MILK, THERE).figure_at == NOW
    stock.ensure_row(session, CHAIR, HERE, now=LATER)
    assert totals(session) == UNTOUCHED
    assert stock.get_stock(session, CHAIR, HERE).figure_at == NOW


def test_on_postgresql_too_only_a_row_of_the_same_goods_and_place_is_left_as_it_is() -> None:
    elsewhere: Any = OnPostgresql()
    stock.ensure_row(elsewhere, CHAIR, HERE, now=LATER)
    assert ["ON CONFLICT (item_id, warehouse_id) DO NOTHING" in text for text in elsewhere.asked] == [True]


# --- movements ------------------------------------------------------------------------------------


def test_a_movement_is_written_and_the_total_changes_with_it(session: Session) -> None:
    stock.move(session, CHAIR, HERE, -4, ref="parcel:1", now=LATER, allocated=-1, reserved=-2, **WHO)
    assert totals(session) == (6, 1, 1, 1)
    (row,) = session.scalars(sa.select(t.StockMovement))
    assert (row.item_id, row.warehouse_id, row.lot_id) == (CHAIR, HERE, None)
    assert (row.delta, row.cause, row.ref, row.actor, row.at) == (-4, "count", "parcel:1", "ada@example.test", LATER)
    assert stock.get_stock(session, CHAIR, HERE).figure_at == LATER
    for other in EVERY[1:]:
        assert totals(session, *other) == UNTOUCHED
        assert stock.get_stock(session, *other).figure_at == NOW


def test_goods_that_come_to_a_place_for_the_first_time_open_its_row(session: Session) -> None:
    stock.move(session, CHAIR, 30, 8, ref="delivery", now=LATER, **WHO)
    assert totals(session, CHAIR, 30) == (8, 0, 0, 0)
    assert stock.get_stock(session, CHAIR, 30).figure_at == LATER


def test_nothing_moves_twice_for_one_reason(session: Session) -> None:
    stock.move(session, CHAIR, HERE, 1, ref="delivery:1", now=NOW, **WHO)
    stock.move(session, CHAIR, HERE, 1, ref="delivery:2", now=NOW, **WHO)
    with pytest.raises(Refused) as refused:
        stock.move(session, CHAIR, THERE, 1, ref="delivery:1", now=NOW, **WHO)
    assert (refused.value.code, refused.value.details) == ("already_moved", {"ref": "delivery:1"})
    assert (totals(session), totals(session, CHAIR, THERE)) == ((12, 2, 3, 1), UNTOUCHED)
    assert [row[3] for row in ledger(session)] == ["delivery:1", "delivery:2"]


@pytest.mark.parametrize(
    ("delta", "more", "after"),
    [
        (-5, {}, (5, 2, 3, 1)),  # what is allotted may be lost, what is promised may not
        (-6, {}, None),
        (-7, {"allocated": -2}, (3, 0, 3, 1)),
        (-8, {"allocated": -2}, None),
        (-8, {"reserved": -3}, (2, 2, 0, 1)),
        (-9, {"reserved": -3}, None),
        (0, {"allocated": 2, "reserved": 3}, (10, 4, 6, 1)),
        (0, {"allocated": 3, "reserved": 3}, None),
        (2, {"allocated": 7}, (12, 9, 3, 1)),
        (2, {"reserved": 8}, None),
    ],
)
def test_no_movement_takes_what_is_promised(session: Session, delta: int, more: Any, after: Any) -> None:
    if after is not None:
        stock.move(session, CHAIR, HERE, delta, ref="r", now=LATER, **more, **WHO)
        assert (totals(session), ledger(session)) == (after, [(CHAIR, HERE, delta, "r")])
        return
    with pytest.raises(Refused) as refused:
        stock.move(session, CHAIR, HERE, delta, ref="r", now=LATER, **more, **WHO)
    assert (refused.value.code, refused.value.details) == ("not_enough_stock", {"item_id": CHAIR})
    assert (totals(session), ledger(session)) == (UNTOUCHED, [])
    assert stock.get_stock(session, CHAIR, HERE).figure_at == NOW


def test_of_what_is_kept_in_lots_it_must_be_said_which(session: Session) -> None:
    with pytest.raises(Refused) as refused:
        stock.move(session, MILK, HERE, 1, ref="r", now=NOW, **WHO)
    assert (refused.value.code, refused.value.details) == ("lot_missing", {"item_id": MILK})
    assert (totals(session, MILK), ledger(session)) == (UNTOUCHED, [])


def test_a_lot_moves_with_the_total(session: Session) -> None:
    stock.move(session, MILK, HERE, -3, ref="r", now=NOW, allocated=-2, reserved=-1, lot_id=7, **WHO)
    assert (totals(session, MILK), lot(session)) == ((7, 0, 2, 1), (3, 2))
    assert session.scalar(sa.select(t.StockMovement.lot_id)) == 7


def test_what_the_lot_does_not_cover_does_not_move_even_if_the_total_would(session: Session) -> None:
    with pytest.raises(Refused) as refused:
        stock.move(session, MILK, HERE, -2, ref="r", now=NOW, lot_id=7, **WHO)  # 6 lie there, 5 of them are promised
    assert (refused.value.code, refused.value.details) == ("not_enough_stock", {"item_id": MILK})
    assert (lot(session), ledger(session)) == ((6, 5), [])


# --- reading --------------------------------------------------------------------------------------


def test_stock_is_read_as_it_is_now(session: Session) -> None:
    row = stock.get_stock(session, CHAIR, HERE)
    session.execute(sa.update(table_of(t.Stock)).values(on_hand=99))  # past the object that the session holds
    assert row.on_hand == 10
    again = stock.get_stock(session, CHAIR, HERE)
    assert (again.item_id, again.warehouse_id, again.on_hand, row.on_hand) == (CHAIR, HERE, 99, 99)
    other = stock.get_stock(session, CHAIR, THERE)
    assert (other.item_id, other.warehouse_id) == (CHAIR, THERE)
    assert stock.get_stock(session, MILK, HERE).item_id == MILK


def test_stock_that_never_lay_there_is_said_to_be_unknown(session: Session) -> None:
    with pytest.raises(BadInput) as unknown:
        stock.get_stock(session, MILK, THERE)
    assert (unknown.value.code, unknown.value.details) == ("unknown_stock", {"item_id": MILK})


@pytest.mark.parametrize(("how", "locks"), [({"lock": True}, True), ({"lock": False}, False), ({}, False)])
def test_it_is_locked_only_if_that_is_wanted(session: Session, how: Any, locks: bool) -> None:
    asked: list[str] = []

    @sa.event.listens_for(session, "do_orm_execute")
    def _(state: ORMExecuteState) -> None:
        asked.append(str(state.statement.compile(dialect=postgresql.dialect())))

    stock.get_stock(session, CHAIR, HERE, **how)
    assert ["FOR UPDATE" in text for text in asked] == [locks]
