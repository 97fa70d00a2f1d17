"""Home, categories, search: only what can be promised, each with its day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, request, url_for

from backoffice.public.catalogue import Listing
from backoffice.public.errors import BadInput, NotFound
from backoffice.public.lost_demand import LostDemand
from storefront import lost_demand, wording
from storefront import narrowing as narrowing_of
from storefront.cookies import keep_place
from storefront.front import Front, Place, shared
from storefront.inputs import parse_page, parse_query
from storefront.narrowing import Narrowing


@dataclass(frozen=True, slots=True)
class Views:
    """The catalogue's pages."""

    front: Front

    def home(self) -> Response:
        """Show what the shop is, its categories and first products."""
        now = self.front.clock()
        listing, place = self._list(None, None, 1, Narrowing(), now)
        return self._answer("storefront/home.html", listing, place, now)

    def category(self, slug: str) -> Response:
        """Show one category, page by page, narrowed and in the order that the address says."""
        now = self.front.clock()
        page, narrowing = parse_page(request.args.get("page")), self._read()
        listing, place = self._list(slug, None, page, narrowing, now)
        _require_page(listing, page)
        return self._answer("storefront/category.html", listing, place, now, **self._narrowed(narrowing, listing, now, slug=slug))

    def search(self) -> Response:
        """Show what is found for some words, or of all there is by a day and other wishes; with neither, where to look."""
        now = self.front.clock()
        typed = request.args.get("q")
        page, narrowing = parse_page(request.args.get("page")), self._read()
        try:
            query = parse_query(typed)
        except BadInput as error:
            problem = wording.say(error)
            return self.front.page(
                "storefront/search.html", now, status=422, query=typed, problem=problem, listing=None, place=Place(None)
            )
        if not query and not narrowing.changes:
            return shared(self.front.page("storefront/search.html", now, query="", listing=None, place=self.front.place()))
        listing, place = self._list(None, query or None, page, narrowing, now)
        _require_page(listing, page)
        if query and not listing.total and not narrowing.changes:
            lost_demand.note(self.front.shop, LostDemand("search", words=query), now)
        narrowed = self._narrowed(narrowing, listing, now, **({"q": query} if query else {}))
        return self._answer("storefront/search.html", listing, place, now, query=query, **narrowed)

    def _read(self) -> Narrowing:
        profile = self.front.profile()
        return narrowing_of.read(request.args, profile.currency, self.front.formats(profile, self.front.clock()).today)

    def _narrowed(self, narrowing: Narrowing, listing: Listing, now: datetime, **own: str) -> dict[str, object]:
        """Return what the form, the chips and the pager need; `own`: what the address has beside the wish."""

        def address(pairs: narrowing_of.Pairs) -> str:
            values: dict[str, Any] = dict(own)
            for name, value in pairs:
                values.setdefault(name, []).append(value)
            return url_for(f"shop.{(request.endpoint or '').partition('.')[2]}", **values)

        formats = self.front.formats(self.front.profile(), now)
        return {
            "narrowing": narrowing,
            "chips": narrowing_of.chips(narrowing, listing, formats, address),
            "any_day": address(narrowing_of.without_day(narrowing)),
            "on_earliest": address([*narrowing_of.without_day(narrowing), (narrowing_of.DAY, listing.earliest_on.isoformat())])
            if listing.earliest_on
            else "",
            "whole_list": address(narrowing_of.without_wishes(narrowing)),
            "list_page": lambda page: address([*narrowing.pairs, ("page", str(page))]),
            "orders": narrowing_of.orders(),
            "carried": [(name, value) for name, value in own.items() if name != "slug"],
        }

    def _list(
        self, category: str | None, query: str | None, page: int, narrowing: Narrowing, now: datetime
    ) -> tuple[Listing, Place]:
        place = self.front.place()
        try:
            listing = self._ask(category, query, page, place, narrowing, now)
            if not _is_for(listing, place.postcode):
                raise BadInput("unknown_postcode")
            return listing, place
        except BadInput as error:
            if place.postcode is None:
                raise
            # the list is worth more than the place: show it for nowhere in particular and say why
            nowhere = Place(None, place.typed, wording.say(error))
            return self._ask(category, query, page, nowhere, narrowing, now), nowhere

    def _ask(
        self, category: str | None, query: str | None, page: int, place: Place, narrowing: Narrowing, now: datetime
    ) -> Listing:
        return self.front.shop.catalogue.list_products(
            category=category,
            query=query,
            page=page,
            country=place.country or None,
            postcode=place.postcode or place.abroad or None,
            language=self.front.language(),
            now=now,
            wish=narrowing.wish,
        )

    def _answer(self, template: str, listing: Listing, place: Place, now: datetime, **values: object) -> Response:
        narrowing = values.get("narrowing")
        wrong = (place.typed and place.problem) or (isinstance(narrowing, Narrowing) and narrowing.problems)
        response = self.front.page(template, now, status=422 if wrong else 200, listing=listing, place=place, **values)
        response = shared(response)
        if "postcode" in request.args and not place.problem:
            keep_place(response, place.postcode or place.abroad, place.country)
            response.headers["Cache-Control"] = "private, no-cache"
        return response


def _is_for(listing: Listing, postcode: str | None) -> bool:
    """Tell whether the days are named for `postcode`: a list falls back to the usual place where there is no such one."""
    if postcode is None or not listing.cards:
        return True
    return any(card.promise.postcode == " ".join(postcode.split()).upper() for card in listing.cards)


def _require_page(listing: Listing, page: int) -> None:
    if page > max(listing.pages, 1):
        raise NotFound("unknown_page")


def register(routes: Blueprint, front: Front) -> None:
    """Add the catalogue's addresses."""
    views = Views(front)
    routes.add_url_rule("/", "home", views.home)
    routes.add_url_rule("/c/<slug>", "category", views.category)
    routes.add_url_rule("/search", "search", views.search)
