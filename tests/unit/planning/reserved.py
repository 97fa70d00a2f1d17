"""A question's reservations on a plan of a few pools and two work centres: one of two lanes, one of any number."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from backoffice.planning.atp import Pool
from backoffice.planning.lanes import Lane
from backoffice.planning.model import Item
from backoffice.planning.reserving import Reservations, State
from tests.unit.planning.models import factory

NOW, LIMIT = 100, 1_000


class Bench:
    """The lanes of a work centre."""

    def __init__(self, lanes: list[Lane] | None) -> None:
        self.lanes = lanes


def reservations(*items: Item, perishable: bool = False, **pools: Pool) -> Reservations:
    of: dict[Hashable, Pool] = {item.key: Pool([], 0) for item in items} | pools
    benches: dict[Hashable, Any] = {"saw": Bench([Lane(), Lane()]), "outside": Bench(None)}
    unused: Any = None
    used: Callable[[int], int] = int
    return Reservations(State(factory(*items), NOW, LIMIT, of, benches.__getitem__, unused, unused, perishable, used, used))
