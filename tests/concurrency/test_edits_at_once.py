"""Eight people edit the same enquiries on PostgreSQL: each edit is kept or refused with what is there, none is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import leads, pipeline
from backoffice.crm.models import Lead
from backoffice.db import Database
from backoffice.erp.models import Staff
from tests.bench.crm import PEOPLE, ROUNDS, edit_at_once
from tests.company import open_company
from tests.concurrency.test_at_the_same_moment import both
from tests.integration.leads.conftest import FORM, Person

pytestmark = pytest.mark.postgresql


@pytest.fixture
def desk(postgres_db: Database, now: datetime) -> Database:
    """Eight people of sales and five enquiries."""

    def fill(session: Session) -> None:
        open_company(session, now=now)
        for one in range(PEOPLE):
            session.add(Staff(email=f"s{one}@werk.test", name=f"Seller {one}", role="sales", password_hash="-", created_at=now))
        session.flush()
        for _ in range(5):
            leads.submit(session, FORM, now=now)
        session.execute(sa.update(Lead).values(state="answered", owner_id=1))

    postgres_db.run(fill)
    return postgres_db


def test_800_edits_by_eight_people_are_kept_or_refused_and_none_is_lost(desk: Database, now: datetime) -> None:
    edits = edit_at_once(desk, now)
    assert edits["kept"] + edits["refused with what is there"] == PEOPLE * ROUNDS == 800
    assert (edits["otherwise"], edits["lost"]) == (0, 0)
    assert edits["refused with what is there"] > 0  # or nothing was tried


def test_two_who_move_one_card_at_once(desk: Database, now: datetime) -> None:
    def move(one: int, stage: str) -> Callable[[], object]:
        return lambda: desk.run(lambda s: pipeline.move(s, 1, stage, staff=Person(one, f"Seller {one - 1}"), version=1, now=now))

    assert sorted(both(move(1, "qualified"), move(2, "opportunity"))) == ["done", "stale"]
    with desk.read() as session:
        assert session.get_one(Lead, 1).version == 2
