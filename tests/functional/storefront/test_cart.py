"""The cart: its cookie, its lines, what is refused and what is kept."""

from __future__ import annotations

from datetime import date

import pytest
from flask.testing import FlaskClient

from tests.functional.storefront.conftest import Clock
from tests.functional.storefront.fake_shop import sold
from tests.functional.storefront.fake_state import State


def add(client: FlaskClient, sku: str = "STOOL", slug: str = "stool", **more: str):  # type: ignore[no-untyped-def]  # the client's own answer class
    return client.post("/cart/add", data={"sku": sku, "slug": slug, "quantity": "1", **more})


def test_put_in_cart_redirects_and_gives_a_guarded_cookie(client: FlaskClient) -> None:
    answer = add(client)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/cart?added=STOOL"
    cookie = answer.headers["Set-Cookie"]
    assert "cart=cart-1" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Max-Age=5184000" in cookie  # 60 days
    assert "Secure" not in cookie


def test_over_https_the_cookie_is_secure(client: FlaskClient) -> None:
    answer = client.post("/cart/add", data={"sku": "STOOL", "slug": "stool", "quantity": "1"}, base_url="https://shop.test")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert answer.headers["Set-Cookie"].startswith("__Host-cart=cart-1;")
    assert client.get("/cart/count", base_url="https://shop.test").text == "1"


def test_a_cart_of_a_cookie_of_before_is_found_and_its_cookie_bound_to_the_host(client: FlaskClient) -> None:
    add(client)
    told = {"base_url": "https://localhost", "headers": {"Origin": "https://localhost"}}
    client.set_cookie("cart", "cart-1", domain="localhost")
    assert client.get("/cart/count", **told).text == "1"
    answer = client.post("/cart/add", data={"sku": "STOOL", "slug": "stool", "quantity": "1"}, **told)
    gone, kept = answer.headers.getlist("Set-Cookie")
    assert gone.startswith("cart=; Expires=Thu, 01 Jan 1970")
    assert kept.startswith("__Host-cart=cart-1;")
    assert client.get("/cart/count", **told).text == "2"


def test_the_cart_names_day_hold_and_sum(client: FlaskClient) -> None:
    add(client)
    page = client.get("/cart?added=STOOL").text
    assert "Stool is in your cart." in page
    assert "Arrives Thu 26 Nov" in page
    assert "We hold all of it for you until 09:15." in page
    assert "€93.90" in page  # 89.00 + 4.90 for the parcel


def test_the_same_one_twice_sums_up_and_counts(client: FlaskClient) -> None:
    add(client)
    add(client)
    assert client.get("/cart/count").text == "2"
    assert client.get("/cart/count").headers["Cache-Control"] == "no-store"
    assert "€178.00" in client.get("/cart").text


def test_all_in_one_parcel_on_the_latest_day(client: FlaskClient) -> None:
    add(client)
    add(client, "TABLE-OAK", "ash-table")
    page = client.get("/cart").text
    assert "All in one parcel on" in page
    assert '<strong class="parcel-day"><time datetime="2026-12-08">' in page
    assert "Arrives Tue 8 Dec" in page
    assert "Alone it would arrive Thu 26 Nov" in page


@pytest.mark.parametrize("typed", ["0", "-1", "1.5", "1000000000000000000", "many", ""])
def test_a_bad_quantity_is_said_on_the_product_and_kept(client: FlaskClient, typed: str) -> None:
    answer = add(client, quantity=typed, postcode="80331")
    assert answer.status_code == 422
    assert "Write the number of pieces in digits" in answer.text
    assert f'value="{typed}"' in answer.text
    assert 'value="80331"' in answer.text
    assert "Set-Cookie" not in answer.headers


def test_full_width_digits_are_digits(client: FlaskClient) -> None:
    assert add(client, "LAMP", "lamp", quantity="１０").status_code == 303
    assert client.get("/cart/count").text == "10"


def test_more_than_there_is_says_how_many(client: FlaskClient) -> None:
    answer = add(client, quantity="3")
    assert answer.status_code == 409
    assert "2 pieces can be had" in answer.text


def test_gone_unknown_and_other_currency_are_refused_in_words(client: FlaskClient) -> None:
    assert add(client, "GONE", "gone").status_code == 409
    assert add(client, "NO-SUCH", "stool").status_code == 404
    assert add(client, "", "").status_code == 404
    add(client)
    answer = add(client, "USD-BOX", "box")
    assert answer.status_code == 409
    assert "another currency" in answer.text


def test_an_unknown_postcode_puts_nothing_in(client: FlaskClient) -> None:
    answer = add(client, postcode="00000")
    assert answer.status_code == 422
    assert "We do not deliver to this postcode" in answer.text
    assert 'value="00000"' in answer.text
    assert client.get("/cart/count").text == ""


def test_another_postcode_typed_on_the_way_is_where_the_cart_goes(client: FlaskClient, state: State) -> None:
    add(client, postcode="80331")
    add(client, "LAMP", "lamp", postcode="10115")
    assert state.postcode == {"cart-1": "10115"}


def test_a_line_can_be_changed_and_taken_out(client: FlaskClient) -> None:
    add(client)
    answer = client.post("/cart/line", data={"sku": "STOOL", "quantity": "2", "action": "set"})
    assert answer.status_code == 303
    assert client.get("/cart/count").text == "2"
    client.post("/cart/line", data={"sku": "STOOL", "quantity": "2", "action": "remove"})
    assert "There is nothing in it yet." in client.get("/cart").text


def test_zero_takes_a_line_out(client: FlaskClient) -> None:
    add(client)
    client.post("/cart/line", data={"sku": "STOOL", "quantity": "0"})
    assert client.get("/cart/count").text == ""


@pytest.mark.parametrize("typed", ["-1", "1.5", "1000000000000000000", "many", ""])
def test_a_bad_change_is_said_at_its_line_and_the_cart_stays(client: FlaskClient, typed: str) -> None:
    add(client)
    answer = client.post("/cart/line", data={"sku": "STOOL", "quantity": typed})
    assert answer.status_code == 422
    assert "Write the number of pieces in digits" in answer.text
    assert f'value="{typed}"' in answer.text
    assert client.get("/cart/count").text == "1"


def test_a_change_beyond_what_there_is_keeps_the_line(client: FlaskClient) -> None:
    add(client)
    answer = client.post("/cart/line", data={"sku": "STOOL", "quantity": "9"})
    assert answer.status_code == 409
    assert "2 pieces can be had" in answer.text
    assert client.get("/cart/count").text == "1"


def test_posting_to_a_cart_that_is_gone_is_a_message(client: FlaskClient) -> None:
    client.set_cookie("cart", "from-last-year")
    assert client.post("/cart/line", data={"sku": "STOOL", "quantity": "1"}).status_code == 409
    assert client.get("/cart").status_code == 200
    assert client.get("/cart/count").text == ""
    assert client.post("/cart/postcode", data={"postcode": "80331"}).status_code == 303


def test_a_hold_that_ran_out_can_be_taken_again(client: FlaskClient, clock: Clock) -> None:
    add(client)
    clock.forward(16)
    page = client.get("/cart").text
    assert "The time we held this for you is over." in page
    assert 'href="/checkout"' not in page
    assert client.post("/cart/line", data={"action": "renew"}).status_code == 303
    assert "We hold all of it for you until 09:31." in client.get("/cart").text


def test_the_last_minutes_are_counted_in_words(client: FlaskClient, clock: Clock) -> None:
    add(client)
    clock.forward(12)
    assert "for 3 more minutes, until 09:15" in client.get("/cart").text


def test_a_lost_line_says_what_is_safe_and_what_next(client: FlaskClient, state: State) -> None:
    add(client)
    add(client, "LAMP", "lamp")
    sold(state, "STOOL")
    page = client.get("/cart").text
    assert "The rest of your cart is kept." in page
    assert "Tell me when, or ask us" in page
    assert 'href="/checkout"' not in page


def test_a_line_that_is_partly_there_offers_the_rest(client: FlaskClient, state: State) -> None:
    add(client, quantity="2")
    state.get("STOOL").stock = 1
    page = client.get("/cart").text
    assert "We can no longer promise 2 of these, but 1." in page
    assert "Take 1" in page


def test_what_moved_is_said_on_top(client: FlaskClient, state: State) -> None:
    add(client)
    state.was_on["STOOL"] = date(2026, 11, 25)
    page = client.get("/cart").text
    assert "Changed since you last looked" in page
    assert "now arrives Thu 26 Nov instead of Wed 25 Nov" in page


def test_the_postcode_moves_the_day_and_a_wrong_one_is_kept(client: FlaskClient) -> None:
    add(client)
    assert client.post("/cart/postcode", data={"postcode": "10115"}).status_code == 303
    assert "Arrives Fri 27 Nov" in client.get("/cart").text
    answer = client.post("/cart/postcode", data={"postcode": "00000"})
    assert answer.status_code == 422
    assert 'value="00000"' in answer.text
    assert client.post("/cart/postcode", data={"postcode": ""}).status_code == 422


def test_a_get_where_a_post_belongs_is_a_405_in_words(client: FlaskClient) -> None:
    answer = client.get("/cart/add")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert "Your cart is kept." in answer.text


def test_an_asked_day_is_answered_yes_or_with_the_earliest(client: FlaskClient) -> None:
    add(client)
    assert client.post("/cart/day", data={"requested_on": "2026-12-01"}).status_code == 303
    page = client.get("/cart").text
    assert "Yes: all of it arrives by" in page
    assert 'value="2026-12-01"' in page
    client.post("/cart/day", data={"requested_on": "2026-11-24"})
    page = client.get("/cart").text
    assert "Not all of it by" in page
    assert "The earliest is" in page
    client.post("/cart/day", data={"requested_on": "2026-11-24", "action": "any"})
    assert "Not all of it by" not in client.get("/cart").text


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("2026-11-23", "This day is over"),
        ("9999-12-31", "within the next two years"),
        ("24/12/2026", "as year, month, day"),
        ("1448-06-01", "This day is over"),  # an Islamic year
        ("<i>soon", "as year, month, day"),
    ],
)
def test_an_asked_day_that_is_none_is_said_beside_it(client: FlaskClient, state: State, typed: str, words: str) -> None:
    add(client)
    answer = client.post("/cart/day", data={"requested_on": typed})
    assert answer.status_code == 422
    assert words in answer.text
    assert "<i>" not in answer.text
    assert state.asked_day is None


def test_without_a_cart_nothing_is_asked(client: FlaskClient) -> None:
    assert client.post("/cart/day", data={"requested_on": "2026-12-01"}).status_code == 409
    assert client.post("/cart/instead", data={"sku": "STOOL", "instead": "LAMP"}).status_code == 409
