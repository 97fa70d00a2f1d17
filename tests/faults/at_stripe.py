"""Flows whose money is Stripe's (its double over HTTP): each call to it is a point before and a point after.

What was asked of Stripe stays with Stripe when the process ends before it has heard the answer: then there must be no second
payment page, no second refund, nothing taken twice and nothing left open.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from backoffice.erp import company_settings
from tests.faults.flows import Flow, cancel, colleague, leave_unpaid, pay_page, pick_and_ship
from tests.faults.stage import Stage, StubbornClient
from tests.integration.payments.test_captures import COMPANY


def _somebody(stage: Stage) -> StubbornClient:
    stage.use_stripe()
    return stage.browser()


def _somebody_charged_later(stage: Stage) -> StubbornClient:
    stage.services.db.run(lambda session: company_settings.change(session, COMPANY, by="ada", now=stage.clock()))
    return _somebody(stage)


def _paid(stage: Stage, browser: StubbornClient) -> str:
    """Go to pay and pay; return the order's page. Stripe has a message for us then."""
    ref = pay_page(browser, "STOOL", "2").rsplit("/", 1)[1]
    double = stage.stripe()
    double.pay(ref)
    return urlsplit(double.sessions[ref]["success_url"]).path


def _hear(stage: Stage) -> None:
    """Let all of Stripe's messages arrive, as often as it takes."""
    double, wire = stage.stripe(), stage.browser()
    for event in list(double.events):
        body, headers = double.signed(event)
        assert wire.post("/payments/stripe/webhook", data=body, headers=headers).status_code == 200


def _settle(stage: Stage, browser: StubbornClient) -> None:
    order = _paid(stage, browser)
    _hear(stage)
    assert "SF-" in browser.get(order).text
    stage.work()


def _unheard(stage: Stage, browser: StubbornClient) -> None:
    """Pay and go; no message arrives: it is found in Stripe's list."""
    _paid(stage, browser)
    stage.later(minutes=1)
    stage.work()


def _bought(stage: Stage) -> tuple[StubbornClient, str]:
    browser = _somebody(stage)
    return browser, _settled(stage, browser)


def _set_aside(stage: Stage) -> tuple[StubbornClient, str]:
    browser = _somebody_charged_later(stage)
    return browser, _settled(stage, browser)


def _settled(stage: Stage, browser: StubbornClient) -> str:
    order = _paid(stage, browser)
    _hear(stage)
    stage.work()
    return order


def _cancel(stage: Stage, known: tuple[StubbornClient, str]) -> None:
    cancel(stage, known)
    _hear(stage)
    stage.work()


def _picked_up(stage: Stage) -> StubbornClient:
    _set_aside(stage)
    return colleague(stage, "Wim")


def _ship(stage: Stage, wim: StubbornClient) -> None:
    pick_and_ship(stage, wim)
    _hear(stage)
    stage.work()


PAYING = (
    Flow("settle at Stripe", _somebody, _settle),
    Flow("Stripe unheard", _somebody, _unheard),
    Flow("leave unpaid at Stripe", _somebody, leave_unpaid),
)
GIVING_BACK = (
    Flow("refund at Stripe", _bought, _cancel),
    Flow("capture at Stripe", _picked_up, _ship),
    Flow("let go at Stripe", _set_aside, _cancel),
)
