"""Eight people edit the same enquiries on PostgreSQL: each edit is kept or refused with what is there, none is lost."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import leads, pipeline
from backoffice.crm.models import Lead
from backoffice.db import Database
from backoffice.erp.models import Staff
from tests.bench.crm import EDITED, PEOPLE, ROUNDS, edit_at_once
from tests.company import open_company
from tests.concurrency.test_at_the_same_moment import both
from tests.concurrency.test_profiles_at_once import BLOCKED
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
        for one in range(EDITED):
            leads.submit(session, replace(FORM, key=f"page-{one}", email=f"{one}@example.test", phone=""), now=now)
        session.execute(sa.update(Lead).values(state="answered", owner_id=1))

    postgres_db.run(fill)
    with postgres_db.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Lead)) == EDITED
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


def test_a_message_that_comes_while_a_colleague_closes_waits_and_is_an_enquiry_of_its_own(desk: Database, now: datetime) -> None:
    """It found the enquiry open, and would have written over what the colleague saved."""
    more = replace(FORM, key="page-more", email="0@example.test", phone="", message="And in walnut?")
    with ThreadPoolExecutor(1) as pool:
        with desk.write() as colleague:
            leads.done(colleague, 1, staff=Person(1, "Seller 0"), version=1, now=now)
            colleague.flush()
            other = pool.submit(desk.run, lambda session: leads.submit(session, more, now=now).id)
            with desk.engine.connect() as watcher:
                while not other.done() and not watcher.execute(BLOCKED).scalar_one():
                    watcher.rollback()
        assert other.result(timeout=30) == EDITED + 1
    with desk.read() as session:
        closed = session.get_one(Lead, 1)
        assert (closed.state, closed.version, closed.message) == ("done", 2, FORM.message)
