"""Two workers give the same people their profiles, on PostgreSQL: the second waits for the first and adds none."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
import sqlalchemy as sa

from backoffice.crm import identity, parties
from backoffice.crm.models import Profile
from backoffice.db import Database
from tests.company import open_company

pytestmark = pytest.mark.postgresql
BLOCKED = sa.text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


def test_two_add_the_same_profiles(postgres_db: Database, now: datetime) -> None:
    def meet(session: sa.orm.Session) -> None:
        open_company(session, now=now)
        for name in ("ada", "bea"):
            parties.find_or_create(session, email=f"{name}@example.test", name=name, phone="", language="en", now=now)

    postgres_db.run(meet)
    with ThreadPoolExecutor(1) as pool:
        with postgres_db.write() as first:
            identity.add_profiles(first)
            first.flush()
            second = pool.submit(postgres_db.run, identity.add_profiles)
            with postgres_db.engine.connect() as watcher:
                while not second.done() and not watcher.execute(BLOCKED).scalar_one():
                    watcher.rollback()
        assert second.result(timeout=30) is None
    with postgres_db.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Profile)) == 2
