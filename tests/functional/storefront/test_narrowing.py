"""Narrowing a list: all of it in the address, chips with a way back, nothing in it can break a page."""

from __future__ import annotations

import re
from datetime import date
from html import unescape

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

from backoffice.public.money import Money
from storefront import narrowing

TODAY = date(2026, 11, 24)


def links(page: str, css: str = "chip") -> list[str]:
    return [unescape(href) for href in re.findall(rf'class="{css}[^"]*"[^>]*href="([^"]*)"', page)]


def names(page: str) -> list[str]:
    return re.findall(r'class="card-name">([^<]*)<', page)


def test_what_is_chosen_is_in_the_address_and_stays_ticked(client: FlaskClient) -> None:
    page = client.get("/c/tables?f=Wood:Oak").text
    assert names(page) == ["Long table"]
    assert "1 product can be had" in page
    assert re.search(r'name="f" value="Wood:Oak" checked>', page)
    assert re.search(r'name="f" value="Wood:Ash">', page)
    assert "<legend>Wood*</legend>" in page
    assert "Wood*: Oak*" in page  # the chip, in the words of the reader


def test_each_chip_leads_to_the_list_without_it(client: FlaskClient) -> None:
    page = client.get("/c/tables?f=Wood:Oak&f=Size:180 cm&from=100&sort=cheapest").text
    oak, size, price, everything = links(page)
    assert "Oak" not in oak
    assert "Size" in oak
    assert "from=100" in oak
    assert "sort=cheapest" in oak
    assert ("Oak" in size, "Size" in size) == (True, False)
    assert ("from=" in price, "Oak" in price) == (False, True)
    assert everything == "/c/tables?sort=cheapest"
    for address in (oak, size, price, everything):
        assert client.get(address).status_code == 200


def test_a_narrowed_list_is_not_for_search_engines_and_names_the_whole_one(client: FlaskClient) -> None:
    whole, narrowed = client.get("/c/seats").text, client.get("/c/seats?f=Colour:Blue&sort=cheapest").text
    assert '<link rel="canonical" href="http://localhost/c/seats">' in whole
    assert "noindex" not in whole
    assert '<link rel="canonical" href="http://localhost/c/seats">' in narrowed
    assert '<meta name="robots" content="noindex">' in narrowed
    assert 'href="http://localhost/c/seats?page=2"' in client.get("/c/seats?page=2").text


def test_the_pager_and_the_place_keep_the_wish(client: FlaskClient) -> None:
    page = client.get("/c/seats?from=10&to=999&sort=cheapest").text
    [following] = re.findall(r'rel="next" href="([^"]*)"', page)
    assert unescape(following) == "/c/seats?from=10&to=999&sort=cheapest&page=2"
    assert names(page) == ["Box", "Stool", "Lamp"]
    assert names(client.get(unescape(following)).text) == ["Chair"]
    place = page[page.index('class="place"') :].partition("</form>")[0]
    assert re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', place) == [
        ("from", "10"),
        ("to", "999"),
        ("sort", "cheapest"),
    ]


def test_nothing_left_names_the_way_out(client: FlaskClient) -> None:
    answer = client.get("/c/seats?f=Colour:Mauve")
    assert answer.status_code == 200
    assert "Nothing here is all of that" in answer.text
    assert "Colour*: Mauve" in answer.text
    assert links(answer.text)[-1] == "/c/seats"


@pytest.mark.parametrize(
    "query",
    [
        "f=",
        "f=:",
        "f=Wood",
        "f=Wood:",
        "f=:Oak",
        "f=%00:%00",
        "f=" + "x" * 5000 + ":y",
        "&".join(f"f=N{n}:v" for n in range(3000)),
        'f=<b>:"><script>',
        "sort=; DROP TABLE product",
        "sort=",
        "from=&to=",
        "page=1&f=Wood:Oak&f=Wood:Oak",
    ],
)
@pytest.mark.parametrize("path", ["/c/seats?", "/search?q=o&"])
def test_what_is_no_wish_is_left_out_and_never_breaks(client: FlaskClient, path: str, query: str) -> None:
    answer = client.get(path + query)
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert '"><script>' not in answer.text


@pytest.mark.parametrize("typed", ["ten", "-1", "1e9", "1.2.3", "9" * 50, "१००", "NaN"])
def test_a_price_that_is_none_is_said_and_kept(client: FlaskClient, typed: str) -> None:
    answer = client.get("/c/seats", query_string={"from": typed})
    assert answer.status_code == 422
    assert "Write prices in digits" in answer.text
    assert f'value="{typed[:200]}"' in answer.text
    assert "4 products can be had" in answer.text


@pytest.mark.parametrize(
    ("typed", "minor"), [("49", 4900), ("49.9", 4990), ("49,90", 4990), ("0", 0), ("  7 ", 700), ("0.999", 99), ("", None)]
)
def test_prices_as_people_type_them(typed: str, minor: int | None) -> None:
    found = narrowing.read(MultiDict({"from": typed}), "EUR", TODAY)
    assert found.wish.price_from == (None if minor is None else Money(minor, "EUR"))
    assert found.problems == {}
    assert narrowing.read(MultiDict({"to": "500"}), "JPY", TODAY).wish.price_to == Money(500, "JPY")


def test_a_search_is_narrowed_too_and_keeps_its_words(client: FlaskClient) -> None:
    page = client.get("/search?q=a&f=Colour:Blue").text
    assert names(page) == ["Chair"]
    assert '<input type="hidden" name="q" value="a">' in page
    assert links(page) == ["/search?q=a", "/search?q=a"]


def test_all_that_arrives_by_a_day_is_found_without_words(client: FlaskClient) -> None:
    page = client.get("/search").text
    assert 'id="by-day" name="arrives_by" type="date"' in page
    assert names(page) == []  # neither words nor a wish: where to look
    page = client.get("/search?q=+&arrives_by=2026-11-30").text
    assert "What fits your wishes" in page
    assert names(page) == ["Stool", "Chair", "Box"]
    assert '<input type="hidden" name="q"' not in page
    assert links(page) == ["/search", "/search"]
    nothing = client.get("/search?arrives_by=2026-11-24").text
    assert "Nothing of this arrives by" in nothing
    wrong = client.get("/search?arrives_by=soon")
    assert (wrong.status_code, 'id="arrives-by-error"' in wrong.text, 'value="soon"' in wrong.text) == (422, True, True)


def test_a_day_to_arrive_by_is_a_wish_like_the_others(client: FlaskClient) -> None:
    page = client.get("/c/seats?from=10&arrives_by=2026-11-30&sort=cheapest").text
    assert 'type="date" class="narrow-date" value="2026-11-30" min="2026-11-24"' in page
    assert "arrives by Mon 30 Nov" in page
    price, day, _everything = links(page)
    assert ("arrives_by=2026-11-30" in price, "from=" in price) == (True, False)
    assert ("arrives_by" in day, "from=10" in day, "sort=cheapest" in day) == (False, True, True)
    place = page[page.index('class="place"') :].partition("</form>")[0]
    assert '<input type="hidden" name="arrives_by" value="2026-11-30">' in place


def test_too_early_a_day_is_answered_with_the_earliest_one(client: FlaskClient) -> None:
    answer = client.get("/c/seats?from=10&arrives_by=2026-11-24&sort=cheapest")
    assert answer.status_code == 200
    assert "Nothing of this arrives by Tue 24 Nov" in answer.text
    [earliest] = re.findall(r"something of it arrives is (\w+ \d+ \w+)\.", answer.text)
    inside = answer.text[answer.text.index('class="empty') :]
    on_earliest, any_day = (unescape(one) for one in re.findall(r'href="(/c/[^"]+)"', inside))
    assert any_day == "/c/seats?from=10&sort=cheapest"
    assert on_earliest.startswith("/c/seats?from=10&sort=cheapest&arrives_by=2026-1")
    assert f"Arrives {earliest}" in client.get(on_earliest).text
    assert len(names(client.get(any_day).text)) == 3


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("2026-11-23", "This day is over"),
        ("0001-01-01", "This day is over"),
        ("9999-12-31", "within the next two years"),
        ("08.12.2026", "as year, month, day"),
        ("20261208", "as year, month, day"),
        ("2026-W50-2", "as year, month, day"),
        ("2026-02-30", "as year, month, day"),
        ("२०२६-१२-०८", "as year, month, day"),
        ("2569-12-08", "within the next two years"),  # the same day in the Buddhist calendar
        ("tomorrow", "as year, month, day"),
        ("2026-12-08T10:00", "as year, month, day"),
        ("<b>", "as year, month, day"),
    ],
)
def test_a_day_that_is_none_is_said_and_not_taken(client: FlaskClient, typed: str, words: str) -> None:
    answer = client.get("/c/seats", query_string={"arrives_by": typed})
    assert answer.status_code == 422
    assert words in answer.text
    assert "4 products can be had" in answer.text
    assert "<b>" not in answer.text
