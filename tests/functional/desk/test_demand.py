"""Lost demand at the planning desk: beside what is bought, with names only for those who may call."""

from __future__ import annotations

from collections.abc import Callable

from backoffice.public.lost_demand import LostDemand
from tests.conftest import NOW
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop


def test_the_page_says_what_is_not_covered_and_the_file_holds_the_weeks(
    workshop: Workshop, at_desk: Callable[[str], Colleague], ask: Callable[..., object]
) -> None:
    petra = at_desk("Petra")
    assert "Nobody asked in vain" in petra.get("/desk/planning/demand")
    workshop.shop.lost_demand.note(LostDemand("viewed", "VASE", quantity=3), who="x", now=NOW)
    workshop.shop.lost_demand.note(LostDemand("viewed", "LAMP", quantity=14), who="x", now=NOW)
    workshop.shop.lost_demand.write()
    ask(kind="tell_me", sku="VASE", quantity="5")
    page = petra.get("/desk/planning/demand")
    assert "€95.00" in page  # five of them at 19
    assert "Anna Kowalska" not in page
    assert "Anna Kowalska" in at_desk("Ada").get("/desk/planning/demand")
    assert "4 more asked for, not covered" in petra.get("/desk/planning/receipts")  # 14 less the 10 that are to come
    said = petra.client.get("/desk/planning/demand/export.csv").get_data().decode("utf-8-sig").splitlines()
    assert said[1:] == [
        '"2026-11-23","LAMP","Lamp","could not be had at all","1","14","79.00"',
        '"2026-11-23","VASE","Vase","could not be had at all","1","3","19.00"',
    ]
    at_desk("Wim").get("/desk/planning/demand", 403)
