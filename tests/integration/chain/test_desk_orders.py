"""Orders of the sales desk through the door: what they are tied to, how long they last, what is refused with nothing changed."""

from __future__ import annotations

from typing import Any

import pytest

from backoffice.bridge.models import OutboxMessage
from backoffice.crm import follow_ups, leads
from backoffice.crm.models import Activity, Checkout, Lead, Party
from backoffice.erp.models import Staff
from backoffice.payments.models import Payment
from backoffice.public.checkout import DeskOrder
from backoffice.public.errors import BadInput, NotFound, Refused
from tests.integration.chain.conftest import Workshop
from tests.integration.leads.conftest import FORM, Person

BEA, CARL = Person(1, "Bea"), Person(2, "Carl")


@pytest.fixture
def asked(workshop: Workshop) -> Workshop:
    """The workshop with two of sales and one enquiry."""

    def fill(session: Any) -> None:
        for one in (BEA, CARL):
            row = {"email": f"{one.name}@werk.test", "name": one.name, "role": "sales", "password_hash": "-"}
            session.add(Staff(**row, created_at=workshop.now))
        session.flush()
        leads.submit(session, FORM, now=workshop.now)

    workshop.db.run(fill)
    return workshop


def start(workshop: Workshop, cart: Any, *, key: str = "desk-key-1", **changes: Any) -> Any:
    """Send the order of a cart for the enquiry."""
    values = {"lead_id": 1, "lead_version": workshop.rows(Lead)[0].version, "staff_id": BEA.id} | changes
    form = workshop.form(cart, key=key, email="anna@example.test")
    desk = DeskOrder(**values)
    return workshop.shop.checkout.start(cart.token, form, base_url="http://localhost", now=workshop.now, desk=desk)


def all_of(workshop: Workshop) -> tuple[object, ...]:
    """Return what a refusal must leave as it is."""
    lead = workshop.rows(Lead)[0]
    counts = tuple(len(workshop.rows(model)) for model in (Checkout, Payment, OutboxMessage, Activity, Party))
    return lead.version, lead.state, lead.owner_id, workshop.stock("STOOL"), counts


@pytest.mark.parametrize("minutes", [31, 1380])
def test_it_lasts_as_long_as_sales_says(asked: Workshop, minutes: int) -> None:
    start(asked, asked.cart(STOOL=1), pay_minutes=minutes)
    [payment] = asked.rows(Payment)
    assert (payment.expires_at - payment.opened_at).total_seconds() == minutes * 60
    session = asked.services.gateway.get_session(payment.provider_ref, now=asked.now)
    assert session.expires_at == payment.expires_at


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"pay_minutes": 30}, BadInput),
        ({"pay_minutes": 1381}, BadInput),
        ({"lead_id": 9}, NotFound),
        ({"staff_id": 9}, NotFound),
        ({"lead_version": 7}, Refused),
    ],
)
def test_what_is_refused_changes_nothing(asked: Workshop, changes: dict[str, int], error: type[Exception]) -> None:
    cart = asked.cart(STOOL=1)
    before = all_of(asked)
    with pytest.raises(error):
        start(asked, cart, **changes)
    assert all_of(asked) == before


def test_a_closed_enquiry_is_not_sold_to(asked: Workshop) -> None:
    asked.db.run(lambda session: follow_ups.lose(session, 1, "Too dear", staff=BEA, version=1, now=asked.now))
    cart = asked.cart(STOOL=1)
    before = all_of(asked)
    with pytest.raises(Refused, match="wrong_state"):
        start(asked, cart)
    assert all_of(asked) == before


def test_a_second_link_waits_for_the_first_to_end(asked: Workshop) -> None:
    start(asked, asked.cart(STOOL=1))
    second = asked.cart(STOOL=2)
    before = all_of(asked)
    with pytest.raises(Refused, match="payment_open"):
        start(asked, second, key="desk-key-2")
    assert all_of(asked) == before
    assert asked.services.till.withdraw(1, by="Bea", now=asked.now)
    start(asked, second, key="desk-key-2")
    assert [one.state for one in asked.rows(Payment)] == ["expired", "opened"]
    assert [one.kind for one in asked.rows(Activity)][-3:] == ["offered", "offer_withdrawn", "offered"]


def test_a_colleague_who_has_it_keeps_it(asked: Workshop) -> None:
    asked.db.run(lambda session: leads.take(session, 1, staff_id=CARL.id, version=1, now=asked.now))
    cart = asked.cart(STOOL=1)
    before = all_of(asked)
    with pytest.raises(Refused, match="wrong_state") as refusal:
        start(asked, cart)
    assert refusal.value.details["owner"] == "Carl"
    assert all_of(asked) == before
