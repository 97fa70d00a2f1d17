"""Two classes of customers at the same moment, for the last pieces, on PostgreSQL: nobody gets what is kept for others."""

from __future__ import annotations

import random
from datetime import date
from functools import partial

import pytest
import sqlalchemy as sa

from backoffice.db import Database
from backoffice.erp import allotting, holds
from backoffice.erp import models as t
from tests.company import item_id, open_company
from tests.concurrency.test_at_the_same_moment import both
from tests.conftest import NOW
from tests.invariants import breaches

pytestmark = pytest.mark.postgresql
STOOLS, KEPT, ROUNDS, ASKING = 6, 4, 8, 8


def ask(db: Database, whose: str) -> None:
    def work(session):
        item = session.get_one(t.Item, item_id(session, "STOOL"))
        holds.hold(session, item, 1, owner=whose, minutes=15, customer_class=whose, now=NOW)

    db.run(work)


def test_two_classes_for_the_last_pieces(postgres_db: Database) -> None:
    db, rng = postgres_db, random.Random(26)  # noqa: S311 - an order of asking that can be had again
    db.run(lambda session: open_company(session, now=NOW, stools=STOOLS))

    def keep(session):
        kept = {"release_on": date(2026, 12, 1), "by": "petra"}
        return allotting.set_aside(session, item_id(session, "STOOL"), "key", KEPT, now=NOW, **kept).id

    for _ in range(ROUNDS):
        kept_id = db.run(keep)
        whose = ["retail"] * 5 + ["key"] * (ASKING - 5)
        rng.shuffle(whose)
        both(*(partial(ask, db, one) for one in whose))
        with db.read() as session:
            live = sa.select(t.Reservation).where(t.Reservation.state == "held")
            held = {one.id: one.customer_class for one in session.scalars(live)}
            assert sorted(held.values()).count("retail") == STOOLS - KEPT
            assert sorted(held.values()).count("key") == ASKING - 5
            assert breaches(session) == []

        def tidy(session, held=held, kept_id=kept_id):
            for one in sorted(held):
                holds.release(session, one, now=NOW)
            allotting.release(session, kept_id, by="petra", now=NOW)

        db.run(tidy)
