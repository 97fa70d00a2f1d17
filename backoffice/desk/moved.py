"""Which promises a change moves: shown before it is saved, said in words once it is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
import structlog
from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice import causes
from backoffice.crm.models import Order, OrderLine, Party
from backoffice.desk import forms
from backoffice.desk.formats import day
from backoffice.desk.phrases import gettext as _
from backoffice.desk.phrases import ngettext

log = structlog.get_logger()
NAMED = 4  # lines named in one message; the rest is counted
SHOWN = 200  # lines listed before a change is saved; the rest is counted


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an order on its way: whose, what, promised for when, expected when. expected_on: None = nobody knows."""

    number: str
    customer: str
    name: str
    promised_on: date
    expected_on: date | None


@dataclass(frozen=True, slots=True)
class Move:
    """A line before a change and after it."""

    line_id: int
    before: Line
    after: Line

    @property
    def late(self) -> bool:
        """Tell whether the line then comes after the promised day, or nobody knows when."""
        return self.after.expected_on is None or self.after.expected_on > self.after.promised_on


class Unseen(Exception):
    """A change would move promises that its maker has not seen: it was rolled back, nothing was saved."""

    def __init__(self, moves: Sequence[Move], mark: str, *, changed: bool) -> None:
        """Keep what would move. changed: the maker has seen something else before."""
        super().__init__(f"{len(moves)} lines would move")
        self.moves, self.mark, self.changed = moves, mark, changed


class Watch:
    """Compares the expected days of open orders before and after a change, within its transaction."""

    def __init__(self, seen: str | None = None) -> None:
        """Start with nothing seen. seen: the mark of the moves that the maker has looked at; None = they need not look."""
        self._seen = seen
        self._moved: Sequence[Move] = ()

    def over(self, work: Callable[[Session], object]) -> Callable[[Session], None]:
        """Return `work`, watched. It raises Unseen, which rolls all of it back, if its maker must look first."""

        def watched(session: Session) -> None:
            before = _lines(session)
            work(session)
            session.flush()
            after = _lines(session)
            both = [Move(line_id, line, after[line_id]) for line_id, line in before.items() if line_id in after]
            self._moved = [move for move in both if move.before.expected_on != move.after.expected_on]
            if self._seen is not None and self._moved and self._seen != (mark := _mark(self._moved)):
                log.info("rolled_back_to_be_seen", lines=len(self._moved))
                raise Unseen(sorted(self._moved, key=lambda move: not move.late), mark, changed=bool(self._seen))

        return watched

    def words(self) -> str:
        """Return which orders have a new day, and which."""
        if not self._moved:
            return _("No order's day has moved.")
        named = [
            _(
                "%(number)s, %(name)s: %(now_on)s instead of %(before)s",
                number=move.after.number,
                name=move.after.name,
                now_on=_day(move.after.expected_on),
                before=_day(move.before.expected_on),
            )
            for move in self._moved[:NAMED]
        ]
        rest = len(self._moved) - NAMED
        if rest > 0:
            named.append(ngettext("and %(num)d more", "and %(num)d more", rest))
        return _("New days, told to their customers: %(list)s.", list="; ".join(named))


def ask_page(unseen: Unseen, *, what: str, back: str, tab: str = "", **place: object) -> ResponseReturnValue:
    """Return the page that shows what a posted form would move; its button posts the same form again, as seen.

    back: the endpoint of the page that was left, with its `place` in the address; tab: which tab that page stands under.
    """
    kept = {name: value for name, value in request.form.items() if name not in ("csrf_token", "seen")}
    page = render_template(
        "desk/planning/before.html",
        what=what,
        moves=unseen.moves,
        shown=SHOWN,
        kept=kept,
        mark=unseen.mark,
        changed=unseen.changed,
        back=back,
        tab=tab or back,
        place=forms.place() | place,
    )
    return page, 409 if unseen.changed else 200


def _day(known: date | None) -> str:
    return day(known) if known else _("no day")


def _mark(moves: Sequence[Move]) -> str:
    """Return a short text that is the same for the same moves."""
    told = ";".join(f"{move.line_id}:{move.before.expected_on}:{move.after.expected_on}" for move in moves)
    return hashlib.sha256(told.encode()).hexdigest()[:24]


def _lines(session: Session) -> Mapping[int, Line]:
    rows = session.execute(
        sa.select(
            OrderLine.id,
            Order.number,
            Party.name.label("customer"),
            OrderLine.name,
            OrderLine.promised_on,
            OrderLine.expected_on,
            OrderLine.moved_cause,
        )
        .join(Order, Order.id == OrderLine.order_id)
        .join(Party, Party.id == Order.party_id)
        .where(Order.state.in_(("placed", "confirmed", "picking")))
        .order_by(OrderLine.promised_on, OrderLine.id)
    )
    return {
        row.id: Line(
            row.number,
            row.customer,
            row.name,
            row.promised_on,
            row.expected_on if causes.is_day_known(row.moved_cause) else None,
        )
        for row in rows
    }
