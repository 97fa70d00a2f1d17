"""Checkout: one page, nothing typed is ever lost."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from backoffice.public.errors import BadInput, Refused
from tests.functional.storefront.conftest import Clock
from tests.functional.storefront.fake_shop import sold
from tests.functional.storefront.fake_state import State

TYPED = {
    "email": "ნინო@example.test",
    "name": "নীলা <b> & ko",
    "phone": "+49 170 1",
    "street": "Donaudampfschifffahrtsstraße 1",
    "postcode": "80331",
    "city": "München",
    "country": "DE",
    "note": "اتصل من فضلك",
}


def hidden(page: str) -> dict[str, str]:
    """Return what the page carries along."""
    return dict(re.findall(r'<input type="hidden" name="(key|cart_version|total_minor)" value="([^"]*)"', page))


@pytest.fixture
def page(client: FlaskClient) -> str:
    """The checkout page of somebody who buys a stool for Munich."""
    client.post("/cart/add", data={"sku": "STOOL", "slug": "stool", "quantity": "1", "postcode": "80331"})
    return client.get("/checkout").text


def test_the_page_has_three_groups_and_a_button_with_the_amount(page: str) -> None:
    for words in ("Where to", "How", "Pay €93.90"):
        assert words in page
    for hint in ("email", "name", "address-line1", "postal-code", "address-level2", "country", "tel"):
        assert f'autocomplete="{hint}"' in page
    carried = hidden(page)
    assert carried["total_minor"] == "9390"
    assert len(carried["key"]) >= 20
    assert 'value="80331"' in page


def test_coming_here_holds_again(client: FlaskClient, clock: Clock) -> None:
    client.post("/cart/add", data={"sku": "STOOL", "slug": "stool", "quantity": "1"})
    clock.forward(10)
    assert "until 09:25" in client.get("/checkout").text


def test_an_empty_cart_has_nothing_to_pay(client: FlaskClient) -> None:
    answer = client.get("/checkout")
    assert answer.status_code == 200
    assert "There is nothing in your cart." in answer.text


def test_paying_sends_the_browser_on(client: FlaskClient, state: State, page: str) -> None:
    answer = client.post("/checkout", data=TYPED | hidden(page))
    assert answer.status_code == 303
    assert answer.headers["Location"] == "https://pay.test/1"
    assert state.started[0].name == TYPED["name"]
    assert state.started[0].note == TYPED["note"]


def test_the_same_form_twice_is_one_payment(client: FlaskClient, state: State, page: str) -> None:
    form = TYPED | hidden(page)
    assert client.post("/checkout", data=form).status_code == 303
    assert client.post("/checkout", data=form).status_code == 303
    assert len(state.started) == 1


def test_missing_fields_are_named_and_all_else_is_kept(client: FlaskClient, page: str) -> None:
    answer = client.post("/checkout", data=TYPED | {"city": "", "street": " "} | hidden(page))
    assert answer.status_code == 422
    assert 'role="alert" tabindex="-1" autofocus' in answer.text
    assert '<a href="#street">Street and number: Please fill this in.</a>' in answer.text
    assert '<a href="#city">Town: Please fill this in.</a>' in answer.text
    assert 'aria-describedby=" city-error" aria-invalid="true"' in answer.text
    assert "নীলা &lt;b&gt; &amp; ko" in answer.text
    assert "اتصل من فضلك" in answer.text
    assert hidden(answer.text)["key"] != hidden(page)["key"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Refused("stale"), "Something in your cart has changed"),
        (Refused("price_changed"), "A price has changed"),
        (Refused("day_moved"), "The day has moved"),
        (Refused("not_available", most=0), "We cannot promise a day"),
        (Refused("hold_expired"), "Your cart is as you left it"),
        (Refused("something_new"), "Nothing was lost"),
        (BadInput("invalid_form", {"email": "bad_email", "fax": "odd"}), "name@example.com"),
    ],
)
def test_every_refusal_is_words_and_keeps_the_form(
    client: FlaskClient, state: State, page: str, error: Exception, words: str
) -> None:
    state.refuse_start = error
    answer = client.post("/checkout", data=TYPED | hidden(page))
    assert answer.status_code in {409, 422}
    assert words in answer.text
    assert "Donaudampfschifffahrtsstraße 1" in answer.text
    assert "something_new" not in answer.text


@pytest.mark.parametrize("tampered", [{"cart_version": "9e9"}, {"cart_version": ""}, {"total_minor": "1"}])
def test_a_stale_or_tampered_page_pays_nothing(client: FlaskClient, state: State, page: str, tampered: dict[str, str]) -> None:
    answer = client.post("/checkout", data=TYPED | hidden(page) | tampered)
    assert answer.status_code == 409
    assert state.started == []
    assert TYPED["street"] in answer.text


def test_another_postcode_with_another_day_is_shown_before_paying(client: FlaskClient, state: State, page: str) -> None:
    answer = client.post("/checkout", data=TYPED | {"postcode": "10115"} | hidden(page))
    assert answer.status_code == 409
    assert "To this postcode it arrives on another day" in answer.text
    assert "Fri 27 Nov" in answer.text
    assert state.started == []
    second = client.post("/checkout", data=TYPED | {"postcode": "10115"} | hidden(answer.text))
    assert second.status_code == 303
    assert state.started[0].postcode == "10115"


def test_a_wrong_postcode_does_not_hide_the_other_faults(client: FlaskClient, state: State, page: str) -> None:
    answer = client.post("/checkout", data=TYPED | {"postcode": "00000", "city": ""} | hidden(page))
    assert answer.status_code == 422
    assert '<a href="#postcode">Postcode: We do not deliver to this postcode' in answer.text
    assert '<a href="#city">Town: Please fill this in.</a>' in answer.text
    assert state.started == []


def test_a_postcode_that_does_not_exist_is_an_error_of_its_field(client: FlaskClient, page: str) -> None:
    answer = client.post("/checkout", data=TYPED | {"postcode": "00000"} | hidden(page))
    assert answer.status_code == 422
    assert '<a href="#postcode">Postcode: ' in answer.text
    assert TYPED["street"] in answer.text


def test_without_a_cart_the_form_is_still_kept(client: FlaskClient) -> None:
    answer = client.post("/checkout", data=TYPED)
    assert answer.status_code == 409
    assert "There is nothing in your cart." in answer.text
    assert TYPED["street"] in answer.text


def test_a_lost_line_stops_the_payment_page(client: FlaskClient, state: State, page: str) -> None:
    sold(state, "STOOL")
    answer = client.get("/checkout").text
    assert "cannot be promised any more" in answer
    assert "Pay €" not in answer


def test_only_who_ticks_the_box_is_reminded_and_in_the_words_they_read(client: FlaskClient, page: str, state: State) -> None:
    words = "If I do not finish this order, you may write to me about this cart. I can stop this at any time."
    assert words in page
    assert re.search(r'<input type="checkbox" id="remind" name="remind" value="yes">', page)  # never ticked for them
    refused = client.post("/checkout", data={**TYPED, "action": "remind"})
    assert (refused.status_code, state.reminders) == (422, {})
    client.post("/checkout", data={**TYPED, "action": "country"})
    assert state.reminders == {}
    noted = client.post("/checkout", data={**TYPED, "action": "remind", "remind": "yes"})
    assert "Noted. If you leave now" in noted.text
    [form] = state.reminders.values()
    assert (form.email, form.words, form.page) == (TYPED["email"], words, "/checkout")


def test_a_reminder_needs_an_address(client: FlaskClient, page: str, state: State) -> None:
    assert page
    answer = client.post("/checkout", data={**TYPED, "email": "nobody", "action": "remind", "remind": "yes"})
    assert (answer.status_code, state.reminders) == (422, {})
    assert 'value="nobody"' in answer.text
