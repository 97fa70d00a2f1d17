"""Money that is only set aside at checkout: taken once when the first parcel leaves, let go when nothing of it does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.bridge.models import OutboxMessage
from backoffice.crm.models import Lead, Order
from backoffice.erp import company_settings, fulfilment
from backoffice.erp import models as t
from backoffice.local import capturing
from backoffice.local.listening import listen
from backoffice.payments import billing, cancelling, captures
from backoffice.payments.models import Payment
from backoffice.public.errors import Refused
from tests.integration.payments.conftest import Paying

COMPANY: dict[str, Any] = {
    "name": "Werk",
    "email": "hello@werk.test",
    "phone": "",
    "vat_number": "",
    "register_entry": "",
    "default_postcode": "10115",
    "address": ["Werkstr. 1"],
    "languages": [],
    "returns_days": 14,
    "shipping_minor": 500,
    "choose_days": 2,
    "quotation_percent": 10,
    "quotation_days": 14,
    "campaign_days": 7,
    "important_minor": 50_000,
    "service_level": 0,
    "capture_on_shipment": True,
}


@pytest.fixture
def late(paying: Paying) -> Paying:
    """The workshop, which charges when parcels leave."""
    paying.db.run(lambda session: company_settings.change(session, COMPANY, by="ada", now=paying.now))
    return paying


def bought(late: Paying, **lines: int) -> str:
    """Buy; return the double's session."""
    start = late.start(late.cart(**(lines or {"STOOL": 1})))
    late.pay(start)
    return late.session(start)


def told(late: Paying) -> None:
    """Let the newest event arrive, twice."""
    for _ in range(2):
        assert late.deliver(late.double.events[-1]).status_code == 200


def ship(late: Paying) -> None:
    [parcel] = late.rows(t.Shipment)
    late.do(fulfilment.pick, parcel.id, "STOOL", 1)
    late.do(fulfilment.pack, parcel.id)
    late.do(fulfilment.ship, parcel.id, tracking="")


def papers(late: Paying) -> list[tuple[str, int]]:
    billing.issue_due(late.db, now=late.now)
    return [(one.number, one.gross_minor) for one in late.rows(t.Invoice)]


def asked(late: Paying, what: str) -> int:
    return sum(path.endswith(f"/{what}") for _, path in late.double.calls)


def cancel(late: Paying) -> None:
    number = late.orders()[0].number
    late.db.run(lambda s: cancelling.cancel(s, number, by="Bea", now=late.now))


def test_it_is_taken_once_when_the_parcel_leaves_and_the_invoice_follows(late: Paying) -> None:
    session = bought(late)
    assert (late.payment().state, late.payment().capture_by_at) == ("authorised", late.now + timedelta(days=7))
    assert late.double.sessions[session]["payment_status"] == "unpaid"
    assert (papers(late), late.stock("STOOL")) == ([], (5, 1, 0))
    late.later(hours=2)
    ship(late)
    assert [one.kind for one in late.rows(OutboxMessage, target="capture")] == ["capture"]
    late.work()
    assert (late.payment().state, late.payment().settled_at) == ("succeeded", late.now)
    told(late)
    assert (asked(late, "capture"), papers(late)) == (1, [("INV-2026-000001", 5_400)])


def test_a_shop_that_has_not_chosen_it_charges_with_the_order(paying: Paying) -> None:
    session = bought(paying)
    assert (paying.payment().state, paying.payment().capture_later) == ("succeeded", False)
    assert paying.double.sessions[session]["payment_status"] == "paid"


def test_what_is_promised_for_later_than_a_bank_waits_is_charged_with_the_order(late: Paying) -> None:
    start = late.start(late.cart(TABLE=4))  # sixteen legs, of which twelve are there
    late.pay(start)
    assert (start.charged_later, late.payment().state, papers(late)) == (False, "succeeded", [("INV-2026-000001", 200_100)])


def test_cancelled_before_nothing_is_charged_given_back_or_written(late: Paying) -> None:
    session = bought(late)
    cancel(late)
    late.work()
    told(late)
    assert late.double.intents[late.double.sessions[session]["payment_intent"]]["status"] == "canceled"
    assert (late.payment().state, late.payment().problem, late.refunds(), papers(late)) == ("voided", "", [], [])
    assert (asked(late, "cancel"), late.stock("STOOL"), late.mails()) == (1, (5, 0, 0), ["order_confirmed", "order_cancelled"])


def test_the_program_dies_between_the_call_and_its_record(late: Paying, monkeypatch: pytest.MonkeyPatch) -> None:
    bought(late)
    ship(late)
    with monkeypatch.context() as patched:
        patched.setattr(late.services.till, "settle", lambda *_, **__: (_ for _ in ()).throw(RuntimeError("killed")))
        with pytest.raises(RuntimeError):
            capturing.send(late.services.till, late.payment().id, "capture", now=late.now)
    assert (late.payment().state, late.double.events[-1]["type"]) == ("authorised", "charge.captured")
    late.later(minutes=1)
    assert listen(late.services.till, now=late.now) > 0  # the provider's list alone says it
    assert late.payment().state == "succeeded"
    late.work()
    assert (asked(late, "capture"), papers(late)) == (1, [("INV-2026-000001", 5_400)])


def test_asked_again_after_a_lost_answer_it_is_taken_once(late: Paying) -> None:
    bought(late)
    ship(late)
    late.double.fail_next = [0, 500, 500, 500]
    late.work()
    late.later(minutes=5)
    late.work()
    captured = [one for one in late.double.events if one["type"] == "charge.captured"]
    assert (late.payment().state, len(captured)) == ("succeeded", 1)


def test_the_order_of_its_messages_does_not_matter(late: Paying) -> None:
    start = late.start(late.cart(STOOL=1))
    late.double.pay(late.session(start))
    late.double._end_intent(next(iter(late.double.intents.values())), "succeeded")  # taken by hand on Stripe's pages
    for event in reversed(late.double.events):
        assert late.deliver(event).status_code == 200
    assert (late.payment().state, papers(late)) == ("succeeded", [("INV-2026-000001", 5_400)])


def test_before_it_lapses_a_colleague_is_told_and_can_take_it(late: Paying) -> None:
    bought(late)
    late.later(days=5)
    assert capturing.watch(late.services.till, now=late.now) == 0
    late.later(days=1, minutes=1)
    assert [capturing.watch(late.services.till, now=late.now) for _ in range(2)] == [1, 0]
    [task] = late.rows(Lead)
    assert (task.kind, task.state, task.due_at) == ("authorisation", "new", late.payment().capture_by_at)
    assert late.db.run(lambda s: captures.take(s, late.payment().id, now=late.now))
    assert not late.db.run(lambda s: captures.take(s, late.payment().id, now=late.now))
    late.work()
    assert (late.payment().state, late.rows(Lead)[0].state) == ("succeeded", "done")


@pytest.mark.parametrize("heard", ["message", "poll"])
def test_lapsed_nothing_leaves_until_it_is_cancelled(late: Paying, heard: str) -> None:
    session = bought(late)
    late.later(days=7)
    late.double.lapse(session)
    told(late) if heard == "message" else late.services.till.poll(now=late.now)
    assert (late.payment().state, late.payment().problem) == ("voided", captures.LAPSED)
    [parcel] = late.rows(t.Shipment)
    with pytest.raises(Refused, match="on_hold"):
        late.do(fulfilment.pick, parcel.id, "STOOL", 1)
    cancel(late)
    late.work()
    assert (late.refunds(), papers(late), late.stock("STOOL")) == ([], [], (5, 0, 0))


def test_cancelled_after_it_was_asked_for_the_money_is_taken_and_goes_back(late: Paying) -> None:
    bought(late)
    assert late.db.run(lambda s: captures.take(s, late.payment().id, now=late.now))
    cancel(late)
    late.work()
    late.work()
    assert (late.payment().state, late.refunds()) == ("refunded", [(5_400, "succeeded", "cancelled")])
    assert papers(late) == [("INV-2026-000001", 5_400), ("CN-2026-000001", 5_400)]


def test_let_go_but_taken_at_the_provider_it_goes_back(late: Paying) -> None:
    session = bought(late)
    cancel(late)
    late.double._end_intent(late.double.intents[late.double.sessions[session]["payment_intent"]], "succeeded")
    told(late)
    late.work()
    assert (late.payment().state, late.refunds()) == ("refunded", [(5_400, "succeeded", "cancelled")])


def test_money_that_can_be_no_order_is_let_go(late: Paying) -> None:
    start = late.start(late.cart(STOOL=5))
    late.later(minutes=32)
    with late.db.write() as session:
        page = session.get_one(Payment, late.payment().id)
        page.state = "expired"
    late.double.pay(late.session(start))  # at the last moment, while another has bought them
    with late.db.write() as session:
        from backoffice.crm import checkout as checkouts

        [checkout] = late.rows(checkouts.Checkout)
        checkouts.give_up(session, session.merge(checkout), keep_minutes=None, now=late.now)
    other = late.start(late.cart(STOOL=5))
    late.deliver(late.double.events[-1])
    late.work()
    first = late.rows(Payment)[0]
    assert (first.state, late.refunds(), late.orders(), bool(other)) == ("voided", [], [], True)


def test_money_that_was_never_taken_is_found(late: Paying) -> None:
    bought(late)
    number, payment = late.orders()[0].number, late.payment().id
    ship(late)
    late.later(minutes=6)
    never = f"I4 order {number} is shipped, and its payment is authorised: it was never taken"
    assert late.breaches() == [never]
    late.db.run(lambda s: s.execute(sa.update(Order).values(to_invoice=True)))
    papers(late)  # too early
    assert f"I5 paper INV-2026-000001 is over payment {payment}, which is authorised" in late.breaches()
    late.work()
    assert late.breaches() == []


def test_a_refusal_for_good_is_seen_by_a_person(late: Paying, monkeypatch: pytest.MonkeyPatch) -> None:
    from backoffice.payments.gateway import GatewayError

    def refuse(*_: object, **__: object) -> None:
        raise GatewayError("card_declined", permanent=True)

    bought(late)
    ship(late)
    monkeypatch.setattr(late.services.gateway, "capture", refuse)
    late.work()
    assert (late.payment().state, late.payment().problem, late.payment().ending) == ("authorised", captures.REFUSED, "")
    assert [one.state for one in late.rows(OutboxMessage, target="capture")] == ["done"]
