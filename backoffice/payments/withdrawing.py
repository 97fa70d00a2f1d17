"""Withdrawing from a contract within the legal period: by line and quantity, without a reason, behind the order's link.

Method: Directive 2011/83/EU, Articles 9 to 16, and its Article 11a (the withdrawal function, from 19 June 2026). The period
ends so many days after the last of the goods came, on the next working day where that is none (Regulation 1182/71, Article
3(4)); it is open before they do. What is in no parcel that somebody has begun
is taken out and its money goes back at once; the rest comes back first (Article 13(3)). Whoever withdraws from all of it is
given the usual delivery back too (Article 13(2): not what a faster way cost more).
Locks: payment, plan, goods, order lines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from backoffice import events
from backoffice.crm import orders, timeline
from backoffice.crm.models import Order, OrderLine, Withdrawal
from backoffice.erp import calendars, plan, returning, substituting
from backoffice.erp import cancelling as goods
from backoffice.erp import models as t
from backoffice.erp.company import get_company, local_today
from backoffice.payments import cancelling, refunds
from backoffice.payments.models import Payment
from backoffice.public.errors import BadInput, Refused

log = structlog.get_logger()
MOST_CLOSED = 31  # days; an office that is closed for longer moves no day
NOT_REFUNDED = "returned_not_refunded"


@dataclass(frozen=True, slots=True)
class Line:
    """An order line with what of it may still be taken back. exempt: why none of it may (see OrderLine.no_withdrawal)."""

    row: OrderLine
    left: int
    exempt: str
    leaves: bool  # it is in no parcel that somebody has begun


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether an order may be withdrawn from. until: the last day, None before all of it came."""

    is_open: bool
    until: date | None
    lines: Sequence[Line]
    whole: bool  # nothing has left: all of it may be cancelled


def standing_of(session: Session, order: Order, *, now: datetime) -> Standing:
    """Return what may be withdrawn from now."""
    company = get_company(session)
    rows = session.scalars(
        sa.select(OrderLine)
        .where(OrderLine.order_id == order.id)
        .order_by(OrderLine.id)
        .execution_options(populate_existing=True)
    ).all()
    came = [row.actual_on for row in rows if row.withdrawn < row.quantity or row.actual_on]
    days = [day for day in came if day]
    until = _last_day(session, company, max(days)) if days and len(days) == len(came) else None
    lines = [
        Line(
            row,
            0 if row.no_withdrawal else row.quantity - row.withdrawn,
            row.no_withdrawal,
            substituting.is_possible(session, row.reservation_id),
        )
        for row in rows
    ]
    in_time = until is None or local_today(company, now) <= until
    is_open = order.state != "cancelled" and in_time and any(line.left for line in lines)
    return Standing(is_open, until, lines, order.state != "cancelled" and goods.is_possible(session, order.number))


def _last_day(session: Session, company: t.Company, came_on: date) -> date:
    """Return the last day of the period after goods came: no Saturday, no Sunday, no day on which the office is closed."""
    last = came_on + timedelta(days=company.returns_days)
    office = company.office_calendar_id
    calendar = calendars.load(session, office, last, last + timedelta(days=MOST_CLOSED)) if office else None
    days = (last + timedelta(days=more) for more in range(MOST_CLOSED))
    return next((day for day in days if day.weekday() < 5 and (calendar is None or calendar.is_open_day(day))), last)


def withdraw(session: Session, number: str, wanted: Mapping[int, int], *, key: str, now: datetime) -> bool:
    """Take back what is wanted (order line → pieces); False: this form was sent before, nothing happens.

    Raises NotFound(unknown_order), Refused(withdrawal_over), BadInput(invalid_form, lines → bad_quantity),
    Refused(form_reused) if that key took back something else.
    """
    order = orders.get_by_number(session, number)
    payment = session.scalars(sa.select(Payment).where(Payment.id == order.payment_id).with_for_update()).one()
    own_key = f"{number}:{key}"
    chosen = {line_id: quantity for line_id, quantity in wanted.items() if quantity}
    if known := session.scalar(sa.select(Withdrawal).where(Withdrawal.key == own_key)):
        if {line["line"]: line["quantity"] for line in known.lines} != chosen:
            raise Refused("form_reused")
        return False
    plan.bump(session)
    session.refresh(order)
    standing = standing_of(session, order, now=now)
    if not standing.is_open:
        raise Refused("withdrawal_over")
    left = {line.row.id: line for line in standing.lines}
    if not chosen or any(line_id not in left or not 0 < count <= left[line_id].left for line_id, count in chosen.items()):
        raise BadInput("invalid_form", {"lines": "bad_quantity"})
    row = Withdrawal(order_id=order.id, key=own_key, lines=[], declared_at=now)
    session.add(row)
    session.flush()
    if standing.whole and all(line.row.withdrawn + chosen.get(line.row.id, 0) == line.row.quantity for line in standing.lines):
        refunded = payment.refunded_minor
        cancelling.cancel(session, number, by=cancelling.BY_CUSTOMER, now=now)
        row.lines = [_declared(left[line_id].row, count, "out") for line_id, count in sorted(chosen.items())]
        session.refresh(payment)
        row.refund_minor = payment.refunded_minor - refunded
    else:
        _take(session, order, payment, row, left, chosen, now)
    for line_id, count in sorted(chosen.items()):
        left[line_id].row.withdrawn += count
    session.flush()
    timeline.record(session, order.party_id, "withdrawn", order_ref=number, text=_said(row.lines), now=now)
    _confirm(session, order, row, payment, now)
    return True


def _take(
    session: Session,
    order: Order,
    payment: Payment,
    row: Withdrawal,
    left: Mapping[int, Line],
    chosen: Mapping[int, int],
    now: datetime,
) -> None:
    """Take goods out of parcels where that can be, and expect the others back."""
    out: list[tuple[OrderLine, int]] = []
    back: list[tuple[OrderLine, int]] = []
    for line_id, count in sorted(chosen.items(), key=lambda one: left[one[0]].row.reservation_id):
        line = left[line_id].row
        whole = count == line.quantity and left[line_id].leaves
        (out if whole and returning.take_out(session, line.reservation_id, now=now) else back).append((line, count))
    if back:
        wanted = [returning.Wanted(line.reservation_id, line.item_id, count) for line, count in back]
        row.return_number = returning.expect(session, order.number, wanted, now=now).number
    row.lines = [_declared(line, count, "out") for line, count in out] + [_declared(line, count, "back") for line, count in back]
    if out:
        row.refund_minor = _give_back(session, order, payment, out, f"withdrawal:{row.id}", refunds_delivery=False, now=now)
        if state := returning.is_all_gone(session, order.number):
            orders.mark(session, order.number, "shipped")
            if state == "delivered":
                orders.mark(session, order.number, "delivered")


def on_goods_came_back(session: Session, happened: events.GoodsCameBack) -> None:
    """Give back the money of what came."""
    order = orders.find_by_number(session, happened.order_ref)
    if order is None:
        return
    payment = session.scalars(sa.select(Payment).where(Payment.id == order.payment_id).with_for_update()).one()
    by_reservation = {line.reservation_id: line for line in orders.lines_of(session, order.id)}
    came = [(by_reservation[one], count) for one, count in happened.received if one in by_reservation]
    before = {line.id: _received(session, line) - count for line, count in came}
    key = f"return:{happened.return_id}:{happened.version}"
    _give_back(session, order, payment, came, key, before=before, refunds_delivery=_is_all_back(session, order), now=happened.at)
    said = _said([_declared(line, count, "back") for line, count in came])
    timeline.record(
        session, order.party_id, "came_back", order_ref=order.number, text=said, actor=happened.actor, now=happened.at
    )


def _give_back(
    session: Session,
    order: Order,
    payment: Payment,
    what: Sequence[tuple[OrderLine, int]],
    key: str,
    *,
    before: Mapping[int, int] | None = None,
    refunds_delivery: bool,
    now: datetime,
) -> int:
    """Ask for the money of lines to be given back, never more than is left; return how much. None of it can stop the goods.

    before: line → pieces whose money went back earlier: piece by piece a line's part of the code adds up to all of it.
    """
    off = orders.discount_by_line(session, order)
    parts: dict[str, int] = defaultdict(int)
    for line, count in what:
        gone = (before or {}).get(line.id, 0)
        kept = off[line.id] * (gone + count) // line.quantity - off[line.id] * gone // line.quantity
        parts[line.sku] += line.unit_price_minor * count - kept
    amount = sum(parts.values())
    if refunds_delivery:
        amount += min(order.shipping_minor, get_company(session).shipping_minor)
    amount = min(amount, payment.amount_minor - payment.refunded_minor)
    if amount < 1:
        return 0
    if payment.state not in refunds.GIVABLE:  # disputed: the bank has the last word about this money
        payment.problem = NOT_REFUNDED
        log.error("payment_needs_attention", payment_id=payment.id, problem=NOT_REFUNDED)
        return 0
    refunds.request(session, payment, amount, reason="withdrawal", key=key, by=cancelling.BY_CUSTOMER, parts=parts, now=now)
    return amount


def _received(session: Session, line: OrderLine) -> int:
    """Return how many pieces of a line have come back so far."""
    received = sa.select(sa.func.coalesce(sa.func.sum(t.GoodsReturnLine.received), 0))
    return int(session.scalar(received.where(t.GoodsReturnLine.reservation_id == line.reservation_id)) or 0)  # a Decimal there


def _is_all_back(session: Session, order: Order) -> bool:
    """Tell whether nothing of an order stays with its buyer: each piece was taken out, or has come back."""
    lines = orders.lines_of(session, order.id)
    waiting = session.scalar(
        sa.select(sa.func.count())
        .select_from(t.GoodsReturn)
        .where(t.GoodsReturn.order_ref == order.number, t.GoodsReturn.state == "expected")
    )
    return not waiting and all(line.withdrawn == line.quantity for line in lines)


def _declared(line: OrderLine, count: int, what: str) -> dict[str, Any]:
    return {"line": line.id, "name": line.name, "options": line.options, "quantity": count, "what": what}


def _said(lines: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{line['quantity']} × {line['name']}" for line in lines)


def _confirm(session: Session, order: Order, row: Withdrawal, payment: Payment, now: datetime) -> None:
    """Confirm by mail what was declared and when (Article 11a(4)): a mail is what its reader can keep."""
    company = get_company(session)
    payload = orders.mail_frame(session, order) | {
        "lines": list(row.lines),
        "declared_at": now.astimezone(ZoneInfo(company.timezone)).isoformat(timespec="minutes"),
        "return_number": row.return_number,
        "send_to": [company.name, *company.address],
        "days": company.returns_days,
        "amount": {"amount_minor": row.refund_minor, "currency": order.currency},
        "charge": cancelling.charge_of(payment),
    }
    events.publish(session, events.MailWanted("withdrawal_noted", f"order:{order.number}", payload, now))
