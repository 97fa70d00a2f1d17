"""Carts that were left: who asked to be reminded and does not buy becomes one lead, which closes itself when they buy.

Nobody is written to who did not ask: the words that they agreed to are kept as a consent before anything else is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import events
from backoffice.crm import carts, consents, leads, parties, timeline
from backoffice.crm.lead_forms import CheckedLead
from backoffice.crm.models import Cart, CartReminder, Checkout, Consent, Lead, Order, Party
from backoffice.db import Database
from backoffice.erp.models import Item

QUIET = timedelta(hours=4)  # whoever compares and comes back on the same day needs no reminder
APART = ("quarantined",)
KNOWN = ("new", "working", "answered")
OPEN = (*KNOWN, *APART)
BATCH = 200
PURPOSE = "cart_reminder"


def _nobody() -> bool:
    return False


def ask(
    session: Session,
    cart: Cart,
    *,
    email: str,
    name: str,
    phone: str,
    words: str,
    language: str,
    page: str,
    is_doubtful: Callable[[], bool] = _nobody,
    now: datetime,
) -> CartReminder:
    """Note that somebody wants to be reminded of a cart, in the words that they agreed to; asked again it is once.

    Another address than before takes its place. is_doubtful: asked once, and only of what is new.
    Raises BadInput(invalid_form, email | wording).
    """
    party = parties.find_or_create(session, email=email, name=name.strip(), phone=phone.strip(), language=language, now=now)
    evidence = {"page": page, "cart": cart.id}
    consent = consents.give(
        session, party.id, PURPOSE, wording=words, language=language, source="checkout", evidence=evidence, now=now, tell=False
    )
    reminder = session.scalar(sa.select(CartReminder).where(CartReminder.cart_id == cart.id))
    if reminder is None:
        reminder = CartReminder(cart_id=cart.id, party_id=party.id, consent_id=consent.id, language=language, asked_at=now)
        reminder.doubtful = is_doubtful()
        session.add(reminder)
    elif reminder.party_id != party.id and reminder.lead_id is None:
        reminder.party_id, reminder.consent_id, reminder.asked_at = party.id, consent.id, now
        reminder.doubtful = is_doubtful()
    session.flush()
    return reminder


def remind(db: Database, *, now: datetime) -> int:
    """Make a lead of every cart that was left for four hours by somebody who asked to be reminded; return how many.

    Ends the leads of whoever took their consent back, too.
    """
    db.run(lambda session: _let_go(session, now))
    made, last = 0, 0
    while True:
        with db.read() as session:
            waiting = _waiting(session, last, now)
        for reminder_id in waiting:
            made += db.run(lambda session, one=reminder_id: _make(session, one, now))  # type: ignore[misc]  # a default argument binds the loop's value
        if len(waiting) < BATCH:
            return made
        last = waiting[-1]


def on_order_placed(session: Session, happened: events.OrderPlaced) -> None:
    """Close what waits for somebody who has just bought, from whatever cart: won, by this order. Told twice, it is once."""
    if session.get_one(Party, happened.party_id).created_at >= happened.at:
        return  # nobody knew them before: nothing to ask for, in a purchase of all places
    asked = sa.select(CartReminder.id).where(CartReminder.party_id == happened.party_id, CartReminder.closed_at.is_(None))
    reminders = session.scalars(asked.order_by(CartReminder.id)).all()
    if not reminders:
        return
    ended = sa.update(CartReminder).where(CartReminder.id.in_(reminders)).values(closed_at=happened.at)
    session.execute(ended.execution_options(synchronize_session="fetch"))
    closed = session.execute(
        sa.update(Lead)
        .where(Lead.party_id == happened.party_id, Lead.kind == "abandoned_cart", Lead.state.in_(OPEN))
        .values(
            state="done",
            outcome="won",
            won_order_ref=sa.func.coalesce(Lead.won_order_ref, happened.order_ref),
            follow_up_at=None,
            version=Lead.version + 1,
        )
        .returning(Lead.id)
        .execution_options(synchronize_session="fetch")
    ).scalars()
    for lead_id in sorted(closed):
        timeline.record(session, happened.party_id, "converted", lead_id=lead_id, order_ref=happened.order_ref, now=happened.at)


def _waiting(session: Session, after: int, now: datetime) -> list[int]:
    """Return the reminders whose cart was quiet for long enough, is not being paid for and still holds something."""
    paying = sa.exists().where(Checkout.cart_id == Cart.id, Checkout.state == "open")
    found = (
        sa.select(CartReminder.id)
        .join(Cart, Cart.id == CartReminder.cart_id)
        .where(
            CartReminder.id > after,
            CartReminder.lead_id.is_(None),
            CartReminder.closed_at.is_(None),
            CartReminder.asked_at <= now - QUIET,
            Cart.updated_at <= now - QUIET,
            Cart.state == "open",
            sa.not_(paying),
        )
    )
    return list(session.scalars(found.order_by(CartReminder.id).limit(BATCH)))


def _make(session: Session, reminder_id: int, now: datetime) -> bool:
    """Make the lead of one reminder, unless they bought, took it back or emptied the cart in between."""
    party_id = session.scalar(sa.select(CartReminder.party_id).where(CartReminder.id == reminder_id))
    # whoever buys locks their party first: one of us is told of the other. What only points to it, an entry, waits for nobody
    party = session.scalars(sa.select(Party).where(Party.id == party_id).with_for_update(key_share=True)).one()
    reminder = session.get_one(CartReminder, reminder_id, with_for_update=True, populate_existing=True)
    cart, consent = session.get_one(Cart, reminder.cart_id), session.get_one(Consent, reminder.consent_id)
    if reminder.lead_id is not None or reminder.closed_at is not None:
        return False
    bought = sa.exists().where(Order.party_id == party.id, Order.placed_at >= reminder.asked_at)
    lines = _lines(session, cart)
    if consent.withdrawn_at is not None or cart.state != "open" or not lines or session.scalar(sa.select(bought)):
        reminder.closed_at = now
        return False
    if cart.updated_at > now - QUIET:
        return False
    lead = _open_one(session, party.id, APART if reminder.doubtful else KNOWN)
    words = "\n".join(f"{quantity} × {item.name} ({item.sku})" for item, quantity in lines)
    if lead is None:
        lead = leads.insert(session, party, _form(party, reminder, cart, lines, words), None, now)
        if not reminder.doubtful:  # tells them what they agreed to, and how it ends; who is doubtful, once they are found real
            events.publish(session, events.ConsentGiven(consent.id, now))
    else:
        timeline.record(session, party.id, "message", text=words, lead_id=lead.id, now=now)
        lead.message, lead.version = words, lead.version + 1
    timeline.record(session, party.id, "cart_left", lead_id=lead.id, now=now)
    reminder.lead_id = lead.id
    session.flush()
    return True


def _open_one(session: Session, party_id: int, states: Sequence[str]) -> Lead | None:
    """Return what waits of them already; what is doubtful changes no lead that sales is at, and hides none that is not."""
    same = sa.select(Lead).where(Lead.party_id == party_id, Lead.kind == "abandoned_cart", Lead.state.in_(states))
    locked = same.order_by(Lead.id.desc()).limit(1).with_for_update().execution_options(populate_existing=True)
    return session.scalars(locked).first()


def _lines(session: Session, cart: Cart) -> list[tuple[Item, int]]:
    return [(one.item, one.row.quantity) for one in carts.find_lines(session, cart)]


def _form(party: Party, reminder: CartReminder, cart: Cart, lines: list[tuple[Item, int]], words: str) -> CheckedLead:
    """Return the lead's values: of several goods it is about the first, its message names all."""
    item, quantity = lines[0]
    came = {name: str(cart.source.get(name, "")) for name in ("source", "medium", "campaign", "landing")}
    return CheckedLead(
        kind="abandoned_cart",
        name=party.name,
        email=party.email or "",
        phone=party.phone,
        message=words,
        sku=item.sku,
        quantity=quantity,
        needed_by_on=cart.requested_on,
        postcode=cart.postcode or "",
        language=reminder.language,
        page="checkout",
        doubtful=reminder.doubtful,
        company="",
        country=cart.country,
        newsletter="",
        **came,
    )


def _let_go(session: Session, now: datetime) -> None:
    """Take off the list what was made for somebody who by now does not want to be reminded."""
    taken_back = (
        sa.select(CartReminder.lead_id)
        .join(Consent, Consent.id == CartReminder.consent_id)
        .where(Consent.withdrawn_at.is_not(None), CartReminder.lead_id.is_not(None), CartReminder.closed_at.is_(None))
    )
    gone = list(session.scalars(taken_back.order_by(CartReminder.lead_id)))
    if not gone:
        return
    ended = sa.update(CartReminder).where(CartReminder.lead_id.in_(gone)).values(closed_at=now)
    session.execute(ended.execution_options(synchronize_session="fetch"))
    closed = session.execute(
        sa.update(Lead)
        .where(Lead.id.in_(gone), Lead.state.in_(OPEN))
        .values(state="done", follow_up_at=None, version=Lead.version + 1)
        .returning(Lead.id, Lead.party_id)
        .execution_options(synchronize_session="fetch")
    ).all()
    timeline.record_all(session, [timeline.entry(row.party_id, "done", lead_id=row.id, now=now) for row in sorted(closed)])
