"""Whether the rows, too, know of nobody who has an answer's minutes: found, and without reading all that is booked later."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from backoffice.db import Database, table_of
from backoffice.erp import models as t
from backoffice.erp import snapshot
from tests.company import open_company

SLOT = table_of(t.OperationSlot)  # past the session: nobody folds the plan here
LATER = 150  # operations of ten minutes, one after the other, on each of two lanes
ELSEWHERE = 6_000  # and at another work centre, so that nobody would read the whole table for one


def book(session: Session, centre: int, now: datetime, operations: int = LATER) -> None:
    """Book both lanes of a work centre from now on, with a gap of a minute after each operation."""
    item = session.scalars(sa.select(t.Item.id)).first()
    order = t.ProductionOrder(
        number=f"P-{centre}", item_id=item, quantity=1, pegged=0, state="planned", starts_at=now, ready_at=now, done_at=None
    )
    session.add(order)
    session.flush()
    begins = [now + timedelta(minutes=11 * n) for n in range(operations)]
    session.execute(
        sa.insert(SLOT),
        [
            {
                "production_order_id": order.id,
                "work_centre_id": centre,
                "position": 1,
                "lane": lane,
                "starts_at": at,
                "ends_at": at + timedelta(minutes=10),
            }
            for lane in (0, 1)
            for at in begins
        ],
    )


def asked(centre: int, lane: int, at: datetime, minutes: int) -> dict[str, Any]:
    """Return the parameters of a question for one slot."""
    values = {"centre": centre, "lane": lane, "lanes": 2, "starts_at": at, "ends_at": at + timedelta(minutes=minutes)}
    return {f"{name}0": value for name, value in values.items()}


def test_what_is_booked_is_met_and_what_is_free_is_not(db: Database, now: datetime) -> None:
    def work(session: Session) -> int:
        open_company(session, now=now)
        centre: int = session.scalars(sa.select(t.WorkCentre.id).limit(1)).one()
        book(session, centre, now)
        session.execute(sa.delete(SLOT).where(SLOT.c.lane == 1, SLOT.c.starts_at > now))
        return centre

    centre = db.run(work)
    gap, later = now + timedelta(minutes=10), now + timedelta(minutes=10 + 11 * 40)
    with db.read() as session:
        found = [
            bool(session.scalar(snapshot._meeting(1), asked(centre, lane, at, minutes)))
            for lane, at, minutes in [
                (0, now, 1),
                (0, gap, 1),
                (0, gap, 2),
                (0, later, 1),
                (0, later, 2),
                (1, later, 2),
                (1, now, 1),
            ]
        ]
    assert found == [True, False, True, False, True, False, True]


@pytest.mark.postgresql
def test_postgresql_reads_what_comes_next_and_not_all_that_is_booked(postgres_db: Database, now: datetime) -> None:
    def work(session: Session) -> int:
        open_company(session, now=now)
        centre, other = session.scalars(sa.select(t.WorkCentre.id).order_by(t.WorkCentre.id).limit(2))
        book(session, centre, now)
        book(session, other, now, ELSEWHERE)
        return centre

    centre = postgres_db.run(work)
    with postgres_db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("ANALYZE operation_slot, production_order"))
    question = asked(centre, 1, now + timedelta(minutes=10), 1)
    statement = snapshot._meeting(1).params(question)
    plain = str(statement.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))
    with postgres_db.read() as session:
        [told] = session.connection().exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {plain}").scalar_one()

    def rows(node: dict[str, Any]) -> float:
        own = node["Actual Rows"] * node["Actual Loops"] + node.get("Rows Removed by Filter", 0)
        return max([own, *(rows(below) for below in node.get("Plans", ()))])

    assert rows(told["Plan"]) <= 4  # of 300: the next on each lane, and those that end at that very minute
