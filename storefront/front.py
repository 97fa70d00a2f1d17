"""What every view holds in its hand: the door, the clock, and how a page is drawn and answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from flask import Response, g, make_response, redirect, render_template, request
from flask_babel import get_translations

from backoffice.public import Shop, ShopProfile
from backoffice.public.catalogue import Category
from backoffice.public.errors import BadInput
from backoffice.public.orders import Reader
from storefront import cookies, languages, wording
from storefront.assets import asset_function
from storefront.formats import Formats, direction_of, zone_of
from storefront.frame import Frames
from storefront.inputs import parse_postcode
from storefront.phrases import WORDS, locale
from storefront.promising import badge, moved, reason, step_lines
from storefront.tax_words import tax_words


@dataclass(frozen=True, slots=True)
class Place:
    """Where days are named for: a postcode or none, and the words when what was typed is no place we deliver to.

    postcode: in the shop's own country. country, abroad: another country with a postcode of it, or an empty one.
    """

    postcode: str | None
    typed: str = ""
    problem: str = ""
    country: str = ""
    abroad: str = ""


@dataclass(frozen=True, slots=True)
class Front:
    """The storefront's state: nothing in it changes after start-up but what was drawn once and is kept."""

    shop: Shop
    clock: Callable[[], datetime]
    media: Path
    demo: bool
    asset: Callable[[str], str] = field(default_factory=asset_function)
    _frames: Frames = field(default_factory=Frames)

    def reader(self) -> Reader:
        """Return who reads an order's page, as far as this browser shows it."""
        return Reader(cookies.order_proofs(), cookies.account_token() or "")

    def formats(self, profile: ShopProfile, now: datetime) -> Formats:
        """Return the reader's formats: their locale, the shop's zone."""
        zone = zone_of(profile.timezone)
        return Formats(locale(), zone, now.astimezone(zone).date())

    def language(self) -> str:
        """Return the reader's language tag, as the catalogue is asked for it."""
        return str(locale()).replace("_", "-")

    def profile(self) -> ShopProfile:
        """Return who the shop is, asked once in a request."""
        if "shop_profile" not in g:
            g.shop_profile = self.shop.profile.get()
        found: ShopProfile = g.shop_profile
        return found

    def page(self, template: str, now: datetime, *, status: int = 200, **values: object) -> Response:
        """Draw a page with what all pages share."""
        profile = self.profile()
        categories = self.shop.catalogue.find_categories(language=self.language())
        return self.draw(template, profile, categories, now, status=status, **values)

    def draw(
        self,
        template: str,
        profile: ShopProfile,
        categories: Sequence[Category],
        now: datetime,
        *,
        status: int = 200,
        **values: object,
    ) -> Response:
        """Draw a template with the shop's face already known."""
        formats = self.formats(profile, now)
        shared = {
            WORDS: get_translations(),
            "shop": profile,
            "top_categories": categories,
            "fmt": formats,
            "asset": self.asset,
            "demo": self.demo,
        }
        lies_in = values.get("listing") or values.get("product")
        frame = self._frames.get(
            profile, categories, shared, trail=getattr(lies_in, "path", ()), query=str(values.get("query") or "")
        )
        html = render_template(
            template,
            **shared,
            frame=frame,
            tax_words_of=tax_words,
            badge=badge,
            reason_of=reason,
            steps_of=step_lines,
            moved=moved,
            say_field=wording.say_field,
            why_kept=wording.why_kept,
            direction_of=direction_of,
            twins=languages.twins(found=status != 404),
            listed=languages.is_listed() and status == 200,
            **values,
        )
        response = make_response(html, status)
        response.headers["Cache-Control"] = "no-store"
        return response

    def cart_token(self) -> str | None:
        """Return the browser's cart token, as it sent it."""
        return cookies.cart_token()

    def place(self) -> Place:
        """Return where days are named for: what was typed into this page, else what the browser remembers."""
        typed = request.args.get("postcode")
        return self.remembered_place() if typed is None else self.place_of(typed)

    def place_of(self, typed: str) -> Place:
        """Return the place of a typed postcode: the remembered one abroad if that is it, else in the shop's own country."""
        known = self.remembered_place()
        if known.country and typed.strip() == known.abroad:
            return replace(known, typed=typed)
        try:
            return Place(parse_postcode(typed), typed)
        except BadInput as error:
            return Place(None, typed, wording.say(error))

    def remembered_place(self) -> Place:
        """Return the place of the cookie; a cookie that is no place counts as none."""
        country, abroad, postcode = (request.cookies.get(cookies.PLACE) or "").rpartition(":")
        try:
            code = parse_postcode(postcode)
        except BadInput:
            return Place(None)
        return Place(None, country=country, abroad=code or "") if abroad else Place(code)


def see(address: str) -> Response:
    """Send the browser on after a post, so that a reload does not post twice."""
    response = make_response(redirect(address, 303))
    response.headers["Cache-Control"] = "no-store"
    return response


def shared(response: Response) -> Response:
    """Let caches keep a page that is the same for everybody; whoever carries a cookie gets their own, unshared.

    Browsers ask again each time (a sold piece must be gone on the next request) and get 304 while nothing changed.
    """
    response.vary.add("Cookie")
    own = cookies.PLACE in request.cookies or cookies.cart_token() is not None or cookies.account_token() is not None
    if own or response.status_code != 200:
        response.headers["Cache-Control"] = "private, no-cache"
    else:
        response.headers["Cache-Control"] = "public, max-age=0, s-maxage=5, must-revalidate"
    if response.status_code != 200:
        return response
    response.add_etag()
    response.make_conditional(request)
    return response
