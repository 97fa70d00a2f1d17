"""The next weeks' work in a better order: who gains gains by the minute, nobody loses, and what goes wrong changes nothing."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from sqlalchemy.orm import Session

from backoffice import bootstrap
from backoffice.bridge.models import OutboxMessage
from backoffice.bridge.worker import Job, Worker
from backoffice.cli import main
from backoffice.config import Settings
from backoffice.db import Database
from backoffice.erp import cancelling, counting, holds, plan, production, reoptimising, retelling
from backoffice.erp import models as t
from backoffice.erp.reoptimising import Report
from backoffice.optimiser import process
from backoffice.optimiser.problem import Answer, Problem
from backoffice.optimiser.window import Layout
from backoffice.web import logs
from tests.company import BERLIN, at
from tests.integration.chain.conftest import Workshop

SECONDS = 60  # a limit for a busy machine; what is asked here is proven in well under one


def fill(workshop: Workshop, tables: int) -> list[Any]:
    """Have parts for many tables, and sell some of them one by one, the sixth time two: so there is one best order."""
    for sku in ("LEG", "BOARD"):
        [item] = workshop.rows(t.Item, sku=sku)
        workshop.do(counting.count_stock, item.id, 1, 400, ref=f"count:{sku}")
    return [workshop.buy(TABLE=2 if number == 5 else 1) for number in range(tables)]


def cancel(workshop: Workshop, order: Any) -> None:
    workshop.db.run(lambda session: cancelling.cancel(session, order.number, now=workshop.now))


def reoptimise(workshop: Workshop, **options: Any) -> Report:
    return reoptimising.reoptimise(workshop.db, **{"seconds": SECONDS, "clock": lambda: workshop.now} | options)


def assembly(workshop: Workshop) -> list[tuple[str, str, str]]:
    """Return what assembly does, in order: production order, start and end in Berlin."""
    [centre] = workshop.rows(t.WorkCentre, code="ASSEMBLY")
    numbers = {order.id: order.number for order in workshop.rows(t.ProductionOrder)}
    slots = sorted(workshop.rows(t.OperationSlot, work_centre_id=centre.id), key=lambda slot: slot.starts_at)
    return [(numbers[slot.production_order_id], *(_clock(one) for one in (slot.starts_at, slot.ends_at))) for slot in slots]


def _clock(instant: Any) -> str:
    return str(instant.astimezone(BERLIN).strftime("%a %H:%M"))


def everything(workshop: Workshop) -> dict[str, list[Any]]:
    """Return every row that the re-optimiser might touch, and the plan's version."""
    tables = (t.PlanDomain, t.Resequencing, t.OperationSlot, t.ProductionOrder, t.Peg, t.Reservation, t.Shipment, t.Offer)
    with workshop.db.read() as session:
        found = {table.__tablename__: [tuple(row) for row in session.execute(sa.select(table.__table__))] for table in tables}
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


# Assembly takes 90 minutes for a table, 150 for two, and works from 06:00 to 14:00. It is 09:00 on Tuesday.
BEFORE = [
    ("Tue 09:30", "Tue 11:00"),
    ("Tue 11:00", "Tue 12:30"),
    ("Tue 12:30", "Tue 14:00"),
    ("Wed 06:00", "Wed 07:30"),
    ("Wed 07:30", "Wed 09:00"),
    ("Wed 09:00", "Wed 11:30"),
]


def test_the_place_of_a_cancelled_order_is_filled_by_those_behind_it(workshop: Workshop) -> None:
    orders = fill(workshop, 6)
    assert [times for _, *times in assembly(workshop)] == [list(times) for times in BEFORE]
    cancel(workshop, orders[3])
    with workshop.db.read() as session:
        version = plan.version(session)
    report = reoptimise(workshop)
    assert report == Report("applied", 2, orders_earlier=2, minutes_saved=180, late_minutes_saved=0, proven=True)
    assert [times for _, *times in assembly(workshop)] == [*map(list, BEFORE[:4]), ["Wed 07:30", "Wed 10:00"]]
    [row] = workshop.rows(t.Resequencing)
    assert (row.at, row.plan_version, row.orders_earlier, row.minutes_saved) == (workshop.now, version + 1, 2, 180)
    assert [(move["before"][1:], move["after"][1:]) for move in row.moves] == [
        ([at(25, 7, 30).isoformat(), at(25, 9).isoformat()], [at(25, 6).isoformat(), at(25, 7, 30).isoformat()]),
        ([at(25, 9).isoformat(), at(25, 11, 30).isoformat()], [at(25, 7, 30).isoformat(), at(25, 10).isoformat()]),
    ]


def test_all_that_depends_on_a_moved_order_has_its_new_date(workshop: Workshop) -> None:
    orders = fill(workshop, 5)
    cancel(workshop, orders[3])
    reoptimise(workshop)
    [reservation] = workshop.rows(t.Reservation, order_ref=orders[4].number)
    assert reservation.ready_at == at(25, 7, 30)
    table = next(
        one for one in workshop.rows(t.ProductionOrder, reservation_id=reservation.id) if one.item_id == reservation.item_id
    )
    assert (table.starts_at, table.ready_at) == (at(25, 6), at(25, 7, 30))
    [peg] = workshop.rows(t.Peg, supply_order_id=table.id)
    assert peg.available_at == at(25, 7, 30)


def test_the_steps_of_a_moved_promise_still_lead_to_it_without_a_gap(workshop: Workshop) -> None:
    orders = fill(workshop, 5)
    cancel(workshop, orders[3])
    [before] = workshop.rows(t.Reservation, order_ref=orders[4].number)
    reoptimise(workshop)
    [after] = workshop.rows(t.Reservation, order_ref=orders[4].number)
    told = [(step["kind"], step["details"].get("work_centre"), step["details"].get("cause")) for step in after.chain]
    # the top is sawn from 11:00 to 11:30, as it was; assembly is busy until 14:00 and opens again at 06:00
    assert told == [
        ("stock", None, None),
        ("wait", "Saw", "busy"),
        ("operation", "Saw", None),
        ("wait", "Assembly", "busy"),
        ("operation", "Assembly", None),
    ]
    assert [step["starts_at"] for step in after.chain[1:]] == [step["ends_at"] for step in after.chain[:-1]]
    assert after.chain[-1]["ends_at"] == after.ready_at.isoformat() == at(25, 7, 30).isoformat()
    assert after.chain[:3] == before.chain[:3]


def test_told_again_an_untouched_promise_has_the_steps_that_it_was_sold_with(workshop: Workshop) -> None:
    """Bought, received, made, kept as surplus: what the engine said when each was sold is what the rows still say."""
    workshop.buy(TABLE=2)
    workshop.buy(TABLE=4)  # legs are still to be bought
    workshop.buy(LAMP=2)
    with workshop.db.read() as session:
        for reservation in session.scalars(sa.select(t.Reservation).order_by(t.Reservation.id)):
            assert retelling.retell(session, reservation, now=workshop.now) == reservation.chain


def test_who_was_late_hears_of_the_earlier_day_and_the_promise_stays(workshop: Workshop) -> None:
    """Assembly breaks for a week and is mended behind the desk's back: nobody but the re-optimiser moves the work back."""
    orders = fill(workshop, 6)
    [centre] = workshop.rows(t.WorkCentre, code="ASSEMBLY")
    stop = workshop.do(production.stop, centre.id, at(25, 0), at(2, 0, month=12), reason="broken")

    def mend(session: Session) -> None:  # at the desk, ending a stop brings late orders forward by itself
        session.delete(session.get_one(t.WorkCentreStop, stop.id))
        plan.bump(session, master=True)

    workshop.db.run(mend)
    [before] = workshop.rows(t.Shipment, order_ref=orders[5].number)
    assert (before.promised_on, before.expected_on) == (at(26, 12).date(), at(3, 12, month=12).date())
    report = reoptimise(workshop)
    assert (report.ending, report.orders_earlier, report.proven) == ("applied", 3, True)
    assert [times for _, *times in assembly(workshop)] == [list(times) for times in BEFORE]
    [after] = workshop.rows(t.Shipment, order_ref=orders[5].number)
    assert (after.promised_on, after.expected_on, after.ship_by_on) == (at(26, 12).date(), at(26, 12).date(), at(25, 12).date())
    mails = [mail for mail in _mails(workshop) if mail.kind == "day_moved"]
    assert len([mail for mail in mails if mail.aggregate == f"order:{orders[5].number}"]) == 2  # away, and back again
    assert mails[-1].payload["cause"]["code"] == "planned_again"


def _mails(workshop: Workshop) -> list[Any]:
    return workshop.rows(OutboxMessage)


def test_on_time_orders_come_earlier_in_silence(workshop: Workshop) -> None:
    orders = fill(workshop, 6)
    cancel(workshop, orders[3])
    mails = len(_mails(workshop))
    assert reoptimise(workshop).ending == "applied"
    assert len(_mails(workshop)) == mails


def test_what_begins_soon_stays(workshop: Workshop) -> None:
    orders = fill(workshop, 6)
    cancel(workshop, orders[2])  # its place, today at 12:30, is too near to be filled before 13:00
    assert reoptimise(workshop).minutes_saved == 3 * 60
    assert [times for _, *times in assembly(workshop)] == [
        *map(list, BEFORE[:2]),
        ["Tue 13:00", "Wed 06:30"],
        ["Wed 06:30", "Wed 08:00"],
        ["Wed 08:00", "Wed 10:30"],
    ]


def test_what_is_kept_for_a_cart_stays(workshop: Workshop) -> None:
    orders = fill(workshop, 4)
    workshop.cart(TABLE=1)
    cancel(workshop, orders[3])
    untouched = everything(workshop)
    assert reoptimise(workshop) == Report("nothing_better", 0, proven=True)
    assert everything(workshop) == untouched


def test_a_better_order_is_not_looked_for_where_there_is_nothing_to_gain(workshop: Workshop) -> None:
    fill(workshop, 6)
    untouched = everything(workshop)
    assert reoptimise(workshop) == Report("nothing_better", 3, proven=True)
    assert everything(workshop) == untouched


def test_only_looking_changes_nothing(workshop: Workshop) -> None:
    orders = fill(workshop, 6)
    cancel(workshop, orders[3])
    untouched = everything(workshop)
    report = reoptimise(workshop, apply=False)
    assert (report.ending, report.orders_earlier, report.minutes_saved) == ("only_looked", 2, 180)
    assert everything(workshop) == untouched


# --- what goes wrong changes nothing ---------------------------------------------------------------


@pytest.fixture
def gap(workshop: Workshop) -> Workshop:
    """The workshop with a place to fill."""
    orders = fill(workshop, 6)
    cancel(workshop, orders[3])
    return workshop


def test_an_answer_to_a_plan_that_has_moved_is_thrown_away(gap: Workshop) -> None:
    seen: dict[str, Any] = {}

    def meanwhile(problem: Problem, seconds: float) -> Answer:
        answer = process.solve(problem, seconds)
        gap.buy(TABLE=1)  # it takes the free place
        seen.update(everything(gap))
        return answer

    assert reoptimise(gap, solve=meanwhile) == Report("plan_moved", 2, why="the plan has moved meanwhile")
    assert everything(gap) == seen


def test_so_is_one_to_a_plan_that_moved_without_a_new_version(workshop: Workshop) -> None:
    orders = fill(workshop, 6)
    cancel(workshop, orders[3])
    cancel(workshop, orders[4])
    workshop.cart(TABLE=1)  # it takes the first of the two places
    seen: dict[str, Any] = {}

    def meanwhile(problem: Problem, seconds: float) -> Answer:
        answer = process.solve(problem, seconds)
        _sweep(workshop)
        seen.update(everything(workshop))
        return answer

    report = reoptimise(workshop, solve=meanwhile)
    assert (report.ending, report.why) == ("plan_moved", "what it stands on has moved meanwhile")
    assert everything(workshop) == seen


def _sweep(workshop: Workshop) -> None:
    assert workshop.db.run(lambda session: holds.sweep(session, now=workshop.now + timedelta(hours=1))) == 1


def test_an_answer_that_took_too_long_is_thrown_away(gap: Workshop) -> None:
    untouched, clock = everything(gap), iter([gap.now, gap.now + timedelta(hours=4)])
    report = reoptimise(gap, clock=lambda: next(clock))
    assert (report.ending, report.why) == ("plan_moved", "the search took too long")
    assert everything(gap) == untouched


def test_a_killed_solver_changes_nothing(gap: Workshop) -> None:
    untouched = everything(gap)

    def killed(problem: Problem, seconds: float) -> Answer:
        dies = (sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
        return process.solve(problem, seconds, command=dies)

    report = reoptimise(gap, solve=killed)
    assert (report.ending, report.why) == ("no_answer", "ended with -9: ")
    assert everything(gap) == untouched


def planted(change: Callable[[list[tuple[int, int]]], list[tuple[int, int]]]) -> Callable[[Problem, float], Answer]:
    """Return a solver with a bug: it says that today's plan, changed, is the best."""
    return lambda problem, seconds: Answer("optimal", 0, change([task.today or (0, 0) for task in problem.tasks]))


@pytest.mark.parametrize(
    ("bug", "why"),
    [
        (lambda today: [(9, start) for _, start in today], "an operation is put where it cannot be done"),
        (lambda today: [(lane, -start - 1) for lane, start in today], "an operation is put outside the window"),
    ],
)
def test_a_sequence_that_cannot_be_is_refused(gap: Workshop, bug: Any, why: str) -> None:
    untouched = everything(gap)
    assert reoptimise(gap, solve=planted(bug)) == Report("refused", 2, why=why)
    assert everything(gap) == untouched


def test_a_sequence_that_makes_somebody_wait_longer_than_they_were_told_is_refused(workshop: Workshop) -> None:
    fill(workshop, 6)
    untouched = everything(workshop)
    report = reoptimise(workshop, solve=planted(lambda today: today[::-1]))
    assert report == Report("refused", 3, why="somebody has it later than they were told")
    assert everything(workshop) == untouched


def test_an_answer_that_breaks_a_rule_of_the_engine_never_reaches_the_plan(
    gap: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even dates that come from our own code are judged: here the dating puts two tables on one lane at once."""
    untouched, dated = everything(gap), Layout.dated

    def both_at_once(self: Layout, answer: Answer) -> Any:
        places = dated(self, answer)
        return dict.fromkeys(places, min(places.values(), key=lambda place: place.starts_at))

    monkeypatch.setattr(Layout, "dated", both_at_once)
    report = reoptimise(gap)
    assert (report.ending, report.operations, "a lane does two things at once" in report.why) == ("refused", 2, True)
    assert everything(gap) == untouched


def test_the_command_says_what_it_found_and_what_became_of_it(
    gap: Workshop, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    for name, value in settings.model_dump(exclude_none=True).items():
        monkeypatch.setenv(f"SHOPFLOOR_{name.upper()}", str(value))
    monkeypatch.setattr(bootstrap.build, "__defaults__", (lambda: gap.now,))
    monkeypatch.setattr(logs, "configure", lambda *, as_json: None)
    gained = "operations that may move: 2; orders earlier: 2\nminutes saved: 180, of them after a promised day: 0\n"
    untouched = everything(gap)
    looked = CliRunner().invoke(main, ["plan", "reoptimise", "--dry-run"])
    assert (_said(looked), looked.exit_code) == (
        f"only looked\n{gained}No sequence is better.\n".splitlines(),
        0,
    )
    assert everything(gap) == untouched
    done = CliRunner().invoke(main, ["plan", "reoptimise", "--seconds", "60"])
    assert _said(done) == f"applied\n{gained}No sequence is better.\n".splitlines()
    again = CliRunner().invoke(main, ["plan", "reoptimise"])
    assert _said(again)[0] == "nothing better"


def _said(result: Result) -> list[str]:
    """Return the command's own lines; the log may stand among them, as nobody has sent it elsewhere."""
    return [line for line in result.output.splitlines() if "[shopfloor." not in line][-4:]


def test_the_worker_does_it_each_quarter_of_an_hour_unless_it_is_turned_off(gap: Workshop) -> None:
    def jobs(seconds: int) -> list[Job]:
        settings = gap.services.settings.model_copy(update={"reoptimise_seconds": seconds})
        return [job for job in bootstrap.periodic(replace(gap.services, settings=settings)) if job.name == "reoptimise"]

    assert jobs(0) == []
    [job] = jobs(60)
    assert (job.seconds, job.aside) == (900, True)
    worker = Worker(gap.db, {}, [job], name="w", clock=lambda: gap.now)
    worker.turn()
    worker.finish()
    assert [row.minutes_saved for row in gap.rows(t.Resequencing)] == [180]


@pytest.mark.postgresql
def test_who_waits_for_the_plans_row_finds_that_it_has_moved(postgres_db: Database) -> None:
    with postgres_db.write() as session:
        known = plan.bump(session)
    raised: list[bool] = []
    waiting = threading.Thread(
        target=lambda: raised.append(postgres_db.run(lambda session: plan.raise_from(session, known))), daemon=True
    )
    with postgres_db.write() as session:
        assert plan.bump(session) == known + 1  # not committed yet
        waiting.start()
        blocked = sa.text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
        with postgres_db.engine.connect() as watching:
            while not watching.execute(blocked).scalar_one():  # the test's own time limit ends this
                watching.rollback()
    waiting.join(30)
    assert raised == [False]
    with postgres_db.read() as session:
        assert plan.version(session) == known + 1
