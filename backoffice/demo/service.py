"""What the demo's customers asked about what they bought: some of it answered, solved and rated, some of it waiting."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.bootstrap import Services
from backoffice.crm import case_opening, cases, satisfaction
from backoffice.crm.models import Checkout, MailTemplate, Order
from backoffice.erp.models import Staff
from backoffice.public.cases import CaseForm


class _Talk(NamedTuple):
    """A question of so many hours ago. then: what its answer led to, empty: none yet; score: how it was settled."""

    hours: int
    kind: str
    state: str
    asked: dict[str, str]
    told: dict[str, str]
    then: str = ""
    score: int = 0


_TALKS = (
    _Talk(
        200,
        "damaged",
        "delivered",
        {
            "de": "Eine Ecke ist eingedrückt, die Kiste war schon auf.",
            "en": "One corner is dented, the box was open already.",
        },
        {
            "de": "Das tut uns leid. Ein neues Stück ist unterwegs, das alte holen wir ab.",
            "en": "We are sorry. A new one is on its way, and we collect the old one.",
        },
        "solved",
        5,
    ),
    _Talk(
        130,
        "invoice",
        "delivered",
        {"de": "Können Sie die Firma auf die Rechnung schreiben?", "en": "Can you put our company on the invoice?"},
        {"de": "Gern: Sie finden die neue Rechnung bei Ihrer Bestellung.", "en": "Done: the new one is with your order."},
        "solved",
        3,
    ),
    _Talk(
        50,
        "return",
        "shipped",
        {"de": "Er ist schön, aber zu hoch für uns.", "en": "It is fine, but too high for us."},
        {
            "de": "Wie hoch dürfte er sein? Dann finden wir den passenden.",
            "en": "How high may it be? Then we find the right one.",
        },
        "waiting",
    ),
    _Talk(
        26,
        "where",
        "picking",
        {"de": "Kommt es noch diese Woche? Wir ziehen um.", "en": "Does it come this week? We are moving house."},
        {},
    ),
    _Talk(2, "other", "confirmed", {"de": "Kann es erst am Nachmittag kommen?", "en": "Can it come in the afternoon?"}, {}),
)
_READY = (
    (
        "Where it is",
        "Hello {name},\n\nyour order {order} is on its way as we promised: it arrives on {day}.\n\n{sender}, {shop}",
        "Guten Tag {name},\n\nIhre Bestellung {order} ist unterwegs, wie zugesagt: Sie kommt am {day} an.\n\n{sender}, {shop}",
    ),
)


def write_service(services: Services, *, now: datetime) -> None:
    """Let customers ask, each about an order of their own, and sales answer some of them."""
    services.db.run(lambda session: _write(session, now))


def _write(session: Session, now: datetime) -> None:
    staff = session.scalars(sa.select(Staff).where(Staff.role == "sales").order_by(Staff.id)).first()
    assert staff is not None
    for name, english, german in _READY:
        words = (("en", english), ("de", german))
        session.add_all(MailTemplate(name=name, language=language, body=body, updated_at=now) for language, body in words)
    used: set[int] = set()
    for number, talk in enumerate(_TALKS):
        newest = sa.select(Order).where(Order.id.not_in(used)).order_by((Order.state == talk.state).desc(), Order.id.desc())
        order = session.scalars(newest.limit(1)).one()
        used.add(order.id)
        checkout, asked_at = session.get_one(Checkout, order.checkout_id), now - timedelta(hours=talk.hours)
        language = "de" if checkout.language == "de" else "en"
        form = CaseForm(f"demo-case-{number}", talk.kind, talk.asked[language])
        case, _ = case_opening.by_page(session, order, checkout, form, now=asked_at)
        if talk.then:
            said, at = talk.told[language], asked_at + timedelta(hours=3)
            cases.answer(session, case.id, said, then=talk.then, staff=staff, version=case.version, now=at)
        if talk.score:
            satisfaction.rate(session, case.id, talk.score, "", now=asked_at + timedelta(hours=20))
