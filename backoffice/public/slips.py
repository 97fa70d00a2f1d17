"""A day that has moved, behind the order's secret link: what its customer may choose, and what they chose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from backoffice.public.catalogue import Picture
from backoffice.public.money import Money
from backoffice.public.orders import Cause


@dataclass(frozen=True, slots=True)
class SlipLine:
    """A line that comes later than promised, as it was told. expected_on: None while nobody knows a day."""

    name: str
    quantity: int
    promised_on: date
    expected_on: date | None
    cause: Cause | None


@dataclass(frozen=True, slots=True)
class SlipPart:
    """What would arrive together if the order were parted by day. on: None while nobody knows."""

    on: date | None
    goods: Sequence[tuple[str, int]]  # name, quantity


@dataclass(frozen=True, slots=True)
class SlipOption:
    """Something else instead of a line: it never costs more. id: what to choose it by; it holds what was shown.

    instead_of: the line's name; refund: what goes back, None where it costs the same; sooner: it arrives earlier than the line.
    """

    id: str
    instead_of: str
    sku: str
    slug: str | None
    name: str
    options: str
    picture: Picture | None
    quantity: int
    price: Money
    arrives_on: date
    refund: Money | None
    sooner: bool


@dataclass(frozen=True, slots=True)
class SlipView:
    """A slip. state: open | accepted | parted | substituted | cancelled | replaced | over.

    number, order_state: of its order. parts, options: empty unless there is such a choice; cancel_refund: what goes back if
    all is cancelled, None where it is too late for that. item, refund: of what was chosen. newer_id: the slip that asks
    instead of this one. charge: as of its order (OrderView).
    """

    id: int
    state: str
    number: str
    order_state: str
    email: str
    told_at: datetime
    lines: Sequence[SlipLine]
    parts: Sequence[SlipPart] = ()
    options: Sequence[SlipOption] = ()
    cancel_refund: Money | None = None
    chosen_at: datetime | None = None
    item: str = ""
    refund: Money | None = None
    newer_id: int | None = None
    charge: str = ""


class SlipDoor(Protocol):
    """Read a slip by its order's secret token, and choose."""

    def get(self, token: str, slip_id: int, *, now: datetime) -> SlipView:
        """Return a slip with what may be chosen now; changes nothing. Raises NotFound(unknown_order | unknown_slip)."""
        ...

    def choose(self, token: str, slip_id: int, choice: str, option: str, *, now: datetime) -> None:
        """Do what was chosen: accept | part | substitute (with the option's id) | cancel. The same choice twice is one.

        Raises NotFound(unknown_order | unknown_slip), BadInput(invalid_form, choice), Refused(already_chosen | newer_day |
        too_late_to_choose | nothing_to_part | offer_changed | too_late_to_swap | too_late_to_cancel); nothing has
        changed then.
        """
        ...
