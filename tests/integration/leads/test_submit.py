"""Taking messages in: nothing lost, nothing twice, nothing wrong let through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime

import pytest
import sqlalchemy as sa

from backoffice.crm.lead_forms import check
from backoffice.crm.models import Activity, Lead, Party
from backoffice.db import Database
from backoffice.public.errors import BadInput
from tests.company import at
from tests.integration.leads.conftest import FORM

Submit = Callable[..., Lead]


def test_a_message_becomes_a_lead_with_a_party_and_an_entry(shop: Database, submit: Submit, now: datetime) -> None:
    lead = submit()
    assert (lead.number, lead.state, lead.sku, lead.quantity) == ("L-00001", "new", "STOOL", 2)
    assert (lead.needed_by_on, lead.version) == (date(2026, 12, 1), 1)
    assert lead.due_at == at(24, 17)  # asked on Tuesday 09:00; the office is open 09:00 to 17:00
    with shop.read() as session:
        party = session.scalars(sa.select(Party)).one()
        entry = session.scalars(sa.select(Activity)).one()
    assert (party.email, party.name, party.phone) == ("anna@example.test", "Anna Kowalska", "+48 22 111")
    assert (entry.kind, entry.text, entry.actor, entry.at) == ("message", "Is the stool stable on stone?", "", now)


def test_the_same_form_twice_is_one_lead(shop: Database, submit: Submit) -> None:
    assert submit().id == submit().id
    with shop.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Lead)) == 1
        assert session.scalar(sa.select(sa.func.count()).select_from(Activity)) == 1


def test_another_text_under_the_same_key_is_not_lost(shop: Database, submit: Submit) -> None:
    first, second = submit(), submit(message="And on wood?")
    assert (first.message, second.message) == ("Is the stool stable on stone?", "And on wood?")
    assert first.party_id == second.party_id


def test_without_a_key_the_same_text_is_the_same_lead(submit: Submit) -> None:
    assert submit(key="").id == submit(key="").id  # taken in, and counted on the timeline


def test_a_filled_trap_is_kept_apart(submit: Submit) -> None:
    assert submit(trap="https://pills.test").state == "quarantined"


def test_a_stranger_cannot_rename_a_customer(shop: Database, submit: Submit) -> None:
    submit()
    submit(key="page-2", name="Somebody Else", phone="666", email="ANNA@example.test")
    with shop.read() as session:
        party = session.scalars(sa.select(Party)).one()
    assert (party.name, party.phone) == ("Anna Kowalska", "+48 22 111")


def test_text_in_any_script_comes_back_as_it_was(shop: Database, submit: Submit) -> None:
    for message in ("আমি একটি টেবিল চাই", "მაგიდა მინდა", "أريد طاولة", "Grüße 🪑", "x" * 5_000):
        lead_id = submit(message=message).id
        with shop.read() as session:
            assert session.get_one(Lead, lead_id).message == message


def test_a_browser_s_line_ends_count_once() -> None:
    lines = ["x" * 9] * 500
    assert check(replace(FORM, message="\r\n".join(lines))).message == "\n".join(lines)  # 4,999 letters


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"message": "x" * 5_001}, {"message": "too_long"}),
        ({"message": "  \n"}, {"message": "missing"}),
        ({"name": "x" * 201}, {"name": "too_long"}),
        ({"message": "a\x00b"}, {"message": "bad_character"}),
        ({"message": "half \ud800 pair"}, {"message": "bad_character"}),
        ({"email": ""}, {"email": "missing"}),
        ({"email": "anna"}, {"email": "bad_email"}),
        ({"email": "anna@werk"}, {"email": "bad_email"}),
        ({"email": "anna@werk.test\nBcc: all@werk.test"}, {"email": "bad_email"}),
        ({"kind": "spell"}, {"kind": "unknown_kind"}),
        ({"kind": "tell_me", "sku": ""}, {"sku": "missing"}),
        ({"needed_by_on": "soon"}, {"needed_by_on": "bad_date"}),
        ({"needed_by_on": "2026-02-30"}, {"needed_by_on": "bad_date"}),
        ({"quantity": "0"}, {"quantity": "bad_quantity"}),
        ({"quantity": "-1"}, {"quantity": "bad_quantity"}),
        ({"quantity": "1.5"}, {"quantity": "bad_quantity"}),
        ({"quantity": "1" + "0" * 18}, {"quantity": "bad_quantity"}),
        ({"email": "anna", "quantity": "many", "message": ""}, None),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, str], fields: dict[str, str] | None) -> None:
    with pytest.raises(BadInput) as refused:
        check(replace(FORM, **changes))
    assert refused.value.code == "invalid_form"
    assert refused.value.fields == (fields or {"email": "bad_email", "quantity": "bad_quantity", "message": "missing"})


def test_a_wrong_form_writes_nothing(shop: Database, submit: Submit) -> None:
    with pytest.raises(BadInput):
        submit(quantity="many")
    with shop.read() as session:
        assert session.scalars(sa.select(Lead)).all() == []
        assert session.scalars(sa.select(Party)).all() == []


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Anna@EXAMPLE.com ", "anna@example.com"),
        ("o'neil+shop@werk.test", "o'neil+shop@werk.test"),
        ("a@printer.local", "a@printer.local"),
        ("ü@exämple.de", "ü@exämple.de"),
    ],
)
def test_mail_addresses_are_made_one(typed: str, kept: str) -> None:
    assert check(replace(FORM, email=typed)).email == kept


def test_tell_me_needs_no_message() -> None:
    assert check(replace(FORM, kind="tell_me", message="")).kind == "tell_me"


def test_a_name_with_line_breaks_becomes_one_line() -> None:
    assert check(replace(FORM, name="Anna\r\nBcc: all@werk.test")).name == "Anna Bcc: all@werk.test"


def test_a_day_that_is_over_is_refused_and_today_is_not(shop: Database, submit: Submit) -> None:
    with pytest.raises(BadInput) as wrong:
        submit(needed_by_on="2026-11-23")
    assert dict(wrong.value.fields) == {"needed_by_on": "past_date"}
    with shop.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Lead)) == 0
    assert submit(needed_by_on="2026-11-24").needed_by_on == date(2026, 11, 24)


def test_what_brought_them_is_kept_and_the_first_time_stays_with_the_person(shop: Database, submit: Submit) -> None:
    first = submit(source="fair", medium="card", campaign="oak-2026", landing="/c/tables", company="  Holz  GmbH ")
    second = submit(key="k2", sku="SHELF", source="mail", campaign="xmas")
    assert (first.source, first.medium, first.campaign, first.landing) == ("fair", "card", "oak-2026", "/c/tables")
    assert first.company == "Holz GmbH"
    assert (second.source, second.campaign) == ("mail", "xmas")
    assert submit(key="k3", sku="TABLE").source == "web"
    with shop.read() as session:
        party = session.scalars(sa.select(Party)).one()
    assert (party.source, party.campaign) == ("fair", "oak-2026")


def test_a_quote_may_be_asked_for_and_a_call_is_not_sent_by_a_form(submit: Submit) -> None:
    assert submit(kind="quote_request").kind == "quote_request"
    with pytest.raises(BadInput):
        submit(kind="phone", key="k2")


def test_a_day_that_cannot_be_had_is_a_lead_with_the_pieces_and_the_day(shop: Database, submit: Submit) -> None:
    lead = submit(kind="refused_day", message="", quantity="40")
    assert (lead.state, lead.sku, lead.quantity, lead.needed_by_on) == ("new", "STOOL", 40, date(2026, 12, 1))
    with pytest.raises(BadInput) as wrong:
        submit(kind="refused_day", message="", needed_by_on="", email="", key="k2")
    assert dict(wrong.value.fields) == {"email": "missing", "needed_by_on": "missing"}
