"""The door: what a shop window may ask the back office, with types and errors. The only way in.

Pure protocols and values: nothing here knows a database, a framework or a clock. Every call that depends on time
takes `now` (aware, UTC). `backoffice.local` implements the door over the database, one transaction per call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from backoffice.public.accounts import AccountDoor
from backoffice.public.carts import CartDoor
from backoffice.public.cases import CaseDoor
from backoffice.public.catalogue import CatalogueDoor
from backoffice.public.checkout import CheckoutDoor
from backoffice.public.leads import LeadDoor
from backoffice.public.letters import LetterDoor, NoLetters
from backoffice.public.lost_demand import LostDemandDoor, Uncounted
from backoffice.public.money import Money
from backoffice.public.orders import OrderDoor
from backoffice.public.promise import PromiseDoor
from backoffice.public.quotations import QuotationDoor
from backoffice.public.slips import SlipDoor
from backoffice.public.visits import VisitDoor
from backoffice.public.withdrawals import WithdrawalDoor


@dataclass(frozen=True, slots=True)
class ShopProfile:
    """Who the shop is: shown in header, footer and mails."""

    name: str
    country: str
    currency: str
    timezone: str
    language: str
    email: str
    phone: str
    address: Sequence[str]
    countries: Sequence[str]  # where we deliver
    returns_days: int = 14
    vat_number: str = ""
    register_entry: str = ""
    shipping: Money | None = None  # for an order, wherever it goes; None: not known
    capture_on_shipment: bool = False  # else a customer is charged with the order
    languages: Sequence[str] = ()  # that the shop speaks beside its own; empty: all that there are words in


class ProfileDoor(Protocol):
    """Say who the shop is."""

    def get(self) -> ShopProfile:
        """Return the company's public face."""
        ...


@dataclass(frozen=True, slots=True)
class Shop:
    """All doors in one hand; given to the storefront at start-up."""

    profile: ProfileDoor
    catalogue: CatalogueDoor
    promises: PromiseDoor
    carts: CartDoor
    checkout: CheckoutDoor
    orders: OrderDoor
    leads: LeadDoor
    accounts: AccountDoor
    slips: SlipDoor
    withdrawals: WithdrawalDoor
    quotations: QuotationDoor
    visits: VisitDoor
    cases: CaseDoor
    lost_demand: LostDemandDoor = field(default_factory=Uncounted)
    letters: LetterDoor = field(default_factory=NoLetters)
