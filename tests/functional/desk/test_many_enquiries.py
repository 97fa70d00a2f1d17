"""A thousand enquiries: the pages of the sales desk ask the database no more than for ten, and say each word once."""

from __future__ import annotations

from collections.abc import Callable

import flask_babel
import pytest

from backoffice.crm.models import Lead
from tests.functional.desk.conftest import Colleague

AtDesk = Callable[[str], Colleague]
Ask = Callable[..., Lead]


def test_a_row_looks_up_its_own_words_and_not_all_there_are(at_desk: AtDesk, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    translate = flask_babel.gettext
    monkeypatch.setattr(flask_babel, "gettext", lambda phrase, **values: asked.append(phrase) or translate(phrase, **values))
    for one in range(20):
        ask(key=f"k{one}", name=f"Asker {one:02}", email=f"a{one}@example.test")
    bea = at_desk("Bea")
    bea.get("/desk/sales")
    asked.clear()
    page = bea.get("/desk/sales")
    assert (page.count("data-row"), len(asked) < 100) == (20, True), len(asked)


def test_words_are_made_for_each_language_apart(at_desk: AtDesk, ask: Ask) -> None:
    ask()
    bea = at_desk("Bea")
    for language, word in (("en", "Product question"), ("de", "Frage zum Produkt"), ("en", "Product question")):
        bea.post("/desk/language", language=language, next="/desk/sales")
        assert word in bea.get("/desk/sales")
