"""Payment pages that the provider never opened: their payment ends, the goods and the cart are free, and no money is lost."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.crm.models import Checkout
from backoffice.erp import holds, plan
from backoffice.erp.models import Company, Item, Reservation
from backoffice.payments.gateway import GatewayError
from backoffice.payments.models import Payment
from backoffice.public.errors import Refused
from tests.integration.payments.conftest import Paying


def refused(paying: Paying, cart: Any, **changes: Any) -> str:
    """Return the code with which the way to the payment page is refused."""
    with pytest.raises(Refused) as refusal:
        paying.start(cart, **changes)
    return refusal.value.code


@pytest.fixture
def unreached(paying: Paying, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A cart of five stools whose request for a page never reached the provider."""

    def gone(**_: Any) -> None:
        raise GatewayError("APIConnectionError")

    cart = paying.cart(STOOL=5)
    with monkeypatch.context() as patched:
        patched.setattr(paying.services.gateway, "open_session", gone)
        assert refused(paying, cart) == "payment_away"
    assert (paying.payment().state, paying.stock("STOOL")) == ("opened", (5, 0, 5))
    return cart


def test_a_page_never_asked_for_ends_when_its_time_is_over(paying: Paying, unreached: Any) -> None:
    paying.later(minutes=2)
    paying.services.till.poll(now=paying.now)
    assert paying.payment().state == "opened"  # its customer may still send the form again
    paying.later(minutes=30)
    paying.services.till.poll(now=paying.now)
    assert (paying.payment().state, paying.stock("STOOL"), paying.double.sessions) == ("failed", (5, 0, 0), {})


def test_a_cart_whose_page_was_never_opened_can_be_changed_and_bought(paying: Paying, unreached: Any) -> None:
    paying.later(minutes=2)
    cart = paying.shop.carts.set_quantity(unreached.token, "STOOL", 4, now=paying.now)
    assert (paying.payment().state, paying.stock("STOOL")) == ("failed", (5, 0, 4))
    start = paying.start(cart)
    paying.pay(start)
    assert (paying.order(start).state, [one.state for one in paying.rows(Payment)]) == ("confirmed", ["failed", "succeeded"])


def test_the_same_form_sent_too_late_for_its_page_is_asked_for_anew(paying: Paying, unreached: Any) -> None:
    paying.later(minutes=2)  # Stripe's pages live for half an hour at least, and this one would have less
    assert refused(paying, unreached) == "stale"
    assert (paying.payment().state, paying.stock("STOOL")) == ("failed", (5, 0, 5))
    start = paying.start(paying.shop.carts.find(unreached.token, now=paying.now))  # the page was shown again
    assert start.pay_url.startswith(paying.double.base)


@pytest.mark.parametrize(("email", "price", "code"), [("x@exämple.test", None, "email_refused"), (None, 30, "amount_refused")])
def test_what_the_provider_does_not_take_is_said_and_holds_nothing_back(
    paying: Paying, email: str | None, price: int | None, code: str
) -> None:
    def sell_cheap(session: Any) -> None:
        session.execute(sa.update(Item).values(price_minor=price))
        session.execute(sa.update(Company).values(shipping_minor=0))
        plan.bump(session, master=True)

    if price:
        paying.db.run(sell_cheap)
    cart = paying.cart(STOOL=1)
    assert refused(paying, cart, **({"email": email} if email else {})) == code
    assert (paying.payment().state, paying.stock("STOOL"), paying.orders()) == ("failed", (5, 0, 1), [])
    changed = paying.shop.carts.set_quantity(cart.token, "STOOL", 2, now=paying.now)
    assert paying.start(changed).pay_url.startswith(paying.double.base)


def test_a_page_opened_with_its_answer_lost_is_found_and_closed(paying: Paying) -> None:
    paying.double.fail_next = [500, 500]
    cart = paying.cart(STOOL=5)
    assert refused(paying, cart) == "payment_away"
    paying.later(minutes=2)
    paying.shop.carts.set_quantity(cart.token, "STOOL", 1, now=paying.now)
    assert [one["status"] for one in paying.double.sessions.values()] == ["expired"]
    assert (paying.payment().state, paying.stock("STOOL")) == ("expired", (5, 0, 1))


@pytest.mark.parametrize(("left", "order", "back"), [(5, "confirmed", []), (0, "", [(25_000, "requested", "late_payment")])])
def test_money_for_a_page_that_was_given_up_is_an_order_or_goes_back(
    paying: Paying, monkeypatch: pytest.MonkeyPatch, left: int, order: str, back: list[Any]
) -> None:
    paying.double.fail_next = [500, 500]
    cart = paying.cart(STOOL=5)
    assert refused(paying, cart) == "payment_away"
    with monkeypatch.context() as patched:  # the provider's list is behind
        patched.setattr(paying.services.gateway, "find_session", lambda *_, **__: None)
        paying.shop.carts.set_quantity(cart.token, "STOOL", 0, now=paying.now)
    assert (paying.payment().state, paying.payment().provider_ref) == ("failed", None)
    if not left:
        paying.start(paying.cart(STOOL=5))
    paying.double.pay(next(iter(paying.double.sessions)))
    assert paying.deliver(paying.double.events[-1]).status_code == 200
    assert ([one.state for one in paying.orders()], paying.refunds()) == ([order] if order else [], back)


def test_a_message_about_another_shops_page_is_nobodys(paying: Paying) -> None:
    start = paying.start(paying.cart(STOOL=1))
    paying.double.pay(paying.session(start))
    told = paying.double.events[-1]
    before = paying.state()
    for reference in ("payment:1:2020-01-01T00:00:00+00:00", "payment:99999999999999999999:x", "payment:²:x", "order 7", None):
        strange = {**told["data"]["object"], "id": "cs_theirs", "client_reference_id": reference}
        assert paying.deliver({**told, "id": f"evt_{reference}", "data": {"object": strange}}).status_code == 200
    assert paying.state() == before


def test_money_that_becomes_no_order_keeps_nothing_of_the_cart(paying: Paying) -> None:
    start = paying.start(paying.cart(STOOL=2, TABLE=1))
    [stools] = [one for one in paying.rows(Reservation) if one.quantity == 2]
    paying.do(lambda session, *, actor, now: holds.release(session, stools.id, paying=True, now=now))
    paying.pay(start)
    assert (paying.orders(), [reason for *_, reason in paying.refunds()]) == ([], ["late_payment"])
    assert {one.state for one in paying.rows(Reservation)} == {"released"}
    assert [one.state for one in paying.rows(Checkout)] == ["abandoned"]
