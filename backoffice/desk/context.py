"""What every desk page needs: the services, the clock, who is logged in, whose company it is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Protocol, TypeVar, cast
from zoneinfo import ZoneInfo

from flask import current_app, g, request
from flask_login import UserMixin, current_user
from sqlalchemy import event
from sqlalchemy.orm import Session

from backoffice import audit, idempotency, public
from backoffice.config import Settings
from backoffice.db import Database
from backoffice.erp.models import Company
from backoffice.local import Till
from backoffice.public.errors import Refused

T = TypeVar("T")
EXTENSION = "shopfloor.desk"
DESKS = ("sales", "warehouse", "planning")
DESKS_BY_ROLE = {
    "sales": ("sales",),
    "warehouse": ("warehouse",),
    "planner": ("planning",),
    "admin": (*DESKS, "reports", "accounts", "admin"),
}


class Services(Protocol):
    """What the desks are given at start-up."""

    @property
    def settings(self) -> Settings:
        """Return the settings."""
        ...

    @property
    def db(self) -> Database:
        """Return the database."""
        ...

    @property
    def clock(self) -> Callable[[], datetime]:
        """Return the one clock."""
        ...

    @property
    def shop(self) -> public.Shop:
        """Return the door, for what customers see."""
        ...

    @property
    def till(self) -> Till:
        """Return the till, for what waits to be paid."""
        ...


@dataclass(frozen=True, slots=True)
class House:
    """The company as desk pages name it; days and times are shown in its zone."""

    name: str
    zone: ZoneInfo
    country: str
    currency: str


@dataclass(frozen=True)
class Member(UserMixin):  # type: ignore[misc]  # flask-login carries no types
    """Who is logged in."""

    id: int
    name: str
    email: str
    role: str
    nonce: str
    second_step: bool  # logs in with a code too
    token: str = field(default="", repr=False)  # of their session; empty: none yet

    def get_id(self) -> str:
        """Return what the browser keeps."""
        return self.token

    @property
    def half(self) -> str:
        """Return what the browser keeps between password and code: with a new nonce in the staff row it is over."""
        return f"{self.id}:{self.nonce}"

    @property
    def desks(self) -> tuple[str, ...]:
        """Return the desks that this role works at, in the order of the menu."""
        return DESKS_BY_ROLE[self.role]


def services() -> Services:
    """Return the services of the running app."""
    return cast(Services, current_app.extensions[EXTENSION])


def now() -> datetime:
    """Return the instant of this request, the same however often it is asked."""
    if "desk_now" not in g:
        g.desk_now = services().clock()
    return cast(datetime, g.desk_now)


def me() -> Member:
    """Return who is logged in; only for pages that nobody else may open."""
    return cast(Member, current_user._get_current_object())


def house() -> House:
    """Return whose company this is; a database without one still has a log-in page."""
    if "desk_house" not in g:
        with services().db.read() as session:
            company = session.get(Company, 1)
        g.desk_house = (
            House(company.name, ZoneInfo(company.timezone), company.country, company.currency)
            if company
            else House("Shopfloor", ZoneInfo("UTC"), "", "EUR")
        )
    return cast(House, g.desk_house)


def today() -> date:
    """Return today's date where the company is."""
    return now().astimezone(house().zone).date()


def midnight(day: date) -> datetime:
    """Return the instant at which a day begins where the company is."""
    return datetime.combine(day, time(0), house().zone).astimezone(UTC)


def day_ends() -> datetime:
    """Return the instant at which today is over where the company is."""
    return midnight(today() + timedelta(days=1))


def read(query: Callable[[Session], T]) -> T:
    """Run a read model in a read-only transaction."""
    with services().db.read() as session:
        return query(session)


def write(work: Callable[[Session], object], *, scope: str = "") -> bool:
    """Run `work` in one write transaction; False, with nothing done, if this very form was posted before.

    scope: what the form's `key` counts for; empty where `work` itself stands being done twice. Raises Refused(form_reused) if
    another form had this key: somebody went back, wrote something else and sent it again.
    """
    key = request.form.get("key", "")

    def once(session: Session) -> bool:
        if scope and key:
            claimed, ours = idempotency.claim(session, f"desk.{scope}", key, request_hash=_form_hash(), now=now())
            if not ours and claimed.request_hash not in ("", _form_hash()):  # those of earlier versions have none
                raise Refused("form_reused")
            if not ours:
                return False
        changed = _watch(session)
        work(session)
        session.flush()
        if changed and not audit.has_recorded(session):  # no words of its own in the record: it is there by its page
            _record(session)
        return True

    return services().db.run(once)


def _form_hash() -> str:
    """Return a hash of what was typed; not of the token, another one after each log-in, nor of what was shown before saving."""
    typed = sorted((name, value) for name, value in request.form.items(multi=True) if name not in ("csrf_token", "seen"))
    return hashlib.sha256(json.dumps([request.path, typed]).encode()).hexdigest()


def _watch(session: Session) -> list[str]:
    """Return a list that fills with the statements of this transaction that change a row."""
    changed: list[str] = []

    def note(_connection: Any, cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith(("INSERT", "UPDATE", "DELETE")) and cursor.rowcount:
            changed.append(statement)

    event.listen(session.connection(), "after_cursor_execute", note)
    return changed


def _record(session: Session) -> None:
    """Write down who sent which form about what; not what was typed, which may be about a person."""
    told = "/".join(str(value) for value in (request.view_args or {}).values())
    subject = f"{request.blueprint}:{told}"
    audit.record(session, f"desk.{request.endpoint}", subject, actor=me().email, role=me().role, now=now())
