"""The page of a day that has moved: what it says, what may be chosen, and that opening it chooses nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from flask.testing import FlaskClient

from backoffice.public.money import Money
from backoffice.public.orders import Cause, CauseLink
from backoffice.public.slips import SlipLine, SlipOption, SlipPart, SlipView
from tests.functional.storefront.fake_state import NOW, State

PAGE = "/o/secret/moved/7"
CHAIN = (
    CauseLink("receipt", "Oak leg", "PO-00017", 5),
    CauseLink("order", "Table", "MO-00009"),
    CauseLink("line", "Table", "", 1),
)
CAUSE = Cause("receipt_later", {"item": "Oak leg", "due_on": "2026-12-03"}, CHAIN)
SLIP = SlipView(
    id=7,
    state="open",
    number="SF-4K7P-Q2MN",
    order_state="confirmed",
    email="nila@example.test",
    told_at=NOW,
    lines=[
        SlipLine("Table", 1, date(2026, 12, 8), date(2026, 12, 11), CAUSE),
        SlipLine("Stool", 4, date(2026, 12, 8), date(2026, 12, 11), None),
    ],
    parts=[SlipPart(date(2026, 12, 8), [("Stool", 4)]), SlipPart(date(2026, 12, 11), [("Table", 1)])],
    options=[
        SlipOption(
            "3:ASH:9900:2026-12-08", "Table", "ASH", "table-ash", "Ash table", "160 cm", None, 1, Money(9_900, "EUR"),
            date(2026, 12, 8), Money(3_000, "EUR"), True,
        )
    ],
    cancel_refund=Money(16_950, "EUR"),
)  # fmt: skip


@pytest.fixture(autouse=True)
def slip(state: State) -> None:
    state.slips["secret", 7] = SLIP


def test_it_says_both_days_the_reason_and_how_it_came(client: FlaskClient) -> None:
    page = client.get(PAGE).text
    assert "Your order now arrives on Fri 11 Dec" in page
    assert "First we promised Tue 8 Dec. Now it arrives on Fri 11 Dec." in page
    assert "Oak leg reaches us only on Thu 3 Dec." in page
    assert "PO-00017 Oak leg +5 days → MO-00009 Table → your Table +1 day<" in page
    assert "It travels in the same parcel." in page


def test_every_choice_is_a_form_of_its_own_with_what_it_means(client: FlaskClient) -> None:
    page = client.get(PAGE).text
    assert [page.count(f'name="choice" value="{one}"') for one in ("accept", "part", "substitute", "cancel")] == [1, 1, 1, 1]
    assert "<strong>Tue 8 Dec</strong>: 4 × Stool" in page
    assert "Something like it: sooner and cheaper" in page
    assert "€30.00 goes back to where you paid from." in page
    assert "nothing is sent, and €169.50 goes back to where you paid from." in page


def test_opening_it_chooses_nothing_however_often_and_with_whatever_behind_it(client: FlaskClient, state: State) -> None:
    for _ in range(3):
        assert client.get(f"{PAGE}?choice=cancel").status_code == 200
        assert client.head(PAGE).status_code == 200
    assert state.chosen == []


def test_a_post_chooses_and_the_page_then_says_what_was_chosen(client: FlaskClient, state: State) -> None:
    answer = client.post(PAGE, data={"choice": "substitute", "option": "3:ASH:9900:2026-12-08"})
    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
    assert state.chosen == [("substitute", "3:ASH:9900:2026-12-08")]
    page = client.get(PAGE).text
    assert "You agreed to the new day." in page  # all that the fake one knows
    assert "<form" not in page[page.index("<main") : page.index("</main")]


def test_a_second_choice_is_refused_in_words(client: FlaskClient, state: State) -> None:
    client.post(PAGE, data={"choice": "accept"})
    answer = client.post(PAGE, data={"choice": "cancel"})
    assert answer.status_code == 409
    assert "What you chose first stands." in answer.text
    assert state.chosen == [("accept", "")]


def test_a_choice_that_there_is_not_is_refused(client: FlaskClient, state: State) -> None:
    assert client.post(PAGE, data={"choice": "all of it"}).status_code == 422
    assert client.post(PAGE).status_code == 422
    assert state.chosen == []


def test_the_secret_link_stays_secret(client: FlaskClient) -> None:
    headers = client.get(PAGE).headers
    assert headers["Cache-Control"] == "no-store"
    assert "noindex" in headers["X-Robots-Tag"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert client.get("/o/another/moved/7").status_code == 404
    assert client.get("/o/secret/moved/8").status_code == 404
    assert client.get("/o/secret/moved/x").status_code == 404


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": "replaced", "newer_id": 8}, "/o/secret/moved/8"),
        ({"state": "over", "order_state": "cancelled"}, "This order is cancelled."),
        ({"state": "over", "order_state": "shipped"}, "Your parcel has left already."),
        ({"state": "over"}, "Your order comes on the day that we promised after all."),
        ({"state": "substituted", "chosen_at": NOW, "item": "Ash table"}, "You chose Ash table instead."),
        ({"state": "parted", "chosen_at": NOW}, "You chose parcels on different days: what is ready leaves first."),
        ({"state": "cancelled", "chosen_at": NOW}, "You cancelled the order."),
    ],
)  # fmt: skip
def test_what_is_over_says_so_and_offers_nothing(client: FlaskClient, state: State, changes: dict, words: str) -> None:
    state.slips["secret", 7] = replace(SLIP, **changes)
    answer = client.get(PAGE)
    assert answer.status_code == 200
    assert words in answer.text
    assert 'name="choice"' not in answer.text


def test_a_day_that_nobody_knows(client: FlaskClient, state: State) -> None:
    state.slips["secret", 7] = replace(
        SLIP, lines=[replace(SLIP.lines[0], expected_on=None)], parts=[], options=[], cancel_refund=None
    )
    page = client.get(PAGE).text
    assert "Your order comes later than we promised" in page
    assert "I wait for it" in page
    assert [page.count(f'name="choice" value="{one}"') for one in ("accept", "part", "substitute", "cancel")] == [1, 0, 0, 0]
    assert "it can no longer be cancelled as a whole" in page
