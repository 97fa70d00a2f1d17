"""The list: parts that are kept and shared, one thing done to many with each refusal named, page after page."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from backoffice.crm.models import Lead, SavedView
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop
from tests.statements import count

AtDesk = Callable[[str], Colleague]
Ask = Callable[..., Lead]
LIST = "/desk/sales/list"


def names(page: str) -> list[str]:
    """Return who stands in the list."""
    return re.findall(r"<bdi>(Asker \d+)</bdi>", page)


def ask_many(ask: Ask, number: int) -> None:
    """Let so many ask."""
    for one in range(number):
        ask(key=f"k{one}", name=f"Asker {one:02}", email=f"a{one}@example.test")


def test_what_cannot_be_done_is_named_and_the_others_are_done(at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    ask_many(ask, 3)
    bea, carl = at_desk("Bea"), at_desk("Carl")
    bea.send("/desk/sales/leads/2/take", version=1)
    page = carl.refused(f"{LIST}/do", 409, action="lose", lose="Too dear", lead=["1.1", "2.1", "3.1"])
    assert "1 enquiry was left as it is:" in page
    assert "L-00002</a>: Bea has this now. Nothing was changed" in page
    assert 'value="Too dear"' in page
    assert [(one.outcome, one.version) for one in workshop.rows(Lead)] == [("lost", 2), ("", 2), ("lost", 2)]
    assert "Done for 1 enquiry." in bea.send(f"{LIST}/do", action="hand", to=2, lead=["2.2"])
    assert workshop.rows(Lead)[1].owner_id == 2
    page = carl.send(f"{LIST}/do", action="follow_up", follow_up_on="2026-11-26", lead=["2.3"])
    assert workshop.rows(Lead)[1].follow_up_at is not None


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"action": "hand", "to": "2"}, "Choose at least one of the list"),
        ({"action": "lose", "lead": ["1.1"]}, "Fill this in."),
        ({"action": "follow_up", "follow_up_on": "soon", "lead": ["1.1"]}, "Choose a day, for example"),
        ({"action": "burn", "lead": ["1.1"]}, "Something is missing or wrong"),
    ],
)
def test_what_would_be_wrong_for_all_changes_nothing(
    at_desk: AtDesk, ask: Ask, workshop: Workshop, form: dict[str, object], says: str
) -> None:
    ask_many(ask, 1)
    assert says in at_desk("Bea").refused(f"{LIST}/do", 422, **form)
    assert [one.version for one in workshop.rows(Lead)] == [1]


def test_a_kept_list_is_its_writers_until_it_is_shared(at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    ask_many(ask, 1)
    bea, carl = at_desk("Bea"), at_desk("Carl")
    where = "?stage=qualified&sort=value&columns=stage,value,expected"
    assert "The list is kept." in bea.send(f"{LIST}/views{where}", name="My big ones")
    assert "My big ones" not in carl.get(LIST)
    bea.send(f"{LIST}/views{where}", name="My big ones", shared="yes")
    [view] = workshop.rows(SavedView)
    assert view.args == {"stage": "qualified", "sort": "value", "columns": "stage,value,expected"}
    assert "My big ones" in carl.get(LIST)
    there = carl.client.get(f"{LIST}?view={view.id}").headers["Location"]
    assert there == f"{LIST}?stage=qualified&sort=value&columns=stage,value,expected"
    carl.send(f"{LIST}/views/{view.id}/drop")  # not his
    assert len(workshop.rows(SavedView)) == 1
    bea.send(f"{LIST}/views/{view.id}/drop")
    assert workshop.rows(SavedView) == []


@pytest.mark.parametrize("sort", ["due", "new", "value"])
def test_every_order_goes_through_everything_once(at_desk: AtDesk, ask: Ask, workshop: Workshop, sort: str) -> None:
    ask_many(ask, 60)
    bea = at_desk("Bea")
    page = bea.get(f"{LIST}?sort={sort}")
    first = names(page)
    rest = re.search(r'rel="next" href="([^"]+)"', page)
    assert rest
    page = bea.get(rest[1])
    assert sorted(first + names(page)) == [f"Asker {one:02}" for one in range(60)]
    assert (len(first), 'rel="next"' in page) == (50, False)
    assert count(workshop.db, lambda: bea.get(f"{LIST}?sort={sort}")) <= 9
    assert names(bea.get(f"{LIST}?sort={sort}&after=x~y&kind=z&columns=q"))[:3] == first[:3]
