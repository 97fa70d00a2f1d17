"""Instants: what has happened does not lie ahead."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from backoffice.audit import AuditEntry
from backoffice.crm.models import Activity, Order
from backoffice.erp.models import StockMovement
from backoffice.payments.models import Payment
from backoffice.verify.rule import Query, Rule

AHEAD = timedelta(minutes=5)  # that clocks may differ


def _to_come() -> Query:
    """Return what is written down as having happened, at an instant that is yet to come."""
    happened: dict[str, tuple[Any, Any]] = {
        "order": (Order.id, Order.placed_at),
        "payment": (Payment.id, Payment.opened_at),
        "movement": (StockMovement.id, StockMovement.at),
        "entry": (Activity.id, Activity.at),
        "change": (AuditEntry.id, AuditEntry.at),
    }
    some = [
        sa.select(sa.literal(what).label("what"), key.label("id"), at.label("at")).where(at > sa.bindparam("now"))
        for what, (key, at) in happened.items()
    ]
    every = sa.union_all(*some).subquery()
    return sa.select(every.c.what, every.c.id, every.c.at).order_by(every.c.what, every.c.id)


RULES = (Rule("I17", "{what} {id} happened at {at:%Y-%m-%d %H:%M:%S}, which is yet to come", _to_come(), -AHEAD),)
