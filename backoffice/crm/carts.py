"""Carts: what somebody wants, and the holds that keep it for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import links
from backoffice.crm.models import Cart, CartLine
from backoffice.db import PlanMoved
from backoffice.erp import factory as masters
from backoffice.erp import holds, plan, promising, shipping
from backoffice.erp import models as t
from backoffice.erp.company import get_company
from backoffice.erp.shipping import Destination
from backoffice.public.errors import BadInput, NotFound, Refused
from backoffice.public.promise import Promise

MOST = 9_999  # pieces of one line
PARCELS = ("one", "dated")


@dataclass(frozen=True, slots=True)
class Line:
    """A cart line with what stands behind it now. promise None: nothing; then `most` could still be had."""

    row: CartLine
    item: t.Item
    reservation: t.Reservation | None
    promise: Promise | None
    most: int | None

    @property
    def warehouse_id(self) -> int:
        """Return the warehouse that it ships from; 0: the works."""
        return (self.reservation.warehouse_id if self.reservation else None) or 0


def find_cart(session: Session, token: str | None) -> Cart | None:
    """Return the open cart of a browser's token."""
    if not token:
        return None
    return session.scalar(sa.select(Cart).where(Cart.token_hash == links.hash_token(token), Cart.state == "open"))


def find_mine(session: Session, token: str | None) -> Cart | None:
    """Return the open cart of a browser's token, to change it: its other windows wait until we are done."""
    if not token:
        return None
    query = sa.select(Cart).where(Cart.token_hash == links.hash_token(token), Cart.state == "open")
    return session.scalar(query.with_for_update().execution_options(populate_existing=True))


def lock(session: Session, cart_id: int) -> None:
    """Let nobody else change this cart until we are done."""
    session.execute(sa.select(Cart.id).where(Cart.id == cart_id).with_for_update())


def get_mine(session: Session, token: str) -> Cart:
    """Return the open cart of a token, to change it. Raises NotFound(unknown_cart)."""
    cart = find_mine(session, token)
    if cart is None:
        raise NotFound("unknown_cart")
    return cart


def new_cart(session: Session, *, now: datetime) -> tuple[Cart, str]:
    """Make a cart; return it with its token."""
    token = links.new_token()
    country = get_company(session).country
    cart = Cart(token_hash=links.hash_token(token), country=country, created_at=now, updated_at=now, version=1, state="open")
    session.add(cart)
    session.flush()
    return cart, token


def owner_ref(cart: Cart) -> str:
    """Return the name under which the cart's holds are kept."""
    return f"cart:{cart.id}"


def rows_of(session: Session, cart: Cart) -> list[CartLine]:
    """Return a cart's lines in the order of their items, which is the order of locking."""
    return list(session.scalars(sa.select(CartLine).where(CartLine.cart_id == cart.id).order_by(CartLine.item_id)))


def add(session: Session, cart: Cart, sku: str, quantity: int, *, minutes: int, now: datetime) -> None:
    """Add to the line of `sku` and hold the whole of it. Raises as `set_quantity`, and Refused(currency_mismatch)."""
    item = promising.get_item(session, sku)
    rows = rows_of(session, cart)
    others = [session.get_one(t.Item, row.item_id) for row in rows if row.item_id != item.id]
    if any(other.currency != item.currency for other in others):
        raise Refused("currency_mismatch", sku=sku)
    row = next((row for row in rows if row.item_id == item.id), None)
    _set(session, cart, item, row, quantity + (row.quantity if row else 0), minutes=minutes, now=now)


def set_quantity(session: Session, cart: Cart, sku: str, quantity: int, *, minutes: int, now: datetime) -> None:
    """Set a line's quantity and hold it anew; 0 takes it out.

    Raises NotFound(unknown_product), BadInput(bad_quantity), Refused(not_available, most); nothing has changed then.
    """
    item = promising.get_item(session, sku)
    row = next((row for row in rows_of(session, cart) if row.item_id == item.id), None)
    if row is None and quantity == 0:
        return
    _set(session, cart, item, row, quantity, minutes=minutes, now=now)


def _set(session: Session, cart: Cart, item: t.Item, row: CartLine | None, quantity: int, *, minutes: int, now: datetime) -> None:
    if not 0 <= quantity <= MOST or (quantity == 0 and row is None):
        raise BadInput("bad_quantity", most=MOST)
    if holds.needs_plan(item):
        plan.bump(session)  # before any stock row is touched, so that all planners lock in one order
    if row is not None and row.reservation_id is not None:
        _let_go(session, row.reservation_id, now)
    _changed(cart, now)
    if quantity == 0:
        assert row is not None
        session.delete(row)
        session.flush()
        return
    held = _hold(session, cart, item, quantity, minutes, now)
    if row is None:
        row = CartLine(cart_id=cart.id, item_id=item.id, added_at=now)
        session.add(row)
    row.quantity, row.reservation_id, row.shown_price_minor = quantity, held.id, item.price_minor
    session.flush()


def _hold(session: Session, cart: Cart, item: t.Item, quantity: int, minutes: int, now: datetime) -> t.Reservation:
    where = {"country": cart.country, "postcode": cart.postcode}
    return holds.hold(session, item, quantity, owner=owner_ref(cart), minutes=minutes, **where, now=now)


def _let_go(session: Session, reservation_id: int, now: datetime) -> None:
    """Give a line's hold back. Raises Refused(stale) if it is being paid for: that ends by the provider's word only."""
    if holds.release(session, reservation_id, now=now):
        return
    if session.get_one(t.Reservation, reservation_id, populate_existing=True).state == "paying":
        raise Refused("stale")


def renew(session: Session, cart: Cart, *, minutes: int, now: datetime) -> None:
    """Hold every line again from now. A line that can no longer be held loses its hold and stays in the cart.

    A live hold keeps its day, unless its work should have begun by now: then it is planned anew.
    """
    rows = rows_of(session, cart)
    items = {row.item_id: session.get_one(t.Item, row.item_id) for row in rows}
    if any(holds.needs_plan(item) for item in items.values()):
        plan.bump(session)
    for row in rows:
        if row.reservation_id is not None and _renewed(session, row.reservation_id, minutes, now):
            continue
        if row.reservation_id is not None:
            _let_go(session, row.reservation_id, now)
        try:
            with session.begin_nested():
                row.reservation_id = _hold(session, cart, items[row.item_id], row.quantity, minutes, now).id
        except PlanMoved:
            raise  # somebody was faster by a moment: the whole change is tried again
        except Refused:
            row.reservation_id = None
    cart.updated_at = now
    session.flush()


def _renewed(session: Session, reservation_id: int, minutes: int, now: datetime) -> bool:
    if holds.has_missed_its_start(session, reservation_id, now=now):
        return False
    return holds.renew(session, reservation_id, minutes=minutes, now=now)


def set_place(session: Session, cart: Cart, postcode: str, *, country: str | None = None, now: datetime) -> None:
    """Remember where it goes. Raises BadInput(unknown_postcode)."""
    master = masters.load(session, now=now)
    place = shipping.destination(session, master, country=country or cart.country, postcode=postcode, now=now)
    cart.postcode, cart.country = place.postcode, place.country
    _changed(cart, now)


def set_parcels(session: Session, cart: Cart, parcels: str, *, now: datetime) -> None:
    """Choose whether all comes on one day or each parcel on its own. Raises BadInput(invalid_form, parcels → bad_choice)."""
    if parcels not in PARCELS:
        raise BadInput("invalid_form", {"parcels": "bad_choice"})
    if cart.parcels != parcels:
        cart.parcels = parcels
        _changed(cart, now)
        session.flush()


def dated_parcels(lines: Sequence[Line]) -> list[tuple[date, list[Line]]]:
    """Return the parcels that lines would come in if each left when it can: by warehouse and day, the earliest first."""
    parcels: dict[tuple[date, int], list[Line]] = {}
    for line in lines:
        if line.promise is not None:
            parcels.setdefault((line.promise.deliver_on, line.warehouse_id), []).append(line)
    return [(day, inside) for (day, _), inside in sorted(parcels.items(), key=lambda one: one[0])]


def _changed(cart: Cart, now: datetime) -> None:
    cart.version += 1
    cart.updated_at = now


def lines_of(session: Session, cart: Cart, *, now: datetime) -> tuple[Sequence[Line], Destination]:
    """Return the lines as they stand now, in the order they were added, and the place that their days are named for."""
    master = masters.load(session, now=now)
    place = shipping.destination(session, master, country=cart.country, postcode=cart.postcode, now=now)
    lines = [_line(session, cart, row, place, now) for row in rows_of(session, cart)]
    return sorted(lines, key=lambda line: (line.row.added_at, line.row.id)), place


def _line(session: Session, cart: Cart, row: CartLine, place: Destination, now: datetime) -> Line:
    item = session.get_one(t.Item, row.item_id)
    reservation = session.get(t.Reservation, row.reservation_id) if row.reservation_id else None
    if reservation is not None and not is_live(reservation, now):
        reservation = None
    try:
        if reservation is not None:
            master = masters.load(session, now=now)
            way = shipping.from_warehouse(session, master, place, reservation.warehouse_id, now=now)
            promise = promising.promise_of(master, reservation, item, way, now=now)
        else:
            promise = promising.quote(
                session, item, row.quantity, country=place.country, postcode=place.postcode, own=owner_ref(cart), now=now
            )
    except Refused as refusal:
        most = refusal.details.get("most")
        return Line(row, item, None, None, most if isinstance(most, int) else None)
    return Line(row, item, reservation, promise, None)


def is_live(reservation: t.Reservation, now: datetime) -> bool:
    """Tell whether a reservation still keeps its goods for its cart."""
    return reservation.state == "paying" or (reservation.state == "held" and reservation.expires_at > now)


def remember_shown(lines: Sequence[Line]) -> None:
    """Note the days and prices that the customer is being shown, so that the next page can say what moved."""
    for line in lines:
        line.row.shown_price_minor = line.item.price_minor
        if line.promise is not None:
            line.row.shown_on = line.promise.deliver_on


def latest_day(lines: Sequence[Line]) -> date | None:
    """Return the day of one parcel for all: the latest line's."""
    days = [line.promise.deliver_on for line in lines if line.promise]
    return max(days) if days and len(days) == len(lines) else None
