"""How many decimals a currency has here, and as the payment provider writes it: an amount means the same on both sides.

Method: here it is Babel's number (CLDR). Stripe's is from its page "Supported currencies": two decimals, none for those of
NO_DECIMALS, and two that are always 00 for the special cases of WHOLE_UNITS. Currencies of three decimals must end in 0 there,
which no price of ours is held to; for a few more the two sources differ without a word. Those are not sold in.
"""

from __future__ import annotations

from babel.numbers import get_currency_precision

NO_DECIMALS = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())  # noqa: SIM905 - one line one can read
WHOLE_UNITS = frozenset({"ISK", "UGX"})  # 5 krónur are 5 here, and 500 there


def provider_factor(currency: str) -> int:
    """Return by how much an amount in our smallest unit is multiplied to be the provider's."""
    return 100 if currency in WHOLE_UNITS else 1


def is_sure(currency: str) -> bool:
    """Tell whether an amount in this currency means the same here and at the payment provider."""
    return get_currency_precision(currency) == (0 if currency in NO_DECIMALS | WHOLE_UNITS else 2)
