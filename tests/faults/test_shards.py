"""A small seed of each shard of `make bench-faults`; figures that are times of this machine are left to the shards themselves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults import (
    at_work,
    bank,
    baskets,
    buyers,
    clocks,
    lines,
    locked,
    lost_money,
    migrations,
    overload,
    restore,
    soak,
    upgrade,
)
from tests.faults.rows import Row

pytestmark = [pytest.mark.postgresql, pytest.mark.enable_socket]


def missed(rows: Iterator[Row], *timed: str) -> list[Row]:
    """Return the rows that missed their target. timed: how those end that say how fast this machine is."""
    return [row for row in rows if not row.met and not row.test.endswith(timed or ("no such row",))]


def test_some_buyers_and_a_kill() -> None:
    assert missed(buyers.rows("7", "16", "5", "1", "embedded", "2")) == []


def test_some_buyers_over_sqlite_beside_a_reader_and_a_kill() -> None:
    assert missed(locked.rows("1", "16", "5", "1", "2")) == []


def test_some_goods_moved_under_a_crash_and_two_kills() -> None:
    assert missed(bank.rows("240", "1", "2")) == []


def test_some_workers_pickers_and_editors_and_a_kill_of_each() -> None:
    assert missed(at_work.rows("1", "50", "none")) == []


def test_each_line_once_reset() -> None:
    assert missed(lines.rows("database:reset", "payments:reset", "mail:reset", "erp:reset")) == []


def test_some_messages_repeated() -> None:
    assert missed(lost_money.repeated("5")) == []


def test_some_who_pay_at_the_last_second() -> None:
    assert missed(lost_money.at_the_last_second("20")) == []


def test_two_minutes_without_a_message() -> None:
    assert missed(lost_money.unheard("2")) == []


def test_the_newest_migration_under_load() -> None:
    assert missed(migrations.rows("200", "1", "1"), ": stall") == []


def test_the_program_before_the_newest_migration_goes_on_beside_and_after_it() -> None:
    assert missed(upgrade.rows("1", "1"), ": stall") == []


def test_days_in_each_zone() -> None:
    assert missed(iter([clocks.days_of_the_shop()])) == []


@pytest.mark.slow  # what a killed worker was carrying waits until its lease has run out
def test_more_buyers_two_kills_and_an_erp_that_fails() -> None:
    assert missed(buyers.rows("7", "40", "10", "2")) == []


@pytest.mark.slow
def test_a_small_drill_of_the_way_back() -> None:
    assert missed(restore.rows("postgresql", "4", "4"), "time to be back") == []


def test_a_few_baskets() -> None:
    assert missed(baskets.rows("3", "16")) == []


@pytest.mark.slow
def test_a_machine_an_hour_ahead() -> None:
    clocks.needs_faketime()
    assert missed(clocks.rows("+1h")) == []


@pytest.mark.slow
def test_some_of_the_newest_migrations_under_load() -> None:
    assert missed(migrations.rows("500", "3")) == []


@pytest.mark.slow  # what the shop can answer is measured first
def test_a_short_flood() -> None:
    assert missed(overload.rows("5", "5")) == []


def test_a_few_whose_money_comes_too_late() -> None:
    assert missed(lost_money.late("8", "2")) == []


def test_an_hour_or_two_with_faults() -> None:
    assert missed(soak.rows("0.1", "3", "0.5")) == []
