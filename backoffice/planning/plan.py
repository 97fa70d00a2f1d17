"""The plan: what is free and what is booked at an instant, and the questions that may be asked of it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from heapq import heapify, heappop, heappush
from zoneinfo import ZoneInfo

from backoffice.planning.answer import lots_of, outcome_of
from backoffice.planning.atp import THERE, Lot, Pool
from backoffice.planning.calendars import HORIZON_DAYS
from backoffice.planning.capacity import Centre
from backoffice.planning.explode import BlockedError, Need, Search, SellFrom
from backoffice.planning.instants import DAY, local_same_clock, micros, moment
from backoffice.planning.model import Booking, Factory, Item, Number, Supply
from backoffice.planning.outcome import Link, Make, Outcome, Peg, Slot, Surplus

__all__ = ["Link", "Make", "Outcome", "Peg", "Plan", "SellFrom", "Slot", "Surplus"]


class _Pools(dict[Hashable, Pool]):
    """The free supplies by item, each put in order when it is first looked at."""

    def __init__(self, factory: Factory, supplies: Mapping[Hashable, Iterable[Lot]]) -> None:
        """Begin without any pool; `supplies` may still be filled."""
        super().__init__()
        self._factory = factory
        self._supplies = supplies

    def __missing__(self, key: Hashable) -> Pool:
        """Build the pool of an item; an item nobody knows has no supplies and no safety stock."""
        item = self._factory.item_by.get(key)
        pool = self[key] = Pool(self._supplies.get(key, ()), item.safety_stock if item else 0)
        return pool


class Plan:
    """Answers questions at the instant `now`; committed answers stay in it, quotes leave no trace.

    Not for several threads at once, as quotes reserve and undo. Source: forward earliest-feasible promising
    over what is committed, see `explode` for the rule.
    """

    def __init__(self, factory: Factory, now: datetime, supplies: Iterable[Supply], bookings: Iterable[Booking]) -> None:
        """Take what is free and what is booked. Receipts past due at `now` are no supply, past bookings no load."""
        self.factory = factory
        self.now = now
        self._now = micros(now)
        self._limit = self._now + HORIZON_DAYS * DAY
        self._supplies: dict[Hashable, list[Lot]] = {}
        self._pools = _Pools(factory, self._supplies)
        self._centres: dict[Hashable, Centre] = {}
        self._arrivals: dict[Hashable, int | None] = {}
        self._commits = 0
        self._numbers = 0
        self._due: list[tuple[int, int, Hashable, Lot]] = []  # what `advance` has to date anew or to forget
        self._bookings: dict[Hashable, list[tuple[int, int, int]]] = {}
        for number, supply in enumerate(supplies):
            self._admit(supply, number)
            self._numbers = number
        heapify(self._due)
        for booking in bookings:
            end = micros(booking.ends_at)
            if end > self._now:
                start = max(self._now, micros(booking.starts_at))
                self._bookings.setdefault(booking.work_centre, []).append((booking.lane, start, end))

    def quote(self, item: Hashable, quantity: Number, *, sell_from: SellFrom = "production") -> Outcome:
        """Return the earliest outcome for `quantity` (> 0, else ValueError) of `item`, and leave no trace.

        sell_from limits the asked item only: stock; incoming = stock and receipts; production = also make and buy.
        """
        search = self._search()
        try:
            return outcome_of(search, _ask(search, item, quantity, sell_from))
        except BlockedError as error:
            return _refusal(item, quantity, error)
        finally:
            search.undo()

    def commit(self, item: Hashable, quantity: Number, *, sell_from: SellFrom = "production") -> Outcome:
        """Answer like `quote` and keep pegs and slots; what lots yield beyond the need becomes free."""
        search = self._search()
        try:
            need = _ask(search, item, quantity, sell_from)
            outcome = outcome_of(search, need)
        except BlockedError as error:
            search.undo()
            return _refusal(item, quantity, error)
        except BaseException:
            search.undo()
            raise
        self._keep_surpluses(search, need)
        for key in search.drawn:
            self._pools[key].prune()
        self._commits += 1
        return outcome

    def advance(self, now: datetime) -> None:
        """Move the plan on to `now`: receipts past due by then are no supply any more, as in a plan built then.

        Raises ValueError if `now` lies before the plan's.
        """
        instant = micros(now)
        if instant < self._now:
            raise ValueError("a plan does not go back in time")
        self.now, self._now, self._limit = now, instant, instant + HORIZON_DAYS * DAY
        self._arrivals.clear()
        arrived: list[tuple[int, int, Hashable, Lot]] = []
        while self._due and self._due[0][0] <= instant:
            arrived.append(heappop(self._due))
        for at, number, item, lot in arrived:
            if lot.kind == "receipt" and at < instant:
                lot.free = 0
                continue
            lot.date(THERE, number)
            if item in self._pools:
                self._pools[item].sort()
            if lot.kind == "receipt":
                heappush(self._due, (at, number, item, lot))

    def most(self, item: Hashable) -> Number:
        """Return how much of `item` may be promised from stock and receipts alone, at whatever instant."""
        return self._pools[item].total()

    def digest(self) -> str:
        """Return a SHA-256 over everything free and booked: equal plans have equal digests."""
        state = sha256()
        for key in sorted({*self._supplies, *self._pools}, key=repr):
            pool = self._pools[key]
            lots = [(max(lot.at, self._now), lot.kind, lot.key, str(lot.free)) for lot in pool.lots if lot.free]
            if lots:
                state.update(repr((key, str(pool.safety), lots)).encode())
        for key in sorted({*self._bookings, *self._centres}, key=repr):
            busy = self._centre(key).busy(self._now) if key in self.factory.centre_by else []
            if any(busy):
                state.update(repr((key, busy)).encode())
        return state.hexdigest()

    def _keep_surpluses(self, search: Search, need: Need) -> None:
        """Turn what the lots and purchases of an answer yield beyond their needs into receipts of the plan."""
        numbers = {id(made): number for number, made in enumerate(lots_of(need)[0])} if search.surpluses else {}
        for pool, lot in search.surpluses:
            pool.drop(lot)
            item = lot.key
            self._numbers += 1
            key = Surplus(self._commits, item, numbers[id(lot.made)] if lot.made else None)
            kept = Lot(lot.at, lot.free, "receipt", key, self._numbers)
            pool.add(kept)
            heappush(self._due, (max(lot.at, self._now), self._numbers, item, kept))

    def _search(self) -> Search:
        return Search(self.factory, self._now, self._limit, self._pools, self._centre, self._arrival)

    def _admit(self, supply: Supply, number: int) -> None:
        at = micros(supply.available_at)
        if supply.quantity <= 0 or (supply.kind == "receipt" and at < self._now):
            return
        lot = Lot(at if at > self._now else THERE, supply.quantity, supply.kind, supply.key, number)
        self._supplies.setdefault(supply.item, []).append(lot)
        if supply.kind == "receipt" or at > self._now:
            self._due.append((at, number, supply.item, lot))

    def _centre(self, key: Hashable) -> Centre:
        centre = self._centres.get(key)
        if centre is None:
            work_centre = self.factory.centre_by[key]
            frozen = micros(work_centre.frozen_until) if work_centre.frozen_until else self._now
            centre = Centre(self.factory.axis(key, self._now), work_centre.lanes, max(frozen, self._now))
            centre.load(self._bookings.get(key, ()))
            self._centres[key] = centre
        return centre

    def _arrival(self, item: Item) -> int | None:
        """Return when a purchase of `item` ordered now is there; None if its calendar never opens that often."""
        if item.key not in self._arrivals:
            self._arrivals[item.key] = self._work_out_arrival(item)
        return self._arrivals[item.key]

    def _work_out_arrival(self, item: Item) -> int | None:
        if item.lead_days > HORIZON_DAYS:
            return self._limit + 1
        if item.lead_calendar is None:
            zone = ZoneInfo(self.factory.timezone)
            day = moment(self._now).astimezone(zone).date() + timedelta(days=item.lead_days)
            return max(self._now, local_same_clock(self.now, day, zone))
        calendar = self.factory.calendars[item.lead_calendar]
        arrival = calendar.add_open_days(self.now.astimezone(calendar.zone).date(), item.lead_days)
        return None if arrival is None else max(self._now, local_same_clock(self.now, arrival, calendar.zone))


def _ask(search: Search, item: Hashable, quantity: Number, sell_from: SellFrom) -> Need:
    if quantity <= 0:
        raise ValueError("quantity must be above 0")
    need = search.obtain(item, quantity, sell_from)
    search.refit(need, need.ready)
    return need


def _refusal(item: Hashable, quantity: Number, error: BlockedError) -> Outcome:
    return Outcome(item, quantity, None, "none", (), (), (), error.reason, error.where)
