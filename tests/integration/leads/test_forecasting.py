"""The forecast over orders, beside what the plan can carry; enquiries weighted by their stage."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import sqlalchemy as sa
from click.testing import CliRunner
from sqlalchemy.orm import Session

from backoffice.cli import main
from backoffice.crm import forecasting, leads
from backoffice.crm.models import DemandForecast, Lead, Order
from backoffice.public.leads import LeadForm
from tests.company import item_id
from tests.conftest import NOW
from tests.integration.chain.conftest import Workshop
from tests.integration.chain.conftest import workshop as workshop
from tests.statements import sent


def bought(shop: Workshop, at: datetime, state: str = "placed", **lines: int) -> None:
    """Let an order have been placed then."""
    number = shop.buy(**lines).number
    change = sa.update(Order).where(Order.number == number).values(placed_at=at, state=state)
    shop.db.run(lambda session: session.execute(change))


def test_history_is_whole_months_of_the_company_since_the_first_sale(workshop: Workshop) -> None:
    bought(workshop, datetime(2026, 7, 31, 21, 30, tzinfo=UTC), STOOL=1)
    bought(workshop, datetime(2026, 8, 31, 22, 30, tzinfo=UTC), STOOL=1)  # half past midnight on 1 September in Berlin
    bought(workshop, datetime(2026, 10, 15, tzinfo=UTC), STOOL=2, TABLE=1)
    bought(workshop, NOW, STOOL=1)  # this month is not over
    with workshop.db.read() as session, sent(workshop.db) as said:
        stool, table = item_id(session, "STOOL"), item_id(session, "TABLE")
        assert forecasting.histories(session, now=NOW) == {stool: [1, 0, 1, 2], table: [1]}
    assert len([one for one in said if "order_line" in one]) == 1


def test_the_gap_is_what_is_expected_less_what_can_be_promised(workshop: Workshop) -> None:
    bought(workshop, datetime(2026, 10, 15, tzinfo=UTC), STOOL=4)
    assert forecasting.make(workshop.db, now=NOW) == 1
    assert forecasting.make(workshop.db, now=NOW) == 1  # again: the same rows
    with workshop.db.read() as session, sent(workshop.db) as said:
        (gap,) = forecasting.find_gaps(session)
        # one month of 4: so 4 a month, 12 until February; one stool is left and none is on its way
        rows = [(one.month_on, one.method, one.mean, one.low, one.until, one.deliverable) for one in gap.months]
        assert (gap.pieces, gap.worth_minor) == (11, 11 * 4_900)
    assert len([one for one in said if one.startswith("SELECT")]) == 1
    assert rows == [
        (date(2026, 12, 1), "short", 4.0, None, 4, 1),
        (date(2027, 1, 1), "short", 4.0, None, 8, 1),
        (date(2027, 2, 1), "short", 4.0, None, 12, 1),
    ]


def test_what_is_made_can_be_carried_as_far_as_its_work_centres_and_material_go(workshop: Workshop) -> None:
    bought(workshop, datetime(2026, 10, 15, tzinfo=UTC), TABLE=2)
    forecasting.make(workshop.db, now=NOW)
    with workshop.db.read() as session:
        (gap,) = forecasting.find_gaps(session)
        assert [(one.until, one.deliverable) for one in gap.months] == [(2, 2), (4, 4), (6, 6)]
        assert gap.pieces == 0


def test_forecasts_of_what_is_sold_no_more_go(workshop: Workshop) -> None:
    bought(workshop, datetime(2026, 10, 15, tzinfo=UTC), STOOL=1)
    forecasting.make(workshop.db, now=NOW)
    workshop.db.run(lambda session: session.execute(sa.update(Order).values(state="cancelled")))
    assert forecasting.make(workshop.db, now=NOW.replace(hour=9)) == 0
    with workshop.db.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(DemandForecast)) == 0
    workshop.db.run(lambda session: session.execute(sa.update(Order).values(state="placed")))


def test_open_enquiries_are_weighted_by_month(workshop: Workshop) -> None:
    form = LeadForm(
        key="1", kind="quote_request", name="A", email="a@example.test", phone="", message="?", sku="VASE", quantity="4"
    )
    for key, changes in enumerate(
        ({"needed_by_on": "2026-12-10"}, {"needed_by_on": "2026-12-20", "quantity": "6"}, {"sku": "TABLE", "quantity": "1"})
    ):
        of = changes | {"key": str(key), "email": f"a{key}@example.test"}
        workshop.db.run(lambda session, of=of: leads.submit(session, replace(form, **of), now=NOW))

    def judge(session: Session) -> None:
        session.execute(sa.update(Lead).where(Lead.quantity == 6).values(stage="qualified"))
        estimate = {"stage": "opportunity", "value_minor": 45_000, "currency": "EUR", "expected_on": date(2027, 1, 5)}
        session.execute(sa.update(Lead).where(Lead.sku == "TABLE").values(**estimate))

    workshop.db.run(judge)
    with workshop.db.read() as session, sent(workshop.db) as said:
        found = [(one.month, one.number, one.value_minor, one.weighted_minor) for one in forecasting.find_pipeline(session)]
    # December: 4 × 19.00 at 10 % and 6 × 19.00 at 30 %; its seller expects 450.00 of the table in January, at 60 %
    assert found == [(date(2026, 12, 1), 2, 19_000, 760 + 3_420), (date(2027, 1, 1), 1, 45_000, 27_000)]
    assert len(said) == 2


def test_the_command_judges_a_file(tmp_path: object) -> None:
    path = f"{tmp_path}/sold.csv"
    with open(path, "w", encoding="utf-8") as file:
        file.write("sku,month,quantity\n" + "".join(f"A,2026-{month:02},{1 + month % 2}\n" for month in range(1, 9)))
    said = CliRunner().invoke(main, ["plan", "forecast-backtest", "--csv", path])
    assert said.exit_code == 0, said.output
    assert [line.split()[0] for line in said.output.splitlines()] == ["class", "short"]
    with open(path, "w", encoding="utf-8") as file:
        file.write("a,b\n1,2\n")
    assert CliRunner().invoke(main, ["plan", "forecast-backtest", "--csv", path]).exit_code == 1
