"""The way to the place that lists, pages and answers name their days for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from backoffice.erp import factory as masters
from backoffice.erp import promising, shipping
from backoffice.erp.company import premises
from backoffice.erp.shipping import Destination
from backoffice.planning.shipping import Window, ready_in_time
from backoffice.public.catalogue import Wish
from backoffice.public.errors import BadInput


class Way:
    """The way to the place that a list names its days for. A postcode that does not exist falls back to the default place."""

    def __init__(self, session: Session, postcode: str | None, now: datetime, *, country: str | None = None) -> None:
        """Find the place; country: None is the company's own."""
        self._session, self._now = session, now
        self._master = masters.load(session, now=now)
        self._ways: dict[int | None, Destination] = {}
        self._days: dict[tuple[datetime, int | None], tuple[date, date] | None] = {}
        try:
            self.place = shipping.destination(session, self._master, country=country, postcode=postcode, now=now)
        except BadInput:
            self.place = shipping.destination(session, self._master, now=now)

    def days(self, ready_at: datetime, warehouse_id: int | None) -> tuple[date, date] | None:
        """Return (ship on, deliver on) of what is ready then and there; None if nothing ships there."""
        key = max(ready_at, self._now), warehouse_id
        if key not in self._days:
            self._days[key] = promising.day_for(key[0], self._way(warehouse_id), now=self._now)
        return self._days[key]

    def day_of(self, ready_at: datetime, warehouse_id: int | None) -> date | None:
        """Return the day on which it arrives."""
        found = self.days(ready_at, warehouse_id)
        return found[1] if found else None

    def earliest(self, ready: Iterable[tuple[datetime, int | None]]) -> date | None:
        """Return the first day on which one of these arrives."""
        return min((day for one in ready if (day := self.day_of(*one)) is not None), default=None)

    def windows(self, wish: Wish) -> Mapping[int | None, Sequence[Window]] | None:
        """Return warehouse → when goods there must become ready for the day of a wish; None where it names none."""
        if wish.arrives_by is None:
            return None
        _works, *others = premises(self._session).warehouses
        return {one: ready_in_time(wish.arrives_by, self._way(one).shipping, now=self._now) for one in (None, *others)}

    def _way(self, warehouse_id: int | None) -> Destination:
        if warehouse_id not in self._ways:
            way = shipping.from_warehouse(self._session, self._master, self.place, warehouse_id, now=self._now)
            self._ways[warehouse_id] = way
        return self._ways[warehouse_id]
