"""The small workshop with the real Stripe library, talking over HTTP to a double of Stripe."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from backoffice import bootstrap
from backoffice.bridge.worker import Worker
from backoffice.config import Settings
from backoffice.db import Database
from backoffice.payments.models import Payment, Refund
from tests.company import open_company
from tests.conftest import FixedClock
from tests.integration.chain.conftest import Workshop
from tests.stripe_double import StripeDouble, running


class Paying(Workshop):
    """The workshop's customers pay at the double; its messages arrive when the test says so."""

    def __init__(self, app: Flask, double: StripeDouble, clock: FixedClock, now: datetime) -> None:
        super().__init__(app.extensions["shopfloor"], now)
        self.app, self.double, self.clock = app, double, clock

    def later(self, **amount: float) -> None:
        """Let time pass."""
        self.clock.advance(**amount)
        self.now = self.clock()

    def session(self, start: Any) -> str:
        """Return the double's session of a payment that was started."""
        return str(start.pay_url.rsplit("/", 1)[1])

    def pay(self, start: Any) -> None:
        """Pay, and let the message arrive."""
        self.double.pay(self.session(start))
        assert self.deliver(self.double.events[-1]).status_code == 200

    def deliver(self, event: dict[str, Any], **signing: Any) -> TestResponse:
        """Send one event to our webhook, signed."""
        body, headers = self.double.signed(event, **signing)
        return self.send(body, headers)

    def send(self, body: bytes, headers: dict[str, str]) -> TestResponse:
        """Send raw bytes to our webhook."""
        return self.app.test_client().post("/payments/stripe/webhook", data=body, headers=headers)

    def deliver_all(self) -> None:
        """Let every event arrive once, in order."""
        for event in self.double.events:
            assert self.deliver(event).status_code == 200

    def work(self) -> None:
        """Let a worker carry all that waits."""
        services = self.app.extensions["shopfloor"]
        worker = Worker(services.db, bootstrap.carriers(services), [], name="w", clock=self.clock)
        while worker.turn():
            pass

    def payment(self) -> Any:
        """Return the only payment."""
        [payment] = self.rows(Payment)
        return payment

    def refunds(self) -> list[tuple[int, str, str]]:
        """Return amount, state and reason of each refund."""
        return [(one.amount_minor, one.state, one.reason) for one in self.rows(Refund)]

    def mails(self) -> list[str]:
        """Return the kinds of the mails that were written, in order."""
        from backoffice.bridge.models import OutboxMessage

        return [one.kind for one in self.rows(OutboxMessage, target="mail")]

    def state(self) -> str:
        """Return all that a message could change, as text to compare."""
        from backoffice.crm.models import Checkout, Order
        from backoffice.erp.models import Reservation, Stock

        kinds: list[Any] = [Payment, Refund, Order, Checkout, Reservation, Stock]
        rows = [{c.name: str(getattr(row, c.name)) for c in kind.__table__.columns} for kind in kinds for row in self.rows(kind)]
        return json.dumps(rows)


@pytest.fixture
def double(now: datetime) -> Iterator[StripeDouble]:
    """A running double of Stripe."""
    with running() as made:
        yield made


def open_paying(settings: Settings, double: StripeDouble, clock: FixedClock, *, stools: int = 5) -> Paying:
    """Open the workshop, paid at the double of Stripe."""
    from wsgi import create_app

    keys = {
        "stripe_secret_key": double.secret_key,
        "stripe_webhook_secret": f"whsec_old, {double.webhook_secret}",
        "stripe_api_base": double.base,
    }
    app = create_app(settings.model_copy(update=keys), clock=clock)
    double.now = lambda: clock().timestamp()
    app.extensions["shopfloor"].db.run(lambda session: open_company(session, now=clock(), stools=stools))
    return Paying(app, double, clock, clock())


@pytest.fixture
def paying(
    db: Database, settings_for: Callable[..., Settings], double: StripeDouble, clock: FixedClock, now: datetime
) -> Iterator[Paying]:
    """The open workshop, paid at the double of Stripe; after every test all its figures must still add up."""
    shop = open_paying(settings_for(db.url), double, clock)
    app = shop.app
    assert shop.now == now
    yield shop
    assert shop.breaches() == []
    app.extensions["shopfloor"].db.dispose()
