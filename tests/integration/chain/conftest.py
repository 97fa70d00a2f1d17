"""The small workshop, wired as in production, with a hand on every desk."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import verify
from backoffice.bootstrap import Services
from backoffice.bridge.models import OutboxMessage
from backoffice.crm import links
from backoffice.crm.models import Order
from backoffice.erp import models as t
from backoffice.public.checkout import CheckoutForm
from backoffice.public.orders import Reader
from tests.company import item_id, open_company
from tests.erp_double import ErpDouble
from tests.invariants import breaches

# no worker runs here; some tests take half of a step, write orders that nobody paid, or act ahead of the clock
HALF = ("waits since long", "has had no invoice", "its goods are", "which is missing", "is open, its order is", "yet to come")
ASKED = [rule for rule in verify.RULES if not any(words in rule.says for words in HALF)]  # nor "… and 46 more" of the others


class Workshop:
    """Say in one line what a customer or a desk does."""

    def __init__(self, services: Services, now: datetime) -> None:
        self.services, self.shop, self.db, self.now = services, services.shop, services.db, now

    def day(self, sku: str, quantity: int = 1, *, cart: str | None = None, postcode: str | None = None) -> date:
        """Return the day that the shop names."""
        return self.shop.promises.quote(sku, quantity, postcode=postcode, cart=cart, now=self.now).deliver_on

    def form(self, cart: Any, **changes: Any) -> CheckoutForm:
        """Return a checkout form as the page would send it."""
        values: dict[str, Any] = {
            "key": f"form-of-{cart.token}-{cart.version}",
            "cart_version": cart.version,
            "total_minor": cart.total.amount_minor if cart.total else 0,
            "email": "Ada@example.test",
            "name": "Ada Lovelace",
            "phone": "",
            "street": "Weg 1",
            "city": "Berlin",
            "postcode": "10115",
            "country": "DE",
            "note": "",
            "language": "en",
        }
        return CheckoutForm(**(values | changes))

    def cart(self, **lines: int) -> Any:
        """Put things into a new cart: cart(TABLE=1, STOOL=2)."""
        cart = None
        for sku, quantity in lines.items():
            cart = self.shop.carts.add(cart.token if cart else None, sku, quantity, postcode=None, now=self.now)
        return cart

    def start(self, cart: Any, **changes: Any) -> Any:
        """Go to the payment page."""
        return self.shop.checkout.start(cart.token, self.form(cart, **changes), base_url="http://localhost", now=self.now)

    def pay(self, start: Any) -> None:
        """Pay on the payment page."""
        ref = start.pay_url.rsplit("/", 1)[1]
        news = self.services.gateway.pay(ref, now=self.now)
        self.services.till.settle(news, event_id=f"test:{ref}", now=self.now)

    def buy(self, **lines: int) -> Any:
        """Buy and pay; return the order as its customer sees it."""
        start = self.start(self.cart(**lines))
        self.pay(start)
        return self.order(start)

    def order(self, start: Any) -> Any:
        """Return the order behind its link, as whoever bought it reads it."""
        return self.shop.orders.get(start.order_token, reader=Reader([start.order_proof]), now=self.now)

    def stock(self, sku: str) -> tuple[int, int, int]:
        """Return (on hand, allocated, reserved)."""
        with self.db.read() as session:
            row = session.execute(sa.select(t.Stock).where(t.Stock.item_id == item_id(session, sku))).scalar_one()
            return row.on_hand, row.allocated, row.reserved

    def rows(self, model: Any, **where: Any) -> list[Any]:
        """Return rows of a table."""
        with self.db.read() as session:
            return list(session.scalars(sa.select(model).filter_by(**where).order_by(model.id)))

    def letter(self, row: OutboxMessage) -> dict[str, Any]:
        """Return what a mail is written of as it leaves."""
        return links.written(self.services.settings.secret_key, row.payload)

    def do(self, verb: Any, *args: Any, **named: Any) -> Any:
        """Run a use case in a transaction of its own, now, as the tester."""
        return self.db.run(lambda session: verb(session, *args, **{"actor": "tester", "now": self.now} | named))

    def listed(self) -> list[str]:
        """Return the slugs in the catalogue."""
        listing = self.shop.catalogue.list_products(category=None, query=None, page=1, postcode=None, language="en", now=self.now)
        return sorted(card.slug for card in listing.cards)

    def orders(self) -> list[Order]:
        """Return all orders."""
        return self.rows(Order)

    def breaches(self) -> list[str]:
        """Return what does not add up."""
        with self.db.read() as session:
            found = [line for rule in ASKED for line in rule.lines(session, self.now)]
            return [*breaches(session), *(line for line in found if not any(words in line for words in HALF))]


@pytest.fixture
def erp(clock: Any) -> Iterator[ErpDouble]:
    """A double of an outside ERP, on the test's clock; give it to the settings (`erp_url`)."""
    double = ErpDouble(clock).start()
    yield double
    double.stop()


@pytest.fixture
def workshop(services: Services, now: datetime) -> Iterator[Workshop]:
    """The open workshop; after every test all its figures must still add up."""

    def open_it(session: Session) -> None:
        open_company(session, now=now)

    services.db.run(open_it)
    shop = Workshop(services, now)
    yield shop
    assert shop.breaches() == []
