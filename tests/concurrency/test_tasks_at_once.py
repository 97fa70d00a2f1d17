"""A day asked for, declined and found possible at one moment, on PostgreSQL: one task, one answer, nobody waits in a circle."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy.orm import Session

from backoffice.crm import leads, tasks
from backoffice.crm.models import Activity, Lead, Task
from backoffice.db import Database
from backoffice.erp import production
from backoffice.erp.models import WorkCentreStop
from tests.concurrency.test_at_the_same_moment import both
from tests.conftest import NOW
from tests.integration.leads.conftest import fill_shop
from tests.integration.leads.test_tasks import ask, rows, stand_still

pytestmark = pytest.mark.postgresql


@pytest.fixture
def shop(postgres_db: Database) -> Database:
    return fill_shop(postgres_db, NOW)


def test_one_of_decline_and_the_plan_answers(shop: Database) -> None:
    stand_still(shop, 27)
    lead = ask(shop)
    shop.run(lambda session: leads.take(session, lead.id, staff_id=1, version=1, now=NOW))
    [stop] = [one.id for one in rows(shop, WorkCentreStop)]
    shop.run(lambda session: production.end_stop(session, stop, actor="Pat", now=NOW))

    def decline() -> object:
        return shop.run(lambda session: tasks.decline(session, 1, "No", by="Pat", role="planner", now=NOW))

    def ask_again() -> object:
        return shop.run(lambda session: tasks.ask_for_day(session, session.get_one(Lead, lead.id), by="Bea", now=NOW))

    said = both(decline, lambda: tasks.watch(shop, now=NOW), lambda: tasks.watch(shop, now=NOW), ask_again)
    told = Counter(one.kind for one in rows(shop, Activity) if one.kind in ("day_freed", "day_refused"))
    ended = Counter(one.outcome for one in rows(shop, Task) if one.state == "done")
    assert said[1:] == ["done", "done", "done"]
    assert said[0] in ("done", "wrong_state")
    assert (ended["possible"], ended["impossible"]) == (told["day_freed"], told["day_refused"])
    assert told["day_refused"] == (said[0] == "done")
    assert sum(ended.values()) in (1, 2)  # asked again after its answer, it may be answered again


def test_two_who_ask_at_once_write_one_task(shop: Database) -> None:
    stand_still(shop, 27)
    lead = ask(shop, kind="quote_request", message="Soon, please")

    def ask_planning() -> object:
        def work(session: Session) -> Task:
            return tasks.ask_for_day(session, session.get_one(Lead, lead.id), by="Bea", now=NOW)

        return shop.run(work)

    assert both(ask_planning, ask_planning, ask_planning) == ["done", "done", "done"]
    assert [one.state for one in rows(shop, Task)] == ["open"]
    assert [one.kind for one in rows(shop, Activity)].count("day_asked") == 1
