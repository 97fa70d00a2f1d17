"""What a shop window tells of what it could not sell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

Kind = Literal["viewed", "quantity", "day", "search"]


@dataclass(frozen=True, slots=True)
class LostDemand:
    """Something asked for in vain.

    kind: viewed (nothing of it can be promised) | quantity (less can be had than was asked for) | day (not by the day asked for)
    | search (nothing found). sku: of a search none; words: of a search alone. quantity: pieces that could not be had, 1 or more.
    """

    kind: Kind
    sku: str = ""
    words: str = ""
    quantity: int = 1


class LostDemandDoor(Protocol):
    """Count what is asked for in vain."""

    def note(self, lost: LostDemand, *, who: str, now: datetime) -> None:
        """Count it once for each visitor and week. Never waits for the database.

        who: what tells visitors apart, such as address and browser; it is not kept.
        """
        ...


class Uncounted:
    """Count nothing: for a shop window that stands alone."""

    def note(self, lost: LostDemand, *, who: str, now: datetime) -> None:
        """Do nothing."""
