"""Postcodes: which prefixes lie in which subdivision. What a code looks like stands in `public.addresses`.

Facts only. How many days a parcel takes to a prefix is the company's choice: it makes ShippingZone rows from these.
"""

from __future__ import annotations

from collections.abc import Mapping

from backoffice.erp.postcodes import at, de, us

SUBDIVISIONS: Mapping[str, Mapping[str, str]] = {"AT": at.PREFIXES, "DE": de.PREFIXES, "US": us.PREFIXES}
"""Country → postcode prefix → ISO 3166-2 subdivision without the country; the longest matching prefix counts."""
