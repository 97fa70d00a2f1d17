"""Capable to promise: explode a need through stock, receipts, purchases and production, forward from now.

The rule for one need, at every level, so that the same question always has the same answer:

1. If stock covers it, stock is taken.
2. Otherwise every *cut* is a whole combination: all that may be promised from stock and receipts up to an instant,
   the rest made or bought. Cuts are now and each arrival of a receipt. The earliest combination is taken; among
   equals the one with the latest cut, that is, the one that makes least. (More receipts mean a later cut and a smaller
   rest, so the best cut lies where the two instants cross, and bisection finds it.)
3. A lot starts when all its components are there. When its start is known, components take the latest supplies in
   time for it, so that earlier ones stay free; and a component that was to be made or bought is taken from receipts
   that arrive before the start after all, as long as the start stays.

Every reservation is written to a journal and can be undone, so lines that share an item or a work centre
see each other.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from fractions import Fraction
from typing import Literal

from backoffice.planning.atp import THERE, Lot, Pool
from backoffice.planning.capacity import Centre, Place
from backoffice.planning.model import Factory, Item, Line, Number, duration, lots_for

SellFrom = Literal["stock", "incoming", "production"]

MAX_LOTS = 1_000
"""Lots of one need; more is answered with too_many."""
MAX_EFFORT = 10_000
"""Lots tried for one question, all levels and attempts together; more is answered with too_many."""
MAX_DEPTH = 80
"""Levels of a bill of material; more is answered with too_many."""
REFINE_EFFORT = 1_000
"""After this many lots tried, the first whole combination found is taken: deep trees of choices stay quick."""


class BlockedError(Exception):
    """A need that can never be met: `reason` in a word, `where` = the item or work centre that fails."""

    def __init__(self, reason: str, where: Hashable) -> None:
        """Keep the reason and the place."""
        super().__init__(reason)
        self.reason = reason
        self.where = where


class Made:
    """A tentative lot: its places on work centres (one per step) and the needs of its components."""

    __slots__ = ("gate", "item", "needs", "places", "quantity", "ready", "start", "used")

    def __init__(self, item: Item, quantity: Number) -> None:
        """Begin a lot of `quantity`; the rest is filled in when it is placed."""
        self.item = item
        self.quantity = quantity
        self.used: Number = 0
        self.needs: list[Need] = []
        self.gate: Need | None = None
        self.places: list[Place] = []
        self.start = 0
        self.ready = 0


class Need:
    """A tentative answer to one need: what it takes from supplies, from lots made for it and from purchases.

    cause: the last of them, which decides `ready`. All instants are microseconds.
    """

    __slots__ = ("bought", "cause", "item", "made", "quantity", "ready", "taken")

    def __init__(self, item: Hashable, quantity: Number, now: int) -> None:
        """Begin with nothing, ready now."""
        self.item = item
        self.quantity = quantity
        self.taken: list[tuple[Lot, Number]] = []
        self.made: list[Made] = []
        self.bought: tuple[Number, int] | None = None
        self.ready = now
        self.cause: Lot | Made | int | None = None

    def settle(self, now: int) -> None:
        """Work out `ready` and `cause`: the first of the latest among supplies, then purchase, then lots."""
        self.ready, self.cause = now, None
        for lot, _ in self.taken:
            if lot.at > self.ready or self.cause is None:
                self.ready, self.cause = max(now, lot.at), lot
        if self.bought and (self.bought[1] > self.ready or self.cause is None):
            self.ready = self.cause = self.bought[1]
        for made in self.made:
            if made.ready > self.ready or self.cause is None:
                self.ready, self.cause = made.ready, made


class Search:
    """One question at a plan's state. The caller undoes its journal, or keeps what it has reserved."""

    def __init__(
        self,
        factory: Factory,
        now: int,
        limit: int,
        pools: Mapping[Hashable, Pool],
        centre: Callable[[Hashable], Centre],
        arrival: Callable[[Item], int | None],
    ) -> None:
        """Take the state: supplies by item, work centres by key, `arrival` says when a purchase made now is there."""
        self.factory = factory
        self.now = now
        self.limit = limit
        self.pools = pools
        self.centre = centre
        self.arrival = arrival
        self.surpluses: list[tuple[Pool, Lot]] = []
        self.drawn: set[Hashable] = set()
        self._journal: list[tuple[Callable[..., None], tuple[object, ...]]] = []
        self._effort = 0
        self._path: list[Hashable] = []

    def undo(self, mark: int = 0) -> None:
        """Take back every reservation made after the journal was `mark` long."""
        while len(self._journal) > mark:
            action, arguments = self._journal.pop()
            action(*arguments)

    def obtain(self, key: Hashable, quantity: Number, sell_from: SellFrom = "production") -> Need:
        """Meet a need as early as possible and reserve what it takes; on BlockedError undo to where you were."""
        pool = self.pools[key]
        covered = pool.earliest(quantity)
        if covered is not None and covered <= self.now:
            return self._combine(key, quantity, quantity, self.now)
        if covered is not None and covered > self.limit:
            covered = None
        item = self.factory.item_by.get(key)
        if sell_from == "stock" or (sell_from == "incoming" and covered is None):
            raise BlockedError("not_enough", key)
        if sell_from == "incoming" or item is None or item.source == "none":
            if covered is None:
                raise BlockedError("not_enough" if item else "unknown_item", key)
            return self._combine(key, quantity, quantity, covered)
        if item.source == "buy" and lots_for(quantity, item) is not None:
            arrival = self.arrival(item)
            if arrival is not None and arrival <= self.limit:
                # Any quantity bought is there at one instant, so the best cut is known without trying.
                if covered is not None and covered <= arrival:
                    return self._combine(key, quantity, quantity, covered)
                return self._combine(key, quantity, pool.free_by(arrival), arrival)
        return self._earliest_cut(key, quantity, covered)

    def _earliest_cut(self, key: Hashable, quantity: Number, covered: int | None) -> Need:
        """Try the cuts of rule 2 of this module by bisection and reserve the best one."""
        pool, mark = self.pools[key], len(self._journal)
        rises = pool.rises(self.now, self.limit if covered is None else covered)
        failure: BlockedError | None = None
        need: Need | None = None
        try:
            need = self._combine(key, quantity, pool.free_by(self.now), self.now)
        except BlockedError as error:
            self.undo(mark)
            failure = error
        cuts = [self.now, *(rise for rise in rises if need is None or rise <= need.ready)]
        if len(cuts) == 1 or (need and self._effort > REFINE_EFFORT):
            if need is None:
                raise failure or BlockedError("not_enough", key)
            return need
        best, at = (need.ready, 0) if need else (self.limit + 1, 0)
        low, high = 1, len(cuts)
        self.undo(mark)
        while low < high:
            middle = (low + high) // 2
            ready, produced = self._try_cut(key, quantity, cuts[middle])
            if ready < best or (ready == best and middle > at):
                best, at = ready, middle
            if produced <= cuts[middle]:
                high = middle
            else:
                low = middle + 1
        if best > self.limit:
            raise failure or BlockedError("beyond_horizon", key)
        return self._combine(key, quantity, min(quantity, pool.free_by(cuts[at])), cuts[at])

    def _try_cut(self, key: Hashable, quantity: Number, cut: int) -> tuple[int, int]:
        """Return when a cut would be ready and when the part of it that is made or bought would; reserve nothing."""
        mark = len(self._journal)
        try:
            need = self._combine(key, quantity, min(quantity, self.pools[key].free_by(cut)), cut)
        except BlockedError:
            return self.limit + 1, self.limit + 1
        finally:
            self.undo(mark)
        produced = max((made.ready for made in need.made), default=self.now)
        return need.ready, max(produced, need.bought[1]) if need.bought else produced

    def _combine(self, key: Hashable, quantity: Number, supplied: Number, by: int) -> Need:
        """Reserve `supplied` from what is there at the instant `by`, and make or buy the rest."""
        need = Need(key, quantity, self.now)
        if supplied > 0:
            self._take(need, supplied, by)
        if supplied < quantity:
            self._produce(need, quantity - supplied)
        need.settle(self.now)
        return need

    def _take(self, need: Need, quantity: Number, by: int) -> None:
        need.taken = self.pools[need.item].latest_fit(quantity, by)
        self.drawn.add(need.item)
        for lot, amount in need.taken:
            self._draw(lot, amount)

    def _draw(self, lot: Lot, amount: Number) -> None:
        lot.free -= amount
        self._journal.append((_give_back, (lot, amount)))

    def refit(self, need: Need, by: int) -> None:
        """Peg what the need takes from stock and receipts anew, to the latest that are there at the instant `by`.

        What is pegged to the surplus of a tentative lot stays: production is not used to spare stock.
        """
        if not need.taken:
            return
        firm = [peg for peg in need.taken if peg[0].firm]
        pool = self.pools[need.item]
        if not firm or not pool.firm_between(firm[0][0].at, by):
            return
        for lot, amount in firm:
            self._draw(lot, -amount)
        kept = [peg for peg in need.taken if not peg[0].firm]
        need.taken = pool.latest_fit(sum((amount for _, amount in firm), start=0), by, firm_only=True)
        for lot, amount in need.taken:
            self._draw(lot, amount)
        need.taken += kept

    def _produce(self, need: Need, quantity: Number) -> None:
        """Make or buy `quantity` for the need, in lots of its item."""
        item = self.factory.item_by.get(need.item)
        if item is None or item.source == "none":
            raise BlockedError("not_enough" if item else "unknown_item", need.item)
        lots = lots_for(quantity, item)
        if lots is None:
            raise BlockedError("lot_sizes", item.key)
        if item.source == "buy":
            self._buy(need, item, quantity, lots.sum())
            return
        if lots.full_lots >= MAX_LOTS:
            raise BlockedError("too_many", item.key)
        if item.key in self._path:
            raise BlockedError("cyclic_bom", item.key)
        if len(self._path) >= MAX_DEPTH:
            raise BlockedError("too_many", item.key)
        self._path.append(item.key)
        try:
            for number in range(int(lots.full_lots) + 1):
                made = self._make(item, lots.full if number < lots.full_lots else lots.last)
                made.used = min(quantity, made.quantity)
                quantity -= made.used
                need.made.append(made)
                self._keep(item, made.quantity - made.used, made.ready, made)
        finally:
            self._path.pop()

    def _buy(self, need: Need, item: Item, quantity: Number, ordered: Number) -> None:
        arrival = self.arrival(item)
        if arrival is None or arrival > self.limit:
            raise BlockedError("never_opens" if arrival is None else "beyond_horizon", item.key)
        need.bought = (quantity, arrival)
        self._keep(item, ordered - quantity, arrival, None)

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

    def _make(self, item: Item, quantity: Number) -> Made:
        """Reserve components and places for one lot, as early as possible."""
        self._effort += 1
        if self._effort > MAX_EFFORT:
            raise BlockedError("too_many", item.key)
        recipe = self.factory.recipe(item.key)
        if not recipe.lines and not recipe.steps:
            raise BlockedError("no_bom_or_routing", item.key)
        made, mark = Made(item, quantity), len(self._journal)
        self._prepare(made, recipe.lines)
        self._place(made, self._gate(made))
        if any(need.made or need.bought for need in made.needs):
            better = self._with_receipts(made, mark)
            if better is not None:
                return better
        for need in made.needs:
            self.refit(need, made.start)
        return made

    def _prepare(self, made: Made, lines: Sequence[Line]) -> None:
        """Obtain every component as early as possible."""
        for line in lines:
            quantity = self._needed(line, made.quantity)
            if quantity > 0:
                made.needs.append(self.obtain(line.item, quantity))

    def _needed(self, line: Line, quantity: Number) -> Number:
        """Return how much of a component `quantity` of its parent needs; whole units are rounded up."""
        share = quantity * line.numerator
        if self.factory.whole:
            return -(-share // line.denominator)
        return Fraction(share) / line.denominator

    def _gate(self, made: Made) -> int:
        """Return when all components are there, and remember the one that decides."""
        made.gate = max(made.needs, key=_ready, default=None)
        return made.gate.ready if made.gate else self.now

    def _place(self, made: Made, start: int) -> None:
        """Put the operations one after another from the instant `start` on, each in the earliest gap."""
        clock = start
        for step in self.factory.recipe(made.item.key).steps:
            centre = self.centre(step.work_centre)
            place = centre.find(clock, duration(step, made.quantity), self.limit)
            if place is None:
                never = centre.never_opens(clock, self.limit)
                raise BlockedError("never_opens" if never else "beyond_horizon", step.work_centre)
            if place.work_start < place.work_end and centre.lanes is not None:
                lane = centre.lanes[place.lane]
                lane.reserve(place.work_start, place.work_end)
                self._journal.append((lane.release, (place.work_start, place.work_end)))
            made.places.append(place)
            clock = place.ends_at
        made.start = made.places[0].starts_at if made.places else start
        made.ready = clock

    def _with_receipts(self, first: Made, mark: int) -> Made | None:
        """Take receipts that arrive before the start instead of producing, if the lot is ready no later for it.

        Returns None, with `first` reserved as it was, if there is nothing to take or it would not be better.
        """
        useful = any(
            (need.made or need.bought) and self.pools[need.item].firm_between(self.now, first.start) for need in first.needs
        )
        if not useful or self._effort > REFINE_EFFORT:
            return None
        again = Made(first.item, first.quantity)
        self.undo(mark)
        try:
            for need in first.needs:
                supplied = min(need.quantity, self.pools[need.item].free_by(first.start))
                again.needs.append(self._combine(need.item, need.quantity, supplied, first.start))
            if self._gate(again) <= first.start:
                self._place(again, first.start)
                if again.ready <= first.ready:
                    return again
        except BlockedError:
            pass
        self.undo(mark)
        first.needs.clear()
        first.places.clear()
        self._prepare(first, self.factory.recipe(first.item.key).lines)
        self._place(first, self._gate(first))
        return None


def _give_back(lot: Lot, amount: Number) -> None:
    lot.free += amount


def _ready(need: Need) -> int:
    return need.ready
