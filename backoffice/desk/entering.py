"""Coming in: the half-open session between password and code, the whole one, and how lately somebody proved who they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from flask import flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_user, logout_user
from sqlalchemy.orm import Session

from backoffice import second_step, staff_sessions, throttle
from backoffice.desk import auth, context, interrupted
from backoffice.desk.context import Member
from backoffice.desk.forms import text
from backoffice.desk.phrases import gettext as _
from backoffice.erp.models import Staff

HALF_OPEN = timedelta(minutes=10)  # from the password to the code
TOKEN = "_user_id"  # noqa: S105 - where Flask-Login keeps it, not what it keeps
RECENT = timedelta(minutes=10)  # for what changes who may come in, and what leaves the house


def enter(member: Member) -> None:
    """Begin the session of somebody who proved who they are; nothing of an earlier visitor of this browser stays."""
    database, now, before = context.services().db, context.now(), str(session.get(TOKEN, ""))

    def begin(db: Session) -> str:
        staff_sessions.end(db, before)
        return staff_sessions.begin(db, member.id, now=now)

    token = database.run(begin)
    session.clear()
    session.permanent = True
    session["sure_at"] = now.timestamp()
    login_user(replace(member, token=token))


def go_on(member: Member) -> ResponseReturnValue:
    """Let somebody in who proved who they are: to the form that waits for them, to where they wanted to go, or to their desk."""
    enter(member)
    waiting = interrupted.offer(text("kept"), member)
    return waiting or redirect(auth.local_path(text("next")) or url_for("desk.home"), 303)


def leave() -> None:
    """End this browser's session."""
    token = context.me().token
    context.services().db.run(lambda db: staff_sessions.end(db, token))
    logout_user()
    session.clear()


def open_half(member: Member) -> None:
    """Remember whose password was right; it opens nothing but the question for the code."""
    session.clear()
    session["half"] = member.half
    session["half_at"] = context.now().timestamp()


def find_half() -> str | None:
    """Return which session waits for its code; None once that took too long."""
    return session.get("half") if _since("half_at") <= HALF_OPEN else None


def try_code(staff_id: int, typed: str) -> bool | None:
    """Tell whether a code is right; None when there were too many tries, from wherever: whoever tries knows the password."""
    services, now = context.services(), context.now()
    who = f"second:{staff_id}"
    if not services.db.run(lambda db: throttle.may_try(db, "", who, now=now)):
        return None
    key = services.settings.secret_key
    right = services.db.run(lambda db: second_step.use(db, db.get_one(Staff, staff_id), typed, secret_key=key, now=now))
    if right:
        services.db.run(lambda db: throttle.forget_tries(db, "", who, now=now))
    return right


def is_needed(member: Member) -> bool:
    """Tell whether somebody must set up the second step before anything else."""
    settings = context.services().settings
    if settings.demo or member.second_step:
        return False
    return settings.second_step == "everybody" or (settings.second_step == "admins" and member.role == "admin")


def note_sure() -> None:
    """Remember that somebody just proved again who they are; what their browser kept until now opens nothing any more."""
    token = context.me().token
    session[TOKEN] = context.services().db.run(lambda db: staff_sessions.renew(db, token))
    session["sure_at"] = context.now().timestamp()


def require_recent() -> ResponseReturnValue | None:
    """Ask once more who it is, where that was proved more than ten minutes ago. For `before_request` of a blueprint."""
    if _since("sure_at") <= RECENT:
        return None
    if request.method in {"GET", "HEAD"}:
        return redirect(url_for("second.sure", next=request.full_path.rstrip("?")), 303)
    flash(_("That was not done yet: say once more who you are, then send it again."))
    return redirect(url_for("second.sure", next=url_for(f"{request.blueprint}.home")), 303)


def _since(name: str) -> timedelta:
    at = session.get(name)
    if not isinstance(at, int | float):
        return timedelta.max
    return abs(context.now() - datetime.fromtimestamp(at, UTC))
