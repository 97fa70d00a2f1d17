"""Carts that were left: one lead for whoever asked to be reminded and did not buy, closed by itself when they do."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from backoffice import events
from backoffice.crm import carts, consents, reminding
from backoffice.crm.models import Activity, Cart, CartReminder, Consent, Lead
from backoffice.db import Database
from backoffice.public.errors import BadInput
from tests.company import item_id

WORDS = "You may write to me about this cart."
MINUTES = 15


def leave_cart(db: Database, who: int, now: datetime, *, ask: bool = True) -> int:
    """Fill a cart with a stool, ask to be reminded, and go; return the cart's id."""

    def work(session: sa.orm.Session) -> int:
        cart = Cart(
            token_hash=f"t{who}", country="DE", postcode="10115", created_at=now, updated_at=now, source={"source": "news"}
        )
        session.add(cart)
        session.flush()
        session.add(
            carts.CartLine(cart_id=cart.id, item_id=item_id(session, "STOOL"), quantity=1, shown_price_minor=4900, added_at=now)
        )
        if ask:
            given = {"name": f"Buyer {who}", "phone": "", "words": WORDS, "language": "en", "page": "/checkout"}
            reminding.ask(session, cart, email=f"Buyer{who}@Example.test", **given, now=now)
        session.flush()
        return cart.id

    return db.run(work)


def buy(db: Database, who: int, now: datetime) -> None:
    """Tell of an order of the same address, as placing one does, from another device."""

    def work(session: sa.orm.Session) -> None:
        from backoffice.crm import parties

        party = parties.find_or_create(session, email=f"buyer{who}@example.test", name="", phone="", language="de", now=now)
        reminding.on_order_placed(session, events.OrderPlaced(f"SF-{who}", party.id, who, None, now))

    db.run(work)


def leads_of(db: Database) -> list[Lead]:
    with db.read() as session:
        return list(session.scalars(sa.select(Lead).where(Lead.kind == "abandoned_cart").order_by(Lead.id)))


def test_of_300_carts_left_of_which_90_are_bought_later_exactly_210_stay_open(embedded_shop: Database, now: datetime) -> None:
    for who in range(300):
        leave_cart(embedded_shop, who, now)
    assert reminding.remind(embedded_shop, now=now + timedelta(hours=3)) == 0
    for who in range(30):  # before sales was told
        buy(embedded_shop, who, now + timedelta(hours=2))
    later = now + timedelta(hours=5)
    assert reminding.remind(embedded_shop, now=later) == 270
    for who in range(30, 90):
        buy(embedded_shop, who, later)
        buy(embedded_shop, who, later)  # told twice
    assert reminding.remind(embedded_shop, now=later + timedelta(hours=5)) == 0
    found = leads_of(embedded_shop)
    assert len([lead for lead in found if lead.state == "new"]) == 210
    won = [(lead.state, lead.outcome, lead.won_order_ref) for lead in found if lead.state != "new"]
    assert won == [("done", "won", f"SF-{who}") for who in range(30, 90)]


def test_nobody_who_did_not_ask_becomes_a_lead(embedded_shop: Database, now: datetime) -> None:
    leave_cart(embedded_shop, 1, now, ask=False)
    assert reminding.remind(embedded_shop, now=now + timedelta(days=3)) == 0
    assert leads_of(embedded_shop) == []


def test_the_lead_says_what_lies_in_the_cart_and_the_consent_its_words(shop: Database, now: datetime) -> None:
    cart_id = leave_cart(shop, 7, now)
    assert reminding.remind(shop, now=now + timedelta(hours=4)) == 1
    [lead] = leads_of(shop)
    assert (lead.sku, lead.quantity, lead.postcode, lead.source) == ("STOOL", 1, "10115", "news")
    assert lead.message.startswith("1 × ")
    with shop.read() as session:
        consent = session.scalars(sa.select(Consent)).one()
        kinds = session.scalars(sa.select(Activity.kind).where(Activity.lead_id == lead.id).order_by(Activity.id)).all()
    assert (consent.purpose, consent.wording, consent.given_at) == ("cart_reminder", WORDS, now)
    assert consent.evidence == {"page": "/checkout", "cart": cart_id}
    assert kinds == ["message", "cart_left"]


def test_who_takes_it_back_is_left_alone_before_and_after(shop: Database, now: datetime) -> None:
    leave_cart(shop, 1, now)
    leave_cart(shop, 2, now)

    def take_back(who: int) -> None:
        with shop.read() as session:
            reminder = session.scalars(sa.select(CartReminder).order_by(CartReminder.id)).all()[who - 1]
        shop.run(lambda session: consents.withdraw(session, reminder.consent_id, now=now + timedelta(hours=1)))

    take_back(1)
    assert reminding.remind(shop, now=now + timedelta(hours=5)) == 1
    take_back(2)
    assert reminding.remind(shop, now=now + timedelta(hours=6)) == 0
    [lead] = leads_of(shop)
    assert (lead.state, lead.outcome) == ("done", "")


def test_two_carts_of_one_address_are_one_lead(shop: Database, now: datetime) -> None:
    leave_cart(shop, 1, now)
    with shop.write() as session:
        session.execute(sa.update(Cart).values(token_hash="other"))
    leave_cart(shop, 1, now + timedelta(hours=1))
    assert reminding.remind(shop, now=now + timedelta(hours=6)) == 2
    assert [lead.version for lead in leads_of(shop)] == [2]


def test_an_address_that_is_none_is_refused_and_nothing_is_kept(shop: Database, now: datetime) -> None:
    cart_id = leave_cart(shop, 1, now, ask=False)

    def ask(session: sa.orm.Session) -> None:
        given = {"name": "", "phone": "", "words": WORDS, "language": "en", "page": "/checkout"}
        reminding.ask(session, session.get_one(Cart, cart_id), email="nobody", **given, now=now)

    with pytest.raises(BadInput):
        shop.run(ask)
    with shop.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Consent)) == 0
