"""Companies: known once by name or VAT number, people belong to one at most, and nobody is taken from another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from backoffice.audit import AuditEntry
from backoffice.crm import companies
from backoffice.crm.models import Activity, Party
from backoffice.public.errors import BadInput, Refused
from tests.integration.chain.conftest import Workshop


@dataclass(frozen=True)
class Seller:
    """Somebody of sales."""

    id: int = 1
    name: str = "Bea"
    email: str = "bea@werk.test"
    role: str = "sales"


BEA = Seller()


def found(shop: Workshop, name: str, country: str = "DE", vat_number: str = "") -> Any:
    return shop.db.run(
        lambda session: companies.found(session, name, country=country, vat_number=vat_number, by=BEA, now=shop.now)
    )


def person(shop: Workshop, email: str, **values: Any) -> int:
    def work(session: Any) -> int:
        row = Party(name=email, email=email, facts={}, created_at=shop.now, **values)
        session.add(row)
        session.flush()
        return row.id

    return shop.db.run(work)


def buy(shop: Workshop, company: str, email: str = "ada@example.test", country: str = "DE") -> Any:
    start = shop.start(shop.cart(STOOL=1), company=company, email=email, country=country)
    shop.pay(start)
    return shop.order(start)


def known(shop: Workshop) -> list[tuple[str, str, str]]:
    return [(one.name, one.country, one.company_key) for one in shop.rows(Party, kind="company")]


def where(shop: Workshop, email: str) -> int | None:
    [one] = shop.rows(Party, email=email)
    answer: int | None = one.company_id
    return answer


def everything(shop: Workshop) -> list[str]:
    return [
        str({c.name: getattr(row, c.name) for c in kind.__table__.columns})
        for kind in (Party, Activity, AuditEntry)
        for row in shop.rows(kind)
    ]


def test_a_company_is_known_again_by_its_name_in_any_case(workshop: Workshop) -> None:
    first = found(workshop, "  Büro\u00a0 Nordlicht  GmbH ")
    assert known(workshop) == [("Büro Nordlicht GmbH", "DE", "büro nordlicht gmbh")]
    before = everything(workshop)
    for name in ("BÜRO NORDLICHT GMBH", "büro nordlicht gmbh", "Bu\u0308ro Nordlicht GmbH", "Büro\tNord\u00adlicht GmbH"):
        with pytest.raises(Refused) as refused:
            found(workshop, name)
        assert (refused.value.code, refused.value.details["party_id"]) == ("company_known", first.id)
    assert everything(workshop) == before
    assert found(workshop, "Büro Nordlicht GmbH", "AT").id != first.id  # the same name elsewhere is somebody else


def test_a_company_is_known_again_by_its_vat_number(workshop: Workshop) -> None:
    first = found(workshop, "Nordlicht", vat_number="de 123.456-789")
    assert first.vat_number == "DE123456789"
    with pytest.raises(Refused) as refused:
        found(workshop, "Nordlicht Holding", "AT", "DE123456789")
    assert refused.value.details["party_id"] == first.id
    assert len(known(workshop)) == 1


@pytest.mark.parametrize(
    ("name", "country", "vat_number", "field"),
    [
        ("  ", "DE", "", "name"),
        ("\u0001", "DE", "", "name"),
        ("N", "", "", "country"),
        ("N", "D1", "", "country"),
        ("N", "DE", "nonsense!", "vat_number"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_kept(
    workshop: Workshop, name: str, country: str, vat_number: str, field: str
) -> None:
    with pytest.raises(BadInput) as wrong:
        found(workshop, name, country, vat_number)
    assert list(wrong.value.fields) == [field]
    assert everything(workshop) == []


def test_whoever_names_a_company_at_checkout_belongs_to_it(workshop: Workshop) -> None:
    buy(workshop, " Büro Nordlicht GmbH ")
    buy(workshop, "BÜRO NORDLICHT GMBH", email="b@example.test")
    [company] = workshop.rows(Party, kind="company")
    assert (company.name, company.country, company.email) == ("Büro Nordlicht GmbH", "DE", None)
    assert (where(workshop, "ada@example.test"), where(workshop, "b@example.test")) == (company.id, company.id)
    joined = workshop.rows(Activity, kind="company_joined")
    assert [(one.text, one.actor, one.values) for one in joined] == [("Büro Nordlicht GmbH", "", {"company": company.id})] * 2


def test_nobody_is_taken_from_their_company(workshop: Workshop) -> None:
    buy(workshop, "First")
    before = where(workshop, "ada@example.test")
    buy(workshop, "Second")
    assert where(workshop, "ada@example.test") == before
    assert [name for name, *_ in known(workshop)] == ["First"]  # and nothing is made that nobody belongs to


@pytest.mark.parametrize("typed", ["", "   ", "\u200b \u00a0", "–"])
def test_no_company_is_made_of_nothing(workshop: Workshop, typed: str) -> None:
    order = buy(workshop, typed)
    assert order.state == "confirmed"
    assert (where(workshop, "ada@example.test"), known(workshop)) == (None, [])


def test_joining_and_leaving(workshop: Workshop) -> None:
    company, other, ada = found(workshop, "Nordlicht"), found(workshop, "Südwind"), person(workshop, "ada@example.test")

    def do(verb: Any, *args: Any) -> Any:
        return workshop.db.run(lambda session: verb(session, *args, by=BEA, now=workshop.now))

    do(companies.join, ada, company.id)
    do(companies.join, ada, company.id)  # pressed twice
    assert len(workshop.rows(Activity, kind="company_joined")) == 1
    before = everything(workshop)
    with pytest.raises(Refused) as refused:
        do(companies.join, ada, other.id)
    assert (refused.value.code, refused.value.details["name"]) == ("has_company", "Nordlicht")
    do(companies.leave, ada, other.id)  # they are not there
    assert everything(workshop) == before
    do(companies.leave, ada, company.id)
    do(companies.leave, ada, company.id)
    assert where(workshop, "ada@example.test") is None
    assert [one.kind for one in workshop.rows(Activity)] == ["company_joined", "company_left"]
    [row] = workshop.rows(Party, email="ada@example.test")
    assert row.version == 3
    actions = [(one.action, one.subject, one.actor) for one in workshop.rows(AuditEntry)]
    assert actions[2:] == [
        ("company.join", f"party:{ada}", "bea@werk.test"),
        ("company.leave", f"party:{ada}", "bea@werk.test"),
    ]


def test_a_company_belongs_to_no_company(workshop: Workshop) -> None:
    one, two, ada = found(workshop, "One"), found(workshop, "Two"), person(workshop, "ada@example.test")
    before = everything(workshop)
    for person_id, company_id, code in (
        (one.id, two.id, "not_a_person"),
        (one.id, one.id, "not_a_person"),
        (ada, ada, "not_a_company"),
    ):
        with pytest.raises(Refused) as refused:
            workshop.db.run(lambda session, p=person_id, c=company_id: companies.join(session, p, c, by=BEA, now=workshop.now))
        assert refused.value.code == code
    with pytest.raises(IntegrityError):  # the database forbids it too
        workshop.db.run(lambda session: session.execute(sa.update(Party).where(Party.id == one.id).values(company_id=two.id)))
    assert everything(workshop) == before
