"""The margin between the plan's day and the promise, so that a share of promises that the company chooses is kept.

The plan names the day if nothing goes wrong. How late things really came is learnt (`learning`) for each *source*; a source of
which too little is known has the margin of the wider one behind it:

    receipt:item:12 → receipt:supplier:3 → receipt      what is sold as it arrives
    made:item:12 | made:at:4 → made                     what is made: after the arrival it waits for, else at its last work centre

What lies on the shelf has none of these. A parcel's way has one of its own, in open days of the carrier:

    carrier:1:Parcel Post → carrier                     every parcel of a warehouse with its carrier

Each of the two keeps the company's share by itself (docs/decisions/0032).
"""

from __future__ import annotations

from collections.abc import Hashable
from datetime import date, datetime
from typing import NamedTuple, cast

from sqlalchemy.orm import Session

from backoffice.erp import models as t
from backoffice.erp.company import get_warehouse, premises
from backoffice.erp.factory import Master
from backoffice.planning import residuals
from backoffice.planning.calendars import Calendar
from backoffice.planning.outcome import Link, Outcome, Surplus


class Days(NamedTuple):
    """The day on which a parcel leaves, and the day on which it arrives."""

    ship_on: date
    deliver_on: date


def days_of(session: Session, master: Master, outcome: Outcome) -> int:
    """Return how many open days of the works are added to an answer's own day."""
    known = premises(session).margins
    return next((known[source] for source in sources_of(master, outcome) if source in known), 0) if known else 0


def sources_of(master: Master, outcome: Outcome) -> tuple[str, ...]:
    """Return what decides an answer, the narrowest source first; empty if it stands on what lies there."""
    waits_for = residuals.waited_for(outcome)
    if outcome.makes:
        return (of_made(outcome), "made")
    if waits_for is None:
        return ()
    if _comes_from_production(outcome):
        return ("made",)
    supplier = master.suppliers.get(cast(int, waits_for))
    wider = () if supplier is None else (of_supplier(supplier[0]),)
    return (of_receipt(cast(int, waits_for)), *wider, "receipt")


def of_made(outcome: Outcome) -> str:
    """Return the narrowest source of an answer that is made."""
    waits_for = residuals.waited_for(outcome)
    if waits_for is not None:
        return f"made:item:{waits_for}"
    centres = (link.details.get("work_centre") for link in reversed(outcome.chain) if link.kind == "operation")
    return f"made:at:{next(centres, 0)}"


def of_receipt(item_id: int) -> str:
    """Return the source of an item that is sold as it arrives."""
    return f"receipt:item:{item_id}"


def of_supplier(supplier_id: int) -> str:
    """Return the source of all that a supplier sends."""
    return f"receipt:supplier:{supplier_id}"


def of_carrier(warehouse_id: int, carrier: str) -> str:
    """Return the source of a warehouse's parcels with a carrier."""
    return f"carrier:{warehouse_id}:{carrier}"


def of_parcels(session: Session, warehouse: t.Warehouse) -> int:
    """Return how many open days of its carrier are added to the arrival of a warehouse's parcels."""
    known = premises(session).margins
    sources = (of_carrier(warehouse.id, warehouse.carrier), "carrier")
    return next((known[source] for source in sources if source in known), 0) if known else 0


def _comes_from_production(outcome: Outcome) -> bool:
    """Tell whether an answer waits for what a production order makes beyond its own need."""
    supply: Hashable = next((link.details.get("supply") for link in outcome.chain if link.kind == "receipt"), None)
    return isinstance(supply, Surplus) or (isinstance(supply, tuple) and supply[0] == "mo")


def works_calendar(session: Session, master: Master) -> Calendar:
    """Return the calendar whose open days margins are counted in."""
    return master.calendars[get_warehouse(session).calendar_id]


def later(session: Session, master: Master, ready_at: datetime, days: int) -> datetime:
    """Return the instant `days` open days of the works after `ready_at`: from then on a promise counts."""
    return residuals.later(ready_at, days, works_calendar(session, master)) if days else ready_at


def safe_at(session: Session, master: Master, reservation: t.Reservation) -> datetime:
    """Return the instant at which a reservation's goods are promised to be ready: the plan's, and its margin."""
    return later(session, master, reservation.ready_at, reservation.margin_days)


def links(ready_at: datetime, safe_at: datetime, days: int) -> tuple[Link, ...]:
    """Return the step of a margin; none where there is none."""
    return (Link("margin", ready_at, safe_at, None, {"days": days}),) if safe_at > ready_at else ()


def told(plan: Days, safe: Days, was: Days, promised_on: date) -> Days:
    """Return when a parcel is to leave and what its customer is told, after the plan moved.

    plan: by the plan's own day; safe: with the margin; was: as told until now. What was told stands while the plan keeps it,
    and is not further off than a promise made today: a move within the margin is nobody's news. Else it is promised anew, with
    its margin, never before the day that was promised first. Without a margin that is the plan's day.
    """
    if plan != safe and plan.deliver_on <= was.deliver_on <= max(safe.deliver_on, promised_on):
        return was
    return Days(safe.ship_on, max(safe.deliver_on, promised_on))
