"""A form that came after its session had ended: sealed into the log-in page, then offered again to the one who had typed it.

Nothing of it is stored here. The seal says whose it is, where it goes and when it came; nobody else can open or make one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import render_template, request, session
from flask_wtf.csrf import validate_csrf
from itsdangerous import BadData, URLSafeSerializer

from backoffice import staff_sessions
from backoffice.desk import context
from backoffice.desk.context import Member

GOOD_FOR = timedelta(hours=12)
TOKEN = "csrf_token"  # noqa: S105 - a field's name
SECRET = frozenset({"password", "proof", "code"})  # what no page repeats


def seal() -> str:
    """Return this request's form, sealed; empty where none is to be kept: of no session of ours, or with a secret in it."""
    token = session.get("_user_id")
    if not isinstance(token, str) or request.files or SECRET & request.form.keys():
        return ""
    try:
        validate_csrf(request.form.get(TOKEN))
    except ValueError:  # what the token's library raises
        return ""
    staff_id = context.read(lambda db: staff_sessions.find_person(db, token))
    if staff_id is None:
        return ""
    fields = [pair for pair in request.form.items(multi=True) if pair[0] != TOKEN]
    return _sealer().dumps([staff_id, context.now().timestamp(), request.full_path.rstrip("?"), fields])


def offer(sealed: str, member: Member) -> str | None:
    """Return the page that offers a kept form again; None if it is none, too old, or of somebody else."""
    try:
        staff_id, at, path, fields = _sealer().loads(sealed)
    except BadData:
        return None
    if staff_id != member.id or context.now() - datetime.fromtimestamp(at, UTC) > GOOD_FOR:
        return None
    return render_template("desk/interrupted.html", path=path, fields=fields)


def _sealer() -> URLSafeSerializer:
    return URLSafeSerializer(context.services().settings.secret_key, salt="interrupted form")
