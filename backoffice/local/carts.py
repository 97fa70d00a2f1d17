"""Carts over the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import throttle
from backoffice.crm import accounts, asked_days, cart_codes, carts, company_prices
from backoffice.crm import checkout as checkouts
from backoffice.crm import models as crm
from backoffice.db import Database
from backoffice.erp import catalogue, in_time, services, sources
from backoffice.erp import models as t
from backoffice.erp.company import get_company, local_today
from backoffice.local.catalogue import instead_of
from backoffice.local.checkout import Till
from backoffice.public.carts import Cart, CartLine, CartPlace, ParcelDay, Service
from backoffice.public.catalogue import Picture
from backoffice.public.errors import BadInput, NotFound, TooOften
from backoffice.public.money import Money

T = TypeVar("T")


_EMPTY = ~sa.exists().where(crm.CartLine.cart_id == crm.Cart.id)
_PLACE = sa.select(crm.Cart.version, _EMPTY, crm.Cart.country, crm.Cart.postcode).where(carts.MINE)


class LocalCarts:
    """Change and read carts. A cart whose payment page is still open leaves that page first."""

    def __init__(self, db: Database, till: Till, hold_minutes: int) -> None:
        """Hold for `hold_minutes`."""
        self._db = db
        self._till = till
        self._minutes = hold_minutes

    def add(
        self,
        token: str | None,
        sku: str,
        quantity: int,
        *,
        postcode: str | None,
        now: datetime,
        country: str | None = None,
        account: str | None = None,
        customer_class: str | None = None,
    ) -> Cart:
        """Add to the line of `sku`; make a cart if there is none."""

        def show_it(session: Session, cart: crm.Cart, kept: str) -> Cart:
            return _shown(session, cart, kept, now)

        return self._add(token, sku, quantity, (postcode, country, account, customer_class), show_it, now)

    def put_in(
        self,
        token: str | None,
        sku: str,
        quantity: int,
        *,
        postcode: str | None,
        now: datetime,
        country: str | None = None,
        account: str | None = None,
    ) -> str:
        """Add, and return the cart's token."""

        def name_it(_session: Session, _cart: crm.Cart, kept: str) -> str:
            return kept

        return self._add(token, sku, quantity, (postcode, country, account, None), name_it, now, seen=True)

    def _add(
        self,
        token: str | None,
        sku: str,
        quantity: int,
        known: tuple[str | None, str | None, str | None, str | None],
        answer: Callable[[Session, crm.Cart, str], T],
        now: datetime,
        *,
        seen: bool = False,
    ) -> T:
        if quantity < 1:
            raise BadInput("bad_quantity", most=carts.MOST)
        postcode, country, account, partners = known

        def work(session: Session, cart: crm.Cart | None) -> T:
            new, kept = cart is None, token
            if cart is None:
                whose = partners or accounts.class_of(session, account, now=now)
                cart, kept = carts.new_cart(session, now=now, postcode=postcode or "", country=country, customer_class=whose)
            elif (postcode or country) and cart.postcode is None:
                carts.set_place(session, cart, postcode or "", country=country, now=now)
            company_prices.bind(session, cart, account, now=now)
            carts.add(session, cart, sku, quantity, minutes=self._minutes, now=now, new=new, seen=seen)
            assert kept is not None
            return answer(session, cart, kept)

        return self._till.run_on_cart(token, work, now=now)

    def set_quantity(self, token: str, sku: str, quantity: int, *, now: datetime) -> Cart:
        """Set a line's quantity; 0 takes it out."""
        return self._change(
            token, lambda session, cart: carts.set_quantity(session, cart, sku, quantity, minutes=self._minutes, now=now), now
        )

    def set_postcode(self, token: str, postcode: str, *, now: datetime, country: str | None = None) -> Cart:
        """Remember where it goes."""

        def move(session: Session, cart: crm.Cart) -> None:
            carts.set_place(session, cart, postcode, country=country, now=now)
            if cart.requested_on is not None:
                asked_days.plan_towards(session, cart, minutes=self._minutes, now=now)

        return self._change(token, move, now)

    def ask_for_day(self, token: str, day: date | None, *, now: datetime) -> Cart:
        """Ask for all of it by a day."""
        return self._change(
            token, lambda session, cart: asked_days.ask_for(session, cart, day, minutes=self._minutes, now=now), now
        )

    def set_service(self, token: str, service: str, *, now: datetime) -> Cart:
        """Choose how it is sent."""

        def choose(session: Session, cart: crm.Cart) -> None:
            carts.set_service(session, cart, service, now=now)
            if cart.requested_on is not None:
                asked_days.plan_towards(session, cart, minutes=self._minutes, now=now)

        return self._change(token, choose, now)

    def set_coupon(self, token: str, code: str, *, tried_by: str, now: datetime) -> Cart:
        """Put a code on the cart; tries are counted, and one that was right is taken back: many buyers share an address."""
        if code.strip():
            wait = self._db.run(lambda session: throttle.find_wait(session, tried_by, "code", window=throttle.HOUR, now=now))
            if wait is not None:
                raise TooOften("too_many_codes", retry_after=wait.total_seconds())

        def put(session: Session, cart: crm.Cart) -> None:
            cart_codes.set_coupon(session, cart, code, now=now)
            if code.strip():
                throttle.take_back(session, tried_by, "code")

        return self._change(token, put, now)

    def take_instead(self, token: str, sku: str, other: str, *, now: datetime) -> Cart:
        """Put something else into a line's place."""
        return self._change(
            token, lambda session, cart: asked_days.take_instead(session, cart, sku, other, minutes=self._minutes, now=now), now
        )

    def set_parcels(self, token: str, parcels: str, *, now: datetime) -> Cart:
        """Choose between one day for all and dated parcels."""
        return self._change(token, lambda session, cart: carts.set_parcels(session, cart, parcels, now=now), now)

    def renew(self, token: str, *, now: datetime) -> Cart:
        """Hold every line again from now."""
        cart = self._renewed(token, now, lambda _session, cart, _tried: cart)
        if cart is None:
            raise NotFound("unknown_cart")
        return cart

    def visit(self, token: str, *, now: datetime) -> tuple[Cart | None, Mapping[str, str]]:
        """Hold again, and return with it what its customer typed the last time they went to pay."""

        def with_typed(session: Session, cart: Cart, tried: bool) -> tuple[Cart | None, Mapping[str, str]]:
            return cart, checkouts.typed_before(session, token) if tried else {}

        return self._renewed(token, now, with_typed) or (None, {})

    def _renewed(self, token: str, now: datetime, answer: Callable[[Session, Cart, bool], T]) -> T | None:
        """Hold again what needs it and answer of the cart, told also whether its customer may have gone to pay before."""
        with self._db.read() as session:
            left = checkouts.find_as_left(session, token, minutes=self._minutes, now=now)
            if left is not None:
                cart, lines, tried = left
                return answer(session, _view(session, cart, lines, token, now), tried)

        def change(session: Session, cart: crm.Cart | None) -> T | None:
            if cart is None:
                return None
            found = carts.renew(session, cart, minutes=self._minutes, now=now)
            return answer(session, _shown(session, cart, token, now, found), True)

        return self._till.run_on_cart(token, change, now=now)

    def find(self, token: str | None, *, now: datetime) -> Cart | None:
        """Return the cart as it stands; changes nothing."""
        with self._db.read() as session:
            cart = carts.find_cart(session, token)
            return None if cart is None or token is None else show(session, cart, token, now)

    def find_place(self, token: str | None) -> CartPlace | None:
        """Return where a cart goes, without its lines."""
        with self._db.read() as session:
            found = session.execute(_PLACE, carts.of(token)).first() if token else None
            return CartPlace(*found) if found else None

    def count(self, token: str | None) -> int:
        """Return the number of pieces."""
        with self._db.read() as session:
            cart = carts.find_cart(session, token)
            if cart is None:
                return 0
            total = sa.select(sa.func.sum(crm.CartLine.quantity)).where(crm.CartLine.cart_id == cart.id)
            return int(session.scalar(total) or 0)

    def _change(self, token: str, work: Callable[[Session, crm.Cart], None], now: datetime) -> Cart:
        def change(session: Session, cart: crm.Cart | None) -> Cart:
            if cart is None:
                raise NotFound("unknown_cart")
            work(session, cart)
            return _shown(session, cart, token, now)

        return self._till.run_on_cart(token, change, now=now)


def _shown(session: Session, cart: crm.Cart, token: str, now: datetime, found: Sequence[carts.Found] | None = None) -> Cart:
    """Return the cart, then note what of it the customer now knows."""
    lines, _ = carts.lines_of(session, cart, now=now, found=found)
    view = _view(session, cart, lines, token, now)
    carts.remember_shown(lines)
    session.flush()
    return view


def show(session: Session, cart: crm.Cart, token: str, now: datetime) -> Cart:
    """Return the cart as its customer sees it."""
    return _view(session, cart, carts.lines_of(session, cart, now=now)[0], token, now)


def _view(session: Session, cart: crm.Cart, lines: Sequence[carts.Line], token: str, now: datetime) -> Cart:
    pictures = catalogue.pictures_of(session, [line.product.id for line in lines])
    currency = lines[0].item.currency if lines else get_company(session).currency
    views = [replace(_line(line, line.product, pictures), **_ways_out(session, cart, line, now)) for line in lines]
    subtotal = sum(view.total.amount_minor for view in views)
    shipping = carts.delivery_minor(session, cart) if lines else 0
    discount = cart_codes.discount_minor(session, cart, [(line.item, line.row.quantity) for line in lines], now=now)
    held = [line.reservation.expires_at for line in lines if line.reservation and line.reservation.state == "held"]
    return Cart(
        token=token,
        version=cart.version,
        lines=views,
        subtotal=Money(subtotal, currency) if lines else None,
        shipping=Money(shipping, currency) if lines else None,
        total=Money(subtotal + shipping - discount, currency) if lines else None,
        deliver_on=carts.latest_day(lines),
        held_until=min(held) if held else None,
        country=cart.country,
        postcode=cart.postcode,
        parcels=cart.parcels,
        dated=[ParcelDay(day, [line.item.sku for line in inside]) for day, inside in carts.dated_parcels(lines)],
        requested_on=cart.requested_on,
        service=carts.service_of(session, cart),
        services=_services(session, cart, lines, currency, now) if lines else (),
        coupon=cart.coupon_code,
        discount=Money(discount, currency) if discount else None,
    )


def _services(session: Session, cart: crm.Cart, lines: Sequence[carts.Line], currency: str, now: datetime) -> list[Service]:
    """Return the ways to send a cart with their prices and days; none where there is nothing to choose."""
    codes = [one.code for one in services.offered(session, cart.country)]
    return [
        Service(
            code,
            services.name_of(session, code),
            Money(services.price_minor(session, code), currency),
            carts.day_with(session, cart, lines, code, now=now),
        )
        for code in ([services.USUAL, *codes] if codes else ())
    ]


def _ways_out(session: Session, cart: crm.Cart, line: carts.Line, now: datetime) -> dict[str, Any]:
    """Return what a line would have to change: fewer pieces, something else. Nothing for a line that is as it was asked for."""
    by = cart.requested_on
    if by is not None and by < local_today(get_company(session), now):
        return {}  # over: nothing arrives by then any more
    if line.promise is not None and (by is None or line.promise.deliver_on <= by):
        return {}
    how = carts.service_of(session, cart)
    asker = sources.Buyer(cart.country, cart.postcode, carts.owner_ref(cart), how, cart.customer_class)
    found = in_time.instead(session, line.item, line.row.quantity, asker, by=by, now=now)
    most = in_time.most(session, line.item, line.row.quantity, asker, by=by, now=now) if by is not None else None
    return {"most_in_time": most, "instead": instead_of(session, found)}


def _line(line: carts.Line, product: t.Product, pictures: Mapping[int, Sequence[t.Picture]]) -> CartLine:
    item, row = line.item, line.row
    own = [p for p in pictures[product.id] if p.item_id == item.id] or pictures[product.id]
    moved = line.promise is not None and row.shown_on is not None and row.shown_on != line.promise.deliver_on
    dearer = row.shown_price_minor != line.price_minor
    return CartLine(
        sku=item.sku,
        slug=product.slug,
        name=product.name,
        options=", ".join(str(value) for value in item.options.values()),
        picture=Picture(own[0].file, own[0].alt) if own else None,
        quantity=row.quantity,
        unit_price=Money(line.price_minor, item.currency),
        total=Money(line.price_minor, item.currency) * row.quantity,
        promise=line.promise,
        most=line.most,
        was_on=row.shown_on if moved else None,
        was_price=Money(row.shown_price_minor, item.currency) if dearer else None,
        no_withdrawal=item.no_withdrawal,
    )
