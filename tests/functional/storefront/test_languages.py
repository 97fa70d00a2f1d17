"""Addresses in other languages: the same pages below a prefix, a choice that is remembered, nothing that follows a browser."""

from __future__ import annotations

import re

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from jinja2 import Environment

from storefront import languages
from tests.functional.storefront.fake_state import State


def tag(page: str) -> str:
    """Return what a page says its language is."""
    found = re.search(r'<html lang="([^"]+)"', page)
    assert found
    return found[1]


@pytest.mark.parametrize("path", ["/", "/c/seats", "/p/stool", "/search?q=stool", "/contact", "/cart", "/about"])
def test_every_page_has_a_twin_whose_links_stay_in_its_language(client: FlaskClient, path: str) -> None:
    english, german = client.get(path), client.get(f"/de{path}")
    assert [english.status_code, german.status_code] == [200, 200]
    assert [tag(english.text), tag(german.text)] == ["en", "de"]
    links = re.findall(r'(?:href|action|data-count|data-day)="(/[^"]*)"', german.text)
    assert len(links) > 10
    assert [one for one in links if not one.startswith(("/de/", "/static/"))] == []
    assert [one for one in re.findall(r'(?:href|action)="(/[^"]*)"', english.text) if one.startswith("/de/")] == []


def test_search_engines_are_told_of_the_twins_and_of_nobody_elses_pages(client: FlaskClient) -> None:
    for address in ("/p/stool?quantity=2", "/de/p/stool"):
        assert re.findall(r'rel="alternate" hreflang="([^"]+)" href="([^"]+)"', client.get(address).text) == [
            ("en", "http://localhost/p/stool"),
            ("de", "http://localhost/de/p/stool"),
            ("x-default", "http://localhost/p/stool"),
        ]
    assert 'hreflang="de" href="http://localhost/de/c/seats?page=1"' in client.get("/c/seats?page=1&postcode=80331").text
    assert 'rel="canonical" href="http://localhost/de/p/stool"' in client.get("/de/p/stool").text
    assert "alternate" not in client.get("/cart").text
    assert "Disallow: /de/o/\n" in client.get("/robots.txt").text
    assert 'hreflang="de" href="http://localhost/de/p/stool"' in client.get("/sitemap.xml").text


def test_a_page_is_the_same_bytes_whatever_the_browser_prefers(client: FlaskClient) -> None:
    english = client.get("/p/stool", headers={"Accept-Language": "en"})
    german = client.get("/p/stool", headers={"Accept-Language": "de"})
    assert english.data == german.data
    assert "Accept-Language" not in english.headers.get("Vary", "")
    assert english.headers["Cache-Control"].startswith("public")


def test_a_choice_leads_to_the_same_page_and_is_remembered(client: FlaskClient) -> None:
    switch = re.search(r'href="(/language/de[^"]*)"', client.get("/p/stool?quantity=2&postcode=80331").text)
    assert switch
    there = client.get(switch[1].replace("&amp;", "&"))
    assert (there.status_code, there.headers["Location"]) == (303, "/de/p/stool?quantity=2&postcode=80331")
    assert there.headers["Cache-Control"] == "no-store"
    later = client.get("/c/seats?page=1")
    assert (later.status_code, later.headers["Location"]) == (302, "/de/c/seats?page=1")
    assert later.headers["Cache-Control"] == "private, no-store"
    back = client.get("/de/language/en?back=/c/seats")
    assert back.headers["Location"] == "/c/seats"
    assert client.get("/c/seats").status_code == 200
    assert client.get("/de/c/seats").status_code == 200  # a link somebody sent is read as it was sent


@pytest.mark.parametrize("back", ["//evil.test", "https://evil.test", "/\\evil.test", ""])
def test_the_switch_leads_nowhere_else(client: FlaskClient, back: str) -> None:
    assert client.get("/language/de", query_string={"back": back}).headers["Location"] == "/de/"


@pytest.mark.parametrize("path", ["/language/fr", "/fr/", "/dea/", "/de/robots.txt", "/de/sitemap.xml", "/de/de/", "/de/desk/"])
def test_what_is_no_language_and_no_page_is_not_there(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "Set-Cookie" not in answer.headers


def test_a_refused_form_offers_its_page_in_the_other_language(client: FlaskClient) -> None:
    refused = client.post("/de/contact", data={"message": "", "email": "no address"})
    assert (refused.status_code, tag(refused.text)) == (422, "de")
    assert 'href="/de/language/en?back=/contact"' in refused.text
    nowhere = client.post("/de/leads", data={"kind": "question", "message": ""})
    assert 'href="/de/language/en?back=/"' in nowhere.text


def test_posts_keep_their_language(client: FlaskClient, state: State) -> None:
    assert client.post("/de/cart/add", data={"sku": "STOOL", "quantity": "1"}).headers["Location"] == "/de/cart?added=STOOL"
    form = {"message": "Haben Sie Hocker?", "name": "Ada", "email": "ada@example.test"}
    assert client.post("/de/contact", data=form).headers["Location"].startswith("/de/thanks?")
    assert [lead.language for lead in state.leads.values()] == ["de"]


def test_a_shop_speaks_what_it_chose(app: Flask) -> None:
    from dataclasses import replace

    from storefront.app import NOBODY

    there_are = ["de", "en", "pt-BR"]
    assert languages.speech(replace(NOBODY, language="de"), there_are) == languages.Speech("de", ("en", "pt-BR"))
    assert languages.speech(replace(NOBODY, language="de-AT", languages=["pt_BR"]), there_are) == languages.Speech(
        "de", ("pt-BR",)
    )
    assert languages.speech(replace(NOBODY, language="fi", languages=["de"]), there_are) == languages.Speech("en", ("de",))


def test_the_shops_own_language_has_no_prefix(client: FlaskClient, monkeypatch: pytest.MonkeyPatch, app: Flask) -> None:
    monkeypatch.setitem(app.extensions, "shopfloor-speech", lambda: languages.Speech("de", ()))
    assert tag(client.get("/").text) == "de"
    for prefix in ("/de", "/en"):  # the one is its own language, the other is not spoken here
        moved = client.get(f"{prefix}/p/stool?quantity=2")
        assert (moved.status_code, moved.headers["Location"]) == (302, "/p/stool?quantity=2")
    assert "/language/" not in client.get("/").text


def test_an_error_page_stands_in_its_language_when_all_below_has_fallen(client: FlaskClient, state: State) -> None:
    state.broken = True
    assert tag(client.get("/de/p/stool").text) == "de"
    assert client.get("/p/stool").status_code == 500


SAID = [
    ("_('Cart')", {}, True),
    ("_('Cart')", {}, False),
    ("_('100 %% wool')", {}, True),
    ("_('<b>%(name)s</b>', name=name)", {"name": "<i>"}, True),
    ("_('<b>%(name)s</b>', name=name)", {"name": "<i>"}, False),
    ("_('Cart & %(n)s', n=3) ~ '<'", {}, True),
]


@pytest.mark.parametrize(("phrase", "values", "escape"), SAID)
@pytest.mark.parametrize("language", ["en", "de"])
def test_a_template_says_what_jinja_would_say(
    app: Flask, language: str, phrase: str, values: dict[str, str], escape: bool
) -> None:
    template = f"{{% autoescape {str(escape).lower()} %}}{{{{ {phrase} }}}}{{% endautoescape %}}"
    theirs = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    said = {"Cart": "Warenkorb"} if language == "de" else {}
    theirs.install_gettext_callables(lambda text: said.get(text, text), lambda one, _many, _n: one, newstyle=True)  # type: ignore[attr-defined] # added by the extension
    with app.test_request_context("/"):
        g.reader_language = language
        twice = [app.jinja_env.from_string(template).render(values) for _again in range(2)]
    assert twice == [theirs.from_string(template).render(values)] * 2
