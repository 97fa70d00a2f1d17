"""From ready to delivered: cut-offs, holidays, days in the zone of their place."""

from __future__ import annotations

import csv
import os
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from backoffice.planning import Calendar, Shipping, ship
from tests.unit.planning.models import berlin

WEEK = {day: [(0, 1440)] for day in range(5)}


def calendar(timezone: str, *holidays: str) -> Calendar:
    return Calendar(timezone, WEEK, {date.fromisoformat(day): () for day in holidays})


US = calendar("America/New_York", "2026-11-26", "2026-12-25", "2026-01-01")
DE = calendar("Europe/Berlin", "2026-01-01", "2026-04-03", "2026-04-06")
DE_BY = calendar("Europe/Berlin", "2026-01-01", "2026-01-06", "2026-04-03", "2026-04-06")
CALENDARS = {"US": US, "DE": DE, "DE-BE": DE, "DE-BY": DE_BY}

# ready (UTC), calendar, cut-off hour, transit days, ship day, delivery day. Source: worked shipping calendar.
WORKED = {
    "13:59 local, before the cut-off; Thanksgiving is no transit day": (
        "2026-11-24T18:59",
        US,
        14,
        2,
        "2026-11-24",
        "2026-11-27",
    ),
    "exactly at the cut-off counts as after": ("2026-11-24T19:00", US, 14, 2, "2026-11-25", "2026-11-30"),
    "Friday 14:30 local": ("2026-03-06T19:30", US, 15, 1, "2026-03-06", "2026-03-09"),
    "Maundy Thursday after the cut-off; Good Friday and Easter Monday closed": (
        "2026-04-02T15:00",
        DE,
        16,
        1,
        "2026-04-07",
        "2026-04-08",
    ),
    "Epiphany in Bavaria": ("2026-01-05T12:00", DE_BY, 16, 1, "2026-01-05", "2026-01-07"),
    "no Epiphany in Berlin": ("2026-01-05T12:00", DE, 16, 1, "2026-01-05", "2026-01-06"),
}


def judge(ready_at: datetime, shipping: Shipping) -> tuple[date, date]:
    """Return ship and delivery day, having checked that the links lead there without a gap."""
    shipped = ship(ready_at, shipping)
    assert shipped is not None
    assert shipped.links[0].starts_at == ready_at
    for before, after in pairwise(shipped.links):
        assert before.ends_at == after.starts_at
    assert all(link.starts_at <= link.ends_at for link in shipped.links)
    leaving = next(link for link in shipped.links if link.kind == "ship")
    assert leaving.starts_at.astimezone(shipping.warehouse.zone).date() == shipped.ship_on
    there = (shipping.delivery or shipping.carrier).zone
    assert shipped.links[-1].ends_at.astimezone(there).date() == shipped.deliver_on
    return shipped.ship_on, shipped.deliver_on


@pytest.mark.parametrize("case", WORKED.values(), ids=WORKED)
def test_worked_cases(case: tuple) -> None:
    ready, days, hour, transit, ship_on, deliver_on = case
    shipping = Shipping(days.timezone, 0, hour * 60, days, transit, days)
    found = judge(datetime.fromisoformat(ready).replace(tzinfo=UTC), shipping)
    assert found == (date.fromisoformat(ship_on), date.fromisoformat(deliver_on))


def test_the_folder_of_worked_cases() -> None:
    folder = os.environ.get("SHOPFLOOR_CASES")
    if not folder:
        pytest.skip("SHOPFLOOR_CASES is not set: the folder of worked cases is not read")
    rows = list(csv.DictReader(Path(folder, "shipping_calendar.csv").read_text().splitlines()))
    assert rows
    for row in rows:
        days = CALENDARS[row["holidays"]]
        cutoff = int(row["cutoff_local"][:2]) * 60 + int(row["cutoff_local"][3:])
        shipping = Shipping(row["warehouse_tz"], 0, cutoff, days, int(row["transit_business_days"]), days)
        found = judge(datetime.fromisoformat(row["order_utc"]), shipping)
        assert [day.isoformat() for day in found] == [row["ship_date"], row["delivery_date"]], row["id"]


def test_pick_and_pack_take_open_warehouse_days_and_keep_the_time_of_day() -> None:
    # Source of the first: a worked shipment schedule. Wednesday + 2 + 2 days is Tuesday; one day's transit: Wednesday.
    shipping = Shipping("Europe/Berlin", 4, 1440, DE, 1, DE)
    assert judge(berlin("2013-08-28 09:00"), shipping) == (date(2013, 9, 3), date(2013, 9, 4))
    # Packed on Friday at 15:00, after the cut-off at 14:00: leaves on Monday.
    late = Shipping("Europe/Berlin", 1, 840, DE, 0, DE)
    assert judge(berlin("2026-11-26 15:00"), late) == (date(2026, 11, 30), date(2026, 11, 30))
    assert judge(berlin("2026-11-26 13:59"), late) == (date(2026, 11, 27), date(2026, 11, 27))


def test_ready_on_a_closed_day_leaves_on_the_next_open_one_whatever_the_hour() -> None:
    shipping = Shipping("Europe/Berlin", 0, 840, DE, 1, DE)
    assert judge(berlin("2026-11-28 20:00"), shipping) == (date(2026, 11, 30), date(2026, 12, 1))


def test_the_customer_takes_goods_on_their_own_days() -> None:
    saturdays = Calendar("Europe/Berlin", {5: [(480, 720)]})
    shipping = Shipping("Europe/Berlin", 0, 840, DE, 1, DE, saturdays)
    assert judge(berlin("2026-11-24 09:00"), shipping) == (date(2026, 11, 24), date(2026, 11, 28))


def test_days_are_dates_in_the_zone_of_their_place() -> None:
    # 23:30 UTC is already Wednesday in Berlin.
    shipping = Shipping("Europe/Berlin", 0, 840, DE, 1, DE)
    assert judge(datetime(2026, 11, 24, 23, 30, tzinfo=UTC), shipping) == (date(2026, 11, 25), date(2026, 11, 26))


@pytest.mark.parametrize("closed", ["warehouse", "carrier", "delivery"])
def test_a_calendar_that_never_opens_ships_nothing(closed: str) -> None:
    calendars = {"warehouse": DE, "carrier": DE, "delivery": DE, closed: Calendar("Europe/Berlin", {})}
    shipping = Shipping("Europe/Berlin", 0, 840, transit_days=1, **calendars)
    assert ship(berlin("2026-11-24 09:00"), shipping) is None
