"""The plan: what is free and what is booked at an instant, and the questions that may be asked of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from heapq import heapify, heappop, heappush
from typing import Literal
from zoneinfo import ZoneInfo

from backoffice.planning.answer import lots_of, outcome_of
from backoffice.planning.asking import Answer, ask
from backoffice.planning.atp import THERE, Lot, Pool
from backoffice.planning.backward import DatedSearch
from backoffice.planning.calendars import HORIZON_DAYS
from backoffice.planning.capacity import Booked, Centre, Span
from backoffice.planning.claims import Claims
from backoffice.planning.explode import SellFrom
from backoffice.planning.fresh import FreshPool
from backoffice.planning.instants import DAY, local_same_clock, micros, moment
from backoffice.planning.model import Booking, Claim, Factory, Item, Number, Supplier, Supply
from backoffice.planning.needs import Need
from backoffice.planning.outcome import Link, Make, Outcome, Peg, Slot, Surplus
from backoffice.planning.reserving import State
from backoffice.planning.through import blown_through

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
        lots = self._supplies.get(key, ())
        kind = FreshPool if any(lot.expires for lot in lots) else Pool
        pool = self[key] = kind(lots, item.safety_stock if item else 0)
        return pool


_NEVER = date.max.toordinal()

YieldKind = Literal["make", "buy"]
ShipsOn = Callable[[datetime], date | None]
"""The day on which goods ready at an instant leave; None: never."""


class Plan:
    """Answers questions at the instant `now`; committed answers stay in it, quotes leave no trace.

    Not for several threads at once, as quotes reserve and undo. Source: forward earliest-feasible promising
    over what is committed, see `explode` for the rule.
    """

    def __init__(
        self,
        factory: Factory,
        now: datetime,
        supplies: Iterable[Supply],
        bookings: Iterable[Booking],
        ships_on: ShipsOn | None = None,
        *,
        booked: Mapping[Hashable, Booked] | None = None,
        claims: Iterable[Claim] = (),
        flat: bool = False,
    ) -> None:
        """Take what is free and what is booked. Receipts past due at `now` are no supply, past bookings no load.

        booked: work centre → all that is booked there, made ready before, on an axis that holds `now`.
        ships_on: for goods that expire; default: the day they are ready, in the factory's zone; `self.ships_on` may be
        changed between questions. claims: what was given before of goods that expire, and may be moved: `Outcome.moved`.
        flat: answers name no kits and phantoms, see `through`.
        """
        self.factory = factory
        self.now = now
        self._now = micros(now)
        self._limit = self._now + HORIZON_DAYS * DAY
        self._supplies: dict[Hashable, list[Lot]] = {}
        self._pools = _Pools(factory, self._supplies)
        self._centres: dict[Hashable, Centre] = {}
        self._arrivals: dict[Hashable, int | None] = {}
        self._commits = 0
        self.yielded_more = False  # whether a committed answer left a receipt behind: a lot or a purchase beyond its need
        self._flat = flat
        self._zone = ZoneInfo(factory.timezone)
        self.ships_on = ships_on
        self._perishable = False
        self._kept: list[Answer] = []  # of a plan in which goods expire: a later answer may move the pegs of these
        self._numbers = 0
        self._due: list[tuple[int, int, Hashable, Lot]] = []  # what `advance` has to date anew or to forget
        self._booked = booked or {}
        self._bookings: dict[Hashable, list[Span]] = {}
        for number, supply in enumerate(supplies):
            self._admit(supply, number)
            self._numbers = number
        self._claims = Claims(self._now)
        self._claims.admit(claims, self._supplies, self._pools, self._admit_taken)
        heapify(self._due)
        for booking in bookings:
            end = micros(booking.ends_at)
            if end > self._now:
                start = max(self._now, micros(booking.starts_at))
                self._bookings.setdefault(booking.work_centre, []).append((booking.lane, start, end))

    def quote(
        self,
        item: Hashable,
        quantity: Number,
        *,
        sell_from: SellFrom = "production",
        due: datetime | None = None,
        partial: bool = False,
    ) -> Outcome:
        """Return the earliest outcome for `quantity` (> 0, else ValueError) of `item`, and leave no trace.

        sell_from limits the asked item only: stock; incoming = stock and receipts; production = also make and buy.
        due: as late as possible but ready by then; if that cannot be, the earliest. partial: what can be in time (by `due`,
        or now), the rest in further parts, each at its earliest; from production.
        """
        search = self._search()
        try:
            answer = self._ask(search, item, quantity, sell_from, due, partial)
            return self._told(outcome_of(search, answer, item, quantity))
        finally:
            search.undo()

    def commit(
        self,
        item: Hashable,
        quantity: Number,
        *,
        sell_from: SellFrom = "production",
        due: datetime | None = None,
        partial: bool = False,
        yields: Collection[YieldKind] = ("make", "buy"),
    ) -> Outcome:
        """Answer like `quote` and keep pegs and slots; what lots (make) and purchases (buy) yield beyond the need becomes free.

        yields: of which of them; what others yield is nobody's.
        """
        search = self._search()
        try:
            answer = self._ask(search, item, quantity, sell_from, due, partial)
            outcome = self._told(outcome_of(search, answer, item, quantity))
        except BaseException:
            search.undo()
            raise
        if answer.needs:
            self._keep_surpluses(search, answer.whole(self._now), yields)
            for key in search.drawn:
                self._pools[key].prune()
            self._commits += 1
            self._claims.keep()
        if self._perishable:
            self._kept.append(answer)
        return outcome

    def review(self, number: int, outcome: Outcome) -> Outcome:
        """Return the outcome of the `number`-th commit (from 0) as it stands now: pegs of what expires may have moved."""
        if not self._perishable or not self._kept[number].needs:
            return outcome
        for need in self._kept[number].needs:
            need.resettle(self._now)
        return outcome_of(self._search(), self._kept[number], outcome.item, outcome.quantity)

    def _told(self, outcome: Outcome) -> Outcome:
        if self._flat:
            outcome = blown_through(outcome, lambda item: self.factory.item_by[item].through)
        moved = self._claims.moved()
        return replace(outcome, moved=moved) if moved else outcome

    def _ask(
        self, search: DatedSearch, item: Hashable, quantity: Number, sell_from: SellFrom, due: datetime | None, partial: bool
    ) -> Answer:
        by = None if due is None else micros(due)
        return ask(search, item, quantity, sell_from=sell_from, due=by, partial=partial)

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
        for key in sorted({*self._bookings, *self._booked, *self._centres}, key=repr):
            busy = self._centre(key).busy(self._now) if key in self.factory.centre_by else []
            if any(busy):
                state.update(repr((key, busy)).encode())
        return state.hexdigest()

    def _keep_surpluses(self, search: DatedSearch, need: Need, yields: Collection[YieldKind]) -> None:
        """Turn what the lots and purchases of an answer yield beyond their needs into receipts of the plan."""
        numbers = {id(made): number for number, made in enumerate(lots_of(need)[0])} if search.surpluses else {}
        self.yielded_more = self.yielded_more or bool(search.surpluses)
        for pool, lot in search.surpluses:
            pool.drop(lot)
            if ("make" if lot.made else "buy") not in yields:
                continue
            item = lot.key
            self._numbers += 1
            key = Surplus(self._commits, item, numbers[id(lot.made)] if lot.made else None)
            kept = Lot(lot.at, lot.free, "receipt", key, self._numbers)
            pool.add(kept)
            heappush(self._due, (max(lot.at, self._now), self._numbers, item, kept))

    def _search(self) -> DatedSearch:
        # a state of its own for each question: one that the plan kept would refer back to it, and only a look for garbage would
        # find plans that nobody needs any more
        return DatedSearch(
            State(
                self.factory,
                self._now,
                self._limit,
                self._pools,
                self._centre,
                self._arrival,
                self._arrival_by,
                self._perishable,
                self._used_day,
                self._ship_day,
            )
        )

    def _local_day(self, at: datetime) -> date:
        return at.astimezone(self._zone).date()

    def _used_day(self, instant: int) -> int:
        return self._local_day(moment(instant)).toordinal() if self._perishable else 0

    def _ship_day(self, instant: int) -> int:
        if not self._perishable:
            return 0
        at = moment(instant)
        day = self.ships_on(at) if self.ships_on else self._local_day(at)
        return _NEVER if day is None else day.toordinal()

    def _admit_taken(self, supply: Supply) -> Lot | None:
        """Take a supply of which nothing is free: somebody else has it."""
        self._numbers += 1
        return self._admit(replace(supply, quantity=0), self._numbers, taken=True)

    def _admit(self, supply: Supply, number: int, *, taken: bool = False) -> Lot | None:
        at = micros(supply.available_at)
        if (supply.quantity <= 0 and not taken) or (supply.kind == "receipt" and at < self._now):
            return None
        expires = supply.expires_on.toordinal() if supply.expires_on else 0
        self._perishable = self._perishable or expires > 0
        lot = Lot(at if at > self._now else THERE, supply.quantity, supply.kind, supply.key, number, None, expires)
        self._supplies.setdefault(supply.item, []).append(lot)
        if supply.kind == "receipt" or at > self._now:
            self._due.append((at, number, supply.item, lot))
        return lot

    def _centre(self, key: Hashable) -> Centre:
        centre = self._centres.get(key)
        if centre is None:
            work_centre = self.factory.centre_by[key]
            frozen = micros(work_centre.frozen_until) if work_centre.frozen_until else self._now
            frozen = max(frozen, self._now)
            if key in self._booked:
                centre = self._booked[key].open(frozen)
            else:
                centre = Centre(self.factory.axis(key, self._now), work_centre.lanes, frozen)
                centre.load(self._bookings.get(key, ()))
            self._centres[key] = centre
        return centre

    def _arrival(self, item: Item | Supplier) -> int | None:
        """Return when a purchase of `item` ordered now is there; None if its calendar never opens that often."""
        key = (item.lead_days, item.lead_calendar)
        if key not in self._arrivals:
            self._arrivals[key] = self._work_out_arrival(item)
        return self._arrivals[key]

    def _work_out_arrival(self, item: Item | Supplier) -> int | None:
        if item.lead_days > HORIZON_DAYS:
            return self._limit + 1
        if item.lead_calendar is None:
            day = self._local_day(self.now) + timedelta(days=item.lead_days)
            return max(self._now, local_same_clock(self.now, day, self._zone))
        calendar = self.factory.calendars[item.lead_calendar]
        arrival = calendar.add_open_days(self.now.astimezone(calendar.zone).date(), item.lead_days)
        return None if arrival is None else max(self._now, local_same_clock(self.now, arrival, calendar.zone))

    def _arrival_by(self, item: Item | Supplier, by: int) -> int | None:
        """Return the latest arrival, at or before `by`, of a purchase ordered now or later; None if there is none.

        With a calendar it comes on an open day: if that of `by` is closed, on the last one before, at that time of day.
        """
        earliest = self._arrival(item)
        if earliest is None or earliest > by:
            return None
        if item.lead_calendar is None or item.lead_days == 0:
            return by
        calendar = self.factory.calendars[item.lead_calendar]
        wanted = moment(by)
        day = wanted.astimezone(calendar.zone).date()
        while not calendar.is_open_day(day):
            day -= timedelta(days=1)
        return max(earliest, min(by, local_same_clock(wanted, day, calendar.zone)))
