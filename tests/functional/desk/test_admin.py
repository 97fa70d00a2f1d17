"""The administrator's desk: every change is written down with before and after, and what is refused changes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice import api_keys
from backoffice.api_keys import ApiKey
from backoffice.audit import AuditEntry
from backoffice.bridge.models import Heartbeat
from backoffice.crm.models import AssignmentRule, MailTemplate
from backoffice.desk import auditing
from backoffice.erp.models import Company, Staff, StaffAbsence
from backoffice.payments.models import Payment
from tests.conftest import FixedClock
from tests.functional.desk.conftest import PEOPLE, Colleague
from tests.functional.desk.test_outgoing import bury
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]
ADMIN = "/desk/admin"
PAGES = [
    "",
    "/people",
    "/absences",
    "/company",
    "/services",
    "/keys",
    "/outgoing",
    "/figures",
    "/payments",
    "/refunds",
    "/rules",
    "/answers",
    "/changes",
]
POSTS = [
    "/people",
    "/people/1",
    "/people/1/password",
    "/absences",
    "/absences/1/remove",
    "/company",
    "/services",
    "/keys",
    "/keys/1/revoke",
    "/outgoing/replay",
    "/outgoing/1/replay",
    "/outgoing/1/drop",
    "/figures/1/approve",
    "/figures/1/decline",
    "/payments/1/handled",
    "/refunds/1/approve",
    "/refunds/1/decline",
    "/rules",
    "/rules/1/remove",
    "/answers",
    "/answers/1/remove",
]
COMPANY = {
    "name": "Werk & Söhne",
    "address": "Werkstr. 1\n10115 Berlin",
    "email": "hello@werk.test",
    "phone": "030 123456",
    "vat_number": "de 123 456 789",
    "register_entry": "HRB 1, Berlin",
    "returns_days": "30",
    "choose_days": "3",
    "quotation_percent": "10",
    "quotation_days": "14",
    "campaign_days": "7",
    "important": "1200.50",
    "service_level": "0",
    "shipping": "4,90",
    "default_postcode": "10115",
}


def person(workshop: Workshop, name: str) -> Staff:
    """Return a colleague's row."""
    found: Staff = workshop.rows(Staff, name=name)[0]
    return found


def changes(workshop: Workshop) -> list[tuple[str, str, str]]:
    """Return who did what to what."""
    return [(one.actor, one.action, one.subject) for one in workshop.rows(AuditEntry)]


@pytest.mark.parametrize("name", list(PEOPLE))
def test_only_administrators_administer(at_desk: AtDesk, workshop: Workshop, name: str) -> None:
    colleague = at_desk(name)
    for path in PAGES:
        page = colleague.get(ADMIN + path, 200 if name == "Ada" else 403)
        assert "<h1" in page
    if name != "Ada":
        for path in POSTS:
            colleague.refused(ADMIN + path, 403)
    assert changes(workshop) == []


def test_a_stranger_sees_nothing_of_it(visitor: Callable[[], Colleague]) -> None:
    browser = visitor()
    for path in PAGES:
        assert browser.client.get(ADMIN + path).status_code == 302
    for path in POSTS:
        browser.refused(ADMIN + path, 403)


def test_a_new_colleague_gets_a_password_that_is_shown_once(
    at_desk: AtDesk, visitor: Callable[[], Colleague], workshop: Workshop
) -> None:
    ada = at_desk("Ada")
    answer = ada.post(f"{ADMIN}/people", email="Nina@werk.test", name="Nina", role="warehouse")
    found = re.search(r'<code class="secret">([^<]+)</code>', answer.get_data(as_text=True))
    assert found
    assert found[1] not in ada.get(f"{ADMIN}/people")
    assert found[1] not in str([one.details for one in workshop.rows(AuditEntry)])
    assert visitor().log_in("Nina", found[1]).status_code == 303
    nina = person(workshop, "Nina")
    assert changes(workshop) == [("ada@werk.test", "staff.add", f"staff:{nina.id}")]
    assert "with that e-mail already" in ada.refused(f"{ADMIN}/people", 409, email="nina@werk.test", name="N", role="sales")
    page = ada.refused(f"{ADMIN}/people", 422, email="nobody", name="Typed before", role="sales")
    assert "Write an e-mail address" in page
    assert "Typed before" in page
    ada.refused(f"{ADMIN}/people", 422, email="x@werk.test", name="X", role="king")
    assert len(workshop.rows(Staff)) == len(PEOPLE) + 1


def test_who_is_switched_off_is_out_at_once(at_desk: AtDesk, workshop: Workshop) -> None:
    wim, ada = at_desk("Wim"), at_desk("Ada")
    wim.get("/desk/warehouse")
    ada.send(f"{ADMIN}/people/{person(workshop, 'Wim').id}", name="Wim", role="warehouse", active="no")
    assert wim.client.get("/desk/warehouse").status_code == 302
    [entry] = workshop.rows(AuditEntry)
    assert entry.details == {
        "before": {"name": "Wim", "role": "warehouse", "active": True},
        "after": {"name": "Wim", "role": "warehouse", "active": False},
    }


def test_a_new_password_ends_the_old_one_and_its_sessions(
    at_desk: AtDesk, visitor: Callable[[], Colleague], workshop: Workshop
) -> None:
    wim, ada = at_desk("Wim"), at_desk("Ada")
    answer = ada.post(f"{ADMIN}/people/{person(workshop, 'Wim').id}/password")
    found = re.search(r'<code class="secret">([^<]+)</code>', answer.get_data(as_text=True))
    assert found
    assert wim.client.get("/desk/warehouse").status_code == 302
    assert visitor().log_in("Wim").status_code == 403
    assert visitor().log_in("Wim", found[1]).status_code == 303
    ada.refused(f"{ADMIN}/people/99/password", 404)


@pytest.mark.parametrize("form", [{"role": "sales", "active": "yes"}, {"role": "admin", "active": "no"}])
def test_the_last_administrator_stays(at_desk: AtDesk, workshop: Workshop, form: dict[str, str]) -> None:
    ada = at_desk("Ada")
    page = ada.refused(f"{ADMIN}/people/{person(workshop, 'Ada').id}", 409, name="Ada", **form)
    assert "Somebody must stay who administers." in page
    assert (person(workshop, "Ada").role, person(workshop, "Ada").active) == ("admin", True)
    assert changes(workshop) == []
    ada.send(f"{ADMIN}/people/{person(workshop, 'Bea').id}", name="Bea", role="admin", active="yes")
    assert ada.post(f"{ADMIN}/people/{person(workshop, 'Ada').id}", name="Ada", **form).status_code == 303


def test_the_companys_data_are_kept_as_they_are_written(at_desk: AtDesk, workshop: Workshop) -> None:
    at_desk("Ada").send(f"{ADMIN}/company", **COMPANY)
    company = workshop.rows(Company)[0]
    assert (company.name, company.vat_number, company.phone) == ("Werk & Söhne", "DE123456789", "+49 30 123456")
    assert (company.returns_days, company.shipping_minor) == (30, 490)
    assert (company.choose_days, company.important_minor) == (3, 120_050)
    assert company.address == ["Werkstr. 1", "10115 Berlin"]
    [entry] = workshop.rows(AuditEntry)
    assert entry.action == "company.change"
    assert (entry.details["before"]["shipping_minor"], entry.details["after"]["shipping_minor"]) == (500, 490)
    assert "address" not in entry.details["after"]  # it did not change


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("address", ""),
        ("email", "nobody"),
        ("phone", "call me"),
        ("vat_number", "12"),
        ("returns_days", "13"),
        ("choose_days", "0"),
        ("choose_days", "31"),
        ("quotation_percent", "91"),
        ("quotation_days", "61"),
        ("campaign_days", "366"),
        ("important", "-1"),
        ("service_level", "49"),
        ("service_level", "100"),
        ("important", "a lot"),
        ("returns_days", "a month"),
        ("shipping", "4.999"),
        ("shipping", "-1"),
        ("shipping", "NaN"),
        ("default_postcode", "99999"),
    ],
)
def test_wrong_data_of_the_company_change_nothing(at_desk: AtDesk, workshop: Workshop, field: str, value: str) -> None:
    page = at_desk("Ada").refused(f"{ADMIN}/company", 422, **(COMPANY | {field: value}))
    assert f'id="{field}-wrong"' in page
    assert COMPANY["register_entry"] in page  # what was typed is still there
    assert workshop.rows(Company)[0].name == "Werk"
    assert changes(workshop) == []


def test_a_key_is_shown_once_and_ends(at_desk: AtDesk, workshop: Workshop) -> None:
    ada = at_desk("Ada")
    page = ada.post(f"{ADMIN}/keys", name="Marktplatz", scopes=["orders:read"]).get_data(as_text=True)
    found = re.search(r'<code class="secret">([^<]+)</code>', page)
    assert found
    assert found[1] not in ada.get(f"{ADMIN}/keys")
    with workshop.db.read() as session:
        assert api_keys.verify(session, found[1]) is not None
    for _ in range(2):
        assert "refused from now on" in ada.send(f"{ADMIN}/keys/1/revoke")
    with workshop.db.read() as session:
        assert api_keys.verify(session, found[1]) is None
    assert [action for _, action, _ in changes(workshop)] == ["api_key.create", "api_key.revoke"]
    assert found[1] not in str([one.details for one in workshop.rows(AuditEntry)])
    ada.refused(f"{ADMIN}/keys", 422, name="Marktplatz", scopes=["everything"])
    ada.refused(f"{ADMIN}/keys", 422, name="", scopes=["orders:read"])
    assert len(workshop.rows(ApiKey)) == 1


def test_a_payment_of_the_wrong_amount_is_handled_and_its_goods_are_free(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.start(workshop.cart(STOOL=2))
    assert workshop.stock("STOOL") == (5, 0, 2)
    workshop.db.run(lambda session: session.execute(sa.update(Payment).values(problem="amount_differs")))
    ada = at_desk("Ada")
    assert "not the amount that was asked" in ada.get(f"{ADMIN}/payments")
    assert "Fill this in." in ada.refused(f"{ADMIN}/payments/1/handled", 422, note=" ")
    assert workshop.stock("STOOL") == (5, 0, 2)
    assert "The goods can be sold again." in ada.send(f"{ADMIN}/payments/1/handled", note="given back at the provider")
    assert workshop.stock("STOOL") == (5, 0, 0)
    payment = workshop.rows(Payment)[0]
    assert (payment.state, payment.problem) == ("failed", "")
    ada.refused(f"{ADMIN}/payments/1/handled", 409, note="again")
    ada.refused(f"{ADMIN}/payments/9/handled", 404, note="what")
    [entry] = workshop.rows(AuditEntry)
    assert (entry.action, entry.details["note"], entry.details["goods_released"]) == (
        "payment.handled",
        "given back at the provider",
        True,
    )


def test_another_problem_is_only_noted(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(STOOL=1)
    workshop.db.run(lambda session: session.execute(sa.update(Payment).values(problem="refunded_elsewhere")))
    page = at_desk("Ada").send(f"{ADMIN}/payments/1/handled", note="order stays")
    assert "No payment needs you" in page
    assert workshop.rows(Payment)[0].state == "succeeded"
    assert workshop.stock("STOOL") == (5, 1, 0)


def test_changes_are_found_by_who_what_about_what_and_when(at_desk: AtDesk, workshop: Workshop) -> None:
    def work(session: Any) -> None:
        for number in range(120):
            at = workshop.now - timedelta(days=number // 60)
            who = "ada@werk.test" if number % 2 else "key:abc"
            session.add(AuditEntry(at=at, actor=who, role="", action=f"test.{number % 3}", subject=f"thing:{number}", details={}))

    workshop.db.run(work)
    ada = at_desk("Ada")
    assert "1 to 50 of 120" in ada.get(f"{ADMIN}/changes")
    assert "101 to 120 of 120" in ada.get(f"{ADMIN}/changes?page=3")
    assert "1 to 50 of 60" in ada.get(f"{ADMIN}/changes?actor=ada")
    assert '<span class="count">40</span>' in ada.get(f"{ADMIN}/changes?action=test.1")
    assert '<span class="count">1</span>' in ada.get(f"{ADMIN}/changes?subject=thing:119")
    assert '<span class="count">60</span>' in ada.get(f"{ADMIN}/changes?day=2026-11-23")
    assert '<span class="count">120</span>' in ada.get(f"{ADMIN}/changes?day=nonsense")
    assert "Nothing found" in ada.get(f"{ADMIN}/changes?actor=%25")


def test_health_says_what_is_not_well(at_desk: AtDesk, workshop: Workshop, clock: FixedClock) -> None:
    ada = at_desk("Ada")
    page = ada.get(ADMIN)
    assert "has never run: start `shopfloor worker`" in page
    workshop.db.run(lambda session: session.add(Heartbeat(name="w", at=clock())))
    assert "last seen Tue 24 Nov, 09:00" in ada.get(ADMIN)
    clock.advance(minutes=2)
    assert "last seen Tue 24 Nov, 09:00: start `shopfloor worker`" in ada.get(ADMIN)
    bury(workshop, "order:SF-1")
    assert "1 could not be delivered" in ada.get(ADMIN)


def test_rules_are_written_changed_and_taken_away(at_desk: AtDesk, workshop: Workshop) -> None:
    ada, bea = at_desk("Ada"), str(person(workshop, "Bea").id)
    form = {"id": "", "position": "1", "kind": "question", "language": "de", "country": "de", "postcode_prefix": "10"}
    form |= {"category_id": "1", "owner_id": bea, "active": "yes"}
    assert "Saved." in ada.send(f"{ADMIN}/rules", **form)
    rule = workshop.rows(AssignmentRule)[0]
    assert (rule.kind, rule.language, rule.country, rule.postcode_prefix, rule.owner_id) == (
        "question",
        "de",
        "DE",
        "10",
        int(bea),
    )
    assert 'value="10"' in ada.get(f"{ADMIN}/rules?edit=1")
    ada.send(f"{ADMIN}/rules", **(form | {"id": "1", "active": "no"}))
    assert [one.active for one in workshop.rows(AssignmentRule)] == [False]
    wim = str(person(workshop, "Wim").id)
    for wrong in (
        {"owner_id": wim},
        {"owner_id": "99"},
        {"country": "XX"},
        {"kind": "x"},
        {"category_id": "99"},
        {"position": "0"},
    ):
        ada.refused(f"{ADMIN}/rules", 422, **(form | wrong))
    ada.refused(f"{ADMIN}/rules", 404, **(form | {"id": "99"}))
    ada.get(f"{ADMIN}/rules?edit=99", 404)
    assert len(workshop.rows(AssignmentRule)) == 1
    ada.send(f"{ADMIN}/rules/1/remove")
    assert workshop.rows(AssignmentRule) == []
    assert [action for _, action, _ in changes(workshop)] == ["rule.save", "rule.save", "assignment_rule.remove"]


def test_ready_answers_are_written_changed_and_taken_away(at_desk: AtDesk, workshop: Workshop) -> None:
    ada = at_desk("Ada")
    form = {"id": "", "name": "Thanks", "language": "en", "body": "Dear {name},\r\nthank you."}
    ada.send(f"{ADMIN}/answers", **form)
    assert workshop.rows(MailTemplate)[0].body == "Dear {name},\nthank you."
    page = ada.refused(f"{ADMIN}/answers", 409, **form)
    assert "There is one with that name already." in page
    assert "Dear {name}" in page
    ada.send(f"{ADMIN}/answers", **(form | {"id": "1", "body": "Hello {name}"}))
    for wrong in ({"name": ""}, {"body": " "}, {"language": "xx"}, {"body": "x" * 5001}):
        ada.refused(f"{ADMIN}/answers", 422, **(form | wrong))
    assert [one.body for one in workshop.rows(MailTemplate)] == ["Hello {name}"]
    ada.send(f"{ADMIN}/answers/1/remove")
    assert workshop.rows(MailTemplate) == []
    assert len(changes(workshop)) == 3


def test_absences_are_noted_and_taken_back(at_desk: AtDesk, workshop: Workshop) -> None:
    ada, bea = at_desk("Ada"), str(person(workshop, "Bea").id)
    page = ada.send(f"{ADMIN}/absences", staff_id=bea, starts_on="2026-11-24", ends_on="2026-12-04")
    assert "away now" in page
    row = workshop.rows(StaffAbsence)[0]
    assert (row.starts_on, row.ends_on) == (date(2026, 11, 24), date(2026, 12, 4))
    ada.refused(f"{ADMIN}/absences", 422, staff_id=bea, starts_on="2026-12-04", ends_on="2026-12-03")
    ada.refused(f"{ADMIN}/absences", 422, staff_id="99", starts_on="2026-12-04", ends_on="2026-12-05")
    ada.refused(f"{ADMIN}/absences", 422, staff_id=bea, starts_on="soon", ends_on="2026-12-05")
    assert len(workshop.rows(StaffAbsence)) == 1
    ada.send(f"{ADMIN}/absences/1/remove")
    assert workshop.rows(StaffAbsence) == []
    assert [action for _, action, _ in changes(workshop)] == ["absence.add", "staff_absence.remove"]


def test_a_change_is_read_as_what_differs() -> None:
    before, after = {"role": "sales", "name": "Bea", "phone": ""}, {"role": "admin", "name": "Bea", "phone": "+49 30 1"}
    assert auditing.differences({"before": before, "after": after}) == ["role: sales → admin", "phone: – → +49 30 1"]
    assert auditing.differences({"before": None, "after": {"kind": "question"}}) == ["kind: – → question"]
    assert auditing.differences({"messages": 2, "reason": "mühsam"}) == ["messages: 2", "reason: mühsam"]
    at = {"before": "2026-11-27", "after": "2026-12-03", "lines_moved": 1}
    assert auditing.differences(at) == ["before: 2026-11-27", "after: 2026-12-03", "lines_moved: 1"]
