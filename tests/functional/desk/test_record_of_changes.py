"""Every form of a desk that changes something leaves one row in the record of changes; one that changes nothing leaves none."""

from __future__ import annotations

from collections.abc import Callable

from backoffice.audit import AuditEntry
from backoffice.crm.models import Lead
from backoffice.verify import changes
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]


def rows(workshop: Workshop) -> list[tuple[str, str, str, str]]:
    return [(one.action, one.subject, one.actor, one.role) for one in workshop.rows(AuditEntry)]


def test_a_form_without_words_of_its_own_is_there_by_its_page(
    at_desk: AtDesk, workshop: Workshop, ask: Callable[..., Lead]
) -> None:
    lead, bea = ask(), at_desk("Bea")
    bea.send(f"/desk/sales/leads/{lead.id}/take", version=1)
    bea.send(f"/desk/sales/leads/{lead.id}/note", note="Likes oak", version=2)
    told = ("bea@werk.test", "sales")
    assert rows(workshop) == [
        ("desk.sales.take", f"sales:{lead.id}", *told),
        ("desk.sales.note", f"sales:{lead.id}", *told),
    ]
    assert "oak" not in str([one.details for one in workshop.rows(AuditEntry)])
    with workshop.db.read() as session:
        assert [line for rule in changes.RULES for line in rule.lines(session, workshop.services.clock())] == []


def test_what_is_refused_or_changes_nothing_leaves_no_row(at_desk: AtDesk, workshop: Workshop, ask: Callable[..., Lead]) -> None:
    lead, bea = ask(), at_desk("Bea")
    bea.refused(f"/desk/sales/leads/{lead.id}/note", 422, note=" ", version=1)
    bea.refused(f"/desk/sales/leads/{lead.id}/take", 409, version=9)
    assert rows(workshop) == []
