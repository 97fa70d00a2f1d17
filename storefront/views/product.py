"""The product page: the day beside the button, why this day, and what to do when there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from flask import Blueprint, Response, request, url_for

from backoffice.public.catalogue import ProductPage, Variant
from backoffice.public.errors import BadInput, NotFound, Refused, ShopError
from backoffice.public.lost_demand import LostDemand
from backoffice.public.promise import Instead, Promise
from storefront import lost_demand, wording
from storefront.cookies import account_token, keep_place
from storefront.front import Front, Place, shared
from storefront.inputs import parse_quantity
from storefront.structured import Terms, product_data


@dataclass(frozen=True, slots=True)
class Choice:
    """What is chosen on the page, and the answer to it: a promise, or why there is none."""

    variant: Variant
    quantity_typed: str
    quantity: int | None
    postcode_typed: str
    promise: Promise | None = None
    most: int | None = None
    refused: str = ""  # nothing can be promised: in words
    problems: Mapping[str, str] = field(default_factory=dict)  # field → words
    status: int = 200
    instead: Sequence[Instead] = ()  # what can be had of what may stand in, where nothing can be promised


def pick_variant(product: ProductPage, sku: str | None) -> Variant:
    """Return the variant that was asked for, else the first that can be had. Raises NotFound(unknown_product)."""
    if sku:
        for variant in product.variants:
            if variant.sku == sku:
                return variant
        raise NotFound("unknown_product")
    if not product.variants:
        raise NotFound("unknown_product")
    return next((variant for variant in product.variants if variant.available), product.variants[0])


def choose(front: Front, product: ProductPage, sku: str | None, quantity_typed: str, place: Place, now: datetime) -> Choice:
    """Ask the door for the day of what was typed; every refusal becomes words, and what was typed is kept."""
    variant = pick_variant(product, sku)
    problems: dict[str, str] = {}
    quantity: int | None = None
    try:
        quantity = parse_quantity(quantity_typed)
    except BadInput as error:
        problems["quantity"] = wording.say(error)
    if place.problem:
        problems["postcode"] = place.problem
    typed = place.typed or place.postcode or place.abroad
    if quantity is None:
        return Choice(variant, quantity_typed, None, typed, problems=problems, status=422)
    base = Choice(variant, quantity_typed, quantity, typed, problems=problems, status=422 if problems else 200)
    return _quote(front, base, place, now)


def _quote(front: Front, asked: Choice, place: Place, now: datetime) -> Choice:
    quantity = asked.quantity or 1
    problems, status = dict(asked.problems), asked.status
    promise, refused, most = None, "", None
    instead: Sequence[Instead] = ()
    here = (place.country or None, place.postcode or place.abroad or None)
    for country, postcode in [here, (None, None)] if any(here) else [(None, None)]:
        where: dict[str, str | None] = {"postcode": postcode} | ({"country": country} if country else {})
        try:
            promise = front.shop.promises.quote(asked.variant.sku, quantity, **where, cart=front.cart_token(), now=now)
            break
        except Refused as error:
            refused = wording.say(error)
            number = error.details.get("most")
            most = number if isinstance(number, int) and number > 0 else None
            instead = front.shop.promises.find_instead(asked.variant.sku, quantity, **where, cart=front.cart_token(), now=now)
            break
        except BadInput as error:
            if error.code in ("unknown_postcode", "unknown_country") and (postcode or country):
                # name the day for our usual place, and say that this one is not known
                problems["postcode"], status = wording.say(error), 422 if place.typed else 200
                continue
            problems["quantity"], status = wording.say(error), 422
            break
    return replace(
        asked, quantity=quantity, promise=promise, most=most, refused=refused, problems=problems, status=status, instead=instead
    )


def draw_product(
    front: Front, product: ProductPage, choice: Choice, now: datetime, *, status: int = 200, **values: object
) -> Response:
    """Draw the whole page. `values`: what a refused form leaves behind (notice, typed texts, problems)."""
    if choice.refused and choice.quantity:
        kind: Literal["quantity", "viewed"] = "quantity" if choice.most else "viewed"
        lost = LostDemand(kind, choice.variant.sku, quantity=choice.quantity - (choice.most or 0))
        lost_demand.note(front.shop, lost, now)
    structured = _structured(front, product, choice, now)
    return front.page(
        "storefront/product.html", now, status=status, product=product, choice=choice, structured=structured, **values
    )


def _structured(front: Front, product: ProductPage, choice: Choice, now: datetime) -> list[Any]:
    profile = front.profile()
    return product_data(
        product,
        page=url_for("shop.product", slug=product.slug, _external=True),
        media=lambda file: url_for("shop.media", path=file, _external=True),
        category=lambda slug: url_for("shop.category", slug=slug, _external=True),
        terms=Terms(profile.country, profile.shipping, profile.returns_days),
        promise=choice.promise,
        today=front.formats(profile, now).today,
    )


@dataclass(frozen=True, slots=True)
class Views:
    """The product's addresses."""

    front: Front

    def product(self, slug: str) -> Response:
        """Show a product; a day for what is chosen in the query."""
        now = self.front.clock()
        product = self.front.shop.catalogue.get_product(slug, language=self.front.language(), now=now, account=account_token())
        choice = self._chosen(product, now)
        response = shared(draw_product(self.front, product, choice, now, status=choice.status))
        return self._remember(response, choice)

    def _chosen(self, product: ProductPage, now: datetime) -> Choice:
        typed = request.args.get("quantity", "1")
        return choose(self.front, product, request.args.get("sku"), typed, self.front.place(), now)

    def _remember(self, response: Response, choice: Choice) -> Response:
        if "postcode" in request.args and "postcode" not in choice.problems:
            place = self.front.place()
            keep_place(response, place.postcode or place.abroad, place.country)
            response.headers["Cache-Control"] = "private, no-cache"
        return response


def find_product(front: Front, slug: str, now: datetime) -> ProductPage | None:
    """Return a product by its slug, None where there is none: for pages that can do without."""
    try:
        if not slug:
            return None
        return front.shop.catalogue.get_product(slug, language=front.language(), now=now, account=account_token())
    except ShopError:
        return None


def register(routes: Blueprint, front: Front) -> None:
    """Add the product's addresses."""
    views = Views(front)
    routes.add_url_rule("/p/<slug>", "product", views.product)
