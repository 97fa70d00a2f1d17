"""How the demo's sales desk is set up: who gets which message, words to answer from, and a week that somebody is away."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import campaigns, segments
from backoffice.crm.models import AssignmentRule, MailTemplate
from backoffice.crm.segment_rules import Condition
from backoffice.erp.models import Category, Staff, StaffAbsence

_TEMPLATES = (
    (
        "Thank you",
        "Hello {name},\n\nthank you for your message {number}. We have read it and answer within a working day."
        "\n\n{sender}, {shop}",
        "Guten Tag {name},\n\ndanke für Ihre Nachricht {number}. Wir haben sie gelesen und antworten innerhalb eines"
        " Arbeitstages.\n\n{sender}, {shop}",
    ),
    (
        "Care of wood",
        "Hello {name},\n\nwipe oiled wood with a damp cloth and oil it once a year; the oil is food safe once it has dried."
        "\n\n{sender}, {shop}",
        "Guten Tag {name},\n\ngeöltes Holz wischen Sie feucht ab und ölen es einmal im Jahr; getrocknet ist das Öl"
        " lebensmittelecht.\n\n{sender}, {shop}",
    ),
    (
        "Several pieces",
        "Hello {name},\n\nthank you for asking about several pieces. The cart names the day for all of them once you type your"
        " postcode.\n\n{sender}, {shop}",
        "Guten Tag {name},\n\ndanke für Ihre Anfrage nach mehreren Stücken. Der Warenkorb nennt den Tag für alle, sobald Sie Ihre"
        " Postleitzahl eingeben.\n\n{sender}, {shop}",
    ),
)

_LETTER = {
    "en": {
        "subject": "Oil for another year",
        "body": "Hello {first_name},\n\nwood that works hard wants oil once a year. We mixed a fresh batch: {link}\n\n{shop}",
    },
    "de": {
        "subject": "Öl für ein weiteres Jahr",
        "body": "Guten Tag {first_name},\n\nHolz, das viel leistet, möchte einmal im Jahr Öl. Frisch angerührt: {link}\n\n{shop}",
    },
}


def write_sales_desk(session: Session, *, today: date, now: datetime) -> None:
    """Write assignment rules, answers in English and German, next week's absence, and a letter that is not sent yet.

    The people and categories must stand.
    """
    ids = {email: staff_id for staff_id, email in session.execute(sa.select(Staff.id, Staff.email))}
    mara, jonas = ids["mara@birkengrund.example"], ids["jonas@birkengrund.example"]
    tables = session.scalars(sa.select(Category.id).where(Category.slug == "tables")).one()
    session.add_all(
        [
            AssignmentRule(position=1, category_id=tables, owner_id=mara),
            AssignmentRule(position=2, country="AT", owner_id=jonas),
            AssignmentRule(position=3, language="de", owner_id=mara),
            AssignmentRule(position=4, owner_id=jonas),
        ]
    )
    session.add_all(
        MailTemplate(name=name, language=language, body=body, updated_at=now)
        for name, english, german in _TEMPLATES
        for language, body in (("en", english), ("de", german))
    )
    monday = today + timedelta(days=7 - today.weekday())
    session.add(StaffAbsence(staff_id=jonas, starts_on=monday, ends_on=monday + timedelta(days=4)))
    session.flush()
    bought = segments.save(
        session, None, name="Bought before", matching="all", conditions=[Condition("orders", "at_least", 1)], now=now
    )
    campaigns.save(
        session,
        None,
        name="Oil in winter",
        segment_id=bought.id,
        texts=_LETTER,
        own="en",
        starts_at=None,
        by="mara@birkengrund.example",
        now=now,
    )
