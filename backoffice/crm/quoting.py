"""Drawing a quotation up; one whose discount is above the company's limit is kept and sent once somebody approves it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backoffice import audit
from backoffice.crm import carts, company_prices, desk_orders, introducing, leads, links, parties, quotations
from backoffice.crm import checkout as checkouts
from backoffice.crm.customers import Editor
from backoffice.crm.lead_forms import clean_text
from backoffice.crm.models import Cart, Quotation
from backoffice.db import PlanMoved
from backoffice.erp import holds, plan, price_lists, promising
from backoffice.erp import models as t
from backoffice.erp.company import get_company
from backoffice.public import addresses
from backoffice.public.checkout import CheckoutForm
from backoffice.public.errors import BadInput, Refused

MOST_LINES = 50
MOST_PERCENT = 90
MOST_SHIFTS = 8  # tries to let work begin when the quotation ends: closed days are stepped over


@dataclass(frozen=True, slots=True)
class Line:
    """What is asked for: so many of an item, and how much of its price is taken off, in 100."""

    sku: str
    quantity: int
    discount_percent: int = 0


@dataclass(frozen=True, slots=True)
class Draft:
    """A quotation as drawn up. form: for whom and where to, its key, its language and a word to the customer (note).

    seen: total and day that its page showed; None: it was not shown yet, and is only tried.
    """

    lines: Sequence[Line]
    form: CheckoutForm
    valid_days: int
    base_url: str
    seen: tuple[int, date] | None = None


def draw_up(
    session: Session, lead_id: int, draft: Draft, *, lead_version: int, secret_key: str, by: Editor, now: datetime
) -> Quotation:
    """Draw a quotation up for whoever asked, and send it; above the company's discount it waits for somebody to approve it.

    What was sent before for the same enquiry is replaced, and its goods are free for the new version, in this transaction.
    The same form twice is one quotation. Raises NotFound(unknown_lead | unknown_product), BadInput(invalid_form, fields),
    Refused(cart_empty | not_available | stale | wrong_state | price_changed | day_moved | payment_open | currency_mismatch).
    """
    known = session.scalar(sa.select(Quotation).where(Quotation.key == draft.form.key))
    if known is not None:
        return known
    email = _check(session, draft)
    leads.get_lead(session, lead_id)
    quotation = _write(session, lead_id, draft, email, by=by, secret_key=secret_key, now=now)
    limit = get_company(session).quotation_percent
    if quotation.discount_percent <= limit:
        _send(session, quotation, seen=draft.seen, now=now)
    lead = leads.begin_order(session, lead_id, staff=by, version=lead_version, now=now)
    introducing.tie(session, lead, email=email, name=draft.form.name, phone=draft.form.phone, staff=by, now=now)
    quotation.party_id = lead.party_id
    if quotation.state == "sent":
        assert quotation.valid_until_at is not None
        desk_orders.come_back(session, lead.id, quotation.valid_until_at)
    kind = "quoted" if quotation.state == "sent" else "quotation_waits"
    quotations.note(session, quotation, kind, actor=by.name, now=now)
    audit.record(session, "quotation.draw_up", quotations.subject(quotation), actor=by.email, role=by.role, now=now)
    session.flush()
    return quotation


def approve(session: Session, quotation_id: int, *, by: Editor, now: datetime) -> Quotation:
    """Approve what a colleague drew up above the limit: it is kept and sent now. Approved before by the same person: nothing.

    Raises NotFound(unknown_record), Refused(wrong_state | second_person | not_available | payment_open).
    """
    quotation = _to_decide(session, quotation_id, by)
    if quotation.state == "sent" and quotation.decided_by_id == by.id:
        return quotation
    quotations.require_move(quotation, "sent")
    _send(session, quotation, seen=None, now=now)
    quotation.decided_by_id = by.id
    assert quotation.valid_until_at is not None
    desk_orders.come_back(session, quotation.lead_id, quotation.valid_until_at)
    quotations.note(session, quotation, "quoted", actor=by.name, now=now)
    audit.record(session, "quotation.approve", quotations.subject(quotation), actor=by.email, role=by.role, now=now)
    session.flush()
    return quotation


def decline(session: Session, quotation_id: int, reason: str, *, by: Editor, now: datetime) -> Quotation:
    """Decline what a colleague drew up above the limit, and say why; they come back to it at once.

    Raises NotFound(unknown_record), BadInput(invalid_form, note), Refused(wrong_state | second_person).
    """
    words = clean_text(reason, field="note")
    quotation = _to_decide(session, quotation_id, by)
    if quotation.state == "declined" and quotation.decided_by_id == by.id:
        return quotation
    quotations.require_move(quotation, "declined")
    quotation.state, quotation.decided_by_id, quotation.reason, quotation.ended_at = "declined", by.id, words, now
    desk_orders.come_back(session, quotation.lead_id, now)
    quotations.note(session, quotation, "quotation_declined", text=words, actor=by.name, now=now)
    audit.record(session, "quotation.decline", quotations.subject(quotation), actor=by.email, role=by.role, now=now)
    session.flush()
    return quotation


def _check(session: Session, draft: Draft) -> str:
    """Return the e-mail address. Raises BadInput(invalid_form, fields), Refused(cart_empty)."""
    wrong: dict[str, str] = {}
    if not 1 <= draft.valid_days <= get_company(session).quotation_days:
        wrong["valid_days"] = "bad_number"
    if any(not 0 <= line.discount_percent <= MOST_PERCENT for line in draft.lines):
        wrong["lines"] = "bad_percent"
    email = ""
    try:
        email = checkouts.check_form(session, draft.form)
    except BadInput as error:
        wrong = {**error.fields, **wrong}
    if wrong:
        raise BadInput("invalid_form", wrong)
    if not draft.lines:
        raise Refused("cart_empty")
    if len(draft.lines) > MOST_LINES or len({line.sku for line in draft.lines}) < len(draft.lines):
        raise BadInput("invalid_form", {"lines": "in_it_already"})
    return email


def _write(session: Session, lead_id: int, draft: Draft, email: str, *, by: Editor, secret_key: str, now: datetime) -> Quotation:
    lead, company, nonce = leads.get_lead(session, lead_id), get_company(session), secrets.token_urlsafe(20)
    newest = next(iter(quotations.of_lead(session, lead_id)), None)
    goes_on = newest is not None and newest.state != "accepted"
    place = addresses.tidy(checkouts.address_of(draft.form))
    quotation = Quotation(
        number=newest.number if newest is not None and goes_on else f"Q-{lead_id:05d}{f'-{newest.id}' if newest else ''}",
        version=newest.version + 1 if newest is not None and goes_on else 1,
        lead_id=lead_id,
        party_id=lead.party_id,
        staff_id=by.id,
        state="waiting",
        key=draft.form.key,
        asked=[{"sku": one.sku, "quantity": one.quantity, "percent": one.discount_percent} for one in draft.lines],
        buyer={"email": email, **addresses.texts_of(place)},
        note=draft.form.note.strip(),
        language=draft.form.language,
        discount_percent=max(one.discount_percent for one in draft.lines),
        valid_days=draft.valid_days,
        currency=company.currency,
        shipping_minor=company.shipping_minor,
        total_minor=company.shipping_minor,
        link_nonce=nonce,
        token_hash=links.hash_token(links.quotation_token(secret_key, nonce)),
        base_url=draft.base_url.rstrip("/"),
        created_at=now,
    )
    for line in draft.lines:
        item = promising.get_item(session, line.sku)
        own = company_prices.list_of_party(session, lead.party_id, now=now)
        price = quotations.agreed_minor(price_lists.unit_minor(session, item, line.quantity, own), line.discount_percent)
        quotation.total_minor += price * line.quantity
    try:
        with session.begin_nested():
            session.add(quotation)
    except IntegrityError as error:
        raise PlanMoved("quotation") from error  # a colleague, or the same form, was faster by a moment: look again
    return quotation


def _send(session: Session, quotation: Quotation, *, seen: tuple[int, date] | None, now: datetime) -> None:
    """Keep its goods and mail its link; what it replaces ends first, so that the two never compete.

    Raises Refused(not_available | price_changed | day_moved | payment_open | currency_mismatch).
    """
    items = {one["sku"]: promising.get_item(session, one["sku"]) for one in quotation.asked}
    if any(holds.needs_plan(item) for item in items.values()):
        plan.bump(session)  # before any shelf is touched, so that all planners lock in one order
    older = sa.select(Quotation.id).where(
        Quotation.number == quotation.number, Quotation.id != quotation.id, Quotation.state.in_(quotations.OPEN)
    )
    replaced = [quotations.lock(session, one) for one in session.scalars(older.order_by(Quotation.id)).all()]
    for one in replaced:
        quotations.let_go(session, one, "replaced", now)
    session.flush()
    quotation.valid_until_at = _valid_until(session, quotation.valid_days, now)
    cart = _cart(session, quotation, now)
    lines = _hold(session, cart, quotation, items, now)
    quotation.cart_id, quotation.state, quotation.sent_at = cart.id, "sent", now
    quotation.lines, quotation.currency = quotations.frozen_lines(session, quotation, lines), lines[0].item.currency
    quotation.shipping_minor = carts.delivery_minor(session, cart)
    goods = sum(one["unit_price_minor"] * one["quantity"] for one in quotation.lines)
    quotation.total_minor = goods + quotation.shipping_minor
    quotation.deliver_on = carts.latest_day(lines)
    quotation.told_on = quotations.last_day(session, cart, lines, quotation.valid_until_at, now=now)
    if quotation.told_on is None:
        raise Refused("not_available", most=0)
    if seen is not None and seen[0] != quotation.total_minor:
        raise Refused("price_changed", total_minor=quotation.total_minor)
    if seen is not None and quotation.told_on > seen[1]:
        raise Refused("day_moved", was_on=seen[1], now_on=quotation.told_on)
    session.flush()
    again = any(one.sent_at is not None for one in replaced)
    quotations.mail(session, quotation, "quotation", now=now, again=again)


def _cart(session: Session, quotation: Quotation, now: datetime) -> Cart:
    buyer = quotation.buyer
    whose = parties.class_of(session, quotation.party_id)
    cart, _token = carts.new_cart(session, postcode=buyer["postcode"], country=buyer["country"], customer_class=whose, now=now)
    cart.state, cart.party_id = "quoted", quotation.party_id  # no browser's
    session.flush()
    return cart


def _hold(session: Session, cart: Cart, quotation: Quotation, items: Mapping[str, t.Item], now: datetime) -> Sequence[carts.Line]:
    """Hold all of it until the quotation ends, what is made for it from then on; return its lines."""
    until = quotation.valid_until_at
    assert until is not None
    wanted, asked_days = {one["sku"]: int(one["quantity"]) for one in quotation.asked}, []
    minutes = quotations.minutes(until, now)
    for sku, item in sorted(items.items(), key=lambda one: one[1].id):
        cart.requested_on = None
        carts.add(session, cart, sku, wanted[sku], minutes=minutes, now=now)
        for _ in range(MOST_SHIFTS):
            later_on = _later_on(session, cart, item, until, now)
            if later_on is None:
                break
            asked_days.append(later_on)
            cart.requested_on = later_on
            carts.set_quantity(session, cart, sku, wanted[sku], minutes=minutes, now=now)
    cart.requested_on = max(asked_days, default=None)
    lines, _ = carts.lines_of(session, cart, now=now)
    for line in lines:
        if line.promise is None or line.reservation is None:
            raise Refused("not_available", sku=line.item.sku, most=line.most or 0)
    return lines


def _later_on(session: Session, cart: Cart, item: t.Item, until: datetime, now: datetime) -> date | None:
    """Return a day by which an item may be asked for so that its work begins no sooner than an instant; None: it does so now."""
    line = next(one for one in carts.lines_of(session, cart, now=now)[0] if one.item.id == item.id)
    begins_at = quotations.first_start(session, [line.reservation.id]) if line.reservation else None
    if begins_at is None or begins_at >= until or line.promise is None:
        return None
    return max(line.promise.deliver_on, cart.requested_on or date.min) + timedelta(days=(until - begins_at).days + 1)


def _to_decide(session: Session, quotation_id: int, by: Editor) -> Quotation:
    quotation = quotations.lock(session, quotation_id)
    if quotation.staff_id == by.id:
        raise Refused("second_person")
    return quotation


def _valid_until(session: Session, days: int, now: datetime) -> datetime:
    """Return the last whole minute, counted from now, of so many days from today, where the company is."""
    zone = ZoneInfo(get_company(session).timezone)
    ends_at = datetime.combine(now.astimezone(zone).date() + timedelta(days=days + 1), time(0), zone)
    return now + timedelta(minutes=int((ends_at - now) / timedelta(minutes=1)) - 1)
