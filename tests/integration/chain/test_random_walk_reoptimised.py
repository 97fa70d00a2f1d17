"""The random walk with a worker that re-optimises all the time: all figures agree, nobody ever waits longer for it."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm.models import OrderLine
from backoffice.erp import cancelling, counting, offers, reoptimising
from backoffice.erp import models as t
from backoffice.optimiser import process
from backoffice.optimiser.problem import Answer, Problem
from tests.integration.chain.test_random_walk import Walk, in_lots, what_is_wrong


class Reoptimised(Walk):
    """A walk on which work is put into a better order now and then, now and then while something else happens."""

    def __init__(self, workshop: Any, seed: int) -> None:
        super().__init__(workshop, seed)
        self.before: dict[int, tuple[Any, Any]] = {}  # what was told when the search ended
        self.actions |= {self.reoptimise: 14, self.cancel: 6, self.stop: 4, self.end_stop: 6, self.wait: 4, self.buy: 30}

    def reoptimise(self) -> None:
        """Re-optimise; what was told when the search ended, before anything is taken over, is what is compared with."""
        self.before = self.told()
        report = reoptimising.reoptimise(self.workshop.db, seconds=60, clock=lambda: self.workshop.now, solve=self.solve)
        self.said["ended", report.ending] += 1
        assert report.ending in ("applied", "nothing_better", "plan_moved"), report
        if report.ending == "plan_moved":
            return
        before, after = self.before, self.told()
        assert before.keys() == after.keys()
        assert [key for key in before if after[key] > before[key]] == []
        assert (before != after) == (report.ending == "applied" and report.minutes_saved > 0), report
        with self.workshop.db.read() as session:
            assert told_wrong(session) == []

    def buy(self) -> None:
        """Buy tables: the plan is to be full."""
        self.workshop.buy(TABLE=self.random.randint(1, 3))

    def wait_days(self) -> None:
        """Hear of every payment first: who paid days ago is a story of its own."""
        self.poll()
        super().wait_days()

    def cancel(self) -> None:
        """Take an order back: it leaves a hole."""
        order = self.one_of(self.workshop.orders())
        self.workshop.db.run(lambda session: cancelling.cancel(session, order.number, now=self.workshop.now))

    def solve(self, problem: Problem, seconds: float) -> Answer:
        """Search; one time in five something happens meanwhile."""
        answer = process.solve(problem, seconds)
        if self.random.random() < 0.2:
            self.attempt(self.random.choice([self.add, self.sweep, self.stop, self.finish]))
            self.before = self.told()  # a stop moves days by itself
        return answer

    def told(self) -> dict[int, tuple[Any, Any]]:
        """Return of each placed order's lines when they are ready and expected."""
        with self.workshop.db.read() as session:
            rows = session.execute(
                sa.select(t.Reservation.id, t.Reservation.ready_at, OrderLine.expected_on)
                .join(OrderLine, OrderLine.reservation_id == t.Reservation.id)
                .where(t.Reservation.state == "converted")
            )
            return {key: (ready_at, expected_on) for key, ready_at, expected_on in rows}


def told_wrong(session: Session) -> list[str]:
    """Return the placed orders whose steps have a gap or end elsewhere, after their work has moved."""
    found = []
    moved = {move["production_order"] for row in session.scalars(sa.select(t.Resequencing)) for move in row.moves}
    made_for = sa.select(t.ProductionOrder.reservation_id).where(
        t.ProductionOrder.id.in_(sorted(moved)), t.ProductionOrder.state == "planned"
    )
    rows = session.scalars(sa.select(t.Reservation).where(t.Reservation.state == "converted", t.Reservation.id.in_(made_for)))
    for row in rows:
        steps = row.chain
        if any(one["ends_at"] != after["starts_at"] for one, after in pairwise(steps)):
            found.append(f"reservation {row.id}: its steps have a gap")
        if steps and steps[-1]["ends_at"] != row.ready_at.isoformat():
            found.append(f"reservation {row.id}: its steps end {steps[-1]['ends_at']}, it is ready {row.ready_at.isoformat()}")
    return found


def walk(workshop: Any, seed: int, steps: int) -> Reoptimised:
    """Walk and look; there are parts for many tables, odd seeds make and buy in lots."""
    for sku in ("LEG", "BOARD"):
        [item] = workshop.rows(t.Item, sku=sku)
        workshop.do(counting.count_stock, item.id, 1, 400, ref=f"many:{sku}")
    if seed % 2:
        workshop.db.run(in_lots)
    one = Reoptimised(workshop, seed)
    one.run(steps)
    offers.freshen(workshop.db, now=workshop.now)
    with workshop.db.read() as session:
        assert what_is_wrong(session) == []
    return one


@pytest.fixture(autouse=True)
def _near(monkeypatch: pytest.MonkeyPatch) -> None:
    """Move what begins in ten minutes too, so that there is more to move."""
    monkeypatch.setattr(reoptimising, "FROZEN", timedelta(minutes=10))


@pytest.mark.parametrize("seed", [203])
def test_a_random_walk(workshop, seed):
    walk(workshop, seed, 100)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200, 212))
def test_a_longer_random_walk(workshop, seed):
    walk(workshop, seed, 250)
