"""What can be had by an asked day: how many of a thing, and what else may stand in for it. Leaves no trace."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from backoffice.erp import factory as masters
from backoffice.erp import models as t
from backoffice.erp import promising, shipping, snapshot, sources, substituting
from backoffice.erp.shipping import Destination
from backoffice.planning.shipping import ship
from backoffice.public.errors import BadInput, Refused
from backoffice.public.promise import Promise

LOOKED_AT = 10  # stand-ins that are tried: each is a question to the plan


def most(session: Session, item: t.Item, quantity: int, buyer: sources.Buyer, *, by: date, now: datetime) -> int:
    """Return the largest part of `quantity` that arrives by a day, 0 if none; by bisection, as more never comes sooner."""
    master = masters.load(session, now=now)
    sell_from = sources.policy(item)

    def way(warehouse_id: int | None) -> Destination:
        place = {"country": buyer.country, "postcode": buyer.postcode}
        return shipping.destination(session, master, **place, warehouse_id=warehouse_id, service=buyer.service, now=now)

    whose: sources.Asker = {"own": buyer.own, "customer_class": buyer.customer_class}
    works = snapshot.load(session, [item.id], now=now, **whose, sell_from=sell_from)
    shelves = sources.stocked(session, [item.id], now=now, **whose)
    ways = {one: way(one) for one in (None, *shelves)}
    works.ships_on = shipping.arrival(ways[None], now=now)
    for one, shelf in shelves.items():
        shelf.ships_on = shipping.arrival(ways[one], now=now)

    def is_in_time(pieces: int) -> bool:
        answers = [sources.at_works(session, master, works.quote(item.id, pieces, sell_from=sell_from), ways[None])]
        for one, shelf in shelves.items():
            answers.append(sources.Source.from_shelf(shelf.quote(item.id, pieces, sell_from="stock"), one, ways[one]))
        best = sources.first(answers, now=now)
        if best is None or best.ready_at is None:
            return False
        shipped = ship(max(best.ready_at, now), best.way.shipping)
        return shipped is not None and shipped.deliver_on <= by

    low, high = 0, quantity
    while low < high:
        middle = (low + high + 1) // 2
        if is_in_time(middle):
            low = middle
        else:
            high = middle - 1
    return low


def instead(
    session: Session, item: t.Item, quantity: int, buyer: sources.Buyer, *, by: date | None, now: datetime
) -> Sequence[tuple[t.Item, Promise]]:
    """Return at most three items that may stand in for another and arrive by a day (None: on any), by priority."""
    found: list[tuple[t.Item, Promise]] = []
    for other in substituting.candidates(session, item.id, currency=item.currency)[:LOOKED_AT]:
        try:
            promise = promising.quote(
                session,
                other,
                quantity,
                country=buyer.country,
                postcode=buyer.postcode,
                own=buyer.own,
                customer_class=buyer.customer_class,
                service=buyer.service,
                now=now,
            )
        except (Refused, BadInput):
            continue
        if by is None or promise.deliver_on <= by:
            found.append((other, promise))
        if len(found) == substituting.MOST:
            break
    return found
