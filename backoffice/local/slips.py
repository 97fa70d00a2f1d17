"""Slips behind their order's secret link, over the database."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from backoffice import causes
from backoffice.crm import orders, slips
from backoffice.crm.models import Checkout, Order, Slip
from backoffice.db import Database
from backoffice.erp import catalogue, dated
from backoffice.erp import models as t
from backoffice.payments import captures, choosing
from backoffice.payments.models import Payment
from backoffice.public.catalogue import Picture
from backoffice.public.hiding import hide_email
from backoffice.public.money import Money
from backoffice.public.slips import SlipLine, SlipOption, SlipPart, SlipView


class LocalSlips:
    """Read a slip, and do what its customer chooses."""

    def __init__(self, db: Database) -> None:
        """Read from and write to `db`."""
        self._db = db

    def get(self, token: str, slip_id: int, *, now: datetime) -> SlipView:
        """Return a slip with what may be chosen now."""
        with self._db.read() as session:
            order, checkout = orders.get_by_link(session, token)
            return _view(session, order, checkout, slips.get_slip(session, order.id, slip_id), now)

    def choose(self, token: str, slip_id: int, choice: str, option: str, *, now: datetime) -> None:
        """Do what was chosen, once."""

        def work(session: Session) -> None:
            order, _ = orders.get_by_link(session, token)
            choosing.choose(session, order.number, slip_id, choice, option, by="customer", now=now)

        self._db.run(work)


def _view(session: Session, order: Order, checkout: Checkout, slip: Slip, now: datetime) -> SlipView:
    is_open = slip.state == "open" and order.state not in choosing.ENDED
    newest = slips.newest(session, order.id)
    amount, payment = slip.choice.get("refund_minor"), session.get_one(Payment, order.payment_id)
    return SlipView(
        id=slip.id,
        state="over" if slip.state == "open" and not is_open else slip.state,
        number=order.number,
        order_state=order.state,
        email=hide_email(checkout.email),
        told_at=slip.told_at,
        lines=[_line(one) for one in slip.lines],
        parts=[SlipPart(one.on, one.goods) for one in dated.parts_of(session, order.number, now=now)] if is_open else [],
        options=[_option(session, one) for one in choosing.options_of(session, order, now=now)] if is_open else [],
        cancel_refund=_refund(payment) if is_open and choosing.is_cancellable(session, order) else None,
        chosen_at=slip.chosen_at,
        item=str(slip.choice.get("item", "")),
        refund=Money(amount, order.currency) if isinstance(amount, int) and amount > 0 else None,
        newer_id=newest.id if newest and newest.id != slip.id else None,
        charge=captures.charge_of(payment.provider, payment.state),
    )


def _refund(payment: Payment) -> Money:
    return Money(payment.amount_minor - payment.refunded_minor, payment.currency)


def _line(told: dict[str, Any]) -> SlipLine:
    expected_on = told["expected_on"]
    return SlipLine(
        name=told["name"],
        quantity=told["quantity"],
        promised_on=date.fromisoformat(told["promised_on"]),
        expected_on=date.fromisoformat(expected_on) if expected_on else None,
        cause=causes.read(told["cause"]),
    )


def _option(session: Session, found: choosing.Option) -> SlipOption:
    line, item = found.line, found.item
    product = session.get_one(t.Product, item.product_id)
    pictures = catalogue.pictures_of(session, [product.id])[product.id]
    own = [one for one in pictures if one.item_id == item.id] or pictures
    return SlipOption(
        id=found.id,
        instead_of=line.name,
        sku=item.sku,
        slug=product.slug,
        name=found.name,
        options=", ".join(str(value) for value in item.options.values()),
        picture=Picture(own[0].file, own[0].alt) if own else None,
        quantity=line.quantity,
        price=Money(item.price_minor, item.currency),
        arrives_on=found.arrives_on,
        refund=Money(found.refund_minor, item.currency) if found.refund_minor else None,
        sooner=not causes.is_day_known(line.moved_cause) or found.arrives_on < line.expected_on,
    )
