"""The board: what stands on it, how a card moves without JavaScript, what two who move the same card are told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from backoffice.crm.models import Lead
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop
from tests.statements import count

AtDesk = Callable[[str], Colleague]
Ask = Callable[..., Lead]
BOARD = "/desk/sales/pipeline"


def column(page: str, stage: str) -> str:
    """Return the part of the page that is one stage."""
    return page.split(f'id="stage-{stage}"', 1)[1].split("</section>", 1)[0]


def test_a_card_moves_by_its_button_and_carries_its_value(at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    ask()
    bea = at_desk("Bea")
    assert "Anna Kowalska" in column(bea.get(BOARD), "lead")
    answer = bea.post(f"{BOARD}/1/move", version=1, stage="qualified")
    assert answer.headers["Location"] == f"{BOARD}#lead-1"
    page = bea.get(BOARD)
    assert "It is in “Qualified” now." in page
    assert "Anna Kowalska" not in column(page, "lead")
    assert "Bea" in column(page, "qualified")
    bea.send(f"{BOARD}/1/estimate", version=2, value="1,299.50", expected_on="2026-12-15")
    there = column(bea.get(BOARD), "qualified")
    assert "€1,299.50 · at 30 %: €389.85" in there
    assert "Tue 15 Dec" in there
    [lead] = workshop.rows(Lead)
    assert (lead.stage, lead.value_minor, lead.currency, lead.version) == ("qualified", 129_950, "EUR", 3)
    page = bea.get("/desk/sales/leads/1")
    assert "Stage: <b>Qualified</b> · €1,299.50 · expected Tue 15 Dec" in page
    assert "€1,299.50 · Tue 15 Dec" in page.split("What happened", 1)[1]


def test_of_two_who_move_a_card_the_second_is_told_where_it_is(at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    ask()
    bea, carl = at_desk("Bea"), at_desk("Carl")
    bea.send(f"{BOARD}/1/move", version=1, stage="qualified")
    page = carl.refused(f"{BOARD}/1/move", 409, version=1, stage="opportunity")
    assert "Bea has this now. Nothing was changed" in page
    assert 'class="deal refused" id="lead-1"' in column(page, "qualified")
    assert f'action="{BOARD}/1/move' not in page  # it is being worked on by Bea: no button to move it
    assert [(one.stage, one.version) for one in workshop.rows(Lead)] == [("qualified", 2)]


def test_a_wrong_value_is_shown_again_as_typed(at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    ask()
    page = at_desk("Bea").refused(f"{BOARD}/1/estimate", 422, version=1, value="about ten", expected_on="2026-12-15")
    assert 'value="about ten"' in page
    assert "Write an amount, for example 4.90." in page
    assert workshop.rows(Lead)[0].version == 1


@pytest.mark.parametrize("address", ["", "?whose=mine", "?whose=x&after_lead=no~1", "?after_lead=2026-11-24T16:00:00~1"])
def test_an_empty_board_says_so(at_desk: AtDesk, address: str) -> None:
    page = at_desk("Bea").get(BOARD + address)
    assert page.count("Nothing here. What you move here counts at") == 3


def test_a_long_stage_goes_on_where_it_ended_and_asks_the_database_no_more(at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    for number in range(45):
        ask(key=f"k{number}", name=f"Asker {number:02}", email=f"a{number}@example.test")
    bea, seen = at_desk("Bea"), []
    page = bea.get(BOARD)
    assert '<span class="count">45</span>' in column(page, "lead")
    for _ in range(3):
        part = column(page, "lead")
        seen += [f"Asker {number:02}" for number in range(45) if f">Asker {number:02}<" in part]
        if 'rel="next"' in part:
            page = bea.get(part.split('rel="next" href="', 1)[1].split("#", 1)[0])
    assert seen == [f"Asker {number:02}" for number in range(45)]
    assert count(workshop.db, lambda: bea.get(BOARD)) <= 10
