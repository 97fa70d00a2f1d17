"""The tax that is in a price, by the place that it is sold to, in whole minor units. Pure.

Prices are what a consumer pays. Within the Union goods sold to a consumer bear the tax of the place they go to (Directive
2006/112/EC, Articles 33 and 78); what leaves it is free of it (Article 146). The tax of all lines of a rate is worked out
once from their sum and then shared, so that the parts add up to the whole (half a unit is rounded up).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

STANDARD = "standard"
KINDS = (STANDARD, "books", "food")  # of goods, as laws name them: what bears less differs from country to country
UNION = frozenset("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split())  # noqa: SIM905 - one line one can read
_LONG_AGO = date(2000, 1, 1)
# standard rates in hundredths of a percent, each from a day on, the newest first. Looked up in November 2026
RATES: Mapping[str, tuple[tuple[date, int], ...]] = {
    "AT": ((_LONG_AGO, 2000),),
    "BE": ((_LONG_AGO, 2100),),
    "BG": ((_LONG_AGO, 2000),),
    "CH": ((date(2024, 1, 1), 810), (_LONG_AGO, 770)),
    "CY": ((_LONG_AGO, 1900),),
    "CZ": ((_LONG_AGO, 2100),),
    "DE": ((_LONG_AGO, 1900),),
    "DK": ((_LONG_AGO, 2500),),
    "EE": ((date(2025, 7, 1), 2400), (_LONG_AGO, 2200)),
    "ES": ((_LONG_AGO, 2100),),
    "FI": ((date(2024, 9, 1), 2550), (_LONG_AGO, 2400)),
    "FR": ((_LONG_AGO, 2000),),
    "GB": ((_LONG_AGO, 2000),),
    "GR": ((_LONG_AGO, 2400),),
    "HR": ((_LONG_AGO, 2500),),
    "HU": ((_LONG_AGO, 2700),),
    "IE": ((_LONG_AGO, 2300),),
    "IT": ((_LONG_AGO, 2200),),
    "LI": ((date(2024, 1, 1), 810), (_LONG_AGO, 770)),
    "LT": ((_LONG_AGO, 2100),),
    "LU": ((_LONG_AGO, 1700),),
    "LV": ((_LONG_AGO, 2100),),
    "MT": ((_LONG_AGO, 1800),),
    "NL": ((_LONG_AGO, 2100),),
    "NO": ((_LONG_AGO, 2500),),
    "PL": ((_LONG_AGO, 2300),),
    "PT": ((_LONG_AGO, 2300),),
    "RO": ((date(2025, 8, 1), 2100), (_LONG_AGO, 1900)),
    "SE": ((_LONG_AGO, 2500),),
    "SI": ((_LONG_AGO, 2200),),
    "SK": ((date(2025, 1, 1), 2300), (_LONG_AGO, 2000)),
}

# what some goods bear less, by kind. A country that is missing here taxes them like anything else, as far as we know: then too
# much is said to be tax, never too little. Printed books; food that is no drink, no delicacy and not eaten on the spot
LESS: Mapping[str, Mapping[str, tuple[tuple[date, int], ...]]] = {
    "books": {
        "AT": ((_LONG_AGO, 1000),),
        "BE": ((_LONG_AGO, 600),),
        "CH": ((date(2024, 1, 1), 260), (_LONG_AGO, 250)),
        "CZ": ((date(2024, 1, 1), 0), (_LONG_AGO, 1000)),
        "DE": ((_LONG_AGO, 700),),
        "ES": ((_LONG_AGO, 400),),
        "FR": ((_LONG_AGO, 550),),
        "GB": ((_LONG_AGO, 0),),
        "IE": ((_LONG_AGO, 0),),
        "IT": ((_LONG_AGO, 400),),
        "LI": ((date(2024, 1, 1), 260), (_LONG_AGO, 250)),
        "LU": ((_LONG_AGO, 300),),
        "NL": ((_LONG_AGO, 900),),
        "NO": ((_LONG_AGO, 0),),
        "PL": ((_LONG_AGO, 500),),
        "SE": ((_LONG_AGO, 600),),
    },
    "food": {
        "AT": ((_LONG_AGO, 1000),),
        "BE": ((_LONG_AGO, 600),),
        "CH": ((date(2024, 1, 1), 260), (_LONG_AGO, 250)),
        "CZ": ((date(2024, 1, 1), 1200), (_LONG_AGO, 1500)),
        "DE": ((_LONG_AGO, 700),),
        "FR": ((_LONG_AGO, 550),),
        "LI": ((date(2024, 1, 1), 260), (_LONG_AGO, 250)),
        "LU": ((_LONG_AGO, 300),),
        "NL": ((_LONG_AGO, 900),),
    },
}


def rate_of(seller: str, buyer: str, on: date, kind: str = STANDARD) -> int:
    """Return the rate in hundredths of a percent that a price to `buyer` bears; both: countries, ISO 3166. kind: of KINDS.

    0 for what leaves the seller's country or the Union, and for a country whose rate nobody has looked up.
    """
    if seller != buyer and not {seller, buyer} <= UNION:
        return 0
    rates = LESS.get(kind, {}).get(buyer) or RATES.get(buyer, ())
    return next((rate for since, rate in rates if on >= since), 0)


def tax_in(gross_minor: int, rate_bp: int) -> int:
    """Return the tax that is in a price."""
    return (2 * gross_minor * rate_bp + 10_000 + rate_bp) // (2 * (10_000 + rate_bp))


def shares(amount: int, weights: Sequence[int]) -> list[int]:
    """Share an amount by weights, all of it, to the unit: what is left over goes to the largest remainders, the first first.

    The weights are not negative, and one of them is more than nothing.
    """
    whole, sign = sum(weights), -1 if amount < 0 else 1
    parts = [abs(amount) * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda at: (-(abs(amount) * weights[at] % whole), at))
    for at in by_remainder[: abs(amount) - sum(parts)]:
        parts[at] += 1
    return [sign * part for part in parts]


def taxes_in(lines: Sequence[tuple[int, int]]) -> list[int]:
    """Return the tax in each of lines (gross, rate): of each rate together, then shared by how much each line is."""
    taxes = [0] * len(lines)
    for rate in {rate for _, rate in lines}:
        mine = [at for at, one in enumerate(lines) if one[1] == rate]
        whole = sum(lines[at][0] for at in mine)
        if whole == 0:
            continue
        # shared over what is above nothing, less what is below it by its own: both stay whole
        below = [at for at in mine if lines[at][0] < 0]
        for at in below:
            taxes[at] = -tax_in(-lines[at][0], rate)
        above = [at for at in mine if lines[at][0] > 0]
        left = tax_in(whole, rate) - sum(taxes[at] for at in below)
        for at, part in zip(above, shares(left, [lines[at][0] for at in above]), strict=True):
            taxes[at] = part
    return taxes
