"""A day that moved, over the API: newest and first day, why, and choosing by the order's token, once."""

from __future__ import annotations

from typing import Any

from backoffice.erp import purchasing
from tests.company import at
from tests.functional.api.conftest import Caller, cart, checkout, pay


def moved(api: Caller) -> str:
    """Buy four lamps, let them come in on Mon 30 Nov instead of Fri 27; return the order's token."""
    made = cart(api, "LAMP", 4)
    started = api.send("POST", f"/carts/{made['token']}/checkout", checkout(made)).get_json()
    pay(api, started["pay_url"])
    api.services.db.run(lambda db: purchasing.move_due(db, 1, at(30, 8), version=1, actor="", now=api.now))
    return str(started["order_token"])


CAUSE = {
    "code": "receipt_later",
    "values": {"item": "Lamp", "due_on": "2026-11-30"},
    "chain": [
        {"kind": "receipt", "ref": "PO-1", "name": "Lamp", "days": 3},
        {"kind": "line", "ref": "", "name": "Lamp", "days": 1},
    ],
}


def test_an_order_says_both_days_and_why_and_lets_its_customer_choose_once(api: Caller) -> None:
    token = moved(api)
    order = api.get(f"/orders/{token}").get_json()
    [line] = order["lines"]
    assert (order["promised_on"], order["expected_on"], order["day_known"], order["slip"]) == (
        "2026-11-30",
        "2026-12-01",
        True,
        1,
    )
    assert (line["promised_on"], line["expected_on"], line["day_known"], line["cause"]) == (
        "2026-11-30",
        "2026-12-01",
        True,
        CAUSE,
    )
    [listed] = api.get("/orders", Authorization=api.key("orders:read")).get_json()["orders"]
    assert (listed["lines"][0]["cause"], listed["expected_on"]) == (CAUSE, "2026-12-01")
    slip = api.get(f"/orders/{token}/slips/1").get_json()
    assert (slip["state"], slip["cancel_refund"], slip["parts"]) == ("open", {"amount_minor": 32_100, "currency": "EUR"}, [])
    assert slip["lines"][0]["cause"] == CAUSE
    path = f"/orders/{token}/slips/1/choice"
    assert refusal(api.send("POST", path, {"choice": "part"})) == (409, "nothing_to_part")
    for _ in range(2):
        chosen = api.send("POST", path, {"choice": "accept"})
        assert (chosen.status_code, chosen.get_json()["state"]) == (200, "accepted")
    assert refusal(api.send("POST", path, {"choice": "cancel"})) == (409, "already_chosen")
    assert api.get(f"/orders/{token}").get_json()["slip"] is None


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


def test_what_is_not_there_or_no_choice_is_refused(api: Caller) -> None:
    token = moved(api)
    for path in (f"/orders/{token}/slips/2", f"/orders/{token}/slips/x", f"/orders/{token}/slips/{'9' * 30}"):
        assert refusal(api.get(path)) == (404, "unknown_slip")
    assert refusal(api.get("/orders/nobody/slips/1")) == (404, "unknown_order")
    for body in ({}, {"choice": "all"}, {"choice": "accept", "price": 1}, {"choice": "substitute", "option": "x" * 201}):
        assert refusal(api.send("POST", f"/orders/{token}/slips/1/choice", body)) == (422, "invalid_form")
    assert refusal(api.send("POST", f"/orders/{token}/slips/1/choice", {"choice": "substitute"})) == (409, "offer_changed")
    assert api.get(f"/orders/{token}/slips/1").get_json()["state"] == "open"
