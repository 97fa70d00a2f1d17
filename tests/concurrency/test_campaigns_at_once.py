"""A campaign that two people send, two workers carry, or a third one stops at the same moment, on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
import sqlalchemy as sa

from backoffice.audit import AuditEntry
from backoffice.bootstrap import build
from backoffice.bridge.models import OutboxMessage
from backoffice.crm import campaign_sending, campaigns
from backoffice.crm.models import CampaignRecipient
from backoffice.db import Database
from backoffice.public.errors import Refused
from tests.company import open_company
from tests.conftest import FixedClock
from tests.integration.campaigns.conftest import Mailing

pytestmark = pytest.mark.postgresql
PEOPLE = tuple(f"p{number}" for number in range(40))


@pytest.fixture
def mailing(postgres_db: Database, settings_for: Callable[..., object], clock: FixedClock) -> Mailing:
    services = build(settings_for(postgres_db.url), clock=clock)  # type: ignore[arg-type] # a Settings
    services.db.run(lambda session: open_company(session, now=clock()))
    found = Mailing(services, clock)
    found.meet(*PEOPLE)
    return found


def at_once(*work: Callable[[], object]) -> list[object]:
    """Do all of it at the same moment; return what each gave, or the code of what was refused."""
    ready = Barrier(len(work))

    def one(do: Callable[[], object]) -> object:
        ready.wait(timeout=30)
        try:
            return do()
        except Refused as refused:
            return refused.code

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(one, work))


def test_two_send_it_and_two_workers_carry_it(mailing: Mailing) -> None:
    draft = mailing.write()
    said = at_once(*(partial(mailing.send, draft, by=f"{name}@werk.test") for name in ("bea", "carl")))
    assert sorted(one for one in said if isinstance(one, str)) == ["wrong_state"]
    queued = at_once(*[mailing.queue] * 3)
    assert sum(int(str(one)) for one in queued) == 40
    with mailing.db.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(CampaignRecipient)) == 40
        assert session.scalar(sa.select(sa.func.count()).select_from(OutboxMessage)) == 40
        assert session.scalars(sa.select(AuditEntry.action)).all() == ["campaign.send"]
    at_once(*[mailing.carry] * 2)
    assert sorted(str(one["to"]) for one in mailing.sent) == sorted(f"{name}@post.test" for name in PEOPLE)


def test_two_campaigns_reach_for_the_same_person(mailing: Mailing) -> None:
    drafts = [mailing.write("One"), mailing.write("Two")]
    for one in drafts:
        mailing.send(one)
    mailing.queue()
    with mailing.db.read() as session:
        of = sa.select(CampaignRecipient.id).order_by(CampaignRecipient.party_id, CampaignRecipient.campaign_id)
        rows = session.scalars(of).all()

    def take(recipient_id: int) -> bool:
        work = partial(campaign_sending.take, recipient_id=recipient_id, secret_key="k", now=mailing.clock())
        return mailing.db.run(work) is not None

    for at in range(0, len(rows), 2):
        assert sorted(at_once(*(partial(take, one) for one in rows[at : at + 2]))) == [False, True]


def test_stopped_while_it_is_carried(mailing: Mailing) -> None:
    draft = mailing.write()
    mailing.send(draft)
    mailing.queue()
    stop = partial(campaigns.stop, campaign_id=draft.id, by="bea@werk.test", now=mailing.clock())
    _carried, stopped = at_once(mailing.carry, lambda: mailing.db.run(stop))
    states = list(mailing.rows(draft).values())
    assert states.count(("sent", "")) == len(mailing.sent) == 40 - int(str(stopped))
    assert states.count(("left_out", "stopped")) == int(str(stopped))
