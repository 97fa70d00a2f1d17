"""Whole pages kept in this process for visitors without cookies that a page depends on: they are the same bytes for everybody.

A page is asked for by its address and by the state of what it shows (`CatalogueDoor.find_version`), read on each request:
so the last piece sold is gone from every process on the next request. Days depend on the clock only at whole minutes
(cut-off, midnight), so the minute is part of the name too. docs/decisions/0014.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, g, request

from backoffice.public import Shop
from backoffice.public.lost_demand import LostDemand
from storefront import lost_demand, visits

KEPT = frozenset({"shop.home", "shop.category", "shop.product"})
SAY_NOTHING = frozenset({visits.COOKIE})  # what no page depends on
MOST_BYTES = 32 * 1024 * 1024
LONGEST_NAME = 500  # a longer address is nobody's bookmark


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it was drawn. lost: what whoever is shown it has asked for in vain."""

    body: bytes
    headers: tuple[tuple[str, str], ...]
    lost: Sequence[LostDemand] = ()


class PageCache:
    """The pages asked for last, up to so many bytes. Safe between threads."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        """Keep up to `most_bytes` of bodies."""
        self._most = most_bytes
        self._bytes = 0
        self._pages: OrderedDict[str, tuple[str, Page]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, address: str, state: str) -> Page | None:
        """Return the page of an address in this state; one of another state is forgotten."""
        with self._lock:
            found = self._pages.get(address)
            if found is None:
                return None
            if found[0] != state:
                self._drop(address)
                return None
            self._pages.move_to_end(address)
            return found[1]

    def keep(self, address: str, state: str, page: Page) -> None:
        """Keep a page; what was not asked for the longest makes room."""
        with self._lock:
            self._drop(address)
            self._pages[address] = (state, page)
            self._bytes += len(page.body)
            while self._bytes > self._most:
                self._drop(next(iter(self._pages)))

    def _drop(self, address: str) -> None:
        old = self._pages.pop(address, None)
        if old is not None:
            self._bytes -= len(old[1].body)


def install(routes: Blueprint, shop: Shop, clock: Callable[[], datetime]) -> None:
    """Answer the pages of `routes` that are the same for everybody from the cache."""
    pages = PageCache()

    def look() -> Response | None:
        if request.endpoint not in KEPT or request.method not in ("GET", "HEAD") or not request.cookies.keys() <= SAY_NOTHING:
            return None
        address = request.url
        if len(address) > LONGEST_NAME:
            return None
        now = clock()
        state = f"{shop.catalogue.find_version(now=now)}:{int(now.timestamp()) // 60}"
        found = pages.find(address, state)
        if found is None:
            g.page_name = address, state
            return None
        if found.lost:
            lost_demand.again(shop, found.lost, now)
        response = Response(found.body)
        response.headers.clear()
        response.headers.extend(found.headers)
        return response.make_conditional(request)  # type: ignore[return-value] # it returns what it is called on

    def keep(response: Response) -> Response:
        name: tuple[str, str] | None = g.pop("page_name", None)
        if name is not None and response.status_code == 200 and "Set-Cookie" not in response.headers and not response.is_streamed:
            pages.keep(name[0], name[1], Page(response.get_data(), tuple(response.headers), lost_demand.of_this_page()))
        return response

    routes.before_request(look)
    routes.after_request(keep)
