"""Classes of customers, for whom a quantity may be kept. Who is not known is retail."""

from __future__ import annotations

from collections.abc import Iterable

RETAIL = "retail"
CUSTOMER_CLASSES = (RETAIL, "trade", "key")


def one_of(column: str, words: Iterable[str]) -> str:
    """Return the condition of a constraint: the column holds one of these words."""
    return f"{column} IN ({', '.join(repr(word) for word in words)})"
