"""Narrowing a list, changing a day and a cart in a browser: in place with scripts, page by page without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from playwright.sync_api import expect

from tests.e2e.test_pages import demo  # noqa: F401 - a fixture

pytestmark = pytest.mark.browser
Serve, NewPage = Callable[[Flask], str], Callable[..., Any]


def wishes(page: Any) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(page.url).query)


def stay(page: Any) -> None:
    """Mark the document: another one has no mark."""
    page.evaluate("window.stayed = true")


def stayed(page: Any) -> bool:
    return bool(page.evaluate("window.stayed === true"))


def wait_for_cards(page: Any, number: int) -> None:
    expect(page.locator(".card")).to_have_count(number)


def test_a_list_is_narrowed_in_place_and_back_goes_back(demo: Flask, serve: Serve, new_page: NewPage) -> None:  # noqa: F811 - a fixture
    page, address = new_page(), serve(demo)
    page.goto(f"{address}/c/seating")
    stay(page)
    page.get_by_label("Walnut").check()
    wait_for_cards(page, 2)
    assert wishes(page) == [("f", "Wood:Walnut")]
    assert stayed(page)
    assert page.get_by_label("Walnut").evaluate("one => one === document.activeElement")
    assert page.locator("#said").inner_text() == "2 products can be had"
    page.get_by_label("Oak").check()
    wait_for_cards(page, 7)
    page.get_by_role("link", name="Wood: Oak").click()
    wait_for_cards(page, 2)
    assert stayed(page)
    page.go_back()
    wait_for_cards(page, 7)
    assert page.get_by_label("Oak").is_checked()
    page.go_back()
    wait_for_cards(page, 2)
    assert not page.get_by_label("Oak").is_checked()

    page.goto(f"{address}/c/seating")
    stay(page)
    page.get_by_label("up to").fill("cheap")
    page.keyboard.press("Enter")
    page.get_by_text("Write prices in digits").wait_for()
    assert stayed(page)
    assert page.get_by_label("up to").input_value() == "cheap"


def test_a_list_is_narrowed_without_scripts(demo: Flask, serve: Serve, new_page: NewPage) -> None:  # noqa: F811 - a fixture
    page, address = new_page(java_script_enabled=False, viewport={"width": 360, "height": 740}), serve(demo)
    page.goto(f"{address}/c/seating")
    page.get_by_text("Narrow and sort").click()
    page.get_by_label("Walnut").check()
    page.get_by_label("Sort by").select_option("dearest")
    with page.expect_navigation():
        page.get_by_role("button", name="Show", exact=True).click()
    assert dict(wishes(page)) == {"f": "Wood:Walnut", "sort": "dearest"}
    assert page.locator(".card").count() == 2
    with page.expect_navigation():
        page.get_by_role("link", name="Take all back").click()
    assert page.locator(".card").count() == 7


def test_day_and_cart_follow_in_place(demo: Flask, serve: Serve, new_page: NewPage) -> None:  # noqa: F811 - a fixture
    page, address = new_page(), serve(demo)
    page.goto(f"{address}/p/linde-dining-table")
    stay(page)
    page.get_by_text("Why this day").click()
    page.get_by_label("Length, Wood").select_option("LINDE-180-ASH")
    page.wait_for_url("**sku=LINDE-180-ASH**")
    assert "€1,180.00" in page.locator("#part-price").inner_text()
    page.get_by_label("Quantity").fill("x")
    page.get_by_text("Write the number of pieces in digits").wait_for()
    page.get_by_label("Quantity").fill("2")
    page.locator("#part-problems .error").wait_for(state="detached")
    assert page.locator("details.why").evaluate("one => one.open")
    assert stayed(page)

    page.goto(f"{address}/p/linde-dining-table?sku=LINDE-180-ASH&postcode=20095")
    page.get_by_role("button", name="Put in cart").click()
    page.get_by_role("heading", name="Your cart").wait_for()
    stay(page)
    page.get_by_label("Quantity").fill("2")
    page.keyboard.press("Tab")
    page.get_by_text("€1,180.00 each").wait_for()
    expect(page.locator(".cart-count")).to_have_text("2")
    page.get_by_label("Quantity").fill("many")
    page.keyboard.press("Enter")
    page.get_by_text("Write the number of pieces in digits").wait_for()
    assert page.get_by_label("Quantity").input_value() == "many"
    page.get_by_role("button", name="Take out").click()
    page.get_by_text("There is nothing in it yet.").wait_for()
    expect(page.locator(".cart-count")).to_be_hidden()
    assert stayed(page)
