"""Home, categories, search, and the plain pages."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from storefront.views.pages import TEXTS
from tests.functional.storefront.fake_shop import sold
from tests.functional.storefront.fake_state import State


def test_home_shows_each_product_with_price_day_and_badge(client: FlaskClient) -> None:
    page = client.get("/").text
    assert "Stool" in page
    assert "€89.00" in page
    # Tuesday the 24th + one day in the house + one on the road
    assert "Arrives Thu 26 Nov" in page
    assert "Made for you" in page


def test_what_cannot_be_promised_is_not_listed(client: FlaskClient, state: State) -> None:
    assert "Stool" in client.get("/c/seats").text
    sold(state, "STOOL")
    assert "Stool" not in client.get("/c/seats").text


def test_a_category_names_how_many_can_be_had_and_pages_through_them(client: FlaskClient) -> None:
    first = client.get("/c/seats").text
    assert "4 products can be had" in first
    assert "Page 1 of 2" in first
    assert 'href="/c/seats?page=2"' in first
    assert "Page 2 of 2" in client.get("/c/seats?page=2").text


@pytest.mark.parametrize("page", ["0", "-1", "1.5", "two", "3", "1000000000000000000", "", "１"])
def test_a_page_that_is_not_there_is_a_404(client: FlaskClient, page: str) -> None:
    answer = client.get("/c/seats", query_string={"page": page})
    assert answer.status_code == 404
    assert "no such page" in answer.text


def test_unknown_category_is_a_404_in_words(client: FlaskClient) -> None:
    answer = client.get("/c/nowhere")
    assert answer.status_code == 404
    assert "We have no such category" in answer.text
    assert "unknown_category" not in answer.text


def test_search_finds_and_keeps_the_words(client: FlaskClient) -> None:
    page = client.get("/search?q=stool").text
    assert "<q>stool</q>" in page
    assert "1 product can be had" in page


def test_an_empty_search_offers_near_words_and_a_lead(client: FlaskClient) -> None:
    page = client.get("/search", query_string={"q": "<b>দোলনা</b>"}).text
    assert "&lt;b&gt;দোলনা&lt;/b&gt;" in page
    assert 'href="/search?q=stool"' in page
    assert "/contact?about=" in page


def test_a_search_of_5000_letters_is_refused_and_kept(client: FlaskClient) -> None:
    words = "ა" * 5000
    answer = client.get("/search", query_string={"q": words})
    assert answer.status_code == 422
    assert "200 characters at most" in answer.text
    assert words in answer.text


def test_days_are_named_for_the_postcode_and_it_is_remembered(client: FlaskClient) -> None:
    answer = client.get("/c/seats?postcode=10115")
    assert "Arrives Fri 27 Nov" in answer.text  # one day more than usual
    assert "place=10115" in answer.headers["Set-Cookie"]
    assert "Arrives Fri 27 Nov" in client.get("/").text


def test_a_postcode_that_does_not_exist_is_said_and_the_list_stays(client: FlaskClient) -> None:
    answer = client.get("/c/seats?postcode=00000")
    assert answer.status_code == 422
    assert "We do not deliver to this postcode" in answer.text
    assert 'value="00000"' in answer.text
    assert "Arrives Thu 26 Nov" in answer.text
    assert "Set-Cookie" not in answer.headers


def test_a_remembered_place_that_is_none_does_not_break_a_page(client: FlaskClient) -> None:
    client.set_cookie("place", "x" * 100)
    assert client.get("/").status_code == 200
    client.set_cookie("place", "99999")
    assert client.get("/").status_code == 200
    assert client.get("/p/stool").status_code == 200


@pytest.mark.parametrize("name", TEXTS)
def test_each_plain_page(client: FlaskClient, name: str) -> None:
    answer = client.get(f"/{name}")
    assert answer.status_code == 200
    assert "<h1>" in answer.text


def test_the_plain_pages_say_what_this_company_has_set(client: FlaskClient) -> None:
    assert "for 30 days after it has arrived" in client.get("/returns").text
    imprint = client.get("/imprint").text
    assert "VAT number: DE123456789" in imprint
    assert "Register entry: HRB 77 Coburg" in imprint


def test_robots_keep_out_of_what_is_private(client: FlaskClient) -> None:
    assert "Disallow: /o/" in client.get("/robots.txt").text


def test_pictures_are_served_as_what_they_are_and_nothing_else_is(client: FlaskClient) -> None:
    drawing = client.get("/media/stool.svg")
    assert drawing.headers["Content-Type"].startswith("image/svg+xml")
    assert drawing.headers["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'"
    assert client.get("/media/notes.txt").status_code == 404
    assert client.get("/media/%2e%2e/secret.svg").status_code == 404
    assert client.get("/media/missing.png").status_code == 404
