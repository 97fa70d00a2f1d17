"""A cart by an asked day over the API; exact values from the hand-made workshop."""

from __future__ import annotations

from typing import Any

import pytest

from tests.functional.api.conftest import Caller


def make(api: Caller, sku: str = "TABLE", quantity: int = 4) -> str:
    return str(api.send("POST", "/carts", {"sku": sku, "quantity": quantity}).get_json()["token"])


def test_no_says_the_earliest_day_and_what_would_have_to_change(api: Caller) -> None:
    token = make(api)
    cart = api.send("PUT", f"/carts/{token}/day", {"requested_on": "2026-11-25"}).get_json()
    assert (cart["requested_on"], cart["in_time"], cart["deliver_on"]) == ("2026-11-25", False, "2026-12-01")
    assert [(one["most_in_time"], one["instead"]) for one in cart["lines"]] == [(3, [])]
    fewer = api.send("PUT", f"/carts/{token}/lines/TABLE", {"quantity": 3}).get_json()
    assert (fewer["in_time"], fewer["deliver_on"], fewer["lines"][0]["most_in_time"]) == (True, "2026-11-25", None)
    assert api.send("PUT", f"/carts/{token}/day", {"requested_on": None}).get_json()["requested_on"] is None


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("2026-11-23", "past_date"),
        ("9999-12-31", "far_date"),
        ("2026-02-30", "bad_date"),
        ("25.11.2026", "bad_value"),
        (20261125, "bad_value"),
        ("", "bad_value"),
        ({"$date": 1}, "bad_value"),
    ],
)
def test_a_day_that_is_none_is_a_problem_and_changes_nothing(api: Caller, typed: Any, code: str) -> None:
    token = make(api)
    before = api.get(f"/carts/{token}").data
    answer = api.send("PUT", f"/carts/{token}/day", {"requested_on": typed})
    assert (answer.status_code, [one["code"] for one in answer.get_json()["errors"]]) == (422, [code])
    assert api.get(f"/carts/{token}").data == before


def test_a_million_pieces_are_refused_and_nothing_stands_in_for_nothing(api: Caller) -> None:
    token = make(api)
    before = api.get(f"/carts/{token}").data
    assert api.send("PUT", f"/carts/{token}/lines/TABLE", {"quantity": 10**9}).status_code == 422
    assert api.send("POST", f"/carts/{token}/lines/TABLE/instead", {"sku": "STOOL"}).status_code == 404
    assert api.send("POST", f"/carts/{token}/lines/VASE/instead", {"sku": "TABLE"}).status_code == 404
    assert api.send("PUT", "/carts/none/day", {"requested_on": "2026-12-01"}).status_code == 404
    assert api.get(f"/carts/{token}").data == before
