"""Leads from a CSV file: every broken row is named, the good ones can be taken, nothing is lost and nothing comes twice."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from backoffice.crm.models import Lead, Party
from backoffice.db import Database
from backoffice.imports.faults import BrokenFolder
from backoffice.imports.leads import import_leads

HEAD = "Who,Mail,Tel,message,quantity\n"
COLUMNS = {"name": "Who", "email": "Mail", "phone": "Tel"}
BAD = 'Bad,nobody,,"Two, please",2\n'


def write(path: Path, rows: list[str]) -> Path:
    path.write_text(HEAD + "".join(rows), encoding="utf-8")
    return path


def good(count: int) -> list[str]:
    return [f"Person {one},p{one}@people.test,,Do you have {one}?,1\n" for one in range(count)]


def leads_in(db: Database) -> int:
    with db.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Lead)) or 0


def test_row_40000_is_named_and_without_a_place_for_it_nothing_is_taken(
    embedded_shop: Database, tmp_path: Path, now: datetime
) -> None:
    rows = good(40_000)
    rows[39_998] = BAD  # the header is line 1
    with pytest.raises(BrokenFolder) as refused:
        import_leads(embedded_shop, write(tmp_path / "leads.csv", rows), columns=COLUMNS, now=now)
    [fault] = refused.value.faults
    assert (fault.line, fault.column, fault.problem) == (40_000, "Mail", "this is no e-mail address")
    assert leads_in(embedded_shop) == 0


def test_the_good_are_taken_the_broken_given_back_and_a_second_time_is_nothing(
    shop: Database, tmp_path: Path, now: datetime
) -> None:
    source = write(tmp_path / "leads.csv", [*good(3), BAD, "too,few\n", "=1+1<b>,x@people.test,,Hi there,1\n"])
    back = tmp_path / "broken.csv"
    first = import_leads(shop, source, columns=COLUMNS, broken=back, now=now)
    assert (first.taken, first.known, len(first.broken)) == (4, 0, 2)
    second = import_leads(shop, source, columns=COLUMNS, broken=back, now=now)
    assert (second.taken, second.known, leads_in(shop)) == (0, 4, 4)
    with back.open(encoding="utf-8-sig", newline="") as file:
        found = list(csv.DictReader(file))
    assert [(one["line"], one["Mail"], one["raw"]) for one in found] == [("5", "nobody", ""), ("6", "", "too,few")]
    assert found[0]["message"] == "Two, please"
    with shop.read() as session:
        assert session.scalar(sa.select(Party.name).where(Party.email == "x@people.test")) == "=1+1<b>"


def test_looking_first_writes_nothing(embedded_shop: Database, tmp_path: Path, now: datetime) -> None:
    source = write(tmp_path / "leads.csv", [*good(2), BAD])
    report = import_leads(embedded_shop, source, columns=COLUMNS, dry=True, now=now)
    assert (report.taken, len(report.broken), leads_in(embedded_shop)) == (2, 1, 0)


def test_a_row_with_nothing_but_a_name_is_answered_clearly(embedded_shop: Database, tmp_path: Path, now: datetime) -> None:
    with pytest.raises(BrokenFolder) as refused:
        import_leads(embedded_shop, write(tmp_path / "leads.csv", ["Anna,,,,\n"]), columns=COLUMNS, now=now)
    assert str(refused.value) == "leads.csv, line 2, column message: this must not be empty"
