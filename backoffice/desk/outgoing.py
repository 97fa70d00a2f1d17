"""What has to leave the house: what waits, what nobody could deliver, and trying again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice import audit
from backoffice.bridge import outbox
from backoffice.bridge.models import OutboxMessage
from backoffice.desk import context, forms
from backoffice.desk.phrases import gettext as _
from backoffice.desk.phrases import ngettext
from backoffice.desk.wording import explain
from backoffice.public.errors import BadInput, ShopError

bp = Blueprint("outgoing", __name__, url_prefix="/desk/admin/outgoing")
PAGE = 50
STATES = ("dead", "pending", "done", "given_up")


@bp.get("")
def home() -> ResponseReturnValue:
    """List messages of one state; what nobody could deliver comes first."""
    return _page()


@bp.post("/<int:message_id>/replay")
def replay(message_id: int) -> ResponseReturnValue:
    """Try a message again from its first try."""
    me, now = context.me(), context.now()

    def work(db: Session) -> None:
        outbox.replay(db, message_id, now=now)
        audit.record(db, "outbox.replay", f"outbox:{message_id}", actor=me.email, role=me.role, now=now)

    return _do(work, _("It is tried again now."))


@bp.post("/replay")
def replay_all() -> ResponseReturnValue:
    """Try everything again that nobody could deliver."""
    me, now, count = context.me(), context.now(), [0]

    def work(db: Session) -> None:
        for message in outbox.find_dead(db):
            outbox.replay(db, message.id, now=now)
            count[0] += 1
        if count[0]:
            details = {"messages": count[0]}
            audit.record(db, "outbox.replay_all", "outbox:all", actor=me.email, role=me.role, details=details, now=now)

    context.write(work)
    flash(ngettext("%(num)d message is tried again.", "%(num)d messages are tried again.", count[0]))
    return redirect(url_for("outgoing.home"), 303)


@bp.post("/<int:message_id>/drop")
def drop(message_id: int) -> ResponseReturnValue:
    """Give a message up for good; the reason is kept."""
    me, now, reason = context.me(), context.now(), forms.text("reason").replace("\x00", " ").strip()[:500]

    def work(db: Session) -> None:
        if not reason:
            raise BadInput("reason_missing", {"reason": "required"})
        gone = outbox.give_up(db, message_id)
        named = ("target", "aggregate", "kind", "last_error")
        details = {**{name: getattr(gone, name) for name in named}, "reason": reason}
        audit.record(db, "outbox.drop", f"outbox:{message_id}", actor=me.email, role=me.role, details=details, now=now)

    return _do(work, _("Given up. The reason is kept with the changes."))


def find_messages(session: Session, state: str, target: str, page: int, about: str = "") -> tuple[Sequence[OutboxMessage], int]:
    """Return one page of messages and how many there are: open ones oldest first, delivered ones newest first.

    about: a part of what they are about, for example an order's number.
    """
    wanted = sa.select(OutboxMessage).where(OutboxMessage.state == state)
    if about:
        wanted = wanted.where(OutboxMessage.aggregate.icontains(about, autoescape=True))
    if target:
        wanted = wanted.where(OutboxMessage.target == target)
    total = session.scalar(sa.select(sa.func.count()).select_from(wanted.subquery())) or 0
    order = OutboxMessage.id.desc() if state in ("done", "given_up") else OutboxMessage.id
    return session.scalars(wanted.order_by(order).limit(PAGE).offset((page - 1) * PAGE)).all(), total


def _do(work: Callable[[Session], object], said: str) -> ResponseReturnValue:
    try:
        context.write(work)
    except ShopError as error:
        return _page(explain(error), error.status)
    flash(said)
    return redirect(url_for("outgoing.home"), 303)


def _page(problem: str = "", status: int = 200) -> ResponseReturnValue:
    state = request.args.get("state", "dead")
    state, target, number = (
        state if state in STATES else "dead",
        request.args.get("target", "")[:40].replace("\x00", ""),
        forms.page(),
    )
    rows, total = context.read(lambda db: find_messages(db, state, target, number, forms.sought()))
    targets = context.read(lambda db: db.scalars(sa.select(OutboxMessage.target).distinct().order_by(OutboxMessage.target)).all())
    return render_template(
        "desk/admin/outgoing.html",
        rows=rows,
        total=total,
        page_number=number,
        page_size=PAGE,
        state=state,
        states=STATES,
        target=target,
        query=forms.sought(),
        targets=targets,
        problem_text=problem,
    ), status
