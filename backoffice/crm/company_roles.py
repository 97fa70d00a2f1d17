"""What people may do for their company: the one table of roles, and whether an order on account is taken. Pure.

Whoever has no role was never confirmed by a colleague: a company's name can be typed by anybody, so it opens nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Role:
    """prices: sees and pays the company's prices. buys: may order on account. reminded: is written to about invoices."""

    prices: bool = False
    buys: bool = False
    reminded: bool = False


ROLES: Mapping[str, Role] = {
    "": Role(),
    "buyer": Role(prices=True, buys=True),
    "approver": Role(prices=True, buys=True),
    "accounting": Role(prices=True, reminded=True),
    "other": Role(prices=True),
}
Why = Literal["", "account_paused", "over_limit"]


def why_not(*, limit_minor: int, used_minor: int, amount_minor: int, overdue: bool, pause_overdue: bool) -> Why:
    """Return why an order cannot be put on account; "": it can. What comes to the limit exactly is within it."""
    if overdue and pause_overdue:
        return "account_paused"
    return "" if used_minor + amount_minor <= limit_minor else "over_limit"


def left_minor(limit_minor: int, used_minor: int) -> int:
    """Return what may still be put on account; nothing where the limit was lowered below what is used."""
    return max(0, limit_minor - used_minor)
