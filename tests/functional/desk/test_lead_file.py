"""Enquiries from a file at the desk: looked at, taken, the broken rows handed back; nothing is lost and nothing comes twice."""

from __future__ import annotations

import html
from collections.abc import Callable
from io import BytesIO

from backoffice.crm.models import Lead
from tests.functional.desk.conftest import Colleague
from tests.functional.test_bad_input import everything
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]
PAGE = "/desk/sales/file"
GOOD = "Anna,anna@example.test,Two stools\nBen,ben@example.test,A <table>\n"
HEAD = "name,email,message\n"


def bring(colleague: Colleague, text: str | bytes, action: str) -> tuple[int, str]:
    """Send a file; return status and page."""
    data = text if isinstance(text, bytes) else text.encode()
    form = {"csrf_token": colleague.token(), "action": action, "file": (BytesIO(data), "leads.csv")}
    answer = colleague.client.post(PAGE, data=form, content_type="multipart/form-data")
    return answer.status_code, answer.get_data(as_text=True)


def test_looked_at_taken_known(at_desk: AtDesk, workshop: Workshop) -> None:
    bea = at_desk("Bea")
    broken = HEAD + GOOD + 'Cai,not-an-address,"Lamp, please"\n'
    status, page = bring(bea, broken, "look")
    assert (status, workshop.rows(Lead)) == (200, [])
    assert "Nothing is written yet" in page
    assert "line 4, column email: this is no e-mail address" in page
    status, page = bring(bea, broken, "take")
    assert (status, [one.message for one in workshop.rows(Lead)]) == (200, ["Two stools", "A <table>"])
    rows = page.split("<textarea", 1)[1].split(">\n", 1)[1].split("</textarea>", 1)[0]
    assert '"Cai","not-an-address","Lamp, please","4","email: this is no e-mail address",""' in html.unescape(rows)
    status, page = bring(bea, HEAD + GOOD, "take")
    assert (status, len(workshop.rows(Lead))) == (200, 2)
    assert "<dt>Known before</dt><dd>2</dd>" in page
    handed = bea.client.post(f"{PAGE}/broken", data={"csrf_token": bea.token(), "rows": "name\nCai"})
    assert handed.headers["Content-Disposition"] == 'attachment; filename="broken-2026-11-24.csv"'
    assert handed.get_data() == "\ufeffname\nCai".encode()


def test_what_is_no_file_is_said_and_nothing_is_taken(at_desk: AtDesk, workshop: Workshop) -> None:
    bea = at_desk("Bea")
    assert "Choose a file that is not empty." in bring(bea, " \n", "take")[1]
    status, page = bring(bea, HEAD + "x,y@example.test,z\n" * 2_001, "take")
    assert status == 422
    assert "More than 2000 lines" in page
    status, page = bring(bea, HEAD + 'Anna,anna@example.test,"open\n', "take")  # where the next row begins cannot be told
    assert status == 422
    assert "What is wrong" in page
    status, page = bring(bea, b"\xff\xfename", "take")
    assert status == 422
    assert workshop.rows(Lead) == []
    assert bea.client.post(f"{PAGE}/broken", data={"csrf_token": bea.token(), "rows": ""}).status_code == 404


def test_no_messages_or_too_much_is_refused_and_changes_nothing(at_desk: AtDesk, workshop: Workshop) -> None:
    bea = at_desk("Bea")
    before = everything(workshop.services)
    for text in ("name,email\nAnna,anna@example.test\n", "message of theirs,email\nHello,a@example.test\n", "name\n"):
        status, page = bring(bea, text, "take")
        assert (status, "column message: the column is missing" in html.unescape(page)) == (422, True)
    assert bring(bea, HEAD + "x" * (1 << 20), "take")[0] == 413
    assert everything(workshop.services) == before
