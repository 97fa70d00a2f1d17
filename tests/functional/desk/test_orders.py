"""Orders at the sales desk: how each stands, cancelling it, and money back with a second person."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from backoffice.audit import AuditEntry
from backoffice.bridge.models import OutboxMessage
from backoffice.crm.models import Order, OrderLine
from backoffice.erp import fulfilment
from backoffice.erp.models import Shipment
from backoffice.payments.models import Payment, Refund, RefundRequest
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]
LIST = "/desk/sales/orders"
REFUNDS = "/desk/admin/refunds"


def money(workshop: Workshop) -> tuple[int, list[tuple[int, str]], list[str]]:
    """Return what was counted as given back, the refunds, and how requests stand."""
    [payment] = workshop.rows(Payment)
    refunds = [(one.amount_minor, one.state) for one in workshop.rows(Refund)]
    return payment.refunded_minor, refunds, [one.state for one in workshop.rows(RefundRequest)]


def test_an_order_says_how_it_stands_and_why(at_desk: AtDesk, workshop: Workshop) -> None:
    order = workshop.buy(TABLE=1, STOOL=2)
    page = at_desk("Bea").get(f"{LIST}/{order.number}")
    for words in (
        "Confirmed",
        "Table",
        "2 × Stool",
        "Why this day",
        "handed to the carrier",
        "at their door",
        "Weg 1",
        "€602.00 paid",
        "sandbox",
    ):
        assert words in page, words
    assert f'href="{LIST}/{order.number}/cancel"' in page


def test_orders_are_found_and_filtered(at_desk: AtDesk, workshop: Workshop) -> None:
    first, second = workshop.buy(STOOL=1), workshop.buy(TABLE=1)
    bea = at_desk("Bea")

    def numbers(query: str) -> list[str]:
        return re.findall(r"data-row>([^<]+)</a>", bea.get(f"{LIST}?{query}"))

    assert numbers("") == [second.number, first.number]
    assert numbers("sort=old") == [first.number, second.number]
    assert numbers("sort=day") == [first.number, second.number]
    assert numbers(f"q={first.number.lower()}") == [first.number]
    assert numbers("q=LOVELACE") == [second.number, first.number]
    assert numbers("which=late") == numbers("which=refund") == numbers("which=cancelled") == numbers("q=nothing") == []

    def slip(session: Any) -> None:
        line = session.scalars(sa.select(OrderLine).where(OrderLine.sku == "TABLE")).one()
        line.expected_on += timedelta(days=3)

    workshop.db.run(slip)
    assert numbers("which=late") == [second.number]
    assert "day is past" not in bea.get(LIST)

    def forget(session: Any) -> None:
        line = session.scalars(sa.select(OrderLine).where(OrderLine.sku == "STOOL")).one()
        line.promised_on = line.expected_on = workshop.now.date() - timedelta(days=1)

    workshop.db.run(forget)
    assert numbers("which=late") == [second.number, first.number]
    assert bea.get(LIST).count("day is past") == 1
    bea.send(f"{LIST}/{first.number}/refund", key="k", amount="1", reason="A scratch")
    assert numbers("which=refund") == [first.number]
    bea.send(f"{LIST}/{first.number}/cancel", reason="Moves house")
    assert numbers("which=cancelled") == [first.number]
    assert numbers("which=any&page=nonsense") == [second.number, first.number]
    assert bea.client.get(f"{LIST}?page=9").headers["Location"] == LIST


def test_a_new_link_is_mailed_and_the_old_one_opens_nothing(
    at_desk: AtDesk, workshop: Workshop, visitor: Callable[[], Colleague]
) -> None:
    start = workshop.start(workshop.cart(STOOL=1))
    workshop.pay(start)
    number, old, bea = workshop.order(start).number, f"/o/{start.order_token}", at_desk("Bea")
    before = workshop.rows(Order)[0].version
    assert visitor().client.get(old).status_code == 200
    page = bea.send(f"{LIST}/{number}/link", version=before)
    assert "the old one no longer works" in page
    assert "mailed them a new link" in page
    assert visitor().client.get(old).status_code == 404
    first, mail = workshop.rows(OutboxMessage, target="mail")
    assert (mail.kind, mail.aggregate, mail.sequence) == ("order_link", first.aggregate, first.sequence + 1)
    new = str(workshop.letter(mail)["link"]).removeprefix("http://localhost")
    assert new != old
    assert number in visitor().get(new)
    assert visitor().client.get(f"{new}/withdraw").status_code == 200
    [entry] = workshop.rows(AuditEntry)
    assert (entry.action, entry.subject, entry.actor) == ("order.renew_link", f"order:{number}", "bea@werk.test")
    bea.refused(f"{LIST}/{number}/link", 409, version=before)  # pressed twice
    assert [one.kind for one in workshop.rows(OutboxMessage, target="mail")] == ["order_confirmed", "order_link"]
    assert (workshop.rows(Order)[0].version, visitor().client.get(new).status_code) == (before + 1, 200)


def test_cancelling_asks_first_and_wants_a_reason(at_desk: AtDesk, workshop: Workshop) -> None:
    number, bea = workshop.buy(STOOL=1).number, at_desk("Bea")
    page = bea.get(f"{LIST}/{number}/cancel")
    assert "€54.00 goes back to them" in page
    page = bea.refused(f"{LIST}/{number}/cancel", 422, reason=" ")
    assert "Fill this in." in page
    assert ([one.state for one in workshop.rows(Order)], money(workshop)) == (["confirmed"], (0, [], []))
    page = bea.send(f"{LIST}/{number}/cancel", reason="Moves <house>")
    for words in ("Cancelled. The money is on its way back.", "Moves <house>", "by Bea", "€54.00 being sent back"):
        assert words in page, words
    assert "It was cancelled before." in bea.send(f"{LIST}/{number}/cancel", reason="Again")
    assert workshop.stock("STOOL") == (5, 0, 0)
    assert money(workshop) == (5_400, [(5_400, "requested")], [])
    assert [one.kind for one in workshop.rows(OutboxMessage, target="mail")] == ["order_confirmed", "order_cancelled"]
    [entry] = workshop.rows(AuditEntry)
    assert (entry.action, entry.subject, entry.actor) == ("order.cancel", f"order:{number}", "bea@werk.test")


def test_above_the_limit_cancelling_frees_the_goods_and_asks_for_the_money(at_desk: AtDesk, workshop: Workshop) -> None:
    number, bea = workshop.buy(STOOL=2).number, at_desk("Bea")
    assert "€103.00 goes back to them once a second person approves it" in bea.get(f"{LIST}/{number}/cancel")
    page = bea.send(f"{LIST}/{number}/cancel", reason="Moves house")
    assert "Cancelled. The money goes back once a second person approves it." in page
    assert workshop.stock("STOOL") == (5, 0, 0)
    refunded, sent, asked = money(workshop)
    assert (refunded, sent, len(asked)) == (0, [], 1)


def test_a_closed_parcel_is_too_late(at_desk: AtDesk, workshop: Workshop) -> None:
    number, bea = workshop.buy(STOOL=1).number, at_desk("Bea")
    [parcel] = workshop.rows(Shipment)
    workshop.do(fulfilment.pick, parcel.id, "STOOL", 1)
    workshop.do(fulfilment.pack, parcel.id)
    assert "Cancel this order" not in bea.get(f"{LIST}/{number}")
    assert "cannot be cancelled any more" in bea.refused(f"{LIST}/{number}/cancel", 409, reason="Please")
    assert ([one.state for one in workshop.rows(Order)], workshop.rows(AuditEntry)) == (["picking"], [])


def test_a_small_refund_goes_back_at_once_and_once(at_desk: AtDesk, workshop: Workshop) -> None:
    number, bea = workshop.buy(TABLE=1).number, at_desk("Bea")
    page = bea.get(f"{LIST}/{number}")
    assert "At most €504.00. Up to €100.00 goes back at once" in page
    for _ in range(2):
        page = bea.send(f"{LIST}/{number}/refund", key="page-1", amount="12,50", reason="A scratch")
    assert "The money is on its way back." in page
    assert money(workshop) == (1_250, [(1_250, "requested")], ["within_limit"])
    bea.client.set_cookie("desk-language", "de", path="/desk/")
    bea.send(f"{LIST}/{number}/refund", key="page-2", amount="12,50", reason="Noch ein Kratzer")
    assert money(workshop)[0] == 2_500


def test_a_wrong_refund_keeps_what_was_typed(at_desk: AtDesk, workshop: Workshop) -> None:
    number, bea = workshop.buy(STOOL=1).number, at_desk("Bea")
    for amount, reason, status, said in (
        ("many", "Why", 422, "Write an amount"),
        ("0", "Why", 422, "Write an amount"),
        ("-1", "Why", 422, "Write an amount"),
        ("1.005", "Why", 422, "Write an amount"),
        ("1", " ", 422, "Fill this in."),
        ("54.01", "Why", 409, "No more than €54.00 is left of this payment."),
    ):
        page = bea.refused(f"{LIST}/{number}/refund", status, key="k", amount=amount, reason=reason)
        assert said in page, (amount, said)
        assert f'value="{amount}"' in page
        assert 'name="key" value="k"' in page
    bea.refused(f"{LIST}/SF-99/refund", 404, key="k", amount="1", reason="Why")
    assert money(workshop) == (0, [], [])


def test_above_the_limit_an_administrator_approves_but_not_their_own(at_desk: AtDesk, workshop: Workshop) -> None:
    number, bea, ada = workshop.buy(TABLE=1).number, at_desk("Bea"), at_desk("Ada")
    assert "once a second person approves it" in bea.send(f"{LIST}/{number}/refund", key="a", amount="100.01", reason="It broke")
    assert "waits for a second person" in bea.get(f"{LIST}/{number}")
    bea.refused(f"{REFUNDS}/1/approve", 403)
    page = ada.get(REFUNDS)
    for words in ("€100.01", "It broke", "Bea asked", "€504.00 of €504.00 is left"):
        assert words in page, words
    assert "Approved. The money is on its way back." in ada.send(f"{REFUNDS}/1/approve")
    assert money(workshop) == (10_001, [(10_001, "requested")], ["approved"])
    ada.send(f"{LIST}/{number}/refund", key="b", amount="200", reason="A gift")
    assert "You asked for this yourself" in ada.refused(f"{REFUNDS}/2/approve", 409)
    assert "Fill this in." in ada.refused(f"{REFUNDS}/2/decline", 422, note=" ")
    ada.send(f"{REFUNDS}/2/decline", note="Changed my mind")
    assert "Changed my mind" in bea.get(f"{LIST}/{number}")
    assert money(workshop) == (10_001, [(10_001, "requested")], ["approved", "declined"])
    ada.refused(f"{REFUNDS}/99/approve", 404)
    assert [one.action for one in workshop.rows(AuditEntry)] == [
        "refund.request",
        "refund.approve",
        "refund.request",
        "refund.decline",
    ]


def test_another_address_until_it_is_packed(at_desk: AtDesk, workshop: Workshop) -> None:
    number, bea = workshop.buy(STOOL=1).number, at_desk("Bea")
    here = f"{LIST}/{number}"
    form = {"name": "Ada", "company": "Nordlicht", "street": "Hafen <1>", "city": "Berlin", "region": "", "phone": ""}
    version = workshop.rows(Order)[0].version
    page = bea.refused(f"{here}/address", 409, version=version, postcode="80331", **form)
    assert "That would arrive on Thu 26 Nov, later than they were told. Nothing was changed." in page
    assert 'value="Hafen <1>"' in page
    page = bea.refused(f"{here}/address", 422, version=version, postcode="99999", **form)
    assert "We do not deliver to that postcode." in page
    assert [one.ship_to["street"] for one in workshop.rows(Shipment)] == ["Weg 1"]
    page = bea.send(f"{here}/address", version=version, postcode="10999", **form)
    assert "The address is changed; the day stays." in page
    assert [one.ship_to["street"] for one in workshop.rows(Shipment)] == ["Hafen <1>"]
    page = bea.refused(f"{here}/address", 409, version=version, postcode="10115", **form)
    assert "Somebody changed this in the meantime." in page
