"""Forecasts, worked out by hand where a pencil will do."""

from __future__ import annotations

import sys
from subprocess import run

import pytest

from backoffice.forecast.backtest import backtest, pinball
from backoffice.forecast.methods import Expected, class_of, forecast, naive, rank, tsb


@pytest.mark.parametrize(
    ("history", "kind"),
    [
        ([], "short"),
        ([3] * 5, "short"),
        ([0] * 30, "short"),
        ([3] * 6, "smooth"),
        ([3] * 23, "smooth"),
        ([3] * 24, "seasonal"),
        ([3, 0, 3, 3, 3, 0, 3, 3], "intermittent"),  # 8 ÷ 6 = 1.33 months between sales
        ([3, 0, 3, 3, 3, 3, 3], "smooth"),  # 7 ÷ 6 = 1.17
    ],
)
def test_a_series_has_a_class(history: list[int], kind: str) -> None:
    assert class_of(history) == kind


def test_tsb_lets_the_chance_of_a_sale_fade() -> None:
    # chance ½, size 3; then ¼ · 0.625, 2.5 · 0.3125 · 0.65625, 3.25
    assert tsb([0, 2, 0, 4], smoothing=0.5) == 0.65625 * 3.25
    assert tsb([4, 0, 0], smoothing=0.5) == pytest.approx((((1 / 3 + 1) / 2) / 4) * 4)
    assert tsb([0, 0]) == 0.0


def test_a_new_product_has_its_mean_and_no_interval() -> None:
    assert forecast([2, 5], 2) == [Expected(3.5, None, None)] * 2
    assert forecast([], 1) == [Expected(0.0, None, None)]


def test_what_sells_now_and_then_has_the_interval_of_its_months() -> None:
    history = [0, 0, 0, 9, 0, 0, 0, 0, 3, 0]
    (month,) = forecast(history, 1)
    assert (month.mean, month.low, month.high) == (tsb(history), 0, 3)  # the ninth of ten, in order: 3


def test_a_steady_product_stays_and_a_season_comes_back() -> None:
    for history in ([7] * 12, [7] * 30):
        assert [one.mean for one in forecast(history, 2)] == pytest.approx([7, 7], abs=0.01)
    year = [10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 40, 60]
    found = forecast([*year, *year, *year, *year[:10]], 2)
    assert [one.mean for one in found] == pytest.approx([40, 60], abs=2)
    for one in forecast([5, 9, 4, 8, 6, 7, 5, 9], 3):
        assert one.low is not None
        assert one.high is not None
        assert 0 <= one.low <= one.mean <= one.high


def test_naive_is_the_same_month_of_last_year_or_the_last_month() -> None:
    assert naive([3, 5], 2) == [Expected(5, 7, 7)] * 2  # it went up by 2 once
    year = list(range(1, 13))
    assert [one.mean for one in naive([*year, 99], 2)] == [2, 3]


def test_ranks_and_losses() -> None:
    assert (rank([5, 1, 3], 0.1), rank([5, 1, 3], 0.5), rank([5, 1, 3], 0.9)) == (1, 3, 5)
    assert pinball(10, 14, 0.9) == pytest.approx(3.6)
    assert pinball(10, 6, 0.9) == pytest.approx(0.4)


def test_the_backtest_hides_what_it_judges_by() -> None:
    (score,) = backtest([[1, 2, 1, 2, 3]], months=1, origins=1)
    # known 1 2 1 2: short, mean 1.5; real 3; naive 2; a month's change is 1
    assert (score.kind, score.products, score.mase, score.naive_mase, score.pinball) == ("short", 1, 1.5, 1.0, None)
    assert score.naive_pinball == pytest.approx((pinball(1, 3, 0.1) + pinball(3, 3, 0.9)) / 2)
    assert backtest([[5] * 9]) == []  # without one change there is no measure


def test_nobody_but_who_forecasts_waits_for_the_library() -> None:
    code = "import sys, backoffice.bootstrap, backoffice.cli; sys.exit('statsmodels' in sys.modules or 'pandas' in sys.modules)"
    assert run([sys.executable, "-c", code], check=False).returncode == 0
