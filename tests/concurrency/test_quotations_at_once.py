"""Quotations at one moment, on PostgreSQL: two tabs accept, a colleague replaces it meanwhile, its time ends meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from backoffice import bootstrap
from backoffice.config import Settings
from backoffice.crm import quotations
from backoffice.crm.models import Checkout, Order, Quotation
from backoffice.db import Database
from backoffice.payments.models import Payment
from tests.company import open_company
from tests.concurrency.test_at_the_same_moment import both
from tests.conftest import NOW
from tests.integration.chain.conftest import Workshop
from tests.integration.chain.test_quotations import BEA, Desk

pytestmark = pytest.mark.postgresql


@pytest.fixture
def desk(postgres_db: Database, settings_for: Callable[..., Settings]) -> Iterator[Desk]:
    postgres_db.run(lambda session: open_company(session, now=NOW))
    services = bootstrap.build(settings_for(postgres_db.url), clock=lambda: NOW)
    shop = Workshop(services, NOW)
    yield Desk(shop)
    assert shop.breaches() == []
    services.db.dispose()


def test_two_tabs_accept_and_it_is_one_order(desk: Desk) -> None:
    one = desk.quote(("STOOL", 2, 10))
    starts: list[str] = []

    def accept() -> object:
        start = desk.accept(one)
        starts.append(start.pay_url)
        return start

    assert both(accept, accept, accept) == ["done", "done", "done"]
    assert (len(set(starts)), len(desk.shop.rows(Checkout)), len(desk.shop.rows(Payment))) == (1, 1, 1)
    desk.shop.pay(desk.accept(one))
    assert both(accept, accept) == ["done", "done"]
    assert (len(desk.shop.rows(Order)), desk.shop.stock("STOOL")) == (1, (5, 2, 0))


def test_it_is_accepted_while_a_colleague_sends_a_new_version(desk: Desk) -> None:
    one = desk.quote(("STOOL", 3, 0))
    draft = desk.draft(("STOOL", 4, 0), key="quotation-2")
    seen = desk.look(one)  # before the race: a page that is asked for later shows, and accepts, the new version
    said = both(lambda: desk.accept(one, seen), lambda: desk.draw(draft))
    states = [row.state for row in desk.shop.rows(Quotation)]
    waiting = [row.state for row in desk.shop.rows(Checkout)]
    if said[1] == "done":  # the new version counts; whoever accepted the old one is told so
        assert (states, waiting, desk.shop.stock("STOOL")) == (["replaced", "sent"], [], (5, 0, 4))
        assert said[0] in ("stale", "quotation_replaced", "quotation_over")
    else:
        assert (said, states, waiting) == (["done", "payment_open"], ["sent"], ["open"])
        assert desk.shop.stock("STOOL") == (5, 0, 3)


def test_two_send_a_version_at_once(desk: Desk) -> None:
    drafts = [desk.draft(("STOOL", 2, 0), key=f"quotation-{key}") for key in "ab"]
    said = both(*(lambda draft=draft: desk.draw(draft) for draft in drafts))  # type: ignore[misc] # mypy infers no lambda with a default
    assert said.count("done") == 1 or [row.state for row in desk.shop.rows(Quotation)] == ["replaced", "sent"]
    assert [row.state for row in desk.shop.rows(Quotation)].count("sent") == 1
    assert desk.shop.stock("STOOL") == (5, 0, 2)


def test_it_is_accepted_while_it_is_taken_back(desk: Desk) -> None:
    one = desk.quote(("STOOL", 2, 0))

    def take_back() -> object:
        return desk.db.run(lambda session: quotations.withdraw(session, one.id, by=BEA, now=desk.shop.now))

    seen = desk.look(one)
    said = both(lambda: desk.accept(one, seen), take_back)
    [kept] = desk.shop.rows(Quotation)
    if said[1] == "done":
        assert (said[0], kept.state, desk.shop.rows(Checkout), desk.shop.stock("STOOL")) == (
            "quotation_over", "withdrawn", [], (5, 0, 0),
        )  # fmt: skip
    else:
        assert (said, kept.state, desk.shop.stock("STOOL")) == (["done", "payment_open"], "sent", (5, 0, 2))
