"""The product page: the day, why, bad input, and what to do when there is no day."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from tests.functional.storefront.fake_shop import sold
from tests.functional.storefront.fake_state import State


def test_the_day_its_reason_and_the_steps(client: FlaskClient) -> None:
    page = client.get("/p/ash-table?sku=TABLE-OAK&postcode=80331").text
    assert '<time datetime="2026-12-08">Tue 8 Dec</time>' in page
    assert "We make it for you: ready on Sun 6 Dec, it leaves our workshop on Mon 7 Dec." in page
    assert "Oak board: ordered from our supplier, who needs 7 days" in page
    assert "The station “Saw” is busy with earlier orders" in page
    assert "Tue 24 Nov – Tue 1 Dec" in page.replace("\u00a0", " ")
    assert "The carrier comes next on Mon 7 Dec" in page
    assert "€1,290.00" in page
    assert "incl. VAT" in page


def test_the_first_variant_that_can_be_had_is_chosen(client: FlaskClient) -> None:
    page = client.get("/p/chair").text
    assert 'value="CHAIR-BLUE" checked' in page
    assert "Put in cart" in page


def test_description_says_its_language_and_direction(client: FlaskClient) -> None:
    assert 'lang="ar" dir="rtl">طاولة طويلة' in client.get("/p/stool").text


def test_nothing_to_promise_is_said_with_two_ways_on(client: FlaskClient) -> None:
    answer = client.get("/p/chair?sku=CHAIR-RED")
    assert answer.status_code == 200
    assert "We cannot promise a day" in answer.text
    assert "Tell me when it can be had" in answer.text
    assert "Ask us" in answer.text
    assert "Put in cart" not in answer.text
    assert 'href="/p/chair?sku=CHAIR-BLUE"' in answer.text


def test_too_many_names_what_can_be_had(client: FlaskClient) -> None:
    page = client.get("/p/stool?quantity=3").text
    assert "2 pieces can be had" in page
    assert "quantity=2" in page


@pytest.mark.parametrize("typed", ["0", "-1", "1.5", "1000000000000000000", "many", "", "²", "1e3", "+1", "1 2"])
def test_a_quantity_that_is_none_is_said_and_kept(client: FlaskClient, typed: str) -> None:
    answer = client.get("/p/stool", query_string={"quantity": typed})
    assert answer.status_code == 422
    assert "Write the number of pieces in digits, from 1 to 9999." in answer.text
    page = answer.text
    assert f'name="quantity" class="quantity figures" value="{typed}"' in page


@pytest.mark.parametrize("typed", ["１２", "১২", "١٢", "0012", " 12 "])
def test_twelve_in_any_script_is_twelve(client: FlaskClient, state: State, typed: str) -> None:
    state.get("STOOL").stock = 11
    assert "11 pieces can be had" in client.get("/p/stool", query_string={"quantity": typed}).text
    state.get("STOOL").stock = 12
    assert "Put in cart" in client.get("/p/stool", query_string={"quantity": typed}).text


def test_a_postcode_that_does_not_exist_keeps_the_usual_day(client: FlaskClient) -> None:
    answer = client.get("/p/stool?postcode=00000")
    assert answer.status_code == 422
    assert "We do not deliver to this postcode" in answer.text
    assert "Thu 26 Nov" in answer.text
    assert 'value="00000"' in answer.text


def test_unknown_product_and_unknown_variant_are_404(client: FlaskClient) -> None:
    for address in ("/p/nothing", "/p/stool?sku=TABLE-OAK", "/p/stool?sku=%F0%9F%AA%91"):
        answer = client.get(address)
        assert answer.status_code == 404
        assert "We have no product under this address" in answer.text


def test_the_page_has_the_parts_that_htmx_replaces(client: FlaskClient) -> None:
    page = client.get("/p/ash-table?sku=TABLE-OAK&quantity=1&postcode=10115").text
    assert "Wed 9 Dec" in page
    [parts] = re.findall(r'hx-select-oob="([^"]*)"', page)
    assert parts == "#part-picture,#part-price,#part-problems,#part-day,#part-buy,#part-ask"
    for part in parts.split(","):
        assert f'id="{part[1:]}"' in page


def test_two_strangers_get_the_same_bytes(client: FlaskClient, app: object) -> None:
    for address in ("/", "/c/seats", "/search?q=stool", "/p/stool", "/p/gone", "/about"):
        one = client.get(address, headers={"User-Agent": "one", "Accept-Language": "ka"})
        two = client.get(address, headers={"User-Agent": "two", "Accept-Language": "de"})
        assert one.data == two.data
        assert "Set-Cookie" not in one.headers
        assert one.headers["Cache-Control"].startswith("public")
        assert "Cookie" in one.headers["Vary"]
        again = client.get(address, headers={"If-None-Match": one.headers["ETag"]})
        assert again.status_code == 304


def test_whoever_carries_a_cart_is_never_answered_from_a_shared_cache(client: FlaskClient) -> None:
    client.post("/cart/add", data={"sku": "STOOL", "slug": "stool", "quantity": "1"})
    assert client.get("/p/stool").headers["Cache-Control"].startswith("private")


def test_no_page_has_inline_script_or_style(client: FlaskClient) -> None:
    for address in ("/", "/p/stool", "/p/gone", "/cart", "/contact"):
        page = client.get(address).text
        assert "<style" not in page
        assert " style=" not in page
        assert "<script>" not in page
        assert " onclick=" not in page


def test_the_last_one_gone_shows_on_the_next_request(client: FlaskClient, state: State) -> None:
    tag = client.get("/p/stool").headers["ETag"]
    sold(state, "STOOL")
    answer = client.get("/p/stool", headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert "We cannot promise a day" in answer.text


def test_what_cannot_be_had_names_what_may_stand_in_for_it(client: FlaskClient, state: State) -> None:
    sold(state, "STOOL")
    state.stand_ins["STOOL"] = ["LAMP"]
    page = client.get("/p/stool?sku=STOOL&quantity=2").text
    assert "What may stand in for it:" in page
    assert 'href="/p/lamp?sku=LAMP&amp;quantity=2"' in page
    assert 'name="instead"' not in page  # nothing is taken but by its customer
