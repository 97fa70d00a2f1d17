"""Currencies whose smallest unit the payment provider counts otherwise: the same amount on both sides, both ways."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from backoffice.crm.models import CartLine
from backoffice.erp import currencies, plan
from backoffice.erp.models import Company, Item
from backoffice.payments import refunds
from backoffice.payments.models import Dispute, Payment
from backoffice.public.errors import Refused
from backoffice.web import deploy_check
from tests.integration.payments.conftest import Paying


def sell_in(paying: Paying, currency: str) -> None:
    def work(session: sa.orm.Session) -> None:
        session.execute(sa.update(Company).values(currency=currency))
        session.execute(sa.update(Item).values(currency=currency))
        plan.bump(session, master=True)

    paying.db.run(work)


@pytest.mark.parametrize(("currency", "factor"), [("ISK", 100), ("UGX", 100), ("JPY", 1), ("CHF", 1), ("HUF", 1)])
def test_what_is_asked_taken_given_back_and_disputed_is_the_same_amount(paying: Paying, currency: str, factor: int) -> None:
    sell_in(paying, currency)
    start = paying.start(paying.cart(STOOL=1))
    session = paying.double.sessions[paying.session(start)]
    assert (session["amount_total"], session["currency"]) == (5_400 * factor, currency.lower())
    paying.pay(start)
    assert (paying.payment().state, paying.payment().amount_minor, paying.payment().currency) == ("succeeded", 5_400, currency)
    paying.db.run(
        lambda s: refunds.request(s, s.scalars(sa.select(Payment)).one(), 400, reason="partial", key="a", by="B", now=paying.now)
    )
    paying.work()
    assert [one["amount"] for one in paying.double.refunds.values()] == [400 * factor]
    paying.deliver(paying.double.events[-1])
    assert paying.refunds() == [(400, "succeeded", "partial")]
    paying.double.dispute(paying.session(start))
    paying.deliver(paying.double.events[-1])
    assert [(one.amount_minor, one.currency) for one in paying.rows(Dispute)] == [(5_400, currency)]


@pytest.mark.parametrize(
    ("currency", "sure"),
    [("EUR", True), ("JPY", True), ("ISK", True), ("UGX", True), ("KWD", False), ("TND", False), ("RSD", False), ("ALL", False)],
)
def test_which_currencies_can_be_vouched_for(currency: str, sure: bool) -> None:
    assert currencies.is_sure(currency) is sure


def test_what_has_a_price_in_another_currency_is_not_sold_here(paying: Paying) -> None:
    """Its delivery of 5.00 euros would be 5.00 francs."""
    cart = paying.cart(STOOL=1)
    paying.db.run(
        lambda s: (s.execute(sa.update(Item).where(Item.sku == "LAMP").values(currency="CHF")), plan.bump(s, master=True))
    )
    for token in (None, cart.token):
        with pytest.raises(Refused, match="currency_mismatch"):
            paying.shop.carts.add(token, "LAMP", 1, postcode=None, now=paying.now)
    assert [(one.item_id, one.quantity) for one in paying.rows(CartLine)] == [(1, 1)]
    found = {one.name: one.what_to_do for one in deploy_check.findings(paying.services.settings, paying.db, now=paying.now)}
    assert "The shop sells in EUR; LAMP has a price" in found["other_currency"]


def test_a_shop_of_another_is_not_fit_to_be_opened(paying: Paying) -> None:
    assert "unsure_currency" not in {
        one.name for one in deploy_check.findings(paying.services.settings, paying.db, now=paying.now)
    }
    sell_in(paying, "RSD")
    assert "unsure_currency" in {one.name for one in deploy_check.findings(paying.services.settings, paying.db, now=paying.now)}
