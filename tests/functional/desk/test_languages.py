"""The desks speak the language that somebody chose in their browser, else the one it prefers, else the company's."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.functional.desk.conftest import Colleague

AtDesk = Callable[[str], Colleague]


def tag(page: str) -> str:
    found = re.search(r'<html lang="([^"]+)"', page)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("prefers", "speaks"), [("", "en"), ("de-AT,de;q=0.9,en;q=0.5", "de"), ("fr,en;q=0.3", "en"), ("fr", "en"), ("!,;;", "en")]
)
def test_a_browser_s_language_is_spoken_from_the_log_in_on(visitor: Callable[[], Colleague], prefers: str, speaks: str) -> None:
    page = visitor().client.get("/desk/login", headers={"Accept-Language": prefers})
    assert tag(page.text) == speaks
    assert ("Melden Sie sich an" in page.text) == (speaks == "de")


def test_a_choice_stands_over_the_browser_and_a_new_log_in(at_desk: AtDesk) -> None:
    bea = at_desk("Bea")
    answer = bea.post("/desk/language", language="de", next="/desk/sales?state=all")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/desk/sales?state=all")
    assert "Path=/desk/" in answer.headers["Set-Cookie"]
    page = bea.client.get("/desk/sales", headers={"Accept-Language": "en"}).text
    assert tag(page) == "de"
    assert 'name="language" value="de" lang="de" dir="ltr" aria-current="true"' in page
    bea.post("/desk/logout")
    assert tag(bea.get("/desk/login")) == "de"
    bea.log_in("Bea")
    assert tag(bea.get("/desk/sales")) == "de"
    assert tag(bea.get("/desk/sales/leads/99", 404)) == "de"


@pytest.mark.parametrize(
    ("field", "value"), [("language", "xx"), ("language", ""), ("next", "//evil.test"), ("next", "https://evil.test")]
)
def test_what_is_no_language_changes_nothing_and_leads_nowhere_else(at_desk: AtDesk, field: str, value: str) -> None:
    bea = at_desk("Bea")
    answer = bea.post("/desk/language", **{"language": "en", "next": "/desk/sales"} | {field: value})
    assert answer.headers["Location"] == ("/desk/" if field == "next" else "/desk/sales")
    assert ("desk-language" in answer.headers.get("Set-Cookie", "")) == (field == "next")
    assert tag(bea.get("/desk/sales")) == "en"


def test_the_choice_needs_its_token(at_desk: AtDesk) -> None:
    assert at_desk("Bea").client.post("/desk/language", data={"language": "de"}).status_code == 400
