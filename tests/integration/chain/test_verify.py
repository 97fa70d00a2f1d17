"""What `shopfloor verify` finds: nothing in a shop that is well, and each planted breach, by its ids, with nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from sqlalchemy.orm import Session

from backoffice import bootstrap, migrate, verify
from backoffice.bootstrap import Services
from backoffice.cli import main
from backoffice.clock import utc_now
from backoffice.crm.models import OrderLine
from backoffice.db import table_of
from backoffice.erp import models as t
from backoffice.payments import billing
from backoffice.verify.models import Verification
from backoffice.web import deploy_check
from backoffice.web.metrics import Waiting
from tests.company import open_company
from tests.integration.chain.conftest import Workshop

# what is planted → what is found, in the order of the rules
PLANTED = {
    "UPDATE stock SET on_hand = on_hand + 1 WHERE item_id = 1": ["I1 item 1 in warehouse 1: 6 on hand, the ledger has 5"],
    "UPDATE stock SET reserved = 2 WHERE item_id = 1": [
        "I2 item 1 in warehouse 1: 2 reserved, holds have 1; 2 allocated, orders have 2"
    ],
    "UPDATE stock SET allocated = 1 WHERE item_id = 1": [
        "I2 item 1 in warehouse 1: 1 reserved, holds have 1; 1 allocated, orders have 2"
    ],
    "UPDATE peg SET quantity = 1 WHERE reservation_id = 1": [
        "I2 item 1 in warehouse 1: 1 reserved, holds have 1; 2 allocated, orders have 1",
        "I2 reservation 1 (converted) of 2 stands on 1",
    ],
    "UPDATE reservation SET state = 'released' WHERE id = 1": [
        "I2 item 1 in warehouse 1: 1 reserved, holds have 1; 2 allocated, orders have 0",
        "I2 peg 1 (stock, 2) was left behind by reservation 1",
        "I2 order {stools}, line 1: its goods are released, kept for {stools}",
    ],
    "UPDATE stock SET allotted = 1 WHERE item_id = 1": ["I2 stock 1, item 1: 1 kept for classes, their allotments have 0"],
    "UPDATE purchase_order_line SET allotted = 2 WHERE id = 1": [
        "I3 purchase order line 1, item 3: 2 kept for classes, their allotments have 0"
    ],
    "UPDATE purchase_order_line SET pegged = pegged + 1 WHERE id = (SELECT min(id) FROM purchase_order_line)": [
        "I3 purchase order line 1, item 3: 1 promised, pegs have 0"
    ],
    "UPDATE production_order SET pegged = 0 WHERE id = 1": ["I3 production order 1, item 4: 0 promised, pegs have 4"],
    "INSERT INTO operation_slot (production_order_id, work_centre_id, position, lane, starts_at, ends_at)"
    " SELECT production_order_id, work_centre_id, position + 1, lane, starts_at, ends_at FROM operation_slot WHERE id = 1": [
        "I3 slot 3 overlaps another in lane 0 of work centre 2",
        "I3 slot 3, step 1 of production order 1, begins before the step before it ends",
    ],
    "UPDATE orders SET total_minor = total_minor - 1 WHERE id = 1": [
        "I5 order {stools}: 10299 EUR in all, its parts make 10300",
        "I5 order {stools}: 10299 EUR, paid were 10300 EUR",
    ],
    "UPDATE orders SET currency = 'SEK' WHERE id = 1": ["I5 order {stools}: 10300 SEK, paid were 10300 EUR"],
    "UPDATE payment SET refunded_minor = 5 WHERE id = 1": ["I5 payment 1: 5 EUR given back, its refunds make 0"],
    "UPDATE payment SET state = 'expired' WHERE id = 1": ["I4 order {stools} stands on payment 1, which is expired"],
    "UPDATE orders SET payment_id = 77 WHERE id = 1": [
        "I4 payment 1 of 10300 EUR became no order, and 0 went back",
        "I4 order {stools} stands on payment 77, which is missing",
    ],
    "UPDATE reservation SET state = 'paying' WHERE state = 'held'": [
        "I4 reservation 3: 1 are kept for cart:3, which pays for nothing"
    ],
    "UPDATE checkout SET state = 'open' WHERE id = 1": ["I6 checkout 1 is open, its order is {stools}"],
    "UPDATE outbox_message SET sequence = 9 WHERE id = 1": ["I9 mail of order:{stools}: 1 messages, the last is number 9"],
    "INSERT INTO external_ref (system, kind, their_id, our_id, fingerprint)"
    " VALUES ('erp', 'orders', 'SO-1', 1, ''), ('erp', 'orders', 'SO-2', 1, '')": [
        "I8 order {stools} is bound to 2 orders of the ERP"
    ],
    "UPDATE outbox_message SET target = 'erp', kind = 'placed', state = 'done' WHERE id = 1": [
        "I8 order {stools} was handed to the ERP, and its number there is not known"
    ],
    "UPDATE order_line SET earliest_on = '2027-01-04' WHERE id = 1": [
        "I10 order {stools}, line 1: promised for {day}, and the plan permits 2027-01-04"
    ],
    "UPDATE order_line SET promise = '{}' WHERE id = 1": [
        "I10 order {stools}, line 1 does not say as of which plan it was promised"
    ],
    "UPDATE order_line SET moved_cause = '{\"code\": \"receipt_later\"}', expected_on = '2027-01-04' WHERE id = 1": [
        "I10 order {stools}, line 1: {day} became 2027-01-04, and nobody was told"
    ],
    'UPDATE order_line SET moved_cause = \'{"code": "paid_too_late_to_begin"}\' WHERE id = 1': [],  # the confirmation says it
    "UPDATE orders SET placed_at = '2026-11-24 08:05:00+00' WHERE id = 1": [],  # clocks may differ so much
    "UPDATE orders SET placed_at = '2026-11-24 08:05:01+00' WHERE id = 1": [
        "I17 order 1 happened at 2026-11-24 08:05:01, which is yet to come"
    ],
    "UPDATE party SET name = '–', email = NULL WHERE id = 1": [],  # somebody without a name was not forgotten for that
    "UPDATE offer SET listed = true, valid_until = '2027-01-01 00:00:00+00' WHERE item_id = 2": [
        "I11 item 2 (VASE) is shown as buyable, and no warehouse has a piece of it to give"
    ],
    "UPDATE shipment SET state = 'packed' WHERE id = 1": ["I12 parcel {parcel}, item 1: 0 of 2 picked, and yet packed"],
}


@pytest.fixture
def busy(services: Services, now: object) -> Workshop:
    """A workshop with an order from stock, one that is made, and a cart."""
    shop = Workshop(services, now)  # type: ignore[arg-type]  # the fixture's instant
    services.db.run(lambda session: open_company(session, now=shop.now))
    shop.buy(STOOL=2)
    shop.buy(TABLE=4)
    billing.issue_due(services.db, now=shop.now)
    shop.cart(STOOL=1)
    return shop


def found(shop: Workshop) -> list[str]:
    with shop.db.read() as session:
        return list(verify.breaches(session, now=shop.now))


def test_a_shop_that_is_well_breaks_no_rule(busy: Workshop) -> None:
    assert found(busy) == []


def test_a_planted_breach_is_found_by_its_ids(busy: Workshop) -> None:
    number, parcel = busy.orders()[0].number, busy.rows(t.Shipment)[0].number
    named = {"stools": number, "parcel": parcel, "day": busy.rows(OrderLine)[0].promised_on}
    expected = {plant: [line.format(**named) for line in lines] for plant, lines in PLANTED.items()}
    seen = {}
    for plant in PLANTED:
        with Session(busy.db.engine) as session:  # and nothing of it stays
            session.execute(sa.text(plant))
            seen[plant] = list(verify.breaches(session, now=busy.now))
    assert seen == expected
    assert found(busy) == []


def test_movements_without_a_total_are_found(busy: Workshop) -> None:
    def lose(session: Session) -> None:
        session.execute(sa.text("DELETE FROM stock WHERE item_id = 1"))

    busy.db.run(lose)
    assert found(busy)[0] == "I1 item 1 in warehouse 1: 1 movements and no total"


def test_a_message_that_nobody_carries_is_found_after_a_quarter_of_an_hour(busy: Workshop) -> None:
    with busy.db.read() as session:
        assert verify.breaches(session, now=busy.now + timedelta(minutes=15)) == []
        late = verify.breaches(session, now=busy.now + timedelta(minutes=15, seconds=1))
    assert [line.split(" (")[0] for line in late] == ["I9 message 1", "I9 message 2"]


def test_of_many_breaches_the_first_are_said_and_the_rest_counted(busy: Workshop) -> None:
    def plant(session: Session) -> None:
        rows = [{"number": f"PX-{n}", "supplier_id": 1, "ordered_at": utc_now()} for n in range(25)]
        session.execute(sa.insert(table_of(t.PurchaseOrder)), rows)
        ids = session.scalars(sa.select(t.PurchaseOrder.id).where(t.PurchaseOrder.number.in_([row["number"] for row in rows])))
        lines = [
            {"purchase_order_id": one, "item_id": 1, "quantity": 5, "pegged": 1, "due_at": busy.now + timedelta(days=9)}
            for one in ids
        ]
        session.execute(sa.insert(table_of(t.PurchaseOrderLine)), lines)

    busy.db.run(plant)
    assert len(found(busy)) == 21
    assert found(busy)[-1] == "I3 … and 5 more"


def test_the_worker_logs_what_it_finds(busy: Workshop, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify.verify(busy.db, now=busy.now) == 0
    busy.db.run(lambda session: session.execute(sa.text("UPDATE payment SET refunded_minor = 5 WHERE id = 1")))
    assert verify.verify(busy.db, now=busy.now) == 1
    said = "I5 payment 1: 5 EUR given back, its refunds make 0"
    assert said in "".join(capsys.readouterr())
    assert [(one.at, one.found, one.breaches) for one in busy.rows(Verification)] == [(busy.now, 0, []), (busy.now, 1, [said])]


def test_what_the_nightly_job_finds_is_a_finding_and_a_figure(busy: Workshop, services: Services) -> None:
    [job] = [job for job in bootstrap.periodic(services) if job.name == "verify"]
    assert job.aside
    assert job.next_at
    with busy.db.read() as session:  # at three where the shop is: Berlin, an hour before UTC
        assert job.next_at(session, busy.now) == datetime(2026, 11, 25, 2, tzinfo=UTC)
    busy.db.run(lambda session: session.execute(sa.text("UPDATE payment SET refunded_minor = 5 WHERE id = 1")))
    job.run(busy.now)
    with busy.db.read() as session:
        figures = {
            one.name: one.samples[0].value for one in Waiting(session, busy.now + timedelta(minutes=1)).collect() if one.samples
        }
    assert (figures["shopfloor_breaches"], figures["shopfloor_verify_age_seconds"]) == (1, 60)
    named = [
        one.what_to_do for one in deploy_check.findings(services.settings, busy.db, now=busy.now) if one.name == "does_not_add_up"
    ]
    assert named == [
        "The last check of all figures (2026-11-24 08:00 UTC) found 1 breaches, the first: I5 payment 1: 5 EUR given back, "
        "its refunds make 0. shopfloor verify names them all."
    ]
    busy.db.run(lambda session: session.execute(sa.text("UPDATE payment SET refunded_minor = 0 WHERE id = 1")))


def test_the_command_says_each_breach_and_fails(busy: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPFLOOR_DATABASE_URL", busy.db.url)
    with busy.db.engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE IF NOT EXISTS alembic_version (version_num TEXT)"))
        connection.execute(sa.text("DELETE FROM alembic_version"))  # another test may have left a row in this database
        connection.execute(sa.text("INSERT INTO alembic_version VALUES (:head)"), {"head": migrate.head()})
        connection.execute(sa.text("UPDATE outbox_message SET available_at = :now"), {"now": "2999-01-01 00:00:00"})
    well = CliRunner().invoke(main, ["verify"])
    assert (well.exit_code, well.output) == (0, f"All {len(verify.RULES)} rules hold.\n")
    busy.db.run(lambda session: session.execute(sa.text("UPDATE payment SET refunded_minor = 5 WHERE id = 1")))
    broken = CliRunner().invoke(main, ["verify"])
    assert (broken.exit_code, broken.output) == (1, "I5 payment 1: 5 EUR given back, its refunds make 0\n")
