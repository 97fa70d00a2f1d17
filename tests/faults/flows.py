"""What is done on the stage: each flow prepares, then acts; what stands at the end is compared with an undisturbed run."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from pwdlib import PasswordHash
from sqlalchemy.orm import Session

from backoffice import verify
from backoffice.audit import AuditEntry
from backoffice.bridge.models import OutboxMessage
from backoffice.crm.models import Lead, Order, OrderLine
from backoffice.erp import models as t
from backoffice.payments.models import Payment, Refund, RefundRequest, SandboxRefund
from tests.buyers import hidden
from tests.company import open_company
from tests.erp_double import ErpDouble
from tests.faults.stage import Stage, StubbornClient
from tests.invariants import breaches
from tests.stripe_double import StripeDouble

PASSWORD = "hammer and nail"
PARCEL = "/desk/warehouse/shipments/1"
MAIL = "ada@example.test"
ORDERS = sa.select(Order.state, Order.total_minor)


@dataclass(frozen=True, slots=True)
class Flow:
    """prepare: before the fault, returns what `act` wants to know; act: during it."""

    name: str
    prepare: Callable[[Stage], Any]
    act: Callable[[Stage, Any], None]


@lru_cache(maxsize=1)
def _hash() -> str:
    return PasswordHash.recommended().hash(PASSWORD)


def open_workshop(session: Session, stage: Stage) -> None:
    """Open the workshop, with somebody at each desk."""
    open_company(session, now=stage.clock())
    for name, role in {"Wim": "warehouse", "Petra": "planner", "Bea": "sales", "Ada": "admin"}.items():
        mail = f"{name.lower()}@werk.test"
        session.add(t.Staff(email=mail, name=name, role=role, password_hash=_hash(), created_at=stage.clock()))


def customer(stage: Stage) -> StubbornClient:
    """Open the browser of somebody who buys."""
    return stage.browser()


def colleague(stage: Stage, name: str) -> StubbornClient:
    """Log somebody in at a desk."""
    browser = stage.browser()
    send(browser, "/desk/login", email=f"{name.lower()}@werk.test", password=PASSWORD)
    return browser


def send(browser: StubbornClient, path: str, **form: str) -> str:
    """Send a desk's form with its token; return where it leads. A second time it may be refused: then it was done."""
    page = browser.get("/desk/login", follow_redirects=True).text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token, page
    answer = browser.post(path, data={"csrf_token": token[1]} | form)
    if seen := re.search(r'name="seen" value="([^"]+)"', answer.text):  # what it changes is shown before it is saved
        answer = browser.post(path, data={"csrf_token": token[1], "seen": seen[1]} | form)
    died = browser.stage.deaths > 0
    assert answer.status_code == 303 or (died and answer.status_code in (404, 409)), (path, answer.status_code, answer.text)
    return answer.headers.get("Location", "")


def pay_page(browser: StubbornClient, sku: str, quantity: str) -> str:
    """Put something into the cart and go to pay; return the payment page's path."""
    form = {"sku": sku, "slug": sku.lower(), "quantity": quantity, "postcode": "10115"}
    assert browser.post("/cart/add", data=form).status_code == 303
    page = browser.get("/checkout").text
    names = ("key", "cart_version", "total_minor", "shown_postcode", "shown_country")
    form = {name: hidden(page, name) for name in names}
    form |= {"email": MAIL, "name": "Ada", "phone": "", "street": "Weg 1", "postcode": "10115", "city": "Berlin"}
    answer = browser.post("/checkout", data=form | {"country": "DE", "note": ""})
    assert answer.status_code == 303, answer.text
    return urlsplit(answer.headers["Location"]).path


def bought(stage: Stage, sku: str = "STOOL", quantity: str = "2") -> tuple[StubbornClient, str]:
    """Buy and let the worker finish; return the browser and the order's page."""
    browser = stage.browser()
    answer = browser.post(pay_page(browser, sku, quantity), data={"action": "pay"})
    stage.work()
    return browser, urlsplit(answer.headers["Location"]).path


def buy(stage: Stage, browser: StubbornClient) -> None:
    """Buy, and see the order."""
    answer = browser.post(pay_page(browser, "STOOL", "2"), data={"action": "pay"})
    assert "SF-" in browser.get(urlsplit(answer.headers["Location"]).path).text
    stage.work()


def pay_and_leave(stage: Stage, browser: StubbornClient) -> None:
    """Pay, and the provider's word and the way back are lost: the worker finds it."""
    ref = pay_page(browser, "STOOL", "2").rsplit("/", 1)[1]
    stage.survive(lambda: stage.services.gateway.pay(ref, now=stage.clock()))  # type: ignore[attr-defined] # the sandbox's button
    stage.later(minutes=1)
    stage.work()


def leave_unpaid(stage: Stage, browser: StubbornClient) -> None:
    """Go to pay and never do."""
    pay_page(browser, "STOOL", "2")
    stage.later(hours=2)
    stage.work()


def cancel(stage: Stage, bought: tuple[StubbornClient, str]) -> None:
    """Cancel one's own order."""
    browser, order = bought
    page = browser.get(f"{order}/cancel").text
    browser.post(f"{order}/cancel", data={"key": hidden(page, "key")})
    stage.work()


def may_be_cancelled(stage: Stage) -> tuple[StubbornClient, StubbornClient, str]:
    """Buy for more than sales gives back alone; return who may cancel it, who approves that, and its number."""
    bought(stage)
    [(number,)] = stage.rows(sa.select(Order.number))
    return colleague(stage, "Bea"), colleague(stage, "Ada"), number


def cancel_at_the_desk(stage: Stage, known: tuple[StubbornClient, StubbornClient, str]) -> None:
    """Cancel for a customer, and give the money back as a second person."""
    bea, ada, number = known
    send(bea, f"/desk/sales/orders/{number}/cancel", reason="Moves house")
    stage.work()
    [(request_id,)] = stage.rows(sa.select(RefundRequest.id))  # what was taken back had a number too
    send(ada, f"/desk/admin/refunds/{request_id}/approve")
    stage.work()
    assert stage.rows(sa.select(Payment.refunded_minor)) == [(10_300,)]


def ready_to_pick(stage: Stage) -> StubbornClient:
    """Buy; return who picks."""
    bought(stage)
    return colleague(stage, "Wim")


def pick_and_ship(stage: Stage, wim: StubbornClient) -> None:
    """Send the parcel."""
    send(wim, f"{PARCEL}/scan", sku="STOOL", quantity="2", key="one")
    send(wim, f"{PARCEL}/pack")
    send(wim, f"{PARCEL}/ship", tracking="JD 0146")
    stage.work()


def lamps_are_awaited(stage: Stage) -> StubbornClient:
    """Buy what is not here yet; return who will receive it."""
    bought(stage, "LAMP", "2")
    return colleague(stage, "Wim")


def receive(stage: Stage, wim: StubbornClient) -> None:
    """Take what has come."""
    send(wim, "/desk/warehouse/receive/1", quantity="4", key="one")
    stage.work()


def lamps_may_slip(stage: Stage) -> StubbornClient:
    """Buy what is not here yet; return who plans."""
    bought(stage, "LAMP", "2")
    return colleague(stage, "Petra")


def slip(stage: Stage, petra: StubbornClient) -> None:
    """Put a receipt off."""
    version = str(stage.rows(sa.select(t.PurchaseOrderLine.version))[0][0])
    send(petra, "/desk/planning/receipts/1/due", due_on="2026-12-03", version=version, key="one")
    stage.work()


def ask(stage: Stage, browser: StubbornClient) -> None:
    """Write to us."""
    form = {"key": hidden(browser.get("/contact").text, "key"), "name": "Ada", "email": MAIL, "website": ""}
    stage.later(seconds=20)
    answer = browser.post("/contact", data=form | {"message": "Is it bright?"})
    assert answer.status_code == 303, answer.text
    stage.work()


def _with_an_erp(stage: Stage) -> StubbornClient:
    erp = ErpDouble(stage.clock).start()
    erp.on_hand = {"STOOL": 5, "LEG": 12, "BOARD": 20}
    stage.use_erp(erp)
    stage.work()  # the first figures: something can be sold
    return stage.browser()


def paid_and_not_handed_over(stage: Stage) -> tuple[StubbornClient, str]:
    """Buy, and let nobody carry it to the ERP yet."""
    browser = _with_an_erp(stage)
    answer = browser.post(pay_page(browser, "STOOL", "2"), data={"action": "pay"})
    return browser, urlsplit(answer.headers["Location"]).path


def hand_over(stage: Stage, bought: tuple[StubbornClient, str]) -> None:
    """Carry it there, then cancel it."""
    stage.work()
    cancel(stage, bought)


def sold_and_handed_over(stage: Stage) -> ErpDouble:
    """Buy and hand over; return the ERP."""
    paid_and_not_handed_over(stage)
    stage.work()
    assert stage.erp is not None
    return stage.erp


def import_stock(stage: Stage, erp: ErpDouble) -> None:
    """Take new figures."""
    erp.on_hand = {"STOOL": 3, "LEG": 9, "BOARD": 30}
    stage.later(minutes=1)
    stage.work()


def play(stage: Stage, flow: Flow, ends_at: int) -> list[str]:
    """Play a flow on an empty stage, ending the process at a point; return what does not add up afterwards."""
    stage.services.db.run(lambda session: open_workshop(session, stage))
    known = flow.prepare(stage)
    stage.arm(ends_at)
    flow.act(stage, known)
    stage.disarm()
    stage.later(minutes=4)  # whoever paid has an order by then
    stage.work()
    stage.soon = stage.rows(ORDERS)
    for _turn in range(2):  # leases and holds of whoever died run out
        stage.later(hours=1)
        stage.work()
    with stage.services.db.read() as session:
        return [*breaches(session), *verify.breaches(session, now=stage.clock())]


def outcome(stage: Stage) -> dict[str, list[tuple[Any, ...]]]:
    """Return what customers, desks and the provider have of it in the end, without numbers that may have gaps."""
    queries = {
        "orders": ORDERS,
        "lines": sa.select(OrderLine.sku, OrderLine.quantity, OrderLine.promised_on, OrderLine.expected_on, OrderLine.actual_on),
        "paid": sa.select(Payment.state, Payment.amount_minor, Payment.refunded_minor).where(Payment.state != "expired"),
        "refunds": sa.select(Refund.state, Refund.amount_minor),
        "sent back": sa.select(SandboxRefund.amount_minor),
        "stock": sa.select(t.Stock.item_id, t.Stock.on_hand, t.Stock.allocated, t.Stock.reserved),
        "moves": sa.select(t.StockMovement.item_id, t.StockMovement.delta),
        "parcels": sa.select(t.Shipment.state, t.Shipment.tracking, t.Shipment.expected_on),
        "awaited": sa.select(t.PurchaseOrderLine.quantity, t.PurchaseOrderLine.received, t.PurchaseOrderLine.due_at),
        "leads": sa.select(Lead.kind, Lead.message, Lead.state),
        "written down": sa.select(AuditEntry.action, AuditEntry.actor),
        "messages": sa.select(OutboxMessage.target, OutboxMessage.kind, OutboxMessage.state),
    }
    found = {name: sorted(stage.rows(query), key=repr) for name, query in queries.items()}
    # each file is one message, named by its instant, its number and its kind: after a death it may be written later
    delivered = sorted(path.stem.rpartition("-")[2] for path in stage.settings.mail_path.glob("*.eml"))
    books = [(order["lines"], order["told"]) for order in stage.erp.orders.values()] if stage.erp else []
    at_stripe = sorted(_books(stage.double), key=repr) if stage.double else []
    delivered_kinds = [(kind,) for kind in delivered]
    return {
        **found,
        "orders five minutes later": sorted(stage.soon),
        "delivered": delivered_kinds,
        "at the ERP": books,
        "at Stripe": at_stripe,
    }


def _books(double: StripeDouble) -> list[tuple[str, ...]]:
    """Return what there is at Stripe in the end, without names: pages that were not closed, payments, refunds."""
    found = [("page", one["status"], one["payment_status"], str(one["amount_total"])) for one in double.sessions.values()]
    found += [("payment", one["status"], str(one["amount"]), "") for one in double.intents.values()]
    found += [("refund", one["status"], str(one["amount"]), "") for one in double.refunds.values()]
    return [one for one in found if one[:2] != ("page", "expired")]
