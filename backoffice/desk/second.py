"""The second step: the question for a code at log-in, setting up a phone, and saying once more who one is."""

from __future__ import annotations

import segno
from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from backoffice import second_step, throttle
from backoffice.desk import auth, context, entering
from backoffice.desk.forms import text
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.erp.models import Staff
from backoffice.public.errors import BadInput

bp = Blueprint("second", __name__, url_prefix="/desk")
NONCE = "second_nonce"  # of a phone that is not confirmed yet: it waits in the session, the database knows confirmed ones alone


@bp.get("/login/code")
def code() -> ResponseReturnValue:
    """Ask for the code, once the password was right."""
    return _code_page("") if entering.find_half() else redirect(url_for("desk.login"), 303)


@bp.post("/login/code")
def code_submit() -> ResponseReturnValue:
    """Let somebody in by their code."""
    half = entering.find_half()
    member = context.read(lambda db: auth.find_by_half(db, half)) if half else None
    if member is None:
        return redirect(url_for("desk.login"), 303)
    right = entering.try_code(member.id, text("code"))
    if right is None:
        return _code_page(_too_many(), 429)
    if not right:
        return _code_page(_("This code is wrong or was used before. Wait for the next one."), 403)
    return entering.go_on(member)


def ask() -> ResponseReturnValue:
    """Ask for the code at once, on a page that carries on what came with the log-in."""
    return _code_page("")


@bp.get("/second-step")
def home() -> ResponseReturnValue:
    """Show how one logs in: the phone to set up, or what is set up."""
    return _page()


@bp.post("/second-step")
def set_up() -> ResponseReturnValue:
    """Confirm the phone and show the recovery codes, this once."""
    me, key, now = context.me(), context.services().settings.secret_key, context.now()
    nonce, typed, made = session.get(NONCE), text("code"), list[list[str]]()
    if not isinstance(nonce, str):
        return redirect(url_for("second.home"), 303)
    if not context.services().db.run(lambda db: throttle.may_try(db, "", f"set-up:{me.id}", now=now)):
        return _page(problem=_too_many(), status=429)
    try:
        context.write(
            lambda db: made.append(second_step.set_up(db, db.get_one(Staff, me.id), nonce, typed, secret_key=key, now=now))
        )
    except BadInput as error:
        return _page(problem=explain(error), wrong=True, status=error.status)
    session.pop(NONCE)
    return _page(codes=made[-1])


@bp.post("/second-step/codes")
def new_codes() -> ResponseReturnValue:
    """Make new recovery codes and show them, this once."""
    if answer := entering.require_recent():
        return answer
    me, now, made = context.me(), context.now(), list[list[str]]()
    context.write(lambda db: made.append(second_step.renew_recovery_codes(db, db.get_one(Staff, me.id), now=now)))
    return _page(codes=made[-1])


@bp.get("/sure")
def sure() -> ResponseReturnValue:
    """Ask once more who it is."""
    return _sure_page("")


@bp.post("/sure")
def sure_submit() -> ResponseReturnValue:
    """Take a code, or the password of somebody who has no phone set up."""
    me = context.me()
    right = entering.try_code(me.id, text("proof")) if me.second_step else _try_password(me)
    if right is None:
        return _sure_page(_too_many(), 429)
    if not right:
        return _sure_page(_("That was not right. Nothing was changed."), 403)
    entering.note_sure()
    return redirect(auth.local_path(text("next")) or url_for("desk.home"), 303)


def _try_password(me: context.Member) -> bool | None:
    database, address, now = context.services().db, request.remote_addr or "", context.now()
    if not database.run(lambda db: throttle.may_try(db, address, me.email, now=now)):
        return None
    right = context.read(lambda db: auth.find_by_password(db, me.email, text("proof"))) is not None
    if right:
        database.run(lambda db: throttle.forget_tries(db, address, me.email, now=now))
    return right


def _too_many() -> str:
    return _("Too many tries. Wait five minutes, then try again.")


def _code_page(problem: str, status: int = 200) -> ResponseReturnValue:
    return render_template("desk/code.html", problem=problem, target=_target(), kept=text("kept")), status


def _sure_page(problem: str, status: int = 200) -> ResponseReturnValue:
    return render_template("desk/sure.html", problem=problem, target=_target()), status


def _target() -> str:
    return auth.local_path(request.values.get("next")) or ""


def _page(*, codes: list[str] | None = None, problem: str = "", wrong: bool = False, status: int = 200) -> ResponseReturnValue:
    member = context.me()
    is_set_up, left = context.read(
        lambda db: (second_step.is_set_up(db, member.id), second_step.count_recovery_codes(db, member.id))
    )
    key = b""
    if not is_set_up:
        nonce = session.setdefault(NONCE, second_step.new_nonce())
        key = second_step.key_of(context.services().settings.secret_key, member.id, nonce)
    address = second_step.address(key, who=member.email, house=context.house().name)
    letters = second_step.in_letters(key)
    return render_template(
        "desk/second.html",
        is_set_up=is_set_up,
        needed=entering.is_needed(member) and not is_set_up,
        picture=segno.make(address, error="m").svg_data_uri(scale=5, border=4, light="#fff") if key else "",
        key=" ".join(letters[at : at + 4] for at in range(0, len(letters), 4)),
        address=address,
        codes=codes or [],
        left=left,
        problem_text=problem,
        wrong=wrong,
    ), status
