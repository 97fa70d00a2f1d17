"""Days far outside any calendar, at every desk's form with a day: words at the field, never a 500, nothing changed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from backoffice.crm.models import Coupon
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

CODE = {
    "code": "ABC-1",
    "kind": "percent",
    "value": "10",
    "from_quantity": "1",
    "minimum": "0",
    "starts_on": "",
    "ends_on": "",
    "use_limit": "",
    "per_customer": "",
    "active": "yes",
}
PLACES = [
    ("Ada", "/desk/admin/coupons", "starts_on", CODE),
    ("Ada", "/desk/admin/coupons", "ends_on", CODE),
    ("Petra", "/desk/planning/stops", "starts_at", {"work_centre": "2", "hours": "4", "reason": "Belt"}),
]


@pytest.mark.parametrize(("who", "path", "field", "form"), PLACES)
def test_a_year_that_is_none_is_refused_with_words(
    at_desk: Callable[[str], Colleague], workshop: Workshop, who: str, path: str, field: str, form: dict[str, str]
) -> None:
    one = at_desk(who)
    for day in ("9999-12-31", "0001-01-01", "2101-01-01", "1999-12-31"):
        typed = day + "T09:00" if field.endswith("_at") else day
        assert "that one is too far away" in one.refused(path, 422, **form | {field: typed}), day
    assert workshop.rows(Coupon) == []


def test_the_last_year_is_a_year(at_desk: Callable[[str], Colleague], workshop: Workshop) -> None:
    at_desk("Ada").send("/desk/admin/coupons", **CODE | {"ends_on": "2100-12-31"})
    assert [one.ends_at.isoformat() for one in workshop.rows(Coupon)] == ["2100-12-31T23:00:00+00:00"]
