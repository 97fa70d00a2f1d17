"""The desks of companies on account: who may what, the limit, price lists by hand and by file, money received."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.audit import AuditEntry
from backoffice.crm.models import CompanyPrices, CompanyTerms, Party
from backoffice.erp import models as t
from backoffice.payments.models import Payment, Receipt
from tests import firm
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop
from tests.integration.chain.test_on_account import order, ship

COMPANIES = "/desk/accounts/companies"


@pytest.fixture
def ada(at_desk: Callable[[str], Colleague]) -> Colleague:
    return at_desk("Ada")


@pytest.fixture
def bea(at_desk: Callable[[str], Colleague]) -> Colleague:
    return at_desk("Bea")


@pytest.fixture
def theirs(workshop: Workshop) -> firm.Firm:
    return firm.found(workshop.db, now=workshop.now, roles={"Ann": "buyer", "Kim": "accounting"})


def test_the_company_page_shows_how_it_stands(ada: Colleague, bea: Colleague, workshop: Workshop, theirs: firm.Firm) -> None:
    placed = order(workshop, theirs.token("Ann"))
    page = bea.get(f"/desk/sales/customers/{theirs.id}")
    for words in ("€200.00", "€54.00", "€146.00", placed.number, "buys, on account too", "They pay what everybody pays."):
        assert words in page, words
    assert "Change the limit" not in page  # whoever sells sees it; whoever keeps the books changes it
    assert "Change the limit" in ada.get(f"/desk/sales/customers/{theirs.id}")
    assert bea.post(f"{COMPANIES}/{theirs.id}/terms", limit="1", due_days="1", pause_overdue="yes").status_code == 403


def test_who_may_do_what_is_said_at_the_desk(bea: Colleague, workshop: Workshop, theirs: firm.Firm) -> None:
    workshop.pay(workshop.start(workshop.cart(STOOL=1), email="zoe@nordlicht.test", name="Zoe"))
    base = f"/desk/sales/customers/{theirs.id}"
    assert "May work there too" in bea.get(base)
    assert bea.post(f"{base}/people", email="zoe@nordlicht.test").status_code == 303
    (zoe,) = [one for one in workshop.rows(Party) if one.name == "Zoe"]
    assert (zoe.company_id, zoe.company_role) == (theirs.id, "")
    assert "May work there too" not in bea.get(base)
    assert bea.post(f"{base}/people/{zoe.id}/role", role="buyer").status_code == 303
    assert bea.post(f"{base}/people/{zoe.id}/role", role="king").status_code == 422
    assert workshop.rows(Party, id=zoe.id)[0].company_role == "buyer"
    assert bea.post(f"{base}/people/{zoe.id}/leave").status_code == 303
    assert workshop.rows(Party, id=zoe.id)[0].company_role == ""
    assert bea.post(f"{base}/people/{zoe.id}/role", role="buyer").status_code == 404


def test_the_limit_is_changed_and_the_change_is_recorded(ada: Colleague, workshop: Workshop, theirs: firm.Firm) -> None:
    form = {"limit": "1,500.50", "due_days": "30", "pause_overdue": "no"}
    assert ada.post(f"{COMPANIES}/{theirs.id}/terms", **form).status_code == 303

    def agreed() -> tuple[Any, ...]:
        with workshop.db.read() as session:
            return tuple(
                session.execute(sa.select(CompanyTerms.limit_minor, CompanyTerms.due_days, CompanyTerms.pause_overdue)).one()
            )

    assert agreed() == (150_050, 30, False)
    for wrong in ({"limit": "much"}, {"due_days": "366"}, {"limit": "-1"}):
        assert ada.post(f"{COMPANIES}/{theirs.id}/terms", **(form | wrong)).status_code == 422
    assert agreed() == (150_050, 30, False)
    entry = workshop.rows(AuditEntry, action="company.terms")[-1]
    assert (entry.details["before"]["limit_minor"], entry.details["after"]["limit_minor"]) == (20_000, 150_050)


def test_a_price_list_by_hand_and_by_file(ada: Colleague, workshop: Workshop, theirs: firm.Firm) -> None:
    base = "/desk/admin/price-lists"
    assert ada.post(base, name="Trade", percent_off="10").location == f"{base}/1"
    form = {"name": "Trade", "percent_off": "5", "version": "1", "prices": "STOOL;1;40,00\nSTOOL;10;35.50\n"}
    assert ada.post(f"{base}/1", **form).status_code == 303

    def prices() -> list[tuple[int, int]]:
        return [(one.from_quantity, one.price_minor) for one in workshop.rows(t.ListPrice)]

    assert prices() == [(1, 4_000), (10, 3_550)]
    kept = ada.client.get(f"{base}/1/prices.csv").get_data()
    assert kept == b'\xef\xbb\xbf"sku","from","price"\r\n"STOOL","1","40.00"\r\n"STOOL","10","35.50"\r\n'
    for wrong in ("STOOL;1", "STOOL;x;1", "NONE;1;1", "STOOL;1;1\nSTOOL;1;2", "STOOL;1;-1"):
        answer = ada.post(f"{base}/1", **(form | {"version": "2", "prices": wrong}))
        assert answer.status_code == 422, wrong
    assert ada.post(f"{base}/1", **form).status_code == 409  # as it was before somebody changed it
    assert prices() == [(1, 4_000), (10, 3_550)]
    changed = kept.replace(b"35.50", b"35.00")
    answer = ada.post(f"{base}/1", **(form | {"version": "2", "file": (io.BytesIO(changed), "list.csv")}))
    assert answer.status_code == 303
    assert prices() == [(1, 4_000), (10, 3_500)]
    given = {"price_list": "1", "valid_from": "2026-11-24", "valid_to": "2026-11-30"}
    assert ada.post(f"{COMPANIES}/{theirs.id}/prices", **given).status_code == 303
    assert ada.post(f"{COMPANIES}/{theirs.id}/prices", **(given | {"valid_to": "2026-11-20"})).status_code == 422
    page = ada.get(f"/desk/sales/customers/{theirs.id}")
    assert "Trade" in page
    assert "to Mon, Nov 30" in page or "30" in page
    assert ada.post(f"{COMPANIES}/{theirs.id}/prices/1/end").status_code == 303
    assert workshop.rows(CompanyPrices) == []


def test_money_received_is_written_down_once(ada: Colleague, workshop: Workshop, theirs: firm.Firm) -> None:
    assert "Nobody owes us anything" in ada.get(COMPANIES)
    placed = order(workshop, theirs.token("Ann"))
    assert "not invoiced yet" in ada.get(COMPANIES)
    ship(workshop, placed.number)
    (payment,) = workshop.rows(Payment)
    path = f"{COMPANIES}/invoices/{payment.id}"
    form = {"amount": "50.00", "received_on": "2026-11-24", "reference": "S 12", "key": "k1"}
    for _ in range(2):
        assert ada.post(path, **form).status_code == 303
    assert [(one.amount_minor, one.reference) for one in workshop.rows(Receipt)] == [(5_000, "S 12")]
    other = ada.post(path, **(form | {"amount": "4.00"}))
    assert other.status_code == 409
    assert "was sent before with something else" in other.get_data(as_text=True)
    assert 'value="k1"' not in other.get_data(as_text=True)
    refused = ada.post(path, **(form | {"key": "k2"}))
    assert refused.status_code == 409
    assert "No more than €4.00 of this invoice is open." in refused.get_data(as_text=True)
    for wrong in ({"amount": "x"}, {"received_on": "soon"}, {"received_on": "2027-01-01"}):
        assert ada.post(path, **(form | {"key": "k3"} | wrong)).status_code == 422
    assert ada.post(f"{COMPANIES}/invoices/99", **form).status_code == 404
    assert len(workshop.rows(Receipt)) == 1
    assert "€4.00" in ada.get(COMPANIES)
    assert "invoiced" in ada.get(f"/desk/sales/orders/{placed.number}")
