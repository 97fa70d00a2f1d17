"""The port: what an outside ERP is asked for, whatever it is and however it is reached.

    create   a new order with our reference          → its own number for it
    find     the orders that carry our reference     → their numbers
    update   what became of an order, in sequence
    stock    what there is, as of an instant

Nothing here is idempotent by itself: `carrying` makes it so, by our reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from backoffice.erp.stock_snapshots import Snapshot

Document = Mapping[str, Any]  # JSON values only: see `documents`


class NoAnswer(Exception):
    """Nobody knows what the ERP did with a call. busy: it said itself that it could not now."""

    def __init__(self, why: str, *, busy: bool = False) -> None:
        """Say what was seen instead of an answer."""
        super().__init__(why)
        self.busy = busy


class FellOver(NoAnswer):
    """The ERP said that it fell over this call. What it had done by then nobody knows."""


class NotReached(Exception):
    """The call never got to the ERP: nothing was done."""


class Rejected(Exception):
    """The ERP understood and will not, now or later."""


class Erp(Protocol):
    """An outside ERP. Every call may raise NotReached, NoAnswer and Rejected, and none may stand in a transaction."""

    def create(self, order: Document) -> str:
        """Return its number of a new order; of the one that it has already, where it notices that itself."""
        ...

    def find(self, reference: str) -> Sequence[str]:
        """Return its numbers of the orders with our reference, empty when there are none."""
        ...

    def update(self, their_id: str, change: Document) -> None:
        """Tell what became of an order. The same change again does no harm."""
        ...

    def stock(self, after: int | None) -> Snapshot | None:
        """Return what is newer than our last snapshot, whole or as a change to it; None: nothing is. after=None: all."""
        ...
