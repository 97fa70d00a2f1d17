"""A choice about a moved day that its customer says on the telephone."""

from __future__ import annotations

from collections.abc import Callable

from backoffice.audit import AuditEntry
from backoffice.crm.models import Slip
from backoffice.erp import purchasing
from backoffice.erp.models import PurchaseOrderLine
from tests.company import at
from tests.functional.desk.conftest import Colleague
from tests.functional.desk.test_board import plain
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]


def test_what_is_said_on_the_telephone_is_done_once_and_says_by_whom(at_desk: AtDesk, workshop: Workshop) -> None:
    bea = at_desk("Bea")
    workshop.buy(LAMP=1)
    number = workshop.orders()[0].number
    page = f"/desk/sales/orders/{number}/moved"
    bea.get(page, 404)
    assert page not in bea.get(f"/desk/sales/orders/{number}")
    [line] = workshop.rows(PurchaseOrderLine)
    workshop.do(purchasing.move_due, line.id, at(30, 8), version=line.version)
    assert page in bea.get(f"/desk/sales/orders/{number}")
    [slip] = workshop.rows(Slip)
    words = plain(bea.get(page))
    assert "1 × Lamp: Mon 30 Nov → Tue 1 Dec" in words
    assert "They agree to the new day" in words
    bea.refused(f"{page}/{slip.id}", 422, choice="accept", said_by=" ")
    assert workshop.rows(Slip)[0].state == "open"
    bea.send(f"{page}/{slip.id}", choice="accept", said_by="Mr Lovelace")
    bea.send(f"{page}/{slip.id}", choice="accept", said_by="Mr Lovelace")
    [slip] = workshop.rows(Slip)
    assert (slip.state, slip.chosen_by, slip.choice) == ("accepted", "Bea", {"said_by": "Mr Lovelace"})
    [entry] = [one for one in workshop.rows(AuditEntry) if one.action == "slip.choose"]
    assert (entry.actor, entry.details["said_by"]) == ("Bea", "Mr Lovelace")
    assert "· Mr Lovelace" in plain(bea.get(f"/desk/sales/orders/{number}"))
    assert "Nothing is left to choose" in plain(bea.get(page))
