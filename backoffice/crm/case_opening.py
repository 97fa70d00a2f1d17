"""The three doors of a service case: the order's page, a mail, a colleague who listens. Each form twice is one case."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import idempotency, wording
from backoffice.crm import assigning, cases, follow_ups, orders
from backoffice.crm.case_rules import KINDS, first_priority
from backoffice.crm.cases import Opening
from backoffice.crm.lead_forms import LIMITS, check, clean_text
from backoffice.crm.leads import Colleague
from backoffice.crm.models import Checkout, Order, OrderLine, ServiceCase
from backoffice.erp.company import get_company
from backoffice.erp.models import Shipment, ShipmentLine
from backoffice.public.cases import CaseForm
from backoffice.public.errors import BadInput
from backoffice.public.leads import LeadForm


@dataclass(frozen=True, slots=True)
class PhoneForm:
    """What a colleague typed while somebody spoke. order: its number, empty for none: then a name or a telephone is needed."""

    key: str
    kind: str
    message: str
    order: str = ""
    name: str = ""
    phone: str = ""
    email: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class _Part:
    """Which part of an order it is about; nothing said: all of it."""

    parcel: int | None = None
    line_id: int | None = None


def by_page(session: Session, order: Order, checkout: Checkout, form: CaseForm, *, now: datetime) -> tuple[ServiceCase, bool]:
    """Open one from the order's page; False: this form was sent before, and this is its case.

    Raises BadInput(invalid_form, message | kind | parcel | line).
    """
    wrong = {} if form.kind in KINDS else {"kind": "bad_choice"}
    try:
        words = clean_text(form.message, field="message")
    except BadInput as error:
        wrong |= dict(error.fields)
    part = _read_part(session, order, form, wrong)
    if wrong:
        raise BadInput("invalid_form", wrong)
    row, fresh = idempotency.claim(session, "case", _fingerprint(form, of=order.number), now=now)
    if not fresh:
        return cases.get_case(session, int(row.answer["case_id"])), False
    opening = Opening(
        party_id=order.party_id,
        kind=form.kind,
        priority=_priority(session, form.kind, order, part, now),
        message=words,
        source="page",
        language=checkout.language,
        order_ref=order.number,
        parcel=part.parcel,
        order_line_id=part.line_id,
    )
    case = cases.open_case(session, opening, now=now)
    row.answer = {"case_id": case.id}
    return case, True


def by_mail(session: Session, words: str, order: Order, *, now: datetime) -> ServiceCase:
    """Open one from a mail about an order."""
    opening = Opening(
        party_id=order.party_id,
        kind="other",
        priority=_priority(session, "other", order, _Part(), now),
        message=words[: LIMITS["message"]],
        words=words,
        source="mail",
        language=session.get_one(Checkout, order.checkout_id).language,
        order_ref=order.number,
    )
    return cases.open_case(session, opening, now=now)


def follow(session: Session, before: ServiceCase, words: str, *, source: str, now: datetime) -> ServiceCase:
    """Open one after a closed one: of the same customer, about the same, with the same colleague if they are here."""
    away = assigning.find_away(session, assigning.working_day(session, now)) if before.owner_id else frozenset()
    opening = Opening(
        party_id=before.party_id,
        kind=before.kind,
        priority=before.priority,
        message=words[: LIMITS["message"]],
        words=words,
        source=source,
        language=before.language,
        order_ref=before.order_ref,
        parcel=before.parcel,
        order_line_id=before.order_line_id,
        owner_id=before.owner_id if before.owner_id not in away else None,
    )
    return cases.open_case(session, opening, now=now)


def by_phone(session: Session, form: PhoneForm, *, staff: Colleague, now: datetime) -> ServiceCase:
    """Take down what somebody asks by telephone; it is with whoever took it down. The same form twice is one case.

    Raises BadInput(invalid_form, message | kind | order | name | email …).
    """
    wrong = {} if form.kind in KINDS else {"kind": "bad_choice"}
    number = form.order.strip().upper()
    order = orders.find_by_number(session, number) if number else None
    if number and order is None:
        wrong["order"] = "unknown_order"
    try:
        words = clean_text(form.message, field="message")
    except BadInput as error:
        wrong |= dict(error.fields)
    caller = LeadForm(
        key="",
        kind="phone",
        name=form.name,
        email=form.email,
        phone=form.phone,
        message=form.message or "–",
        language=form.language,
    )
    try:
        checked = None if order else check(caller, by_phone=True)
    except BadInput as error:
        wrong |= {name: code for name, code in error.fields.items() if name not in wrong}
    if wrong:
        raise BadInput("invalid_form", wrong)
    row, fresh = idempotency.claim(session, "case.phone", _fingerprint(form), now=now)
    if not fresh:
        return cases.get_case(session, int(row.answer["case_id"]))
    opening = Opening(
        party_id=order.party_id if order else follow_ups.caller(session, checked, now).id,  # type: ignore[arg-type] # one of the two
        kind=form.kind,
        priority=_priority(session, form.kind, order, _Part(), now),
        message=words,
        source="phone",
        language=form.language[:35],
        order_ref=order.number if order else None,
        owner_id=staff.id,
    )
    case = cases.open_case(session, opening, actor=staff.name, now=now)
    row.answer = {"case_id": case.id}
    return case


def _read_part(session: Session, order: Order, form: CaseForm, wrong: dict[str, str]) -> _Part:
    """Return which part of the order is meant; what is no part of it is noted as wrong."""
    parcel, line = (_number(one) for one in (form.parcel, form.line))
    if parcel is not None:
        of_order = sa.select(Shipment.id).where(Shipment.order_ref == order.number, Shipment.parcel == parcel)
        if session.scalar(of_order) is None:
            wrong["parcel"] = "bad_choice"
    if line is None:
        return _Part(parcel)
    lines = orders.lines_of(session, order.id)
    if not 0 < line <= len(lines):
        wrong["line"] = "bad_choice"
        return _Part(parcel)
    return _Part(parcel, lines[line - 1].id)


def _number(typed: str) -> int | None:
    """Return a choice as a number; nothing chosen: None; what is none becomes 0, which no part has."""
    text = typed.strip()
    return (int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0) if text else None


def _priority(session: Session, kind: str, order: Order | None, part: _Part, now: datetime) -> str:
    """Return the first priority of a case about a part of an order: late is what has not arrived by the day first promised."""
    today = wording.day_in(get_company(session).timezone, now)
    if order is None:
        return first_priority(kind, promised_on=None, arrived=False, today=today)
    lines = sa.select(OrderLine.promised_on, OrderLine.actual_on).where(OrderLine.order_id == order.id)
    if part.line_id is not None:
        lines = lines.where(OrderLine.id == part.line_id)
    if part.parcel is not None:
        inside = sa.select(ShipmentLine.reservation_id).join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        here = inside.where(Shipment.order_ref == order.number, Shipment.parcel == part.parcel)
        lines = lines.where(OrderLine.reservation_id.in_(here))
    missing = [row.promised_on for row in session.execute(lines) if row.actual_on is None]
    arrived = not missing or order.state == "cancelled"
    return first_priority(kind, promised_on=min(missing, default=None), arrived=arrived, today=today)


def _fingerprint(form: CaseForm | PhoneForm, of: str = "") -> str:
    """Return a hash of everything that was sent, the key included. of: the order on whose page it was."""
    text = json.dumps([of, asdict(form)], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
