"""Every desk page for every role, empty and with rows; nothing is kept by the browser."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from backoffice.crm.models import Lead
from backoffice.tables import metadata
from tests.functional.desk.conftest import PEOPLE, Colleague
from tests.integration.chain.conftest import Workshop

PAGES = {
    "sales": [
        "/desk/sales",
        "/desk/sales?state=any&whose=mine&kind=tell_me&q=x",
        "/desk/sales?state=due",
        "/desk/sales?state=paying",
        "/desk/sales/leads/1",
        "/desk/sales/leads/1/order",
        "/desk/sales/phone",
        "/desk/sales/customers/1",
        "/desk/sales/customers?which=open&sort=name&q=x",
        "/desk/sales/customers",
        "/desk/sales/orders",
        "/desk/sales/orders?which=refund&sort=day&q=x",
    ],
    "warehouse": ["/desk/warehouse", "/desk/warehouse/receive", "/desk/warehouse/shipments/1", "/desk/warehouse/waves"],
    "planner": ["/desk/planning", "/desk/planning/production", "/desk/planning/receipts", "/desk/planning/load"],
}
POSTS = {
    "sales": [
        f"/desk/sales/leads/1/{verb}" for verb in ("take", "take-over", "note", "answer", "ready", "call", "come-back", "hand")
    ]
    + [f"/desk/sales/leads/1/{verb}" for verb in ("lose", "introduce", "done", "release", "order", "order/withdraw")]
    + ["/desk/sales/phone"]
    + [f"/desk/sales/customers/1/{verb}" for verb in ("consents", "consents/1/withdraw", "company", "people", "people/2/leave")]
    + [
        "/desk/sales/customers",
        "/desk/sales/customers/1",
        "/desk/sales/orders/SF-1/cancel",
        "/desk/sales/orders/SF-1/refund",
        "/desk/sales/orders/SF-1/address",
    ],
    "warehouse": [f"/desk/warehouse/shipments/1/{verb}" for verb in ("scan", "undo", "take", "pack", "ship")]
    + ["/desk/warehouse/receive/1", "/desk/warehouse/waves/release"]
    + [f"/desk/warehouse/waves/1/{verb}" for verb in ("scan", "undo", "take", "pack", "close")],
    "planner": [
        "/desk/planning/production/1/finish",
        "/desk/planning/receipts/1/due",
        "/desk/planning/purchase-orders/1/confirm",
        "/desk/planning/stops",
        "/desk/planning/stops/1/end",
    ],
}


@pytest.mark.parametrize("name", list(PEOPLE))
def test_each_role_sees_its_own_desk(
    at_desk: Callable[[str], Colleague], workshop: Workshop, ask: Callable[..., Lead], name: str
) -> None:
    ask()
    workshop.buy(STOOL=1, TABLE=1)
    colleague, role = at_desk(name), PEOPLE[name]
    for desk, paths in PAGES.items():
        for path in paths:
            page = colleague.get(path, 200 if role in {desk, "admin"} else 403)
            assert "<h1" in page
    for desk, paths in POSTS.items():
        if role not in {desk, "admin"}:
            for path in paths:
                colleague.refused(path, 403)


def test_a_stranger_is_sent_to_the_log_in(visitor: Callable[[], Colleague]) -> None:
    browser = visitor()
    for paths in PAGES.values():
        for path in paths:
            assert browser.client.get(path).headers["Location"].startswith("/desk/login?next=/desk/")
    for paths in POSTS.values():
        for path in paths:
            browser.refused(path, 403)


def test_pages_without_rows_say_so(at_desk: Callable[[str], Colleague]) -> None:
    ada = at_desk("Ada")
    assert "Everybody is answered" in ada.get("/desk/sales")
    assert "Nothing here" in ada.get("/desk/sales?state=done")
    assert "No customers yet" in ada.get("/desk/sales/customers")
    assert "Nobody found" in ada.get("/desk/sales/customers?q=nobody")
    assert "No order here" in ada.get("/desk/sales/orders")
    assert "No order matches." in ada.get("/desk/sales/orders?q=nothing")
    assert "Nothing to approve" in ada.get("/desk/admin/refunds")
    assert "Nothing to pick" in ada.get("/desk/warehouse")
    assert "Nothing waits for a wave" in ada.get("/desk/warehouse/waves")
    assert "Nothing found" in ada.get("/desk/warehouse/receive?q=nonsense")
    assert "Nothing is being made" in ada.get("/desk/planning/production")
    assert "Everything runs as planned" in ada.get("/desk/planning")


@pytest.mark.parametrize(
    "path",
    [
        "/desk/sales/leads/99",
        "/desk/sales/customers/99",
        "/desk/sales/orders/SF-99",
        "/desk/sales/orders/SF-99/cancel",
        "/desk/warehouse/shipments/99",
        "/desk/nowhere",
    ],
)
def test_what_is_not_there_is_a_page_too(at_desk: Callable[[str], Colleague], path: str) -> None:
    assert "There is no such" in at_desk("Ada").get(path, 404) or path == "/desk/nowhere"


def test_every_post_needs_its_token(at_desk: Callable[[str], Colleague]) -> None:
    ada = at_desk("Ada")
    for paths in POSTS.values():
        for path in paths:
            assert ada.client.post(path).status_code == 400, path


def test_nothing_of_a_desk_stays_in_the_browser(at_desk: Callable[[str], Colleague]) -> None:
    bea = at_desk("Bea")
    assert bea.client.get("/desk/sales").headers["Cache-Control"] == "no-store"


def test_our_files_are_cached_by_their_content(site: Flask, at_desk: Callable[[str], Colleague]) -> None:
    page = at_desk("Bea").get("/desk/sales")
    start = page.index("/static/desk/desk.css?v=")
    address = page[start : page.index('"', start)]
    answer = site.test_client().get(address)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "public, max-age=31536000, immutable")


def every_row(workshop: Workshop) -> dict[str, list[str]]:
    with workshop.db.read() as session:
        return {table.name: sorted(map(repr, session.execute(sa.select(table)))) for table in metadata.sorted_tables}


@pytest.mark.parametrize("number", [2**63 - 1, 2**63, 10**30, 10**400])
def test_a_number_that_no_row_can_have_is_no_page(
    site: Flask, at_desk: Callable[[str], Colleague], workshop: Workshop, number: int
) -> None:
    colleague = at_desk("Ada")
    numbered = [rule for rule in site.url_map.iter_rules() if "<int:" in rule.rule and rule.rule.startswith("/desk")]
    assert len(numbered) > 25
    before = every_row(workshop)
    for rule in numbered:
        path = re.sub(r"<int:\w+>", str(number), rule.rule)
        if "GET" in (rule.methods or ()):
            colleague.get(path, 404)
        else:
            answer = colleague.post(path, version="1", quantity="1", minutes="1")
            assert answer.status_code < 500, (path, answer.status_code)
    assert every_row(workshop) == before


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "x", ""])
def test_a_day_beyond_all_calendars_shows_the_next_weeks(at_desk: Callable[[str], Colleague], day: str) -> None:
    colleague = at_desk("Ada")

    def page(address: str) -> str:
        return re.sub(r'name="csrf_token" value="[^"]+"', "", colleague.get(address))  # it holds the second of its making

    assert page(f"/desk/planning/load/1?day={day}").replace(f"?day={day}", "") == page("/desk/planning/load/1")
