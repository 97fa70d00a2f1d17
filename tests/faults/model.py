"""Shard `model` (R22): the shop beside a model of a few dictionaries, led through whatever order of events Hypothesis thinks of.

Carts that grow and shrink, payment pages opened, left, paid, run out, paid too late, orders cancelled, stock that comes and goes,
time that passes. The model knows only what must be true: what lies there, whose it is and until when. After every step the
shop's figures are the model's, and what the shop refused could not be had; in the end everything must add up (`verify`). A
failing run is shrunk to its shortest and printed as code.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from backoffice import bootstrap
from backoffice.bootstrap import Services
from backoffice.config import Settings
from backoffice.crm.checkout import MOST_STARTS, STARTS_WITHIN
from backoffice.crm.models import Order
from backoffice.db import Database
from backoffice.erp import holds, offers, stock
from backoffice.erp import models as t
from backoffice.payments import cancelling
from backoffice.payments.gateway import PaymentSession
from backoffice.payments.models import Payment, Refund
from backoffice.public.errors import Refused
from backoffice.public.money import Money
from backoffice.tables import metadata
from tests.company import item_id, open_company
from tests.faults.rows import Row
from tests.integration.chain.conftest import Workshop

BEGINS = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
SKUS = ("STOOL", "VASE")  # in the order of their items
HOLD, NOTED, PAY = timedelta(minutes=15), timedelta(minutes=1), timedelta(minutes=31)
SECRET = "x" * 32
ANY_DAY = ("day_moved",)  # the cut-off has passed since the cart was shown: never wrong to say
Kept = dict[str, datetime | None]  # SKU → until when it is held; None: it is not


@dataclass(eq=False)
class Basket:
    """A cart of the model. paying: its open payment's number at the provider; then nothing of it dies by the clock."""

    token: str
    lines: dict[str, int] = field(default_factory=dict)
    held: Kept = field(default_factory=dict)
    paying: str = ""
    pay_by: datetime = BEGINS
    begun: list[datetime] = field(default_factory=list)  # its payments


@dataclass(eq=False)
class Sale:
    """A payment of the model, from its page on. state: open | over | ordered | refunded | cancelled."""

    ref: str
    lines: dict[str, int]
    total: int
    basket: Basket
    state: str = "open"


class ShopMachine(RuleBasedStateMachine):
    """The shop and the model, step by step."""

    baskets: Bundle[Basket] = Bundle("baskets")
    sales: Bundle[Sale] = Bundle("sales")

    def __init__(self) -> None:
        super().__init__()
        services = _services()
        services.db.engine.dispose()
        services.db.kept.clear()
        path = Path(str(services.db.engine.url.database))
        for old in path.parent.glob("shop.db*"):
            old.unlink()
        shutil.copyfile(_template(), path)
        self.shop = Workshop(services, BEGINS)
        self.on_hand = {"STOOL": 3, "VASE": 2}
        self.all_baskets: list[Basket] = []
        self.all_sales: list[Sale] = []

    def teardown(self) -> None:
        """End: everything adds up."""
        assert self.shop.breaches() == []

    # -- what the model knows ----------------------------------------------------------------------------------------

    def _kept(self, sku: str, *, but: Basket | None = None) -> int:
        """Return how many pieces carts keep alive."""
        alive = [
            one for one in self.all_baskets if one is not but and (one.paying or (one.held.get(sku) or BEGINS) > self.shop.now)
        ]
        return sum(one.lines.get(sku, 0) for one in alive if one.held.get(sku) is not None)

    def _allocated(self, sku: str) -> int:
        return sum(one.lines.get(sku, 0) for one in self.all_sales if one.state == "ordered")

    def _free(self, sku: str, *, but: Basket | None = None) -> int:
        return self.on_hand[sku] - self._allocated(sku) - self._kept(sku, but=but)

    def _leave(self, basket: Basket) -> None:
        """Its payment page is closed and its goods are held on."""
        if basket.paying:
            self._sale(basket.paying).state = "over"
            basket.paying = ""
            basket.held = dict.fromkeys(basket.held, self.shop.now + HOLD)

    def _renew(self, basket: Basket, *, dead_only: bool = False) -> None:
        """Hold every line again that can be had, one after the other."""
        for sku in (one for one in SKUS if one in basket.lines):
            until, now = basket.held[sku], self.shop.now
            if until is not None and until > now:
                if not dead_only and until <= now + HOLD - NOTED:
                    basket.held[sku] = now + HOLD
            else:
                basket.held[sku] = now + HOLD if self._free(sku, but=None) >= basket.lines[sku] else None

    def _sale(self, ref: str) -> Sale:
        return next(one for one in self.all_sales if one.ref == ref)

    # -- what happens ------------------------------------------------------------------------------------------------

    @rule(target=baskets, sku=st.sampled_from(SKUS), quantity=st.integers(1, 3))
    def open_cart(self, sku: str, quantity: int) -> Any:
        """Somebody new puts something into a cart."""
        basket = Basket("")
        if self._put(basket, sku, quantity):
            self.all_baskets.append(basket)
            return basket
        return multiple()

    @rule(basket=baskets, sku=st.sampled_from(SKUS), quantity=st.integers(1, 3))
    def add(self, basket: Basket, sku: str, quantity: int) -> None:
        """More of it, or something else too."""
        if basket in self.all_baskets:
            self._put(basket, sku, quantity)

    def _put(self, basket: Basket, sku: str, quantity: int) -> bool:
        total = basket.lines.get(sku, 0) + quantity
        self._leave(basket)
        could = self._free(sku, but=basket) >= total

        def put() -> None:
            token = basket.token or None
            basket.token = self.shop.shop.carts.put_in(token, sku, quantity, postcode="10115", now=self.shop.now)

        assert _said(put) == ("" if could else "not_available")
        if could:
            basket.lines[sku], basket.held[sku] = total, self.shop.now + HOLD
        return could

    @rule(basket=baskets, sku=st.sampled_from(SKUS), quantity=st.integers(0, 4))
    def set_quantity(self, basket: Basket, sku: str, quantity: int) -> None:
        """Fewer or more of a line; none: it goes."""
        if basket not in self.all_baskets or sku not in basket.lines:
            return
        self._leave(basket)
        could = not quantity or self._free(sku, but=basket) >= quantity
        change = self.shop.shop.carts.set_quantity
        said = _said(lambda: change(basket.token, sku, quantity, now=self.shop.now))
        assert said == ("" if could else "not_available")
        if could and quantity:
            basket.lines[sku], basket.held[sku] = quantity, self.shop.now + HOLD
        elif could:
            del basket.lines[sku], basket.held[sku]

    @rule(target=sales, basket=baskets)
    def checkout(self, basket: Basket) -> Any:
        """Go to pay."""
        if basket not in self.all_baskets or not basket.lines:
            return multiple()
        if sum(at > self.shop.now - STARTS_WITHIN for at in basket.begun) >= MOST_STARTS:
            return multiple()  # it would be told to wait
        self._leave_if_current(basket)
        cart = self.shop.shop.carts.find(basket.token, now=self.shop.now)
        before = dict(basket.held)
        self._renew(basket, dead_only=True)
        could = None not in basket.held.values()
        starts: list[Any] = []
        key = f"{basket.token}-{len(self.all_sales)}-{self.shop.now.timestamp()}"
        said = _said(lambda: starts.append(self.shop.start(cart, key=key)))
        if said:
            assert said in ANY_DAY or (said in ("not_available", "price_changed") and not could), said
            basket.held = before
            if said != "price_changed":
                self._renew(basket)  # the cart is shown again
            return multiple()
        assert could
        sale = Sale(starts[0].pay_url.rsplit("/", 1)[1], dict(basket.lines), cart.total.amount_minor, basket)
        basket.paying, basket.pay_by = sale.ref, self.shop.now + PAY
        basket.begun.append(self.shop.now)
        self.all_sales.append(sale)
        return sale

    def _leave_if_current(self, basket: Basket) -> None:
        """Come back from a payment page that is still open, as a browser does: its cart is asked for first."""
        if basket.paying:
            self.shop.shop.carts.set_quantity(basket.token, "LAMP", 0, now=self.shop.now)
            self._leave(basket)

    @rule(sale=sales)
    def pay(self, sale: Sale) -> None:
        """Press the button of the payment page, in time or not, once more or for the first time."""
        self.shop.pay(_Start(sale.ref))
        if sale.state == "open":
            basket = sale.basket
            if self.shop.now < basket.pay_by:
                sale.state = "ordered"
                self.all_baskets.remove(basket)
            else:
                self._run_out(sale)

    @rule(sale=sales)
    def pay_late(self, sale: Sale) -> None:
        """The provider says paid although the page had ended: the goods are kept again, or the money goes back; once."""
        if sale.state in ("open", "cancelled"):
            return
        news = PaymentSession(sale.ref, "", "paid", Money(sale.total, "EUR"), self.shop.now)
        could = all(self._free(sku) >= quantity for sku, quantity in sale.lines.items())
        self.shop.services.till.settle(news, event_id=f"late:{sale.ref}", now=self.shop.now)
        if sale.state == "over":
            sale.state = "ordered" if could else "refunded"

    @rule()
    def poll(self) -> None:
        """The worker asks the provider: what has run out ends."""
        self.shop.services.till.poll(now=self.shop.now)
        for sale in self.all_sales:
            if sale.state == "open" and sale.basket.pay_by <= self.shop.now:
                self._run_out(sale)

    def _run_out(self, sale: Sale) -> None:
        sale.state, sale.basket.paying = "over", ""
        sale.basket.held = dict.fromkeys(sale.basket.held, None)

    @rule(sale=sales)
    def cancel(self, sale: Sale) -> None:
        """Take an order back."""
        if sale.state == "ordered":
            number = self._number(sale)
            how = {"by": "customer", "now": self.shop.now}
            assert self.shop.db.run(lambda session: cancelling.cancel(session, number, **how))
            sale.state = "cancelled"

    def _number(self, sale: Sale) -> str:
        of_payment = sa.select(Order.number).join(Payment, Payment.id == Order.payment_id).where(Payment.provider_ref == sale.ref)
        with self.shop.db.read() as session:
            return str(session.scalars(of_payment).one())

    @rule(minutes=st.sampled_from((1, 7, 16, 32)))
    def wait(self, minutes: int) -> None:
        """Time passes."""
        self.shop.now += timedelta(minutes=minutes)

    @rule()
    def sweep(self) -> None:
        """The worker releases what has died; nobody notices."""
        self.shop.db.run(lambda session: holds.sweep(session, now=self.shop.now))

    @rule(sku=st.sampled_from(SKUS), delta=st.integers(-2, 3).filter(bool))
    def count(self, sku: str, delta: int) -> None:
        """Goods come in, or are missing: what is somebody's never is."""
        self.sweep()
        if self._free(sku) + delta < 0:
            return
        name = f"count:{time.perf_counter_ns()}"

        def move(session: sa.orm.Session) -> None:
            item = item_id(session, sku)
            stock.move(session, item, 1, delta, cause="test", ref=name, actor="test", now=self.shop.now)
            offers.touch(session, [item], now=self.shop.now)

        self.shop.db.run(move)
        self.on_hand[sku] += delta

    # -- what must be the same ---------------------------------------------------------------------------------------

    @invariant()
    def figures_are_the_models(self) -> None:
        """What lies there, what orders have, what carts keep alive, what was given back."""
        alive = sa.or_(
            t.Reservation.state == "paying", sa.and_(t.Reservation.state == "held", t.Reservation.expires_at > self.shop.now)
        )
        kept = sa.select(t.Reservation.item_id, sa.func.sum(t.Reservation.quantity)).where(alive).group_by(t.Reservation.item_id)
        totals = sa.select(t.Item.sku, t.Item.id, t.Stock.on_hand, t.Stock.allocated).join(t.Stock, t.Stock.item_id == t.Item.id)
        with self.shop.db.read() as session:
            held = dict(session.execute(kept).all())
            found = {
                sku: (on_hand, allocated, held.get(item, 0))
                for sku, item, on_hand, allocated in session.execute(totals)
                if sku in SKUS
            }
            orders = session.scalar(sa.select(sa.func.count(Order.id)))
            back = session.scalar(sa.select(sa.func.coalesce(sa.func.sum(Refund.amount_minor), 0)))
        assert found == {sku: (self.on_hand[sku], self._allocated(sku), self._kept(sku)) for sku in SKUS}
        assert orders == sum(one.state in ("ordered", "cancelled") for one in self.all_sales)
        assert back == sum(one.total for one in self.all_sales if one.state in ("refunded", "cancelled"))


def _said(work: Callable[[], Any]) -> str:
    """Do something; return the code with which it was refused, empty when it was not."""
    try:
        work()
    except Refused as refused:
        return refused.code
    return ""


@dataclass(frozen=True)
class _Start:
    ref: str

    @property
    def pay_url(self) -> str:
        return f"/sandbox/pay/{self.ref}"


@cache
def _services() -> Services:
    """Return the shop: one for all runs, which know each statement then; its file is put back before each."""
    folder = Path(tempfile.mkdtemp(prefix="shopfloor-model-"))
    given: dict[str, Any] = {"database_url": f"sqlite:///{folder}/shop.db", "var_dir": folder, "secret_key": SECRET}
    return bootstrap.build(Settings(**given, demo=True, reoptimise_seconds=0))


@cache
def _template() -> Path:
    """Return an open company in a file, made once."""
    path = Path(tempfile.mkdtemp(prefix="shopfloor-model-")) / "template.db"
    db = Database(f"sqlite:///{path}")
    metadata.create_all(db.engine)

    def fill(session: sa.orm.Session) -> None:
        open_company(session, now=BEGINS, stools=3)
        stock.move(session, item_id(session, "VASE"), 1, 2, cause="opening", ref="vases", actor="test", now=BEGINS)
        offers.refresh(session, None, now=BEGINS)

    db.run(fill)
    with db.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
    db.dispose()
    return path


def run(runs: int, steps: int) -> None:
    """Lead the shop through so many runs; raises AssertionError with the shortest one that fails."""
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    many = settings(max_examples=runs, stateful_step_count=steps, deadline=None, suppress_health_check=checks, database=None)
    run_state_machine_as_test(ShopMachine, settings=many)


def rows(runs: str = "400", steps: str = "40") -> Iterator[Row]:
    """Yield whether any run differed. In a night: 20,000 runs."""
    started = time.perf_counter()
    try:
        run(int(runs), int(steps))
        found = "none differs"
    except Exception as error:  # whatever it is, the run that found it is printed
        print("".join(getattr(error, "__notes__", ())), error)
        found = f"{type(error).__name__}"
    figure = f"{found}, {time.perf_counter() - started:.0f} s"
    yield Row(f"R22 {runs} runs of {steps} steps", "the shop is the model", figure, found == "none differs")
