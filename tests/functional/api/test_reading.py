"""What the API says of products, days and orders; exact values from the hand-made workshop."""

from __future__ import annotations

import itertools
from datetime import date

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import api_keys
from backoffice.crm.models import Cart
from backoffice.erp import allotting, facets
from backoffice.erp import models as t
from tests.functional.api.conftest import Caller


def test_products_come_part_by_part_and_each_once(api: Caller) -> None:
    first = api.get("/products?limit=1").get_json()
    names, cursor = [one["slug"] for one in first["products"]], first["next"]
    while cursor:
        part = api.get(f"/products?limit=1&cursor={cursor}").get_json()
        names += [one["slug"] for one in part["products"]]
        cursor = part["next"]
    whole = api.get("/products").get_json()
    assert names == [one["slug"] for one in whole["products"]]
    assert sorted(names) == ["lamp", "stool", "table"]  # of the vase there is none, so it is not shown
    assert whole["next"] is None
    [stool] = [one for one in whole["products"] if one["slug"] == "stool"]
    assert (stool["price"], stool["deliver_on"], stool["basis"]) == (
        {"amount_minor": 4900, "currency": "EUR"},
        "2026-11-25",
        "stock",
    )


def slugs(api: Caller, query: str) -> list[str]:
    return [one["slug"] for one in api.get(f"/products?{query}").get_json()["products"]]


def test_products_are_narrowed_by_facets_and_price(api: Caller) -> None:
    def describe(session: Session) -> None:
        for slug, facts in {"stool": {"Wood": "Oak"}, "table": {"Wood": "Ash", "Seats": "4"}, "lamp": {"Seats": "4"}}.items():
            session.execute(sa.update(t.Product).where(t.Product.slug == slug).values(facts=facts))
        facets.refresh(session)

    api.services.db.run(describe)
    assert slugs(api, "facet=Wood:Oak") == ["stool"]
    assert slugs(api, "facet=Wood:Oak&facet=Wood:Ash") == ["stool", "table"]
    assert slugs(api, "facet=Wood:Oak&facet=Wood:Ash&facet=Seats:4") == ["table"]
    assert slugs(api, "facet=Wood:Unobtainium") == []
    assert slugs(api, "price_from_minor=4900&price_to_minor=7900") == ["stool", "lamp"]
    assert slugs(api, "price_from_minor=4901") == ["lamp", "table"]
    assert slugs(api, "sort=dearest") == ["table", "lamp", "stool"]
    assert slugs(api, "sort=newest") == ["table", "lamp", "stool"]
    first = api.get("/products?limit=1&sort=cheapest").get_json()
    assert [one["slug"] for one in first["products"]] == ["stool"]
    assert slugs(api, f"sort=cheapest&cursor={first['next']}") == ["lamp", "table"]


def test_a_promise_names_the_day_and_its_steps_without_a_gap(api: Caller) -> None:
    found = api.get("/promises?sku=STOOL&postcode=80331").get_json()
    assert (found["deliver_on"], found["ship_on"], found["basis"]) == ("2026-11-26", "2026-11-24", "stock")
    steps = found["steps"]
    assert all(one["ends_at"] == two["starts_at"] for one, two in itertools.pairwise(steps))


def test_availability_answers_for_each_in_the_order_asked(api: Caller) -> None:
    found = api.get("/availability?sku=VASE&sku=STOOL&quantity=2").get_json()["availability"]
    assert [(one["sku"], one["available"], one["deliver_on"]) for one in found] == [
        ("VASE", False, None),
        ("STOOL", True, "2026-11-25"),
    ]


def test_what_was_seen_is_not_sent_again(api: Caller) -> None:
    first = api.get("/products/stool")
    again = api.get("/products/stool", If_None_Match=first.headers["ETag"])
    assert (first.status_code, again.status_code, again.data) == (200, 304, b"")
    assert api.client.head("/api/v1/products/stool").status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/products/none", 404, "unknown_product"),
        ("/products?category=none", 404, "unknown_category"),
        ("/products?cursor=zz", 400, "bad_cursor"),
        ("/products?limit=0", 422, "invalid_form"),
        ("/products?limit=101", 422, "invalid_form"),
        ("/products?limit=2.0", 422, "invalid_form"),
        ("/products?limit=2&limit=3", 422, "invalid_form"),
        ("/products?colour=red", 422, "invalid_form"),
        ("/products?facet=Wood", 422, "invalid_form"),
        ("/products?facet=:Oak", 422, "invalid_form"),
        ("/products?" + "&".join(["facet=Wood:Oak"] * 21), 422, "invalid_form"),
        ("/products?price_from_minor=1.5", 422, "invalid_form"),
        ("/products?price_to_minor=-1", 422, "invalid_form"),
        ("/products?sort=earliest", 422, "invalid_form"),
        ("/products?sort=cheapest&cursor=a1", 400, "bad_cursor"),
        ("/products?cursor=a1p4900", 400, "bad_cursor"),
        ("/products?sort=dearest&cursor=a1px", 400, "bad_cursor"),
        ("/promises?sku=STOOL&quantity=1e3", 422, "invalid_form"),
        ("/promises?sku=STOOL&quantity=-1", 422, "invalid_form"),
        ("/promises?sku=STOOL&postcode=99999", 422, "unknown_postcode"),
        ("/promises?sku=STOOL&country=XX&postcode=1", 422, "unknown_country"),
        ("/promises?sku=STOOL&quantity=6", 409, "not_available"),
        ("/promises?sku=NONE", 404, "unknown_product"),
        ("/availability", 422, "invalid_form"),
        ("/orders/none", 404, "unknown_order"),
        ("/carts/none", 404, "unknown_cart"),
        ("/orders", 401, "unknown_key"),
        ("/nothing", 404, "unknown_address"),
    ],
)
def test_a_refusal_is_a_problem_with_its_code(api: Caller, path: str, status: int, code: str) -> None:
    answer = api.get(path)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    problem = answer.get_json()
    assert (problem["status"], problem["code"], problem["type"]) == (status, code, f"/api/v1/#{code}")
    assert problem["detail"]
    assert problem["title"]


def test_what_could_be_had_instead_is_said(api: Caller) -> None:
    assert api.get("/promises?sku=STOOL&quantity=6").get_json()["most"] == 5


def test_a_method_that_is_not_taken_is_told_which_are(api: Caller) -> None:
    answer = api.send("PATCH", "/products")
    assert (answer.status_code, answer.get_json()["code"]) == (405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_keys_open_what_their_scopes_say_and_no_more(api: Caller) -> None:
    reads = api.key("catalogue:read")
    assert api.get("/products", Authorization=reads).status_code == 200
    denied = api.get("/orders", Authorization=reads)
    assert (denied.status_code, denied.get_json()["code"], denied.get_json()["scope"]) == (403, "missing_scope", "orders:read")
    assert api.get("/orders", Authorization=api.key("orders:read")).get_json() == {"orders": [], "next": None}
    for wrong in ("Bearer sf_00000000_x", "Bearer", "Basic YTpi", reads[:-1], reads + "x"):
        answer = api.get("/products", Authorization=wrong)
        assert (answer.status_code, answer.get_json()["code"]) == (401, "unknown_key")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_revoked_key_opens_nothing(api: Caller) -> None:
    secret = api.key("orders:read")

    def revoke(session: object) -> None:
        [row] = api_keys.find_all(session)  # type: ignore[arg-type] # the session that run() gives
        api_keys.revoke(session, row.id, now=api.now)  # type: ignore[arg-type] # the session that run() gives

    api.services.db.run(revoke)
    assert api.get("/orders", Authorization=secret).status_code == 401


def test_when_a_key_was_used_is_written_once_a_minute(api: Caller) -> None:
    secret = api.key("catalogue:read")
    api.get("/products", Authorization=secret)
    with api.services.db.read() as session:
        [row] = api_keys.find_all(session)
        assert row.last_used_at == api.now
        assert secret.removeprefix("Bearer ") not in str(vars(row))


def test_the_description_and_the_page_stand(api: Caller) -> None:
    described = api.get("/openapi.json")
    assert described.get_json()["openapi"] == "3.1.0"
    again = api.get("/openapi.json", If_None_Match=described.headers["ETag"])
    assert (again.status_code, again.data) == (304, b"")
    page = api.client.get("/api/v1/")
    assert page.status_code == 200
    for path, methods in described.get_json()["paths"].items():
        for method in methods:
            assert f"{method.upper()} {path}" in page.text


def test_cookies_count_for_nothing(api: Caller) -> None:
    plain = [api.get(path) for path in ("/products", "/products/none", "/carts/none")]
    cookies = "language=de; cart=x; account=x; place=80331; desk=x"
    with_cookies = [api.get(path, Cookie=cookies) for path in ("/products", "/products/none", "/carts/none")]
    said = [(one.status_code, {**one.get_json(), "request_id": ""}) for one in plain]  # each request has another
    assert [(one.status_code, {**one.get_json(), "request_id": ""}) for one in with_cookies] == said
    assert {one.headers.get("Vary") for one in plain} == {"Authorization", None}
    assert "Set-Cookie" not in str([one.headers for one in with_cookies])


def test_products_by_the_day_they_arrive(api: Caller) -> None:
    assert slugs(api, "arrives_by=2026-11-24") == []
    assert slugs(api, "arrives_by=2026-11-25") == ["stool", "table"]
    assert slugs(api, "arrives_by=2026-11-25&postcode=80331") == []
    assert slugs(api, "arrives_by=2026-11-26&postcode=80331&country=DE&sort=dearest") == ["table", "stool"]
    first = api.get("/products?limit=1&arrives_by=2026-11-25").get_json()
    assert slugs(api, f"arrives_by=2026-11-25&cursor={first['next']}") == ["table"]


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("2026-11-23", "past_date"),
        ("9999-12-31", "far_date"),
        ("2569-11-30", "far_date"),
        ("2026-02-30", "bad_date"),
        ("30.11.2026", "bad_value"),
        ("20261130", "bad_value"),
        ("2026-11-30T08:00:00Z", "bad_value"),
        ("%D9%A2%D9%A0%D9%A2%D9%A6-%D9%A1%D9%A1-%D9%A3%D9%A0", "bad_date"),
        ("1000000000", "bad_value"),
        ("", "bad_value"),
    ],
)
def test_a_day_that_is_none_is_a_problem(api: Caller, typed: str, code: str) -> None:
    answer = api.get(f"/products?arrives_by={typed}")
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert [(one["pointer"], one["code"]) for one in answer.get_json()["errors"]] == [("/arrives_by", code)]


def test_a_partner_is_promised_what_is_kept_for_their_class(api: Caller) -> None:
    def keep(session: Session) -> None:
        allotting.set_aside(session, 1, "trade", 5, date(2026, 12, 1), reason="", by="t", now=api.now)

    api.services.db.run(keep)  # all stools: everybody else waits for a supplier
    trade, retail = api.key("catalogue:read", "carts:write", customer_class="trade"), api.key("catalogue:read", "carts:write")
    for path in ("/promises?sku=STOOL&quantity=1", "/availability?sku=STOOL&quantity=1"):
        for who, status in ((trade, True), (retail, False), (None, False)):
            answer = api.get(path, **({"Authorization": who} if who else {}))
            found = answer.get_json()
            assert (found.get("availability") or [{"available": answer.status_code == 200}])[0]["available"] is status
            assert answer.status_code != 200 or answer.headers["Cache-Control"] == ("private, no-cache" if who else "no-cache")
    assert api.send("POST", "/carts", {"sku": "STOOL", "quantity": 1}, Authorization=retail).status_code == 409
    made = api.send("POST", "/carts", {"sku": "STOOL", "quantity": 2}, Authorization=trade)
    assert (made.status_code, made.get_json()["lines"][0]["deliver_on"]) == (201, "2026-11-25")
    token = made.get_json()["token"]
    assert api.send("PUT", f"/carts/{token}/lines/STOOL", {"quantity": 3}).status_code == 200  # whoever has the token

    def read(session: Session) -> tuple[list[str], int]:
        return list(session.scalars(sa.select(Cart.customer_class))), session.scalars(sa.select(t.Allotment.taken)).one()

    assert api.services.db.run(read) == (["trade"], 3)

    def demote(session: Session) -> None:
        api_keys.set_class(session, 1, "retail")

    api.services.db.run(demote)
    assert api.get("/promises?sku=STOOL&quantity=1", Authorization=trade).status_code == 409
