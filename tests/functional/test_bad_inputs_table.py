"""The table of bad inputs: each row's answer, and the test that proves it. A row without one, or a test that is gone, is red.

Where a page answers otherwise than the API, or the program otherwise than one might expect, the reason stands beside the row.
"""

from __future__ import annotations

import ast
from typing import Any, NamedTuple

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backoffice.bootstrap import Services
from backoffice.crm import coupon_rules
from backoffice.crm.models import CartLine
from backoffice.erp.models import Item
from tests.buyers import hidden
from tests.company import open_company
from tests.conftest import FixedClock
from tests.functional.test_bad_input import add, checkout, paid_for, rows
from tests.integration.chain.test_coupons import PLAIN
from tests.need import ROOT

FILES = {
    "here": "functional/test_bad_inputs_table",
    "pages": "functional/test_bad_input",
    "requests": "functional/test_bad_requests",
    "bodies": "functional/api/test_bad_bodies",
    "writing": "functional/api/test_writing",
    "matrix": "functional/test_matrix",
    "login": "functional/desk/test_login",
    "sales": "functional/desk/test_sales",
    "customers": "functional/desk/test_customers",
    "hook": "integration/payments/test_webhook",
    "stripe": "integration/payments/test_stripe",
    "leads": "functional/desk/test_lead_file",
    "api": "functional/api/test_bad_inputs",
    "import": "integration/chain/test_import_services",
    "sheets": "unit/test_spreadsheet",
    "server": "integration/web/test_patience",
}


class Row(NamedTuple):
    """One input: what comes, what is answered, `file::test` (FILES) of what proves it; why an answer differs by intent."""

    number: str
    given: str
    answer: str
    tests: tuple[str, ...]
    why: str = ""


QUANTITIES = (
    "pages::test_wrong_quantities_are_named_and_change_nothing",
    "writing::test_bad_input_has_its_answer_and_changes_nothing",
)
TABLE = (
    Row("1–3", "0, -1, 1.5, 1e3, true pieces", "422", QUANTITIES),
    Row("4", "10^18 pieces", "422", ("requests::test_ten_thousand_levels_and_ten_to_the_eighteenth",)),
    Row("5", "an unknown SKU", "404, cart kept", ("pages::test_what_is_not_for_sale_cannot_be_put_into_a_cart",)),
    Row("6", "nothing to promise", "409, cart kept", ("here::test_what_cannot_be_promised_leaves_the_cart_as_it_was",)),
    Row(
        "8",
        "price: 1",
        "422",
        (
            "requests::test_a_form_that_names_a_price_is_refused_and_may_be_sent_without_it",
            "bodies::test_a_bad_body_has_its_answer_and_changes_nothing",
        ),
    ),
    Row("9", "role: admin", "422, nobody", ("requests::test_nobody_registers_as_an_administrator",)),
    Row(
        "10",
        "currency: JPY",
        "422",
        (
            "requests::test_a_form_that_names_a_price_is_refused_and_may_be_sent_without_it",
            "requests::test_ten_thousand_levels_and_ten_to_the_eighteenth",
        ),
    ),
    Row("11", "a price of yesterday", "409 with today's", ("here::test_a_price_that_changed_meanwhile_is_shown_before_paying",)),
    Row(
        "12",
        "an expired, used or unknown code",
        "422, one text, cart kept",
        ("here::test_a_code_that_is_none_is_refused_alike", "api::test_a_code_that_is_none_is_refused_over_the_api"),
    ),
    Row(
        "14",
        "no Idempotency-Key",
        "400; a page: done",
        (
            "writing::test_without_a_key_or_as_another_kind_nothing_is_done",
            "pages::test_a_stale_page_is_refused_with_its_text_kept",
        ),
        "a browser's form without its key is given one: the cart's version and total guard it, and a person is not sent away",
    ),
    Row(
        "15",
        "a key of 256 letters, or with a line break",
        "400; a page: 422",
        ("writing::test_a_key_that_is_none_is_refused", "here::test_a_forms_key_is_its_own"),
        "a page shows the form again instead of a bare refusal",
    ),
    Row(
        "16",
        "the same key with another body",
        "422; a page: 409 with the form",
        ("writing::test_the_same_key_is_the_same_cart", "here::test_a_forms_key_is_its_own"),
        "a person mended what they typed and sent the same page again: it comes back as typed, with a key of its own",
    ),
    Row(
        "18",
        "10 MB",
        "413",
        (
            "pages::test_what_is_no_form_or_too_much_changes_nothing",
            "bodies::test_a_bad_body_has_its_answer_and_changes_nothing",
        ),
    ),
    Row(
        "19",
        "half a JSON, 10,000 levels",
        "400",
        ("requests::test_ten_thousand_levels_and_ten_to_the_eighteenth", QUANTITIES[1]),
    ),
    Row("22", "text/plain to a JSON route", "415", ("bodies::test_a_bad_body_has_its_answer_and_changes_nothing",)),
    Row("23", "DELETE, TRACE on a page", "405", ("requests::test_a_method_that_a_page_has_not_is_refused",)),
    Row(
        "24",
        "a@b, a line break in a name",
        "422, no mail",
        (
            "requests::test_an_address_for_mail_that_is_none_is_refused",
            "requests::test_a_name_that_would_begin_another_header_sends_no_mail",
            "bodies::test_a_line_break_in_an_address_is_refused",
            "api::test_what_a_letter_over_the_api_may_not_hold",
        ),
    ),
    Row(
        "25",
        "5,000 letters, other scripts, <script>",
        "422 for length, else as written",
        (
            "pages::test_text_in_any_script_reaches_sales_as_written",
            "here::test_a_name_of_five_thousand_letters_is_refused",
            "api::test_what_a_letter_over_the_api_may_not_hold",
            "api::test_scripts_over_the_api_are_kept_as_written",
        ),
    ),
    Row(
        "26",
        "a machine's letter",
        "thanked, kept apart",
        ("requests::test_a_letter_from_a_machine_is_thanked_for_and_kept_apart",),
    ),
    Row(
        "28",
        "the 11th log-in in 5 minutes",
        "429 + Retry-After, of anybody",
        ("requests::test_who_asks_is_not_what_a_header_says", "login::test_the_eleventh_try_waits_five_minutes"),
    ),
    Row("29–30", "a webhook unsigned, or of long ago", "400", ("hook::test_what_stripe_did_not_sign_now_changes_nothing",)),
    Row("30", "a lost webhook", "healed", ("stripe::test_lost_messages_are_healed_by_asking",)),
    Row("31", "a webhook again", "200", ("stripe::test_a_paid_session_is_an_order_once",)),
    Row(
        "32",
        "a webhook for what we do not know, of another account",
        "200 stored, 400",
        (
            "hook::test_what_we_do_not_know_is_stored_and_answered_well",
            "hook::test_what_stripe_did_not_sign_now_changes_nothing",
        ),
    ),
    Row(
        "34",
        "another order's link, any token",
        "404, one body",
        ("matrix::test_every_link_that_opens_nothing_is_like_any_other",),
    ),
    Row(
        "36",
        "a CSV with a wrong header, a bad row 40,000",
        "each fault by its row, nothing written",
        (
            "import::test_a_file_with_a_fault_writes_nothing_and_names_the_row",
            "import::test_the_last_of_forty_thousand_rows_is_wrong",
            "leads::test_no_messages_or_too_much_is_refused_and_changes_nothing",
            "leads::test_what_is_no_file_is_said_and_nothing_is_taken",
        ),
        "a page takes leads, up to 2,000 lines and 1 MB (413): longer files are read by a command, which names every fault",
    ),
    Row("37", "a cell =HYPERLINK(…), @, TAB", "text, and guarded", ("sheets::test_nothing_changes_on_the_way",)),
    Row(
        "39",
        "a stale version",
        "409 with both",
        (
            "sales::test_a_stale_page_keeps_what_was_typed",
            "customers::test_the_second_of_two_colleagues_keeps_what_they_typed",
        ),
    ),
    Row(
        "paths",
        "%2e%2e, %00, 9 kB",
        "404, 400",
        ("requests::test_an_address_that_leads_outside_or_nowhere", "api::test_an_address_of_the_api_that_leads_nowhere"),
    ),
    Row("host", "another Host", "400", ("requests::test_another_host_is_not_answered",)),
    Row("proxy", "X-Forwarded-For of nobody's", "ignored", ("requests::test_who_asks_is_not_what_a_header_says",)),
    Row(
        "slow",
        "100 connections with half a head, 9 kB of address at the server",
        "others served, 414",
        ("server::test_a_hundred_slow_heads_keep_nobody_from_being_served",),
    ),
    Row(
        "body",
        "any error",
        "a page or a problem with its number",
        ("here::test_an_error_names_its_number_and_no_line_of_ours",),
    ),
)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """SQLite is enough here: what differs between the databases is tested below the door."""
    return sqlite_url


@pytest.fixture
def services(app: Flask, now: Any) -> Services:
    built: Services = app.extensions["shopfloor"]
    built.db.run(lambda session: open_company(session, now=now))
    return built


def functions_of(file: str) -> set[str]:
    tree = ast.parse((ROOT / "tests" / f"{file}.py").read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_row_has_its_test() -> None:
    there = {f"{name}::{test}" for name, file in FILES.items() for test in functions_of(file)}
    assert {test for row in TABLE for test in row.tests} - there == set()
    assert all(row.tests for row in TABLE)
    assert {row.number for row in TABLE if "; a page:" in row.answer} <= {row.number for row in TABLE if row.why}


@pytest.mark.parametrize("path", ["/p/nope", "/api/v1/products/nope", "/desk/nope", "/api/v1/nope", "/o/nope"])
def test_an_error_names_its_number_and_no_line_of_ours(client: FlaskClient, services: Services, path: str) -> None:
    answer = client.get(path, headers={"X-Request-Id": "a-number-of-mine"})
    assert answer.status_code == 404
    if path.startswith("/api/"):
        assert answer.get_json()["request_id"] == "a-number-of-mine"
    else:
        assert "<code>a-number-of-mine</code>" in answer.text
    assert "Traceback" not in answer.text
    assert ".py" not in answer.text


def test_what_cannot_be_promised_leaves_the_cart_as_it_was(client: FlaskClient, services: Services) -> None:
    add(client)
    before = paid_for(services)
    assert add(client, "VASE").status_code == 409
    answer = client.post("/api/v1/carts", json={"sku": "VASE"}, headers={"Idempotency-Key": "k"})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "not_available")
    assert paid_for(services) == before
    assert [(line.item_id, line.quantity) for line in rows(services, CartLine)] == [(1, 1)]


def test_a_price_that_changed_meanwhile_is_shown_before_paying(client: FlaskClient, services: Services) -> None:
    add(client)
    form = checkout(client)
    made = client.post("/api/v1/carts", json={"sku": "STOOL"}, headers={"Idempotency-Key": "k"}).get_json()
    services.db.run(lambda session: setattr(session.get_one(Item, 1), "price_minor", 5_900))
    before = paid_for(services)
    answer = client.post("/checkout", data=form)
    assert answer.status_code == 409
    assert "€59.00" in answer.text
    assert 'value="Weg 1"' in answer.text
    body = {"email": "a@example.test", "name": "A", "street": "Weg 1", "city": "Berlin", "postcode": "10115", "country": "DE"}
    body |= {"cart_version": made["version"], "expected_total_minor": made["total"]["amount_minor"]}
    path = f"/api/v1/carts/{made['token']}"
    refused = client.post(f"{path}/checkout", json=body, headers={"Idempotency-Key": "l"})
    assert (refused.status_code, refused.get_json()["code"]) == (409, "price_changed")
    after = paid_for(services)
    assert {name for name in before if before[name] != after[name]} == {"cart_line"}  # which price was shown last
    assert client.get(path).get_json()["lines"][0]["unit_price"]["amount_minor"] == 5_900


def test_a_code_that_is_none_is_refused_alike(client: FlaskClient, services: Services, now: Any) -> None:
    rules = {"QQ-OVER": {"ends_at": now}, "QQ-USED": {"use_limit": 1}, "QQ-OFF": {"active": False}}
    for code, rule in rules.items():
        services.db.run(
            lambda session, code=code, rule=rule: coupon_rules.save(session, PLAIN | {"code": code} | rule, by="A", now=now)
        )
    use_up(client, "QQ-USED")
    add(client)
    before, pages = paid_for(services), set()
    for code in (*rules, "QQ-NEVER"):
        answer = client.post("/cart/coupon", data={"coupon": code})
        assert answer.status_code == 422
        pages.add(answer.text.replace(code, ""))
    assert len(pages) == 1
    assert paid_for(services) == before


def use_up(client: FlaskClient, code: str) -> None:
    other = client.application.test_client()
    other.environ_base["HTTP_ORIGIN"] = "http://localhost"
    add(other)
    assert other.post("/cart/coupon", data={"coupon": code}).status_code == 303
    pay = other.post("/checkout", data=checkout(other))
    assert other.post(pay.location, data={"action": "pay"}).status_code == 303


def test_a_forms_key_is_its_own(client: FlaskClient, services: Services, clock: FixedClock) -> None:
    add(client)
    form = checkout(client)
    before = paid_for(services)
    for key in ("k" * 256, "short"):
        assert client.post("/checkout", data=form | {"key": key}).status_code == 422
    assert paid_for(services) == before
    assert client.post("/checkout", data=form).status_code == 303
    mended = client.post("/checkout", data=form | {"street": "Weg 2"})
    assert mended.status_code == 409
    assert 'value="Weg 2"' in mended.text
    assert hidden(mended.text, "key") != form["key"]


@pytest.mark.parametrize("path", ["/contact", "/account/register", "/checkout"])
def test_a_name_of_five_thousand_letters_is_refused(client: FlaskClient, services: Services, path: str) -> None:
    add(client)
    form = {"email": "ada@example.test", "name": "\u202e<b>" + "x" * 5_000}
    form |= checkout(client) | form if path == "/checkout" else {}
    form |= {"password": "engines of 1843"} if path == "/account/register" else {}
    form |= {"message": "hello"} if path == "/contact" else {}
    before = paid_for(services)
    answer = client.post(path, data=form)
    assert answer.status_code == 422
    assert "<b>x" not in answer.text
    assert paid_for(services) == before
