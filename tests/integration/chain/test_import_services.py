"""Ways to send from a CSV file: written by their codes, unchanged the second time, nothing of a file with a fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from backoffice.audit import AuditEntry
from backoffice.erp.models import ShippingService
from backoffice.imports.faults import BrokenFolder
from backoffice.imports.services import import_services
from tests.integration.chain.conftest import Workshop

HEAD = "code,name,position,price,transit_days,packed_by,countries,offered"
EXPRESS = "express,Express,1,14.90,1,12:00,de,1"
EVENING = 'evening,"In the evening, by two",2,9.9,2,,,0'


@pytest.fixture
def bring(workshop: Workshop, tmp_path: Path):
    """Import these lines; return (added, changed, unchanged)."""

    def work(*lines: str) -> tuple[int, int, int]:
        file = tmp_path / "services.csv"
        file.write_text("\n".join([HEAD, *lines]) + "\n", encoding="utf-8")
        counts = import_services(workshop.db, file, by="test", now=workshop.now)
        return counts["added"], counts["changed"], counts["unchanged"]

    return work


def kept(shop: Workshop) -> list[tuple[object, ...]]:
    return [
        (row.code, row.name, row.position, row.price_minor, row.transit_days, row.cutoff_minute, row.countries, row.active)
        for row in shop.rows(ShippingService)
    ]


def test_services_are_written_by_their_codes_and_unchanged_the_second_time(workshop: Workshop, bring) -> None:
    assert bring(EXPRESS, EVENING) == (2, 0, 0)
    assert kept(workshop) == [
        ("express", "Express", 1, 1_490, 1, 720, ["DE"], True),
        ("evening", "In the evening, by two", 2, 990, 2, None, [], False),
    ]
    assert bring(EXPRESS, EVENING) == (0, 0, 2)
    assert bring(EXPRESS.replace("14.90", "12")) == (0, 1, 0)  # the other one, not named, stays
    assert [row[3] for row in kept(workshop)] == [1_200, 990]
    assert len(workshop.rows(AuditEntry, action="service.change")) == 3


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("Über Nacht,Night,1,5,1,,,1", "line 3, column code: small letters, digits and hyphens, a letter first"),
        ("night,,1,5,1,,,1", "line 3, column name: this must not be empty"),
        ("night,Night,1,free,1,,,1", "line 3, column price: “free” is not a number"),
        ("night,Night,1,5.555,1,,,1", "line 3, column price: 5.555 is finer than the currency"),
        ("night,Night,1,-5,1,,,1", "line 3, column price: -5 is not between 0 and 10¹²"),
        ("night,Night,1,999999999,1,,,1", "line 3, column price: this is more than a service may cost"),
        ("night,Night,1,5,1.5,,,1", "line 3, column transit_days: 1.5 is not a whole number"),
        ("night,Night,1,5,61,,,1", "line 3, column transit_days: this number is too large"),
        ("night,Night,1,5,1,noon,,1", "line 3, column packed_by: “noon” is not a time like 14:00"),
        ("night,Night,1,5,1,24:01,,1", "line 3, column packed_by: “24:01” is not a time like 14:00"),
        ("night,Night,1,5,1,,DE XX,1", "line 3, column countries: we do not deliver to one of these"),
        ("night,Night,1,5,1,,,yes", "line 3, column offered: “yes” is neither 0 nor 1"),
        ("night,Night,1,5,1,,", "line 3, column offered: the row has 7 cells, not 8"),
        (EXPRESS, "line 3, column code: express comes twice"),
    ],
)
def test_a_file_with_a_fault_writes_nothing_and_names_the_row(workshop: Workshop, bring, line: str, fault: str) -> None:
    with pytest.raises(BrokenFolder) as broken:
        bring(EXPRESS, line)
    assert [str(one) for one in broken.value.faults] == [f"services.csv, {fault}"]
    assert kept(workshop) == []
    assert workshop.rows(AuditEntry) == []


def test_the_last_of_forty_thousand_rows_is_wrong(workshop: Workshop, bring) -> None:
    with pytest.raises(BrokenFolder) as broken:
        bring(*(f"way-{number},Way,1,5,1,,,1" for number in range(40_000)), "night,Night,1,free,1,,,1")
    assert [str(one) for one in broken.value.faults] == ["services.csv, line 40002, column price: “free” is not a number"]
    assert kept(workshop) == []
