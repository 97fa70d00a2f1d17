"""Product, cart and order on paper: what was chosen or bought, with its day and sums, and nothing to press.

The sheets stay under build/screenshots/paper.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.e2e.test_pages import ADDRESS, demo, fill, into_cart  # noqa: F401 - demo is a fixture
from tests.need import SCREENSHOTS

PRESSED = "button, nav, input[type=search], .narrowing, .pager, textarea, .skip, summary"


def print_out(page: Any, name: str) -> str:
    """Print a page, and return what stands on the paper; nothing on it is there to be pressed."""
    page.emulate_media(media="print")
    seen = page.evaluate(
        f"[...document.querySelectorAll('{PRESSED}')].filter(one => one.checkVisibility()).map(one => one.outerHTML)"
    )
    assert seen == []
    folder = SCREENSHOTS / "paper"
    folder.mkdir(parents=True, exist_ok=True)
    page.pdf(path=folder / f"{name}.pdf", format="A4")
    return str(page.locator("body").inner_text())


@pytest.mark.browser
def test_what_was_chosen_and_bought_on_paper(
    demo: Flask,  # noqa: F811 - a fixture
    serve: Callable[[Flask], str],
    new_page: Callable[..., Any],
) -> None:
    page, address = new_page(), serve(demo)
    page.goto(f"{address}/p/linde-dining-table?sku=LINDE-180-WALNUT")
    product = print_out(page, "product")
    assert "€1,640.00 incl. VAT, plus €9.90 delivery" in product
    assert "Made for you" in product
    page.emulate_media(media="screen")
    into_cart(page, address, "/p/amsel-chair?postcode=96047")
    assert "€289.90" in print_out(page, "cart")
    page.emulate_media(media="screen")
    page.goto(f"{address}/checkout")
    fill(page, ADDRESS)
    for _ in ("at the shop", "at the provider"):
        with page.expect_navigation():
            page.get_by_role("button", name="Pay").first.click()
    page.get_by_role("heading", name="What you bought", exact=True).wait_for()
    order = print_out(page, "order")
    for words in (
        "Order SF-",
        "Amsel chair",
        "€280.00",
        "€289.90",
        "Arrives",
        ADDRESS["Name"],
        ADDRESS["Street and number"],
        ADDRESS["Town"],
    ):
        assert words in order, words
    for words in ("Cancel this order", "Your message", "How it goes", "http"):
        assert words not in order, words
