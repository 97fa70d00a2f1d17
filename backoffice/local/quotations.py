"""Quotations behind their secret link, over the database; drawing one up for the desk, and trying how it would be."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import printing
from backoffice.bridge import papers
from backoffice.crm import checkout as checkouts
from backoffice.crm import links, quotation_accepting, quotation_watch, quotations, quoting
from backoffice.crm.customers import Editor
from backoffice.crm.models import Cart, Checkout, Quotation
from backoffice.db import Database
from backoffice.erp.company import get_company
from backoffice.erp.models import Staff
from backoffice.local.checkout import Page, Till, page_of, started
from backoffice.payments import settle as settling
from backoffice.public import addresses
from backoffice.public.checkout import PAY_MINUTES, PaymentStart
from backoffice.public.errors import Refused
from backoffice.public.money import Money
from backoffice.public.quotations import QuotationLine, QuotationView
from backoffice.wording import day_in

NO_LONGER_KEPT = ("day_moved", "not_available", "hold_expired")


class _TriedError(Exception):
    """What was tried is taken back; it carries what came of it."""

    def __init__(self, quotation: Quotation) -> None:
        super().__init__()
        self.quotation = quotation


class LocalQuotations:
    """Show a quotation, accept it, ask for it again."""

    def __init__(self, db: Database, till: Till) -> None:
        """Read from and write to `db`; pay at the till's provider."""
        self._db = db
        self._till = till

    def get(self, token: str, *, now: datetime) -> QuotationView:
        """Return the newest version of a quotation."""
        with self._db.read() as session:
            return self._view(session, token, now)

    def paper(self, token: str, *, now: datetime) -> tuple[str, bytes]:
        """Return it as a PDF file in its customer's language."""
        with self._db.read() as session:
            view, company = self._view(session, token, now), get_company(session)
        zone = ZoneInfo(company.timezone)
        html = papers.draw(
            "quotation.html",
            view.language,
            one=view,
            company=company,
            sent_on=view.sent_at.astimezone(zone).date().isoformat(),
            valid_until=view.valid_until.astimezone(zone).isoformat(),
            amount=asdict,
        )
        return f"{view.number}-{view.version}.pdf", printing.make(html)

    def accept(self, token: str, version: int, total_minor: int, told_on: date, *, now: datetime) -> PaymentStart:
        """Accept what the page showed, and open its payment page."""

        def work(session: Session) -> Page:
            checkout = quotation_accepting.accept(
                session, token, version, total_minor, told_on, secret_key=self._till.secret_key, now=now
            )
            payment = settling.find_by_checkout(session, checkout.id)
            if payment is None:
                until = now + timedelta(minutes=PAY_MINUTES)
                payment = settling.open_payment(session, checkout, provider=self._till.gateway.name, expires_at=until, now=now)
            return page_of(session, payment, self._till.secret_key)

        try:
            page = self._db.run(work)
        except Refused as refusal:
            if refusal.code in NO_LONGER_KEPT:  # the page that comes next shows the day as it is, and the owner knows
                self._see_to(token, now)
            raise
        payment = page.payment
        if payment.pay_url is None and payment.state == "opened":
            payment = self._till.open_page(page, now=now)
        return started(page.checkout, payment, self._till.secret_key)

    def ask_again(self, token: str, message: str, *, now: datetime) -> date:
        """Ask for an ended one once more; return by which day they have an answer."""

        def work(session: Session) -> date:
            lead = quotation_accepting.ask_again(session, token, message, now=now)
            return day_in(get_company(session).timezone, lead.due_at)

        return self._db.run(work)

    def _see_to(self, token: str, now: datetime) -> None:
        def work(session: Session) -> None:
            found, _ = quotations.find_by_link(session, token)
            quotation_watch.see_to(session, found.id, now=now)

        self._db.run(work)

    def _view(self, session: Session, token: str, now: datetime) -> QuotationView:
        quotation, newer = quotations.find_by_link(session, token)
        state, paid_at = quotation.state, ""
        if state == "sent":
            cart = session.get_one(Cart, quotation.cart_id)
            over = quotation_accepting.is_over(quotation, now)
            state = "paying" if checkouts.open_checkouts(session, cart) else "expired" if over else "sent"
        elif state == "accepted":
            done = sa.select(Checkout.link_nonce).where(Checkout.cart_id == quotation.cart_id, Checkout.state == "completed")
            paid_at = links.order_token(self._till.secret_key, session.scalars(done).one())
        return view(session, quotation, state=state, replaced=newer, order_token=paid_at)


def view(
    session: Session, quotation: Quotation, *, state: str = "sent", replaced: bool = False, order_token: str = ""
) -> QuotationView:
    """Return a sent quotation as its customer sees it."""
    assert quotation.valid_until_at is not None
    assert quotation.sent_at is not None
    currency, buyer = quotation.currency, addresses.of({part: quotation.buyer.get(part, "") for part in addresses.PARTS})
    staff = session.get(Staff, quotation.staff_id)
    return QuotationView(
        number=quotation.number,
        version=quotation.version,
        state=state,
        replaced=replaced,
        lines=[
            QuotationLine(
                one["name"],
                one["options"],
                one["sku"],
                one["quantity"],
                Money(one["list_minor"], currency),
                one["discount_percent"],
                Money(one["unit_price_minor"], currency),
                Money(one["unit_price_minor"] * one["quantity"], currency),
            )
            for one in quotation.lines
        ],
        subtotal=Money(quotation.total_minor - quotation.shipping_minor, currency),
        shipping=Money(quotation.shipping_minor, currency),
        total=Money(quotation.total_minor, currency),
        told_on=quotation.told_on,
        deliver_on=quotation.deliver_on,
        valid_until=quotation.valid_until_at,
        sent_at=quotation.sent_at,
        note=quotation.note,
        name=quotation.buyer.get("name", ""),
        email=quotation.buyer.get("email", ""),
        address=addresses.write(buyer),
        country=buyer.country,
        by=staff.name if staff else "",
        language=quotation.language,
        order_token=order_token,
    )


def try_out(
    db: Database, lead_id: int, draft: quoting.Draft, *, lead_version: int, secret_key: str, by: Editor, now: datetime
) -> Quotation:
    """Return the quotation that a draft would become now, days and all; nothing is kept. Raises as `quoting.draw_up`.

    It is drawn up in a transaction that is taken back: what is shown cannot differ from what will be done.
    """

    def work(session: Session) -> None:
        made = quoting.draw_up(session, lead_id, draft, lead_version=lead_version, secret_key=secret_key, by=by, now=now)
        session.expunge_all()
        raise _TriedError(made)

    try:
        db.run(work)
    except _TriedError as tried:
        return tried.quotation
    raise AssertionError("unreachable")
