"""What a model file asks: a factory, what is there, what is promised in order, and what is asked on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from backoffice.planning.model import Factory, Number, Supply
from backoffice.planning.shipping import Shipping


@dataclass(frozen=True, slots=True)
class Ask:
    """A commitment or a quote: `quantity` of `item`, ready by `due` (None: the earliest); partial: in several parts."""

    id: str
    item: str
    quantity: Number
    due: datetime | None
    partial: bool
    priority: Number = 1


@dataclass(frozen=True, slots=True)
class Buckets:
    """Rows for an available-to-promise table."""

    on_hand: Number
    supply: Sequence[Number]
    committed: Sequence[Number]


@dataclass(frozen=True, slots=True)
class Jobshop:
    """Operation k of job j runs `duration[j][k]` on machine `machine[j][k]`; the solver may take `seconds`."""

    machine: Sequence[Sequence[int]]
    duration: Sequence[Sequence[int]]
    seconds: float


@dataclass(frozen=True, slots=True)
class Model:
    """A model without faults."""

    now: datetime
    zone: ZoneInfo
    factory: Factory
    supplies: Sequence[Supply]
    shipping: Shipping | None
    commitments: Sequence[Ask]
    quotes: Sequence[Ask]
    buckets: Buckets | None
    jobshop: Jobshop | None
