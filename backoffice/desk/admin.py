"""The administrator's first page: does everything run that must?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice import migrate
from backoffice.bridge.models import Heartbeat, OutboxMessage
from backoffice.desk import context, kept
from backoffice.desk.formats import moment, span
from backoffice.desk.phrases import gettext as _
from backoffice.desk.phrases import ngettext
from backoffice.erp import stock_snapshots
from backoffice.erp.models import StockSnapshot
from backoffice.payments.models import Payment, Refund

bp = Blueprint("admin", __name__, url_prefix="/desk/admin")
OLDEST_HEARTBEAT = timedelta(seconds=60)
OLDEST_MESSAGE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing that must be well. text: how it is; endpoint: where to do something about it, if there is such a place."""

    name: str
    well: bool
    text: str
    endpoint: str = ""


@bp.get("")
def home() -> ResponseReturnValue:
    """Show each part of the house and whether it is well."""
    signs = context.read(lambda db: find_signs(db, now=context.now()))
    return render_template("desk/admin/health.html", signs=signs, kept=kept.find_whole(2))


def find_signs(session: Session, *, now: datetime) -> Sequence[Sign]:
    """Return how each part is, in a fixed order."""
    signs = [_tables(session), _worker(session, now), _waiting(session, now), _dead(session), _payments(session)]
    return [*signs, *_figures(session, now)]


def _tables(session: Session) -> Sign:
    at, head = migrate.find_revision(session.connection()), migrate.head()
    if at == head:
        return Sign(_("Database"), True, _("at the program's version"))
    return Sign(_("Database"), False, _("not at the program's version: run `shopfloor migrate`"))


def _worker(session: Session, now: datetime) -> Sign:
    last = session.scalar(sa.select(sa.func.max(Heartbeat.at)))
    if last is None:
        return Sign(_("Worker"), False, _("has never run: start `shopfloor worker`"))
    well = now - last <= OLDEST_HEARTBEAT
    text = _("last seen %(when)s", when=moment(last))
    return Sign(_("Worker"), well, text if well else _("%(seen)s: start `shopfloor worker`", seen=text))


def _waiting(session: Session, now: datetime) -> Sign:
    oldest = session.scalar(sa.select(sa.func.min(OutboxMessage.created_at)).where(OutboxMessage.state == "pending"))
    if oldest is None:
        return Sign(_("Outgoing messages"), True, _("nothing waits"), "outgoing.home")
    well = now - oldest <= OLDEST_MESSAGE
    return Sign(_("Outgoing messages"), well, _("the oldest waits for %(time)s", time=span(now - oldest)), "outgoing.home")


def _dead(session: Session) -> Sign:
    count = session.scalar(sa.select(sa.func.count()).where(OutboxMessage.state == "dead")) or 0
    text = ngettext("%(num)d could not be delivered", "%(num)d could not be delivered", count)
    return Sign(_("Undelivered messages"), count == 0, text if count else _("none"), "outgoing.home")


def _figures(session: Session, now: datetime) -> Sequence[Sign]:
    """Return how the figures from outside are, where there are any."""
    last = stock_snapshots.find_last(session)
    if last is None:
        return []
    waits = session.scalar(sa.select(StockSnapshot.id).where(StockSnapshot.state == "quarantined").limit(1)) is not None
    old = last.good_until <= now
    text = _("of %(when)s", when=moment(last.as_of))
    if old:
        text = _("%(seen)s: too old to sell from", seen=text)
    if waits:
        text = _("%(seen)s; some wait for a decision", seen=text)
    return [Sign(_("Stock figures"), not old and not waits, text, "figures.home")]


def _payments(session: Session) -> Sign:
    count = session.scalar(sa.select(sa.func.count()).where(Payment.problem != "")) or 0
    count += session.scalar(sa.select(sa.func.count()).where(Refund.state == "failed")) or 0
    text = ngettext("%(num)d needs somebody", "%(num)d need somebody", count)
    return Sign(_("Payments and refunds"), count == 0, text if count else _("none needs anybody"), "troubles.home")
