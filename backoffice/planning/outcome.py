"""The answer to "when can I have this?": the instant, what it stands on, and why not earlier."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from backoffice.planning.model import Number

Basis = Literal["stock", "receipt", "make", "buy", "mixed", "none"]
LinkKind = Literal[
    "stock",
    "receipt",
    "buy",
    "wait",
    "operation",
    "make",
    "margin",
    "pick_pack",
    "cutoff",
    "ship",
    "transit",
    "carrier_margin",
    "deliver",
]


@dataclass(frozen=True, slots=True)
class Peg:
    """A quantity of `item` set aside for a demand.

    supply: `Supply.key` of a stock or receipt, index into `Outcome.makes` of a make; of a buy the key of
    the supplier. The surplus of an
    earlier committed lot is a receipt whose key is a `Surplus`. demand: index into `Outcome.makes` of the lot
    that needs it, None for the asked item itself.
    """

    item: Hashable
    quantity: Number
    kind: Literal["stock", "receipt", "make", "buy"]
    supply: Hashable | None
    available_at: datetime
    demand: int | None


@dataclass(frozen=True, slots=True)
class Taken:
    """A quantity of a supply, as in `Peg`."""

    supply: Hashable
    kind: Literal["stock", "receipt"]
    quantity: Number
    available_at: datetime


@dataclass(frozen=True, slots=True)
class Moved:
    """What a `Claim` has to take now, instead of what it took, so that the answer can have its supplies."""

    claim: Hashable
    taken: Sequence[Taken]


@dataclass(frozen=True, slots=True)
class Surplus:
    """The key of what a committed lot or purchase yields beyond its need.

    commit: how many answers the plan had kept before that one. make: index into `makes` of its Outcome; None: a purchase.
    """

    commit: int
    item: Hashable
    make: int | None


@dataclass(frozen=True, slots=True)
class Slot:
    """An operation on a lane of a work centre; position counts the operations of the routing from 0.

    It may span closed time. Without work (zero minutes), and on a work centre with unlimited lanes, the lane is 0.
    """

    work_centre: Hashable
    lane: int
    starts_at: datetime
    ends_at: datetime
    position: int


@dataclass(frozen=True, slots=True)
class Make:
    """A lot to be made; `quantity` may exceed the need. demand: index of the lot that needs it, None if asked for."""

    item: Hashable
    quantity: Number
    starts_at: datetime
    ready_at: datetime
    slots: Sequence[Slot]
    demand: int | None


@dataclass(frozen=True, slots=True)
class Link:
    """A step of the critical chain. Links follow each other without a gap."""

    kind: LinkKind
    starts_at: datetime
    ends_at: datetime
    item: Hashable | None = None
    details: Mapping[str, Hashable] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """A quantity that comes at once."""

    quantity: Number
    ready_at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """When `quantity` of `item` can be ready, and on what that stands.

    ready_at: None if it can never be kept; then `reason` is a word for it and `blocked` the item or work centre where
    it fails. A lot stands in `makes` before the lots of its components. chain: from now to `ready_at`, what decides it.
    reasons: not_enough, unknown_item, no_bom_or_routing, lot_sizes, too_many, cyclic_bom, never_opens, beyond_horizon.
    parts: one, or several of a line that may come in parts; then what can come is kept even if the rest never can.
    moved: whose supplies it takes, of goods that expire.
    """

    item: Hashable
    quantity: Number
    ready_at: datetime | None
    basis: Basis
    pegs: Sequence[Peg]
    makes: Sequence[Make]
    chain: Sequence[Link]
    reason: str | None = None
    blocked: Hashable | None = None
    parts: Sequence[Part] = ()
    moved: Sequence[Moved] = ()
