"""Claims of those who were given goods that expire before this plan was read: what a new need may move, and what it moved."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass

from backoffice.planning.atp import Lot, Pool, Quantity
from backoffice.planning.instants import micros, moment
from backoffice.planning.model import Claim, Supply
from backoffice.planning.needs import Need
from backoffice.planning.outcome import Moved, Taken


@dataclass(slots=True)
class _Claimed:
    claim: Claim
    need: Need
    before: Mapping[Lot, Quantity]


class Claims:
    """The claims of a plan, as needs of its pools."""

    def __init__(self, now: int) -> None:
        """Begin without any. now: the plan's instant, in microseconds."""
        self._now = now
        self._all: list[_Claimed] = []

    def admit(
        self,
        claims: Iterable[Claim],
        supplies: Mapping[Hashable, list[Lot]],
        pools: Mapping[Hashable, Pool],
        admit: Callable[[Supply], Lot | None],
    ) -> None:
        """Take what was given before. supplies, pools: the plan's, by item; admit: makes a lot of which nothing is free.

        A claim on a supply that is none any more (a receipt past due) stays as it is, and so does one of goods of which
        nothing expires: nobody looks at it.
        """
        needs: list[tuple[Claim, Need]] = []
        for claim in claims:
            lot = next((one for one in supplies.get(claim.item, ()) if one.key == claim.supply.key), None)
            lot = lot or admit(claim.supply)
            if lot is not None:
                need = Need(claim.item, claim.quantity, self._now, claim.use_on.toordinal())
                need.taken = [(lot, claim.quantity)]
                needs.append((claim, need))
        for claim, need in needs:
            pool = pools[claim.item]
            if pool.claims is not None:
                pool.claim(need, micros(claim.by), need.use)
                self._all.append(_Claimed(claim, need, _summed(need)))

    def moved(self) -> tuple[Moved, ...]:
        """Return the claims that stand on other supplies than before."""
        moved = []
        for one in self._all:
            now = _summed(one.need)
            if now != one.before:
                moved.append(Moved(one.claim.key, tuple(self._taken(lot, amount) for lot, amount in now.items())))
        return tuple(moved)

    def keep(self) -> None:
        """Say that what has moved stays so."""
        for one in self._all:
            one.before = _summed(one.need)

    def _taken(self, lot: Lot, amount: Quantity) -> Taken:
        return Taken(lot.key, "stock" if lot.kind == "stock" else "receipt", amount, moment(max(lot.at, self._now)))


def _summed(need: Need) -> Mapping[Lot, Quantity]:
    amounts: dict[Lot, Quantity] = {}
    for lot, amount in need.taken:
        amounts[lot] = amounts.get(lot, 0) + amount
    return amounts
