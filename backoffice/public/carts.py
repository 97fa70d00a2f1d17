"""The cart, kept on the server under a secret token that the browser holds in a cookie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from backoffice.public.catalogue import Picture
from backoffice.public.money import Money
from backoffice.public.promise import Instead, Promise


@dataclass(frozen=True, slots=True)
class CartLine:
    """One line. `promise` is None when nothing can be promised any more; `was_on` = the day shown before, if it moved.

    Of a line that is late for the asked day, most_in_time: how many pieces would be in time. instead: of a late line what
    would be in time, of one that cannot be had what can.
    """

    sku: str
    slug: str
    name: str
    options: str
    picture: Picture | None
    quantity: int
    unit_price: Money
    total: Money
    promise: Promise | None
    most: int | None  # when promise is None: the quantity that could still be had, if known
    was_on: date | None = None
    was_price: Money | None = None
    most_in_time: int | None = None
    instead: Sequence[Instead] = ()
    no_withdrawal: str = ""  # why the law lets nobody take it back, see `Variant`


@dataclass(frozen=True, slots=True)
class ParcelDay:
    """One parcel that the cart would come in, if each leaves when it can."""

    deliver_on: date
    skus: Sequence[str]


@dataclass(frozen=True, slots=True)
class Service:
    """A way to send the cart: what it costs, and the day for all of it (None: a line has none). code "": the usual way.

    name: as the shop calls it; empty for the usual way, which each language has its own words for.
    """

    code: str
    name: str
    price: Money
    deliver_on: date | None


@dataclass(frozen=True, slots=True)
class Cart:
    """A cart as the customer sees it. `held_until`: the earliest expiry of its live holds.

    parcels: "one" (all on one day: `deliver_on`) | "dated" (each parcel of `dated` on its own day). requested_on: the day
    by which its customer asks for all of it. service: how it is sent, one of `services`; empty services: no choice.
    """

    token: str
    version: int
    lines: Sequence[CartLine]
    subtotal: Money | None
    shipping: Money | None
    total: Money | None
    deliver_on: date | None  # all in one parcel: the latest line
    held_until: datetime | None
    country: str
    postcode: str | None
    parcels: str = "one"
    dated: Sequence[ParcelDay] = ()  # earliest first; a single one: there is nothing to choose
    requested_on: date | None = None
    service: str = ""
    services: Sequence[Service] = ()  # the usual way first
    coupon: str = ""  # its code
    discount: Money | None = None  # what the code takes off; None with a code: it cannot be used any more

    @property
    def service_name(self) -> str:
        """Return the name of how it is sent; empty for the usual way."""
        return next((one.name for one in self.services if one.code == self.service), "")

    @property
    def worth_choosing(self) -> Sequence[Service]:
        """Return the usual way, the chosen one and what is sooner than the usual; empty where there is no choice in that."""
        usual = self.services[0].deliver_on if self.services else None
        found = [
            one
            for one in self.services
            if one.code in ("", self.service) or (one.deliver_on is not None and usual is not None and one.deliver_on < usual)
        ]
        return found if len(found) > 1 else ()

    @property
    def in_time(self) -> bool:
        """Tell whether all of it arrives by the asked day; without one it does."""
        return self.requested_on is None or (self.deliver_on is not None and self.deliver_on <= self.requested_on)

    def is_late(self, line: CartLine) -> bool:
        """Tell whether a line arrives after the asked day."""
        return self.requested_on is not None and line.promise is not None and line.promise.deliver_on > self.requested_on


@dataclass(frozen=True, slots=True)
class CartPlace:
    """Where a cart goes, as of one version of it. empty: nothing is in it."""

    version: int
    empty: bool
    country: str
    postcode: str | None


class CartDoor(Protocol):
    """Change a cart. Every change holds material and capacity minutes for 15 minutes and renews what is held."""

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
        """Add to the line of `sku` (the same one twice sums up); make a cart if `token` is None or unknown.

        postcode, country: where a new cart goes; None: to the place that days are named for by default. account: the session
        of who is logged in: a new cart may take what is kept for their class; customer_class: of a partner who makes it.
        Raises NotFound(unknown_product), Refused(not_available | currency_mismatch), BadInput(bad_quantity | unknown_postcode).
        """
        ...

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
        """Add as `add` does and return the cart's token alone: for whoever sends a browser on to where the cart is shown."""
        ...

    def set_quantity(self, token: str, sku: str, quantity: int, *, now: datetime) -> Cart:
        """Set a line's quantity; 0 takes the line out. Raises as `add`; on refusal the line keeps its old quantity."""
        ...

    def set_postcode(self, token: str, postcode: str, *, now: datetime, country: str | None = None) -> Cart:
        """Remember where it goes; `country` None: as before. Raises BadInput(unknown_postcode |
        unknown_country)."""
        ...

    def set_parcels(self, token: str, parcels: str, *, now: datetime) -> Cart:
        """Choose between "one" and "dated". Raises BadInput(invalid_form, parcels → bad_choice)."""
        ...

    def ask_for_day(self, token: str, day: date | None, *, now: datetime) -> Cart:
        """Ask for all of it by a day (None: any more); what is planned is held towards it. The answer is in the cart.

        Raises BadInput(invalid_form, requested_on → past_date | far_date); nothing has changed then.
        """
        ...

    def set_service(self, token: str, service: str, *, now: datetime) -> Cart:
        """Choose how it is sent. Raises BadInput(invalid_form, service → bad_choice); nothing has changed then."""
        ...

    def set_coupon(self, token: str, code: str, *, tried_by: str, now: datetime) -> Cart:
        """Put a code on the cart (empty: none any more). tried_by: the network address, which has ten tries an hour.

        Raises NotFound(unknown_cart), BadInput(coupon_invalid), TooOften(too_many_codes); nothing has changed then.
        """
        ...

    def take_instead(self, token: str, sku: str, other: str, *, now: datetime) -> Cart:
        """Put what may stand in for a line into its place. Raises as `add`, NotFound(unknown_product) if it may not;
        nothing has changed then."""
        ...

    def find(self, token: str | None, *, now: datetime) -> Cart | None:
        """Return the cart with today's prices and days, or None. Does not renew the hold."""
        ...

    def find_place(self, token: str | None) -> CartPlace | None:
        """Return where the cart goes, cheaply; None where there is none."""
        ...

    def renew(self, token: str, *, now: datetime) -> Cart:
        """Hold every line again from now; lines that can no longer be held have `promise` None."""
        ...

    def visit(self, token: str, *, now: datetime) -> tuple[Cart | None, Mapping[str, str]]:
        """Renew as the checkout is opened; return the cart (None: there is none) and what its customer typed the last time
        they went to pay (field → text), empty if they never did."""
        ...

    def count(self, token: str | None) -> int:
        """Return the number of pieces, cheaply."""
        ...
