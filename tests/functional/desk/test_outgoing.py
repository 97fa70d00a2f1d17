"""What an administrator does about messages that nobody could deliver, and about figures that cannot be true."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from backoffice.audit import AuditEntry
from backoffice.bridge import outbox
from backoffice.bridge.models import OutboxMessage
from backoffice.erp import stock_snapshots
from backoffice.erp.models import StockSnapshot
from backoffice.erp.stock_snapshots import Line, Snapshot
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]
ADMIN = "/desk/admin"


def bury(workshop: Workshop, *aggregates: str) -> None:
    """Put messages that nobody could deliver into the outbox."""

    def work(session: Any) -> None:
        for aggregate in aggregates:
            outbox.put(session, "mail", aggregate, "order_shipped", {"to": "secret@example.test"}, now=workshop.now)
        session.execute(sa.update(OutboxMessage).values(state="dead", attempts=8, last_error="the server is away"))

    workshop.db.run(work)


def test_undelivered_messages_are_tried_again_or_given_up_with_a_reason(at_desk: AtDesk, workshop: Workshop) -> None:
    bury(workshop, "order:SF-1", "order:SF-2", "order:SF-3")
    ada = at_desk("Ada")
    page = ada.get(f"{ADMIN}/outgoing")
    assert page.count("the server is away") == 3
    assert page.count("Mail: parcel on its way") == 3
    assert ada.get(f"{ADMIN}/outgoing?q=SF-2").count("the server is away") == 1
    assert "secret@example.test" not in page
    ada.send(f"{ADMIN}/outgoing/1/replay")
    assert "Write down why." in ada.refused(f"{ADMIN}/outgoing/2/drop", 422, reason=" ")
    assert [one.state for one in workshop.rows(OutboxMessage)] == ["pending", "dead", "dead"]
    ada.send(f"{ADMIN}/outgoing/2/drop", reason="the address was a joke")
    assert "1 message is tried again." in ada.send(f"{ADMIN}/outgoing/replay")
    kept = [(one.id, one.state, bool(one.payload)) for one in workshop.rows(OutboxMessage)]
    assert kept == [(1, "pending", True), (2, "given_up", False), (3, "pending", True)]
    assert "Given up" in ada.get(f"{ADMIN}/outgoing?state=given_up")
    ada.refused(f"{ADMIN}/outgoing/1/drop", 404, reason="it is not dead")
    ada.refused(f"{ADMIN}/outgoing/2/replay", 404)
    entries = workshop.rows(AuditEntry)
    assert [one.action for one in entries] == ["outbox.replay", "outbox.drop", "outbox.replay_all"]
    assert entries[1].details["reason"] == "the address was a joke"
    assert "order:SF-1" in ada.get(f"{ADMIN}/outgoing?state=pending&target=mail")
    assert "Nothing here" in ada.get(f"{ADMIN}/outgoing?state=pending&target=refund")


def test_figures_that_cannot_be_true_wait_for_somebody(at_desk: AtDesk, workshop: Workshop) -> None:
    def come(sequence: int, **there: int) -> None:
        said = Snapshot(sequence, "full", None, workshop.now, [Line(sku, quantity) for sku, quantity in there.items()])
        how: dict[str, Any] = {"unbooked": {}, "max_age": timedelta(minutes=15), "now": workshop.now}
        workshop.db.run(lambda session: stock_snapshots.receive(session, said, **how))

    ada = at_desk("Ada")
    assert "Stock is kept here" in ada.get(f"{ADMIN}/figures")
    come(1, STOOL=5, LEG=12, BOARD=20)
    come(2, STOOL=4)
    come(3)
    come(4, STOOL=4)  # a minute later, and another: one decision, over the newest
    page = ada.get(f"{ADMIN}/figures")
    assert "They name 1 items with 4 pieces. Now there are 3 items with 37 pieces." in page
    assert "more than half of the items would be gone" in page
    assert "some wait for a decision" in ada.get(ADMIN)
    ada.refused(f"{ADMIN}/figures/2/approve", 409, seen="full:0:0")
    assert workshop.stock("STOOL")[0] == 5
    ada.send(f"{ADMIN}/figures/2/approve", seen="full:1:4")
    assert [workshop.stock(sku)[0] for sku in ("STOOL", "LEG", "BOARD")] == [4, 0, 0]
    ada.refused(f"{ADMIN}/figures/2/approve", 409)
    come(5)
    ada.send(f"{ADMIN}/figures/3/decline")
    ada.refused(f"{ADMIN}/figures/3/approve", 409)
    ada.refused(f"{ADMIN}/figures/9/decline", 404)
    assert [one.state for one in workshop.rows(StockSnapshot)] == ["applied", "applied", "declined"]
    assert [one.action for one in workshop.rows(AuditEntry)] == ["stock_snapshot.approve", "stock_snapshot.decline"]
