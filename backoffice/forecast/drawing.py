"""Products whose months are drawn: of every class some, the same for the same seed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from random import Random

MONTHS = 48


def draw(seed: int, each: int = 20) -> Iterator[Sequence[int]]:
    """Yield products with a season, without one, with few sales, and new ones; noise as wide as a fifth of the mean."""
    chance = Random(seed)  # noqa: S311 - a drawing that can be drawn again, nothing secret
    for _product in range(each):
        mean, swing, turn = chance.uniform(20, 200), chance.uniform(0.2, 0.6), chance.uniform(0, 2 * math.pi)
        yield [_month(chance, mean * (1 + swing * math.sin(turn + 2 * math.pi * month / 12))) for month in range(MONTHS)]
        yield [_month(chance, mean) for month in range(MONTHS)]
        yield [_month(chance, mean) for month in range(20)]
        yield [chance.randint(1, 9) if chance.random() < 0.25 else 0 for month in range(MONTHS)]
        yield [_month(chance, mean) for month in range(8)]


def _month(chance: Random, mean: float) -> int:
    return max(0, round(chance.gauss(mean, mean / 5)))
