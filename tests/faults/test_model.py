"""R22, small: some runs of the shop beside its model; a defect that is planted is found, and its run is shrunk."""

from __future__ import annotations

from typing import Any

import pytest

from backoffice.erp import holds
from tests.faults import model


def test_the_shop_is_its_model() -> None:
    model.run(8, 12)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_the_shop_is_its_model_for_long() -> None:
    model.run(400, 40)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_a_hold_that_outlives_its_minutes_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has died keeps its goods from others: a few steps show it."""
    monkeypatch.setattr(holds, "reclaim", lambda *_given, **_named: 0)
    with pytest.raises(AssertionError) as found:
        model.run(200, 20)
    steps = [line for line in _notes(found.value) if "state." in line and "figures_are" not in line]
    assert 3 <= len(steps) <= 8, steps


def _notes(error: Any) -> list[str]:
    return [line for note in getattr(error, "__notes__", ()) for line in note.splitlines()]
