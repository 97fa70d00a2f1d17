"""What a search reserves, tentatively: supplies, purchases, places on work centres. All of it can be undone exactly."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import NamedTuple

from backoffice.planning.atp import THERE, Lot, Pool
from backoffice.planning.capacity import Centre, Place
from backoffice.planning.model import Factory, Item, Lots, Number, Step, Supplier, lots_for
from backoffice.planning.needs import BlockedError, Made, Need

MAX_LOTS = 1_000
"""Lots of one need; more is answered with too_many."""
MAX_EFFORT = 10_000
"""Lots tried for one question, all levels and attempts together; more is answered with too_many."""
MAX_DEPTH = 80
"""Levels of a bill of material; more is answered with too_many."""


class State(NamedTuple):
    """A plan as a search sees it. Instants are microseconds, days are ordinals.

    arrival: when a purchase made now is there (None: never); arrival_by: the latest one at or before an instant.
    perishable: whether any supply expires. used_on: the day on which a lot that starts at an instant uses its
    components; ships_on: the day on which goods ready at an instant leave.
    """

    factory: Factory
    now: int
    limit: int
    pools: Mapping[Hashable, Pool]
    centre: Callable[[Hashable], Centre]
    arrival: Callable[[Item | Supplier], int | None]
    arrival_by: Callable[[Item | Supplier, int], int | None]
    perishable: bool
    used_on: Callable[[int], int]
    ships_on: Callable[[int], int]


class Reservations:
    """Everything reserved for one question, in a journal."""

    def __init__(self, state: State) -> None:
        """Begin with nothing."""
        self.state = state
        self.factory = state.factory
        self.now = state.now
        self.limit = state.limit
        self.pools = state.pools
        self.centre = state.centre
        self.perishable = state.perishable
        self.surpluses: list[tuple[Pool, Lot]] = []
        self.drawn: set[Hashable] = set()
        self._journal: list[tuple[Callable[..., None], tuple[object, ...]]] = []
        self._effort = 0
        self._path: list[Hashable] = []

    def mark(self) -> int:
        """Return where the journal stands."""
        return len(self._journal)

    def undo(self, mark: int = 0) -> None:
        """Take back every reservation made after the journal was `mark` long."""
        while len(self._journal) > mark:
            action, arguments = self._journal.pop()
            action(*arguments)

    def _try(self, where: Hashable) -> None:
        """Count an attempt. Raises BlockedError(too_many)."""
        self._effort += 1
        if self._effort > MAX_EFFORT:
            raise BlockedError("too_many", where)

    def _take(self, need: Need, quantity: Number, by: int) -> None:
        """Reserve `quantity` for the need from what is there at the instant `by`, the latest first."""
        pool = self.pools[need.item].on(need.use)
        self.drawn.add(need.item)
        for other, taken in pool.make_room(quantity, by):
            self._repeg(other, taken)
        need.taken = pool.latest_fit(quantity, by)
        for lot, amount in need.taken:
            self._draw(lot, amount)
        if self.perishable:
            pool.claim(need, max((lot.at for lot, _ in need.taken), default=self.now), need.use)
            self._journal.append((pool.unclaim, ()))

    def _draw(self, lot: Lot, amount: Number) -> None:
        lot.free -= amount
        self._journal.append((_give_back, (lot, amount)))

    def _repeg(self, need: Need, taken: list[tuple[Lot, Number]]) -> None:
        """Let a need take other supplies than it did."""
        for lot, amount in need.taken:
            self._draw(lot, -amount)
        for lot, amount in taken:
            self._draw(lot, amount)
        self._journal.append((_take_again, (need, need.taken)))
        need.taken = taken

    def refit(self, need: Need, by: int, use: int = 0) -> None:
        """Peg what the need takes from stock and receipts anew, to the latest that are there at the instant `by`.

        What is pegged to the surplus of a tentative lot stays: production is not used to spare stock. use: the day on
        which it is used. What expires stays as it is pegged, but may later be moved to whatever is there by then.
        """
        for made in need.made:
            if made.item.through:
                for part in made.needs:
                    self.refit(part, by, use)
        if not need.taken:
            return
        pool = self.pools[need.item]
        if pool.claims is not None:
            if not need.spoils(use):
                self._journal.append((pool.reclaim, (need, *pool.claims[need])))
                pool.reclaim(need, by, use)
            return
        firm = [peg for peg in need.taken if peg[0].firm]
        if not firm or not pool.firm_between(firm[0][0].at, by):
            return
        for lot, amount in firm:
            self._draw(lot, -amount)
        kept = [peg for peg in need.taken if not peg[0].firm]
        need.taken = pool.latest_fit(sum((amount for _, amount in firm), start=0), by, firm_only=True)
        for lot, amount in need.taken:
            self._draw(lot, amount)
        need.taken += kept

    def _produce(
        self,
        need: Need,
        quantity: Number,
        make: Callable[[Item, Number, int], Made],
        arrival: Callable[[Item | Supplier], int | None],
    ) -> None:
        """Make or buy `quantity` for the need, in lots of its item; `make` places a lot, `arrival` dates a purchase."""
        item = self.factory.item_by.get(need.item)
        if item is None or item.source == "none":
            raise BlockedError("not_enough" if item else "unknown_item", need.item)
        if item.source == "buy":
            self._buy(need, item, quantity, arrival)
            return
        lots = Lots(0, 0, quantity) if item.through else lots_for(quantity, item)
        if lots is None:
            raise BlockedError("lot_sizes", item.key)
        if lots.full_lots >= MAX_LOTS or len(self._path) >= MAX_DEPTH:
            raise BlockedError("too_many", item.key)
        if item.key in self._path:
            raise BlockedError("cyclic_bom", item.key)
        self._path.append(item.key)
        try:
            for number in range(int(lots.full_lots) + 1):
                made = make(item, lots.full if number < lots.full_lots else lots.last, need.use)
                made.used = min(quantity, made.quantity)
                quantity -= made.used
                need.made.append(made)
                self._keep(item, made.quantity - made.used, made.ready, made)
        finally:
            self._path.pop()

    def _buy(self, need: Need, item: Item, quantity: Number, arrival: Callable[[Item | Supplier], int | None]) -> None:
        """Buy the whole quantity from the first supplier who can bring it."""
        failure: str | None = None
        for offer in item.offers:
            lots = lots_for(quantity, offer)
            at = arrival(offer) if lots else None
            if lots and at is not None and at <= self.limit:
                need.bought.append((quantity, at, item.supplier if offer is item else offer.key))
                self._keep(item, lots.sum() - quantity, at, None)
                return
            failure = failure or ("lot_sizes" if not lots else "never_opens" if at is None else "beyond_horizon")
        raise BlockedError(failure or "never_opens", item.key)

    def _keep(self, item: Item, quantity: Number, at: int, made: Made | None) -> None:
        """Put what a lot or purchase yields beyond its need among the supplies."""
        if quantity <= 0:
            return
        surplus = Lot(at if at > self.now else THERE, quantity, "make" if made else "buy", item.key, len(self.surpluses), made)
        pool = self.pools[item.key]
        pool.add(surplus)
        self.surpluses.append((pool, surplus))
        self._journal.append((self._drop, (pool, surplus)))

    def _drop(self, pool: Pool, surplus: Lot) -> None:
        pool.drop(surplus)
        self.surpluses.pop()

    def _occupy(self, step: Step, place: Place) -> None:
        """Reserve a place on a lane of a work centre."""
        lanes = self.centre(step.work_centre).lanes
        if place.work_start < place.work_end and lanes is not None:
            lane = lanes[place.lane]
            lane.reserve(place.work_start, place.work_end)
            self._journal.append((lane.release, (place.work_start, place.work_end)))


def _give_back(lot: Lot, amount: Number) -> None:
    lot.free += amount


def _take_again(need: Need, taken: list[tuple[Lot, Number]]) -> None:
    need.taken = taken
