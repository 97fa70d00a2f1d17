"""Why a visit or a record is a customer's, said in plain words, and undone by a button."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy.orm import Session

from backoffice.crm import collapsing, identity, parties, profiles, visits
from backoffice.crm.models import IdentityLink, Lead, PerhapsSame, Visit
from backoffice.desk import identity_lists
from backoffice.public.visits import Look
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop
from tests.statements import sent

AtDesk = Callable[[str], Colleague]


def know(shop: Workshop, party_id: int) -> int:
    """Let Anna come twice, and be known under a second address; return its number."""

    def come(session: Session) -> int:
        token = visits.allow(session, wording="Yes", language="en", now=shop.now)
        looks = [("page", "/p/stool", 2, "anna@example.test"), ("search", "lamp", 1, ""), ("page", "/p/lamp", 90, "")]
        found = [Look(token, kind, about, shop.now - timedelta(minutes=ago), email=email) for kind, about, ago, email in looks]
        visits.record(session, found)
        twin = parties.of_address(
            session, "kowalska@example.test", name="Anna Kowalska", phone="+48 22 111 22 33", language="", now=shop.now
        )
        session.get_one(parties.Party, party_id).phone = "+48 22 111 22 33"
        session.flush()
        return twin.id

    twin_id = shop.db.run(come)
    assert identity.resolve(shop.db, now=shop.now) == 2
    profiles.refresh_all(shop.db)
    return twin_id


def test_each_link_says_why_and_is_undone_for_good(at_desk: AtDesk, workshop: Workshop, ask: Callable[..., Lead]) -> None:
    anna = ask().party_id
    twin, bea, home = know(workshop, anna), at_desk("Bea"), f"/desk/sales/customers/{anna}/identity"
    assert f'href="{home}"' in bea.get(f"/desk/sales/customers/{anna}")
    page = bea.get(home)
    for words in (
        "The same name and the same telephone.",
        "kowalska@example.test",
        "They typed their e-mail into a form.",
        "They are the only one known at this browser.",
        "2 looks",
        "1 look",
    ):
        assert words in page, words
    links = {one.rule: one.id for one in workshop.rows(IdentityLink)}
    assert sorted(links) == ["form", "only_one", "phone"]

    def facts() -> tuple[int, int, list[int | None]]:
        with workshop.db.read() as session:
            mine, theirs = (profiles.find_profile(session, one) for one in (anna, twin))
            assert mine is not None
            assert theirs is not None
            return mine.visits, theirs.person_id, [one.party_id for one in workshop.rows(Visit)]

    assert facts() == (2, anna, [anna, anna])
    assert "Undone. No rule ties them together again." in bea.send(f"{home}/{links['only_one']}/undo")
    assert (facts()[0], sorted(facts()[2], key=str)) == (1, [anna, None])
    assert "It was undone before." in bea.send(f"{home}/{links['only_one']}/undo")
    assert "Undone by Bea" in bea.send(f"{home}/{links['phone']}/undo")
    assert facts()[:2] == (1, twin)
    assert identity.resolve(workshop.db, now=workshop.now) == 0
    stranger = workshop.db.run(
        lambda s: parties.of_address(s, "z@example.test", name="Z", phone="", language="", now=workshop.now).id
    )
    bea.refused(f"/desk/sales/customers/{stranger}/identity/{links['form']}/undo", 404)
    assert [one.undone_by for one in workshop.rows(IdentityLink, rule="form")] == [""]
    at_desk("Wim").refused(f"{home}/{links['form']}/undo", 403)


def test_who_is_perhaps_the_same_is_decided_there(at_desk: AtDesk, workshop: Workshop, ask: Callable[..., Lead]) -> None:
    anna = ask().party_id

    def twin(session: Session) -> None:
        session.get_one(parties.Party, anna).phone_key = "+48221112233"
        other = parties.of_address(
            session, "b@example.test", name="Bert K.", phone="+48 22 111 22 33", language="", now=workshop.now
        )
        other.phone_key = "+48221112233"
        session.flush()
        collapsing.link_twins(session, other, "+48221112233", now=workshop.now)

    workshop.db.run(twin)
    [pair] = workshop.rows(PerhapsSame)
    bea, home = at_desk("Bea"), f"/desk/sales/customers/{anna}/identity"
    assert "Bert K." in bea.get(home)
    assert "The same person, says Bea" in bea.send(f"/desk/sales/same/{pair.id}", verdict="same", back=home)
    with workshop.db.read() as session:
        assert len(identity.find_same(session, anna)) == 2


def test_visits_are_read_part_by_part_in_one_statement(workshop: Workshop, ask: Callable[..., Lead]) -> None:
    anna, seen, before = ask().party_id, list[int](), ""
    know(workshop, anna)
    with workshop.db.read() as session:
        while True:
            with sent(workshop.db) as statements:
                part = identity_lists.find_visits(session, anna, before, size=1)
            assert len(statements) == 1
            seen += [one.visit.id for one in part.visits]
            if not (before := part.older):
                break
        assert sorted(seen) == sorted(one.id for one in workshop.rows(Visit))
        for typed in ("x", "-1", "9" * 30):
            assert len(identity_lists.find_visits(session, anna, typed).visits) == 2
