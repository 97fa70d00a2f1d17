"""The page of the ways to send: written, changed, refused in words with what was typed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from backoffice.audit import AuditEntry
from backoffice.erp.models import ShippingService
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

PAGE = "/desk/admin/services"
FORM = {
    "code": "express",
    "name": "Express",
    "position": "1",
    "price": "14,90",
    "transit_days": "1",
    "cutoff": "12:30",
    "countries": "de",
    "active": "yes",
}
AtDesk = Callable[[str], Colleague]


def test_it_is_written_changed_and_in_the_audit(at_desk: AtDesk, workshop: Workshop) -> None:
    ada = at_desk("Ada")
    assert "Saved." in ada.send(PAGE, **FORM)
    [row] = workshop.rows(ShippingService)
    assert (row.code, row.name, row.price_minor, row.transit_days, row.cutoff_minute) == ("express", "Express", 1_490, 1, 750)
    assert (row.countries, row.active) == (["DE"], True)
    page = ada.get(f"{PAGE}?edit=express")
    assert 'value="14.90"' in page
    assert 'value="12:30"' in page
    ada.send(PAGE, **FORM | {"cutoff": "", "countries": "", "active": "no", "price": "0"})
    [row] = workshop.rows(ShippingService)
    assert (row.price_minor, row.cutoff_minute, row.countries, row.active) == (0, None, [], False)
    entries = workshop.rows(AuditEntry, action="service.change")
    assert [one.details["after"]["price_minor"] for one in entries] == [1_490, 0]
    assert ada.get(f"{PAGE}?edit=none", status=404)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"code": "Über Nacht"}, "Small letters, digits and hyphens"),
        ({"name": ""}, ""),
        ({"price": "free"}, "amount"),
        ({"price": "1e9"}, "amount"),
        ({"transit_days": "-1"}, "whole number"),
        ({"transit_days": "1000000000"}, "whole number"),
        ({"cutoff": "25:00"}, "a time like 14:00"),
        ({"cutoff": "noon"}, "a time like 14:00"),
        ({"countries": "DE, XX"}, ""),
    ],
)
def test_what_makes_no_sense_is_said_and_not_saved(
    at_desk: AtDesk, workshop: Workshop, changes: dict[str, str], words: str
) -> None:
    page = at_desk("Ada").refused(PAGE, 422, **FORM | changes)
    assert words in page
    assert workshop.rows(ShippingService) == []
