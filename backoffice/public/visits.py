"""What a shop window notes of visits, only for those who allowed it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

Kind = Literal["page", "search", "cart", "said"]


@dataclass(frozen=True, slots=True)
class Look:
    """One look of a visitor who allowed it. kind: said = they told us who they are. about: the path, or what was searched for.

    cart, account: the browser's tokens, where it sent some. email: as typed into a form that was taken.
    """

    token: str
    kind: Kind
    about: str
    at: datetime
    cart: str = ""
    account: str = ""
    email: str = ""


class VisitDoor(Protocol):
    """Note visits."""

    def note(self, look: Look) -> None:
        """Take a look to be written down soon; never waits, never fails. What nobody allowed is not written."""
        ...

    def allow(self, *, wording: str, language: str, now: datetime) -> str:
        """Return the token of a browser whose owner allowed it in these words. Raises BadInput(invalid_form, wording)."""
        ...

    def take_back(self, token: str) -> bool:
        """Delete all that was noted of a browser; False: there was nothing, or it had been taken back before."""
        ...
