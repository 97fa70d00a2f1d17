"""R12: stock snapshots that are stale, older, partial and absurd, while orders are bought, handed over, shipped and cancelled.

After each snapshot that was believed, what is on hand here is compared with what lies on the shelf in truth: the double's books
less the parcels that left and that it has not booked. Never more; and the same as soon as no answer is missing.
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from backoffice import verify
from backoffice.bridge.models import OutboxMessage
from backoffice.bridge.outside import figures
from backoffice.erp import fulfilment, stock_snapshots
from backoffice.erp import models as t
from backoffice.erp.stock_snapshots import Line, Snapshot
from backoffice.payments import cancelling
from backoffice.public.errors import Refused
from tests.faults.hand_off import Hall
from tests.invariants import breaches

MAX_AGE = timedelta(minutes=15)


class Walk:
    """One walk. counts: how often what was done; wrong: what must not be."""

    def __init__(self, hall: Hall, seed: int) -> None:
        self.hall, self.draw = hall, random.Random(seed)  # noqa: S311 - a walk, no secret
        self.counts, self.wrong = Counter[str](), list[str]()
        self.shipped: dict[tuple[str, int], int] = {}  # order, sequence of its message → pieces that left
        hall.pull()

    def go(self, steps: int) -> None:
        """Walk."""
        deeds = [self.buy, self.carry, self.ship, self.cancel, self.pull, self.older, self.absurd, self.find]
        for step in range(steps):
            self.hall.clock.advance(seconds=self.draw.randrange(1, 90))
            self.hall.shop.now = self.hall.clock()
            deed = self.draw.choices(deeds, (6, 4, 4, 1, 5, 2, 1, 2))[0]
            before = len(self.wrong)
            deed()
            self.counts[deed.__name__] += 1
            if len(self.wrong) > before:
                self.wrong[-1] = f"step {step}, {deed.__name__}: {self.wrong[-1]}"
        self.settle()

    def buy(self) -> None:
        """Buy one or two, where the shop sells any."""
        try:
            self.hall.shop.buy(STOOL=self.draw.randrange(1, 3))
        except Refused:
            self.counts["sold out"] += 1

    def carry(self) -> None:
        """Let the worker carry once round: some of it is lost, and waits."""
        self.hall.worker.turn()

    def ship(self) -> None:
        """Send the oldest parcel that may leave."""
        shop = self.hall.shop
        ready = shop.rows(t.Shipment, state="to_pick")
        if not ready:
            return
        [line] = shop.rows(t.ShipmentLine, shipment_id=ready[0].id)
        shop.do(fulfilment.start, ready[0].id)
        shop.do(fulfilment.pick, ready[0].id, "STOOL", line.quantity)
        shop.do(fulfilment.pack, ready[0].id)
        shop.do(fulfilment.ship, ready[0].id, tracking="JD")
        [message] = shop.rows(OutboxMessage, target="erp", kind="shipped", aggregate=f"order:{ready[0].order_ref}")
        self.shipped[ready[0].order_ref, message.sequence] = line.quantity

    def cancel(self) -> None:
        """Take back an order that has not left."""
        shop = self.hall.shop
        open_ones = shop.rows(t.Shipment, state="to_pick")
        if open_ones:
            how: dict[str, Any] = {"by": "customer", "now": shop.now}
            number = self.draw.choice(open_ones).order_ref
            shop.db.run(lambda session: cancelling.cancel(session, number, **how))

    def find(self) -> None:
        """Somebody finds, or misses, pieces on the shelf, and books it in the ERP."""
        self.hall.erp.on_hand["STOOL"] = max(1, self.hall.erp.on_hand["STOOL"] + self.draw.randrange(-3, 6))

    def pull(self) -> None:
        """Read a snapshot and compare."""
        row = self.hall.pull()
        if row is not None and row.state == "applied":
            self._compare()

    def older(self) -> None:
        """One that was overtaken comes in: nothing changes."""
        last = self._last()
        said = Snapshot(max(1, last.sequence - 1), "full", None, last.as_of - timedelta(seconds=1), [Line("STOOL", 999)])
        self._refused(said, "refused")

    def absurd(self) -> None:
        """One without anything comes in: a person must look, and says no."""
        last = self._last()
        self.hall.erp.sequence += 1
        said = Snapshot(self.hall.erp.sequence, "full", None, last.as_of + timedelta(seconds=1), [])
        row = self._refused(said, "quarantined")
        if row is not None:
            who = {"by": "ada", "role": "admin"}
            self.hall.shop.db.run(lambda session: stock_snapshots.decline(session, row.id, now=self.hall.clock(), **who))

    def settle(self) -> None:
        """Let all be handed over, then read twice: the figures are those of the shelf."""
        self.hall.erp.faults = self.hall.erp.faults._replace(busy=0.0, lost=0.0, late=0.0)
        self.hall.drain()
        for _ in range(2):
            self.hall.clock.advance(seconds=60)
            self.hall.shop.now = self.hall.clock()
            self.hall.pull()
        here, there = self.hall.shop.stock("STOOL")[0], self._truth()
        if here != there:
            self.wrong.append(f"in the end {here} on hand, {there} on the shelf")
        with self.hall.shop.db.read() as session:
            self.wrong += breaches(session)
            self.wrong += [line for line in verify.breaches(session, now=self.hall.clock()) if line[:2] in ("I1", "I2", "I8")]

    def _refused(self, said: Snapshot, state: str) -> t.StockSnapshot | None:
        shop, now = self.hall.shop, self.hall.clock()
        before = shop.stock("STOOL")

        def take(session: Any) -> t.StockSnapshot | None:
            gone = figures.unbooked(session, said.as_of)
            return stock_snapshots.receive(session, said, unbooked=gone, max_age=MAX_AGE, now=now)

        row: t.StockSnapshot | None = shop.db.run(take)
        if (row is not None and row.state != state) or shop.stock("STOOL") != before:
            self.wrong.append(f"{said.kind} {said.sequence} was {row.state if row else 'known'}: {before}")
        return row

    def _compare(self) -> None:
        here, there = self.hall.shop.stock("STOOL")[0], self._truth()
        closed = sum(one.picked for parcel in self.hall.shop.rows(t.Shipment, state="packed") for one in self._lines(parcel))
        if here > max(there, closed):
            self.wrong.append(f"{here} on hand, {there} on the shelf")
        self.counts["exact" if here == max(there, 0) else "fewer"] += 1

    def _lines(self, parcel: t.Shipment) -> list[t.ShipmentLine]:
        return self.hall.shop.rows(t.ShipmentLine, shipment_id=parcel.id)

    def _truth(self) -> int:
        told = self.hall.erp.told()
        gone = sum(pieces for (number, sequence), pieces in self.shipped.items() if sequence not in told.get(number, []))
        return self.hall.erp.on_hand["STOOL"] - gone

    def _last(self) -> t.OutsideStock:
        with self.hall.shop.db.read() as session:
            return session.scalars(sa.select(t.OutsideStock)).one()
