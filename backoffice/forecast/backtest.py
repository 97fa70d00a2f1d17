"""How good the forecasts would have been: the last months are hidden, forecast, and compared, beside the naive forecast.

MASE (Hyndman, Koehler 2006): mean absolute error by that of the naive forecast over the months that were known; below the naive
forecast's own figure it is better. Pinball: mean loss of the 10th and 90th of 100, by the same measure, so that small and large
products count alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from backoffice.forecast.methods import CLASSES, FEWEST_MONTHS, HIGH, LOW, YEAR, Class, Expected, class_of, forecast, naive

MONTHS = 3
ORIGINS = 3
Method = Callable[[Sequence[int], int], list[Expected]]


@dataclass(frozen=True, slots=True)
class Score:
    """One class. mase, pinball: of our methods; naive_…: of the naive forecast there. pinball: None without intervals."""

    kind: Class
    products: int
    mase: float
    naive_mase: float
    pinball: float | None
    naive_pinball: float


def backtest(series: Iterable[Sequence[int]], months: int = MONTHS, origins: int = ORIGINS) -> list[Score]:
    """Return a score for each class that can be judged: three origins, a month apart, of each product.

    A product is judged in the class that it had then; without one month of change before there is no measure.
    """
    found: dict[Class, list[tuple[float, float, float | None, float]]] = {}
    for history in series:
        for origin in range(origins):
            cut = len(history) - months - origin
            known, hidden = history[:cut], history[cut : cut + months]
            if cut < FEWEST_MONTHS // 2 or (scale := _scale(known)) == 0:
                continue
            ours, theirs = forecast(known, months), naive(known, months)
            row = (
                _error(ours, hidden) / scale,
                _error(theirs, hidden) / scale,
                _loss(ours, hidden, scale),
                _loss(theirs, hidden, scale),
            )
            found.setdefault(class_of(known), []).append((row[0], row[1], row[2], row[3] or 0.0))
    return [_score(kind, found[kind], origins) for kind in CLASSES if kind in found]


def _score(kind: Class, rows: Sequence[tuple[float, float, float | None, float]], origins: int) -> Score:
    losses = [row[2] for row in rows if row[2] is not None]
    means = [fmean(row[at] or 0.0 for row in rows) for at in (0, 1, 3)]
    return Score(kind, -(-len(rows) // origins), means[0], means[1], fmean(losses) if losses else None, means[2])


def _scale(known: Sequence[int]) -> float:
    step = YEAR if len(known) > YEAR else 1
    return fmean(abs(now - then) for then, now in zip(known, known[step:], strict=False)) if len(known) > step else 0.0


def _error(expected: Sequence[Expected], hidden: Sequence[int]) -> float:
    return fmean(abs(one.mean - real) for one, real in zip(expected, hidden, strict=True))


def _loss(expected: Sequence[Expected], hidden: Sequence[int], scale: float) -> float | None:
    losses = []
    for one, real in zip(expected, hidden, strict=True):
        if one.low is None or one.high is None:
            return None
        losses += [pinball(one.low, real, LOW), pinball(one.high, real, HIGH)]
    return fmean(losses) / scale


def pinball(said: float, real: float, share: float) -> float:
    """Return the loss of having said that `share` of all months stay below `said`."""
    return share * (real - said) if real >= said else (1 - share) * (said - real)
