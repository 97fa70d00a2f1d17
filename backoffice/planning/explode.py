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

4. Alternates are tried in their order, for the whole need of a lot; the first that can be had at all is taken.

Every reservation is written to a journal and can be undone, so lines that share an item or a work centre
see each other.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from fractions import Fraction
from typing import Literal

from backoffice.planning.capacity import Place
from backoffice.planning.model import Item, Line, Number, Step, duration, lots_for
from backoffice.planning.needs import BlockedError, Made, Need
from backoffice.planning.reserving import Reservations

SellFrom = Literal["stock", "incoming", "production"]

REFINE_EFFORT = 1_000
"""After this many lots tried, the first whole combination found is taken: deep trees of choices stay quick."""


class Search(Reservations):
    """One question at a plan's state. The caller undoes its journal, or keeps what it has reserved."""

    def obtain(self, key: Hashable, quantity: Number, sell_from: SellFrom = "production", use: int = 0) -> Need:
        """Meet a need as early as possible and reserve what it takes; on BlockedError undo to where you were.

        use: the day (ordinal) from which on it is used; what has expired by then is not there.
        """
        pool = self.pools[key].on(use)
        covered = pool.earliest(quantity)
        if covered is not None and covered <= self.now:
            return self._combine(key, quantity, quantity, self.now, use)
        if covered is not None and covered > self.limit:
            covered = None
        item = self.factory.item_by.get(key)
        if sell_from == "stock" or (sell_from == "incoming" and covered is None):
            raise BlockedError("not_enough", key)
        if sell_from == "incoming" or item is None or item.source == "none":
            if covered is None:
                raise BlockedError("not_enough" if item else "unknown_item", key)
            return self._combine(key, quantity, quantity, covered, use)
        arrival = self._arrival(item, quantity) if item.source == "buy" else None
        if arrival is not None:
            # Any quantity bought is there at one instant, so the best cut is known without trying.
            if covered is not None and covered <= arrival:
                return self._combine(key, quantity, quantity, covered, use)
            return self._combine(key, quantity, pool.free_by(arrival), arrival, use)
        return self._earliest_cut(key, quantity, covered, use)

    def _arrival(self, item: Item, quantity: Number) -> int | None:
        """Return when whatever is bought now is there: from the first supplier who can bring any; None if nobody can."""
        for offer in item.offers:
            at = self.state.arrival(offer) if lots_for(quantity, offer) else None
            if at is not None and at <= self.limit:
                return at
        return None

    def _earliest_cut(self, key: Hashable, quantity: Number, covered: int | None, use: int) -> Need:
        """Try the cuts of rule 2 of this module by bisection and reserve the best one."""
        pool, mark = self.pools[key], self.mark()
        rises = pool.rises(self.now, self.limit if covered is None else covered)
        failure: BlockedError | None = None
        need: Need | None = None
        try:
            need = self._combine(key, quantity, pool.free_by(self.now), self.now, use)
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
            ready, produced = self._try_cut(key, quantity, cuts[middle], use)
            if ready < best or (ready == best and middle > at):
                best, at = ready, middle
            if produced <= cuts[middle]:
                high = middle
            else:
                low = middle + 1
        if best > self.limit:
            raise failure or BlockedError("beyond_horizon", key)
        return self._combine(key, quantity, min(quantity, pool.on(use).free_by(cuts[at], quantity)), cuts[at], use)

    def _try_cut(self, key: Hashable, quantity: Number, cut: int, use: int) -> tuple[int, int]:
        """Return when a cut would be ready and when the part of it that is made or bought would; reserve nothing."""
        mark = self.mark()
        try:
            need = self._combine(key, quantity, min(quantity, self.pools[key].on(use).free_by(cut, quantity)), cut, use)
        except BlockedError:
            return self.limit + 1, self.limit + 1
        finally:
            self.undo(mark)
        return need.ready, max((*(made.ready for made in need.made), *(at for _, at, _ in need.bought)), default=self.now)

    def _combine(self, key: Hashable, quantity: Number, supplied: Number, by: int, use: int) -> Need:
        """Reserve `supplied` from what is there at the instant `by`, and make or buy the rest."""
        need = Need(key, quantity, self.now, use)
        if supplied > 0:
            self._take(need, supplied, by)
        if supplied < quantity:
            self._produce(need, quantity - supplied, self._make, self.state.arrival)
        need.settle(self.now)
        return need

    def _make(self, item: Item, quantity: Number, use: int) -> Made:
        """Reserve components and places for one lot, as early as possible."""
        self._try(item.key)
        recipe = self.factory.recipe(item.key)
        if not recipe.lines and not recipe.steps:
            raise BlockedError("no_bom_or_routing", item.key)
        made, mark = Made(item, quantity), self.mark()
        if item.through or not self.perishable:
            self._prepare(made, recipe.lines, use)
            self._place(made, made.find_gate(self.now))
        else:
            use = self._prepare_fresh(made, recipe.lines, mark)
        if any(need.made or need.bought for need in made.needs):
            better = self._with_receipts(made, mark, use)
            if better is not None:
                return better
        for need in made.needs:
            self.refit(need, made.start, use)
        return made

    def _prepare(self, made: Made, lines: Sequence[Line], use: int) -> None:
        """Obtain every component as early as possible: of its alternates the first that can be had."""
        for line in lines:
            quantity = self.needed(line, made.quantity)
            if quantity > 0:
                made.needs.append(self._first(line.items, quantity, use))

    def _first(self, items: Sequence[Hashable], quantity: Number, use: int) -> Need:
        """Obtain `quantity` of the first of `items` that can be had; raise the first one's BlockedError if none can."""
        if len(items) == 1:
            return self.obtain(items[0], quantity, use=use)
        failure: BlockedError | None = None
        for key in items:
            mark = self.mark()
            try:
                return self.obtain(key, quantity, use=use)
            except BlockedError as error:
                self.undo(mark)
                failure = failure or error
        assert failure is not None
        raise failure

    def _prepare_fresh(self, made: Made, lines: Sequence[Line], mark: int) -> int:
        """Obtain components that are still fresh on the day the lot starts, place it, and return that day.

        Until its start is known, components are sought that are fresh today. What has expired at the start is sought
        anew for that day; as the start only ever moves later, this ends.
        """
        use = self.state.used_on(self.now)
        while True:
            self._prepare(made, lines, use)
            self._place(made, made.find_gate(self.now))
            day = self.state.used_on(made.start)
            if day <= use or not any(need.spoils(day) for need in made.needs):
                return day
            self.undo(mark)
            made.clear()
            use = day

    def needed(self, line: Line, quantity: Number) -> Number:
        """Return how much of a component `quantity` of its parent needs; whole units are rounded up."""
        share = quantity * line.numerator
        if self.factory.whole:
            return -(-share // line.denominator)
        return Fraction(share) / line.denominator

    def _place(self, made: Made, start: int) -> None:
        """Put the operations one after another from the instant `start` on, each in the earliest gap."""
        clock = start
        for step in self.factory.recipe(made.item.key).steps:
            chosen, place = self._earliest_place(step, made.quantity, clock)
            self._occupy(chosen, place)
            made.steps.append(chosen)
            made.places.append(place)
            clock = place.ends_at
        made.start = made.places[0].starts_at if made.places else start
        made.ready = clock

    def _earliest_place(self, step: Step, quantity: Number, clock: int) -> tuple[Step, Place]:
        """Return where a step is done and its earliest place there: of its work centres the first that can do it at all."""
        for option in (step, *step.others):
            place = self.centre(option.work_centre).find(clock, duration(option, quantity), self.limit)
            if place is not None:
                return option, place
        never = self.centre(step.work_centre).never_opens(clock, self.limit)
        raise BlockedError("never_opens" if never else "beyond_horizon", step.work_centre)

    def _with_receipts(self, first: Made, mark: int, use: int) -> Made | None:
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
                supplied = min(need.quantity, self.pools[need.item].on(use).free_by(first.start, need.quantity))
                again.needs.append(self._combine(need.item, need.quantity, supplied, first.start, use))
            if again.find_gate(self.now) <= first.start:
                self._place(again, first.start)
                if again.ready <= first.ready and not any(need.spoils(use) for need in again.needs):
                    return again
        except BlockedError:
            pass
        self.undo(mark)
        first.clear()
        self._prepare(first, self.factory.recipe(first.item.key).lines, use)
        self._place(first, first.find_gate(self.now))
        return None
