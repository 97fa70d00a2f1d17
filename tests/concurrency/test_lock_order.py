"""Whoever takes several goods at once locks their rows in one order: else two who meet wait for each other, one is thrown out.

Read from what is sent to the database, so that it does not take luck to see it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.bootstrap import Services
from backoffice.db import Database
from backoffice.erp import stock
from tests.company import item_id, open_company
from tests.integration.chain.conftest import Workshop
from tests.integration.chain.test_kits import found_kit

pytestmark = pytest.mark.postgresql


@pytest.fixture
def shop(services: Services, now: Any) -> Workshop:
    """The workshop, with vases on the shelf too."""

    def work(session: sa.orm.Session) -> None:
        open_company(session, now=now)
        stock.move(session, item_id(session, "VASE"), 1, 5, cause="opening", ref="vases", actor="test", now=now)

    services.db.run(work)
    return Workshop(services, now)


@contextmanager
def locked(db: Database) -> Iterator[list[int]]:
    """Collect the items whose stock is changed meanwhile, in the order in which it is."""
    found: list[int] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if statement.startswith("UPDATE stock "):
            [name] = re.findall(r"item_id = %\((\w+)\)", statement) or [""]
            found.append(parameters[name] if name else parameters)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)


@pytest.fixture
def database_url(empty_postgres_url: str) -> str:
    """PostgreSQL alone: SQLite lets one writer in at a time."""
    return empty_postgres_url


def test_parts_of_what_is_made_are_taken_in_the_order_of_their_numbers(shop: Workshop) -> None:
    with locked(shop.db) as taken:
        shop.cart(TABLE=1)
    with shop.db.read() as session:
        leg, board = item_id(session, "LEG"), item_id(session, "BOARD")
    assert (leg < board, taken) == (True, [leg, board])


def test_an_order_takes_its_goods_in_the_order_of_their_numbers_whatever_the_carts(shop: Workshop) -> None:
    start = shop.start(shop.cart(VASE=1, STOOL=1))
    with locked(shop.db) as taken:
        shop.pay(start)
    with shop.db.read() as session:
        stool, vase = item_id(session, "STOOL"), item_id(session, "VASE")
    assert (stool < vase, taken) == (True, [stool, vase])


def test_an_order_of_a_set_and_of_one_of_its_parts_locks_all_their_shelves_first(shop: Workshop) -> None:
    shop.db.run(lambda session: found_kit(session, now=shop.now))
    start = shop.start(shop.cart(VASE=1, SET=1))  # the vase, then the set's stools, which come before it
    touched: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement.startswith(("UPDATE stock ", "SELECT stock.id")):
            touched.append(statement)

    sa.event.listen(shop.db.engine, "before_cursor_execute", note)
    shop.pay(start)
    sa.event.remove(shop.db.engine, "before_cursor_execute", note)
    assert touched[0].endswith("ORDER BY stock.item_id, stock.warehouse_id FOR UPDATE")
    assert [one.startswith("UPDATE") for one in touched] == [False, True, True, True]
