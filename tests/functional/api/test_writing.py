"""Carts, payment, orders and leads over the API: once only, and unchanged on every refusal."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.crm.models import Lead
from tests.functional.api.conftest import Caller, cart, checkout, pay
from tests.statements import sent


def test_a_whole_purchase_and_its_end(api: Caller) -> None:
    made = cart(api, quantity=2)
    assert (made["subtotal"], made["total"], made["deliver_on"]) == (
        {"amount_minor": 9800, "currency": "EUR"},
        {"amount_minor": 10300, "currency": "EUR"},
        "2026-11-25",
    )
    started = api.send("POST", f"/carts/{made['token']}/checkout", checkout(made))
    assert started.status_code == 201
    token = started.get_json()["order_token"]
    assert api.get(f"/orders/{token}").get_json()["state"] == "opened"
    pay(api, started.get_json()["pay_url"])
    order = api.get(f"/orders/{token}").get_json()
    assert (order["state"], order["promised_on"], order["total"]["amount_minor"]) == ("confirmed", "2026-11-25", 10300)
    listed = api.get("/orders", Authorization=api.key("orders:read")).get_json()["orders"]
    assert [(one["number"], one["lines"][0]["sku"]) for one in listed] == [(order["number"], "STOOL")]
    assert "ada" not in str(listed).lower()
    ended = api.send("POST", f"/orders/{token}/cancel", {})
    assert (ended.status_code, ended.get_json()["state"]) == (200, "cancelled")


def test_a_list_of_orders_asks_as_often_however_long_it_is(api: Caller) -> None:
    key, counts = api.key("orders:read"), []
    for number in (1, 2, 3, 4):
        made = cart(api)
        made = api.send("PUT", f"/carts/{made['token']}/lines/LAMP", {"quantity": 1}).get_json()
        pay(api, api.send("POST", f"/carts/{made['token']}/checkout", checkout(made)).get_json()["pay_url"])
        api.get("/orders", Authorization=key)  # which notes, once a minute, that the key was used
        with sent(api.services.db) as asked:
            listed = api.get("/orders", Authorization=key).get_json()["orders"]
        assert [[line["sku"] for line in one["lines"]] for one in listed] == [["STOOL", "LAMP"]] * number
        counts.append(len(asked))
    assert len(set(counts)) == 1, counts


def test_the_same_key_is_the_same_cart(api: Caller) -> None:
    body = {"sku": "STOOL", "quantity": 2}
    first = api.send("POST", "/carts", body, Idempotency_Key="mine")
    again = api.send("POST", "/carts", body, Idempotency_Key="mine")
    assert (again.status_code, again.data, again.headers["Location"]) == (201, first.data, first.headers["Location"])
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")
    before = api.everything()
    other = api.send("POST", "/carts", {"sku": "STOOL", "quantity": 1}, Idempotency_Key="mine")
    assert (other.status_code, other.get_json()["code"]) == (422, "idempotency_key_reused")
    assert api.everything() == before


def test_another_callers_key_is_another(api: Caller) -> None:
    body = {"sku": "STOOL"}
    first = api.send("POST", "/carts", body, Idempotency_Key="mine")
    other = api.send("POST", "/carts", body, Idempotency_Key="mine", Authorization=api.key("carts:write"))
    assert first.get_json()["token"] != other.get_json()["token"]


def test_a_stranger_with_the_same_key_gets_nothing_of_the_first_one(api: Caller) -> None:
    body = {"sku": "STOOL", "quantity": 1, "postcode": "10115"}  # the example of the page, as many will copy it
    first = api.send("POST", "/carts", body, Idempotency_Key="my-own-name-1").get_json()
    api.client.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    stranger = api.send("POST", "/carts", body, Idempotency_Key="my-own-name-1")
    assert (stranger.status_code, "Idempotency-Replayed" in stranger.headers) == (201, False)
    assert stranger.get_json()["token"] != first["token"]
    assert api.send("POST", "/carts", {"sku": "LAMP"}, Idempotency_Key="my-own-name-1").status_code == 422  # their own


def test_who_pays_once_pays_once_from_anywhere(api: Caller) -> None:
    made = cart(api)
    path, body = CHECKOUT.replace("{token}", made["token"]), checkout(made)
    first = api.send("POST", path, body, Idempotency_Key="pay")
    api.client.environ_base["REMOTE_ADDR"] = "192.0.2.7"  # the train has left the station
    again = api.send("POST", path, body, Idempotency_Key="pay")
    assert (again.status_code, again.data, again.headers["Idempotency-Replayed"]) == (201, first.data, "true")


def test_answers_and_the_secrets_in_them_are_kept_for_a_day(api: Caller, clock: Any) -> None:
    from backoffice import bootstrap
    from backoffice.idempotency import IdempotencyKey

    [forget] = [job.run for job in bootstrap.periodic(api.services) if job.name == "forget_answers"]

    def kept() -> str:
        with api.services.db.read() as session:
            return str([(one.scope, one.key, one.answer) for one in session.query(IdempotencyKey)])

    message = {"email": "ada@example.test", "message": "In oak?"}
    assert api.send("POST", "/leads", message, Idempotency_Key="q").status_code == 201
    made = cart(api)
    path, body = CHECKOUT.replace("{token}", made["token"]), checkout(made)
    started = api.send("POST", path, body, Idempotency_Key="pay").get_json()
    forget(clock.advance(hours=24))
    assert api.send("POST", path, body, Idempotency_Key="pay").headers["Idempotency-Replayed"] == "true"
    forget(clock.advance(seconds=1))
    assert not any(secret in kept() for secret in (made["token"], started["order_token"]))
    assert api.send("POST", path, body, Idempotency_Key="pay").get_json()["order_token"] == started["order_token"]
    assert api.send("POST", "/leads", message, Idempotency_Key="q").status_code == 201
    with api.services.db.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Lead)) == 1


def test_whoever_is_still_at_it_is_waited_for_and_then_taken_over(api: Caller, clock: Any) -> None:
    repeats = api.services.partners.repeats
    from backoffice.public.errors import Refused

    assert repeats.begin("s", "k", "h", now=api.now) is None
    with pytest.raises(Refused) as refused:
        repeats.begin("s", "k", "h", now=api.now)
    assert refused.value.code == "in_progress"
    later = clock.advance(minutes=1)
    assert repeats.begin("s", "k", "h", now=later) is None  # the first one died at it


def test_a_refusal_may_be_tried_again_with_the_same_key(api: Caller) -> None:
    taken = cart(api, quantity=5)
    body = {"sku": "STOOL", "quantity": 1}
    assert api.send("POST", "/carts", body, Idempotency_Key="mine").get_json()["code"] == "not_available"
    assert api.send("DELETE", f"/carts/{taken['token']}/lines/STOOL").status_code == 200
    assert api.send("POST", "/carts", body, Idempotency_Key="mine").status_code == 201


def test_lines_places_and_parcels(api: Caller) -> None:
    token = cart(api)["token"]
    both = api.send("PUT", f"/carts/{token}/lines/LAMP", {"quantity": 1}).get_json()
    assert [(one["sku"], one["deliver_on"]) for one in both["lines"]] == [("STOOL", "2026-11-25"), ("LAMP", "2026-11-30")]
    assert [one["deliver_on"] for one in both["dated"]] == ["2026-11-25", "2026-11-30"]
    assert api.send("PUT", f"/carts/{token}/parcels", {"parcels": "dated"}).get_json()["parcels"] == "dated"
    moved = api.send("PUT", f"/carts/{token}/place", {"postcode": "80331", "country": "DE"}).get_json()
    assert (moved["postcode"], moved["deliver_on"]) == ("80331", "2026-12-01")
    assert api.send("DELETE", f"/carts/{token}/lines/LAMP").get_json()["deliver_on"] == "2026-11-26"
    assert api.send("POST", f"/carts/{token}/renew", {}).status_code == 200


def test_what_changed_since_it_was_seen_is_not_overwritten(api: Caller) -> None:
    token = cart(api)["token"]
    seen = api.get(f"/carts/{token}").headers["ETag"]
    changed = api.send("PUT", f"/carts/{token}/lines/STOOL", {"quantity": 2}, If_Match=seen)
    assert (changed.status_code, changed.headers["ETag"] != seen) == (200, True)
    before = api.everything()
    late = api.send("PUT", f"/carts/{token}/lines/STOOL", {"quantity": 3}, If_Match=seen)
    assert (late.status_code, late.get_json()["code"]) == (412, "changed_meanwhile")
    assert api.everything() == before


def test_a_message_is_taken_once(api: Caller) -> None:
    body = {"name": "Ada", "email": "ada@example.test", "message": "In oak?"}
    first = api.send("POST", "/leads", body, Idempotency_Key="q")
    again = api.send("POST", "/leads", body, Idempotency_Key="q")
    assert (first.status_code, again.data) == (201, first.data)


CHECKOUT = "/carts/{token}/checkout"
DEEP = b'{"sku":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/carts", b"", 400, "malformed_json"),
        ("POST", "/carts", b'{"sku": "STOOL"', 400, "malformed_json"),
        ("POST", "/carts", b'{"sku": "STOOL", "sku": "LAMP"}', 400, "malformed_json"),
        ("POST", "/carts", b'{"sku": "STOOL", "quantity": NaN}', 400, "malformed_json"),
        ("POST", "/carts", b'{"sku": "STOOL", "quantity": 1e999}', 400, "malformed_json"),
        ("POST", "/carts", b'{"sku": "ST\\u0000OOL"}', 400, "malformed_json"),
        ("POST", "/carts", b'{"sku": "\\ud800"}', 400, "malformed_json"),
        ("POST", "/carts", b'{"sku": "\xff"}', 400, "malformed_json"),
        ("POST", "/carts", DEEP, 400, "malformed_json"),
        ("POST", "/carts", b" " * (10 * 1024 * 1024), 413, "body_too_large"),
        ("POST", "/carts", b"[]", 422, "invalid_form"),
        ("POST", "/carts", b'{"sku": "STOOL", "quantity": 0}', 422, "invalid_form"),
        ("POST", "/carts", b'{"sku": "STOOL", "quantity": -1}', 422, "invalid_form"),
        ("POST", "/carts", b'{"sku": "STOOL", "quantity": 1.5}', 422, "invalid_form"),
        ("POST", "/carts", b'{"sku": "STOOL", "quantity": 1.0}', 422, "invalid_form"),
        ("POST", "/carts", b'{"sku": "STOOL", "quantity": "1"}', 422, "invalid_form"),
        ("POST", "/carts", b'{"sku": "STOOL", "quantity": true}', 422, "invalid_form"),
        ("POST", "/carts", b'{"sku": "STOOL", "quantity": 1000000000000000000}', 422, "invalid_form"),
        ("POST", "/carts", b'{"sku": "STOOL", "price_minor": 1}', 422, "invalid_form"),
        ("POST", "/carts", b'{"sku": "NONE"}', 404, "unknown_product"),
        ("POST", "/carts", b'{"sku": "STOOL", "quantity": 6}', 409, "not_available"),
        ("POST", "/carts", b'{"sku": "STOOL", "postcode": "99999"}', 422, "unknown_postcode"),
        ("PUT", "/carts/none/lines/STOOL", b'{"quantity": 1}', 404, "unknown_cart"),
        ("PUT", "/carts/{token}/place", b'{"postcode": "10115", "country": "de"}', 422, "invalid_form"),
        ("PUT", "/carts/{token}/parcels", b'{"parcels": "three"}', 422, "invalid_form"),
        ("POST", "/leads", b'{"email": "nobody", "message": "x"}', 422, "invalid_form"),
        ("POST", "/orders/none/cancel", b"{}", 404, "unknown_order"),
        ("POST", "/nowhere", b"{}", 404, "unknown_address"),
    ],
)
def test_bad_input_has_its_answer_and_changes_nothing(
    api: Caller, method: str, path: str, body: bytes, status: int, code: str
) -> None:
    token = cart(api)["token"]
    before = api.everything()
    answer = api.raw(method, path.replace("{token}", token), body)
    assert (answer.status_code, answer.mimetype, answer.get_json()["code"]) == (status, "application/problem+json", code)
    assert api.everything() == before


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"expected_total_minor": 1}, 409, "price_changed"),
        ({"cart_version": 77}, 409, "stale"),
        ({"email": "nobody"}, 422, "invalid_form"),
        ({"country": "XX"}, 422, "invalid_form"),
        ({"postcode": "99999"}, 422, "invalid_form"),
        ({"total_minor": 1}, 422, "invalid_form"),
    ],
)
def test_a_checkout_that_does_not_hold_is_refused(api: Caller, changes: dict[str, Any], status: int, code: str) -> None:
    made = cart(api)
    before = api.everything()
    answer = api.send("POST", CHECKOUT.replace("{token}", made["token"]), checkout(made, **changes))
    assert (answer.status_code, answer.get_json()["code"]) == (status, code), answer.text
    assert api.everything() == before


def test_an_address_without_its_required_part_is_named(api: Caller) -> None:
    made = cart(api)
    body = checkout(made)
    del body["street"]
    answer = api.send("POST", CHECKOUT.replace("{token}", made["token"]), body)
    assert (answer.status_code, answer.get_json()["errors"]) == (
        422,
        [{"pointer": "/street", "code": "required", "detail": "Please fill this in."}],
    )


@pytest.mark.parametrize("key", ["", "k" * 256, "späť", "a\tb", "a b"])
def test_a_key_that_is_none_is_refused(api: Caller, key: str) -> None:
    before = api.everything()
    answer = api.send("POST", "/carts", {"sku": "STOOL"}, Idempotency_Key=key)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "bad_idempotency_key")
    assert api.everything() == before


def test_without_a_key_or_as_another_kind_nothing_is_done(api: Caller) -> None:
    reads = api.key("catalogue:read")
    before = api.everything()
    bare = api.client.post("/api/v1/carts", json={"sku": "STOOL"})
    assert (bare.status_code, bare.get_json()["code"]) == (400, "idempotency_key_missing")
    form = api.raw("POST", "/carts", b"sku=STOOL", Content_Type="application/x-www-form-urlencoded")
    assert (form.status_code, form.get_json()["code"]) == (415, "wrong_content_type")
    other = api.send("POST", "/carts", {"sku": "STOOL"}, Origin="https://elsewhere.example")
    assert (other.status_code, other.get_json()["code"]) == (403, "cross_site")
    scope = api.send("POST", "/carts", {"sku": "STOOL"}, Authorization=reads)
    assert (scope.status_code, scope.get_json()["code"]) == (403, "missing_scope")
    assert api.everything() == before
