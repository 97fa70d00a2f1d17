"""What stands around every page is drawn once for each language and category, and again when what it shows has changed."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask, template_rendered
from flask.testing import FlaskClient

from tests.functional.storefront.fake_shop import Profile


@pytest.fixture
def drawn(app: Flask) -> Any:
    """The names of the templates that were drawn."""
    names: list[str] = []

    def note(_app: Flask, template: Any, **_more: Any) -> None:
        names.append(template.name)

    with template_rendered.connected_to(note, app):
        yield names


def parts(names: list[str]) -> list[str]:
    """Return the parts of the frame among them."""
    return sorted(name.rpartition("/")[2] for name in names if name.startswith("storefront/frame/"))


def test_a_second_page_in_the_same_language_draws_no_frame(client: FlaskClient, drawn: list[str]) -> None:
    assert client.get("/cart").status_code == 200
    assert parts(drawn) == ["files.html", "foot.html", "top.html"]
    drawn.clear()
    assert client.get("/contact").status_code == 200
    assert parts(drawn) == []
    assert client.get("/de/contact").status_code == 200
    assert parts(drawn) == ["files.html", "foot.html", "top.html"]


def test_another_name_of_the_shop_is_on_the_next_page(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Hobel &amp; Kante</span>" in client.get("/contact").text
    before = Profile.get
    monkeypatch.setattr(Profile, "get", lambda self: replace(before(self), name="Span <i>"))
    page = client.get("/contact").text
    assert "<span>Span &lt;i&gt;</span>" in page
    assert '<p class="brand-name">Span &lt;i&gt;</p>' in page
    assert "Hobel" not in page


def test_what_was_searched_for_stays_on_its_own_page(client: FlaskClient) -> None:
    assert 'name="q" type="search" value="st&#34;ool"' in client.get("/search?q=st%22ool").text
    assert 'name="q" type="search" value=""' in client.get("/contact").text


def test_the_category_that_a_page_lies_in_is_marked_there_alone(client: FlaskClient) -> None:
    marked = re.compile(r'<a href="(/c/[^"]+)" aria-current="true">')
    assert marked.findall(client.get("/c/seats").text.partition("<main")[0]) == ["/c/seats"]
    assert marked.findall(client.get("/contact").text.partition("<main")[0]) == []
    assert marked.findall(client.get("/p/stool").text.partition("<main")[0]) == ["/c/tables"]  # the fake one lies there
