"""R20, small: the books of an hour ago are put back; what was paid since is an order again, and the outside ERP has each once."""

from __future__ import annotations

from collections.abc import Callable

from backoffice import bootstrap, verify
from backoffice.config import Settings
from backoffice.crm.models import Order
from backoffice.db import Database
from backoffice.local.rebuilding import rebuild
from tests.conftest import FixedClock
from tests.erp_double import ErpDouble
from tests.faults.books import copied, put_back
from tests.integration.payments.conftest import open_paying
from tests.stripe_double import running


def test_after_the_way_back_the_erp_has_each_order_once(
    db: Database, settings_for: Callable[..., Settings], clock: FixedClock
) -> None:
    erp = ErpDouble(clock).start()
    erp.on_hand = {"STOOL": 5, "LEG": 12, "BOARD": 20}
    with running() as double:
        shop = open_paying(settings_for(db.url, erp_url=erp.url), double, clock)
        try:
            [figures] = [job for job in bootstrap.periodic(shop.services) if job.name == "read_stock"]
            figures.run(clock())
            shop.pay(shop.start(shop.cart(STOOL=1)))  # known before, and not handed over yet
            with copied(db) as books:
                shop.work()
                shop.pay(shop.start(shop.cart(STOOL=2)))
                shop.work()
                numbers = {one.number: 1 for one in shop.rows(Order)}
                assert erp.by_reference() == numbers
                put_back(db, books)
            assert len(shop.rows(Order)) == 1
            shop.later(minutes=5)
            endings = [one.ending for one in rebuild(shop.services.till, since=shop.now.replace(hour=0), now=shop.now)]
            assert sorted(endings) == ["known", "order"]
            shop.later(minutes=5)
            figures.run(clock())
            shop.work()
            assert erp.by_reference() == numbers
            assert double.refunds == {}
            with db.read() as session:
                assert [line for line in verify.breaches(session, now=shop.now) if line.startswith(("I2", "I4", "I8"))] == []
        finally:
            erp.stop()
            shop.services.db.dispose()
