"""What can go wrong, by the number of its attack, and the small seed of it that every run of the tests plays."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from tests.bench.faults import SHARDS
from tests.need import ROOT

SEEDS = {
    "R1": ["faults.test_shards.test_some_buyers_and_a_kill"],
    "R2": ["faults.test_shards.test_a_few_baskets"],
    "R3": ["faults.test_shards.test_some_messages_repeated"],
    "R4": ["integration.payments.test_permutations.test_all_orders_of_six_messages_have_one_end"],
    "R5": [
        "faults.test_shards.test_some_who_pay_at_the_last_second",
        "faults.test_shards.test_a_few_whose_money_comes_too_late",
    ],
    "R6": ["faults.test_shards.test_two_minutes_without_a_message"],
    "R7": [
        "faults.test_crash_points.test_an_end_here_and_there_changes_nothing_in_the_end",
        "faults.test_crash_points.test_an_end_before_stripes_answer_changes_nothing_in_the_end",
    ],
    "R8": ["faults.test_shards.test_some_goods_moved_under_a_crash_and_two_kills"],
    "R9": [
        "faults.test_shards.test_each_line_once_reset",
        "faults.test_lines.test_a_bad_line_is_an_error_soon_and_forgotten_when_it_is_good",
    ],
    "R10": ["faults.test_hand_off.test_after_an_hour_without_it_all_is_delivered_within_a_minute"],
    "R11": ["faults.test_hand_off.test_with_all_its_faults_each_order_is_there_once"],
    "R12": ["faults.test_hand_off.test_figures_are_never_more_than_lies_on_the_shelf"],
    "R13": ["faults.test_shards.test_some_workers_pickers_and_editors_and_a_kill_of_each"],
    "R14": ["faults.test_shards.test_some_buyers_over_sqlite_beside_a_reader_and_a_kill"],
    "R15": ["faults.test_full_disk.test_nothing_that_was_answered_is_lost"],
    "R16": ["faults.test_wrong_clock.test_an_hour_ahead_alone", "faults.test_shards.test_days_in_each_zone"],
    "R17": [
        "faults.test_shards.test_some_workers_pickers_and_editors_and_a_kill_of_each",
        "concurrency.test_at_the_desks.test_two_take_a_parcel_over",
    ],
    "R18": ["faults.test_shards.test_some_workers_pickers_and_editors_and_a_kill_of_each"],
    "R19": [
        "faults.test_shards.test_the_newest_migration_under_load",
        "faults.test_shards.test_the_program_before_the_newest_migration_goes_on_beside_and_after_it",
    ],
    "R20": ["faults.test_way_back.test_after_the_way_back_the_erp_has_each_order_once"],
    "R21": ["integration.web.test_units.test_nobody_notices_a_rolling_restart"],
    "R22": ["faults.test_model.test_the_shop_is_its_model"],
    "R23": ["integration.web.test_shedding.test_each_kind_is_turned_away_only_when_its_room_is_full"],
    "R24": ["faults.test_shards.test_an_hour_or_two_with_faults"],
}


def test_each_has_one() -> None:
    assert list(SEEDS) == [f"R{number}" for number in range(1, 25)]


@pytest.mark.parametrize("seed", sorted({seed for seeds in SEEDS.values() for seed in seeds}))
def test_it_is_there_and_not_left_to_the_long_run(seed: str) -> None:
    module, _, name = f"tests.{seed}".rpartition(".")
    found: Any = import_module(module)
    marks = repr([getattr(found, "pytestmark", None), getattr(getattr(found, name), "pytestmark", None)])
    assert "name='slow'" not in marks


def test_each_shard_is_named_where_they_are_described() -> None:
    text = (ROOT / "docs" / "benchmarks.md").read_text()
    ends = {name: f"`-{name.split('-', 2)[2]}`" for name in SHARDS if name.startswith("crash-")}
    ends |= {name: f"`-{name.removeprefix('money-')}`" for name in SHARDS if name.startswith("money-")}
    assert [name for name in SHARDS if ends.get(name, f"`{name}`") not in text] == []
