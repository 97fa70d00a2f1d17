"""Withdrawing from a contract behind an order's secret link, within the legal period and without a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from backoffice.public.money import Money
from backoffice.public.orders import NOBODY_KNOWN, Reader


@dataclass(frozen=True, slots=True)
class WithdrawalLine:
    """What of an order line may be taken back. exempt: "" | made_for_you | perishable | sealed: why the law lets nobody."""

    id: int
    name: str
    options: str
    left: int
    unit_price: Money
    exempt: str
    leaves: bool  # the whole of it can still be taken out: nobody has begun to pack it


@dataclass(frozen=True, slots=True)
class WithdrawalView:
    """An order as far as it can be withdrawn from. until: the last day, None before all of it has arrived."""

    order: str
    name: str
    email: str
    is_open: bool
    until: date | None
    lines: Sequence[WithdrawalLine]
    send_to: Sequence[str]


class WithdrawalDoor(Protocol):
    """Withdraw from a contract."""

    def get(self, token: str, *, reader: Reader = NOBODY_KNOWN, now: datetime) -> WithdrawalView:
        """Return what may be withdrawn from; name and e-mail as `reader` may read them. Raises NotFound(unknown_order)."""
        ...

    def withdraw(self, token: str, lines: Mapping[int, int], *, key: str, now: datetime) -> None:
        """Take lines back (id → pieces) and confirm it by mail; the same `key` twice is once.

        Raises NotFound(unknown_order), Refused(withdrawal_over), BadInput(invalid_form, lines → bad_quantity),
        Refused(form_reused) if that key took back something else.
        """
        ...
