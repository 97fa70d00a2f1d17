"""What can be had by an asked day: how many of a thing, and what else may stand in for it. Leaves no trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from backoffice.erp import factory as masters
from backoffice.erp import models as t
from backoffice.erp import promising, shipping, snapshot, sources, substituting
from backoffice.planning.shipping import Shipping, ship
from backoffice.public.errors import BadInput, Refused
from backoffice.public.promise import Promise

LOOKED_AT = 10  # stand-ins that are tried: each is a question to the plan


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and where it goes. own: the cart whose holds do not compete; service: how it is sent, "" the usual way."""

    country: str
    postcode: str | None
    own: str | None = None
    service: str = ""


def most(session: Session, item: t.Item, quantity: int, asker: Asker, *, by: date, now: datetime) -> int:
    """Return the largest part of `quantity` that arrives by a day, 0 if none; by bisection, as more never comes sooner."""
    master = masters.load(session, now=now)
    sell_from = sources.policy(item)

    def way(warehouse_id: int | None) -> Shipping:
        place = {"country": asker.country, "postcode": asker.postcode}
        return shipping.destination(session, master, **place, warehouse_id=warehouse_id, service=asker.service, now=now).shipping

    works = snapshot.load(session, [item.id], now=now, own=asker.own, sell_from=sell_from)
    shelves = sources.stocked(session, [item.id], now=now, own=asker.own)
    plans = [(works, sell_from, way(None)), *((shelf, "stock", way(one)) for one, shelf in shelves.items())]

    def is_in_time(pieces: int) -> bool:
        for standing, of, road in plans:
            ready_at = standing.quote(item.id, pieces, sell_from=of).ready_at
            shipped = None if ready_at is None else ship(max(ready_at, now), road)
            if shipped is not None and shipped.deliver_on <= by:
                return True
        return False

    low, high = 0, quantity
    while low < high:
        middle = (low + high + 1) // 2
        if is_in_time(middle):
            low = middle
        else:
            high = middle - 1
    return low


def instead(
    session: Session, item: t.Item, quantity: int, asker: Asker, *, by: date | None, now: datetime
) -> Sequence[tuple[t.Item, Promise]]:
    """Return at most three items that may stand in for another and arrive by a day (None: on any), by priority."""
    found: list[tuple[t.Item, Promise]] = []
    for other in substituting.candidates(session, item.id, currency=item.currency)[:LOOKED_AT]:
        try:
            promise = promising.quote(
                session,
                other,
                quantity,
                country=asker.country,
                postcode=asker.postcode,
                own=asker.own,
                service=asker.service,
                now=now,
            )
        except (Refused, BadInput):
            continue
        if by is None or promise.deliver_on <= by:
            found.append((other, promise))
        if len(found) == substituting.MOST:
            break
    return found
