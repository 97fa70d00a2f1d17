"""Capable to promise for an asked instant: everything as late as possible but in time.

The mirror of `explode`, for one need that must be ready by an instant:

1. All that may be promised from stock and receipts by then is taken, the latest first; the rest is made or bought.
2. A lot's operations are placed from the last to the first, each in the latest gap before the next one; its components
   must be there when the first starts. A lot without operations is made when its components are there.
3. A purchase arrives at the instant itself, or on its supplier's last open day before, at that time of day.
4. Alternates are tried in their order; the first is taken with which everything is in time, all the way down.

Nothing starts before now. Source of the method: backward scheduling (just in time); if it fails, the caller asks forward.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import partial

from backoffice.planning.explode import Search, SellFrom
from backoffice.planning.model import Item, Line, Number, Recipe, Step, Supplier, duration
from backoffice.planning.needs import BlockedError, Made, Need


class DatedSearch(Search):
    """A search that also knows an instant by which a need must be ready."""

    def in_time(self, key: Hashable, quantity: Number, due: int, sell_from: SellFrom = "production") -> Need | None:
        """Meet a need as late as possible but by `due`; None, with nothing reserved, if it cannot be in time.

        sell_from: the asked item is made or bought only for "production".
        """
        mark, use, by = self.mark(), self.state.ships_on(self.now), min(due, self.limit)
        try:
            while by >= self.now:
                if sell_from != "production" and self.pools[key].on(use).free_by(by, quantity) < quantity:
                    break
                need = self.obtain_by(key, quantity, by, use)
                leaves = self.state.ships_on(need.ready)
                if not self.perishable or not need.spoils(leaves):
                    last = self.state.ships_on(by)
                    if need.spoils(last):
                        self.refit(need, need.ready, leaves)
                    else:
                        self.refit(need, by, last)
                    return need
                self.undo(mark)
                use = leaves
        except BlockedError:
            pass
        self.undo(mark)
        return None

    def earliest(self, key: Hashable, quantity: Number, sell_from: SellFrom = "production") -> Need:
        """Meet a need as early as possible, with what is fresh when it ships. On BlockedError undo to where you were."""
        mark, use = self.mark(), self.state.ships_on(self.now)
        while True:
            need = self.obtain(key, quantity, sell_from, use)
            leaves = self.state.ships_on(need.ready)
            if not self.perishable or not need.spoils(leaves):
                self.refit(need, need.ready, leaves)
                return need
            self.undo(mark)
            use = leaves

    def obtain_by(self, key: Hashable, quantity: Number, by: int, use: int) -> Need:
        """Meet a need as late as possible but by the instant `by`; on BlockedError undo to where you were."""
        need = Need(key, quantity, self.now, use)
        supplied = min(quantity, self.pools[key].on(use).free_by(by, quantity))
        if supplied > 0:
            self._take(need, supplied, by)
        if supplied < quantity:
            self._produce(need, quantity - supplied, partial(self._make_by, by), partial(self._arrival_by, by))
        need.settle(self.now)
        return need

    def forget_effort(self) -> None:
        """Begin to count attempts anew, for a question of its own."""
        self._effort = 0

    def _arrival_by(self, by: int, offer: Item | Supplier) -> int | None:
        return self.state.arrival_by(offer, by)

    def _make_by(self, by: int, item: Item, quantity: Number, use: int) -> Made:
        """Reserve places and components for one lot, as late as possible."""
        recipe = self.factory.recipe(item.key)
        if not recipe.lines and not recipe.steps:
            raise BlockedError("no_bom_or_routing", item.key)
        made = Made(item, quantity, late=True)
        self._fit(made, recipe, by, use)
        gate = made.find_gate(self.now)
        made.start = made.places[0].starts_at if made.places else gate
        made.ready = made.places[-1].ends_at if made.places else gate
        return made

    def _fit(self, made: Made, recipe: Recipe, by: int, use: int) -> None:
        """Place the operations from the last to the first, then the components; go back to the next alternate if one fails."""
        options = [(step, *step.others) for step in reversed(recipe.steps)]
        failure: BlockedError | None = None
        tried, marks, clocks = [0], [self.mark()], [by]
        while tried:
            self._try(made.item.key)
            depth = len(tried) - 1
            if depth == len(options):
                try:
                    self._components_by(made, recipe.lines, clocks[-1], use)
                    return
                except BlockedError as error:
                    failure = failure or error
                    self.undo(marks[-1])
                    made.needs.clear()
            elif tried[-1] < len(options[depth]):
                step = options[depth][tried[-1]]
                tried[-1] += 1
                clock = self._place_by(made, step, clocks[-1])
                if clock is not None:
                    tried.append(0)
                    marks.append(self.mark())
                    clocks.append(clock)
                failure = failure or (BlockedError("too_late", step.work_centre) if clock is None else None)
                continue
            for stack in (tried, marks, clocks):
                stack.pop()
            if marks:
                self.undo(marks[-1])
                made.steps.pop(0)
                made.places.pop(0)
        assert failure is not None
        raise failure

    def _place_by(self, made: Made, step: Step, by: int) -> int | None:
        """Put an operation into the latest gap before `by` and return its start; None if there is none."""
        place = self.centre(step.work_centre).find_latest(by, duration(step, made.quantity), self.now)
        if place is None:
            return None
        self._occupy(step, place)
        made.steps.insert(0, step)
        made.places.insert(0, place)
        return place.starts_at

    def _components_by(self, made: Made, lines: Sequence[Line], by: int, use: int) -> None:
        """Obtain every component by the instant `by`: of its alternates the first that is there in time."""
        if self.perishable and not made.item.through:
            use = self.state.used_on(by)
        for line in lines:
            quantity = self.needed(line, made.quantity)
            if quantity > 0:
                need = self._first_by(line.items, quantity, by, use)
                made.needs.append(need)
                if self.perishable:
                    self.refit(need, by, use)

    def _first_by(self, items: Sequence[Hashable], quantity: Number, by: int, use: int) -> Need:
        failure: BlockedError | None = None
        for key in items:
            mark = self.mark()
            try:
                return self.obtain_by(key, quantity, by, use)
            except BlockedError as error:
                self.undo(mark)
                failure = failure or error
        assert failure is not None
        raise failure
