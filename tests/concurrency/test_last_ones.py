"""Many buyers, few pieces, several web processes, PostgreSQL: nobody gets what is not there, nobody is left in doubt."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.config import Settings
from backoffice.crm.models import Order
from backoffice.db import Database
from backoffice.erp import models as t
from tests.buyers import at_once, buy
from tests.company import item_id, open_company
from tests.invariants import breaches

BUYERS, UNITS = 200, 50


@pytest.mark.postgresql
def test_two_hundred_buyers_at_once_for_fifty_units(
    postgres_db: Database, settings_for: Callable[..., Settings], processes: Callable[..., str]
) -> None:
    now = clock.utc_now()  # real processes run on the real clock
    postgres_db.run(lambda session: open_company(session, now=now, stools=UNITS))
    address = processes(settings_for(postgres_db.url), workers=3, threads=8)

    said = at_once([partial(buy, address, "stool", "STOOL", who) for who in range(BUYERS)])

    assert said == {"bought": UNITS, "refused": BUYERS - UNITS}
    with postgres_db.read() as session:
        stool = item_id(session, "STOOL")
        row = session.execute(sa.select(t.Stock).where(t.Stock.item_id == stool)).scalar_one()
        assert (row.on_hand, row.allocated, row.reserved) == (UNITS, UNITS, 0)
        assert session.scalar(sa.select(sa.func.count()).select_from(Order)) == UNITS
        states = session.execute(sa.select(t.Reservation.state, sa.func.count()).group_by(t.Reservation.state)).all()
        assert dict(map(tuple, states)) == {"converted": UNITS}
        assert breaches(session) == []


@pytest.mark.postgresql
def test_made_to_order_at_once_never_shares_a_minute(
    postgres_db: Database, settings_for: Callable[..., Settings], processes: Callable[..., str]
) -> None:
    now = clock.utc_now()
    postgres_db.run(lambda session: open_company(session, now=now))
    address = processes(settings_for(postgres_db.url), workers=3, threads=4)

    said = at_once([partial(buy, address, "table", "TABLE", who) for who in range(20)])

    # a day may move between the page and the pay button when others were faster; then the buyer is asked to look again
    assert said["bought"] + sum(count for what, count in said.items() if what.startswith("start 409")) == 20
    assert said["bought"] >= 1
    with postgres_db.read() as session:
        assert breaches(session) == []  # no slot overlaps another, pegs add up
        made = session.scalar(
            sa.select(sa.func.count())
            .select_from(t.ProductionOrder)
            .where(t.ProductionOrder.state == "planned", t.ProductionOrder.item_id == item_id(session, "TABLE"))
        )
        assert made == said["bought"]
