"""Which promises a change has moved, in words for whoever made it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm.models import Order, OrderLine
from backoffice.desk.formats import day
from backoffice.desk.phrases import gettext as _
from backoffice.desk.phrases import ngettext

NAMED = 4  # lines named in one message; the rest is counted


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an order on its way: whose, what, and when it is expected."""

    number: str
    name: str
    expected_on: date


class Watch:
    """Compares the expected days of open orders before and after a change, within its transaction."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._moved: Sequence[tuple[Line, Line]] = ()

    def over(self, work: Callable[[Session], object]) -> Callable[[Session], None]:
        """Return `work`, watched."""

        def watched(session: Session) -> None:
            before = _lines(session)
            work(session)
            session.flush()
            after = _lines(session)
            pairs = [(line, after[line_id]) for line_id, line in before.items() if line_id in after]
            self._moved = [(old, new) for old, new in pairs if old.expected_on != new.expected_on]

        return watched

    def words(self) -> str:
        """Return which orders have a new day, and which."""
        if not self._moved:
            return _("No order's day has moved.")
        named = [
            _(
                "%(number)s, %(name)s: %(now_on)s instead of %(before)s",
                number=new.number,
                name=new.name,
                now_on=day(new.expected_on),
                before=day(old.expected_on),
            )
            for old, new in self._moved[:NAMED]
        ]
        rest = len(self._moved) - NAMED
        if rest > 0:
            named.append(ngettext("and %(num)d more", "and %(num)d more", rest))
        return _("New days, told to their customers: %(list)s.", list="; ".join(named))


def _lines(session: Session) -> Mapping[int, Line]:
    rows = session.execute(
        sa.select(OrderLine.id, Order.number, OrderLine.name, OrderLine.expected_on)
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.state.in_(("placed", "confirmed", "picking")))
        .order_by(OrderLine.promised_on, OrderLine.id)
    )
    return {row.id: Line(row.number, row.name, row.expected_on) for row in rows}
