"""The way out of a campaign's letter, from the outside: a page with one button, and the one click of a mail program."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask

from backoffice.crm.models import Activity, CampaignRecipient, Consent
from storefront.cookies import ACCOUNT
from tests.company import open_company
from tests.conftest import FixedClock
from tests.integration.campaigns.conftest import WORDS, Mailing

BUTTON = "Send me no more letters."


@pytest.fixture
def letter(app: Flask, clock: FixedClock) -> tuple[Mailing, str]:
    """Send ada a letter; return the path of its way out."""
    mailing = Mailing(app.extensions["shopfloor"], clock)
    mailing.db.run(lambda session: open_company(session, now=clock()))
    mailing.meet("ada")
    draft = mailing.write()
    mailing.send(draft)
    mailing.queue()
    assert mailing.carry() == ["ada"]
    return mailing, urlsplit(str(mailing.sent[0]["unsubscribe"])).path


def withdrawn(mailing: Mailing) -> list[tuple[Any, Any]]:
    with mailing.db.read() as session:
        return [tuple(row) for row in session.execute(sa.select(Consent.withdrawn_at, Consent.withdrawal))]


def test_looking_changes_nothing_and_one_press_ends_it(app: Flask, letter: tuple[Mailing, str], clock: FixedClock) -> None:
    mailing, path = letter
    client = app.test_client()
    for ask in (client.get, client.head, client.get):
        assert ask(path).status_code == 200
    seen = client.get(path)
    page, told = seen.get_data(as_text=True), (seen.headers["Referrer-Policy"], seen.headers["X-Robots-Tag"])
    assert told == ("no-referrer", "noindex, nofollow")
    assert (page.count(BUTTON), page.count("<form"), "ada" in page.lower()) == (1, page.count("<form"), False)
    assert withdrawn(mailing) == [(None, {})]
    at = clock.advance(hours=1)
    done = client.post(path)
    assert (done.status_code, "You get no more letters" in done.get_data(as_text=True)) == (200, True)
    proof = {"campaign": "oak-in-autumn", "recipient": 1, "how": "page", "wording": BUTTON}
    assert withdrawn(mailing) == [(at, proof)]
    assert "You get no more letters" in client.get(path).get_data(as_text=True)


def test_unsubscribe_twice(app: Flask, letter: tuple[Mailing, str], clock: FixedClock) -> None:
    mailing, path = letter
    client = app.test_client()
    first = client.post(path, data={"List-Unsubscribe": "One-Click"})
    kept, at = withdrawn(mailing), clock()
    clock.advance(days=1)
    second = client.post(path, data={"List-Unsubscribe": "One-Click"})
    assert (first.status_code, second.status_code) == (200, 200)
    assert [one.get_data(as_text=True).count("You get no more letters") for one in (first, second)] == [1, 1]
    assert withdrawn(mailing) == kept
    assert kept[0][1]["how"] == "one_click"
    with mailing.db.read() as session:
        said = sa.select(Activity.kind, Activity.text).where(Activity.kind == "consent_withdrawn")
        assert [tuple(row) for row in session.execute(said)] == [("consent_withdrawn", WORDS)]
        assert session.scalars(sa.select(CampaignRecipient.unsubscribed_at)).all() == [at]


def test_a_mail_programs_click_comes_from_anywhere_with_any_cookie(app: Flask, letter: tuple[Mailing, str]) -> None:
    mailing, path = letter
    client = app.test_client()
    client.set_cookie(ACCOUNT, "somebody's")
    headers = {"Origin": "https://mail.else.test", "Sec-Fetch-Site": "cross-site"}
    assert client.post("/contact", headers=headers).status_code == 403
    assert client.post(path, data={"List-Unsubscribe": "One-Click"}, headers=headers).status_code == 200
    assert withdrawn(mailing)[0][0] is not None


@pytest.mark.parametrize("changed", ["1-", "2-x", "x", "1-AAAAAAAAAAAAAAAAAAAAAAAAAAA", "999999999999999999-x", "%C3%BC-ü"])
def test_a_link_that_we_did_not_make_ends_nothing(app: Flask, letter: tuple[Mailing, str], changed: str) -> None:
    mailing, _path = letter
    client = app.test_client()
    for ask in (client.get, client.post):
        assert ask(f"/unsubscribe/{changed}").status_code == 404
    assert withdrawn(mailing) == [(None, {})]


def test_a_field_of_another_form_is_refused(app: Flask, letter: tuple[Mailing, str]) -> None:
    mailing, path = letter
    assert app.test_client().post(path, data={"email": "ada@post.test"}).status_code == 422
    assert withdrawn(mailing) == [(None, {})]


def test_the_page_speaks_the_letters_language(app: Flask, letter: tuple[Mailing, str]) -> None:
    mailing, path = letter
    assert 'lang="de"' in app.test_client().get(f"/de{path}").get_data(as_text=True)
    assert app.test_client().post(f"/de{path}").status_code == 200
    assert withdrawn(mailing)[0][0] is not None
