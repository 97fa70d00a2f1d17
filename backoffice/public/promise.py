"""The promise: the day, what it stands on and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from backoffice.public.money import Money


@dataclass(frozen=True, slots=True)
class Step:
    """One step on the way to the day. Steps follow each other without a gap and end on the delivery day.

    kind: stock | receipt | buy | make | operation | wait | margin | pick_pack | cutoff | ship | transit | deliver
    starts_at, ends_at: instants (UTC). details: what the wording needs (item name, work centre, days, holiday …),
    with `zone` = the zone in which its days are named.
    """

    kind: str
    starts_at: datetime
    ends_at: datetime
    details: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Promise:
    """A day that may be promised for a quantity of one sku to one place.

    basis: stock | receipt | make | buy | mixed. deliver_on: a date at the customer's place; ship_on: at the warehouse.
    valid_until: after this instant the answer must be asked again. plan_version: the plan it was computed on.
    earliest_on: the day by the plan alone, where a margin learnt from late deliveries lies between the two; None: there is none.
    """

    sku: str
    quantity: int
    basis: str
    ready_at: datetime
    ship_on: date
    deliver_on: date
    steps: Sequence[Step]
    valid_until: datetime
    plan_version: int
    postcode: str | None = None
    earliest_on: date | None = None


@dataclass(frozen=True, slots=True)
class Instead:
    """What may stand in for something else, as many pieces of it. Nobody takes it but the customer."""

    sku: str
    slug: str
    name: str
    options: str
    unit_price: Money
    deliver_on: date


class PromiseDoor(Protocol):
    """Ask for a day. A quote leaves no trace."""

    def quote(
        self,
        sku: str,
        quantity: int,
        *,
        postcode: str | None,
        cart: str | None,
        now: datetime,
        country: str | None = None,
        customer_class: str | None = None,
    ) -> Promise:
        """Return the earliest day for `quantity` of `sku`; `cart` (its token): own holds do not compete.

        country: of the postcode; None: the shop's own. customer_class: of a partner who asks without a cart.

        Raises NotFound(unknown_product), Refused(not_available, most=n), BadInput(bad_quantity | unknown_postcode).
        """
        ...

    def find_instead(
        self,
        sku: str,
        quantity: int,
        *,
        postcode: str | None,
        cart: str | None,
        now: datetime,
        country: str | None = None,
        customer_class: str | None = None,
    ) -> Sequence[Instead]:
        """Return at most three things that may stand in for `sku` and of which `quantity` can be promised, by priority.

        Arguments as of `quote`. Raises NotFound(unknown_product), BadInput(bad_quantity | unknown_postcode | unknown_country).
        """
        ...
