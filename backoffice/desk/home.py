"""Logging in and out, and the first page after it."""

from __future__ import annotations

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from backoffice import staff_sessions, throttle
from backoffice.desk import auth, context, entering, phrases, second
from backoffice.desk.forms import text
from backoffice.desk.phrases import gettext as _

# no prefix: its static files stand beside the shop's, at /static/desk
bp = Blueprint("desk", __name__, static_folder="static", static_url_path="/static/desk")


@bp.get("/desk/login")
def login() -> ResponseReturnValue:
    """Show the log-in page."""
    if current_user.is_authenticated:
        return redirect(auth.local_path(request.args.get("next")) or url_for("desk.home"), 303)
    return _page("", "")


@bp.post("/desk/login")
def login_submit() -> ResponseReturnValue:
    """Log in, or say the same sentence whatever was wrong."""
    email, address, now = text("email")[:254], request.remote_addr or "", context.now()
    database = context.services().db
    if not database.run(lambda db: throttle.may_try(db, address, email, now=now)):
        return _page(email, _("Too many tries. Wait five minutes, then try again."), 429)
    member = context.read(lambda db: auth.find_by_password(db, email, text("password")))
    if member is None:
        return _page(email, _("E-mail or password is wrong."), 403)
    database.run(lambda db: throttle.forget_tries(db, address, email, now=now))
    if member.second_step:
        entering.open_half(member)
        return second.ask() if text("kept") else redirect(url_for("second.code", next=auth.local_path(text("next"))), 303)
    return entering.go_on(member)


@bp.post("/desk/logout")
def logout() -> ResponseReturnValue:
    """Log out of this browser."""
    entering.leave()
    flash(_("You are logged out."))
    return redirect(url_for("desk.login"), 303)


@bp.post("/desk/logout/everywhere")
def logout_everywhere() -> ResponseReturnValue:
    """Log out of every browser."""
    me, now = context.me(), context.now()
    context.write(lambda db: staff_sessions.end_all(db, me.id, by=me.email, role=me.role, now=now))
    entering.leave()
    flash(_("You are logged out everywhere."))
    return redirect(url_for("desk.login"), 303)


@bp.post("/desk/language")
def language() -> ResponseReturnValue:
    """Speak another language in this browser, on the page that it was chosen on."""
    answer = redirect(auth.local_path(text("next")) or url_for("desk.home"), 303)
    return phrases.keep_language(make_response(answer), text("language"))


@bp.get("/desk/")
def home() -> ResponseReturnValue:
    """Open the only desk of a role, or let an administrator choose."""
    if entering.is_needed(context.me()):
        return redirect(url_for("second.home"), 303)
    desks = context.me().desks
    if len(desks) == 1:
        return redirect(url_for(f"{desks[0]}.home"), 303)
    return render_template("desk/home.html", desks=desks)


def ask_again(kept: str) -> str:
    """Return the log-in page with the form that came too late in it."""
    return _page("", _("You were logged out, because this desk was left alone. What you typed is kept."), kept=kept)[0]


def _page(email: str, problem: str, status: int = 200, *, kept: str = "") -> tuple[str, int]:
    target = auth.local_path(request.values.get("next")) or ""
    values = {"target": target, "demo": context.services().settings.demo, "kept": kept or text("kept")}
    return render_template("desk/login.html", email=email, problem=problem, **values), status
