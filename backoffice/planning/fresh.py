"""The free supplies of an item of which some lots expire: first expired, first out, and pegs that make room."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable
from fractions import Fraction

from backoffice.planning.atp import Lot, Pool, Quantity
from backoffice.planning.needs import Need

_ANY = 10**30
_ANY_LITTLE = Fraction(1, 10**40)
"""Less than any quantity that is not 0."""

Taken = list[tuple[Lot, Quantity]]


class FreshPool(Pool):
    """Supplies that are there from an instant until a day, and the needs that take them.

    A need takes what expires first among what is fresh when it is used, then the latest supplies. That alone is not the
    best: a receipt could serve a later need that took a lot which is all an earlier one could have. So a new
    need may move others to supplies as good for them, along augmenting paths. Source: maximum flow between supplies and
    dated needs (Ford and Fulkerson); what may be promised is then never less than what there is a plan for.
    """

    __slots__ = ("_day", "claims")

    claims: dict[Need, tuple[int, int]]

    def __init__(self, lots: Iterable[Lot], safety: Quantity) -> None:
        """Take the supplies of one item, in any order."""
        super().__init__(lots, safety)
        self.claims = {}
        self._day = 0

    def on(self, day: int) -> FreshPool:
        """Look at it for a use on `day` (ordinal)."""
        self._day = day
        return self

    def claim(self, need: Need, by: int, use: int) -> None:
        """Remember that what a need takes must be there at `by` and fresh on `use`."""
        self.claims[need] = (by, use)

    def unclaim(self) -> None:
        """Take back the last claim."""
        self.claims.popitem()

    def reclaim(self, need: Need, by: int, use: int) -> None:
        """Change until when a need's supplies must be there, and the day they are used."""
        self.claims[need] = (by, use)

    def total(self) -> Quantity:
        """Return what may be promised at the horizon."""
        return self.free_by(_ANY)

    def free_by(self, instant: int, enough: Quantity | None = None) -> Quantity:
        """Return what may be promised at `instant`, other needs moved where they can be; at most `enough`."""
        given = _Flow(self).give(_ANY if enough is None else enough + self.safety, instant, self._day)
        return max(0, sum((amount for _, amount in given), start=-self.safety))

    def earliest(self, quantity: Quantity) -> int | None:
        """Return the first instant at which `quantity` may be promised, or None."""
        instants = self._from_first(quantity)
        return instants[0] if instants else None

    def rises(self, after: int, until: int) -> list[int]:
        """Return the instants in (after, until] at which something is there to be promised."""
        return [at for at in self._from_first(_ANY_LITTLE) if after < at <= until]

    def _from_first(self, quantity: Quantity) -> list[int]:
        """Return the instants from the first one on at which `quantity` may be promised: by bisection, as it only grows."""
        instants = sorted({lot.at for lot in self.lots})
        needed = quantity + self.safety

        def enough(at: int) -> bool:
            return sum(amount for _, amount in _Flow(self).give(needed, at, self._day)) >= needed

        return instants[bisect_left(instants, True, key=enough) :]

    def make_room(self, quantity: Quantity, by: int) -> list[tuple[Need, Taken]]:
        """Return who has to take what else so that `quantity` is free at the instant `by`."""
        flow = _Flow(self)
        flow.give(quantity, by, self._day)
        return flow.moves()

    def latest_fit(self, quantity: Quantity, by: int, firm_only: bool = False) -> Taken:
        """Return which lots give `quantity` at `by`: what expires first, then the latest. Others have made room."""
        taken: Taken = []
        for lot in self.usable(by, self._day):
            if quantity > 0 and lot.free > 0 and (lot.firm or not firm_only):
                amount = min(quantity, lot.free)
                taken.append((lot, amount))
                quantity -= amount
        return taken

    def usable(self, by: int, day: int) -> list[Lot]:
        """Return the lots there at `by` and fresh on `day`, in the order in which they are used."""
        lots = [lot for lot in reversed(self.lots) if lot.at <= by and (not lot.expires or day < lot.expires)]
        return sorted(lots, key=lambda lot: lot.expires or _ANY)

    def prune(self) -> None:
        """Keep supplies of which nothing is free: what others take may be moved."""


class _Flow:
    """What is free of each lot and what each need takes of it, in a copy to try things on."""

    def __init__(self, pool: FreshPool) -> None:
        self._pool = pool
        self._free = {lot: lot.free for lot in pool.lots}
        self._held: dict[Need, dict[Lot, Quantity]] = {}
        self._holders: dict[Lot, list[Need]] = {}
        self._moved: dict[Need, None] = {}

    def give(self, quantity: Quantity, by: int, day: int) -> Taken:
        """Give up to `quantity` to a new need, moving others out of its way."""
        given: Taken = []
        for lot in self._pool.usable(by, day):
            amount = min(quantity, self._free[lot])
            if amount > 0:
                self._free[lot] -= amount
                given.append((lot, amount))
                quantity -= amount
        if quantity > 0:
            self._look_who_holds()
        while quantity > 0 and (found := self._push(quantity, by, day)) is not None:
            given.append(found)
            quantity -= found[1]
        return given

    def moves(self) -> list[tuple[Need, Taken]]:
        """Return the needs that were moved, and what they take now."""
        return [(need, [(lot, amount) for lot, amount in self._held[need].items() if amount > 0]) for need in self._moved]

    def _look_who_holds(self) -> None:
        self._held = {need: _summed(need.taken) for need in self._pool.claims}
        for need, held in self._held.items():
            for lot in held:
                self._holders.setdefault(lot, []).append(need)

    def _push(self, limit: Quantity, by: int, day: int) -> tuple[Lot, Quantity] | None:
        """Free some of a lot for a need used on `day`, there at `by`; who holds it moves to another, and so on.

        Breadth first, so by the shortest path. What an instant and a day can use, an earlier one for a later day cannot
        add to, so that few of the holders are looked at in full.
        """
        waiting: deque[tuple[int, int, Need | None]] = deque([(by, day, None)])
        came: dict[Lot, Need | None] = {}
        leaves: dict[Need, Lot] = {}
        unseen = self._pool.lots
        looked: list[tuple[int, int]] = []
        while waiting:
            by, day, need = waiting.popleft()
            if any(by <= other_by and day >= other_day for other_by, other_day in looked):
                continue
            looked.append((by, day))
            rest = []
            for lot in unseen:
                if lot.at > by or (lot.expires and day >= lot.expires):
                    rest.append(lot)
                    continue
                came[lot] = need
                if self._free.get(lot, 0) > 0:
                    return self._shift(limit, lot, came, leaves)
                for holder in self._holders.get(lot, ()):
                    if holder not in leaves and self._held[holder].get(lot, 0) > 0:
                        leaves[holder] = lot
                        waiting.append((*self._pool.claims[holder], holder))
            unseen = rest
        return None

    def _shift(self, limit: Quantity, end: Lot, came: dict[Lot, Need | None], leaves: dict[Need, Lot]) -> tuple[Lot, Quantity]:
        """Move along a path: every holder on it leaves one lot for the next; return the lot that is freed, and how much."""
        path: list[tuple[Need, Lot, Lot]] = []
        lot, need = end, came[end]
        while need is not None:
            path.append((need, leaves[need], lot))
            lot = leaves[need]
            need = came[lot]
        amount = min(limit, self._free[end], *(self._held[holder][left] for holder, left, _ in path))
        self._free[end] -= amount
        for holder, left, taken in path:
            held = self._held[holder]
            held[left] -= amount
            if taken not in held:
                self._holders.setdefault(taken, []).append(holder)
            held[taken] = held.get(taken, 0) + amount
            self._moved[holder] = None
        return lot, amount


def _summed(taken: Taken) -> dict[Lot, Quantity]:
    amounts: dict[Lot, Quantity] = {}
    for lot, amount in taken:
        amounts[lot] = amounts.get(lot, 0) + amount
    return amounts
