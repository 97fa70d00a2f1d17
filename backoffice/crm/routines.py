"""What administrators set for the sales desk: who gets a lead, which answers stand ready, who is away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import audit
from backoffice.crm.models import AssignmentRule, MailTemplate
from backoffice.erp.models import Category, Staff, StaffAbsence
from backoffice.public.errors import BadInput, NotFound, Refused

RULE_FIELDS = ("position", "kind", "language", "country", "postcode_prefix", "category_id", "owner_id", "active")
LONGEST_BODY = 5_000


def save_rule(
    session: Session, rule_id: int | None, values: Mapping[str, Any], *, by: str, role: str = "", now: datetime
) -> None:
    """Write an assignment rule; a new one without an id. values: every field of RULE_FIELDS.

    Raises NotFound(unknown_record), BadInput(invalid_form, owner_id | category_id) for what is not there.
    """
    wrong: dict[str, str] = {}
    owner = session.get(Staff, values["owner_id"]) if values["owner_id"] else None
    if owner is None or not owner.active or owner.role not in ("sales", "admin"):
        wrong["owner_id"] = "bad_choice"
    if values["category_id"] is not None and session.get(Category, values["category_id"]) is None:
        wrong["category_id"] = "bad_choice"
    if wrong:
        raise BadInput("invalid_form", wrong)
    row = _get(session, AssignmentRule, rule_id) if rule_id is not None else AssignmentRule(**values)
    before = {name: getattr(row, name) for name in RULE_FIELDS} if rule_id is not None else None
    for name in RULE_FIELDS:
        setattr(row, name, values[name])
    session.add(row)
    session.flush()
    after = {name: getattr(row, name) for name in RULE_FIELDS}
    _note(session, "rule.save", f"rule:{row.id}", before, after, by, role, now)


def save_template(
    session: Session, template_id: int | None, *, name: str, language: str, body: str, by: str, role: str = "", now: datetime
) -> None:
    """Write a ready answer. Raises NotFound(unknown_record), BadInput(invalid_form, name | body), Refused(name_taken)."""
    name, wrong = " ".join(name.split()), {}
    if not 1 <= len(name) <= 100:
        wrong["name"] = "required" if not name else "too_long"
    if not 1 <= len(body.strip()) <= LONGEST_BODY:
        wrong["body"] = "required" if not body.strip() else "too_long"
    if wrong:
        raise BadInput("invalid_form", wrong)
    twin = sa.select(MailTemplate.id).where(MailTemplate.name == name, MailTemplate.language == language)
    if session.scalar(twin) not in (None, template_id):
        raise Refused("name_taken")
    row = _get(session, MailTemplate, template_id) if template_id is not None else MailTemplate()
    before = {"name": row.name, "language": row.language, "body": row.body} if template_id is not None else None
    row.name, row.language, row.body, row.updated_at = name, language, body.strip().replace("\r\n", "\n"), now
    session.add(row)
    session.flush()
    after = {"name": row.name, "language": row.language, "body": row.body}
    _note(session, "template.save", f"template:{row.id}", before, after, by, role, now)


def add_absence(
    session: Session, staff_id: int, starts_on: date, ends_on: date, *, by: str, role: str = "", now: datetime
) -> None:
    """Note that somebody is away, both days included. Raises BadInput(invalid_form, staff_id | ends_on)."""
    if session.get(Staff, staff_id) is None:
        raise BadInput("invalid_form", {"staff_id": "bad_choice"})
    if ends_on < starts_on:
        raise BadInput("invalid_form", {"ends_on": "ends_before"})
    row = StaffAbsence(staff_id=staff_id, starts_on=starts_on, ends_on=ends_on)
    session.add(row)
    session.flush()
    after = {"staff_id": staff_id, "starts_on": starts_on.isoformat(), "ends_on": ends_on.isoformat()}
    _note(session, "absence.add", f"absence:{row.id}", None, after, by, role, now)


def remove(
    session: Session,
    model: type[AssignmentRule | MailTemplate | StaffAbsence],
    row_id: int,
    *,
    by: str,
    role: str = "",
    now: datetime,
) -> None:
    """Take a rule, a ready answer or an absence away; what is gone already stays gone."""
    row = session.get(model, row_id)
    if row is None:
        return
    before = {column.key: _plain(getattr(row, column.key)) for column in model.__table__.columns}
    session.delete(row)
    session.flush()
    _note(session, f"{model.__tablename__}.remove", f"{model.__tablename__}:{row_id}", before, None, by, role, now)


def _get(session: Session, model: Any, row_id: int) -> Any:
    row = session.get(model, row_id, populate_existing=True)
    if row is None:
        raise NotFound("unknown_record")
    return row


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


def _note(session: Session, action: str, subject: str, before: object, after: object, by: str, role: str, now: datetime) -> None:
    if before != after:
        audit.record(session, action, subject, actor=by, role=role, details={"before": before, "after": after}, now=now)
