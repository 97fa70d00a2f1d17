"""Personal data at the desk: looked up, handed out as a file, erased with the proof that it was done."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from click.testing import CliRunner, Result

from backoffice.audit import AuditEntry
from backoffice.cli import main
from backoffice.crm.models import Lead, Party
from backoffice.privacy.models import Erasure
from tests.conftest import FixedClock
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]
HOME = "/desk/admin/persons"


def test_somebody_is_looked_up_handed_out_and_erased(at_desk: AtDesk, workshop: Workshop, ask: Callable[..., Lead]) -> None:
    lead, ada = ask(), at_desk("Ada")
    assert "Nobody like this is known." in ada.get(f"{HOME}?q=nobody@example.test")
    for typed in ("Anna@Example.test", "+48 22 111", "kowal"):
        assert f'href="{HOME}/{lead.party_id}"' in ada.get(f"{HOME}?{urlencode({'q': typed})}"), typed
    page = ada.get(f"{HOME}/{lead.party_id}")
    assert "anna@example.test" in page
    answer = ada.post(f"{HOME}/{lead.party_id}/export")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="person-{lead.party_id}.zip"'
    told, read = unpack(answer.data)
    assert told["lead"][0]["message"] == "Is the stool stable on stone?"
    assert "Is the stool stable on stone?" in read
    form = {"how": "email", "on": "2026-11-20", "sure": "yes"}
    for wrong in ({"sure": ""}, {"on": "soon"}, {"on": "2026-12-24"}, {"how": "telepathy"}):
        ada.refused(f"{HOME}/{lead.party_id}/erase", 422, **{**form, **wrong})
    assert ([one.name for one in workshop.rows(Party)], workshop.rows(Erasure)) == (["Anna Kowalska"], [])
    page = ada.send(f"{HOME}/{lead.party_id}/erase", **form)
    assert "Erased. Orders keep" in page
    assert ada.post(f"{HOME}/{lead.party_id}/erase", **form).location == f"{HOME}/erased/1"  # the same form, sent again
    assert ada.client.get(f"{HOME}/{lead.party_id}").location == f"{HOME}/erased/1"
    assert [(one.name, one.email, one.phone) for one in workshop.rows(Party)] == [("–", None, "")]
    assert [one.message for one in workshop.rows(Lead)] == [""]
    [proof] = workshop.rows(Erasure)
    assert (proof.actor, proof.role, proof.asked_how, proof.asked_on) == ("ada@werk.test", "admin", "email", date(2026, 11, 20))
    file = ada.post(f"{HOME}/erased/1/export").data
    assert (hashlib.sha256(file).hexdigest(), unpack(file)[0]["party"][0]["name"]) == (proof.export_hash, "Anna Kowalska")
    for typed in ("anna@example.test", "+48 22 111"):
        assert "Somebody with this e-mail or telephone was erased" in ada.get(f"{HOME}?{urlencode({'q': typed})}")
    assert "Deleted. Nothing is left" in ada.send(f"{HOME}/erased/1/handed-over")
    assert "The export is not here any more" in ada.send(f"{HOME}/erased/1/export")
    assert [one.export for one in workshop.rows(Erasure)] == [None]
    actions = [(one.action, one.subject, one.actor) for one in workshop.rows(AuditEntry)]
    whose = (f"party:{lead.party_id}", "ada@werk.test")
    over = ("person.handed_over", "erasure:1", "ada@werk.test")
    assert actions == [("person.export", *whose), ("person.forget", *whose), over]
    at_desk("Bea").get("/desk/sales")  # and the desk still shows what is left
    at_desk("Bea").get(f"/desk/sales/leads/{lead.id}")
    at_desk("Bea").get(f"/desk/sales/customers/{lead.party_id}")


def test_what_is_under_way_is_finished_first(at_desk: AtDesk, workshop: Workshop) -> None:
    order = workshop.buy(STOOL=1)
    [party] = workshop.rows(Party)
    ada = at_desk("Ada")
    assert f"Order {order.number}: ship or cancel it" in ada.get(f"{HOME}/{party.id}")
    page = ada.refused(f"{HOME}/{party.id}/erase", 409, how="letter", on="2026-11-20", sure="yes")
    assert "Goods or money are still on their way" in page
    assert [one.name for one in workshop.rows(Party)] == ["Ada Lovelace"]


def test_it_is_for_administrators_who_have_just_said_who_they_are(
    at_desk: AtDesk, workshop: Workshop, ask: Callable[..., Lead], clock: FixedClock
) -> None:
    lead = ask()
    at_desk("Bea").refused(f"{HOME}/{lead.party_id}/export", 403)
    ada = at_desk("Ada")
    clock.advance(minutes=11)
    for verb in ("export", "erase"):
        answer = ada.post(f"{HOME}/{lead.party_id}/{verb}", how="letter", on="2026-11-20", sure="yes")
        assert (answer.location or "").startswith("/desk/sure?next="), verb
    assert [one.name for one in workshop.rows(Party)] == ["Anna Kowalska"]
    assert workshop.rows(AuditEntry) == []


def test_the_commands_do_the_same(workshop: Workshop, ask: Callable[..., Lead], monkeypatch, tmp_path: Path) -> None:
    def run(*typed: str, says: str = "") -> Result:
        return CliRunner().invoke(main, ["person", *typed], input=says or None)

    ask()
    monkeypatch.setenv("SHOPFLOOR_DATABASE_URL", workshop.db.url)
    monkeypatch.setenv("SHOPFLOOR_VAR_DIR", str(workshop.services.settings.var_dir))
    monkeypatch.setenv("SHOPFLOOR_SECRET_KEY", workshop.services.settings.secret_key)
    file = tmp_path / "anna.zip"
    erase = ("erase", "anna@example.test", "--to", str(file), "--asked", "phone", "--on", "2026-11-20")
    assert json.loads(run("export", "anna@example.test").output)["party"][0]["name"] == "Anna Kowalska"
    assert (run(*erase, says="n\n").exit_code, file.exists()) == (1, False)
    assert run("erased", "anna@example.test").exit_code == 1
    assert run(*erase, "--yes").output.startswith("Erased: number 1. The export is ")
    [proof] = workshop.rows(Erasure)
    assert (proof.export_hash, proof.export) == (hashlib.sha256(file.read_bytes()).hexdigest(), None)
    assert "is there already. Nothing was changed." in run(*erase, "--yes").output
    assert run("erased", "anna@example.test").output.split("\t")[2:] == ["command", "phone", "2026-11-20\n"]
    again = run("export", "anna@example.test")
    assert (again.exit_code, again.output) == (1, "Error: Nobody with this e-mail is known. Nothing was changed.\n")
    assert [one.name for one in workshop.rows(Party)] == ["–"]
    listed = run("erasures").output
    assert "anna" not in listed
    (tmp_path / "list").write_text(listed)
    assert run("erase-again", str(tmp_path / "list")).output == "1\tknown\n"


def unpack(file: bytes) -> tuple[dict[str, Any], str]:
    """Return what an export says to a program, and what to a person."""
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        return json.loads(archive.read("person.json")), archive.read("person.html").decode()
