"""Which production orders count: placed ones and those for stock always, a cart's while its hold lives."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from backoffice.erp.models import ProductionOrder, Reservation


def is_open(now: datetime) -> sa.ColumnElement[bool]:
    """Return the condition for orders still to be made; the query joins Reservation from the outside.

    Source: the same rule as the plan's, see `snapshot.ignored`.
    """
    alive = sa.or_(Reservation.state == "paying", sa.and_(Reservation.state == "held", Reservation.expires_at > now))
    return sa.or_(ProductionOrder.state == "planned", sa.and_(ProductionOrder.state == "held", alive))
