"""What colleagues write down about a customer: two never save over each other, and every word of a consent is kept."""

from __future__ import annotations

from typing import Any

import pytest

from backoffice.audit import AuditEntry
from backoffice.bridge.models import OutboxMessage
from backoffice.crm import companies, customers, parties
from backoffice.crm.models import Activity, AssignmentRule, Consent, Party
from backoffice.erp.models import Staff
from backoffice.public.errors import BadInput, NotFound, Refused
from tests.integration.chain.conftest import Workshop
from tests.integration.chain.test_companies import BEA, everything, person

PLAIN = {"name": "Ada", "phone": "", "language": "", "job": "", "vat_number": ""}


def change(shop: Workshop, party_id: int, version: int, owner_id: int | None = None, **typed: str) -> Any:
    return shop.db.run(
        lambda session: customers.change(
            session, party_id, PLAIN | typed, owner_id=owner_id, version=version, by=BEA, now=shop.now
        )
    )


def colleague(shop: Workshop, name: str, role: str = "sales", active: bool = True) -> int:
    def work(session: Any) -> int:
        row = Staff(email=f"{name}@werk.test", name=name, role=role, active=active, password_hash="", created_at=shop.now)
        session.add(row)
        session.flush()
        return row.id

    return shop.db.run(work)


def row(shop: Workshop, party_id: int) -> Any:
    [found] = shop.rows(Party, id=party_id)
    return found


def test_a_change_is_kept_with_before_and_after(workshop: Workshop) -> None:
    ada, carl = person(workshop, "ada@example.test"), colleague(workshop, "Carl")
    changed = change(
        workshop, ada, 1, carl, name=" Ada  Lovelace ", phone="+44 1", language="de-AT", job="Buyer", vat_number="de 123"
    )
    found = row(workshop, ada)
    assert (found.name, found.phone, found.language, found.job, found.vat_number, found.owner_id, found.version) == (
        "Ada Lovelace",
        "+44 1",
        "de-AT",
        "Buyer",
        "DE123",
        carl,
        2,
    )
    [entry] = workshop.rows(AuditEntry)
    assert (entry.action, entry.subject, entry.actor, entry.role) == ("party.change", f"party:{ada}", BEA.email, "sales")
    assert (entry.details["before"]["name"], entry.details["after"]["name"]) == ("ada@example.test", "Ada Lovelace")
    assert set(changed) == {"name", "phone", "language", "job", "vat_number", "owner_id"}
    assert [(one.kind, one.text) for one in workshop.rows(Activity)] == [("owner", "Carl")]
    assert change(workshop, ada, 1, carl, **{name: str(getattr(found, name)) for name in PLAIN}) == {}  # sent twice


def test_the_second_of_two_colleagues_is_refused(workshop: Workshop) -> None:
    ada = person(workshop, "ada@example.test")
    change(workshop, ada, 1, name="First")
    before = everything(workshop)
    with pytest.raises(Refused) as refused:
        change(workshop, ada, 1, name="Second")
    assert refused.value.code == "stale"
    assert everything(workshop) == before
    change(workshop, ada, 2, name="Second")
    assert row(workshop, ada).name == "Second"


def test_what_a_customer_adds_meanwhile_is_not_saved_over(workshop: Workshop) -> None:
    ada = person(workshop, "ada@example.test")
    workshop.db.run(
        lambda session: parties.find_or_create(
            session, email="ada@example.test", name="Ada", phone="+44 1", language="en", now=workshop.now
        )
    )
    with pytest.raises(Refused):
        change(workshop, ada, 1, name="Ada L.")
    found = row(workshop, ada)
    assert (found.name, found.phone, found.language, found.version) == ("Ada", "+44 1", "en", 2)


@pytest.mark.parametrize(
    ("field", "typed", "code"),
    [
        ("name", "  ", "required"),
        ("name", "x" * 201, "shorten"),
        ("phone", "1" * 41, "shorten"),
        ("job", "a\u0007b", "bad_character"),
        ("language", "en; drop", "bad_choice"),
        ("vat_number", "12", "bad_vat_number"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_changes(workshop: Workshop, field: str, typed: str, code: str) -> None:
    ada = person(workshop, "ada@example.test")
    before = everything(workshop)
    with pytest.raises(BadInput) as wrong:
        change(workshop, ada, 1, **{field: typed})
    assert wrong.value.fields == {field: code}
    assert everything(workshop) == before


def test_only_somebody_of_sales_looks_after_a_customer(workshop: Workshop) -> None:
    ada = person(workshop, "ada@example.test")
    wim, gone = colleague(workshop, "Wim", "warehouse"), colleague(workshop, "Gone", active=False)
    for owner_id in (wim, gone, 99):
        with pytest.raises(BadInput) as wrong:
            change(workshop, ada, 1, owner_id)
        assert wrong.value.fields == {"owner": "bad_choice"}


def test_a_renamed_company_does_not_become_another(workshop: Workshop) -> None:
    def make(name: str) -> int:
        return workshop.db.run(lambda session: companies.found(session, name, country="DE", by=BEA, now=workshop.now)).id

    one, two = make("One"), make("Two")
    before = everything(workshop)
    with pytest.raises(Refused) as refused:
        change(workshop, two, 1, name="ONE")
    assert refused.value.code == "name_taken"
    assert everything(workshop) == before
    change(workshop, two, 1, name="Three")
    assert row(workshop, two).company_key == "three"
    assert row(workshop, one).version == 1


def test_who_looks_after_a_new_buyer_is_found_by_rule(workshop: Workshop) -> None:
    carl, bea = colleague(workshop, "Carl"), colleague(workshop, "Bea")
    workshop.db.run(
        lambda session: session.add_all(
            [
                AssignmentRule(position=1, language="de", owner_id=bea),
                AssignmentRule(position=2, postcode_prefix="10", owner_id=carl),
            ]
        )
    )
    workshop.buy(STOOL=1)
    [ada] = workshop.rows(Party)
    assert ada.owner_id == carl
    change(workshop, ada.id, ada.version, bea, name=ada.name, language=ada.language)
    workshop.buy(STOOL=1)
    assert row(workshop, ada.id).owner_id == bea  # by hand stays


def test_a_consent_on_the_telephone_keeps_every_word(workshop: Workshop) -> None:
    ada = person(workshop, "ada@example.test", language="de")

    def give(words: str, purpose: str = "newsletter") -> Any:
        return workshop.db.run(
            lambda session: customers.note_consent(session, ada, purpose, words, language="de", by=BEA, now=workshop.now)
        )

    give("Dürfen wir Ihnen schreiben?")
    give("Dürfen wir Ihnen schreiben?")  # sent twice
    [consent] = workshop.rows(Consent)
    assert (consent.wording, consent.source, consent.language, consent.evidence, consent.given_at) == (
        "Dürfen wir Ihnen schreiben?",
        "phone",
        "de",
        {"how": "telephone", "by": "Bea"},
        workshop.now,
    )
    before = everything(workshop)
    for words, purpose, fields in (
        (" ", "calls", {"wording": "missing"}),
        ("x" * 2_001, "calls", {"wording": "shorten"}),
        ("Yes", "all", {"purpose": "bad_choice"}),
    ):
        with pytest.raises(BadInput) as wrong:
            give(words, purpose)
        assert wrong.value.fields == fields
    assert everything(workshop) == before
    other = person(workshop, "b@example.test")

    def withdraw(party_id: int) -> bool:
        return workshop.db.run(
            lambda session: customers.withdraw_consent(session, party_id, consent.id, by=BEA, now=workshop.now)
        )

    with pytest.raises(NotFound):
        withdraw(other)  # not theirs
    assert (withdraw(ada), withdraw(ada)) == (True, False)
    assert [one.withdrawn_at for one in workshop.rows(Consent)] == [workshop.now]
    assert [one.kind for one in workshop.rows(Activity)] == ["consent", "consent_withdrawn"]
    assert [one.action for one in workshop.rows(AuditEntry)][-1] == "consent.withdraw"
    assert workshop.rows(OutboxMessage, target="mail") == []  # no public address is set: a mail could not say how to end it
