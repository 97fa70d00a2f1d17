"""The race of `make bench-last-pieces`, small: the shop promises nothing twice; the control, which reads, then writes, does."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.db import Database
from backoffice.erp import holds
from backoffice.erp import models as t
from backoffice.public.errors import Refused
from tests.bench import last_pieces, naive
from tests.concurrency.test_at_the_same_moment import both
from tests.invariants import breaches

pytestmark = pytest.mark.postgresql

# what there is of it: pieces on the shelf, pieces that come, and 6 days of 2 hours at half an hour a piece
THERE = pytest.mark.parametrize(("sku", "there"), [("PIN-0", 10), ("RING", 20), ("DOOR", 24)])


@pytest.fixture
def floor(postgres_db: Database) -> Database:
    postgres_db.run(last_pieces.open_floor)
    return postgres_db


def asking(db: Database, hold: Any, sku: str, quantity: int, owner: str, **named: Any) -> Any:
    with db.read() as session:
        item = session.scalars(sa.select(t.Item).where(t.Item.sku == sku)).one()
    return partial(
        db.run, lambda session: hold(session, item, quantity, owner=owner, minutes=15, now=last_pieces.NOW, **named).id
    )


def live_of(db: Database) -> list[tuple[str, int]]:
    with db.read() as session:
        rows = session.execute(
            sa.select(t.Reservation.owner_ref, t.Reservation.quantity).order_by(t.Reservation.owner_ref, t.Reservation.id)
        )
        return [(row.owner_ref, row.quantity) for row in rows]


@THERE
def test_of_four_for_the_last_piece_one_gets_it(floor: Database, sku: str, there: int) -> None:
    asking(floor, holds.hold, sku, there - 1, "first")()
    said = both(*(asking(floor, holds.hold, sku, 1, "later") for _ in range(4)))
    assert sorted(said) == ["done", "not_available", "not_available", "not_available"]
    assert live_of(floor) == [("first", there - 1), ("later", 1)]
    with floor.read() as session:
        assert last_pieces.double_promises(session, now=last_pieces.NOW) == set()
        assert breaches(session) == []


@THERE
def test_the_control_gives_the_last_piece_to_both_that_read_before_either_wrote(floor: Database, sku: str, there: int) -> None:
    asking(floor, naive.hold, sku, there - 1, "first")()
    gate = threading.Barrier(2, timeout=30)
    said = both(*(asking(floor, naive.hold, sku, 1, "later", between=gate.wait) for _ in range(2)))
    assert said == ["done", "done"]
    with floor.read() as session:
        later = session.scalars(sa.select(t.Reservation.id).where(t.Reservation.owner_ref == "later")).all()
        # the judge names the one of the two that came second to what both stand on
        assert last_pieces.double_promises(session, now=last_pieces.NOW) == {max(later)}
    assert both(asking(floor, naive.hold, sku, 1, "late")) == ["not_available"]  # once it can read that, it refuses


def test_processes_that_race_are_never_promised_the_same(floor: Database) -> None:
    figures = last_pieces.race(floor.url, 300, workers=3)
    assert (figures["attempts"], figures["held"] + figures["refused"], figures["others"]) == (300, 300, {})
    assert figures["held"] > 30  # 84 pieces, in ones and twos
    assert figures["refused"] > 30
    assert (figures["double_promises"], figures["breaches"]) == (0, 0)


def test_minutes_that_were_planned_for_somebody_else_are_not_brought_back_by_an_older_clock(floor: Database) -> None:
    """The first hold's time is over when another item is planned over its minutes; its buyer's request began just before."""

    def keep(sku: str, at: datetime, minutes: int) -> int:
        def work(session: Session) -> int:
            item = session.scalars(sa.select(t.Item).where(t.Item.sku == sku)).one()
            return holds.hold(session, item, 1, owner=sku, minutes=minutes, now=at).id

        return floor.run(work)

    first = keep("DOOR", last_pieces.NOW, 1)
    second = keep("GATE", last_pieces.NOW + timedelta(minutes=1), 15)
    with pytest.raises(Refused, match="hold_expired"):
        floor.run(lambda session: holds.start_paying(session, first, now=last_pieces.NOW + timedelta(seconds=59.9)))
    with floor.read() as session:
        assert {one: session.get_one(t.Reservation, one).state for one in (first, second)} == {first: "released", second: "held"}
        assert breaches(session) == []
