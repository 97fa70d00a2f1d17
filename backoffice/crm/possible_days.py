"""The day that could be promised for what an enquiry asks: for its score, and for the planner whom it waits for."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.orm import Session

from backoffice.erp import promising
from backoffice.erp.models import Item
from backoffice.public.errors import BadInput, ShopError


def find_day(session: Session, item: Item, quantity: int, postcode: str, *, now: datetime) -> date | None:
    """Return the day that could be promised; a postcode we do not know: for the usual place. None: there is none."""
    for place in (postcode or None, None):
        try:
            return promising.quote(session, item, quantity, country=None, postcode=place, now=now).deliver_on
        except BadInput:
            continue
        except ShopError:
            return None
    return None
