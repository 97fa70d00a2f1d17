"""Who changed what: the record of changes, by who, what, about what and when."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice.audit import AuditEntry
from backoffice.desk import context, forms

bp = Blueprint("auditing", __name__, url_prefix="/desk/admin/changes")
PAGE = 50


@bp.get("")
def home() -> ResponseReturnValue:
    """List changes, the newest first."""
    asked = {name: request.args.get(name, "").replace("\x00", "").strip()[:100] for name in ("actor", "action", "subject", "day")}
    number = forms.page()
    rows, total = context.read(lambda db: find_changes(db, asked, number))
    actions = context.read(lambda db: db.scalars(sa.select(AuditEntry.action).distinct().order_by(AuditEntry.action)).all())
    return render_template(
        "desk/admin/auditing.html",
        rows=rows,
        total=total,
        page_number=number,
        page_size=PAGE,
        asked=asked,
        actions=actions,
        differences=differences,
    )


def find_changes(session: Session, asked: Mapping[str, str], page: int) -> tuple[Sequence[AuditEntry], int]:
    """Return one page of changes and how many there are; asked: actor and subject (parts of them), action, day (ISO)."""
    wanted = sa.select(AuditEntry)
    if asked["actor"]:
        wanted = wanted.where(AuditEntry.actor.icontains(asked["actor"], autoescape=True))
    if asked["subject"]:
        wanted = wanted.where(AuditEntry.subject.icontains(asked["subject"], autoescape=True))
    if asked["action"]:
        wanted = wanted.where(AuditEntry.action == asked["action"])
    if (day := _day(asked["day"])) is not None:
        starts_at = datetime.combine(day, time(), context.house().zone)
        ends_at = datetime.combine(day + timedelta(days=1), time(), context.house().zone)
        wanted = wanted.where(AuditEntry.at >= starts_at.astimezone(UTC), AuditEntry.at < ends_at.astimezone(UTC))
    total = session.scalar(sa.select(sa.func.count()).select_from(wanted.subquery())) or 0
    newest = wanted.order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).limit(PAGE).offset((page - 1) * PAGE)
    return session.scalars(newest).all(), total


def differences(details: Mapping[str, Any]) -> Sequence[str]:
    """Return what a change changed, one line for each thing; of a before and an after only what differs."""
    before, after = details.get("before"), details.get("after")
    if not (isinstance(before, dict) or isinstance(after, dict)):
        return [f"{name}: {_plain(value)}" for name, value in details.items()]
    old, new = before or {}, after or {}
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    lines = [f"{name}: {_plain(old.get(name))} → {_plain(new.get(name))}" for name in names]
    return lines + [f"{name}: {_plain(value)}" for name, value in details.items() if name not in ("before", "after")]


def _plain(value: object) -> str:
    if value is None or value == "":
        return "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _day(typed: str) -> date | None:
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2200 else None
