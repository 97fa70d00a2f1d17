"""The promise engine: calendars, available and capable to promise, shipping. Pure, standard library only."""

from backoffice.planning.atp import Ledger, ledger
from backoffice.planning.calendars import Calendar
from backoffice.planning.check import check
from backoffice.planning.model import (
    BomLine,
    Booking,
    Factory,
    Item,
    Operation,
    Stop,
    Supplier,
    Supply,
    WorkCentre,
)
from backoffice.planning.outcome import Link, Make, Outcome, Part, Peg, Slot, Surplus
from backoffice.planning.plan import Plan
from backoffice.planning.shipping import Shipped, Shipping, Window, ready_in_time, ship

__all__ = [
    "BomLine",
    "Booking",
    "Calendar",
    "Factory",
    "Item",
    "Ledger",
    "Link",
    "Make",
    "Operation",
    "Outcome",
    "Part",
    "Peg",
    "Plan",
    "Shipped",
    "Shipping",
    "Slot",
    "Stop",
    "Supplier",
    "Supply",
    "Surplus",
    "Window",
    "WorkCentre",
    "check",
    "ledger",
    "ready_in_time",
    "ship",
]
