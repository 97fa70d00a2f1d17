"""The words beside a price: which tax is in it, or still to come, by the country of whoever buys.

Words alone: prices are as they are. A country that nobody has looked up gets neutral words.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from babel.numbers import format_percent

from storefront.phrases import N_, _, locale

VAT = N_("incl. VAT")
GST = N_("incl. GST")
NEUTRAL = N_("incl. taxes")
# what the tax is called on receipts there stands beside it, where readers look for it
WORDS: Mapping[str, str] = {
    **dict.fromkeys("BE BG CY CZ DE DK EE ES FI GR HR HU IE IT LT LV MT NL PL PT RO SE SI SK".split(), VAT),  # noqa: SIM905 - one line one can read
    **dict.fromkeys("GB IS IM NO TR UA RS BA ME MK AL ZA AE SA KR".split(), VAT),  # noqa: SIM905 - one line one can read
    "AT": N_("incl. VAT (USt.)"),
    "CH": N_("incl. VAT (MWST)"),
    "LI": N_("incl. VAT (MWST)"),
    "FR": N_("incl. VAT (TTC)"),
    "LU": N_("incl. VAT (TTC)"),
    "MC": N_("incl. VAT (TTC)"),
    **dict.fromkeys(("AU", "IN", "NZ", "SG"), GST),
    "JP": N_("incl. consumption tax"),
    "US": N_("plus sales tax"),
    "CA": N_("plus sales tax"),
}


def tax_words(country: str) -> str:
    """Return the words for prices to a buyer in `country` (ISO 3166), in the reader's language."""
    return _(WORDS.get(country.upper(), NEUTRAL))


def percent_of(rate_bp: int) -> str:
    """Return a rate of tax as its reader writes it: 19 %, 25,5 %."""
    return str(format_percent(Decimal(rate_bp) / 10_000, "#,##0.## %", locale()))
