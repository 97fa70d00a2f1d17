"""Personal data at the desk: looked up by e-mail, handed out as a file, forgotten once the address was typed again."""

from __future__ import annotations

import json
from collections.abc import Callable

from click.testing import CliRunner

from backoffice.audit import AuditEntry
from backoffice.cli import main
from backoffice.crm.models import Lead, Party
from tests.conftest import FixedClock
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]
HOME = "/desk/admin/persons"


def test_somebody_is_looked_up_handed_out_and_forgotten(at_desk: AtDesk, workshop: Workshop, ask: Callable[..., Lead]) -> None:
    lead, ada = ask(), at_desk("Ada")
    assert "Nobody with this address is known." in ada.get(f"{HOME}?q=nobody@example.test")
    page = ada.get(f"{HOME}?q=Anna@Example.test")
    assert "Anna Kowalska" in page
    answer = ada.post(f"{HOME}/{lead.party_id}/export")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="person-{lead.party_id}.json"'
    assert json.loads(answer.text)["lead"][0]["message"] == "Is the stool stable on stone?"
    assert "Type their address again" in ada.refused(f"{HOME}/{lead.party_id}/forget", 422, email="other@example.test")
    assert [one.name for one in workshop.rows(Party)] == ["Anna Kowalska"]
    assert "Forgotten." in ada.send(f"{HOME}/{lead.party_id}/forget", email=" anna@example.test")
    assert [(one.name, one.email, one.phone) for one in workshop.rows(Party)] == [("–", None, "")]
    assert [one.message for one in workshop.rows(Lead)] == [""]
    told = [(one.action, one.subject, one.actor) for one in workshop.rows(AuditEntry)]
    whose = (f"party:{lead.party_id}", "ada@werk.test")
    assert told == [("person.export", *whose), ("person.forget", *whose)]
    at_desk("Bea").get("/desk/sales")  # and the desk still shows what is left
    at_desk("Bea").get(f"/desk/sales/leads/{lead.id}")


def test_what_is_under_way_is_finished_first(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(STOOL=1)
    [party] = workshop.rows(Party)
    page = at_desk("Ada").refused(f"{HOME}/{party.id}/forget", 409, email="ada@example.test")
    assert "Goods or money are still on their way" in page
    assert [one.name for one in workshop.rows(Party)] == ["Ada Lovelace"]


def test_it_is_for_administrators_who_have_just_said_who_they_are(
    at_desk: AtDesk, workshop: Workshop, ask: Callable[..., Lead], clock: FixedClock
) -> None:
    lead = ask()
    at_desk("Bea").refused(f"{HOME}/{lead.party_id}/export", 403)
    ada = at_desk("Ada")
    clock.advance(minutes=11)
    for verb in ("export", "forget"):
        assert ada.post(f"{HOME}/{lead.party_id}/{verb}", email="anna@example.test").location == f"/desk/sure?next={HOME}"
    assert [one.name for one in workshop.rows(Party)] == ["Anna Kowalska"]
    assert workshop.rows(AuditEntry) == []


def test_the_commands_do_the_same(workshop: Workshop, ask: Callable[..., Lead], monkeypatch) -> None:
    ask()
    monkeypatch.setenv("SHOPFLOOR_DATABASE_URL", workshop.db.url)
    monkeypatch.setenv("SHOPFLOOR_VAR_DIR", str(workshop.services.settings.var_dir))
    told = CliRunner().invoke(main, ["person", "export", "anna@example.test"])
    assert json.loads(told.output)["party"][0]["name"] == "Anna Kowalska"
    assert CliRunner().invoke(main, ["person", "forget", "anna@example.test"], input="n\n").exit_code == 1
    assert CliRunner().invoke(main, ["person", "forget", "anna@example.test", "--yes"]).output.startswith("Forgotten.")
    again = CliRunner().invoke(main, ["person", "export", "anna@example.test"])
    assert (again.exit_code, again.output) == (1, "Error: Nobody with this e-mail is known. Nothing was changed.\n")
    assert [one.name for one in workshop.rows(Party)] == ["–"]
