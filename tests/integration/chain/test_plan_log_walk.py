"""The random walk with an eye on the log: after each event the plan folded from it is the plan in the rows, and feasible.

Everything happens through the use cases: carts that are left, payments, cancellations, slips, short deliveries, stops and
missing shifts, counts, delays, better sequences. The fold knows the log alone; the audit begins from scratch now and then.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.erp import decisions, plan_audit, production, reoptimising, shortening, snapshot
from backoffice.erp import models as t
from backoffice.planning.folding import State, differences
from backoffice.public.errors import Refused
from tests.integration.chain.test_random_walk import in_lots, what_is_wrong
from tests.integration.chain.test_random_walk_reoptimised import Reoptimised

AUDIT_EVERY = 20


class Logged(Reoptimised):
    """A walk that folds the log as it goes."""

    def __init__(self, workshop: Any, seed: int) -> None:
        super().__init__(workshop, seed)
        self.number, self.state = 0, State()
        self.actions |= {
            self.reoptimise: 3,
            self.buy: 14,
            self.finish: 16,
            self.wait_days: 2,
            self.shorten: 3,
            self.delay: 3,
            self.begin: 2,
            self.miss_shift: 2,
            self.keep: 1,
        }

    def run(self, steps: int) -> None:
        """Take steps; after each the folded plan is the plan in the rows, after some all of it is audited."""
        names, weights = list(self.actions), list(self.actions.values())
        for _ in range(steps):
            action = self.random.choices(names, weights)[0]
            self.attempt(action)
            self.look(f"step {self.count}: {action.__name__}")
            self.count += 1
        found = plan_audit.audit(self.workshop.db, whole=True, now=self.workshop.now)
        assert (found.breaches, found.digest, found.number) == ((), self.state.digest(), self.number)

    def look(self, where: str) -> None:
        """Fold what is new."""
        with self.workshop.db.read() as session:
            row = t.PlanDecision
            for one in session.scalars(sa.select(row).where(row.number > self.number).order_by(row.number)):
                assert one.number == self.number + 1, where
                if one.number > 1:  # the first one is the company as it was opened
                    assert one.cause, where
                    assert one.at is not None, where
                self.number = one.number
                self.state.fold(one.decided)
            assert list(differences(self.state, decisions.as_rows(session))) == [], where
        self.look_twice(where)
        if self.count % AUDIT_EVERY == 0:
            found = plan_audit.audit(self.workshop.db, now=self.workshop.now)
            assert found.breaches == (), where
            assert found.digest == found.digest_of_rows == self.state.digest(), where

    def reoptimise(self) -> None:
        """Take over a better sequence; what it must keep is looked at elsewhere, here something else may happen meanwhile."""
        db, now = self.workshop.db, self.workshop.now
        report = reoptimising.reoptimise(db, seconds=60, clock=lambda: now, solve=self.solve)
        self.said["ended", report.ending] += 1
        assert report.ending in ("applied", "nothing_better", "plan_moved"), report

    def look_twice(self, where: str) -> None:
        """Let a question find the same free, whether it is asked of what is kept in memory or of the rows."""
        db, now = self.workshop.db, self.workshop.now
        owners = [one.owner_ref for one in self.workshop.rows(t.Reservation)[-2:]]
        for own in {None, *owners}:
            with db.read() as asking, db.still() as committing:
                tables = asking.scalars(sa.select(t.Item.id).where(t.Item.sku == "TABLE")).all()
                kept, read = (snapshot.load(one, tables, own=own, now=now) for one in (asking, committing))
            assert kept.digest() == read.digest(), where
            for table in tables:  # instants, pegs and the steps that explain them
                assert kept.quote(table, 3) == read.quote(table, 3), where

    def shorten(self) -> None:
        line = self.one_of(self.open_lines())
        if line.quantity < 2:
            raise Refused("nothing_there")
        quantity = self.random.randint(1, line.quantity - 1)
        now, version = self.workshop.now, line.version
        self.workshop.db.run(
            lambda session: shortening.shorten(session, line.id, quantity, version=version, by="tester", now=now)
        )

    def delay(self) -> None:
        order = self.one_of(self.workshop.rows(t.ProductionOrder, state="planned"))
        now, at = self.workshop.now, order.starts_at + timedelta(hours=self.random.randint(-5, 60))
        self.workshop.db.run(lambda session: production.delay(session, order.id, at, by="tester", now=now))

    def begin(self) -> None:
        order = self.one_of([one for one in self.workshop.rows(t.ProductionOrder, state="planned") if one.not_before_at])
        now = self.workshop.now
        self.workshop.db.run(lambda session: production.begin(session, order.id, by="tester", now=now))

    def miss_shift(self) -> None:
        centre = self.one_of(self.workshop.rows(t.WorkCentre))
        day = (self.workshop.now + timedelta(days=self.random.randint(0, 3))).date()
        self.workshop.do(production.miss_shift, centre.id, day, reason="ill")

    def keep(self) -> None:
        """Let the night come: what was audited may be forgotten later."""
        assert plan_audit.keep(self.workshop.db, now=self.workshop.now).breaches == ()


def walk(workshop: Any, seed: int, steps: int) -> None:
    """Walk, odd seeds in lots."""
    if seed % 2:
        workshop.db.run(in_lots)
    one = Logged(workshop, seed)
    one.run(steps)
    with workshop.db.read() as session:
        assert what_is_wrong(session) == []


@pytest.mark.parametrize("seed", [1])
def test_the_log_folds_to_the_plan(workshop: Any, seed: int) -> None:
    walk(workshop, seed, 150)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200, 210))
def test_the_log_folds_to_the_plan_after_ten_thousand_events(workshop: Any, seed: int) -> None:
    """Ten walks of 500 events, on each database."""
    walk(workshop, seed, 500)
