"""The fixtures themselves: each test gets an empty database on which numbering starts at 1."""

from __future__ import annotations

from datetime import datetime

import pytest
import sqlalchemy as sa

from backoffice.bridge.models import OutboxMessage
from backoffice.db import Database


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_starts_empty(db: Database, now: datetime, turn: int) -> None:
    with db.write() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(OutboxMessage)) == 0
        message = OutboxMessage(
            target="mail", aggregate="order:1", sequence=turn, kind="x", payload={}, available_at=now, created_at=now
        )
        session.add(message)
    assert message.id == 1
