"""One process of the whole site and its worker, which ends at a chosen point and is started anew; who used it tries again.

A point is the instant before or after a commit, and before or after a message is handed to whoever delivers it: between two
of them a process leaves nothing behind. The sandbox keeps its books by transactions of its own, so its calls are points too;
where Stripe (its double) is paid, the instants before and after each call to it are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backoffice import bootstrap
from backoffice.bootstrap import Services
from backoffice.bridge.outbox import Message
from backoffice.bridge.worker import Carrier, Job, Worker
from backoffice.config import Settings
from backoffice.payments.gateway import Gateway
from tests import stripe_double
from tests.erp_double import ErpDouble

ASKED = tuple(
    name for name, found in vars(Gateway).items() if callable(found) and not name.startswith("_")
)  # each is an HTTP call


def in_turn(jobs: Sequence[Job]) -> list[Job]:
    """Return the jobs that one thread does, one after the other: without those aside that only look."""
    return [job._replace(aside=False) for job in jobs if not job.aside or job.name in ("poll_payments", "listen_to_provider")]


class Killed(BaseException):
    """The process ends here. No handler of ours catches it, as none catches SIGKILL."""


class Stage:
    """The process. ends_at: the number of the point at which it ends, counted from `arm`; 0: it does not.

    clock: an object with `at`, and called for the instant.
    """

    def __init__(self, settings: Settings, clock: Any) -> None:
        self.settings, self.clock = settings, clock
        self.ends_at, self.points, self.counting = 0, list[str](), False
        self.deaths = 0
        self.soon: list[tuple[Any, ...]] = []  # what a flow notes on the way
        self.erp: ErpDouble | None = None
        self.double: stripe_double.StripeDouble | None = None
        self._opened = ExitStack()
        self.app: Flask
        self.services: Services
        self._start()

    def _start(self) -> None:
        from wsgi import create_app

        self.app = create_app(self.settings, clock=self.clock)
        self.services = self.app.extensions["shopfloor"]
        dialect = self.services.db.engine.dialect
        commit = dialect.do_commit

        def do_commit(connection: Any) -> None:
            self._reach("before a commit")
            commit(connection)
            self._reach("after a commit")

        dialect.do_commit = do_commit  # type: ignore[method-assign] # the one place through which every commit goes
        if self.double is not None:
            for name in ASKED:
                setattr(self.services.gateway, name, self._calling(name, getattr(self.services.gateway, name)))
        carriers = {target: self._through(target, carry) for target, carry in bootstrap.carriers(self.services).items()}
        jobs = in_turn(bootstrap.periodic(self.services))
        self.worker = Worker(self.services.db, carriers, jobs, name=f"worker {self.deaths}", clock=self.clock)

    def _through(self, target: str, carry: Carrier) -> Carrier:
        def deliver(message: Message) -> None:
            self._reach(f"before a {target} is handed over")
            carry(message)
            self._reach(f"after a {target} was handed over")

        return deliver

    def _calling(self, name: str, ask: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            self._reach(f"before Stripe's {name}")
            answer = ask(*given, **named)
            self._reach(f"after Stripe's {name}")
            return answer

        return call

    def _reach(self, point: str) -> None:
        if not self.counting:
            return
        self.points.append(point)
        if len(self.points) == self.ends_at:
            raise Killed(point)

    def arm(self, ends_at: int) -> None:
        """Count from here, and end at that point."""
        self.points.clear()
        self.ends_at, self.counting = ends_at, True

    def disarm(self) -> None:
        """Live on."""
        self.counting = False

    def start_again(self) -> None:
        """Start a new process over what the old one left."""
        self.deaths += 1
        self.services.db.dispose()
        self._start()

    def stop(self) -> None:
        """End in order."""
        self.services.db.dispose()
        if self.erp is not None:
            self.erp.stop()
        self._opened.close()

    def use_erp(self, erp: ErpDouble) -> None:
        """Run with an outside ERP from now on."""
        self.erp = erp
        self.settings = self.settings.model_copy(update={"erp_url": erp.url})
        self.services.db.dispose()
        self._start()

    def use_stripe(self) -> None:
        """Be paid at a double of Stripe from now on."""
        self.double = self._opened.enter_context(stripe_double.running())
        self.double.now = lambda: self.clock().timestamp()
        keys = {"stripe_secret_key": self.double.secret_key, "stripe_webhook_secret": self.double.webhook_secret}
        self.settings = self.settings.model_copy(update=keys | {"stripe_api_base": self.double.base})
        self.services.db.dispose()
        self._start()

    def stripe(self) -> stripe_double.StripeDouble:
        """Return the double that is paid."""
        assert self.double is not None
        return self.double

    def survive(self, work: Callable[[], Any]) -> Any:
        """Do something; when the process ended over it, do it again with the next one."""
        try:
            return work()
        except Killed:
            self.start_again()
            return work()

    def browser(self) -> StubbornClient:
        """Open a browser whose person presses again when nothing came back."""
        client = StubbornClient(self.app, TestResponse)
        client.stage = self
        client.environ_base["HTTP_ORIGIN"] = "http://localhost"
        return client

    def work(self) -> None:
        """Let the worker go round until it has nothing to carry."""
        for _round in range(50):
            if not self.survive(lambda: self.worker.turn()):
                return
        raise AssertionError("the worker finds no end")

    def rows(self, statement: sa.Select[Any]) -> list[tuple[Any, ...]]:
        """Return rows as they stand."""
        with self.services.db.read() as session:
            return [tuple(row) for row in session.execute(statement)]

    def later(self, **by: float) -> datetime:
        """Let time pass."""
        at: datetime = self.clock.advance(**by)
        return at


class StubbornClient(FlaskClient):
    """A browser: after a death it sends the same request to the next process, with the cookies that it has."""

    stage: Stage

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send a request, again if the process died over it."""

        def send() -> TestResponse:
            self.application = self.stage.app
            return super(StubbornClient, self).open(*args, **kwargs)

        answer: TestResponse = self.stage.survive(send)
        return answer
