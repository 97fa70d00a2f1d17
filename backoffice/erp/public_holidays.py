"""Public holidays by country and subdivision, as dates with their names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache

import holidays


@lru_cache(maxsize=64)
def holiday_names(region: str, first_year: int, last_year: int) -> Mapping[date, str]:
    """Return the public holidays of a country ("DE") or subdivision ("DE-BY") as date → name; "" = none.

    Raises ValueError for a region that does not exist.
    """
    if not region:
        return {}
    country, _, subdivision = region.partition("-")
    try:
        found = holidays.country_holidays(country, subdiv=subdivision or None, years=range(first_year, last_year + 1))
    except NotImplementedError as error:
        raise ValueError(f"no holidays are known for {region}") from error
    return dict(found.items())
