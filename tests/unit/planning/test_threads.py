"""Several threads of a web process may ask one factory at once: each gets the answer that it would get alone."""

from __future__ import annotations

import sys
import threading
from datetime import UTC, datetime

import pytest

from backoffice.planning import Calendar, Factory, Item, Operation, Plan, WorkCentre

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
QUANTITIES = (1, 50, 200, 700, 1500)  # the larger, the further the calendar is folded


def factory() -> Factory:
    """One machine, eight hours a day, one hour a piece."""
    plant = Calendar("Europe/Berlin", {weekday: [(360, 840)] for weekday in range(5)}, {})
    routings = {"A": [Operation("W", 0, 60)]}
    return Factory({"c": plant}, [Item("A", "make")], {}, routings, [WorkCentre("W", "c")], timezone="Europe/Berlin")


def ask(shared: Factory) -> tuple[datetime | None, ...]:
    """Ask for every quantity on a plan of one's own."""
    return tuple(Plan(shared, NOW, [], []).quote("A", quantity).ready_at for quantity in QUANTITIES)


@pytest.fixture
def hasty_threads():
    """Let the interpreter change threads as often as it can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_a_factory_may_be_asked_by_many_threads_at_once(hasty_threads: None) -> None:
    alone = ask(factory())
    for _ in range(20):
        shared, gate, said = factory(), threading.Barrier(6), []

        def run(shared: Factory = shared, gate: threading.Barrier = gate, said: list = said) -> None:
            gate.wait()
            said.append(ask(shared))

        threads = [threading.Thread(target=run) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert said == [alone] * 6
