"""A first company of one's own: founded once, whole or not at all, and a shop that names days for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from backoffice.cli import main
from backoffice.config import Settings
from backoffice.db import Database
from backoffice.erp import models as t
from backoffice.erp.founding import Beginning, open_company
from backoffice.public.errors import BadInput, Refused

LINDNER = Beginning(
    name="Werkstatt Lindner",
    country="DE",
    currency="EUR",
    timezone="Europe/Berlin",
    language="de",
    email="hallo@lindner.test",
    address=("Hauptstr. 5", "21335 Lüneburg"),
    default_postcode="21335",
    transit_days={"DE": 2, "NL": 3},
    holidays="DE-NI",
    carrier="Paketdienst",
    opens_minute=7 * 60,
    closes_minute=15 * 60 + 30,
    cutoff_minute=13 * 60,
    shipping_minor=690,
)


def counts(db: Database) -> dict[str, int]:
    with db.read() as session:
        return {
            table.__tablename__: session.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            for table in (t.Company, t.Calendar, t.CalendarShift, t.Warehouse, t.ShippingZone, t.PlanDomain)
        }


def test_the_company_is_written_with_its_hours_its_warehouse_and_its_zones(db: Database, now: datetime) -> None:
    db.run(lambda session: open_company(session, LINDNER, by="test", now=now))
    with db.read() as session:
        company, warehouse = session.scalars(sa.select(t.Company)).one(), session.scalars(sa.select(t.Warehouse)).one()
        assert (company.name, company.currency, company.shipping_minor) == ("Werkstatt Lindner", "EUR", 690)
        assert (warehouse.carrier, warehouse.cutoff_minute) == ("Paketdienst", 13 * 60)
        kept = {row.code: row.holidays for row in session.scalars(sa.select(t.Calendar))}
        assert kept == {"office": "DE-NI", "warehouse": "DE-NI", "carrier": "DE"}
        shifts = sa.select(t.CalendarShift).where(t.CalendarShift.calendar_id == company.office_calendar_id)
        assert [(one.weekday, one.starts_minute, one.ends_minute) for one in session.scalars(shifts)] == [
            (weekday, 420, 930) for weekday in range(5)
        ]
        dutch = session.scalars(sa.select(t.ShippingZone).where(t.ShippingZone.country == "NL")).one()
        assert (dutch.prefix, dutch.transit_days) == ("", 3)  # no prefixes are known there: the whole country
        days = sa.select(t.ShippingZone.transit_days).where(t.ShippingZone.country == "DE").distinct()
        assert list(session.scalars(days)) == [2]


def test_it_is_founded_once(db: Database, now: datetime) -> None:
    db.run(lambda session: open_company(session, LINDNER, by="test", now=now))
    before = counts(db)
    with pytest.raises(Refused, match="exists"):
        db.run(lambda session: open_company(session, replace(LINDNER, name="Other"), by="test", now=now))
    assert counts(db) == before


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"address": ()}, "address"),
        ({"country": "XY", "transit_days": {"XY": 1}, "holidays": "DE"}, "country"),
        ({"currency": "EURO"}, "currency"),
        ({"currency": "KWD"}, "currency"),  # its amounts would have to end in 0 at the payment provider
        ({"timezone": "Europe/Nowhere"}, "timezone"),
        ({"timezone": "../etc/passwd"}, "timezone"),
        ({"holidays": "DE-XX"}, "holidays"),
        ({"email": "nobody"}, "email"),
        ({"default_postcode": "1"}, "default_postcode"),
        ({"default_postcode": "00000"}, "default_postcode"),
        ({"transit_days": {"AT": 1}}, "transit_days"),
        ({"transit_days": {"DE": -1}}, "transit_days"),
        ({"closes_minute": 7 * 60}, "hours"),
        ({"cutoff_minute": 24 * 60}, "cut_off"),
        ({"shipping_minor": -1}, "shipping_minor"),
    ],
)
def test_what_cannot_be_is_named_and_nothing_is_written(db: Database, now: datetime, values: dict[str, Any], field: str) -> None:
    beginning = replace(LINDNER, **values)
    with pytest.raises(BadInput) as refused:
        db.run(lambda session: open_company(session, beginning, by="test", now=now))
    assert list(refused.value.fields) == [field]
    assert set(counts(db).values()) == {0}


WORDS = [
    *("company", "open", "--country", "DE", "--currency", "EUR", "--timezone", "Europe/Berlin", "--language", "de"),
    *("--email", "hallo@lindner.test", "--postcode", "21335", "--transit", "2", "--deliver-to", "AT=3"),
    *("--opens", "07:00", "--closes", "15:30", "--cut-off", "13:00", "--shipping", "6.90"),
]
NAMES = ["--name", "Werkstatt Lindner", "--address", "Hauptstr. 5", "--address", "21335 Lüneburg"]


def test_the_command_opens_a_shop(
    sqlite_url: str, settings_for: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    from wsgi import create_app

    monkeypatch.setenv("SHOPFLOOR_DATABASE_URL", sqlite_url)
    result = CliRunner().invoke(main, [*WORDS, *NAMES])
    assert (result.exit_code, result.output.splitlines()[0].split(".")[0]) == (0, "Werkstatt Lindner is open")
    site = create_app(settings_for(sqlite_url))
    pages = site.test_client()
    assert "Werkstatt Lindner" in pages.get("/").get_data(as_text=True)
    assert [pages.get(path).status_code for path in ("/", "/delivery", "/imprint", "/cart", "/search?q=oak")] == [200] * 5
    site.extensions["shopfloor"].db.dispose()
    again = CliRunner().invoke(main, [*WORDS, *NAMES])
    assert (again.exit_code, again.output) == (1, "Error: Werkstatt Lindner is here already: its data is kept.\n")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--country", "de"], "Please check --country"),
        (["--deliver-to", "Austria"], "Austria is not like AT=3"),
        (["--currency", "RSD"], "How many decimals RSD has is written differently here and at the payment provider"),
        (["--cut-off", "2pm"], "2pm is no time such as 14:00"),
        (["--transit", "-1"], "Please check --transit or --deliver-to"),
    ],
)
def test_a_slip_of_the_hand_is_named(sqlite_url: str, monkeypatch: pytest.MonkeyPatch, more: list[str], said: str) -> None:
    monkeypatch.setenv("SHOPFLOOR_DATABASE_URL", sqlite_url)
    result = CliRunner().invoke(main, [*WORDS, *NAMES, *more])
    assert result.exit_code in {1, 2}
    assert said in result.output
    database = Database(sqlite_url)
    assert set(counts(database).values()) == {0}
    database.dispose()
