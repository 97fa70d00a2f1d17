"""What a year is made of: the factory as it is written down, the orders, and the luck nobody knows beforehand."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from random import Random

from backoffice.planning import Calendar, Factory, Stop


@dataclass(frozen=True, slots=True)
class Order:
    """Somebody orders `quantity` of `item` at an instant."""

    number: int
    at: datetime
    item: Hashable
    quantity: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """A supplier has said that `quantity` of `item` comes `at`; an instant before the first day is stock."""

    name: str
    item: Hashable
    quantity: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Luck:
    """What chance adds. The same name gives the same luck, whatever else happened before: common random numbers.

    late: by bought item, the open days a delivery comes late, each equally likely; none: always on time.
    spoilt: share of pieces that an operation spoils and has to do again.
    """

    seed: int = 0
    late: Mapping[Hashable, Sequence[int]] = field(default_factory=dict)
    spoilt: float = 0.0

    def days_late(self, name: str, item: Hashable) -> int:
        """Return how many open days the delivery called `name` comes late."""
        return Random(f"{self.seed} late {name}").choice(self.late.get(item) or (0,))  # noqa: S311 - a game, no secret

    def pieces_spoilt(self, name: str, quantity: int) -> int:
        """Return how many of `quantity` pieces are done again in the operation called `name`."""
        if not self.spoilt:
            return 0
        draw = Random(f"{self.seed} spoilt {name}")  # noqa: S311 - a game, no secret
        return sum(draw.random() < self.spoilt for _ in range(quantity))


@dataclass(frozen=True, slots=True)
class World:
    """A factory and everything that will happen to it.

    factory: its items have no lot sizes, so that nothing is left over from an order. plant: the calendar in which open days are
    counted. begin: the first day; first: the first day that counts in the
    report, what lies before only teaches. breakdowns: nobody knows one before it has begun. orders: by instant.
    """

    factory: Factory
    plant: Calendar
    begin: date
    first: date
    orders: Sequence[Order]
    deliveries: Sequence[Delivery] = ()
    breakdowns: Sequence[Stop] = ()
    luck: Luck = field(default_factory=Luck)
