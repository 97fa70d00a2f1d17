"""The desks, hung into the app: blueprints, log-in, CSRF, the session cookie."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, redirect, request, url_for
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user
from flask_wtf import CSRFProtect
from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from backoffice import staff_sessions
from backoffice.desk import (
    absences,
    accounts,
    admin,
    approvals,
    auditing,
    auth,
    breaks,
    campaigns,
    case_deadlines,
    cases,
    class_words,
    company,
    context,
    coupons,
    customers,
    demand,
    discounts,
    entering,
    errors,
    expedite,
    expiry,
    figures,
    forecasts,
    formats,
    home,
    hours,
    identities,
    items,
    kept,
    keys,
    lanes,
    lead_file,
    lead_list,
    lead_words,
    making,
    orders,
    outgoing,
    papers,
    people,
    persons,
    phoning,
    phrases,
    pipeline,
    planning,
    price_lists,
    prices,
    quoting,
    receivables,
    reports,
    returns,
    rules,
    sales,
    same_person,
    second,
    segments,
    selling,
    sent,
    services,
    shelves,
    stages,
    step_words,
    supposing,
    tasks,
    templates,
    told_choice,
    tracing,
    troubles,
    warehouse,
    waves,
    wording,
)

csrf = CSRFProtect()
OPEN = (home.bp, second.bp)  # also to whoever must set up the second step first
GUARDED = (
    people.bp,
    keys.bp,
    persons.bp,
)  # who comes in, what leaves the house: only for somebody who has just said who they are
LEAVING = ("accounts.export", "price_lists.export", "reports.export")  # the same for one page of a desk
BLUEPRINTS = (
    home.bp,
    second.bp,
    sales.bp,
    phoning.bp,
    same_person.bp,
    pipeline.bp,
    lead_list.bp,
    lead_file.bp,
    selling.bp,
    quoting.bp,
    cases.bp,
    customers.bp,
    identities.bp,
    segments.bp,
    tasks.bp,
    campaigns.bp,
    orders.bp,
    told_choice.bp,
    warehouse.bp,
    waves.bp,
    papers.bp,
    sent.bp,
    returns.bp,
    shelves.bp,
    expiry.bp,
    planning.bp,
    expedite.bp,
    lanes.bp,
    hours.bp,
    tracing.bp,
    supposing.bp,
    items.bp,
    prices.bp,
    making.bp,
    kept.bp,
    demand.bp,
    forecasts.bp,
    reports.bp,
    breaks.bp,
    accounts.bp,
    admin.bp,
    people.bp,
    persons.bp,
    absences.bp,
    company.bp,
    keys.bp,
    outgoing.bp,
    figures.bp,
    troubles.bp,
    approvals.bp,
    discounts.bp,
    rules.bp,
    stages.bp,
    case_deadlines.bp,
    services.bp,
    coupons.bp,
    price_lists.bp,
    receivables.bp,
    templates.bp,
    auditing.bp,
)


class DeskSession(SecureCookieSessionInterface):
    """The session of the desks, the only one there is. Over HTTPS its cookie is bound to this host alone.

    clock: what its age is told by: a machine whose own clock is wrong must not let an old one live on.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        class Signer(TimestampSigner):
            def get_timestamp(self) -> int:
                return int(clock().timestamp())

        self._signer = Signer

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Return what signs it and tells its age."""
        serializer = super().get_signing_serializer(app)
        if serializer is not None:
            serializer.signer = self._signer
        return serializer

    def get_cookie_name(self, app: Flask) -> str:
        """Return the name; `__Host-` makes browsers refuse it from anywhere else, but needs HTTPS."""
        return "__Host-desk" if self.get_cookie_secure(app) else "desk"

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 - flask's signature
        """Tell whether this request came over HTTPS; a demo on a local network must still log in."""
        return bool(request and request.is_secure)

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        """Renew the session only where a page looked at it: pages of the shop stay the same for everybody."""
        return session.modified or (session.accessed and super().should_set_cookie(app, session))


def register(app: Flask, services: context.Services) -> None:
    """Add all desks below /desk/ to the app."""
    app.extensions[context.EXTENSION] = services
    app.session_interface = DeskSession(services.clock)
    app.config.update(
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(hours=12),
        WTF_CSRF_CHECK_DEFAULT=False,  # the shop has no session; the desks check below
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a page open since morning still saves
        WTF_CSRF_SSL_STRICT=False,  # would need a Referer, which we tell browsers not to send
    )
    manager = LoginManager()
    manager.user_loader(_load)
    # not init_app: it reads the session after every request, also those of cached shop pages
    app.login_manager = manager  # type: ignore[attr-defined]  # where flask-login looks for it
    app.before_request(lambda: phrases.follow_reader() if request.path.startswith("/desk/") else None)
    csrf.init_app(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)


def _load(token: str) -> context.Member | None:
    now, database = context.now(), context.services().db
    found = context.read(lambda db: auth.find_by_session(db, token, now=now))
    if found is None:
        return None
    member, stale = found
    if stale:
        database.run(lambda db: staff_sessions.note_seen(db, token, now=now))
    return member


@lru_cache(maxsize=16)
def _asset(name: str) -> str:
    """Return the address of one of our files with the hash of its content."""
    content = (Path(__file__).parent / "static" / name).read_bytes()
    return url_for("desk.static", filename=name, v=hashlib.sha256(content).hexdigest()[:12])


def _words() -> dict[str, Any]:
    return {
        "current_user": current_user,
        "house": context.house,
        "now": context.now,
        "explain_field": wording.explain_field,
        "cause_of": wording.cause_of,
        "step_words": step_words.say,
        "cause_in_words": wording.cause_in_words,
        "chain_of": wording.chain_of,
        "said": wording.said,
        "name_of": wording.name_of,
        "score_words": lead_words.score_words,
        "class_words": class_words.class_words,
        "class_pairs": class_words.class_pairs,
        "asset": _asset,
        "has_outside_erp": lambda: bool(context.services().settings.erp_url),
        "language": phrases.language,
        "languages": phrases.languages,
        "new_key": lambda: secrets.token_urlsafe(12),  # a form posted twice is known by it
    }


def _caching(response: Response) -> Response:
    if request.endpoint == "desk.static" and "v" in request.args:
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.headers.setdefault("Cache-Control", "no-store")  # people and orders: nothing stays in the browser
    return response


def _require_second_step() -> ResponseReturnValue | None:
    return redirect(url_for("second.home"), 303) if entering.is_needed(context.me()) else None


def _require_recent_to_leave() -> ResponseReturnValue | None:
    return entering.require_recent() if request.endpoint in LEAVING else None


def _prepare(blueprint: Blueprint) -> None:
    blueprint.before_request(csrf.protect)
    if blueprint not in OPEN:
        blueprint.before_request(_require_second_step)
    if blueprint in GUARDED:
        blueprint.before_request(entering.require_recent)
    else:
        blueprint.before_request(_require_recent_to_leave)
    blueprint.after_request(_caching)
    blueprint.context_processor(_words)
    formats.add_to(blueprint)
    errors.add_to(blueprint)


for _blueprint in BLUEPRINTS:
    _prepare(_blueprint)
