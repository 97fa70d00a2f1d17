"""What is not Stripe's word has no effect and leaves no trace; what is, is stored once."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.local.listening import listen
from backoffice.payments import settle
from backoffice.payments.models import Payment, PaymentEvent
from tests.integration.payments.conftest import Paying


def stored(paying: Paying) -> list[str]:
    return [event.kind for event in paying.rows(PaymentEvent)]


def paid_event(paying: Paying) -> dict[str, Any]:
    start = paying.start(paying.cart(STOOL=1))
    paying.double.pay(paying.session(start))
    return paying.double.events[-1]


@pytest.mark.parametrize(
    "wrong",
    ["none", "garbage", "other secret", "one byte", "old", "future", "other mode", "other account", "not json", "no type"],
)
def test_what_stripe_did_not_sign_now_changes_nothing(paying: Paying, wrong: str) -> None:
    event = paid_event(paying)
    before, at = paying.state(), paying.now.timestamp()
    if wrong == "other mode":
        event["livemode"] = True
    if wrong == "other account":
        event["account"] = "acct_of_somebody_else"
    if wrong == "no type":
        del event["type"]
    body, headers = paying.double.signed(
        event,
        at={"old": at - 301, "future": at + 301}.get(wrong, at),
        secret="whsec_somebody_else" if wrong == "other secret" else "",
    )
    if wrong == "none":
        del headers["Stripe-Signature"]
    if wrong == "garbage":
        headers["Stripe-Signature"] = "t=abc,v1=zzz"
    if wrong == "one byte":
        body = body.replace(b'"paid"', b'"paiD"')
    if wrong == "not json":
        import hashlib
        import hmac

        body = b"\xff{"
        digest = hmac.new(paying.double.webhook_secret.encode(), f"{int(at)}.".encode() + body, hashlib.sha256).hexdigest()
        headers["Stripe-Signature"] = f"t={int(at)},v1={digest}"
    assert paying.send(body, headers).status_code == 400
    assert (paying.state(), stored(paying)) == (before, [])


@pytest.mark.parametrize("seconds", [-299, 0, 299])
def test_a_clock_that_is_a_little_off_is_believed(paying: Paying, seconds: int) -> None:
    event = paid_event(paying)
    assert paying.deliver(event, at=paying.now.timestamp() + seconds).status_code == 200
    assert len(paying.orders()) == 1


def test_both_secrets_count_while_one_replaces_the_other(paying: Paying) -> None:
    event = paid_event(paying)
    assert paying.deliver(event, secret="whsec_old").status_code == 200
    assert len(paying.orders()) == 1


def test_what_is_too_large_is_refused_unread(paying: Paying) -> None:
    before = paying.state()
    for size in (256 * 1024 + 1, 10 * 1024 * 1024):
        assert paying.send(b"x" * size, {"Stripe-Signature": "t=1,v1=x"}).status_code == 413
    assert (paying.state(), stored(paying)) == (before, [])


def test_what_we_do_not_know_is_stored_and_answered_well(paying: Paying) -> None:
    event = paid_event(paying)
    before = paying.state()
    unknown_kind = {**event, "id": "evt_a", "type": "customer.created", "data": {"object": {"id": "cus_1"}}}
    unknown_session = {**event, "id": "evt_b", "data": {"object": {**event["data"]["object"], "id": "cs_test_of_others"}}}
    for other in (unknown_kind, unknown_session, unknown_kind):
        assert paying.deliver(other).status_code == 200
    assert (paying.state(), sorted(stored(paying))) == (before, ["checkout.session.completed", "customer.created"])


def test_what_is_not_as_documented_is_refused(paying: Paying) -> None:
    event = paid_event(paying)
    before = paying.state()
    del event["data"]["object"]["amount_total"]
    assert paying.deliver(event).status_code == 400
    assert (paying.state(), stored(paying)) == (before, [])


def test_what_another_program_of_the_same_account_does_is_not_ours(paying: Paying) -> None:
    start = paying.start(paying.cart(STOOL=1))
    paying.pay(start)
    paying.double.refund_by_hand(paying.session(start), 100)
    told = paying.double.events.pop()
    theirs = {"pi_theirs": {"id": "pi_theirs", "object": "payment_intent", "metadata": {"reference": "order 7"}}}
    paying.double.intents.update(theirs)
    for name, intent in (("a", "pi_theirs"), ("b", "pi_of_another_account"), ("c", None)):
        refund = {**told["data"]["object"], "id": f"re_{name}", "payment_intent": intent}
        assert paying.deliver({**told, "id": f"evt_{name}", "data": {"object": refund}}).status_code == 200
    mine = {**told["data"]["object"], "id": "re_d", "payment_intent": "pi_mine"}  # of a page whose message has not come
    with paying.db.read() as session:
        named = settle.reference(session.get_one(Payment, 1))
    paying.double.intents["pi_mine"] = {"id": "pi_mine", "object": "payment_intent", "metadata": {"reference": named}}
    paying.deliver({**told, "id": "evt_d", "data": {"object": mine}})

    def outcomes() -> dict[str, str]:
        return {one.id[-1]: one.outcome for one in paying.rows(PaymentEvent, kind="refund")}

    waiting = dict.fromkeys("abcd", "waiting")
    listen(paying.services.till, now=paying.now)
    assert outcomes() == waiting
    paying.later(minutes=2)
    listen(paying.services.till, now=paying.now)
    assert outcomes() == dict.fromkeys("abc", "not_ours") | {"d": "waiting"}
    paying.db.run(lambda session: session.execute(sa.delete(PaymentEvent).where(PaymentEvent.outcome == "waiting")))


def test_refused_messages_and_those_of_unknown_payments_are_counted(paying: Paying) -> None:
    def figures() -> list[float]:
        text = paying.app.test_client().get("/metrics", environ_base={"REMOTE_ADDR": "127.0.0.1"}).text
        names = ("shopfloor_webhooks_refused_total", "shopfloor_payment_news_unknown_total")
        return [float(line.split()[1]) for name in names for line in text.splitlines() if line.startswith(f"{name} ")]

    event, before = paid_event(paying), figures()
    assert paying.deliver(event, secret="whsec_other").status_code == 400
    strange = {**event["data"]["object"], "id": "cs_theirs", "client_reference_id": "order 7"}
    assert paying.deliver({**event, "id": "evt_theirs", "data": {"object": strange}}).status_code == 200
    assert [now - then for now, then in zip(figures(), before, strict=True)] == [1, 1]
