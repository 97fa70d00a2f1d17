"""Quotations: kept until they end, replaced, approved, accepted into one order, ended, asked for again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.bridge.models import OutboxMessage
from backoffice.crm import leads, links, quotation_watch, quotations, quoting
from backoffice.crm.models import Activity, Checkout, Lead, Quotation
from backoffice.erp import holds, plan
from backoffice.erp.models import Company, ProductionOrder, Reservation, Staff
from backoffice.local.quotations import try_out
from backoffice.public.checkout import CheckoutForm
from backoffice.public.errors import BadInput, Refused
from backoffice.public.quotations import QuotationView
from tests.integration.chain.conftest import Workshop
from tests.integration.leads.conftest import FORM

KEY = "a key for tests only, 32 letters!"


@dataclass(frozen=True)
class Colleague:
    """Somebody at a desk."""

    id: int
    name: str
    email: str
    role: str = "sales"


BEA, CARL, ADA = (Colleague(n, name, f"{name.lower()}@werk.test") for n, name in enumerate(("Bea", "Carl", "Ada"), 1))


class Desk:
    """Draw quotations up for Anna, who asked for two stools."""

    def __init__(self, workshop: Workshop) -> None:
        self.shop, self.db = workshop, workshop.db
        self.key = workshop.services.settings.secret_key
        self.mails = 0

        def fill(session: Session) -> None:
            for one in (BEA, CARL, ADA):
                session.add(Staff(email=one.email, name=one.name, role=one.role, password_hash="-", created_at=workshop.now))
            leads.submit(session, replace(FORM, source="lantern-blog", needed_by_on=""), now=workshop.now)

        self.db.run(fill)

    def draft(self, *lines: tuple[str, int, int], days: int = 7, key: str = "quotation-1", **more: Any) -> quoting.Draft:
        form = CheckoutForm(
            key=key, cart_version=0, total_minor=0, email="anna@example.test", name="Anna Kowalska", phone="+48 22 111",
            street="Weg 1", city="Berlin", postcode="10115", country="DE", note="With the oiled seat.", language="en",
            company="Kowalska GmbH",
        )  # fmt: skip
        return quoting.Draft([quoting.Line(*one) for one in lines], form, days, "http://localhost", **more)

    def draw(self, draft: quoting.Draft, by: Colleague = BEA) -> Quotation:
        version = self.shop.rows(Lead)[0].version
        return self.db.run(
            lambda session: quoting.draw_up(
                session, 1, draft, lead_version=version, secret_key=self.key, by=by, now=self.shop.now
            )
        )

    def quote(self, *lines: tuple[str, int, int], **more: Any) -> Quotation:
        return self.draw(self.draft(*lines, **more))

    def token(self, quotation: Quotation) -> str:
        return links.quotation_token(self.key, quotation.link_nonce)

    def look(self, quotation: Quotation) -> QuotationView:
        return self.shop.shop.quotations.get(self.token(quotation), now=self.shop.now)

    def accept(self, quotation: Quotation, seen: QuotationView | None = None) -> Any:
        seen = seen or self.look(quotation)
        assert seen.told_on is not None
        return self.shop.shop.quotations.accept(
            self.token(quotation), seen.version, seen.total.amount_minor, seen.told_on, now=self.shop.now
        )

    def watch(self) -> int:
        return quotation_watch.watch(self.db, now=self.shop.now)

    def kinds(self) -> list[str]:
        return [one.kind for one in self.shop.rows(OutboxMessage)]


@pytest.fixture
def desk(workshop: Workshop) -> Desk:
    return Desk(workshop)


def test_it_is_kept_until_it_ends_at_the_price_agreed(desk: Desk) -> None:
    one = desk.quote(("STOOL", 2, 10))
    stool = next(line for line in one.lines)
    assert (one.number, one.version, one.state) == ("Q-00001", 1, "sent")
    assert (stool["list_minor"], stool["discount_percent"], stool["unit_price_minor"]) == (4900, 10, 4410)
    assert (one.shipping_minor, one.total_minor) == (500, 9320)
    assert one.valid_until_at == datetime.fromisoformat("2026-12-01T22:59:00+00:00")  # seven days, to the end of the day
    [held] = desk.shop.rows(Reservation)
    assert (held.state, held.expires_at) == ("held", one.valid_until_at)
    assert desk.shop.stock("STOOL") == (5, 0, 2)
    assert (one.deliver_on, one.told_on) == (date(2026, 11, 25), date(2026, 12, 3))  # now, and at the last moment
    assert desk.kinds() == ["quotation"]
    [lead] = desk.shop.rows(Lead)
    assert (lead.owner_id, lead.state, lead.follow_up_at) == (BEA.id, "working", one.valid_until_at)


def test_the_same_form_twice_is_one_and_trying_it_keeps_nothing(desk: Desk) -> None:
    draft = desk.draft(("STOOL", 2, 0))
    tried = try_out(desk.db, 1, draft, lead_version=1, secret_key=desk.key, by=BEA, now=desk.shop.now)
    assert (tried.total_minor, tried.told_on) == (10300, date(2026, 12, 3))
    assert (desk.shop.rows(Quotation), desk.shop.stock("STOOL"), desk.kinds()) == ([], (5, 0, 0), [])
    first, again = desk.draw(draft), desk.draw(draft)
    assert (again.id, desk.shop.stock("STOOL"), desk.kinds()) == (first.id, (5, 0, 2), ["quotation"])


def test_paid_it_is_an_order_that_is_credited_to_the_enquiry(desk: Desk) -> None:
    one = desk.quote(("STOOL", 2, 10))
    start = desk.accept(one)
    assert desk.accept(one).pay_url == start.pay_url
    assert desk.shop.shop.quotations.get(desk.token(one), now=desk.shop.now).state == "paying"
    desk.shop.pay(start)
    order, [checkout] = desk.shop.order(start), desk.shop.rows(Checkout)
    assert (order.total.amount_minor, order.lines[0].total.amount_minor, order.promised_on) == (9320, 8820, date(2026, 11, 25))
    assert checkout.source == {"source": "lantern-blog", "landing": checkout.source.get("landing")} or checkout.source == {
        "source": "lantern-blog"
    }
    [lead], [kept] = desk.shop.rows(Lead), desk.shop.rows(Quotation)
    assert (lead.outcome, lead.won_order_ref, kept.state, kept.order_ref) == ("won", order.number, "accepted", order.number)
    assert desk.shop.stock("STOOL") == (5, 2, 0)
    assert desk.accept(one).pay_url == f"/o/{start.order_token}"


def test_what_is_made_is_planned_to_begin_when_it_ends(desk: Desk) -> None:
    soonest = desk.shop.day("TABLE")
    one = desk.quote(("TABLE", 1, 0), days=3)
    assert one.valid_until_at is not None
    held = desk.shop.rows(ProductionOrder, state="held")
    assert held
    assert min(work.starts_at for work in held) >= one.valid_until_at
    assert one.told_on is not None
    assert one.told_on > soonest
    assert one.told_on == one.deliver_on  # made to the day
    desk.shop.now += timedelta(days=3)
    assert desk.watch() <= 1
    start = desk.accept(one)
    desk.shop.pay(start)
    assert desk.shop.order(start).promised_on == one.told_on


def test_a_new_version_takes_the_goods_of_the_old_one_over(desk: Desk) -> None:
    first = desk.quote(("STOOL", 5, 0))
    second = desk.quote(("STOOL", 4, 5), key="quotation-2")
    assert [(one.number, one.version, one.state) for one in desk.shop.rows(Quotation)] == [
        ("Q-00001", 1, "replaced"),
        ("Q-00001", 2, "sent"),
    ]
    assert desk.shop.stock("STOOL") == (5, 0, 4)
    seen = desk.shop.shop.quotations.get(desk.token(first), now=desk.shop.now)
    assert (seen.version, seen.replaced, seen.total.amount_minor) == (2, True, second.total_minor)
    assert first.told_on is not None
    with pytest.raises(Refused, match="quotation_replaced"):
        desk.shop.shop.quotations.accept(desk.token(first), 1, first.total_minor, first.told_on, now=desk.shop.now)
    assert desk.shop.rows(Checkout) == []


def test_what_cannot_be_had_leaves_the_old_version_as_it_is(desk: Desk) -> None:
    desk.quote(("STOOL", 3, 0))
    with pytest.raises(Refused, match="not_available"):
        desk.quote(("STOOL", 9, 0), key="quotation-2")
    assert [(one.version, one.state) for one in desk.shop.rows(Quotation)] == [(1, "sent")]
    assert (desk.shop.stock("STOOL"), desk.kinds()) == ((5, 0, 3), ["quotation"])


def test_above_the_limit_somebody_else_approves(desk: Desk) -> None:
    one = desk.quote(("STOOL", 2, 11))
    assert (one.state, one.total_minor, desk.shop.stock("STOOL"), desk.kinds()) == ("waiting", 9222, (5, 0, 0), [])

    def approve(by: Colleague) -> Quotation:
        return desk.db.run(lambda session: quoting.approve(session, one.id, by=by, now=desk.shop.now))

    with pytest.raises(Refused, match="second_person"):
        approve(BEA)
    assert desk.kinds() == []
    assert (approve(ADA).state, approve(ADA).decided_by_id) == ("sent", ADA.id)
    assert (desk.shop.stock("STOOL"), desk.kinds()) == ((5, 0, 2), ["quotation"])


def test_declined_its_owner_comes_back_to_it(desk: Desk) -> None:
    one = desk.quote(("STOOL", 2, 50))
    desk.db.run(lambda session: quoting.decline(session, one.id, "Too much.", by=ADA, now=desk.shop.now))
    [kept], [lead] = desk.shop.rows(Quotation), desk.shop.rows(Lead)
    assert (kept.state, kept.reason, lead.follow_up_at, desk.kinds()) == ("declined", "Too much.", desk.shop.now, [])


@pytest.mark.parametrize(("days", "fields"), [(0, {"valid_days": "bad_number"}), (15, {"valid_days": "bad_number"})])
def test_a_hold_may_not_be_longer_than_the_company_allows(desk: Desk, days: int, fields: dict[str, str]) -> None:
    with pytest.raises(BadInput) as refused:
        desk.quote(("STOOL", 1, 0), days=days)
    assert (refused.value.fields, desk.shop.rows(Quotation)) == (fields, [])

    def allow(session: Session) -> None:
        session.execute(sa.update(Company).values(quotation_days=20))
        plan.bump(session, master=True)

    desk.db.run(allow)
    desk.quote(("STOOL", 1, 0), days=15)


def test_it_reminds_once_ends_and_can_be_asked_for_again(desk: Desk) -> None:
    one = desk.quote(("STOOL", 2, 0))
    assert one.valid_until_at is not None
    assert desk.watch() == 0
    desk.shop.now = one.valid_until_at - timedelta(days=2)
    assert (desk.watch(), desk.watch()) == (1, 0)
    assert (desk.kinds(), desk.shop.rows(Lead)[0].follow_up_at) == (["quotation", "quotation_ends"], desk.shop.now)
    desk.shop.now = one.valid_until_at
    with pytest.raises(Refused, match="quotation_expired"):
        desk.accept(one)
    assert (desk.watch(), desk.watch()) == (1, 0)
    assert (desk.shop.rows(Quotation)[0].state, desk.shop.stock("STOOL")) == ("expired", (5, 0, 0))
    assert desk.shop.rows(Lead)[0].follow_up_at == desk.shop.now
    again = [desk.shop.shop.quotations.ask_again(desk.token(one), "Still yes!", now=desk.shop.now) for _ in range(2)]
    assert again[0] == again[1]
    [_, lead] = desk.shop.rows(Lead)
    assert (lead.kind, lead.owner_id, lead.message, lead.sku, lead.quantity) == (
        "quote_request", BEA.id, "Still yes!", "STOOL", 2,
    )  # fmt: skip


def test_not_paid_it_is_kept_on(desk: Desk) -> None:
    one = desk.quote(("STOOL", 2, 0))
    desk.accept(one)
    with pytest.raises(Refused, match="payment_open"):
        desk.db.run(lambda session: quotations.withdraw(session, one.id, by=BEA, now=desk.shop.now))
    desk.shop.now += timedelta(minutes=40)
    desk.shop.services.till.poll(now=desk.shop.now)
    [held] = desk.shop.rows(Reservation)
    assert (held.state, held.expires_at, desk.shop.stock("STOOL")) == ("held", one.valid_until_at, (5, 0, 2))
    desk.shop.pay(desk.accept(one))
    assert [row.state for row in desk.shop.rows(Checkout)] == ["abandoned", "completed"]
    assert desk.shop.rows(Quotation)[0].state == "accepted"


def test_when_the_day_moves_customer_and_owner_are_told_and_the_page_asks(desk: Desk) -> None:
    one = desk.quote(("TABLE", 1, 0), days=3)
    [held] = desk.shop.rows(Reservation, state="held")
    desk.db.run(lambda session: holds.release(session, held.id, now=desk.shop.now))  # as when the plan slips
    desk.shop.buy(TABLE=5)  # somebody takes what it had stood on
    desk.shop.now += timedelta(days=3)
    assert one.told_on is not None
    with pytest.raises(Refused, match="day_moved"):
        desk.accept(one)
    seen = desk.shop.shop.quotations.get(desk.token(one), now=desk.shop.now)
    assert seen.told_on is not None
    assert seen.told_on > one.told_on
    assert [kind for kind in desk.kinds() if kind.startswith("quotation")] == ["quotation", "quotation_moved", "quotation_ends"]
    [moved] = desk.shop.rows(Activity, kind="quotation_moved")
    assert (moved.values["was_on"], moved.values["now_on"]) == (one.told_on.isoformat(), seen.told_on.isoformat())
    assert desk.shop.rows(Lead)[0].follow_up_at == desk.shop.now
    desk.shop.pay(desk.accept(one))
    assert desk.shop.rows(Quotation)[0].state == "accepted"
