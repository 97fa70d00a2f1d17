"""The free supplies of an item of which some lots expire: first expired, first out, and pegs that make room."""

from __future__ import annotations

from collections.abc import Iterable

from backoffice.planning.atp import Lot, Pool, Quantity
from backoffice.planning.needs import Need

_ANY = 10**30
_LONGEST_PATH = 200
"""Lots on one augmenting path; longer ones are not looked for."""

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

    def free_by(self, instant: int) -> Quantity:
        """Return what may be promised at `instant`, other needs moved where they can be."""
        given = _Flow(self).give(_ANY, instant, self._day)
        return max(0, sum((amount for _, amount in given), start=-self.safety))

    def earliest(self, quantity: Quantity) -> int | None:
        """Return the first instant at which `quantity` may be promised, or None."""
        return next((at for at in self._instants() if self.free_by(at) >= quantity), None)

    def rises(self, after: int, until: int) -> list[int]:
        """Return the instants in (after, until] at which something is there to be promised."""
        return [at for at in self._instants() if after < at <= until and self.free_by(at) > 0]

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

    def _instants(self) -> list[int]:
        return sorted({lot.at for lot in self.lots})


class _Flow:
    """What is free of each lot and what each need takes of it, in a copy to try things on."""

    def __init__(self, pool: FreshPool) -> None:
        self._pool = pool
        self._free = {lot: lot.free for lot in pool.lots}
        self._held = {need: dict(_summed(need.taken)) for need in pool.claims}
        self._lots: dict[tuple[int, int], list[Lot]] = {}
        self._before = {need: dict(held) for need, held in self._held.items()}

    def give(self, quantity: Quantity, by: int, day: int) -> Taken:
        """Give up to `quantity` to a new need, moving others out of its way."""
        given: Taken = []
        for lot in self._usable(by, day):
            amount = min(quantity, self._free[lot])
            if amount > 0:
                self._free[lot] -= amount
                given.append((lot, amount))
                quantity -= amount
        while quantity > 0 and (found := self._push(quantity, by, day, set())) is not None:
            given.append(found)
            quantity -= found[1]
        return given

    def moves(self) -> list[tuple[Need, Taken]]:
        """Return the needs that were moved, and what they take now."""
        return [
            (need, [(lot, amount) for lot, amount in held.items() if amount > 0])
            for need, held in self._held.items()
            if held != self._before[need]
        ]

    def _usable(self, by: int, day: int) -> list[Lot]:
        found = self._lots.get((by, day))
        if found is None:
            found = self._lots[by, day] = self._pool.usable(by, day)
        return found

    def _push(self, limit: Quantity, by: int, day: int, seen: set[Lot]) -> tuple[Lot, Quantity] | None:
        """Free some of a lot for a need used on `day`, there at `by`; what holds it moves to another in the same way."""
        lots = [lot for lot in self._usable(by, day) if lot not in seen]
        for lot in lots:
            if self._free[lot] > 0:
                amount = min(limit, self._free[lot])
                self._free[lot] -= amount
                return lot, amount
        for lot in lots:
            if lot in seen or len(seen) > _LONGEST_PATH:
                continue
            seen.add(lot)
            for need, held in self._held.items():
                if held.get(lot, 0) > 0:
                    found = self._push(min(limit, held[lot]), *self._pool.claims[need], seen)
                    if found is not None:
                        other, amount = found
                        held[lot] -= amount
                        held[other] = held.get(other, 0) + amount
                        return lot, amount
        return None


def _summed(taken: Taken) -> dict[Lot, Quantity]:
    amounts: dict[Lot, Quantity] = {}
    for lot, amount in taken:
        amounts[lot] = amounts.get(lot, 0) + amount
    return amounts
