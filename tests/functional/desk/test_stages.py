"""What administrators set for the pipeline: likelihood, reasons, what is overdue."""

from __future__ import annotations

from collections.abc import Callable

from backoffice.crm import pipeline
from backoffice.crm.models import EscalationRule, Lead, LostReason
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]
PAGE = "/desk/admin/pipeline"


def test_an_administrator_sets_the_pipeline_and_sales_uses_it(
    at_desk: AtDesk, ask: Callable[..., Lead], workshop: Workshop
) -> None:
    ask()
    ada, bea = at_desk("Ada"), at_desk("Bea")
    ada.send(f"{PAGE}/likelihood", lead=5, qualified=40, opportunity=75)
    assert workshop.db.run(pipeline.probabilities) == {"lead": 5, "qualified": 40, "opportunity": 75}
    ada.send(f"{PAGE}/reasons", name="Too dear", position=1)
    ada.send(f"{PAGE}/overdue", after_minutes=90, to_id=2, active="yes")
    [rule] = workshop.rows(EscalationRule)
    assert (rule.after_minutes, rule.to_id, rule.active) == (90, 2, True)
    bea.send("/desk/sales/leads/1/lose", version=1, reason=1, lose="")
    assert [(one.outcome, one.lost_reason_id) for one in workshop.rows(Lead)] == [("lost", 1)]
    assert "Too dear" in bea.get("/desk/sales/leads/1").split("What happened", 1)[1]


def test_what_is_wrong_is_said_and_nothing_is_kept(at_desk: AtDesk, workshop: Workshop) -> None:
    ada = at_desk("Ada")
    ada.send(f"{PAGE}/reasons", name="Too dear", position=1)
    assert "Write a whole number" in ada.refused(f"{PAGE}/likelihood", 422, lead=5, qualified=101, opportunity=75)
    assert "There is one with that name already" in ada.refused(f"{PAGE}/reasons", 409, name="Too dear", position=2)
    assert "Write a whole number" in ada.refused(f"{PAGE}/overdue", 422, after_minutes=0)
    ada.refused(f"{PAGE}/overdue", 422, after_minutes=60, to_id=3)  # of the warehouse
    assert workshop.db.run(pipeline.probabilities) == pipeline.USUAL_PERCENT
    assert (workshop.rows(EscalationRule), len(workshop.rows(LostReason))) == ([], 1)
