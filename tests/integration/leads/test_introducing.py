"""Whoever called becomes a customer: their e-mail is new, or somebody's that we know; on both databases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.crm import consents, follow_ups, introducing
from backoffice.crm.models import Activity, Lead, Party
from backoffice.db import Database
from backoffice.public.errors import BadInput, Refused
from tests.integration.leads.conftest import FORM, Person

CALL = replace(FORM, key="call-1", kind="phone", email="", message="Wants ten stools")
Submit = Callable[..., Lead]


@pytest.fixture
def called(shop: Database, bea: Person, now: datetime) -> Lead:
    """Somebody called, and told a name and a number."""
    return shop.run(lambda s: follow_ups.phone_in(s, CALL, staff=bea, now=now))


def introduce(shop: Database, lead: Lead, staff: Person, now: datetime, **changes: Any) -> Lead:
    values = {"email": "anna@example.test", "version": lead.version} | changes
    return shop.run(lambda s: introducing.introduce(s, lead.id, **values, staff=staff, now=now))


def people(shop: Database) -> list[tuple[str | None, str, str]]:
    with shop.read() as session:
        return [tuple(row) for row in session.execute(sa.select(Party.email, Party.name, Party.phone).order_by(Party.id))]  # type: ignore[misc]  # three columns


def test_a_new_address_is_theirs_and_said_once(shop: Database, called: Lead, bea: Person, now: datetime) -> None:
    for _ in range(2):
        lead = introduce(shop, called, bea, now, email=" Anna@Example.TEST ", company="Kowalska  GmbH")
    assert (lead.version, lead.company) == (2, "Kowalska GmbH")
    assert people(shop) == [("anna@example.test", "Anna Kowalska", "+48 22 111")]
    with shop.read() as session:
        said = session.execute(sa.select(Activity.text, Activity.actor).where(Activity.kind == "introduced")).all()
    assert [tuple(row) for row in said] == [("anna@example.test", "Bea")]


def test_a_known_address_takes_the_enquiry_and_its_timeline_along(
    shop: Database, called: Lead, submit: Submit, bea: Person, now: datetime
) -> None:
    known = submit(name="Anna Known", phone="", key="page-2")
    introduce(shop, called, bea, now)
    assert people(shop) == [("anna@example.test", "Anna Known", "+48 22 111")]
    with shop.read() as session:
        assert set(session.scalars(sa.select(Lead.party_id))) == {known.party_id}
        assert set(session.scalars(sa.select(Activity.party_id))) == {known.party_id}


def test_a_caller_of_whom_something_else_is_known_stays(
    shop: Database, called: Lead, submit: Submit, bea: Person, now: datetime
) -> None:
    known = submit(name="Anna Known", phone="", key="page-2")
    given = {"wording": "Call me", "language": "en", "source": "desk", "evidence": {}}
    shop.run(lambda s: consents.give(s, called.party_id, "calls", **given, now=now))
    lead = introduce(shop, called, bea, now)
    assert lead.party_id == known.party_id
    assert [email for email, _, _ in people(shop)] == [None, "anna@example.test"]
    with shop.read() as session:
        assert session.scalars(sa.select(Activity.party_id).where(Activity.kind == "consent")).all() == [called.party_id]


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"email": ""}, {"email": "missing"}),
        ({"email": "no", "name": "x" * 201}, {"email": "bad_email", "name": "too_long"}),
        ({"company": "\x00"}, {"company": "bad_character"}),
    ],
)
def test_what_cannot_be_kept_changes_nothing(
    shop: Database, called: Lead, bea: Person, now: datetime, changes: dict[str, str], wrong: dict[str, str]
) -> None:
    with pytest.raises(BadInput) as error:
        introduce(shop, called, bea, now, **changes)
    assert dict(error.value.fields) == wrong
    assert people(shop) == [(None, "Anna Kowalska", "+48 22 111")]


def test_whose_address_is_known_is_not_given_another(shop: Database, submit: Submit, bea: Person, now: datetime) -> None:
    lead = submit()
    with pytest.raises(BadInput) as error:
        introduce(shop, lead, bea, now, email="other@example.test")
    assert dict(error.value.fields) == {"email": "has_another"}
    assert [email for email, _, _ in people(shop)] == ["anna@example.test"]


def test_a_stale_page_changes_nothing(shop: Database, called: Lead, bea: Person, now: datetime) -> None:
    with pytest.raises(Refused, match="stale"):
        introduce(shop, called, bea, now, version=9)
    assert people(shop)[0][0] is None
