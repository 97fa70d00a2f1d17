"""Orders on account: placed at once within the limit, invoiced when they leave, paid later, all of it adding up."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import verify
from backoffice.bridge.mail import compose
from backoffice.bridge.models import OutboxMessage
from backoffice.bridge.outbox import Message
from backoffice.crm import companies, company_roles, terms
from backoffice.crm.models import Account, CartLine, Checkout, CompanyTerms, Order, OrderLine, Party
from backoffice.erp import delivering, fulfilment
from backoffice.erp import models as t
from backoffice.local import capturing
from backoffice.payments import billing, cancelling, captures, dunning, receiving, refunds
from backoffice.payments.models import Payment, Receipt, Refund
from backoffice.public.errors import BadInput, NotFound, Refused
from backoffice.public.money import Money
from tests import firm
from tests.firm import Firm
from tests.forgetting import forget
from tests.integration.chain.conftest import Workshop

STOOL, DELIVERY = 4_900, 500


@pytest.fixture
def nordlicht(workshop: Workshop) -> Firm:
    """A company that may owe 200,00, with two who buy, one of accounting, one of no role."""
    roles = {"Ann": "buyer", "Ben": "approver", "Kim": "accounting", "Lou": ""}
    return firm.found(workshop.db, now=workshop.now, roles=roles)


def order(workshop: Workshop, token: str, *, email: str = "ann@nordlicht.test", **lines: int) -> Any:
    """Order on account; return the order as its buyer sees it."""
    start = workshop.start(workshop.cart(**(lines or {"STOOL": 1})), account=token, on_account=True, email=email)
    assert start.pay_url == f"/o/{start.order_token}"
    return workshop.order(start)


def used(workshop: Workshop) -> int:
    with workshop.db.read() as session:
        return session.scalars(sa.select(CompanyTerms.used_minor)).one()


def work(workshop: Workshop) -> None:
    """Let the worker end what was asked for, write the papers, send money back."""
    till = workshop.services.till
    for message in workshop.rows(OutboxMessage):
        if message.target == "capture":
            capturing.send(till, int(message.payload["payment_id"]), message.kind, now=workshop.now)
    billing.issue_due(workshop.db, now=workshop.now)
    for one in workshop.rows(Refund, state="requested"):
        till.send_refund(one.id, now=workshop.now)
    billing.issue_due(workshop.db, now=workshop.now)


def ship(workshop: Workshop, number: str) -> None:
    """Pick, pack and ship an order, and let the worker do its part."""
    (shipment,) = workshop.rows(t.Shipment, order_ref=number)
    with workshop.db.read() as session:
        wanted = {
            line.sku: line.quantity for line in session.scalars(sa.select(OrderLine).join(Order).where(Order.number == number))
        }
    for sku, quantity in wanted.items():
        workshop.do(fulfilment.pick, shipment.id, sku, quantity)
    workshop.do(fulfilment.pack, shipment.id)
    workshop.do(fulfilment.ship, shipment.id, tracking="T-1")
    work(workshop)


def received(
    workshop: Workshop, by: Any, amount: int, *, key: str = "form-1", on: date | None = None, payment: int = 0
) -> Receipt:
    """Write money down that came for the first, or another, payment."""
    payment = payment or workshop.rows(Payment)[0].id
    return workshop.db.run(
        lambda session: receiving.record(
            session,
            payment,
            amount,
            received_on=on or workshop.now.date(),
            reference="statement 12",
            key=key,
            by=by,
            now=workshop.now,
        )
    )


def why_not(workshop: Workshop, nordlicht: Firm) -> str:
    """Return why Ben could not put a cent on account now."""
    offer = workshop.shop.checkout.find_on_account(nordlicht.token("Ben"), Money(1, "EUR"), now=workshop.now)
    assert offer is not None
    return offer.why_not


def mails(workshop: Workshop, kind: str) -> list[Any]:
    return [one.payload for one in workshop.rows(OutboxMessage, target="mail", kind=kind)]


@pytest.mark.parametrize(
    ("limit", "used_minor", "amount", "overdue", "pauses", "why"),
    [
        (100, 0, 100, False, True, ""),
        (100, 1, 100, False, True, "over_limit"),
        (100, 0, 101, False, True, "over_limit"),
        (100, -50, 150, False, True, ""),
        (100, 0, 1, True, True, "account_paused"),
        (100, 0, 1, True, False, ""),
        (100, 100, 1, True, True, "account_paused"),
    ],
)
def test_whether_it_goes_on_account(limit: int, used_minor: int, amount: int, overdue: bool, pauses: bool, why: str) -> None:
    named = {"limit_minor": limit, "used_minor": used_minor, "amount_minor": amount}
    assert company_roles.why_not(**named, overdue=overdue, pause_overdue=pauses) == why
    assert company_roles.left_minor(limit, used_minor) == max(0, limit - used_minor)


def test_the_roles_are_as_written() -> None:
    able = {name: (one.prices, one.buys, one.reminded) for name, one in company_roles.ROLES.items()}
    assert able == {
        "": (False, False, False),
        "buyer": (True, True, False),
        "approver": (True, True, False),
        "accounting": (True, False, True),
        "other": (True, False, False),
    }


@pytest.mark.parametrize(
    ("due", "today", "level"),
    [
        (date(2026, 12, 8), date(2026, 12, 8), 0),
        (date(2026, 12, 8), date(2026, 12, 9), 1),
        (date(2026, 12, 8), date(2027, 2, 9), 1),
    ],
)
def test_the_level_of_a_reminder(due: date, today: date, level: int) -> None:
    assert dunning.level_of(due, today) == level


def test_an_order_on_account_from_placing_to_paying(workshop: Workshop, nordlicht: Firm) -> None:
    placed = order(workshop, nordlicht.token("Ann"))
    assert (placed.state, placed.charge, placed.total) == ("confirmed", "account", Money(5_400, "EUR"))
    (payment,) = workshop.rows(Payment)
    assert (payment.provider, payment.state, payment.amount_minor) == ("account", "authorised", 5_400)
    assert workshop.rows(Checkout)[0].company == "Nordlicht GmbH"
    assert workshop.stock("STOOL") == (5, 1, 0)
    take = captures.take_at_desk
    assert not workshop.db.run(lambda session: take(session, placed.number, by=nordlicht.by, now=workshop.now))
    assert (used(workshop), workshop.rows(t.Invoice), workshop.rows(CartLine)) == (5_400, [], [])
    ship(workshop, placed.number)
    (invoice,) = workshop.rows(t.Invoice)
    assert (invoice.gross_minor, invoice.due_on, invoice.buyer["company"]) == (5_400, date(2026, 12, 8), "Nordlicht GmbH")
    assert used(workshop) == 5_400
    assert received(workshop, nordlicht.by, 5_000).amount_minor == 5_000
    received(workshop, nordlicht.by, 5_000)  # the same form twice
    assert (used(workshop), len(workshop.rows(Receipt))) == (400, 1)
    with pytest.raises(Refused, match="more_than_open") as refusal:
        received(workshop, nordlicht.by, 401, key="form-2")
    assert refusal.value.details["left"] == Money(400, "EUR")
    received(workshop, nordlicht.by, 400, key="form-2")
    assert used(workshop) == 0
    workshop.now += timedelta(days=40)
    assert dunning.remind(workshop.db, now=workshop.now) == 0


def test_what_is_above_the_limit_is_refused_and_the_cart_is_as_it_was(workshop: Workshop, nordlicht: Firm) -> None:
    order(workshop, nordlicht.token("Ann"), STOOL=2)  # 103,00 of 200,00
    cart = workshop.cart(STOOL=2)
    with pytest.raises(Refused, match="over_limit") as refusal:
        workshop.start(cart, account=nordlicht.token("Ben"), on_account=True, email="ben@nordlicht.test")
    assert refusal.value.details["left"] == Money(9_700, "EUR")
    assert (len(workshop.rows(Order)), len(workshop.rows(Payment)), used(workshop)) == (1, 1, 10_300)
    assert workshop.stock("STOOL") == (5, 2, 2)  # still held for the cart
    find = workshop.shop.checkout.find_on_account
    offer = find(nordlicht.token("Ben"), Money(10_300, "EUR"), now=workshop.now)
    assert offer is not None
    assert (offer.company, offer.due_days, offer.left, offer.why_not) == ("Nordlicht GmbH", 14, Money(9_700, "EUR"), "over_limit")
    workshop.pay(workshop.start(cart, key="by-card-now", email="ben@nordlicht.test"))  # paying by card remains
    assert [one.state for one in workshop.orders()] == ["confirmed", "confirmed"]
    assert used(workshop) == 10_300


def test_only_who_may_is_offered_it(workshop: Workshop, nordlicht: Firm) -> None:
    find, total = workshop.shop.checkout.find_on_account, Money(100, "EUR")
    offered = {name: find(nordlicht.token(name), total, now=workshop.now) is not None for name in nordlicht.people}
    assert offered == {"Ann": True, "Ben": True, "Kim": False, "Lou": False}
    assert find(None, total, now=workshop.now) is None
    assert find(nordlicht.token("Ann"), Money(100, "USD"), now=workshop.now) is None
    for token in ("", nordlicht.token("Kim"), nordlicht.token("Lou")):
        with pytest.raises(Refused, match="not_on_account"):
            workshop.start(workshop.cart(STOOL=1), account=token, on_account=True)
    assert (workshop.rows(Checkout), used(workshop)) == ([], 0)


def test_an_address_that_nobody_confirmed_opens_nothing(workshop: Workshop, nordlicht: Firm) -> None:
    workshop.db.run(lambda session: session.execute(sa.update(Account).values(confirmed_at=None)))
    assert workshop.shop.checkout.find_on_account(nordlicht.token("Ann"), Money(100, "EUR"), now=workshop.now) is None
    with pytest.raises(Refused, match="not_on_account"):
        workshop.start(workshop.cart(STOOL=1), account=nordlicht.token("Ann"), on_account=True)


def test_who_leaves_the_company_leaves_its_account(workshop: Workshop, nordlicht: Firm) -> None:
    ann = nordlicht.people["Ann"][0]
    workshop.db.run(lambda session: companies.leave(session, ann, nordlicht.id, by=nordlicht.by, now=workshop.now))
    workshop.db.run(lambda session: companies.join(session, ann, nordlicht.id, by=nordlicht.by, now=workshop.now))
    with pytest.raises(Refused, match="not_on_account"):  # back, but nobody said what she may do
        workshop.start(workshop.cart(STOOL=1), account=nordlicht.token("Ann"), on_account=True)


def test_whoever_types_the_companys_name_may_nothing(workshop: Workshop, nordlicht: Firm) -> None:
    workshop.pay(workshop.start(workshop.cart(STOOL=1), company="Nordlicht GmbH", email="eve@elsewhere.test"))
    with workshop.db.read() as session:
        assert [(one.name, one.company_role) for one in terms.find_colleagues(session, nordlicht.id)] == []
    (eve,) = [one for one in workshop.rows(Party) if one.email == "eve@elsewhere.test"]
    assert (eve.company_id, eve.company_role) == (nordlicht.id, "")


def test_a_cancelled_order_is_owed_no_more(workshop: Workshop, nordlicht: Firm) -> None:
    placed = order(workshop, nordlicht.token("Ann"))
    workshop.db.run(lambda session: cancelling.cancel(session, placed.number, by="Bea", now=workshop.now))
    work(workshop)
    (payment,) = workshop.rows(Payment)
    assert (payment.state, payment.refunded_minor, used(workshop)) == ("voided", 0, 0)
    assert workshop.stock("STOOL") == (5, 0, 0)


def test_money_back_is_taken_off_what_is_owed(workshop: Workshop, nordlicht: Firm) -> None:
    placed = order(workshop, nordlicht.token("Ann"))
    (payment,) = workshop.rows(Payment)

    def give(amount: int, key: str) -> None:
        workshop.db.run(
            lambda session: refunds.request(
                session, session.get_one(Payment, payment.id), amount, reason="partial", key=key, by="Bea", now=workshop.now
            )
        )

    give(1_000, "before")  # while nothing is invoiced
    assert used(workshop) == 4_400
    ship(workshop, placed.number)
    give(400, "after")
    work(workshop)
    assert used(workshop) == 4_000
    assert [(one.kind, one.gross_minor) for one in workshop.rows(t.Invoice)] == [
        ("invoice", 5_400),
        ("credit_note", 1_000),
        ("credit_note", 400),
    ]
    assert {one["reason"] for one in mails(workshop, "order_refunded")} == {"account"}
    received(workshop, nordlicht.by, 4_000)
    give(500, "later")
    work(workshop)
    assert used(workshop) == -500  # it is in credit with us


def test_an_overdue_invoice_pauses_and_is_reminded_of_once(workshop: Workshop, nordlicht: Firm) -> None:
    agreed: dict[str, Any] = {"due_days": 5, "pause_overdue": True, "by": nordlicht.by, "now": workshop.now}
    workshop.db.run(lambda session: terms.set_terms(session, nordlicht.id, 20_000, **agreed))
    placed = order(workshop, nordlicht.token("Ann"))
    with pytest.raises(Refused, match="wrong_state"):
        received(workshop, nordlicht.by, 100)  # not invoiced yet
    ship(workshop, placed.number)
    workshop.now += timedelta(days=5)
    assert dunning.remind(workshop.db, now=workshop.now) == 0  # the last day
    assert why_not(workshop, nordlicht) == ""
    workshop.now += timedelta(days=1)
    assert [dunning.remind(workshop.db, now=workshop.now) for _ in range(3)] == [1, 0, 0]
    (mail,) = mails(workshop, "invoice_overdue")
    assert (mail["to"], mail["amount"]["amount_minor"], mail["due_on"]) == ("kim@nordlicht.test", 5_400, "2026-11-29")
    assert why_not(workshop, nordlicht) == "account_paused"
    cart = workshop.cart(STOOL=1)
    with pytest.raises(Refused, match="account_paused"):
        workshop.start(cart, account=nordlicht.token("Ben"), on_account=True)
    assert (len(workshop.rows(Order)), used(workshop)) == (1, 5_400)
    received(workshop, nordlicht.by, 5_400)
    again = workshop.start(cart, account=nordlicht.token("Ben"), on_account=True, key="once-more")
    assert workshop.order(again).state == "confirmed"


def test_what_the_bookkeeper_cannot_write_down(workshop: Workshop, nordlicht: Firm) -> None:
    placed = order(workshop, nordlicht.token("Ann"))
    ship(workshop, placed.number)
    with pytest.raises(BadInput) as wrong:
        received(workshop, nordlicht.by, 0, on=workshop.now.date() + timedelta(days=1))
    assert wrong.value.fields == {"amount": "bad_amount", "received_on": "bad_date"}
    with pytest.raises(NotFound):
        received(workshop, nordlicht.by, 100, payment=99)
    workshop.buy(STOOL=1)
    with pytest.raises(NotFound):  # paid by card: nothing is owed
        received(workshop, nordlicht.by, 100, payment=workshop.rows(Payment)[-1].id)
    assert (used(workshop), workshop.rows(Receipt)) == (5_400, [])


def test_the_limit_and_the_domain(workshop: Workshop, nordlicht: Firm) -> None:
    workshop.buy(STOOL=1)
    workshop.pay(workshop.start(workshop.cart(STOOL=1), email="zoe@nordlicht.test", name="Zoe"))
    with workshop.db.read() as session:
        assert [one.name for one in terms.find_colleagues(session, nordlicht.id)] == ["Zoe"]
    order(workshop, nordlicht.token("Ann"))
    change: dict[str, Any] = {"due_days": 7, "pause_overdue": False, "by": nordlicht.by, "now": workshop.now}
    workshop.db.run(lambda session: terms.set_terms(session, nordlicht.id, 100, **change))
    with workshop.db.read() as session:
        row = terms.find_terms(session, nordlicht.id)
        assert row is not None
        assert (row.limit_minor, row.used_minor, row.due_days, row.pause_overdue) == (100, 5_400, 7, False)
    assert workshop.shop.checkout.find_on_account(nordlicht.token("Ann"), Money(1, "EUR"), now=workshop.now).left == Money(
        0, "EUR"
    )
    with pytest.raises(BadInput):
        workshop.db.run(lambda session: terms.set_terms(session, nordlicht.id, -1, **change))


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ("UPDATE company_terms SET used_minor = 5399", "I5 company 1 owes 5399 EUR, its orders on account make 5400"),
        ("UPDATE receivable SET due_on = NULL", "I5 payment 1 (succeeded) is on account of company 1, due on None"),
        ("UPDATE payment SET provider = 'sandbox'", "I5 payment 1 (succeeded) is on account of company 1, due on 2026-12-08"),
        (
            "UPDATE receivable SET received_minor = 10; UPDATE company_terms SET used_minor = 5390",
            "I5 payment 1: 10 received on account, its receipts make 0",
        ),
    ],
)
def test_what_does_not_add_up_is_found(workshop: Workshop, nordlicht: Firm, planted: str, found: str) -> None:
    ship(workshop, order(workshop, nordlicht.token("Ann")).number)
    seen: list[str] = []

    def plant(session: Session) -> None:
        for statement in planted.split("; "):
            session.execute(sa.text(statement))
        seen.extend(line for line in verify.breaches(session, now=workshop.now) if line.startswith("I5 "))
        raise NotFound("taken_back")

    with pytest.raises(NotFound, match="taken_back"):
        workshop.db.run(plant)
    assert seen == [found]


def test_who_still_owes_is_not_forgotten(workshop: Workshop, nordlicht: Firm) -> None:
    placed = order(workshop, nordlicht.token("Ann"))
    ship(workshop, placed.number)
    workshop.do(delivering.deliver, [workshop.rows(t.Shipment)[0].id], workshop.now.date())
    ann = nordlicht.people["Ann"][0]

    with pytest.raises(Refused, match="still_open"):
        forget(workshop.db, ann, now=workshop.now)
    received(workshop, nordlicht.by, 5_400)
    forget(workshop.db, ann, now=workshop.now)
    (gone,) = workshop.rows(Party, id=ann)
    assert (gone.company_id, gone.company_role, gone.email) == (None, "", None)
    assert [one.reference for one in workshop.rows(Receipt)] == ["statement 12"]
    assert used(workshop) == 0


def test_what_was_never_paid_does_not_go_back_to_a_card(workshop: Workshop, nordlicht: Firm) -> None:
    placed = order(workshop, nordlicht.token("Ann"))
    workshop.db.run(lambda session: cancelling.cancel(session, placed.number, by="customer", now=workshop.now))
    told = {
        one.kind: compose(
            Message(1, "mail", "a", one.kind, workshop.letter(one), 1, workshop.now, workshop.now), "shop@example.test"
        )
        for one in workshop.rows(OutboxMessage, target="mail")
    }
    said = {
        kind: [mail.get_body((form,)).get_content() for form in ("plain", "html")]  # type: ignore[union-attr] # it has both
        for kind, mail in told.items()
    }
    assert said.keys() == {"order_confirmed", "order_cancelled"}
    for text in said["order_confirmed"]:
        assert "the invoice comes when the first parcel leaves us" in re.sub(r"\s+", " ", text)
    for text in said["order_cancelled"]:
        assert "You pay nothing for it." in text
        assert "where you paid from" not in text
