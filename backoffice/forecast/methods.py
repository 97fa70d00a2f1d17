"""What is expected of a product in the next months, from its months so far, with an interval where that can be had.

| class | which products | method | interval, 80 of 100 |
|---|---|---|---|
| short | fewer than six months, or never sold | their mean | none: too little is known |
| intermittent | a sale less often than every 1.32 months | TSB | 10th and 90th of 100 months so far |
| smooth | less than two years | exponential smoothing, ETS(A,N,N) | the model's own |
| seasonal | two years and more | ETS(A,N,A) or (A,N,N), whichever AICc prefers | the model's own |

Sources: Syntetos, Boylan, Croston (2005) for the 1.32; Teunter, Syntetos, Babai (2011) for TSB, which unlike Croston lets
what is no longer sold fade; Hyndman and others (2008) for ETS, as statsmodels fits it.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

Class = Literal["short", "intermittent", "smooth", "seasonal"]
CLASSES: tuple[Class, ...] = ("short", "intermittent", "smooth", "seasonal")
YEAR = 12
FEWEST_MONTHS = 6
RARELY = 1.32  # months between sales, mean
SMOOTHING = 0.1  # of TSB, of both its parts
LOW, HIGH = 0.1, 0.9


@dataclass(frozen=True, slots=True)
class Expected:
    """One month to come, in pieces, never below 0. low, high: None where too little is known for an interval."""

    mean: float
    low: float | None
    high: float | None


def class_of(history: Sequence[int]) -> Class:
    """Return a product's class. history: pieces of each month since it was first sold, the oldest first."""
    sold = sum(1 for one in history if one)
    if len(history) < FEWEST_MONTHS or not sold:
        return "short"
    if len(history) / sold > RARELY:
        return "intermittent"
    return "seasonal" if len(history) >= 2 * YEAR else "smooth"


def forecast(history: Sequence[int], months: int) -> list[Expected]:
    """Return the next months."""
    kind = class_of(history)
    if kind == "short":
        mean = sum(history) / len(history) if history else 0.0
        return [Expected(mean, None, None)] * months
    if kind == "intermittent":
        return [Expected(tsb(history), rank(history, LOW), rank(history, HIGH))] * months
    return _smoothed(history, months, seasonal=kind == "seasonal")


def tsb(history: Sequence[int], smoothing: float = SMOOTHING) -> float:
    """Return the mean of a month: how likely a sale is times how large it is, both smoothed. Raises nothing; 0 if never sold."""
    sizes = [one for one in history if one]
    if not sizes:
        return 0.0
    chance, size = len(sizes) / len(history), sum(sizes) / len(sizes)
    for one in history:
        chance += smoothing * ((1 if one else 0) - chance)
        if one:
            size += smoothing * (one - size)
    return chance * size


def rank(values: Sequence[float], share: float) -> float:
    """Return the first value that at least `share` of them do not pass (nearest rank)."""
    return sorted(values)[max(math.ceil(share * len(values)), 1) - 1]


def naive(history: Sequence[int], months: int) -> list[Expected]:
    """Return what to beat: the same month of the last year, or the last month where there is no whole year.

    Its interval: the same moved by the 10th and the 90th of 100 changes from year to year (or month to month) so far.
    """
    step = YEAR if len(history) > YEAR else 1
    changes = [now - then for then, now in zip(history, history[step:], strict=False)] or [0]
    low, high = rank(changes, LOW), rank(changes, HIGH)
    last = [float(history[len(history) - step + month % step]) for month in range(months)] if history else [0.0] * months
    return [Expected(one, max(one + low, 0.0), max(one + high, 0.0)) for one in last]


def _smoothed(history: Sequence[int], months: int, *, seasonal: bool) -> list[Expected]:
    """Return what exponential smoothing expects; the plain one where the seasonal one does not fit better, or not at all."""
    fits = [_fit(history, None)]
    if seasonal:
        with suppress(ValueError, ArithmeticError):  # a series that it cannot begin with: the plain one stands
            fits.append(_fit(history, "add"))
    best = min(fits, key=lambda one: one.aicc if math.isfinite(one.aicc) else math.inf)
    frame = best.get_prediction(start=len(history), end=len(history) + months - 1).summary_frame(alpha=1 - (HIGH - LOW))
    rows = zip(frame["mean"], frame["pi_lower"], frame["pi_upper"], strict=True)
    return [Expected(*(max(float(one), 0.0) for one in row)) for row in rows]


def _fit(history: Sequence[int], seasonal: str | None) -> Any:
    from pandas import Series  # these two take two seconds to import: only who forecasts waits
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    periods = {"seasonal": seasonal, "seasonal_periods": YEAR} if seasonal else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an optimiser that stopped at its limit: its answer is still the best seen
        return ETSModel(Series([float(one) for one in history]), error="add", **periods).fit(disp=False)
