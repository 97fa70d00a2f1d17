"""The order page behind its secret link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from backoffice.public.catalogue import Picture
from backoffice.public.money import Money
from backoffice.public.promise import Step


@dataclass(frozen=True, slots=True)
class CauseLink:
    """One link of a cause's chain: PO-00017 Oak leg, 5 days later.

    kind: receipt | stop | shift | hours | recipe | order (of production) | shelf | line; ref: its number, empty for what has
    none; days: by how many it moved (negative: earlier), None where that is not known.
    """

    kind: str
    name: str
    ref: str = ""
    days: int | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """Why an expected day moved. values: what its words need; names that end in `_on` are days (ISO).

    code: receipt_later | receipt_earlier (item, due_on) | receipt_short | counted_fewer | recipe_changed (item) |
    not_on_the_shelf | station_stopped (station, until_on) | shift_missing (station, missing_on) | fewer_hours | more_hours
    (place, changed_on) | production_later (item, from_on) | maker_cancelled | freed | paid_after_last_parcel |
    paid_too_late_to_begin | planned_again | found_again.
    chain: how the change came to the line, from where it began to the line itself; empty where nobody kept it.
    """

    code: str
    values: Mapping[str, str | int] = field(default_factory=dict)
    chain: Sequence[CauseLink] = ()


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One line with its four days: requested, promised (frozen), expected (moves), actual."""

    sku: str
    slug: str | None
    name: str
    options: str
    picture: Picture | None
    quantity: int
    unit_price: Money
    total: Money
    basis: str
    requested_on: date | None
    promised_on: date
    expected_on: date
    actual_on: date | None
    steps: Sequence[Step]
    moved_because: str | None  # the cause in English when expected differs from promised
    moved_cause: Cause | None = None  # the same as a code with values; None for orders from before there were codes
    day_known: bool = True  # False: nobody knows a new day yet; expected_on is the last one there was


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """One entry of the customer's timeline. cause: of a moved day, about `item`; amount: of money given back.

    kind: order | picking | packed | shipped | day_moved | day_unknown | chosen | message | answer | cancelled | refunded |
    withdrawn | came_back (text: of what).
    choice: of a chosen one: accepted | parted | substituted (by `item`) | cancelled.
    """

    kind: str
    at: datetime
    text: str = ""
    item: str = ""
    cause: Cause | None = None
    amount: Money | None = None
    choice: str = ""


@dataclass(frozen=True, slots=True)
class OrderParcel:
    """One parcel of an order. state: waiting | to_pick | picking | packed | shipped | delivered | cancelled."""

    number: int
    state: str
    lines: Sequence[tuple[str, str, int]]  # sku, name, quantity
    expected_on: date
    tracking: str | None


@dataclass(frozen=True, slots=True)
class OrderRefund:
    """Money on its way back, or back. state: requested | pending | succeeded | failed."""

    amount: Money
    state: str
    reason: str  # cancelled | late_payment | partial | by_provider
    at: datetime


@dataclass(frozen=True, slots=True)
class OrderPaper:
    """An invoice or a credit note, as the order page names it. kind: invoice | credit_note."""

    number: str
    kind: str
    issued_on: date
    gross: Money


@dataclass(frozen=True, slots=True)
class PaperLine:
    """A line of a paper. kind: goods | delivery | discount | refund; rate: of the tax, in hundredths of a percent."""

    kind: str
    sku: str
    text: str
    quantity: int
    rate_bp: int
    gross: Money


@dataclass(frozen=True, slots=True)
class PaperTax:
    """What a paper says of one rate."""

    rate_bp: int
    net: Money
    tax: Money


@dataclass(frozen=True, slots=True)
class PaperView:
    """An invoice or a credit note as it was issued. corrects: the number of the paper that it takes back, or a part of.

    seller, buyer: name and address line by line, the seller's as the company wrote it; buyer_country: a code.
    """

    number: str
    kind: str
    order: str
    corrects: str
    issued_on: date
    paid_on: date
    seller: Sequence[str]
    vat_number: str
    register_entry: str
    email: str
    phone: str
    buyer: Sequence[str]
    buyer_country: str
    lines: Sequence[PaperLine]
    taxes: Sequence[PaperTax]
    gross: Money
    due_on: date | None = None  # of an invoice on account: until when it is to be paid
    hidden: bool = False  # as an order's


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads behind an order's link: the proofs that a browser keeps, and the session of who is logged in."""

    proofs: Sequence[str] = ()
    account: str = ""


NOBODY_KNOWN = Reader()


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order as its buyer sees it. state: placed | confirmed | picking | shipped | delivered | cancelled.

    address: the lines as its country writes them, the name among them; country: its code.
    hidden: whoever reads has its link alone, so name, address and e-mail are first letters (`hiding`).
    """

    number: str
    state: str
    placed_at: datetime
    email: str
    name: str
    address: Sequence[str]
    lines: Sequence[OrderLine]
    subtotal: Money
    shipping: Money
    total: Money
    promised_on: date
    expected_on: date
    tracking: str | None
    events: Sequence[OrderEvent]
    parcels: Sequence[OrderParcel] = ()
    refunds: Sequence[OrderRefund] = ()
    cancellable: bool = False  # as long as nothing of it is packed
    country: str = ""
    service: str = ""  # how it is sent, as the shop calls it; empty: the usual way
    slip_id: int | None = None  # the slip that waits for a choice
    papers: Sequence[OrderPaper] = ()
    discount: Money | None = None  # what a code took off
    charge: str = ""  # later: the money is only set aside yet | let_go: it never was taken, and will not be | account: owed
    hidden: bool = False

    @property
    def day_known(self) -> bool:
        """Tell whether everything in the order has a day."""
        return all(line.day_known for line in self.lines)


@dataclass(frozen=True, slots=True)
class PendingOrder:
    """A payment that has not been settled yet. state: opened | processing | failed | expired.

    by_link: sales took the order down and mailed its link, so there is no cart to go back to. pay_until: while it can be paid.
    """

    state: str
    pay_url: str | None
    by_link: bool = False
    pay_until: datetime | None = None


class OrderDoor(Protocol):
    """Read an order by its secret token."""

    def get(self, token: str, *, reader: Reader = NOBODY_KNOWN, now: datetime) -> OrderView | PendingOrder:
        """Return the order, or the payment still under way. Raises NotFound(unknown_order), the same for any token."""
        ...

    def get_paper(self, token: str, number: str, *, reader: Reader = NOBODY_KNOWN, now: datetime) -> PaperView:
        """Return an invoice or a credit note of this order. Raises NotFound(unknown_order), also for one of another order."""
        ...

    def send_code(self, token: str, *, now: datetime) -> None:
        """Mail a code to the order's customer, by which they show that it is theirs.

        Raises NotFound(unknown_order), Refused(wrong_state: they were forgotten), TooOften(too_many_order_codes): three an hour.
        """
        ...

    def show(self, token: str, code: str, *, now: datetime) -> str:
        """Return the proof that a `Reader` keeps, for the code that was mailed.

        Raises NotFound(unknown_order), BadInput(invalid_form, code), TooOften(too_many_order_codes): five an hour.
        """
        ...

    def cancel(self, token: str, *, key: str, now: datetime) -> None:
        """Cancel the whole order and give the money back; the same `key` twice is once.

        Raises NotFound(unknown_order), Refused(too_late_to_cancel); nothing has changed then.
        """
        ...
