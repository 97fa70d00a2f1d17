"""What the API may ask beyond the shop window: who calls, whether a request was answered before, and long lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, Protocol, TypeVar

from backoffice.public.catalogue import Card, Wish
from backoffice.public.money import Money
from backoffice.public.orders import PaperView

T = TypeVar("T")
# what a partner's key may be allowed; the words are the admin's
SCOPES: Mapping[str, str] = {
    "catalogue:read": "read products, availability and days",
    "carts:write": "make carts, hold what is in them and start payments",
    "orders:read": "list all orders with their days and amounts",
    "leads:write": "write leads",
    "papers:read": "read invoices and credit notes, with the names on them",
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: a partner by its key, or anybody (name ""). customer_class: the partner's; None: nobody's."""

    name: str = ""
    scopes: frozenset[str] = frozenset()
    customer_class: str | None = None

    @property
    def is_anonymous(self) -> bool:
        """Tell whether no key was sent."""
        return not self.name


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it was sent, to be sent again."""

    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class Place:
    """A row's place in a list: its id, and the price before it where the list is by price."""

    row_id: int
    price: int | None = None


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """A part of a long list. next_after: what the next part begins after; None: there is no more."""

    rows: Sequence[T]
    next_after: Place | None


@dataclass(frozen=True, slots=True)
class OrderSummary:
    """An order in a list. Nothing personal."""

    number: str
    state: str
    placed_at: datetime
    promised_on: date
    expected_on: date
    total: Money
    lines: Sequence[Mapping[str, Any]]  # sku, quantity, promised_on, expected_on, cause


class KeyDoor(Protocol):
    """Know partners by their keys."""

    def find(self, secret: str, *, now: datetime) -> Caller:
        """Return whose key this is. Raises Unidentified(unknown_key), the same for wrong, unknown and revoked ones."""
        ...


class RepeatDoor(Protocol):
    """Answer the same request once, and again with the same answer."""

    def begin(self, scope: str, key: str, request_hash: str, *, now: datetime) -> Answer | None:
        """Claim `key`; return None if the work is ours to do, or the answer that was given before.

        Raises BadInput(idempotency_key_reused) if it was another request, Refused(in_progress) while the first one is at it.
        """
        ...

    def finish(self, scope: str, key: str, answer: Answer) -> None:
        """Keep the answer for the next time."""
        ...

    def give_up(self, scope: str, key: str) -> None:
        """Forget the claim: nothing was done, so the same key may be tried again."""
        ...


class FeedDoor(Protocol):
    """Read long lists part by part; new rows never make another row appear twice or not at all."""

    def products(
        self,
        *,
        after: Place | None,
        limit: int,
        category: str | None,
        query: str | None,
        language: str,
        postcode: str | None,
        now: datetime,
        wish: Wish,
        country: str | None = None,
    ) -> Slice[Card]:
        """Return products of which something may be promised. Raises NotFound(unknown_category).

        country: where the days are named for; None: the shop's own.

        By id, or in the wish's order: by price or the newest first. Others move by themselves, so a list has none of them.
        """
        ...

    def orders(self, *, after: Place | None, limit: int, state: str | None, now: datetime) -> Slice[OrderSummary]:
        """Return orders, the oldest first."""
        ...


class PaperDoor(Protocol):
    """Read invoices and credit notes, whoever they were issued to."""

    def list(self, *, after: Place | None, limit: int, month: date | None) -> Slice[PaperView]:
        """Return papers in the order of issue. month: its first day; None: all."""
        ...

    def get(self, number: str) -> PaperView:
        """Return a paper. Raises NotFound(unknown_order)."""
        ...


@dataclass(frozen=True, slots=True)
class Partners:
    """The doors that only the API opens."""

    keys: KeyDoor
    repeats: RepeatDoor
    feed: FeedDoor
    papers: PaperDoor
