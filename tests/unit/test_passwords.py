"""Passwords that nobody may choose, customer or colleague."""

from __future__ import annotations

import pytest

from backoffice import passwords, staff
from backoffice.db import Database
from backoffice.public.errors import BadInput
from tests.conftest import NOW


def test_the_list_is_as_long_as_asked_and_all_of_it_could_be_typed() -> None:
    assert len(passwords.common()) >= 40_000
    assert [one for one in passwords.common() if len(one) < passwords.SHORTEST or one != one.casefold()] == []


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("password", "common_password"),
        ("PassWord", "common_password"),
        ("trustno1", "common_password"),
        ("elizabeth", "common_password"),
        ("passwort1", "common_password"),
        ("00000000", "common_password"),
        ("Ada@werk.test", "common_password"),
        ("1234567", "bad_length"),
        ("x" * 129, "bad_length"),
        ("hammer and nail", None),
        ("engines of 1843", None),
    ],
)
def test_a_colleague_is_refused_what_a_customer_is(sqlite_db: Database, password: str, fault: str | None) -> None:
    assert passwords.find_fault(password, email="ada@werk.test") == fault

    def add() -> None:
        person = {"email": "ada@werk.test", "name": "Ada", "role": "admin"}
        sqlite_db.run(lambda session: staff.add(session, **person, password=password, now=NOW))  # type: ignore[arg-type]  # a role as text

    if fault is None:
        add()
        return
    with pytest.raises(BadInput) as refused:
        add()
    assert refused.value.fields == {"password": fault}
    with sqlite_db.read() as session:
        assert staff.find_all(session) == []
