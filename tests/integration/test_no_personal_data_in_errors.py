"""A database error in the log names the statement, never what was in it."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from backoffice.crm.models import Party
from backoffice.db import Database


def test_an_error_does_not_carry_the_address(db: Database, now) -> None:
    def twice(session) -> None:
        for _ in range(2):
            session.add(Party(name="Ada", email="ada@example.test", created_at=now, facts={}))
            session.flush()

    with pytest.raises(IntegrityError) as error:
        db.run(twice)
    statement = str(error.value).split("[SQL", 1)[1]
    assert "ada@example.test" not in statement
