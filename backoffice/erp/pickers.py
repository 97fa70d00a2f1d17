"""Whose a parcel is while it is picked: one person's, known by their number, until it is packed or a colleague goes on with it.

Who picked nothing for LEASE has gone home, or their scanner is broken: anybody in the warehouse may go on then. Before that a
colleague has to say that they asked. Two people may have one name, so the name is for showing only; a row of before, or a step
by somebody without a log-in, has no number and goes by the name.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from backoffice import events
from backoffice.erp import models as t
from backoffice.public.errors import NotFound, Refused

LEASE = timedelta(minutes=30)
NOBODY: dict[str, Any] = {"picker": "", "picker_id": None, "picking_since_at": None, "last_step_at": None}


def begun(actor: str, staff_id: int | None, *, now: datetime) -> dict[str, Any]:
    """Return the columns of a parcel that this picker has from now on."""
    return {"picker": actor, "picker_id": staff_id, "picking_since_at": now, "last_step_at": now}


def has(row: t.Shipment | t.Wave, actor: str, staff_id: int | None) -> bool:
    """Tell whether a parcel or a wave is this picker's."""
    return row.picker == actor if row.picker_id is None else row.picker_id == staff_id


def go_on(shipment: t.Shipment, actor: str, staff_id: int | None, *, now: datetime) -> None:
    """Note one more step of a parcel's picker. Raises Refused(taken, who)."""
    if not has(shipment, actor, staff_id):
        raise Refused("taken", who=shipment.picker)
    shipment.picker_id, shipment.last_step_at = staff_id, now


def let_go(shipment: t.Shipment) -> None:
    """Make a parcel nobody's."""
    for name, value in NOBODY.items():
        setattr(shipment, name, value)


def give(session: Session, shipment: t.Shipment, actor: str, staff_id: int | None, *, now: datetime) -> None:
    """Make a parcel in hand somebody else's: what was picked stays picked. Whoever calls has locked it."""
    was = shipment.picker
    for name, value in begun(actor, staff_id, now=now).items():
        setattr(shipment, name, value)
    shipment.version += 1
    session.flush()
    events.publish(session, events.PickingTakenOver(shipment.order_ref, now, actor, was))


def is_at_it(shipment: t.Shipment, *, now: datetime) -> bool:
    """Tell whether a parcel's picker did something with it within the lease; of rows of before nobody knows."""
    return shipment.last_step_at is not None and now - shipment.last_step_at < LEASE


def take_over(
    session: Session, shipment_id: int, *, version: int, sure: bool = False, actor: str, staff_id: int | None, now: datetime
) -> None:
    """Go on with a parcel that a colleague has in hand.

    version: of the parcel as it was seen: of two who take it over one gets it. sure: they asked a colleague who is still at it.
    Raises NotFound(unknown_shipment), Refused(wrong_state), Refused(taken | still_at_it, who).
    """
    shipment = session.get(t.Shipment, shipment_id, populate_existing=True, with_for_update=True)
    if shipment is None:
        raise NotFound("unknown_shipment")
    if shipment.state != "picking":
        raise Refused("wrong_state", state=shipment.state)
    if has(shipment, actor, staff_id):
        return
    if shipment.version != version:
        raise Refused("taken", who=shipment.picker)
    if is_at_it(shipment, now=now) and not sure:
        raise Refused("still_at_it", who=shipment.picker)
    give(session, shipment, actor, staff_id, now=now)
