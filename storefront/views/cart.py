"""The cart: put in, change, take out; what moved, what is held and until when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, request, url_for

from backoffice.public.carts import Cart
from backoffice.public.days import read_day
from backoffice.public.errors import BadInput, NotFound, Refused, ShopError, TooOften
from backoffice.public.lost_demand import LostDemand
from storefront import addresses, lost_demand, wording
from storefront.cookies import account_token, keep_cart, keep_place
from storefront.front import Front, Place, see
from storefront.inputs import parse_postcode, parse_quantity
from storefront.views.product import choose, draw_product, find_product


@dataclass(frozen=True, slots=True)
class Trouble:
    """A refused change of the cart: in words, for which line or field, with what was typed."""

    text: str
    sku: str = ""
    field: str = ""
    typed: str = ""
    status: int = 422
    country: str = ""


@dataclass(frozen=True, slots=True)
class Views:
    """The cart's addresses."""

    front: Front

    def cart(self) -> Response:
        """Show the cart as it stands: today's days and prices, and what moved since it was last shown."""
        return self._show(None)

    def cart_add(self) -> Response:
        """Put a product in; on refusal show its page again with all that was typed."""
        now, form = self.front.clock(), request.form
        sku, slug, typed = form.get("sku", ""), form.get("slug", ""), form.get("quantity", "1")
        postcode_typed = form.get("postcode", "")
        try:
            quantity = parse_quantity(typed)
            place = self.front.place_of(postcode_typed)
            postcode = place.abroad if place.country else parse_postcode(postcode_typed)
            token = self._put_in(sku, quantity, postcode, place.country or None, now)
        except ShopError as error:
            return self._refuse_add(error, slug, sku, typed, postcode_typed, now)
        response = see(url_for("shop.cart", added=sku))
        if postcode or place.country:
            keep_place(response, postcode, place.country)
        return keep_cart(response, token)

    def _put_in(self, sku: str, quantity: int, postcode: str | None, country: str | None, now: datetime) -> str:
        """Put in; a postcode typed on the way is where the whole cart goes from now on. country: None: the shop's own."""
        carts, token = self.front.shop.carts, self.front.cart_token()
        known = carts.find_place(token) if postcode else None
        if token and known and postcode and postcode != known.postcode:
            carts.set_postcode(token, postcode, country=country or self.front.profile().country, now=now)
        where = {"postcode": postcode, "country": country}
        return carts.put_in(token, sku, quantity, **where, account=account_token(), now=now)

    def _refuse_add(self, error: ShopError, slug: str, sku: str, typed: str, postcode_typed: str, now: datetime) -> Response:
        product = find_product(self.front, slug, now)
        if product is None or sku not in {variant.sku for variant in product.variants}:
            raise error if isinstance(error, NotFound) else NotFound("unknown_product") from error
        place = _typed_place(postcode_typed, error)
        choice = choose(self.front, product, sku, typed, place, now)
        return draw_product(self.front, product, choice, now, status=error.status, notice=wording.say(error))

    def cart_line(self) -> Response:
        """Change a line's quantity (0 takes it out), take it out, or hold everything again."""
        now, form = self.front.clock(), request.form
        token, sku, typed = self.front.cart_token(), form.get("sku", ""), form.get("quantity", "")
        action = form.get("action", "set")
        if token is None or self.front.shop.carts.find(token, now=now) is None:
            return self._show(Trouble(wording.say(Refused("cart_empty")), status=409))
        quantity = 0
        try:
            if action == "renew":
                self.front.shop.carts.renew(token, now=now)
            else:
                quantity = 0 if action == "remove" else parse_quantity(typed, least=0)
                self.front.shop.carts.set_quantity(token, sku, quantity, now=now)
        except ShopError as error:
            most = error.details.get("most")
            if isinstance(error, Refused) and isinstance(most, int) and quantity > most:
                lost_demand.note(self.front.shop, LostDemand("quantity", sku, quantity=quantity - most), now)
            return self._show(Trouble(wording.say(error), sku, "quantity", typed, error.status))
        return see(url_for("shop.cart"))

    def cart_postcode(self) -> Response:
        """Name the days for another place."""
        now, typed = self.front.clock(), request.form.get("postcode", "")
        token, profile = self.front.cart_token(), self.front.profile()
        country = request.form.get("country", profile.country)
        elsewhere = country if country != profile.country else ""
        try:
            if country not in (profile.country, *profile.countries):
                raise BadInput("unknown_country", {"country": "unknown_country"})
            postcode = parse_postcode(typed) or ""
            if not postcode and not elsewhere:  # elsewhere the country alone may name the day: the door knows
                raise BadInput("unknown_postcode", {"postcode": "unknown_postcode"})
            if token is not None and self.front.shop.carts.find(token, now=now) is not None:
                self.front.shop.carts.set_postcode(token, postcode, country=country, now=now)
        except ShopError as error:
            return self._show(Trouble(wording.say(error), "", "postcode", typed, error.status, country))
        return keep_place(see(url_for("shop.cart")), postcode, elsewhere)

    def cart_parcels(self) -> Response:
        """Choose between one day for all and a parcel on each day."""
        now, token = self.front.clock(), self.front.cart_token()
        if token is None or self.front.shop.carts.find(token, now=now) is None:
            return self._show(Trouble(wording.say(Refused("cart_empty")), status=409))
        try:
            self.front.shop.carts.set_parcels(token, request.form.get("parcels", ""), now=now)
        except ShopError as error:
            return self._show(Trouble(wording.say(error), status=error.status))
        return see(url_for("shop.cart"))

    def cart_day(self) -> Response:
        """Ask for all of it by a day, or for no day any more."""
        now, typed = self.front.clock(), request.form.get("requested_on", "").strip()
        token = self.front.cart_token()
        if token is None or self.front.shop.carts.find(token, now=now) is None:
            return self._show(Trouble(wording.say(Refused("cart_empty")), status=409))
        try:
            any_day = request.form.get("action") == "any" or not typed
            today = self.front.formats(self.front.profile(), now).today
            day = None if any_day else read_day(typed, today=today, field="requested_on")
            self.front.shop.carts.ask_for_day(token, day, now=now)
        except BadInput as error:
            words = wording.say_field(error.fields.get("requested_on", "bad_date"))
            return self._show(Trouble(words, "", "requested_on", typed, error.status))
        except ShopError as error:
            return self._show(Trouble(wording.say(error), status=error.status))
        return see(url_for("shop.cart"))

    def cart_service(self) -> Response:
        """Choose how it is sent."""
        now, token = self.front.clock(), self.front.cart_token()
        if token is None or self.front.shop.carts.find(token, now=now) is None:
            return self._show(Trouble(wording.say(Refused("cart_empty")), status=409))
        try:
            self.front.shop.carts.set_service(token, request.form.get("service", ""), now=now)
        except ShopError as error:
            return self._show(Trouble(wording.say(error), status=error.status))
        return see(url_for("shop.cart"))

    def cart_coupon(self) -> Response:
        """Put a code on the cart, or take it off."""
        now, token, typed = self.front.clock(), self.front.cart_token(), request.form.get("coupon", "")
        if token is None or self.front.shop.carts.find(token, now=now) is None:
            return self._show(Trouble(wording.say(Refused("cart_empty")), status=409))
        code = "" if request.form.get("action") == "remove" else typed[:100]
        try:
            self.front.shop.carts.set_coupon(token, code, tried_by=request.remote_addr or "", now=now)
        except ShopError as error:
            response = self._show(Trouble(wording.say(error), "", "coupon", typed[:100], error.status))
            if isinstance(error, TooOften):
                response.headers["Retry-After"] = str(error.retry_after)
            return response
        return see(url_for("shop.cart"))

    def cart_instead(self) -> Response:
        """Put what the customer chose into a line's place."""
        now, form, token = self.front.clock(), request.form, self.front.cart_token()
        sku, other = form.get("sku", ""), form.get("instead", "")
        if token is None or self.front.shop.carts.find(token, now=now) is None:
            return self._show(Trouble(wording.say(Refused("cart_empty")), status=409))
        try:
            self.front.shop.carts.take_instead(token, sku, other, now=now)
        except ShopError as error:
            return self._show(Trouble(wording.say(error), status=error.status))
        return see(url_for("shop.cart", added=other))

    def cart_count(self) -> Response:
        """Return the number of pieces as a fragment for the header, never cached."""
        count = self.front.shop.carts.count(self.front.cart_token())
        response = Response(str(count) if count else "", mimetype="text/plain")
        response.headers["Cache-Control"] = "no-store"
        return response

    def _show(self, trouble: Trouble | None) -> Response:
        now = self.front.clock()
        cart = self.front.shop.carts.find(self.front.cart_token(), now=now)
        for late in lost_demand.of_day(cart) if cart else ():
            lost_demand.note(self.front.shop, late, now)
        added, profile = request.args.get("added", ""), self.front.profile()
        return self.front.page(
            "storefront/cart.html",
            now,
            status=trouble.status if trouble else 200,
            cart=cart,
            trouble=trouble,
            place=self.front.remembered_place(),
            countries=addresses.countries(profile.countries, self.front.formats(profile, now)),
            added=next((line for line in cart.lines if line.sku == added), None) if cart and added else None,
            changes=changes_of(cart) if cart else (),
            minutes=minutes_left(cart, now),
            ready=bool(cart and cart.lines and all(line.promise for line in cart.lines)),
        )


def _typed_place(typed: str, error: ShopError) -> Place:
    """Return the place as typed into a refused form, with the words that belong to its field."""
    if error.code == "unknown_postcode":
        return Place(None, typed, wording.say(error))
    try:
        return Place(parse_postcode(typed), typed)
    except BadInput as bad:
        return Place(None, typed, wording.say(bad))


def changes_of(cart: Cart) -> tuple[Mapping[str, object], ...]:
    """Return the lines whose day or price is not what was last shown."""
    return tuple(
        {
            "line": line,
            "day": line.was_on and line.promise and line.was_on != line.promise.deliver_on,
            "price": line.was_price,
        }
        for line in cart.lines
        if line.promise
        and ((line.was_on and line.was_on != line.promise.deliver_on) or (line.was_price and line.was_price != line.unit_price))
    )


def minutes_left(cart: Cart | None, now: datetime) -> int:
    """Return the whole minutes that everything in the cart is still held for; 0 = not held (any more)."""
    if cart is None or cart.held_until is None or cart.held_until <= now:
        return 0
    return max(1, int((cart.held_until - now).total_seconds() // 60))


def register(routes: Blueprint, front: Front) -> None:
    """Add the cart's addresses."""
    views = Views(front)
    routes.add_url_rule("/cart", "cart", views.cart)
    routes.add_url_rule("/cart/add", "cart_add", views.cart_add, methods=["POST"])
    routes.add_url_rule("/cart/line", "cart_line", views.cart_line, methods=["POST"])
    routes.add_url_rule("/cart/postcode", "cart_postcode", views.cart_postcode, methods=["POST"])
    routes.add_url_rule("/cart/parcels", "cart_parcels", views.cart_parcels, methods=["POST"])
    routes.add_url_rule("/cart/day", "cart_day", views.cart_day, methods=["POST"])
    routes.add_url_rule("/cart/service", "cart_service", views.cart_service, methods=["POST"])
    routes.add_url_rule("/cart/coupon", "cart_coupon", views.cart_coupon, methods=["POST"])
    routes.add_url_rule("/cart/instead", "cart_instead", views.cart_instead, methods=["POST"])
    routes.add_url_rule("/cart/count", "cart_count", views.cart_count)
