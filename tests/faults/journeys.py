"""Six journeys of a shop, each up to the request that a fault is to meet; that request may be sent again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from backoffice import staff
from backoffice.crm.models import Checkout, Lead
from backoffice.db import Database
from backoffice.erp import models as t
from tests.bench.generate import grow
from tests.buyers import Browser, form_of, hidden
from tests.stripe_double import StripeDouble

PASSWORD = "hammer and nail"
PEOPLE = {"wim": "warehouse", "petra": "planner"}
PRODUCTS, STOOLS = 60, 400


@dataclass
class Visitor(Browser):
    """A browser that comes from an address of its own, so that nobody is slowed down for what others did."""

    comes_from: str = "192.0.2.1"

    @property
    def more(self) -> dict[str, str]:
        """Return the header that a proxy in front would add."""
        return {"X-Forwarded-For": self.comes_from}


@dataclass(frozen=True, slots=True)
class Ready:
    """A request that is ready to be sent. done: how often it took effect, asked of the database itself."""

    browser: Browser
    method: str
    path: str
    form: dict[str, str] | None
    well: int  # the status of its good answer
    done: Callable[[], int]


class Journeys:
    """Prepare journeys on a shop. direct: its database without any line between."""

    def __init__(self, direct: Database, address: str, double: StripeDouble) -> None:
        self._db, self._address, self._double = direct, address, double
        self._round = 0

    @staticmethod
    def open(db: Database) -> None:
        """Write the company, and people at two desks."""
        now = datetime.now(UTC)
        grow(db, PRODUCTS, now=now, stools=STOOLS)
        for name, role in PEOPLE.items():
            mail = f"{name}@werk.test"
            db.run(lambda s, m=mail, r=role: staff.add(s, email=m, name=m, role=r, password=PASSWORD, now=now))

    def begin(self) -> None:
        """Buy what is picked later, and log in whoever picks and plans."""
        browser = Visitor(self._address)
        assert (
            browser.open("POST", "/cart/add", {"sku": "STOOL", "slug": "stool", "quantity": "99", "postcode": "10115"})[0] == 303
        )
        status, pay_url, _ = browser.open("POST", "/checkout", form_of(browser.open("GET", "/checkout")[2], 1))
        assert status == 303
        self._double.pay(pay_url.rsplit("/", 1)[1])
        assert self._double.deliver(self._address, self._double.events[-1]) == 200
        self._wim, self._petra = (self._colleague(name) for name in PEOPLE)

    def ready(self) -> dict[str, Ready]:
        """Return each journey, up to its request."""
        self._round += 1
        return {name: getattr(self, f"_{name}")() for name in ("browse", "lead", "checkout", "login", "pick", "plan")}

    def _browser(self) -> Visitor:
        return Visitor(self._address, comes_from=f"198.51.100.{self._round}")

    def _colleague(self, name: str) -> Visitor:
        browser = Visitor(self._address)
        form = self._log_in_form(browser, name)
        assert browser.open("POST", "/desk/login", form)[0] == 303
        return browser

    def _log_in_form(self, browser: Browser, name: str) -> dict[str, str]:
        page = browser.open("GET", "/desk/login")[2]
        return {"email": f"{name}@werk.test", "password": PASSWORD, "csrf_token": hidden(page, "csrf_token")}

    def _browse(self) -> Ready:
        path = f"/p/thing-{1 + self._round % (PRODUCTS - 1)}"
        return Ready(self._browser(), "GET", path, None, 200, lambda: 1)

    def _lead(self) -> Ready:
        browser, words = self._browser(), f"Is it bright? {uuid4().hex}"
        key = hidden(browser.open("GET", "/contact")[2], "key")
        form = {"key": key, "name": "Ada", "email": "ada@example.test", "website": "", "message": words}
        return Ready(browser, "POST", "/contact", form, 303, lambda: self._count(sa.select(Lead.id).where(Lead.message == words)))

    def _checkout(self) -> Ready:
        browser, who = self._browser(), 1_000 + self._round
        thing = 1 + 5 * (self._round % 10)
        path = "/cart/add"
        form = {"sku": f"SKU-{thing}", "slug": f"thing-{thing}", "quantity": "1", "postcode": "10115"}
        assert browser.open("POST", path, form)[0] == 303
        sent = form_of(browser.open("GET", "/checkout")[2], who)

        def done() -> int:
            rows = self._count(sa.select(Checkout.id).where(Checkout.email == sent["email"]))
            pages = sum(one["customer_email"] == sent["email"] for one in self._double.sessions.values())
            return max(rows, pages)

        return Ready(browser, "POST", "/checkout", sent, 303, done)

    def _login(self) -> Ready:
        browser = self._browser()
        return Ready(browser, "POST", "/desk/login", self._log_in_form(browser, "petra"), 303, lambda: 1)

    def _pick(self) -> Ready:
        picked = sa.select(sa.func.sum(t.ShipmentLine.picked))
        before = int(self._value(picked) or 0)
        page = self._wim.open("GET", "/desk/warehouse/shipments/1")[2]
        form = {"sku": "STOOL", "quantity": "1", "key": uuid4().hex, "csrf_token": hidden(page, "csrf_token")}
        path = "/desk/warehouse/shipments/1/scan"
        return Ready(self._wim, "POST", path, form, 303, lambda: int(self._value(picked) or 0) - before)

    def _plan(self) -> Ready:
        version = sa.select(t.PurchaseOrderLine.version).where(t.PurchaseOrderLine.id == 1)
        before = int(self._value(version))
        path, day = "/desk/planning/receipts/1/due", datetime.now(UTC).date() + timedelta(days=10 + self._round)
        page = self._petra.open("GET", "/desk/planning/receipts")[2]
        form = {"due_on": day.isoformat(), "version": str(before), "key": uuid4().hex, "csrf_token": hidden(page, "csrf_token")}
        return Ready(self._petra, "POST", path, form, 303, lambda: int(self._value(version)) - before)

    def _count(self, query: sa.Select[Any]) -> int:
        return int(self._value(sa.select(sa.func.count()).select_from(query.subquery())))

    def _value(self, query: sa.Select[Any]) -> Any:
        with self._db.read() as session:
            return session.scalar(query)
