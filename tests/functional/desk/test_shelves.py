"""The shelves: a list by place, one item that fills the screen, a count that differs and whom it moves."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from backoffice.erp.models import Item
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]
SHELVES = "/desk/warehouse/stock"


def item_id(workshop: Workshop, sku: str) -> int:
    """Return an item's number in the database."""
    return int(workshop.rows(Item, sku=sku)[0].id)


def test_the_list_says_what_is_there_and_whose_it_is(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(STOOL=2)
    workshop.cart(STOOL=1)
    page = at_desk("Wim").get(SHELVES)
    row = next(one for one in page.split("<tr") if "<code>STOOL</code>" in one)
    assert re.findall(r'data-label="[^"]+">(?:<b>)?(\d+)', row) == ["5", "2", "1", "2"]


def test_a_name_is_found_in_any_case_of_any_alphabet(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.db.run(lambda session: setattr(session.get_one(Item, item_id(workshop, "STOOL")), "name", "Ölbank"))
    wim = at_desk("Wim")
    for typed in ("ölbank", "ÖLBANK", "öl"):
        assert "Ölbank" in wim.get(f"{SHELVES}?q={typed}"), typed
    assert "Ölbank" not in wim.get(f"{SHELVES}?q=älbank")


def test_a_scanned_item_fills_the_screen_and_its_count_goes_back_to_the_list(at_desk: AtDesk, workshop: Workshop) -> None:
    wim = at_desk("Wim")
    page = wim.get(f"{SHELVES}?q=stool")
    assert re.search(r"<b>A-0</b>.*<b>Stool</b>.*How many are there\?", page, re.DOTALL)
    assert re.search(r'name="counted"[^>]*autofocus', page)
    address = f"{SHELVES}/{item_id(workshop, 'STOOL')}/count"
    page = wim.send(f"{address}?q=STOOL", counted="7", key="a")
    assert "Counted: 7 × Stool, 5 before. No order" in page
    assert "How many are there?" not in page
    assert workshop.stock("STOOL") == (7, 0, 0)
    assert "Counted: 7 × Stool, as booked." in wim.send(address, counted="7", key="b")


def test_the_same_count_posted_twice_is_booked_once(at_desk: AtDesk, workshop: Workshop) -> None:
    wim, address = at_desk("Wim"), f"{SHELVES}/{item_id(workshop, 'STOOL')}/count"
    wim.send(address, counted="4", key="a")
    wim.send(address, counted="9", key="b")
    wim.send(address, counted="4", key="a")
    assert workshop.stock("STOOL") == (9, 0, 0)


def test_whom_a_short_count_moves_is_named(at_desk: AtDesk, workshop: Workshop) -> None:
    start = workshop.start(workshop.cart(STOOL=2))
    workshop.pay(start)
    page = at_desk("Wim").send(f"{SHELVES}/{item_id(workshop, 'STOOL')}/count", counted="1", key="a")
    assert "Counted: 1 × Stool, 5 before. New days, told to their customers: " in page
    assert f"{workshop.order(start).number}, Stool: " in page


@pytest.mark.parametrize("typed", ["-1", "1.5", "many", "", "1" + "0" * 18])
def test_a_count_that_is_none_is_kept_and_explained(at_desk: AtDesk, workshop: Workshop, typed: str) -> None:
    wim, address = at_desk("Wim"), f"{SHELVES}/{item_id(workshop, 'STOOL')}/count"
    for query in ("", "?q=STOOL"):
        page = wim.refused(f"{address}{query}", 422, counted=typed, key="a")
        assert "Write a whole number, 0 or more." in page
        assert f'value="{typed}"' in page
        assert 'aria-current="page">Shelves' in page
    assert workshop.stock("STOOL") == (5, 0, 0)


def test_the_next_item_scanned_into_the_count_is_opened(at_desk: AtDesk, workshop: Workshop) -> None:
    page = at_desk("Wim").send(f"{SHELVES}/{item_id(workshop, 'STOOL')}/count?q=STOOL", counted="board", key="a")
    assert "<code>BOARD</code></p>" in page
    assert workshop.stock("STOOL") == (5, 0, 0)
