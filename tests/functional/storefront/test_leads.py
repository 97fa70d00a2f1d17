"""Asking us: contact, "tell me when", "ask us"; and the pages for what went wrong."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backoffice.public.leads import ConsentView
from tests.functional.storefront.fake_state import State

LETTER = {
    "message": "আমার একটি টেবিল দরকার",
    "email": "a@example.test",
    "name": "ნინო",
    "needed_by_on": "2026-12-24",
    "key": "k",
}


def test_contact_thanks_with_the_time_of_the_answer(client: FlaskClient, state: State) -> None:
    answer = client.post("/contact", data=LETTER)
    assert answer.status_code == 303
    assert "You have our answer by Wed 25 Nov, 09:00." in client.get(answer.headers["Location"]).text
    lead = state.leads["k"]
    assert (lead.kind, lead.message, lead.name) == ("contact", LETTER["message"], "ნინო")
    assert lead.needed_by_on == "2026-12-24"


def test_a_search_that_found_nothing_starts_the_letter(client: FlaskClient) -> None:
    assert ">\nswing</textarea>" in client.get("/contact?about=swing").text


@pytest.mark.parametrize("wrong", [{"email": ""}, {"email": "nobody"}, {"message": ""}, {"message": "я" * 5001}])
def test_a_refused_letter_is_kept(client: FlaskClient, state: State, wrong: dict[str, str]) -> None:
    typed = LETTER | wrong
    answer = client.post("/contact", data=typed)
    assert answer.status_code == 422
    assert typed["message"] in answer.text
    assert "ნინო" in answer.text
    assert f'<a href="#{next(iter(wrong))}">' in answer.text
    assert state.leads == {}


def test_five_thousand_letters_arrive(client: FlaskClient, state: State) -> None:
    assert client.post("/contact", data=LETTER | {"message": "я" * 5000}).status_code == 303
    assert len(state.leads["k"].message) == 5000


def test_the_trap_is_handed_on(client: FlaskClient, state: State) -> None:
    client.post("/contact", data=LETTER | {"website": "buy pills"})
    assert state.leads["k"].trap == "buy pills"


def test_tell_me_from_a_product_twice_is_one(client: FlaskClient, state: State) -> None:
    form = {"kind": "tell_me", "slug": "gone", "sku": "GONE", "quantity": "1", "email": "a@example.test"}
    first = client.post("/leads", data=form)
    client.post("/leads", data=form)
    assert first.status_code == 303
    assert len(state.leads) == 1
    assert next(iter(state.leads.values())).sku == "GONE"
    page = client.get(first.headers["Location"]).text
    assert "as soon as we can promise it" in page
    assert 'href="/p/gone"' in page
    client.post("/leads", data=form | {"email": "b@example.test"})
    assert len(state.leads) == 2


def test_a_refused_question_stays_on_its_product(client: FlaskClient) -> None:
    form = {"kind": "question", "slug": "gone", "sku": "GONE", "quantity": "1", "email": "x", "message": "كم؟"}
    answer = client.post("/leads", data=form)
    assert answer.status_code == 422
    assert "Old shelf" in answer.text
    assert "كم؟" in answer.text
    assert '<a href="#question-email">' in answer.text
    assert 'id="question-email"' in answer.text


def test_a_question_about_a_product_that_went_away_is_kept(client: FlaskClient) -> None:
    form = {"kind": "question", "slug": "no-more", "sku": "X", "email": "x", "message": "still there?"}
    answer = client.post("/leads", data=form)
    assert answer.status_code == 422
    assert "still there?" in answer.text


@pytest.mark.parametrize("back", ["https://evil.test/", "//evil.test", "/\\evil.test", ""])
def test_thanks_leads_nowhere_else(client: FlaskClient, back: str) -> None:
    page = client.get("/thanks", query_string={"back": back, "by": "not a time"}).text
    assert 'href="http' not in page
    assert 'href="//' not in page
    assert 'href="/\\' not in page
    assert 'href="/">Go on' in page


def test_404_413_and_500_look_like_the_shop(app: Flask, client: FlaskClient, state: State) -> None:
    missing = client.get("/no/such/page")
    assert missing.status_code == 404
    assert "Hobel &amp; Kante" in missing.text
    app.config["MAX_CONTENT_LENGTH"] = 100
    large = client.post("/contact", data={"message": "x" * 200})
    assert large.status_code == 413
    assert "larger than we can take" in large.text
    state.broken = True
    broken = client.get("/")
    assert broken.status_code == 500
    assert "Your cart is kept." in broken.text
    assert "Traceback" not in broken.text


def test_the_letters_box_is_empty_and_kept_in_its_own_words(client: FlaskClient, state: State) -> None:
    page = client.get("/contact").text
    box = page[page.index('name="newsletter"') - 40 :][:120]
    assert "checked" not in box
    client.post("/contact", data=LETTER)
    assert state.leads["k"].newsletter == ""
    client.post("/contact", data=LETTER | {"key": "k2", "newsletter": "yes"})
    assert state.leads["k2"].newsletter.startswith("Write to me by e-mail now and then")
    again = client.post("/contact", data=LETTER | {"newsletter": "yes", "email": ""}).text
    assert 'name="newsletter" value="yes" checked' in again


def test_what_brought_them_comes_from_the_first_visit(client: FlaskClient, state: State) -> None:
    client.set_cookie("source", "landing%3D%252Fp%252Fstool%26utm_source%3Dfair%26utm_medium%3Dcard%26utm_campaign%3Doak")
    client.post("/contact", data=LETTER | {"source": "typed"})
    lead = state.leads["k"]
    assert (lead.source, lead.medium, lead.campaign, lead.landing) == ("fair", "card", "oak", "/p/stool")


def test_without_a_script_the_form_carries_it(client: FlaskClient, state: State) -> None:
    page = client.get("/contact?utm_source=mail&utm_campaign=a%22b").text
    assert '<input type="hidden" name="campaign" value="a&#34;b">' in page
    assert '<input type="hidden" name="landing" value="/contact">' in page
    client.post("/contact", data=LETTER | {"source": "mail", "campaign": 'a"b', "landing": "/contact"})
    assert (state.leads["k"].source, state.leads["k"].campaign, state.leads["k"].landing) == ("mail", 'a"b', "/contact")


@pytest.mark.parametrize(
    "nonsense", ["", "%", "a&b&c", "utm_source%3D%00", "%26".join("abcdefghijklmnopqrstuvwxyz"), "x" * 5_000]
)
def test_nonsense_in_the_cookie_is_nothing(client: FlaskClient, state: State, nonsense: str) -> None:
    client.set_cookie("source", nonsense)
    assert client.post("/contact", data=LETTER).status_code == 303
    assert (state.leads["k"].source, state.leads["k"].campaign) == ("", "")


def test_a_price_is_asked_for_with_item_and_quantity(client: FlaskClient, state: State) -> None:
    page = client.get("/contact?kind=quote_request&sku=STOOL&quantity=40").text
    assert "Ask for a price" in page
    assert 'value="STOOL"' in page
    assert 'value="40"' in page
    answer = client.post("/contact", data=LETTER | {"kind": "quote_request", "sku": "STOOL", "quantity": "40"})
    lead = state.leads["k"]
    assert (lead.kind, lead.sku, lead.quantity) == ("quote_request", "STOOL", "40")
    assert "You have our answer by" in client.get(answer.headers["Location"]).text
    client.post("/contact", data=LETTER | {"kind": "tell_me", "key": "k2"})
    assert state.leads["k2"].kind == "contact"


def test_consent_is_taken_back_with_one_click(client: FlaskClient, state: State) -> None:
    state.consents["good"] = ConsentView("Write to <me>.", standing=True)
    page = client.get("/consent/good").text
    assert "Write to &lt;me&gt;." in page
    assert state.consents["good"].standing  # looking changes nothing: mail programs follow links on their own
    answer = client.post("/consent/good")
    assert answer.status_code == 303
    assert "You took it back" in client.get(answer.headers["Location"]).text
    assert not state.consents["good"].standing
    assert client.get("/consent/bad").status_code == 404
    assert client.post("/consent/bad").status_code == 404


def test_the_day_that_a_cart_asked_for_goes_along(client: FlaskClient) -> None:
    assert 'value="2026-12-08"' in client.get("/contact?needed_by_on=2026-12-08").text
