"""Every bad body at every address that takes one, and every key without its scope: the documented answer, nothing changed."""

from __future__ import annotations

from typing import Any

import pytest

from backoffice.public.partners import SCOPES
from storefront.api.app import OPERATIONS
from storefront.api.operations import Operation
from tests.functional.api.conftest import BUYER, Caller, cart, checkout, pay

WITH_BODY = [one for one in OPERATIONS if one.body is not None]
BAD: list[tuple[bytes, dict[str, str], int, str]] = [
    (b"", {}, 400, "malformed_json"),
    (b'{"a": 1', {}, 400, "malformed_json"),
    (b'{"quantity": 1, "quantity": 2}', {}, 400, "malformed_json"),
    (b'{"quantity": Infinity}', {}, 400, "malformed_json"),
    (b'{"quantity": ' + b"9" * 5_000 + b"}", {}, 400, "malformed_json"),
    (b'{"a": "\\u0000"}', {}, 400, "malformed_json"),
    (b'{"a":' * 2_000 + b"1" + b"}" * 2_000, {}, 400, "malformed_json"),
    (b"\xfe\xff{}", {}, 400, "malformed_json"),
    (b"[]", {}, 422, "invalid_form"),
    (b"null", {}, 422, "invalid_form"),
    (b'{"price_minor": 1}', {}, 422, "invalid_form"),
    (b" " * (10 * 1024 * 1024), {}, 413, "body_too_large"),
    (b"{}", {"Content_Type": "text/plain"}, 415, "wrong_content_type"),
    (b"a=1", {"Content_Type": "application/x-www-form-urlencoded"}, 415, "wrong_content_type"),
    (b"{}", {"Content_Type": ""}, 415, "wrong_content_type"),
    (b"\x1f\x8b\x08\x00", {"Content_Encoding": "gzip"}, 400, "malformed_json"),
    (b"{}", {"Idempotency_Key": "k" * 256}, 400, "bad_idempotency_key"),
    (b"{}", {"Authorization": "Bearer sf_00000000_wrong"}, 401, "unknown_key"),
    (b"{}", {"Origin": "https://elsewhere.example"}, 403, "cross_site"),
]


@pytest.fixture
def known(api: Caller) -> dict[str, str]:
    """A cart and an order, by what stands in addresses."""
    made = cart(api)
    started = api.send("POST", f"/carts/{made['token']}/checkout", checkout(made)).get_json()
    pay(api, started["pay_url"])
    return {"carts": cart(api)["token"], "orders": started["order_token"]}


def address(operation: Operation, known: dict[str, str]) -> str:
    area = operation.path.split("/")[1]
    return operation.path.replace("{token}", known.get(area, "")).replace("{sku}", "STOOL").replace("{slug}", "stool")


@pytest.mark.parametrize("operation", WITH_BODY, ids=[one.name for one in WITH_BODY])
def test_a_bad_body_has_its_answer_and_changes_nothing(api: Caller, known: dict[str, str], operation: Operation) -> None:
    before = api.everything()
    for body, headers, status, code in BAD:
        answer = api.raw(operation.method, address(operation, known), body, **headers)
        said = (answer.status_code, answer.mimetype, answer.get_json()["code"])
        assert said == (status, "application/problem+json", code), (body[:40], headers)
    assert api.everything() == before


@pytest.mark.parametrize("operation", OPERATIONS, ids=[one.name for one in OPERATIONS])
def test_a_key_without_the_scope_opens_nothing(api: Caller, known: dict[str, str], operation: Operation) -> None:
    others = api.key(*(SCOPES.keys() - {operation.scope}))
    before = api.everything()
    answer = api.send(operation.method, address(operation, known), operation.example, Authorization=others)
    said = answer.get_json()
    assert (answer.status_code, said["code"], said["scope"]) == (403, "missing_scope", operation.scope)
    assert api.everything() == before


@pytest.mark.parametrize("without", sorted(BUYER))
@pytest.mark.parametrize("how", ["left out", "empty", "blank", "null"])
def test_an_address_without_a_required_part(api: Caller, without: str, how: str) -> None:
    made = cart(api)
    body: dict[str, Any] = checkout(made) | {without: {"empty": "", "blank": "   ", "null": None}.get(how)}
    if how == "left out":
        del body[without]
    before = api.everything()
    answer = api.send("POST", f"/carts/{made['token']}/checkout", body)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid_form")
    assert [one["pointer"] for one in answer.get_json()["errors"]] == [f"/{without}"]
    assert api.everything() == before


@pytest.mark.parametrize("country", ["XX", "de", "DEU", "D", "", "ÄÖ", "🇩🇪", 49])
def test_an_unknown_country(api: Caller, country: Any) -> None:
    made = cart(api)
    before = api.everything()
    answer = api.send("POST", f"/carts/{made['token']}/checkout", checkout(made, country=country))
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid_form")
    assert api.everything() == before


@pytest.mark.parametrize(
    "changes",
    [
        {"country": "XX"},
        {"postcode": "99999"},
        {"street": " "},
        {"email": "nobody"},
        {"cart_version": 77},
        {"expected_total_minor": 1},
    ],
    ids=str,
)
def test_a_refused_checkout_leaves_the_open_payment_page_alone(api: Caller, changes: dict[str, Any]) -> None:
    made = cart(api)
    path = f"/carts/{made['token']}/checkout"
    started = api.send("POST", path, checkout(made)).get_json()
    before = api.everything()
    assert api.send("POST", path, checkout(made, **changes)).status_code in {409, 422}
    assert api.everything() == before
    pay(api, started["pay_url"])
    assert api.get(f"/orders/{started['order_token']}").get_json()["state"] == "confirmed"


@pytest.mark.parametrize("field", ["name", "street", "city", "phone"])
@pytest.mark.parametrize("bad", ["\r\n", "\n", "\x1b", "\u2028"])
def test_a_line_break_in_an_address_is_refused(api: Caller, field: str, bad: str) -> None:
    """It would reach the header of a mail, which could then not be sent."""
    made = cart(api)
    before = api.everything()
    body = checkout(made) | {field: f"Ada{bad}Bcc: eve@example.test"}
    answer = api.send("POST", f"/carts/{made['token']}/checkout", body)
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, f"/{field}")
    assert answer.get_json()["errors"][0]["code"] == "bad_character"
    assert api.everything() == before
