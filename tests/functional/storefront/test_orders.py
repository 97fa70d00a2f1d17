"""The order page: now, the timeline, moved days, asking; and the payment that is still open."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from flask.testing import FlaskClient

from backoffice.public.money import Money
from backoffice.public.orders import Cause, OrderEvent, OrderLine, OrderView, PendingOrder
from tests.functional.storefront.fake_state import NOW, State

LINE = OrderLine(
    "TABLE-OAK", "ash-table", "Long table", "Oak, 180 cm", None, 1, Money(129000, "EUR"), Money(129000, "EUR"), "make",
    None, date(2026, 12, 8), date(2026, 12, 8), None, (), None,
)  # fmt: skip
ORDER = OrderView(
    "2026-0001", "confirmed", NOW, "a@example.test", "নীলা", ["নীলা", "Gasse 1", "80331 München"], [LINE],
    Money(129000, "EUR"), Money(490, "EUR"), Money(129490, "EUR"), date(2026, 12, 8), date(2026, 12, 8), None,
    [OrderEvent("placed", NOW)],
)  # fmt: skip


@pytest.fixture(autouse=True)
def order(state: State) -> None:
    state.orders["secret"] = ORDER


def test_the_page_says_where_it_is_now_and_what_is_to_come(client: FlaskClient) -> None:
    page = client.get("/o/secret").text
    assert "We make it for you now. It arrives on Tue 8 Dec." in page
    assert "Ordered and paid" in page
    assert "Handed to the carrier" in page
    assert "নীলা" in page
    assert "€1,294.90" in page


@pytest.mark.parametrize(("country", "words"), [("", "incl. VAT<"), ("AT", "incl. VAT (USt.)<"), ("CH", "incl. VAT (MWST)<")])
def test_the_tax_is_named_as_where_it_goes(client: FlaskClient, state: State, country: str, words: str) -> None:
    state.orders["secret"] = replace(ORDER, country=country)
    assert words in client.get("/o/secret").text


def test_the_secret_link_stays_secret(client: FlaskClient) -> None:
    headers = client.get("/o/secret").headers
    assert headers["Cache-Control"] == "no-store"
    assert "noindex" in headers["X-Robots-Tag"]
    assert headers["Referrer-Policy"] == "no-referrer"


def test_a_moved_day_is_shown_with_both_days_and_the_reason(client: FlaskClient, state: State) -> None:
    line = replace(LINE, expected_on=date(2026, 12, 11), moved_because="The station “Saw” stands still.")
    state.orders["secret"] = replace(ORDER, lines=[line], expected_on=date(2026, 12, 11))
    page = client.get("/o/secret").text
    assert "First we promised Tue 8 Dec. Now it arrives on Fri 11 Dec." in page
    assert "The station “Saw” stands still." in page


def test_one_parcel_has_one_day(client: FlaskClient, state: State) -> None:
    sooner = replace(LINE, name="Stool", promised_on=date(2026, 11, 26), expected_on=date(2026, 11, 26))
    state.orders["secret"] = replace(ORDER, lines=[LINE, sooner])
    page = client.get("/o/secret").text
    assert page.count("Arrives Tue 8 Dec") == 2
    assert "Arrives Thu 26 Nov" not in page


def test_a_packed_parcel_waits_for_the_carrier(client: FlaskClient, state: State) -> None:
    packed = [OrderEvent("placed", NOW), OrderEvent("picking", NOW), OrderEvent("packed", NOW)]
    state.orders["secret"] = replace(ORDER, state="picking", events=packed)
    assert "Your parcel is packed and waits for the carrier. It arrives on Tue 8 Dec." in client.get("/o/secret").text


@pytest.mark.parametrize(
    ("order_state", "words"),
    [
        ("picking", "We are packing your parcel."),
        ("shipped", "Your parcel is on the road."),
        ("delivered", "Your parcel has arrived."),
        ("cancelled", "This order is cancelled."),
    ],
)
def test_each_state_has_its_sentence(client: FlaskClient, state: State, order_state: str, words: str) -> None:
    state.orders["secret"] = replace(ORDER, state=order_state, tracking="00340434161094000001")
    page = client.get("/o/secret").text
    assert words in page
    assert "00340434161094000001" in page


def test_shipped_leaves_only_the_door_to_come(client: FlaskClient, state: State) -> None:
    events = [OrderEvent("placed", NOW), OrderEvent("shipped", datetime(2026, 12, 4, 12, 0, tzinfo=UTC))]
    state.orders["secret"] = replace(ORDER, state="shipped", events=events)
    page = client.get("/o/secret").text
    assert "Fri 4 Dec, 13:00" in page
    assert page.count('<li class="next">') == 1


@pytest.mark.parametrize(
    ("payment", "words"),
    [
        (PendingOrder("opened", "/pay/1"), "Not paid yet"),
        (PendingOrder("processing", None), "Your payment is on its way"),
        (PendingOrder("failed", None), "The payment did not work"),
        (PendingOrder("expired", None), "The time to pay is over"),
    ],
)
def test_a_payment_that_is_not_settled(client: FlaskClient, state: State, payment: PendingOrder, words: str) -> None:
    state.orders["secret"] = payment
    answer = client.get("/o/secret")
    assert answer.status_code == 200
    assert words in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert ("/pay/1" in answer.text) == (payment.pay_url is not None)


def test_any_unknown_link_has_the_same_answer(client: FlaskClient) -> None:
    answers = {client.get(f"/o/{token}").data for token in ("x", "secret2", "ss%20")}
    assert len(answers) == 1
    assert client.get("/o/x").status_code == 404


def test_asking_is_a_redirect_and_arrives_as_typed(client: FlaskClient, state: State) -> None:
    text = "გამარჯობა\r\n" + "я" * 4980
    answer = client.post("/o/secret/ask", data={"kind": "where", "message": text, "key": "k1"})
    assert answer.status_code == 303
    assert state.asked == [("secret", "where", text, "k1")]
    assert "We have your message" in client.get(answer.headers["Location"]).text


@pytest.mark.parametrize(("text", "words"), [("", "Please fill this in."), ("я" * 5001, "longer than we can take")])
def test_a_refused_question_is_kept(client: FlaskClient, state: State, text: str, words: str) -> None:
    answer = client.post("/o/secret/ask", data={"kind": "damaged", "message": text})
    assert answer.status_code == 422
    assert words in answer.text
    assert text in answer.text
    assert '<option value="damaged" selected>' in answer.text
    assert state.asked == []
    assert client.post("/o/nobody/ask", data={"kind": "other", "message": "x"}).status_code == 404


def test_why_a_day_moved_is_said_in_the_reader_s_language(client: FlaskClient, state: State) -> None:
    cause = Cause("station_stopped", {"station": "Saw", "until_on": "2026-12-04"})
    line = replace(LINE, expected_on=date(2026, 12, 11), moved_because="Saw stands still until Fri 4 Dec", moved_cause=cause)
    moved = OrderEvent("day_moved", NOW, "Long table: Saw stands still until Fri 4 Dec", "Long table", cause)
    back = OrderEvent("refunded", NOW, amount=Money(1990, "EUR"))
    state.orders["secret"] = replace(ORDER, lines=[line], expected_on=date(2026, 12, 11), events=[moved, back])
    english, german = client.get("/o/secret").text, client.get("/de/o/secret").text
    assert english.count("The station “Saw” in our workshop stands still until Fri 4 Dec.") == 2
    assert german.count("Die Station „Saw“ in unserer Werkstatt steht still bis Fr., 4. Dez.") == 2
    assert "Zuerst war Di., 8. Dez. zugesagt. Jetzt kommt es am Fr., 11. Dez. an." in german
    assert "stands still" not in german
    assert "19,90\xa0€" in german


def test_a_cause_of_a_later_version_is_shown_as_it_was_stored(client: FlaskClient, state: State) -> None:
    line = replace(LINE, expected_on=date(2026, 12, 11), moved_because="The river rose.", moved_cause=Cause("flood"))
    state.orders["secret"] = replace(ORDER, lines=[line], expected_on=date(2026, 12, 11))
    assert "The river rose." in client.get("/o/secret").text


def test_a_day_that_nobody_knows_is_not_named(client: FlaskClient, state: State) -> None:
    cause = Cause("counted_fewer", {"item": "Long table"})
    line = replace(LINE, day_known=False, moved_cause=cause, moved_because="Long table: fewer on the shelf than counted before")
    state.orders["secret"] = replace(ORDER, lines=[line])
    page = client.get("/o/secret").text
    assert "We do not have a new day for your order yet. We write to you as soon as we do." in page
    assert "We had promised Tue 8 Dec, and cannot keep it." in page
    assert "We counted again and found fewer of Long table than we thought." in page
    assert "The day is open" in page
    assert "Arrives Tue 8 Dec" not in page
    assert page.count("8 Dec") == 1  # as what was promised, nowhere as what is to come
