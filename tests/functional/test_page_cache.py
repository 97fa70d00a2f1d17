"""Pages kept whole: the same bytes while nothing changes, and gone with the first change, in every process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from backoffice.config import Settings
from backoffice.db import Database
from backoffice.erp import counting, offers, plan
from backoffice.erp import models as t
from backoffice.erp.company import get_warehouse
from storefront.page_cache import Page, PageCache
from tests import statements
from tests.company import item_id, open_company
from tests.conftest import FixedClock


class Twins:
    """Two processes over one database."""

    def __init__(self, apps: list[Flask], clock: FixedClock) -> None:
        self.services = apps[0].extensions["shopfloor"]
        self.one, self.two = (app.test_client(use_cookies=False) for app in apps)
        self.clock = clock

    def both(self, path: str) -> str:
        """Return what both show, which must be the same."""
        first, second = self.one.get(path), self.two.get(path)
        assert (first.status_code, second.status_code) == (200, 200)
        assert first.data == second.data
        return first.text

    def change(self, work: Callable[[Any], object]) -> None:
        self.services.db.run(work)


@pytest.fixture
def twins(db: Database, settings_for: Callable[..., Settings], clock: FixedClock, now: datetime) -> Any:
    from wsgi import create_app

    settings = settings_for(db.url)
    apps = [create_app(settings, clock=clock) for _ in range(2)]
    db.run(lambda session: open_company(session, now=now))
    yield Twins(apps, clock)
    for app in apps:
        app.extensions["shopfloor"].db.dispose()


def count(session: Any, sku: str, pieces: int, now: datetime) -> None:
    works = get_warehouse(session).id
    counting.count_stock(session, item_id(session, sku), works, pieces, ref=f"{sku}{pieces}", actor="t", now=now)


@pytest.mark.parametrize("path", ["/", "/c/furniture", "/p/stool"])
def test_a_kept_page_is_the_same_and_asks_for_its_state_alone(twins: Twins, path: str) -> None:
    first = twins.one.get(path)
    database = twins.services.db
    again: list[Any] = []
    assert statements.count(database, lambda: again.append(twins.one.get(path))) <= 2
    assert (again[0].status_code, again[0].data) == (200, first.data)
    shown = {name: value for name, value in first.headers if name != "X-Request-Id"}
    assert {name: value for name, value in again[0].headers if name != "X-Request-Id"} == shown
    assert twins.one.get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    assert twins.one.head(path).status_code == 200


def test_the_last_piece_is_gone_on_the_next_request_everywhere(twins: Twins) -> None:
    assert "/p/stool" in twins.both("/c/furniture")
    cart = twins.services.shop.carts.add(None, "STOOL", 5, postcode=None, now=twins.clock())
    assert "/p/stool" not in twins.both("/c/furniture")
    twins.services.shop.carts.set_quantity(cart.token, "STOOL", 0, now=twins.clock())
    assert "/p/stool" in twins.both("/c/furniture")


def test_what_arrived_and_what_costs_another_price_is_shown_at_once(twins: Twins) -> None:
    assert "/p/vase" not in twins.both("/c/furniture")
    twins.change(lambda session: count(session, "VASE", 2, twins.clock()))
    assert "/p/vase" in twins.both("/c/furniture")
    assert "61.00" not in twins.both("/p/stool")

    def dearer(session: Any) -> None:
        session.get_one(t.Item, item_id(session, "STOOL")).price_minor = 6_100
        plan.bump(session, master=True)

    twins.change(dearer)
    assert "61.00" in twins.both("/p/stool")


def test_the_day_moves_when_the_last_parcel_has_left(twins: Twins) -> None:
    before = twins.both("/p/stool")
    assert "25 Nov" in before
    twins.clock.advance(hours=4, minutes=59)  # 13:59 in Berlin
    assert "25 Nov" in twins.both("/p/stool")
    twins.clock.advance(minutes=2)  # 14:01: today's parcel is gone
    after = twins.both("/p/stool")
    assert "26 Nov" in after


def test_whoever_carries_a_cookie_gets_their_own_page(twins: Twins) -> None:
    twins.both("/p/stool")
    mine: FlaskClient = twins.one.application.test_client()
    mine.set_cookie("place", "80331")
    assert "26 Nov" in mine.get("/p/stool").text
    assert "25 Nov" in twins.both("/p/stool")


def test_a_state_is_never_given_twice(twins: Twins) -> None:
    catalogue, now = twins.services.shop.catalogue, twins.clock()
    states = [catalogue.find_version(now=now)]
    for pieces in (3, 4, 3):
        twins.change(lambda session, pieces=pieces: count_again(session, pieces, now))
        states.append(catalogue.find_version(now=now))
    assert len(set(states)) == 4
    assert catalogue.find_version(now=now) == states[-1]


def count_again(session: Any, pieces: int, now: datetime) -> None:
    works = get_warehouse(session).id
    one = item_id(session, "STOOL")
    ref = f"again{session.scalar(sa.select(sa.func.count()).select_from(t.StockMovement))}"
    counting.count_stock(session, one, works, pieces, ref=ref, actor="t", now=now)
    offers.touch(session, [one], now=now)


def test_the_cache_keeps_to_its_size_and_lets_the_oldest_go() -> None:
    cache = PageCache(most_bytes=25)
    for name in ("a", "b"):
        cache.keep(name, "1", Page(b"x" * 10, ()))
    assert cache.find("a", "1") is not None
    cache.keep("c", "1", Page(b"x" * 10, ()))
    assert [name for name in "abc" if cache.find(name, "1")] == ["a", "c"]
    assert cache.find("a", "2") is None
    assert cache.find("a", "1") is None  # forgotten with its state
    cache.keep("huge", "1", Page(b"x" * 26, ()))
    assert cache.find("huge", "1") is None
