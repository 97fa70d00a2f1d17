"""Prices of their own: exact to the cent, for the people of the company alone, frozen with the order."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.crm import companies, company_prices, terms
from backoffice.crm.models import Cart, Checkout, Lead, OrderLine
from backoffice.erp import models as t
from backoffice.erp import price_lists, pricing
from backoffice.public.errors import BadInput, Refused
from backoffice.public.money import Money
from tests import firm
from tests.company import item_id
from tests.firm import Firm
from tests.integration.chain.conftest import Workshop
from tests.integration.chain.test_quotations import Desk

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("plain", "quantity", "tiers", "percent", "price"),
    [
        (999, 1, [], 0, 999),
        (999, 1, [], 10, 899),  # 899.1
        (995, 1, [], 10, 896),  # 895.5: half a cent is rounded up
        (994, 1, [], 10, 895),  # 894.6
        (1, 1, [], 50, 1),  # 0.5
        (333, 1, [], 33, 223),  # 223.11
        (999, 1, [], 100, 0),
        (999, 1, [(1, 700)], 10, 700),  # what is named counts, not the percentage
        (999, 9, [(1, 700), (10, 600)], 10, 700),
        (999, 10, [(1, 700), (10, 600)], 10, 600),
        (999, 4, [(5, 700)], 10, 899),  # below what is named the percentage counts
        (650, 1, [(1, 700)], 0, 650),  # never more than everybody pays
    ],
)
def test_what_a_piece_costs_by_a_list(plain: int, quantity: int, tiers: list[Any], percent: int, price: int) -> None:
    assert price_lists.agreed_minor(plain, quantity, tiers, percent) == price


@pytest.fixture
def nordlicht(workshop: Workshop) -> Firm:
    """A company with a list: a stool for 40,00, from three on for 35,50; 10 % off the rest; until the end of the month."""
    theirs = firm.found(workshop.db, now=workshop.now, roles={"Ann": "buyer", "Lou": ""})
    prices = {("STOOL", 1): 4_000, ("STOOL", 3): 3_550}
    give(workshop, theirs, prices, valid_to=TODAY + timedelta(days=6))
    return theirs


def give(workshop: Workshop, theirs: Firm, prices: dict[tuple[str, int], int], *, valid_to: date | None = None) -> int:
    """Make a list and let it hold for a company from today on."""

    def work(session: Any) -> int:
        row = price_lists.make(session, "Trade", percent_off=10, by="bea", now=workshop.now)
        named = {"name": "Trade", "percent_off": 10, "version": 1}
        price_lists.change(session, row.id, prices=prices, by="bea", now=workshop.now, **named)
        holds = {"valid_from": TODAY, "valid_to": valid_to}
        company_prices.assign(session, theirs.id, row.id, by=theirs.by, now=workshop.now, **holds)
        return row.id

    return workshop.db.run(work)


def cart_of(workshop: Workshop, token: str | None, **lines: int) -> Any:
    cart = None
    for sku, quantity in lines.items():
        cart = workshop.shop.carts.add(
            cart.token if cart else None, sku, quantity, postcode=None, account=token, now=workshop.now
        )
    return cart


def prices(cart: Any) -> dict[str, int]:
    return {line.sku: line.unit_price.amount_minor for line in cart.lines}


def test_the_cart_of_somebody_of_the_company(workshop: Workshop, nordlicht: Firm) -> None:
    ann = nordlicht.token("Ann")
    cart = cart_of(workshop, ann, STOOL=2, TABLE=1)
    assert prices(cart) == {"STOOL": 4_000, "TABLE": 44_910}
    assert prices(workshop.shop.carts.set_quantity(cart.token, "STOOL", 3, now=workshop.now)) == {"STOOL": 3_550, "TABLE": 44_910}
    assert prices(cart_of(workshop, None, STOOL=1)) == {"STOOL": 4_900}
    assert prices(cart_of(workshop, nordlicht.token("Lou"), STOOL=1)) == {"STOOL": 4_900}  # nobody said what he may
    workshop.now += timedelta(days=7)
    assert prices(workshop.shop.carts.renew(cart.token, now=workshop.now)) == {"STOOL": 4_900, "TABLE": 49_900}  # over


def test_who_leaves_the_company_pays_what_everybody_pays(workshop: Workshop, nordlicht: Firm) -> None:
    cart = cart_of(workshop, nordlicht.token("Ann"), STOOL=1)
    ann = nordlicht.people["Ann"][0]
    workshop.db.run(lambda session: companies.leave(session, ann, nordlicht.id, by=nordlicht.by, now=workshop.now))
    shown = workshop.shop.carts.find(cart.token, now=workshop.now)
    assert prices(shown) == {"STOOL": 4_900}
    with pytest.raises(Refused, match="price_changed"):
        workshop.start(cart, account=nordlicht.token("Ann"))


def test_the_price_is_frozen_with_the_order_and_hers_alone(workshop: Workshop, nordlicht: Firm) -> None:
    cart = cart_of(workshop, nordlicht.token("Ann"), STOOL=3)
    for account in ("", nordlicht.token("Lou")):
        with pytest.raises(Refused, match="not_logged_in"):
            workshop.start(cart, account=account)
    assert workshop.rows(Checkout) == []
    start = workshop.start(cart, account=nordlicht.token("Ann"))
    listed = workshop.rows(t.PriceList)[0]
    named: dict[str, Any] = {"name": "Trade", "percent_off": 0, "version": 2, "by": "bea", "now": workshop.now}
    workshop.db.run(lambda session: price_lists.change(session, listed.id, prices={}, **named))
    workshop.pay(start)
    (line,) = workshop.rows(OrderLine)
    assert (line.unit_price_minor, workshop.rows(Checkout)[0].price_list_id) == (3_550, listed.id)
    assert workshop.order(start).total == Money(3 * 3_550 + 500, "EUR")


def test_the_product_page_of_each(workshop: Workshop, nordlicht: Firm) -> None:
    def shown(token: str | None) -> tuple[Any, ...]:
        page = workshop.shop.catalogue.get_product("stool", language="en", now=workshop.now, account=token)
        (variant,) = page.variants
        return variant.price.amount_minor, [(n, price.amount_minor) for n, price in variant.tiers], variant.everybodys

    everybodys: Any = {2: 4_500, 5: 3_500}
    stool = workshop.db.run(lambda session: item_id(session, "STOOL"))
    workshop.db.run(lambda session: pricing.set_tiers(session, stool, everybodys, by="bea", now=workshop.now))
    assert shown(None) == (4_900, [(2, 4_500), (5, 3_500)], None)
    assert shown(nordlicht.token("Ann")) == (4_000, [(3, 3_550), (5, 3_500)], Money(4_900, "EUR"))
    assert shown(nordlicht.token("Lou")) == (4_900, [(2, 4_500), (5, 3_500)], None)


def test_a_list_in_another_currency_says_nothing(workshop: Workshop, nordlicht: Firm) -> None:
    workshop.db.run(lambda session: session.execute(sa.update(t.PriceList).values(currency="SEK")))
    assert prices(cart_of(workshop, nordlicht.token("Ann"), STOOL=3)) == {"STOOL": 4_900}


def test_what_is_no_list_is_refused_and_nothing_changed(workshop: Workshop, nordlicht: Firm) -> None:
    named: dict[str, Any] = {"name": "Trade", "percent_off": 10, "version": 2, "by": "bea", "now": workshop.now}
    row = workshop.rows(t.PriceList)[0]
    for wrong, field in (({("NONE", 1): 5}, "prices"), ({("STOOL", 0): 5}, "prices"), ({("STOOL", 1): -5}, "prices")):
        with pytest.raises(BadInput) as refusal:
            workshop.db.run(lambda session, wrong=wrong: price_lists.change(session, row.id, prices=wrong, **named))  # type: ignore[misc] # bound early
        assert list(refusal.value.fields) == [field]
    with pytest.raises(BadInput):
        workshop.db.run(lambda session: price_lists.change(session, row.id, prices={}, **named | {"percent_off": 101}))
    with pytest.raises(Refused, match="stale"):
        workshop.db.run(lambda session: price_lists.change(session, row.id, prices={}, **named | {"version": 1}))
    with pytest.raises(Refused, match="name_taken"):
        workshop.db.run(lambda session: price_lists.make(session, " Trade ", percent_off=1, by="bea", now=workshop.now))
    assert [(one.from_quantity, one.price_minor) for one in workshop.rows(t.ListPrice)] == [(1, 4_000), (3, 3_550)]
    with pytest.raises(BadInput):
        workshop.db.run(
            lambda session: company_prices.assign(
                session,
                nordlicht.id,
                row.id,
                valid_from=TODAY,
                valid_to=TODAY - timedelta(days=1),
                by=nordlicht.by,
                now=workshop.now,
            )
        )


def test_the_newest_list_counts_and_one_that_ended_does_not(workshop: Workshop, nordlicht: Firm) -> None:
    ann = nordlicht.people["Ann"][0]

    def now_holds() -> int | None:
        with workshop.db.read() as session:
            return company_prices.list_of_party(session, ann, now=workshop.now)

    assert now_holds() == 1
    with workshop.db.read() as session:
        ((row, listed),) = company_prices.of_company(session, nordlicht.id)
        assert (listed.name, row.valid_from, row.valid_to) == ("Trade", TODAY, TODAY + timedelta(days=6))
    for _ in range(2):
        workshop.db.run(lambda session: company_prices.end(session, nordlicht.id, row.id, by=nordlicht.by, now=workshop.now))
    assert now_holds() is None


def test_a_cart_is_bound_only_for_a_companys_people(workshop: Workshop, nordlicht: Firm) -> None:
    for token in (nordlicht.token("Ann"), nordlicht.token("Lou"), None):
        cart_of(workshop, token, LAMP=1)
    assert [one.account_id is not None for one in workshop.rows(Cart)] == [True, False, False]
    with workshop.db.read() as session:
        assert terms.find_terms(session, nordlicht.id) is not None


def test_a_quotation_begins_with_her_price(workshop: Workshop) -> None:
    desk = Desk(workshop)
    theirs = firm.found(workshop.db, now=workshop.now, roles={"Ann": "buyer"})
    give(workshop, theirs, {("STOOL", 1): 4_000})
    anna = workshop.rows(Lead)[0].party_id

    def join(session: Any) -> None:
        companies.join(session, anna, theirs.id, by=theirs.by, now=workshop.now)
        terms.set_role(session, anna, theirs.id, "other", by=theirs.by, now=workshop.now)

    workshop.db.run(join)
    one = desk.quote(("STOOL", 2, 10))
    assert [(line["list_minor"], line["unit_price_minor"]) for line in one.lines] == [(4_000, 3_600)]
    assert one.total_minor == 2 * 3_600 + 500
    workshop.pay(desk.accept(one))
    assert [line.unit_price_minor for line in workshop.rows(OrderLine)] == [3_600]
