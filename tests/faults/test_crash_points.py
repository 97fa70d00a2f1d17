"""R7: wherever a process ends, whoever tries again finds everything done, and done once."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import NOW, FixedClock, empty
from tests.faults.crash_points import differences
from tests.faults.flows import Flow
from tests.faults.parts import FLOWS, PARTS
from tests.faults.stage import Stage

by_name = pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
OURS = [flow for part, flows in PARTS.items() if not part.startswith("stripe") for flow in flows]
CALLS = {  # what was asked of Stripe, and we died before we heard the answer
    "settle at Stripe": "open_session",
    "leave unpaid at Stripe": "expire_session",
    "refund at Stripe": "refund",
    "capture at Stripe": "capture",
}


@pytest.fixture
def on_sqlite(sqlite_template: Path, tmp_path: Path, settings_for: Callable[..., Any]) -> Callable[[], Stage]:
    """Open an empty stage over SQLite."""

    def make() -> Stage:
        shutil.rmtree(tmp_path / "var", ignore_errors=True)  # the mails of the last one
        for path in tmp_path.glob("shopfloor.db*"):
            path.unlink()
        shutil.copyfile(sqlite_template, tmp_path / "shopfloor.db")
        return Stage(settings_for(f"sqlite:///{tmp_path}/shopfloor.db"), FixedClock(NOW))

    return make


@pytest.fixture
def on_postgresql(postgres_url: str, tmp_path: Path, settings_for: Callable[..., Any]) -> Callable[[], Stage]:
    """Open an empty stage over PostgreSQL."""

    def make() -> Stage:
        shutil.rmtree(tmp_path / "var", ignore_errors=True)
        empty(postgres_url)
        return Stage(settings_for(postgres_url), FixedClock(NOW))

    return make


@pytest.mark.parametrize("flow", OURS, ids=lambda flow: flow.name)
def test_an_end_here_and_there_changes_nothing_in_the_end(flow: Flow, on_sqlite: Callable[[], Stage]) -> None:
    tried, found = differences(on_sqlite, flow, every=25, first=2)
    assert (tried > 0, found) == (True, [])


@pytest.mark.parametrize("name", CALLS)
def test_an_end_before_stripes_answer_changes_nothing_in_the_end(name: str, on_sqlite: Callable[[], Stage]) -> None:
    [flow] = [one for one in FLOWS if one.name == name]
    tried, found = differences(on_sqlite, flow, at=f"after Stripe's {CALLS[name]}")
    assert (tried > 0, found) == (True, [])


@pytest.mark.slow
@by_name
def test_an_end_at_any_point_changes_nothing_in_the_end(flow: Flow, on_sqlite: Callable[[], Stage]) -> None:
    assert differences(on_sqlite, flow)[1] == []


@pytest.mark.slow
@pytest.mark.postgresql
@by_name
def test_an_end_at_any_point_changes_nothing_on_postgresql(flow: Flow, on_postgresql: Callable[[], Stage]) -> None:
    assert differences(on_postgresql, flow)[1] == []
