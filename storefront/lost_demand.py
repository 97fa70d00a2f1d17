"""Tell the back office what was asked for in vain. A kept page tells it again for whoever else is shown it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flask import g, request

from backoffice.public import Shop
from backoffice.public.carts import Cart
from backoffice.public.lost_demand import LostDemand


def note(shop: Shop, lost: LostDemand, now: datetime) -> None:
    """Count what this request asked for in vain."""
    g.setdefault("lost_demand", []).append(lost)
    again(shop, [lost], now)


def again(shop: Shop, lost: Sequence[LostDemand], now: datetime) -> None:
    """Count the same for whoever asks now. Nothing of who it is is kept."""
    who = f"{request.remote_addr}|{request.headers.get('User-Agent', '')}"
    for one in lost:
        shop.lost_demand.note(one, who=who, now=now)


def of_this_page() -> Sequence[LostDemand]:
    """Return what was counted while this page was drawn."""
    noted: list[LostDemand] = g.get("lost_demand", [])
    return tuple(noted)


def of_day(cart: Cart) -> list[LostDemand]:
    """Return the lines of a cart that do not come by the day that it asks for."""
    return [LostDemand("day", line.sku, quantity=line.quantity) for line in cart.lines if cart.is_late(line)]
