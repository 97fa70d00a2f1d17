"""Stages, values and reasons: who may move what, what two at once are told, what is kept of a lost one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import pytest
import sqlalchemy as sa

from backoffice import events
from backoffice.crm import follow_ups, leads, lost_reasons, pipeline
from backoffice.crm.models import Activity, Lead, LostReason
from backoffice.crm.pipeline import STAGE_MOVES, STAGES
from backoffice.db import Database
from backoffice.public.errors import BadInput, Refused
from tests.integration.leads.conftest import Person

Submit = Callable[..., Lead]


def lead_of(shop: Database) -> Lead:
    """Return the first enquiry."""
    with shop.read() as session:
        return session.get_one(Lead, 1)


def test_every_stage_can_be_reached_and_left_and_the_database_knows_the_same() -> None:
    reached, fringe = {"lead"}, ["lead"]
    while fringe:
        fringe += (new := sorted(STAGE_MOVES[fringe.pop()] - reached))
        reached |= set(new)
    check = next(one for one in Lead.__table__.constraints if one.name == "ck_lead_stage")
    named = str(check.sqltext).split("(", 1)[1].rstrip(")").replace("'", "").split(", ")
    assert reached == set(STAGES) == set(named) == STAGE_MOVES.keys()
    assert all(stage not in after and after for stage, after in STAGE_MOVES.items())


def test_moving_takes_what_nobody_has_and_leaves_a_colleagues_alone(
    shop: Database, submit: Submit, bea: Person, carl: Person, now: datetime
) -> None:
    submit()
    lead = shop.run(lambda s: pipeline.move(s, 1, "opportunity", staff=bea, version=1, now=now))
    assert (lead.stage, lead.state, lead.owner_id, lead.version) == ("opportunity", "working", bea.id, 2)
    with pytest.raises(Refused) as refused:
        shop.run(lambda s: pipeline.move(s, 1, "lead", staff=carl, version=2, now=now))
    assert (refused.value.code, refused.value.details["owner"]) == ("wrong_state", "Bea")
    with pytest.raises(Refused, match="stale"):
        shop.run(lambda s: pipeline.move(s, 1, "lead", staff=bea, version=1, now=now))
    with pytest.raises(BadInput):
        shop.run(lambda s: pipeline.move(s, 1, "won", staff=bea, version=2, now=now))
    assert (lead_of(shop).stage, lead_of(shop).version) == ("opportunity", 2)
    again = shop.run(lambda s: pipeline.move(s, 1, "opportunity", staff=carl, version=1, now=now))
    assert again.version == 2  # it is there already
    with shop.read() as session:
        assert session.scalars(sa.select(Activity.values).where(Activity.kind == "moved")).all() == [
            {"from": "lead", "stage": "opportunity"}
        ]


def test_an_answered_one_stays_its_owners_when_a_colleague_moves_it(
    shop: Database, submit: Submit, bea: Person, carl: Person, now: datetime, mails: list[events.MailWanted]
) -> None:
    submit()
    shop.run(lambda s: leads.answer(s, 1, "Yes.", staff=bea, version=1, now=now))
    lead = shop.run(lambda s: pipeline.move(s, 1, "qualified", staff=carl, version=2, now=now))
    assert (lead.stage, lead.state, lead.owner_id) == ("qualified", "answered", bea.id)


def test_a_value_has_the_companys_currency_and_a_day_to_come(shop: Database, submit: Submit, bea: Person, now: datetime) -> None:
    submit()
    for _ in range(2):  # the same form twice is one
        lead = shop.run(
            lambda s: pipeline.estimate(s, 1, value_minor=129_900, expected_on=date(2026, 12, 15), staff=bea, version=1, now=now)
        )
    assert (lead.value_minor, lead.currency, lead.expected_on, lead.version) == (129_900, "EUR", date(2026, 12, 15), 2)
    for wrong, field in (
        ((-1, None), "value"),
        ((10, date(2026, 11, 23)), "expected_on"),
        ((10, date(2029, 1, 1)), "expected_on"),
    ):
        with pytest.raises(BadInput) as refused:
            shop.run(
                lambda s, w=wrong: pipeline.estimate(s, 1, value_minor=w[0], expected_on=w[1], staff=bea, version=2, now=now)
            )
        assert list(refused.value.fields) == [field]
    assert lead_of(shop).value_minor == 129_900


def test_a_lost_one_keeps_its_stage_and_its_reason_until_money_comes_after_all(
    shop: Database, submit: Submit, bea: Person, now: datetime
) -> None:
    submit()
    reasons = [
        shop.run(lambda s, n=name: lost_reasons.save(s, None, name=n, position=1, active=True, by="ada", now=now)).id
        for name in ("Too dear", "Too late")
    ]
    shop.run(lambda s: lost_reasons.save(s, reasons[1], name="Too late", position=1, active=False, by="ada", now=now))
    shop.run(lambda s: pipeline.move(s, 1, "opportunity", staff=bea, version=1, now=now))
    with pytest.raises(BadInput) as refused:
        shop.run(lambda s: follow_ups.lose(s, 1, "", reason_id=reasons[1], staff=bea, version=2, now=now))
    assert refused.value.fields == {"reason": "bad_choice"}
    for _ in range(2):
        lead = shop.run(
            lambda s: follow_ups.lose(
                s, 1, "Wanted oak at the price of pine", reason_id=reasons[0], staff=bea, version=2, now=now
            )
        )
    assert (lead.stage, lead.outcome, lead.lost_reason_id, lead.version) == ("opportunity", "lost", reasons[0], 3)
    with shop.read() as session:
        told = session.scalars(sa.select(Activity.text).where(Activity.kind == "lost")).all()
        counted = session.execute(
            sa.select(LostReason.name, sa.func.count()).join(Lead, Lead.lost_reason_id == LostReason.id).group_by(LostReason.name)
        ).all()
    assert told == ["Too dear: Wanted oak at the price of pine"]
    assert [tuple(one) for one in counted] == [("Too dear", 1)]
    shop.run(lambda s: follow_ups.on_order_placed(s, events.OrderPlaced("SF-1", 1, 1, 1, now)))
    assert (lead_of(shop).outcome, lead_of(shop).lost_reason_id) == ("won", None)


def test_probabilities_are_the_companys_where_it_has_said_them(shop: Database, now: datetime) -> None:
    with shop.read() as session:
        assert pipeline.probabilities(session) == {"lead": 10, "qualified": 30, "opportunity": 60}
    for _ in range(2):
        shop.run(
            lambda s: pipeline.set_probabilities(s, {"lead": 5, "qualified": 40, "opportunity": 75}, by="ada@werk.test", now=now)
        )
    with pytest.raises(BadInput):
        shop.run(lambda s: pipeline.set_probabilities(s, {"lead": 5, "qualified": 101, "opportunity": 75}, by="ada", now=now))
    with shop.read() as session:
        assert pipeline.probabilities(session) == {"lead": 5, "qualified": 40, "opportunity": 75}
