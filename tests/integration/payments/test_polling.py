"""The poll: each payment has its turn, none keeps the others from theirs, and a provider that is away is left alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice import bootstrap, verify
from backoffice.payments import handling, settle
from backoffice.payments.gateway import GatewayError
from backoffice.payments.models import Payment
from tests.integration.payments.conftest import Paying


@pytest.fixture
def three(paying: Paying) -> list[Any]:
    """Three payments, each of a stool, whose messages are all lost."""
    started = [paying.start(paying.cart(STOOL=1)) for _ in range(3)]
    for start in started:
        paying.double.pay(paying.session(start))
    return started


def states(paying: Paying) -> list[tuple[str, str]]:
    return [(one.state, one.problem) for one in paying.rows(Payment)]


def test_one_that_cannot_be_settled_is_marked_and_the_others_have_their_end(
    paying: Paying, three: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    till = paying.services.till
    real = till.settle

    def broken(news: Any, **named: Any) -> Any:
        if news.ref == paying.session(three[0]):
            raise RuntimeError("planted")
        return real(news, **named)

    with monkeypatch.context() as patched:
        patched.setattr(till, "settle", broken)
        assert till.poll(now=paying.now) == 3
    assert states(paying) == [("opened", "not_settled"), ("succeeded", ""), ("succeeded", "")]
    paying.later(minutes=3)
    assert till.poll(now=paying.now) == 1
    assert states(paying) == [("succeeded", "")] * 3


def test_a_provider_that_does_not_answer_is_asked_once(paying: Paying, three: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def away(ref: str, **_: Any) -> Any:
        asked.append(ref)
        raise GatewayError("APIConnectionError")

    many = []
    with monkeypatch.context() as patched:
        patched.setattr(paying.services.gateway, "get_session", away)
        for _ in range(4):
            paying.later(seconds=30)
            paying.services.till.poll(now=paying.now)
            many.append(len(asked))
    assert many == [1, 2, 3, 3]
    assert asked == [paying.session(start) for start in three]  # one at each poll, the next one first; then all wait
    paying.later(minutes=3)
    assert paying.services.till.poll(now=paying.now) == 3
    assert states(paying) == [("succeeded", "")] * 3


def test_whoever_waited_longest_is_asked_first_and_nobody_twice_in_three_minutes(paying: Paying, three: list[Any]) -> None:
    def due(limit: int = 100) -> list[int]:
        with paying.db.read() as session:
            return [one.id for one in settle.unsettled(session, limit=limit, now=paying.now)]

    def asked(payment_id: int) -> None:
        paying.db.run(
            lambda session: session.execute(sa.update(Payment).where(Payment.id == payment_id).values(last_asked_at=paying.now))
        )

    seen = []
    for _ in range(3):
        [first] = due(1)
        asked(first)
        seen.append(first)
        paying.later(seconds=61)
    assert (seen, due()) == ([1, 2, 3], [1])
    paying.later(minutes=31)  # what has run out is asked about each time
    assert due() == [1, 2, 3]
    asked(1)
    assert due() == [2, 3, 1]
    paying.services.till.poll(now=paying.now)


def test_what_has_no_end_and_money_without_one_do_not_add_up(paying: Paying) -> None:
    def found(**later: float) -> list[str]:
        with paying.db.read() as session:
            return [line for line in verify.breaches(session, now=paying.now + timedelta(**later)) if line[:2] == "I4"]

    start = paying.start(paying.cart(STOOL=1))
    paying.double.sessions[paying.session(start)]["amount_total"] -= 1  # somebody's hand at the provider
    paying.double.pay(paying.session(start))
    paying.deliver_all()
    assert (found(minutes=36), found(minutes=36, seconds=1)) == (
        [],
        ["I4 payment 1 is opened, its page is over, problem: amount_differs"],
    )
    paying.db.run(lambda session: session.execute(sa.update(Payment).values(state="expired")))
    kept = "I4 reservation 1: 1 are kept for cart:1, which pays for nothing"
    assert found() == [kept]
    assert found(minutes=37) == ["I4 payment 1 is expired, its page is over, problem: amount_differs", kept]
    paying.db.run(lambda session: session.execute(sa.update(Payment).values(problem="", state="opened")))
    assert found(minutes=37) == ["I4 payment 1 is opened, its page is over, problem: none"]


def test_a_session_that_the_provider_does_not_know_waits_for_a_person(paying: Paying) -> None:
    paying.start(paying.cart(STOOL=5))
    paying.double.sessions.clear()
    paying.later(minutes=32)
    paying.services.till.poll(now=paying.now)
    assert (states(paying), paying.stock("STOOL")) == ([("opened", "not_settled")], (5, 0, 5))
    paying.db.run(lambda session: handling.handle(session, 1, note="never paid", by="ada", now=paying.now))
    assert (states(paying), paying.stock("STOOL")) == ([("failed", "")], (5, 0, 0))


def test_whoever_asks_the_provider_does_not_keep_the_worker_from_saying_that_it_lives(paying: Paying) -> None:
    jobs = {job.name: job.aside for job in bootstrap.periodic(paying.services)}
    assert (jobs["poll_payments"], jobs["listen_to_provider"]) == (True, True)
