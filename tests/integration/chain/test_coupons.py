"""Codes that take something off: what each is worth, its limits, its way through payment, cancelling and papers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backoffice.crm import coupon_rules, coupons
from backoffice.crm.models import Cart, Checkout, Coupon, CouponRedemption, CouponUse, Order, OrderLine
from backoffice.erp import models as t
from backoffice.erp import purchasing
from backoffice.payments import billing, cancelling
from backoffice.payments.models import Payment, Refund
from backoffice.public.errors import BadInput, Refused
from tests.integration.chain.conftest import Workshop
from tests.integration.chain.test_withdrawing import came, sent, withdraw
from tests.statements import sent as statements

PLAIN: dict[str, Any] = {
    "code": "welcome-10",
    "kind": "percent",
    "value": 10,
    "from_quantity": 1,
    "minimum_minor": 0,
    "starts_at": None,
    "ends_at": None,
    "use_limit": None,
    "per_customer": None,
    "active": True,
}


def write(workshop: Workshop, **changes: Any) -> None:
    workshop.db.run(lambda session: coupon_rules.save(session, PLAIN | changes, by="Ada", now=workshop.now))


def use(workshop: Workshop, cart: Any, code: str = "WELCOME-10", tried_by: str = "192.0.2.1") -> Any:
    return workshop.shop.carts.set_coupon(cart.token, code, tried_by=tried_by, now=workshop.now)


def used(workshop: Workshop) -> Sequence[tuple[int, list[int], list[str]]]:
    """Return of each code: uses, uses by buyer, states of its redemptions."""
    return [
        (
            one.used,
            [use.used for use in workshop.db.run(lambda s, one=one: s.query(CouponUse).filter_by(coupon_id=one.id).all())],
            [row.state for row in workshop.rows(CouponRedemption, coupon_id=one.id)],
        )
        for one in workshop.rows(Coupon)
    ]


@pytest.mark.parametrize(
    ("rule", "lines", "off"),
    [
        ({"value": 10}, [(4_900, 2), (1, 1)], 980),
        ({"value": 50}, [(101, 1)], 51),  # half a cent is rounded up
        ({"kind": "amount", "value": 500}, [(4_900, 1)], 500),
        ({"kind": "amount", "value": 9_900}, [(4_900, 1)], 4_850),  # fifty cents stay to be paid, of goods and delivery
        ({"kind": "volume", "value": 20, "from_quantity": 10}, [(100, 10), (100, 9)], 200),
        ({"kind": "volume", "value": 20, "from_quantity": 10}, [(100, 9)], 0),
        ({"value": 10, "minimum_minor": 5_000}, [(4_999, 1)], 0),
        ({"value": 10, "minimum_minor": 5_000}, [(5_000, 1)], 500),
    ],
)
def test_what_a_rule_takes_off(rule: dict[str, Any], lines: list[tuple[int, int]], off: int) -> None:
    assert coupons.discount_minor(Coupon(**(PLAIN | rule)), lines, 0) == off


def test_it_stands_as_its_own_line_to_the_end(workshop: Workshop) -> None:
    write(workshop, use_limit=5, per_customer=1)
    cart = use(workshop, workshop.cart(STOOL=2, TABLE=1), " welcome-10 ")
    assert (cart.coupon, cart.discount.amount_minor, cart.total.amount_minor) == ("WELCOME-10", 5_970, 54_230)
    start = workshop.start(cart)
    assert used(workshop) == [(1, [1], ["live"])]
    workshop.pay(start)
    order = workshop.order(start)
    assert (order.discount.amount_minor, order.total.amount_minor) == (5_970, 54_230)
    assert workshop.rows(Payment)[0].amount_minor == 54_230
    billing.issue_due(workshop.db, now=workshop.now)
    [paper] = workshop.rows(t.Invoice)
    assert (paper.net_minor, paper.tax_minor, paper.gross_minor) == (45_571, 8_659, 54_230)
    assert [(one.kind, one.gross_minor) for one in workshop.rows(t.InvoiceLine)][2:] == [("discount", -5_970), ("delivery", 500)]


def test_the_money_of_what_comes_back_is_what_was_paid_for_it(workshop: Workshop) -> None:
    write(workshop)
    start = workshop.start(use(workshop, workshop.cart(STOOL=2, TABLE=1)))
    workshop.pay(start)
    withdraw(workshop, start, 0, 1)  # the table, 499.00 less its share of 49.90
    assert workshop.rows(Payment)[0].refunded_minor == 44_910
    sent(workshop)
    withdraw(workshop, start, 2, 0, key="form-2")
    assert used(workshop) == [(1, [1], ["live"])]


@pytest.mark.parametrize("paid", [False, True])
def test_a_use_comes_back_exactly_once(workshop: Workshop, paid: bool) -> None:
    write(workshop, use_limit=1, per_customer=1)
    start = workshop.start(use(workshop, workshop.cart(STOOL=1)))
    other = workshop.cart(STOOL=1)
    with pytest.raises(BadInput, match="coupon_invalid"):
        use(workshop, other)
    if paid:
        workshop.pay(start)
        number = workshop.order(start).number
        for _ in range(2):
            workshop.db.run(lambda s: cancelling.cancel(s, number, by="Bea", now=workshop.now))
    else:
        workshop.now += timedelta(minutes=32)
        for _ in range(2):
            workshop.services.till.poll(now=workshop.now)
    assert used(workshop) == [(0, [0], ["released"])]
    again = workshop.start(use(workshop, workshop.cart(STOOL=1)))
    assert used(workshop) == [(1, [1], ["released", "live"])]
    assert again.order_token


def test_going_back_to_the_cart_gives_the_use_back(workshop: Workshop) -> None:
    write(workshop, use_limit=1)
    cart = use(workshop, workshop.cart(STOOL=1))
    workshop.start(cart)
    cart = workshop.shop.carts.renew(cart.token, now=workshop.now)
    assert used(workshop) == [(0, [0], ["released"])]
    workshop.start(cart, key="form-two-12345")
    assert used(workshop) == [(1, [1], ["released", "live"])]


def test_one_buyer_has_so_many_and_no_more(workshop: Workshop) -> None:
    write(workshop, per_customer=1)
    workshop.pay(workshop.start(use(workshop, workshop.cart(STOOL=1))))
    second = use(workshop, workshop.cart(STOOL=1))  # whose it is nobody knows yet
    before = workshop.stock("STOOL")
    with pytest.raises(BadInput, match="coupon_invalid"):
        workshop.start(second, email="ADA@example.test")
    assert (used(workshop), workshop.stock("STOOL"), len(workshop.rows(Checkout))) == ([(1, [1], ["live"])], before, 1)
    workshop.start(second, email="bea@example.test")
    assert used(workshop)[0][0] == 2


def test_money_that_came_late_counts_again_or_goes_back(workshop: Workshop) -> None:
    write(workshop, use_limit=1)
    starts = [workshop.start(use(workshop, workshop.cart(STOOL=1)))]
    workshop.now += timedelta(minutes=32)
    workshop.services.till.poll(now=workshop.now)
    starts.append(workshop.start(use(workshop, workshop.cart(STOOL=1))))
    workshop.pay(starts[1])
    payment = workshop.rows(Payment)[0]
    news = workshop.services.gateway.get_session(payment.provider_ref, now=workshop.now)
    late = type(news)(news.ref, news.pay_url, "paid", news.amount, news.expires_at)
    workshop.services.till.settle(late, event_id="late", now=workshop.now)
    assert (len(workshop.rows(Order)), workshop.rows(Payment)[0].refunded_minor) == (1, 4_910)
    assert used(workshop) == [(1, [1], ["released", "live"])]


@pytest.mark.parametrize(
    "rule",
    [{"active": False}, {"ends": -1}, {"starts": 1}, {"minimum_minor": 10_000}, {"kind": "volume", "from_quantity": 2}, {}],
)
def test_whatever_is_wrong_with_a_code_it_is_said_alike(workshop: Workshop, rule: dict[str, Any]) -> None:
    times = {f"{name}_at": workshop.now + timedelta(days=rule.pop(name)) for name in ("starts", "ends") if name in rule}
    write(workshop, **rule, **times)
    cart = workshop.cart(STOOL=1)
    with pytest.raises(BadInput) as said:
        use(workshop, cart, "WELCOME-10" if rule or times else "WELCOME-11")
    assert (said.value.code, said.value.status, dict(said.value.details)) == ("coupon_invalid", 422, {})
    after = workshop.shop.carts.find(cart.token, now=workshop.now)
    assert (after.version, after.total, after.coupon) == (cart.version, cart.total, "")


def test_ten_tries_an_hour(workshop: Workshop) -> None:
    cart = workshop.cart(STOOL=1)
    for number in range(10):
        with pytest.raises(BadInput):
            use(workshop, cart, f"GUESS-{number}")
    write(workshop)
    with pytest.raises(Refused, match="too_many_codes"):
        use(workshop, cart)
    assert use(workshop, cart, tried_by="192.0.2.2").discount is not None  # somebody else
    use(workshop, cart, "")  # taking it off is no try
    workshop.now += timedelta(hours=1)
    assert use(workshop, cart).discount is not None


def test_a_code_whose_time_ends_meanwhile_is_not_paid_with(workshop: Workshop) -> None:
    write(workshop, ends_at=workshop.now + timedelta(minutes=5))
    cart = use(workshop, workshop.cart(STOOL=1))
    workshop.now += timedelta(minutes=5)
    with pytest.raises(BadInput, match="coupon_invalid"):
        workshop.start(cart)
    shown = workshop.shop.carts.find(cart.token, now=workshop.now)
    assert (shown.coupon, shown.discount, shown.total.amount_minor) == ("WELCOME-10", None, 5_400)
    assert (workshop.rows(Checkout), used(workshop)) == ([], [(0, [], [])])
    workshop.start(use(workshop, cart, ""), key="without-it-123")


def test_a_total_from_before_the_code_is_refused(workshop: Workshop) -> None:
    write(workshop)
    cart = workshop.cart(STOOL=1)
    use(workshop, cart)
    with pytest.raises(Refused, match="stale"):
        workshop.start(cart)
    now = workshop.shop.carts.find(cart.token, now=workshop.now)
    with pytest.raises(Refused, match="price_changed"):
        workshop.start(now, total_minor=5_400)
    assert (workshop.rows(Checkout), used(workshop)) == ([], [(0, [], [])])


def test_a_cart_without_a_code_asks_nothing_about_codes(workshop: Workshop) -> None:
    with statements(workshop.db) as said:
        workshop.pay(workshop.start(workshop.cart(STOOL=1)))
    assert [one for one in said if "coupon " in one or "coupon_" in one.replace("coupon_code", "")] == []
    assert workshop.rows(Cart)[0].coupon_code == ""


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"code": "x"}, "code"),
        ({"kind": "gift"}, "kind"),
        ({"value": 101}, "value"),
        ({"value": 0}, "value"),
        ({"use_limit": 0}, "use_limit"),
        ({"from_quantity": None}, "from_quantity"),
    ],
)
def test_a_rule_that_is_none_is_not_written(workshop: Workshop, changes: dict[str, Any], wrong: str) -> None:
    with pytest.raises(BadInput) as said:
        write(workshop, **changes)
    assert (list(said.value.fields), workshop.rows(Coupon)) == ([wrong], [])


def test_what_a_code_takes_off_never_changes(workshop: Workshop) -> None:
    write(workshop, use_limit=1)
    workshop.start(use(workshop, workshop.cart(STOOL=1)))
    for changes in ({"value": 20}, {"kind": "amount"}):
        with pytest.raises(BadInput, match="invalid_form"):
            write(workshop, **changes)
    write(workshop, use_limit=2, active=False)
    [coupon] = workshop.rows(Coupon)
    assert (coupon.value, coupon.use_limit, coupon.active, coupon.used) == (10, 2, False, 1)


def test_piece_by_piece_a_line_gives_back_what_it_does_at_once(workshop: Workshop) -> None:
    """A euro off three stools (147.00) and a lamp (79.00): 65 cents of it are the stools', 21, 22 and 22 of them a piece's."""
    write(workshop, kind="amount", value=100)
    start = workshop.start(use(workshop, workshop.cart(STOOL=3, LAMP=1)))
    workshop.pay(start)
    workshop.now = datetime(2026, 11, 30, 7, tzinfo=UTC)  # the lamps have come
    receipt = workshop.rows(t.PurchaseOrderLine)[0]
    workshop.do(purchasing.receive, receipt.id, receipt.quantity, ref="r")
    sent(workshop)
    stools = next(one.id for one in workshop.rows(OrderLine) if one.sku == "STOOL")
    workshop.shop.withdrawals.withdraw(start.order_token, {stools: 3}, key="one", now=workshop.now)
    for _ in range(3):
        came(workshop, 1, 1)
    assert [one.amount_minor for one in workshop.rows(Refund)] == [4_879, 4_878, 4_878]
