"""The planner's lanes by keyboard and without JavaScript: earlier and later, day and week, from a bar to what hangs on it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.e2e.test_pages import demo, tab_to
from tests.e2e.test_story import log_in

__all__ = ["demo"]  # the demo company, as the walk through all pages has it


@pytest.mark.browser
def test_the_lanes_by_keyboard_without_javascript(
    demo: Flask,
    serve: Callable[[Flask], str],
    new_page: Callable[..., Any],
) -> None:
    page, address = new_page(java_script_enabled=False), serve(demo)
    log_in(page, address, "henrik@birkengrund.example")
    page.goto(f"{address}/desk/planning/lanes")

    def enter(name: str) -> None:
        tab_to(page, name)
        with page.expect_navigation():
            page.keyboard.press("Enter")

    assert "Tue 24 Nov to Mon 30 Nov" in page.get_by_role("heading", level=1).inner_text()
    enter("Later")
    assert "Tue 1 Dec to Mon 7 Dec" in page.get_by_role("heading", level=1).inner_text()
    enter("Earlier")
    enter("Day")
    assert page.get_by_role("heading", level=1).inner_text().startswith("Lanes: Tue 24 Nov")
    bar = page.locator("svg.gantt a").first
    plain = bar.locator("rect").evaluate("one => getComputedStyle(one).strokeWidth")
    page.get_by_role("region", name=re.compile("Lanes as a picture")).focus()
    page.keyboard.press("Tab")  # the first work centre's name
    page.keyboard.press("Tab")  # its first bar
    assert page.evaluate("document.activeElement.tagName") == "a"
    seen = page.evaluate("getComputedStyle(document.activeElement.querySelector('rect')).strokeWidth")
    assert (plain, seen) == ("1.2px", "3px")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert re.match(r"MO-\d+: ", page.get_by_role("heading", level=1).inner_text())
    assert page.get_by_role("heading", name="What it is for").is_visible()
