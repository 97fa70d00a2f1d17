"""Carts: what somebody wants, and the holds that keep it for them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import company_prices, links
from backoffice.crm.models import Cart, CartLine
from backoffice.db import PlanMoved, write_row, write_rows
from backoffice.erp import factory as masters
from backoffice.erp import holds, plan, price_lists, promising, services, shipping
from backoffice.erp import models as t
from backoffice.erp.classes import RETAIL
from backoffice.erp.company import get_company
from backoffice.erp.shipping import Destination
from backoffice.public.errors import BadInput, Refused
from backoffice.public.promise import Promise

MOST = 9_999  # pieces of one line
PARCELS = ("one", "dated")
NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Line:
    """A cart line with what stands behind it now. promise None: nothing; then `most` could still be had."""

    row: CartLine
    item: t.Item
    product: t.Product
    reservation: t.Reservation | None
    promise: Promise | None
    most: int | None
    price_minor: int  # of a piece, of so many

    @property
    def warehouse_id(self) -> int:
        """Return the warehouse that it ships from; 0: the works."""
        return (self.reservation.warehouse_id if self.reservation else None) or 0


class Found(NamedTuple):
    """A row of a cart with what it speaks of."""

    row: CartLine
    item: t.Item
    product: t.Product
    reservation: t.Reservation | None


def find_cart(session: Session, token: str | None) -> Cart | None:
    """Return the open cart of a browser's token."""
    return session.scalar(_FIND, of(token)) if token else None


MINE = sa.and_(Cart.token_hash == sa.bindparam("token_hash"), Cart.state == "open")
"""The condition for the open cart of a browser's token, see `of`."""
_FIND = sa.select(Cart).where(MINE)
_FIND_MINE = _FIND.with_for_update().execution_options(populate_existing=True)
_LOCK = sa.select(Cart).where(Cart.id == sa.bindparam("cart_id")).with_for_update().execution_options(populate_existing=True)


def of(token: str) -> dict[str, str]:
    """Return what `MINE` asks for."""
    return {"token_hash": links.hash_token(token)}


def find_mine(session: Session, token: str | None) -> Cart | None:
    """Return the open cart of a browser's token, to change it: its other windows wait until we are done."""
    return session.scalar(_FIND_MINE, of(token)) if token else None


def lock(session: Session, cart_id: int) -> Cart:
    """Let nobody else change this cart until we are done; return it as it is by then."""
    return session.scalars(_LOCK, {"cart_id": cart_id}).one()


def new_cart(
    session: Session, *, now: datetime, postcode: str = "", country: str | None = None, customer_class: str = RETAIL
) -> tuple[Cart, str]:
    """Make a cart, for a place and a class where they are known; return it with its token. Raises as `set_place`."""
    token = links.new_token()
    own = get_company(session).country
    cart = Cart(token_hash=links.hash_token(token), country=own, created_at=now, updated_at=now, version=1, state="open")
    cart.customer_class = customer_class
    if postcode or country:
        _place(session, cart, postcode, country, now)
    return write_row(session, cart), token


def owner_ref(cart: Cart) -> str:
    """Return the name under which the cart's holds are kept."""
    return f"cart:{cart.id}"


def rows_of(session: Session, cart: Cart) -> list[CartLine]:
    """Return a cart's lines in the order of their items, which is the order of locking."""
    return list(session.scalars(sa.select(CartLine).where(CartLine.cart_id == cart.id).order_by(CartLine.item_id)))


def add(
    session: Session, cart: Cart, sku: str, quantity: int, *, minutes: int, now: datetime, new: bool = False, seen: bool = False
) -> None:
    """Add to the line of `sku` and hold the whole of it.

    new: the cart was made just now, so nothing is in it and nobody has seen it. seen: its customer is about to be shown its
    day, so it is noted, without looking at the other lines. Raises as `set_quantity`, and Refused(currency_mismatch) for what has
    no price in the shop's one currency: delivery, codes and papers are in that.
    """
    item = promising.get_item(session, sku)
    if item.currency != get_company(session).currency:
        raise Refused("currency_mismatch", sku=sku)
    if new:
        _hold_line(session, cart, item, None, quantity, minutes=minutes, now=now, seen=seen)
        return
    rows = rows_of(session, cart)
    row = next((row for row in rows if row.item_id == item.id), None)
    note_change(cart, now)
    _hold_line(session, cart, item, row, quantity + (row.quantity if row else 0), minutes=minutes, now=now, seen=seen)


def set_quantity(session: Session, cart: Cart, sku: str, quantity: int, *, minutes: int, now: datetime) -> None:
    """Set a line's quantity and hold it anew; 0 takes it out.

    Raises NotFound(unknown_product), BadInput(bad_quantity), Refused(not_available, most); nothing has changed then.
    """
    item = promising.get_item(session, sku)
    row = next((row for row in rows_of(session, cart) if row.item_id == item.id), None)
    if quantity > 0:
        note_change(cart, now)
        _hold_line(session, cart, item, row, quantity, minutes=minutes, now=now)
    elif quantity < 0:
        raise BadInput("bad_quantity", most=MOST)
    elif row is not None:
        _let_go_of(session, item, row, now)
        note_change(cart, now)
        session.delete(row)
        session.flush()


def _hold_line(
    session: Session,
    cart: Cart,
    item: t.Item,
    row: CartLine | None,
    quantity: int,
    *,
    minutes: int,
    now: datetime,
    seen: bool = False,
) -> None:
    """Hold a line's new quantity; row None: it is a new line."""
    if not 0 < quantity <= MOST:
        raise BadInput("bad_quantity", most=MOST)
    _let_go_of(session, item, row, now)
    held = hold(session, cart, item, quantity, minutes=minutes, now=now)
    line = row or CartLine(cart_id=cart.id, item_id=item.id, added_at=now)
    line.quantity, line.reservation_id = quantity, held.id
    line.shown_price_minor = price_lists.unit_minor(session, item, quantity, company_prices.list_of_cart(session, cart, now=now))
    if seen:
        with suppress(Refused):  # nothing is shipped there: the page that comes next says so
            line.shown_on = _promise(session, item, held, _place_of(session, cart, now), now).deliver_on
    if row is None:
        write_rows(session, [line])


def _let_go_of(session: Session, item: t.Item, row: CartLine | None, now: datetime) -> None:
    holds.queue(session, item, now=now)  # before any stock row is touched, so that all planners lock in one order
    if row is not None and row.reservation_id is not None:
        let_go(session, row.reservation_id, now)


def hold(session: Session, cart: Cart, item: t.Item, quantity: int, *, minutes: int, now: datetime) -> t.Reservation:
    """Hold goods for a cart, for its place and the day that it asks for. Raises Refused(not_available, most)."""
    return holds.hold(
        session,
        item,
        quantity,
        owner=owner_ref(cart),
        customer_class=cart.customer_class,
        minutes=minutes,
        country=cart.country,
        postcode=cart.postcode,
        by=cart.requested_on,
        service=service_of(session, cart),
        now=now,
    )


def service_of(session: Session, cart: Cart) -> str:
    """Return how a cart is sent: as chosen while that is offered for its country, else the usual way."""
    return services.current(session, cart.service, cart.country)


def delivery_minor(session: Session, cart: Cart) -> int:
    """Return what sending a cart costs."""
    return services.price_minor(session, service_of(session, cart))


def set_service(session: Session, cart: Cart, code: str, *, now: datetime) -> None:
    """Choose how it is sent ("": the usual way). Raises BadInput(invalid_form, service → bad_choice)."""
    if services.current(session, code, cart.country) != code:
        raise BadInput("invalid_form", {"service": "bad_choice"})
    if cart.service != code:
        cart.service = code
        note_change(cart, now)
        session.flush()


def try_hold(session: Session, cart: Cart, item: t.Item, quantity: int, *, minutes: int, now: datetime) -> t.Reservation | None:
    """Hold goods for a cart; None, and nothing is done, where they can no longer be had."""
    try:
        with session.begin_nested():
            return hold(session, cart, item, quantity, minutes=minutes, now=now)
    except PlanMoved:
        raise  # somebody was faster by a moment: the whole change is tried again
    except Refused:
        return None


def let_go(session: Session, reservation_id: int, now: datetime) -> None:
    """Give a line's hold back. Raises Refused(stale) if it is being paid for: that ends by the provider's word only."""
    if holds.release(session, reservation_id, now=now):
        return
    if session.get_one(t.Reservation, reservation_id, populate_existing=True).state == "paying":
        raise Refused("stale")


def renew(session: Session, cart: Cart, *, minutes: int, now: datetime, dead_only: bool = False) -> list[Found]:
    """Hold every line again from now. A line that can no longer be held loses its hold and stays in the cart.

    A live hold keeps its day, unless its work should have begun by now: then it is planned anew. Only for that the planners
    queue. dead_only: what still lives is left to run as it does; else what has all its minutes but the first. Return what was
    found, as it is now, for `lines_of`.
    """
    found = find_lines(session, cart)
    planning = False
    for number, (row, item, product, reservation) in enumerate(found):
        fresh_until = now if dead_only else now + timedelta(minutes=minutes) - NOTED_EVERY
        if reservation is not None and holds.stands(session, reservation, until=fresh_until, now=now):
            continue
        if reservation is not None and not dead_only and holds.renew(session, reservation.id, minutes=minutes, now=now):
            continue
        if holds.needs_plan(item) and not planning:
            planning = bool(plan.bump(session))
        if reservation is not None:
            let_go(session, reservation.id, now)
        held = try_hold(session, cart, item, row.quantity, minutes=minutes, now=now)
        row.reservation_id = held.id if held else None
        found[number] = Found(row, item, product, held)
    _touch(cart, now)
    session.flush()
    return found


def set_place(session: Session, cart: Cart, postcode: str, *, country: str | None = None, now: datetime) -> None:
    """Remember where it goes. Raises BadInput(unknown_postcode)."""
    _place(session, cart, postcode, country, now)
    note_change(cart, now)


def _place(session: Session, cart: Cart, postcode: str, country: str | None, now: datetime) -> None:
    master = masters.load(session, now=now)
    place = shipping.destination(session, master, country=country or cart.country, postcode=postcode, now=now)
    cart.postcode, cart.country = place.postcode, place.country


def set_parcels(session: Session, cart: Cart, parcels: str, *, now: datetime) -> None:
    """Choose whether all comes on one day or each parcel on its own. Raises BadInput(invalid_form, parcels → bad_choice)."""
    if parcels not in PARCELS:
        raise BadInput("invalid_form", {"parcels": "bad_choice"})
    if cart.parcels != parcels:
        cart.parcels = parcels
        note_change(cart, now)
        session.flush()


def dated_parcels(lines: Sequence[Line]) -> list[tuple[date, list[Line]]]:
    """Return the parcels that lines would come in if each left when it can: by warehouse and day, the earliest first."""
    parcels: dict[tuple[date, int], list[Line]] = {}
    for line in lines:
        if line.promise is not None:
            parcels.setdefault((line.promise.deliver_on, line.warehouse_id), []).append(line)
    return [(day, inside) for (day, _), inside in sorted(parcels.items(), key=lambda one: one[0])]


def note_change(cart: Cart, now: datetime) -> None:
    """Raise the version, by which pages see that the cart is another one."""
    cart.version += 1
    cart.updated_at = now


def _touch(cart: Cart, now: datetime) -> None:
    """Note that its customer is here, to the minute: which cart was used last is all that is asked of it."""
    if now - cart.updated_at > NOTED_EVERY:
        cart.updated_at = now


def lines_of(
    session: Session, cart: Cart, *, now: datetime, found: Sequence[Found] | None = None
) -> tuple[Sequence[Line], Destination]:
    """Return the lines as they stand now, in the order they were added, and the place that their days are named for.

    found: what `renew` has just returned.
    """
    place = _place_of(session, cart, now)
    own, rows = company_prices.list_of_cart(session, cart, now=now), find_lines(session, cart) if found is None else found
    lines = [_line(session, cart, one, place, own, now) for one in rows]
    return sorted(lines, key=lambda line: (line.row.added_at, line.row.id)), place


_LINES = (
    sa.select(CartLine, t.Item, t.Product, t.Reservation)
    .join(t.Item, t.Item.id == CartLine.item_id)
    .join(t.Product, t.Product.id == t.Item.product_id)
    .outerjoin(t.Reservation, t.Reservation.id == CartLine.reservation_id)
    .where(CartLine.cart_id == sa.bindparam("cart_id"))
    .order_by(CartLine.item_id)
    .execution_options(populate_existing=True)
)


def find_lines(session: Session, cart: Cart) -> list[Found]:
    """Return a cart's lines as they are now with what they speak of, in the order of their items, in one statement."""
    return [Found(*row) for row in session.execute(_LINES, {"cart_id": cart.id})]


def _line(session: Session, cart: Cart, found: Found, place: Destination, own: int | None, now: datetime) -> Line:
    row, item, product = found.row, found.item, found.product
    price = price_lists.unit_minor(session, item, row.quantity, own)
    reservation = found.reservation if found.reservation and is_live(found.reservation, now) else None
    try:
        if reservation is not None:
            promise = _promise(session, item, reservation, place, now)
        else:
            where = {"country": place.country, "postcode": place.postcode}
            how = {"own": owner_ref(cart), "customer_class": cart.customer_class, "service": place.service}
            promise = promising.quote(session, item, row.quantity, **where, **how, by=cart.requested_on, now=now)
    except Refused as refusal:
        most = refusal.details.get("most")
        return Line(row, item, product, None, None, most if isinstance(most, int) else None, price)
    return Line(row, item, product, reservation, promise, None, price)


def _place_of(session: Session, cart: Cart, now: datetime) -> Destination:
    return way_with(session, cart, service_of(session, cart), now=now)


def way_with(session: Session, cart: Cart, service: str, *, now: datetime) -> Destination:
    """Return the way to where a cart goes with a service."""
    master = masters.load(session, now=now)
    return shipping.destination(session, master, country=cart.country, postcode=cart.postcode, service=service, now=now)


def day_with(
    session: Session, cart: Cart, lines: Sequence[Line], service: str, *, not_before: datetime | None = None, now: datetime
) -> date | None:
    """Return the day of the latest line if all were sent with a service, no sooner than an instant; None: one has none."""
    master, place = masters.load(session, now=now), way_with(session, cart, service, now=now)
    days = []
    for line in lines:
        if line.promise is None:
            return None
        way = shipping.from_warehouse(session, master, place, line.warehouse_id or None, now=now)
        ready_at = max(line.promise.ready_at, not_before) if not_before else line.promise.ready_at
        days.append(promising.day_for(ready_at, way, now=now))
    return max((one[1] for one in days if one), default=None) if all(days) else None


def _promise(session: Session, item: t.Item, reservation: t.Reservation, place: Destination, now: datetime) -> Promise:
    master = masters.load(session, now=now)
    way = shipping.from_warehouse(session, master, place, reservation.warehouse_id, now=now)
    return promising.promise_of(session, master, reservation, item, way, now=now)


def is_live(reservation: t.Reservation, now: datetime) -> bool:
    """Tell whether a reservation still keeps its goods for its cart."""
    return reservation.state == "paying" or (reservation.state == "held" and reservation.expires_at > now)


def remember_shown(lines: Sequence[Line]) -> None:
    """Note the days and prices that the customer is being shown, so that the next page can say what moved."""
    for line in lines:  # what they know already is not written again
        if line.row.shown_price_minor != line.price_minor:
            line.row.shown_price_minor = line.price_minor
        if line.promise is not None and line.row.shown_on != line.promise.deliver_on:
            line.row.shown_on = line.promise.deliver_on


def latest_day(lines: Sequence[Line]) -> date | None:
    """Return the day of one parcel for all: the latest line's."""
    days = [line.promise.deliver_on for line in lines if line.promise]
    return max(days) if days and len(days) == len(lines) else None
