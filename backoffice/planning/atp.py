"""Available to promise: the bucket ledger with look-ahead, and the free supplies of one item."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from backoffice.planning.needs import Made, Need

Quantity = int | Fraction
SupplyKind = Literal["stock", "receipt", "make", "buy"]

_RANK: dict[str, int] = {"stock": 0, "receipt": 1, "make": 2, "buy": 2}


@dataclass(frozen=True, slots=True)
class Ledger:
    """Rows of an available-to-promise table, one entry per bucket.

    discrete: what each supply leaves until the next one (None: no supply in the bucket). projected: running balance
    without look-ahead. promisable: what may be promised in the bucket; never decreases, never below 0.
    """

    discrete: Sequence[Quantity | None]
    projected: Sequence[Quantity]
    promisable: Sequence[Quantity]


def ledger(on_hand: Quantity, supply: Sequence[Quantity], committed: Sequence[Quantity]) -> Ledger:
    """Work out the rows from stock on hand and equally long rows of supply and committed demand per bucket.

    Source: cumulative ATP with look-ahead is the suffix minimum of the projected balance, floored at 0. Promising
    that much in a bucket, and no more, leaves every commitment covered. Raises ValueError on rows of unequal length.
    """
    if len(supply) != len(committed):
        raise ValueError("supply and committed must have the same number of buckets")
    projected: list[Quantity] = []
    balance = on_hand
    for coming, going in zip(supply, committed, strict=True):
        balance = balance + coming - going
        projected.append(balance)
    promisable: list[Quantity] = []
    least: Quantity | None = None
    for level in reversed(projected):
        least = level if least is None else min(least, level)
        promisable.append(max(least, 0))
    promisable.reverse()
    return Ledger(_discrete(on_hand, supply, committed), projected, promisable)


def _discrete(on_hand: Quantity, supply: Sequence[Quantity], committed: Sequence[Quantity]) -> Sequence[Quantity | None]:
    row: list[Quantity | None] = [None] * len(supply)
    place = 0
    for bucket, coming in enumerate(supply):
        if bucket == 0 or coming > 0:
            place = bucket
            row[place] = coming + on_hand if bucket == 0 else coming
        row[place] = (row[place] or 0) - committed[bucket]
    return row


THERE = 0
"""The instant of whatever is there already, so that it is all alike however long it has been there."""


class Lot:
    """A dated supply and what is still free of it.

    made: the tentative production it is the surplus of. expires: the first day (ordinal) it may not be used, 0: never.
    """

    __slots__ = ("at", "expires", "firm", "free", "key", "kind", "made", "order")

    def __init__(
        self,
        at: int,
        free: Quantity,
        kind: SupplyKind,
        key: Hashable,
        number: int,
        made: Made | None = None,
        expires: int = 0,
    ) -> None:
        """Describe a supply available from the instant `at`; `number` breaks ties, lower is used first."""
        self.free = free
        self.expires = expires
        self.kind: SupplyKind = kind
        self.key = key
        self.made = made
        self.firm = kind in ("stock", "receipt")
        self.date(at, number)

    def date(self, at: int, number: int) -> None:
        """Set when it is there. Pools are used up from the back: of one instant stock comes last, its first lot last."""
        self.at = at
        self.order = (at, -_RANK[self.kind], -number)


class Pool:
    """The free supplies of one item in order of time, and how much of them must always stay: the safety stock.

    Commitments are pegs, already taken off `free`, each taken from the latest supplies in time for it (latest fit).
    Under that rule the cumulative free quantity *is* the suffix minimum of the projected balance: taking q at t
    lowers it to at most F(t) - q before t, and by q from t on, exactly as the look-ahead row does.
    """

    __slots__ = ("lots", "safety")

    claims: Mapping[Need, tuple[int, int]] | None = None
    """Who takes what until when, where that may change; None: what is taken stays taken."""

    def __init__(self, lots: Iterable[Lot], safety: Quantity) -> None:
        """Take the supplies of one item, in any order."""
        self.lots = sorted(lots, key=_order)
        self.safety = safety

    def on(self, _day: int) -> Pool:
        """Return what of it can be used on a day (ordinal): here all of it, as nothing expires."""
        return self

    def make_room(self, _quantity: Quantity, _by: int) -> Iterable[tuple[Need, list[tuple[Lot, Quantity]]]]:
        """Return who has to take what else so that `quantity` is free at the instant `by`: nobody."""
        return ()

    def claim(self, need: Need, by: int, use: int) -> None:
        """Remember what a need takes, where that may change."""

    def unclaim(self) -> None:
        """Take back the last claim."""

    def reclaim(self, need: Need, by: int, use: int) -> None:
        """Change until when a need's supplies must be there, and the day they are used."""

    def total(self) -> Quantity:
        """Return what may be promised at the horizon."""
        return max(0, sum((lot.free for lot in self.lots), start=-self.safety))

    def free_by(self, instant: int, enough: Quantity | None = None) -> Quantity:
        """Return what may be promised at `instant`; counting may stop at `enough`."""
        held = -self.safety
        for lot in self.lots:
            if lot.at > instant or (enough is not None and held >= enough):
                break
            held += lot.free
        return max(0, held)

    def earliest(self, quantity: Quantity) -> int | None:
        """Return the first instant at which `quantity` may be promised, or None."""
        held = -self.safety
        for lot in self.lots:
            held += lot.free
            if held >= quantity:
                return lot.at
        return None

    def rises(self, after: int, until: int) -> list[int]:
        """Return the instants in (after, until] at which more may be promised than before, in order."""
        instants: list[int] = []
        held = -self.safety
        for lot in self.lots:
            if lot.at > until:
                break
            held += lot.free
            if lot.at > after and lot.free > 0 and held > 0 and (not instants or instants[-1] != lot.at):
                instants.append(lot.at)
        return instants

    def firm_between(self, after: int, until: int) -> bool:
        """Tell whether any stock or receipt in (after, until] is free."""
        place = bisect_right(self.lots, after, key=_at)
        return any(lot.at <= until and lot.free > 0 and lot.firm for lot in self.lots[place:])

    def latest_fit(self, quantity: Quantity, by: int, firm_only: bool = False) -> list[tuple[Lot, Quantity]]:
        """Return which lots give `quantity` at the instant `by`, the latest first, so that earlier ones stay free.

        firm_only leaves tentative surplus alone. The caller has made sure of `free_by(by) >= quantity`; what stays is
        then at least the safety stock.
        """
        taken: list[tuple[Lot, Quantity]] = []
        place = bisect_right(self.lots, by, key=_at)
        while quantity > 0 and place > 0:
            place -= 1
            lot = self.lots[place]
            if lot.free > 0 and (lot.firm or not firm_only):
                amount = min(quantity, lot.free)
                taken.append((lot, amount))
                quantity -= amount
        return taken

    def add(self, lot: Lot) -> None:
        """Put a further supply in its place."""
        insort(self.lots, lot, key=_order)

    def sort(self) -> None:
        """Put supplies in order again after their dates were changed."""
        self.lots.sort(key=_order)

    def prune(self) -> None:
        """Forget supplies of which nothing is free."""
        if not all(lot.free for lot in self.lots):
            self.lots = [lot for lot in self.lots if lot.free]

    def drop(self, lot: Lot) -> None:
        """Take back `add(lot)`."""
        place = bisect_right(self.lots, lot.order, key=_order) - 1
        while self.lots[place] is not lot:
            place -= 1
        del self.lots[place]


def _order(lot: Lot) -> tuple[int, int, int]:
    return lot.order


def _at(lot: Lot) -> int:
    return lot.at
