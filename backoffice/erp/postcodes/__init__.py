"""Postcodes: which shapes exist in a country, and which prefixes lie in which subdivision.

Facts only. How many days a parcel takes to a prefix is the company's choice: it makes ShippingZone rows from these.
A country that is not listed here has no shape that we could check: any non-empty code passes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from backoffice.erp.postcodes import at, de, us

_SHAPES = {
    "AT": re.compile(r"[1-9][0-9]{3}"),
    "DE": re.compile(r"[0-9]{5}"),
    "US": re.compile(r"[0-9]{5}(-[0-9]{4})?"),
}

SUBDIVISIONS: Mapping[str, Mapping[str, str]] = {"AT": at.PREFIXES, "DE": de.PREFIXES, "US": us.PREFIXES}
"""Country → postcode prefix → ISO 3166-2 subdivision without the country; the longest matching prefix counts."""


def validate(country: str, postcode: str) -> bool:
    """Tell whether `postcode` has its country's shape (DE 5 digits, AT 4 digits, US ZIP or ZIP+4)."""
    shape = _SHAPES.get(country)
    if shape is None:
        return bool(postcode.strip())
    return shape.fullmatch(postcode) is not None
