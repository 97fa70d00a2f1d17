"""A campaign's letters: who gets one, who does not and why, once each, and only while they allow it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.bridge import outbox
from backoffice.bridge.models import OutboxMessage
from backoffice.bridge.outbox import Undeliverable
from backoffice.bridge.smtp import NotNow
from backoffice.crm import audience, campaign_sending, campaigns, identity, segments
from backoffice.crm.models import Campaign, CampaignRecipient, IdentityLink, Segment
from backoffice.crm.segment_rules import Condition
from backoffice.erp import plan
from backoffice.erp.models import Company
from backoffice.public.errors import BadInput, Refused
from tests import statements
from tests.forgetting import forget
from tests.integration.campaigns.conftest import TEXTS, Mailing

EVERYBODY = [Condition("visits", "at_least", 0)]


def counted(mailing: Mailing) -> tuple[int, dict[str, int]]:
    with mailing.db.read() as session:
        found = audience.count(session, "all", EVERYBODY, now=mailing.clock())
    return found.reached, dict(found.left_out)


def test_a_letter_leaves_once_in_everybodys_language(mailing: Mailing) -> None:
    mailing.meet("ada", "bob")
    mailing.meet("cem", language="de")
    mailing.meet("dia", language="fr")
    mailing.meet("eve", allowed=False)
    mailing.meet("fay", confirmed=False)
    assert counted(mailing) == (4, {"no_consent": 2})
    draft = mailing.write()
    mailing.send(draft)
    assert mailing.queue() == 4
    assert mailing.queue() == 0
    assert mailing.carry() == ["ada", "bob", "cem", "dia"]
    assert (mailing.queue(), mailing.carry(), mailing.state(draft)) == (0, [], "sent")
    by = {str(one["to"]): one for one in mailing.sent}
    ada, cem, dia = by["ada@post.test"], by["cem@post.test"], by["dia@post.test"]
    traced = "utm_source=newsletter&utm_medium=email&utm_campaign=oak-in-autumn"
    assert (ada["subject"], ada["language"]) == ("New in oak, Ada", "en")
    assert ada["body"] == f"Hello Ada,\n\nsee https://shop.test/?{traced} or https://else.test/?a=1\n\nWerk"
    assert (cem["subject"], cem["language"]) == ("Neu in Eiche", "de")
    assert cem["body"] == f"Guten Tag Cem,\n\nhier: https://shop.test/de?{traced}"
    assert cem["unsubscribe"].startswith("https://shop.test/de/unsubscribe/")
    assert (dia["subject"], dia["language"]) == ("New in oak, Dia", "en")  # no text in theirs: the company's
    left_out = ("left_out", "no_consent")
    assert {name: row for name, row in mailing.rows(draft).items() if name in ("ada", "eve", "fay")} == {
        "ada": ("sent", ""),
        "eve": left_out,
        "fay": left_out,
    }


def test_consent_withdrawn_between_start_and_sending(mailing: Mailing) -> None:
    mailing.meet("ada", "bob", "cem")
    draft = mailing.write()
    mailing.send(draft)
    mailing.withdraw("ada")  # before anybody was looked at
    assert mailing.queue() == 2
    mailing.withdraw("bob")  # the mail is in the outbox
    assert mailing.carry() == ["cem"]
    assert mailing.rows(draft) == {
        "ada": ("left_out", "withdrawn"),
        "bob": ("left_out", "withdrawn"),
        "cem": ("sent", ""),
    }
    mailing.queue()
    assert mailing.state(draft) == "sent"


def test_what_one_of_two_linked_parties_took_back_holds_for_the_person(mailing: Mailing) -> None:
    mailing.meet("ada", "adda")
    one, other = mailing.party("ada"), mailing.party("adda")
    mailing.clock.advance(hours=1)
    mailing.withdraw("ada")
    assert counted(mailing) == (1, {"withdrawn": 1})

    def link(session: Any) -> None:
        session.add(IdentityLink(party_id=one, other_id=other, rule="phone", made_at=mailing.clock()))
        session.flush()
        identity._regroup(session, [one, other])

    mailing.db.run(link)
    assert counted(mailing) == (0, {"withdrawn": 1})


def test_the_cap(mailing: Mailing) -> None:
    mailing.meet("ada", "bob")
    first, second = mailing.write("First"), mailing.write("Second")
    mailing.send(first)
    mailing.send(second)
    mailing.queue()  # both are in the outbox before either has left
    assert mailing.carry() == ["ada", "bob"]
    assert mailing.rows(first) == {"ada": ("sent", ""), "bob": ("sent", "")}
    assert mailing.rows(second) == {"ada": ("left_out", "had_one"), "bob": ("left_out", "had_one")}
    mailing.clock.advance(days=7, seconds=-1)
    mailing.meet("cem")
    assert counted(mailing) == (1, {"had_one": 2})
    mailing.clock.advance(seconds=1)
    assert counted(mailing) == (3, {})
    third = mailing.write("Third")
    mailing.send(third)
    mailing.queue()
    assert mailing.carry() == ["ada", "bob", "cem"]
    assert counted(mailing) == (0, {"had_one": 3})

    def no_limit(session: Any) -> None:
        session.execute(sa.update(Company).values(campaign_days=0))
        plan.bump(session, master=True)

    mailing.db.run(no_limit)
    assert counted(mailing) == (3, {})


def test_what_has_not_left_does_not_leave_after_a_stop(mailing: Mailing) -> None:
    mailing.meet(*(f"p{number}" for number in range(campaign_sending.AT_ONCE + 5)))
    draft = mailing.write()
    mailing.send(draft)
    assert mailing.queue() == campaign_sending.MOST_WAITING  # the outbox holds no more: mails about orders pass in between
    assert mailing.queue() == 0
    stopped = mailing.db.run(lambda session: campaigns.stop(session, draft.id, by="carl@werk.test", now=mailing.clock()))
    again = mailing.db.run(lambda session: campaigns.stop(session, draft.id, by="carl@werk.test", now=mailing.clock()))
    assert (stopped, again) == (100, 0)
    assert set(mailing.rows(draft).values()) == {("left_out", "stopped")}
    assert (mailing.queue(), mailing.carry(), mailing.state(draft)) == (0, [], "stopped")
    assert set(mailing.rows(draft).values()) == {("left_out", "stopped")}
    with pytest.raises(Refused) as refused:
        mailing.send(draft, version=3)
    assert refused.value.code == "wrong_state"


def test_a_letter_whose_worker_died_is_asked_about_again(mailing: Mailing) -> None:
    mailing.meet("ada")
    draft = mailing.write()
    mailing.send(draft)
    mailing.queue()

    def take() -> bool:
        work = partial(campaign_sending.take, recipient_id=1, secret_key="k", now=mailing.clock())
        return mailing.db.run(work) is not None

    assert (take(), take()) == (True, True)  # the worker died with the mail in hand: the next one hands it in, same number
    mailing.db.run(lambda session: campaigns.stop(session, draft.id, by="carl@werk.test", now=mailing.clock()))
    assert (take(), mailing.rows(draft)) == (False, {"ada": ("left_out", "stopped")})


def test_it_waits_for_its_start_and_the_segment_of_then(mailing: Mailing) -> None:
    mailing.meet("ada")
    draft = mailing.write(starts_at=mailing.clock() + timedelta(hours=1))
    mailing.send(draft)
    mailing.db.run(lambda session: session.execute(sa.delete(Segment)))  # gone meanwhile: what was confirmed stands
    assert mailing.queue() == 0
    mailing.clock.advance(hours=1)
    mailing.meet("bob")
    assert mailing.queue() == 2


@pytest.mark.parametrize(("gone", "code"), [(True, "segment_gone"), (False, "nobody_to_write_to")])
def test_nothing_is_sent_to_no_segment_or_to_nobody(mailing: Mailing, gone: bool, code: str) -> None:
    mailing.meet("eve", allowed=False)
    draft = mailing.write()
    if gone:
        mailing.db.run(lambda session: session.execute(sa.delete(Segment)))
    with pytest.raises(Refused) as refused:
        mailing.send(draft)
    assert (refused.value.code, mailing.state(draft), mailing.queue()) == (code, "draft", 0)


def test_a_refused_address_is_left_out_and_a_busy_server_is_tried_again(mailing: Mailing) -> None:
    mailing.meet("ada")
    draft = mailing.write()
    mailing.send(draft)
    mailing.queue()
    mailing.refuse = NotNow("later")
    assert (mailing.carry(), mailing.rows(draft)) == ([], {"ada": ("waiting", "")})
    mailing.clock.advance(hours=1)
    mailing.refuse = Undeliverable("no such person")
    assert (mailing.carry(), mailing.rows(draft)) == ([], {"ada": ("left_out", "undeliverable")})
    mailing.queue()
    assert mailing.state(draft) == "sent"
    mailing.refuse = None
    mailing.db.run(lambda session: outbox.replay(session, 1, now=mailing.clock()))  # its dead letter, tried by a person
    assert (mailing.carry(), mailing.rows(draft)) == (["ada"], {"ada": ("sent", "")})


def test_a_consent_that_is_withdrawn_between_two_tries(mailing: Mailing) -> None:
    mailing.meet("ada")
    draft = mailing.write()
    mailing.send(draft)
    mailing.queue()
    mailing.refuse = NotNow("later")
    mailing.carry()
    mailing.refuse = None
    mailing.withdraw("ada")
    mailing.clock.advance(hours=1)
    assert (mailing.carry(), mailing.rows(draft)) == ([], {"ada": ("left_out", "withdrawn")})


def test_somebody_who_was_forgotten_meanwhile_gets_nothing(mailing: Mailing) -> None:
    mailing.meet("ada")
    draft = mailing.write()
    mailing.send(draft)
    mailing.queue()
    ada, now = mailing.party("ada"), mailing.clock()
    forget(mailing.db, ada, now=now)
    assert mailing.carry() == []
    with mailing.db.read() as session:
        row = session.scalars(sa.select(CampaignRecipient)).one()
        assert (row.state, row.reason, row.consent_id, row.party_id) == ("left_out", "withdrawn", None, ada)
    mailing.queue()
    assert mailing.state(draft) == "sent"


def test_a_batch_is_a_few_statements_however_many_there_are(mailing: Mailing) -> None:
    mailing.meet(*(f"p{number}" for number in range(3)))
    mailing.meet(*(f"q{number}" for number in range(160)), allowed=False)
    draft = mailing.write()
    mailing.send(draft)
    before = statements.count(mailing.db, mailing.queue)
    assert before <= 32  # the due ones, then two batches and a look at the end; one letter or a hundred are the same
    with mailing.db.read() as session:
        assert session.get_one(Campaign, draft.id).expected == 163
        assert session.scalar(sa.select(sa.func.count()).select_from(OutboxMessage)) == 3


def test_every_state_is_reached_and_left_as_the_table_says() -> None:
    reached, todo = {"draft"}, ["draft"]
    while todo:
        for state in campaigns.MOVES[todo.pop()]:
            assert state in campaigns.MOVES
            if state not in reached:
                reached.add(state)
                todo.append(state)
    assert reached == set(campaigns.MOVES) == {"draft", "sending", "sent", "stopped"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " – "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"segment_id": None}, "segment_id"),
        ({"texts": {"en": {"subject": "", "body": "x"}}}, "subject-en"),
        ({"texts": {"en": {"subject": "x", "body": " "}}}, "body-en"),
        ({"texts": {"en": {"subject": "x", "body": "Hello {name}"}}}, "body-en"),
        ({"texts": {"en": {"subject": "{link}", "body": "x"}}}, "subject-en"),
        ({"texts": {"en": TEXTS["en"], "de": {"subject": "", "body": "x"}}}, "subject-de"),
        ({"texts": {"de": TEXTS["de"]}, "own": "de"}, ""),
    ],
)
def test_what_makes_no_letter_is_refused(mailing: Mailing, changes: dict[str, Any], field: str) -> None:
    if not field:
        assert mailing.write(**changes).texts == {"de": TEXTS["de"]}
        return
    with pytest.raises(BadInput) as refused:
        mailing.write(**changes)
    assert list(refused.value.fields) == [field]
    with mailing.db.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Campaign)) == 0


def test_two_campaigns_have_two_names(mailing: Mailing) -> None:
    mailing.write("Oak, in autumn!")
    with pytest.raises(Refused) as refused:
        mailing.write("oak in  autumn")
    assert refused.value.code == "name_taken"
    assert segments.LONGEST_NAME == 100
