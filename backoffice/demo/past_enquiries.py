"""Who wrote to the demo company over the last ninety days, and what became of it: answered, lost for a reason, or an order."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import events
from backoffice.bootstrap import Services
from backoffice.crm import follow_ups, leads
from backoffice.crm.models import Order, Party
from backoffice.demo.company import TIMEZONE
from backoffice.demo.customers import CUSTOMERS, Customer
from backoffice.erp.models import Staff
from backoffice.public.leads import LeadForm

ASKED, OLDEST, NEWEST = 26, 87, 8  # how many, and how many days ago
WON_WITHIN = timedelta(days=21)  # an order of theirs so soon after they asked is what came of it

# sku, then for each language what they ask and what they are told
_TALKS: tuple[tuple[str, dict[str, tuple[str, str]]], ...] = (
    (
        "LINDE-180-OAK",
        {
            "de": ("Passen an den Tisch mit 180 cm acht Stühle?", "Sechs bequem, acht mit etwas gutem Willen."),
            "en": ("Do eight chairs fit at the 180 cm table?", "Six with ease, eight with some good will."),
        },
    ),
    (
        "AMSEL-OAK",
        {
            "de": ("Gibt es den Stuhl auch mit Armlehnen?", "Leider nicht. Der Sessel Falke hat welche."),
            "en": ("Is there the chair with arms?", "Sorry, no. The Falke armchair has them."),
        },
    ),
    (
        "SPAN-S-OAK",
        {
            "de": ("Darf das Brett in die Spülmaschine?", "Bitte nicht: von Hand, dann bleibt es viele Jahre eben."),
            "en": ("May the board go into the dishwasher?", "Please not: by hand, and it stays flat for many years."),
        },
    ),
    (
        "MULDE-160-OAK",
        {
            "de": ("Kommt das Bett zerlegt und trägt es jemand in den dritten Stock?", "Zerlegt ja, getragen bis zur Haustür."),
            "en": ("Does the bed come in parts, up to the third floor?", "In parts, yes; the carrier stops at your door."),
        },
    ),
    (
        "PFLEGE-500ML",
        {
            "de": ("Wie oft sollte man die Eiche nachölen?", "Einmal im Jahr, dünn, mit einem Tuch."),
            "en": ("How often does oak want oil?", "Once a year, thin, with a cloth."),
        },
    ),
)
_LOST = ("Too dear for them.", "They needed it two weeks earlier.", "Bought elsewhere.", "Never answered again.")
_SOURCES = (("web", ""), ("newsletter", "autumn-oak"), ("search", ""), ("fair", "wood-days"))


def write_past_enquiries(services: Services, *, now: datetime) -> None:
    """Take in what was asked, each at its own time, and bring it to its end."""
    for number in range(ASKED):
        customer = CUSTOMERS[number * 5 % len(CUSTOMERS)]
        day = now.astimezone(ZoneInfo(TIMEZONE)).date() - timedelta(days=OLDEST - (OLDEST - NEWEST) * number // (ASKED - 1))
        at = datetime.combine(day, time(8 + number % 9, 7 * number % 60), ZoneInfo(TIMEZONE))
        services.db.run(lambda session, n=number, who=customer, when=at: _ask(session, n, who, when))  # type: ignore[misc] # bound early on purpose


def _ask(session: Session, number: int, customer: Customer, at: datetime) -> None:
    """Let one customer ask, somebody answer, and it end."""
    sku, words = _TALKS[number % len(_TALKS)]
    question, reply = words[customer.language]
    source, campaign = _SOURCES[number % len(_SOURCES)]
    form = LeadForm(
        key=f"demo-asked-{number:04}",
        kind="question",
        name=customer.name,
        email=customer.email,
        phone="",
        message=question,
        sku=sku,
        postcode=customer.postcode,
        country=customer.country,
        company=customer.company,
        language=customer.language,
        source=source,
        campaign=campaign,
        landing="/",
    )
    lead = leads.submit(session, form, now=at)
    sellers = session.scalars(sa.select(Staff).where(Staff.role == "sales").order_by(Staff.id)).all()
    owner = next((one for one in sellers if one.id == lead.owner_id), sellers[number % len(sellers)])
    lead = leads.take(session, lead.id, staff_id=owner.id, version=lead.version, now=at + timedelta(hours=1))
    lead = leads.answer(session, lead.id, reply, staff=owner, version=lead.version, now=at + timedelta(hours=2))
    order = session.scalars(
        sa.select(Order)
        .join(Party, Party.id == Order.party_id)
        .where(Party.email == customer.email, Order.placed_at > at, Order.placed_at < at + WON_WITHIN)
        .order_by(Order.placed_at)
        .limit(1)
    ).first()
    if order is not None:
        follow_ups.on_order_placed(
            session, events.OrderPlaced(order.number, order.party_id, order.checkout_id, lead.id, order.placed_at)
        )
    elif number % 3:
        why, later = _LOST[number % len(_LOST)], at + timedelta(days=3)
        follow_ups.lose(session, lead.id, why, staff=owner, version=lead.version, now=later)
    else:
        leads.done(session, lead.id, staff=owner, version=lead.version, now=at + timedelta(days=2))
