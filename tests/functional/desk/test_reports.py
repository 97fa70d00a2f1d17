"""The reports' page: pictures with words, tables, files, the mail that can be stopped."""

from __future__ import annotations

from collections.abc import Callable

from backoffice.crm.models import ReportMail
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop


def test_a_manager_reads_saves_and_chooses(
    workshop: Workshop, at_desk: Callable[[str], Colleague], ask: Callable[..., object]
) -> None:
    ada = at_desk("Ada")
    assert ada.get("/desk/reports").count("Nothing to count yet") == 7
    ask(campaign="", source='=cmd|"x"')
    page = ada.get("/desk/reports?months=12")
    assert '<title id="funnel-name">Enquiries by source</title>' in page
    assert 'aria-labelledby="funnel-name funnel-about"' in page
    assert "style=" not in page
    said = ada.client.get("/desk/reports/export.csv?of=funnel").get_data().decode("utf-8-sig").splitlines()
    assert said[0].startswith('"Source","Came"')
    assert not said[1].startswith('"=')
    assert "checked> Every week" in ada.send("/desk/reports/mail", every="week").replace('value="week" checked>', "checked>")
    ada.refused("/desk/reports/mail", 422, every="hourly")
    ada.send("/desk/reports/mail", every="")
    with workshop.db.read() as session:
        assert session.query(ReportMail).count() == 0
    at_desk("Bea").get("/desk/reports", 403)
