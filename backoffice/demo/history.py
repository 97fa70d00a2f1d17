"""Ninety days of business, run through the same use cases as every day's, each at its own time in the past.

Always the same for the same `now`, except for secrets (tokens, order numbers). What these days would have mailed is not
mailed again.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import api_keys, audit
from backoffice.bootstrap import Services
from backoffice.bridge.models import OutboxMessage
from backoffice.crm import consents
from backoffice.crm.models import Order, Party
from backoffice.demo import agreements, past_enquiries, sales_orders, service
from backoffice.demo.company import TIMEZONE
from backoffice.demo.customers import CUSTOMERS, Customer
from backoffice.erp import delivering, fulfilment, offers, plan, production, proposing, purchasing, splitting
from backoffice.erp import models as t
from backoffice.payments import billing, cancelling, refunds, requests
from backoffice.payments.models import Payment, Refund
from backoffice.public.checkout import CheckoutForm
from backoffice.public.errors import NotFound, Refused

DAYS = 88
PLACED = 76
OF_LATE = 22
IN_PARTS, DELAYED = 62, 60  # the orders that go another way
# what people buy, by how often; made pieces are few, because the boards of today must still lie here
_SHELF = (
    "AMSEL-OAK",
    "AMSEL-ASH",
    "DACHS-OAK",
    "NISCHE-60-OAK",
    "NISCHE-60-ASH",
    "SPAN-S-OAK",
    "SPAN-L-OAK",
    "SPAN-S-WALNUT",
    "MULLE-S-OAK",
    "MULLE-S-ASH",
    "KORN-OAK",
    "DOCHT-OAK",
    "DOCHT-ASH",
    "DOCHT-WALNUT",
    "KASTEN-S-OAK",
    "KASTEN-M-OAK",
    "TRITT-OAK",
    "STUNDE-OAK",
    "BRETT-OAK",
    "LEITER-OAK",
    "PFLEGE-250ML",
    "PFLEGE-500ML",
    "SEIFE-500ML",
    "FILZ-16PIECES",
    "DECKE-MOSS",
    "STANGE-OAK",
    "STAR-OAK",
)
_MADE = ("LINDE-140-OAK", "LINDE-180-ASH", "STEG-OAK", "WIEGE-ASH", "LINDE-180-OAK")
# what firms ordered in the last days, so that every work centre has work in front of it: (hours ago, customer, lines)
_FIRMS: tuple[tuple[int, str, dict[str, int]], ...] = (
    (98, "einkauf@nordlicht.example", {"FALKE-OAK": 4, "LINDE-220-OAK": 1}),
    (96, "praxis@dr-amsel.example", {"KABINETT-OAK": 2}),
    (74, "einkauf@nordlicht.example", {"LINDE-180-OAK": 3, "STEG-OAK": 2}),
    (70, "elisabeth@quelle.example", {"FACH-OAK": 3}),
    (49, "praxis@dr-amsel.example", {"FALKE-WALNUT": 2, "STEG-WALNUT": 1}),
    (46, "hotel@seeblick.example", {"MULDE-160-OAK": 6}),
    (27, "hotel@seeblick.example", {"GARTEN-100-OAK": 3, "FACH-ASH": 4}),
    (22, "einkauf@nordlicht.example", {"LINDE-140-ASH": 4}),
    (5, "hotel@seeblick.example", {"FALKE-OAK": 5}),
)
_WORDING = "Yes, write to me about new things now and then. I can stop it at any time."
PICKER, PLANNER, SALES = "Ayşe Demirkan", "Henrik Voss", "Mara Lindqvist"


def write_history(services: Services, *, now: datetime, say: Callable[[str], None] = lambda _: None) -> None:
    """Let ninety days pass in a demo company that has just been made; `say` hears how far it is."""
    story = _Story(services, now)
    story.begin()
    story.run(say)
    past_enquiries.write_past_enquiries(services, now=now)
    sales_orders.write_sales_orders(services, now=now)
    service.write_service(services, now=now)
    agreements.write_agreements(services.db, now=now)
    story.end()


@dataclass
class _Story:
    """What happens when: everything that is due is done in the order of its time."""

    services: Services
    now: datetime
    random: Random = field(default_factory=lambda: Random(90))  # noqa: S311 - the same story each time
    due: list[tuple[datetime, int, Callable[[datetime], None]]] = field(default_factory=list)
    numbers: Any = field(default_factory=itertools.count)

    def begin(self) -> None:
        """Say when somebody buys; the last weeks are busier, and the last days are still under way."""
        zone = ZoneInfo(TIMEZONE)
        today = self.now.astimezone(zone).date()
        for number in range(PLACED):
            ago = (
                DAYS - int((DAYS - 4) * number / (PLACED - OF_LATE)) if number < PLACED - OF_LATE else self.random.randrange(0, 4)
            )
            minutes = self.random.randrange(8 * 60, 20 * 60)
            at = datetime.combine(today - timedelta(days=ago), time(minutes // 60, minutes % 60), zone)
            at = {IN_PARTS: self.now - timedelta(hours=26), DELAYED: self.now - timedelta(hours=50)}.get(number, at)
            if at < self.now - timedelta(minutes=20):
                self.at(at, self._purchase(number))
        known = {one.email: one for one in CUSTOMERS}
        for number, (hours, email, lines) in enumerate(_FIRMS, start=900):
            self.at(self.now - timedelta(hours=hours), self._order(known[email], lines, number))
        for number in range(3):  # carts that nobody came back to
            self.at(self.now - timedelta(days=2 + number, hours=3), self._abandon(number))

    def at(self, when: datetime, what: Callable[[datetime], None]) -> None:
        """Do something at an instant, if that is past by now."""
        if when < self.now:
            heapq.heappush(self.due, (when.astimezone(ZoneInfo("UTC")), next(self.numbers), what))

    def run(self, say: Callable[[str], None]) -> None:
        """Do all that is due."""
        done = 0
        while self.due:
            when, _, what = heapq.heappop(self.due)
            what(when)
            billing.issue_due(self.services.db, now=when + timedelta(minutes=5))
            done += 1
            if done % 50 == 0:
                say(f"  … {when:%d %b}")

    def do(self, verb: Callable[..., Any], *args: Any, **named: Any) -> Any:
        """Run a use case in a transaction of its own."""
        return self.services.db.run(lambda session: verb(session, *args, **named))

    # --- customers

    def _purchase(self, number: int) -> Callable[[datetime], None]:
        customer = CUSTOMERS[self.random.randrange(len(CUSTOMERS))]
        made = number % 9 == 4
        skus = [_MADE[number // 9 % len(_MADE)]] if made else self.random.sample(_SHELF, self.random.choice((1, 1, 2, 3)))
        lines = {sku: 1 if made else self.random.choice((1, 1, 1, 2)) for sku in skus}
        if number == IN_PARTS:
            lines = {"KIESEL-OAK": 1, "MOND-LINEN": 1}  # a part is here, a part is on its way
        if number == DELAYED:
            lines = {"MOND-MOSS": 1}  # whose delivery will be late

        return self._order(customer, lines, number)

    def _order(self, customer: Customer, lines: dict[str, int], number: int) -> Callable[[datetime], None]:
        def buy(at: datetime) -> None:
            order = self._buy(customer, lines, number, at)
            if order is None:
                return
            self._get_what_is_missing(order, at)
            if number % 13 == 6:
                self.at(at + timedelta(minutes=50), lambda when: self._cancel(order, when))
            elif number == IN_PARTS:
                self.at(at + timedelta(minutes=30), lambda when: self._send_part(order, when))
            elif number == DELAYED:
                self.at(self.now - timedelta(minutes=90), lambda when: self._delay("MOND-MOSS", when))
            self._make_what_is_due(order)
            self._ship_when_due(order, number)

        return buy

    def _buy(self, customer: Customer, lines: dict[str, int], number: int, at: datetime) -> str | None:
        shop, token = self.services.shop, None
        try:
            for sku, quantity in lines.items():
                cart = shop.carts.add(token, sku, quantity, postcode=None, now=at)
                token = cart.token
            assert token is not None
            cart = shop.carts.set_postcode(token, customer.postcode, country=customer.country, now=at)
            assert cart.total is not None
            form = CheckoutForm(
                key=f"demo-order-{number:04}",
                cart_version=cart.version,
                total_minor=cart.total.amount_minor,
                email=customer.email,
                name=customer.name,
                phone="",
                street=customer.street,
                city=customer.city,
                postcode=customer.postcode,
                country=customer.country,
                note="Bitte klingeln." if number % 7 == 3 else "",
                language=customer.language,
                company=customer.company,
            )
            start = shop.checkout.start(token, form, base_url="http://localhost:8000", now=at)
        except Refused:
            return None  # sold out that day: it happens
        ref = start.pay_url.rsplit("/", 1)[1]
        paid = at + timedelta(minutes=4)
        news = self.services.gateway.pay(ref, now=paid)  # type: ignore[attr-defined] # the sandbox alone can be told to pay
        order = self.services.till.settle(news, event_id=f"demo:{ref}", now=paid)
        return order.number if order else None

    def _abandon(self, number: int) -> Callable[[datetime], None]:
        def leave(at: datetime) -> None:
            self.services.shop.carts.add(None, _SHELF[number], 1, postcode="10115", now=at)

        return leave

    # --- workshop and warehouse

    def _get_what_is_missing(self, order: str, at: datetime) -> None:
        """Send the purchases that an order needs to their suppliers the next morning, and take in what comes."""
        with self.services.db.read() as session:
            held = session.scalars(sa.select(t.Reservation.id).where(t.Reservation.order_ref == order)).all()
            lines = [line for own in proposing.proposed_for(session, held).values() for line in own]
        for line in lines:
            self.at(at + timedelta(hours=20), partial(self._send_purchase, line.purchase_order_id))
            self.at(line.due_at, partial(self._receive, line.id, line.quantity))

    def _send_purchase(self, purchase_id: int, at: datetime) -> None:
        with suppress(Refused):  # taken back meanwhile: the order was cancelled
            self.do(purchasing.confirm, purchase_id, actor=PLANNER, now=at)

    def _receive(self, line_id: int, quantity: int, at: datetime) -> None:
        with suppress(Refused, NotFound):  # the same
            self.do(purchasing.receive, line_id, quantity, ref=f"demo:{line_id}", actor=PICKER, now=at)

    def _make_what_is_due(self, order: str) -> None:
        with self.services.db.read() as session:
            rows = session.execute(
                sa.select(t.ProductionOrder.id, t.ProductionOrder.ready_at)
                .join(t.Reservation, t.Reservation.id == t.ProductionOrder.reservation_id)
                .where(t.Reservation.order_ref == order)
                .order_by(t.ProductionOrder.ready_at, t.ProductionOrder.id.desc())
            ).all()
        for order_id, ready_at in rows:
            self.at(ready_at, partial(self._finish, order_id))

    def _finish(self, order_id: int, at: datetime) -> None:
        with suppress(Refused):  # cancelled meanwhile, or a part of it waits for a purchase
            self.do(production.finish, order_id, actor=PLANNER, now=at)

    def _ship_when_due(self, order: str, number: int) -> None:
        zone = ZoneInfo(TIMEZONE)
        with self.services.db.read() as session:
            rows = session.execute(
                sa.select(t.Shipment.id, t.Shipment.ship_by_on, t.Shipment.expected_on).where(t.Shipment.order_ref == order)
            ).all()
        for shipment_id, ship_by_on, expected_on in rows:
            leaves = datetime.combine(ship_by_on, time(13, 20), zone)
            self.at(leaves, partial(self._ship, shipment_id, f"FK{number:06}"))
            arrives = datetime.combine(expected_on or ship_by_on, time(15), zone)
            self.at(arrives, partial(self._arrive, shipment_id, expected_on or ship_by_on))

    def _ship(self, shipment_id: int, tracking: str, at: datetime) -> None:
        with self.services.db.read() as session:
            lines = session.execute(
                sa.select(t.Item.sku, t.ShipmentLine.quantity)
                .join(t.Item, t.Item.id == t.ShipmentLine.item_id)
                .where(t.ShipmentLine.shipment_id == shipment_id)
            ).all()
        try:
            for sku, quantity in lines:
                self.do(fulfilment.pick, shipment_id, sku, quantity, actor=PICKER, now=at - timedelta(hours=2))
            self.do(fulfilment.pack, shipment_id, actor=PICKER, now=at - timedelta(hours=1))
            self.do(fulfilment.ship, shipment_id, tracking=tracking, actor=PICKER, now=at)
        except Refused:
            pass  # cancelled, or still waiting for what is made

    def _arrive(self, shipment_id: int, on: date, at: datetime) -> None:
        if at > self.now - timedelta(days=2):
            return  # whoever drives it has not told us yet
        self.do(delivering.deliver, [shipment_id], on, actor=PICKER, now=at)

    # --- what goes another way

    def _cancel(self, order: str, at: datetime) -> None:
        try:
            self.do(cancelling.cancel, order, by=SALES, now=at)
        except Refused:
            return
        self._send_refunds(at)

    def _send_refunds(self, at: datetime) -> None:
        with self.services.db.read() as session:
            waiting = list(session.scalars(sa.select(Refund.id).where(Refund.state == "requested").order_by(Refund.id)))
        for refund_id in waiting:
            self.services.till.send_refund(refund_id, now=at + timedelta(minutes=1))

    def _send_part(self, order: str, at: datetime) -> None:
        with self.services.db.read() as session:
            [shipment_id] = session.scalars(sa.select(t.Shipment.id).where(t.Shipment.order_ref == order)).all()
        self.do(splitting.send_part, shipment_id, now=at)

    def _delay(self, sku: str, at: datetime) -> None:
        with self.services.db.read() as session:
            line = session.scalars(
                sa.select(t.PurchaseOrderLine)
                .join(t.Item, t.Item.id == t.PurchaseOrderLine.item_id)
                .where(t.Item.sku == sku, t.PurchaseOrderLine.due_at > self.now)
            ).first()
        if line is not None:
            later = line.due_at + timedelta(days=7)
            self.do(purchasing.move_due, line.id, later, version=line.version, actor=PLANNER, now=at)

    def end(self) -> None:
        """Add what stands beside the orders, and let nobody be written to about the past."""
        self.do(self._beside)
        self._at_the_packing_table()
        self._send_refunds(self.now - timedelta(hours=1))
        self.do(self._close_the_post)
        self.do(self._refresh)
        billing.issue_due(self.services.db, now=self.now - timedelta(minutes=5))

    def _at_the_packing_table(self) -> None:
        """Leave the warehouse in the middle of its day: one parcel is packed, one is being picked."""
        with self.services.db.read() as session:
            rows = session.execute(
                sa.select(t.Shipment.id, t.Item.sku, t.ShipmentLine.quantity)
                .join(t.ShipmentLine, t.ShipmentLine.shipment_id == t.Shipment.id)
                .join(t.Item, t.Item.id == t.ShipmentLine.item_id)
                .where(t.Shipment.state == "to_pick")
                .order_by(t.Shipment.ship_by_on, t.Shipment.id, t.Item.sku)
            ).all()
        several = [one for one, lines in itertools.groupby(rows, key=lambda row: row.id) if len(list(lines)) > 1]
        first = next(iter(row.id for row in rows if row.id not in several[:1]), None)
        for shipment_id, sku, quantity in rows:
            if shipment_id == first:
                self.do(fulfilment.pick, shipment_id, sku, quantity, actor=PICKER, now=self.now - timedelta(minutes=20))
        if first is not None:
            self.do(fulfilment.pack, first, actor=PICKER, now=self.now - timedelta(minutes=12))
        for shipment_id, sku, quantity in rows:
            if several and shipment_id == several[0]:
                self.do(fulfilment.pick, shipment_id, sku, quantity, actor=PICKER, now=self.now - timedelta(minutes=6))
                break

    def _beside(self, session: Session) -> None:
        now, parties = self.now, session.scalars(sa.select(Party).where(Party.kind == "person").order_by(Party.id)).all()
        for number, party in enumerate(parties[::4]):
            at = max(now - timedelta(days=60 - 3 * number), party.created_at)  # nobody allows anything before we know them
            consents.give(
                session,
                party.id,
                "newsletter",
                wording=_WORDING,
                language="en",
                source="checkout",
                evidence={"page": "/checkout"},
                now=at,
            )
        row, _ = api_keys.create(
            session, "Price comparison (trial)", ["catalogue:read"], by="Theres Aumüller", now=now - timedelta(days=40)
        )
        api_keys.revoke(session, row.id, now=now - timedelta(days=12))
        for action, days in (("api_key.create", 40), ("api_key.revoke", 12)):
            audit.record(
                session, action, f"api_key:{row.id}", actor="Theres Aumüller", role="admin", now=now - timedelta(days=days)
            )
        shipped = session.scalars(sa.select(Order).where(Order.state.in_(["shipped", "delivered"])).order_by(Order.id)).all()
        for order in shipped[3:9:5]:
            payment = session.get_one(Payment, order.payment_id)
            at = now - timedelta(days=1, hours=3)
            refunds.request(session, payment, 900, reason="partial", key=f"demo:{order.number}", by=SALES, now=at)
            audit.record(session, "refund.request", f"order:{order.number}", actor=SALES, role="sales", now=at)
        self._ask_for_money(session, shipped)

    def _ask_for_money(self, session: Session, shipped: Sequence[Order]) -> None:
        """Let sales ask for more than it may give back alone: it waits for somebody who administers."""
        seller = session.scalars(sa.select(t.Staff).where(t.Staff.name == SALES)).one()
        dear = max(shipped, key=lambda order: (order.total_minor, order.id))
        amount = requests.limit_minor(dear.currency) + 2_550
        reason = "One edge came with a crack. They keep it if we give a part back; a new top would cost us more."
        requests.ask(session, dear.number, amount, reason=reason, key="demo", by=seller, now=self.now - timedelta(hours=4))

    def _close_the_post(self, session: Session) -> None:
        waiting = sa.select(OutboxMessage).where(OutboxMessage.state == "pending").order_by(OutboxMessage.id)
        messages = session.scalars(waiting).all()
        for message in messages:
            message.state, message.done_at, message.attempts = "done", message.created_at, 1
        if messages:  # one address that no server takes: somebody at the desk has to look
            last = messages[0]
            last.state, last.done_at, last.attempts, last.last_error = "dead", None, 8, "550 5.1.1 mailbox unknown"
        session.flush()

    def _refresh(self, session: Session) -> None:
        plan.bump(session)
        offers.refresh(session, None, now=self.now)
