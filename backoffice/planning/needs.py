"""Tentative answers: what a need takes, what is made for it, and why it cannot be met."""

from __future__ import annotations

from collections.abc import Hashable

from backoffice.planning.atp import Lot
from backoffice.planning.capacity import Place
from backoffice.planning.model import Item, Number, Step


class BlockedError(Exception):
    """A need that can never be met: `reason` in a word, `where` = the item or work centre that fails."""

    def __init__(self, reason: str, where: Hashable) -> None:
        """Keep the reason and the place."""
        super().__init__(reason)
        self.reason = reason
        self.where = where


class Made:
    """A tentative lot: its places on work centres (one per step, `steps`: at which) and the needs of its components.

    late: it was placed as late as an asked instant allows. gate: the need that was there last.
    """

    __slots__ = ("gate", "item", "late", "needs", "places", "quantity", "ready", "start", "steps", "used")

    def __init__(self, item: Item, quantity: Number, late: bool = False) -> None:
        """Begin a lot of `quantity`; the rest is filled in when it is placed."""
        self.item = item
        self.quantity = quantity
        self.late = late
        self.used: Number = 0
        self.needs: list[Need] = []
        self.gate: Need | None = None
        self.steps: list[Step] = []
        self.places: list[Place] = []
        self.start = 0
        self.ready = 0

    def clear(self) -> None:
        """Forget needs and places, to be placed anew."""
        self.needs.clear()
        self.steps.clear()
        self.places.clear()

    def find_gate(self, now: int) -> int:
        """Return when all components are there, and remember the one that decides."""
        self.gate = max(self.needs, key=_ready, default=None)
        return self.gate.ready if self.gate else now


class Need:
    """A tentative answer to one need: what it takes from supplies, from lots made for it and from purchases.

    cause: the last of them, which decides `ready`. All instants are microseconds. use: the day (ordinal) from which on
    it is used as far as is known, for supplies that expire. bought: quantity, arrival, supplier (None: the item's first).
    """

    __slots__ = ("bought", "cause", "item", "made", "quantity", "ready", "taken", "use")

    def __init__(self, item: Hashable, quantity: Number, now: int, use: int = 0) -> None:
        """Begin with nothing, ready now."""
        self.item = item
        self.quantity = quantity
        self.use = use
        self.taken: list[tuple[Lot, Number]] = []
        self.made: list[Made] = []
        self.bought: list[tuple[Number, int, Hashable | None]] = []
        self.ready = now
        self.cause: Lot | Made | int | None = None

    def settle(self, now: int) -> None:
        """Work out `ready` and `cause`: the first of the latest among supplies, then purchases, then lots."""
        self.ready, self.cause = now, None
        for lot, _ in self.taken:
            if lot.at > self.ready or self.cause is None:
                self.ready, self.cause = max(now, lot.at), lot
        for _, arrival, _ in self.bought:
            if arrival > self.ready or self.cause is None:
                self.ready = self.cause = arrival
        for made in self.made:
            if made.ready > self.ready or self.cause is None:
                self.ready, self.cause = made.ready, made

    def resettle(self, now: int) -> None:
        """Work out anew, from the bottom up, when it and what is made for it are ready: supplies may have been changed."""
        for made in self.made:
            for part in made.needs:
                part.resettle(now)
            gate = made.find_gate(now)
            if not made.places:
                made.start = made.ready = gate
        self.settle(now)

    def spoils(self, day: int) -> bool:
        """Tell whether something it takes, or a kit or phantom takes for it, has expired on `day` (ordinal)."""
        if any(lot.expires and day >= lot.expires for lot, _ in self.taken):
            return True
        return any(part.spoils(day) for made in self.made if made.item.through for part in made.needs)


def joined(needs: list[Need], now: int) -> Need:
    """Return the needs for one item, answered one after another, as one."""
    whole = Need(needs[0].item, sum((need.quantity for need in needs), start=0), now)
    for need in needs:
        whole.taken += need.taken
        whole.made += need.made
        whole.bought += need.bought
    whole.settle(now)
    return whole


def _ready(need: Need) -> int:
    return need.ready
