"""Scores are kept: from the promise engine's own day, with their reasons, and anew when what they rest on has changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import score_keeping
from backoffice.crm.models import Lead
from backoffice.db import Database
from backoffice.erp import plan

Submit = Callable[..., Lead]


def lead_of(shop: Database, lead_id: int) -> Lead:
    with shop.read() as session:
        return session.get_one(Lead, lead_id)


def test_a_score_says_why(shop: Database, submit: Submit, now: datetime) -> None:
    lead_id = submit().id
    assert score_keeping.score_open(shop, now=now) == 1
    lead = lead_of(shop, lead_id)
    assert [(one["reason"], one["points"]) for one in lead.score_parts] == [
        ("names_an_item", 5),
        ("telephone", 5),
        ("in_time", 25),
    ]
    assert (lead.score, lead.version) == (35, 1)  # whoever has it open is not refused


def test_what_cannot_be_had_by_then_is_said(shop: Database, submit: Submit, now: datetime) -> None:
    lead_id = submit(needed_by_on="2026-11-24").id
    score_keeping.score_open(shop, now=now)
    [*_, last] = lead_of(shop, lead_id).score_parts
    assert (last["group"], last["reason"]) == ("feasibility", "few_days_late")
    assert last["day"] > "2026-11-24"


def test_a_score_stands_until_the_lead_the_plan_or_the_day_is_another(shop: Database, submit: Submit, now: datetime) -> None:
    submit()
    submit(key="k2", sku="", kind="contact")
    score = score_keeping.score_open
    assert [score(shop, now=now), score(shop, now=now)] == [2, 0]
    submit(key="k3", message="And on carpet?")
    assert score(shop, now=now) == 1
    shop.run(lambda session: plan.bump(session, master=True))
    assert [score(shop, now=now), score(shop, now=now + timedelta(days=1))] == [1, 2]  # who asks for no item knows no plan


def test_a_turn_does_so_much_and_no_lead_waits_for_ever(
    shop: Database, submit: Submit, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score_keeping, "MOST", 3)
    monkeypatch.setattr(score_keeping, "BATCH", 2)
    for one in range(7):
        submit(key=f"k{one}", email=f"p{one}@example.test")

    def turn(*changed: int) -> list[int]:
        """Let the plan move, somebody write to some leads, and the worker have its turn; return whom it scored."""

        def move(session: Session) -> None:
            plan.bump(session, master=True)
            session.execute(sa.update(Lead).where(Lead.id.in_(changed)).values(version=Lead.version + 1))

        shop.run(move)
        before = {row.id: row.scored_for for row in rows()}
        assert score_keeping.score_open(shop, now=now) == 3
        return [row.id for row in rows() if row.scored_for != before[row.id]]

    def rows() -> list[Lead]:
        with shop.read() as session:
            return list(session.scalars(sa.select(Lead).order_by(Lead.id)))

    assert [turn(), turn(), turn()] == [[5, 6, 7], [2, 3, 4], [1, 6, 7]]
    assert [turn(), turn(6)] == [[3, 4, 5], [2, 6, 7]]  # whom somebody wrote to comes first, then those scored longest ago
