"""What is asked for in vain: once for each visitor and week, added up without them, beside what would cover it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import sqlalchemy as sa

from backoffice.crm import leads, lost_demand
from backoffice.crm.models import DemandMark, LostDemand
from backoffice.local.lost_demand import LocalLostDemand
from backoffice.public.leads import LeadForm
from backoffice.public.lost_demand import LostDemand as Asked
from tests.conftest import NOW
from tests.integration.chain.conftest import Workshop
from tests.integration.chain.conftest import workshop as workshop
from tests.statements import sent

MONDAY = date(2026, 11, 23)
LATER = NOW + timedelta(weeks=2)


def counter(shop: Workshop, started: list[Callable[[], None]] | None = None) -> LocalLostDemand:
    """Return what counts in one process; it writes when told to."""
    return LocalLostDemand(shop.db, "k", later=(started if started is not None else []).append)


def ask(shop: Workshop, *wishes: tuple[str, Asked]) -> None:
    """Ask in vain, as visitors of one process."""
    there = counter(shop)
    for who, asked in wishes:
        there.note(asked, who=who, now=NOW)
    there.write()


def figures(shop: Workshop, **named: object) -> dict[str, tuple[int, int, int, int]]:
    """Return sku → asked, waiting, free, not covered."""
    with shop.db.read() as session:
        found = lost_demand.find_lost(session, now=shop.now, **named)
        return {one.item.sku: (one.asked, one.waiting, one.free, one.uncovered) for one in found}


def test_a_visitor_counts_once_with_the_most_they_could_not_have(workshop: Workshop) -> None:
    ask(workshop, *[("Ada", Asked("viewed", "VASE"))] * 10, ("Ada", Asked("viewed", "VASE", quantity=3)))
    ask(workshop, ("Ada", Asked("viewed", "VASE", quantity=2)), ("Bob", Asked("viewed", "VASE", quantity=2)))  # elsewhere
    ask(workshop, ("Ada", Asked("quantity", "STOOL", quantity=3)), ("Ada", Asked("day", "LAMP", quantity=4)))
    # VASE: Ada 3 and Bob 2, nothing free; STOOL: 3 too many, 5 on the shelf; LAMP: a day is no piece, 10 are to come
    assert figures(workshop) == {"VASE": (5, 0, 0, 5), "STOOL": (3, 0, 5, 0), "LAMP": (0, 0, 10, 0)}
    with workshop.db.read() as session:
        weeks = lost_demand.find_weeks(session, now=NOW)
        assert lost_demand.find_lost(session, now=NOW)[0].worth_minor == 5 * 1_900
    assert weeks == [(MONDAY, "LAMP", "day", 1, 4), (MONDAY, "STOOL", "quantity", 1, 3), (MONDAY, "VASE", "viewed", 2, 5)]


def test_a_week_is_added_up_once_and_forgets_who_asked(workshop: Workshop) -> None:
    ask(workshop, ("Ada", Asked("viewed", "VASE", quantity=3)), ("Bob", Asked("viewed", "VASE", quantity=2)))
    ask(workshop, ("Ada", Asked("search", words="Hocker")), ("Bob", Asked("search", words="hocker")))
    ask(workshop, ("Ada", Asked("search", words="grandmother's cupboard")))
    for _again in range(2):
        workshop.db.run(lambda session: lost_demand.add_up(session, now=LATER))
    with workshop.db.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(DemandMark)) == 0
        kept = session.execute(
            sa.select(LostDemand.kind, LostDemand.sku, LostDemand.words, LostDemand.people, LostDemand.quantity)
        )
        assert sorted(map(tuple, kept)) == [("search", "", "hocker", 2, 2), ("viewed", "VASE", "", 2, 5)]
        assert lost_demand.find_searches(session, now=LATER) == [("hocker", 2)]
    workshop.now = LATER
    assert figures(workshop)["VASE"] == (5, 0, 0, 5)
    workshop.now = NOW + timedelta(weeks=4)
    assert figures(workshop) == {}


def test_a_young_week_keeps_its_visitors_apart(workshop: Workshop) -> None:
    ask(workshop, ("Ada", Asked("viewed", "VASE")))
    workshop.db.run(lambda session: lost_demand.add_up(session, now=NOW + timedelta(weeks=1)))
    ask(workshop, ("Ada", Asked("viewed", "VASE")))
    assert figures(workshop)["VASE"] == (1, 0, 0, 1)


def test_who_waits_has_looked_too_the_larger_number_counts(workshop: Workshop) -> None:
    ask(workshop, ("Ada", Asked("viewed", "VASE", quantity=3)), ("Bob", Asked("viewed", "VASE", quantity=2)))
    form = LeadForm(key="1", kind="tell_me", name="Ada", email="ada@example.test", phone="", message="", sku="VASE", quantity="4")
    workshop.db.run(lambda session: leads.submit(session, form, now=NOW))
    assert figures(workshop)["VASE"] == (5, 4, 0, 5)
    other = replace(form, key="2", name="Bob", email="bob@example.test", quantity="3")
    workshop.db.run(lambda session: leads.submit(session, other, now=NOW))
    assert figures(workshop)["VASE"] == (7, 7, 0, 7)
    with workshop.db.read() as session:
        assert [(one.name, one.quantity) for one in lost_demand.find_waiting(session)] == [("Ada", 4), ("Bob", 3)]


def test_words_that_may_name_somebody_robots_and_players_are_not_counted(workshop: Workshop) -> None:
    searches = ["ada@example.test", "0171 234567", " ", "stool 4711"]
    ask(workshop, *[("Ada", Asked("search", words=words)) for words in searches], ("Googlebot", Asked("viewed", "VASE")))
    ask(workshop, *[("Eve", Asked("search", words=f"a{number}")) for number in range(50)])
    ask(workshop, ("Ada", Asked("viewed", "LAMP", quantity=10**12)))
    with workshop.db.read() as session:
        marks = list(session.scalars(sa.select(DemandMark)))
        assert sorted(one.words for one in marks if one.words.startswith("s")) == ["stool 4711"]
        assert len([one for one in marks if one.words.startswith("a")]) == 20
        assert [(one.sku, one.quantity) for one in marks if one.sku] == [("LAMP", 1000)]


def test_one_write_for_all_that_is_gathered_and_four_questions_for_the_page(workshop: Workshop) -> None:
    started: list[Callable[[], None]] = []
    there = counter(workshop, started)
    with sent(workshop.db) as said:
        for number in range(30):
            there.note(Asked("viewed", "VASE"), who=f"visitor {number}", now=NOW)
    assert (said, len(started)) == ([], 1)  # no page waits for the database
    started[0]()
    with sent(workshop.db) as said, workshop.db.read() as session:
        (lost,) = lost_demand.find_lost(session, now=NOW)
    assert (lost.people, lost.asked) == ({"viewed": 30}, 30)
    assert len([one for one in said if one.startswith(("SELECT", "INSERT", "UPDATE"))]) == 4
