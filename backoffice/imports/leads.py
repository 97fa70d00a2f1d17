"""Leads from a CSV file: looked at first, then taken; a broken row is named with its reason and given back, never lost.

All of it or nothing, unless a place for the broken rows is named: then the good ones are taken and the others are written there,
as they were, with their line and what is wrong, ready to be mended and brought again. A row that came before is known.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from backoffice import idempotency, spreadsheet, wording
from backoffice.crm import collapsing, leads
from backoffice.crm.lead_forms import CheckedLead, check
from backoffice.db import Database
from backoffice.erp.company import get_company
from backoffice.imports import csvfile
from backoffice.imports.csvfile import Row
from backoffice.imports.faults import MOST, BrokenFolder, BrokenRow, Fault
from backoffice.public.errors import BadInput
from backoffice.public.leads import LeadForm

COLUMNS = ("name", "email", "phone", "company", "message", "sku", "quantity", "needed_by_on", "postcode", "country", "language")
MORE = ("source", "medium", "campaign")
AT_ONCE = 500  # rows of one transaction
LINE, PROBLEM, RAW = "line", "problem", "raw"


@dataclass
class Report:
    """What became of a file: rows taken, rows that came before, rows with what is wrong. dry: nothing was written."""

    taken: int = 0
    known: int = 0
    broken: list[tuple[Row | None, Fault]] = field(default_factory=list)
    dry: bool = False


def import_leads(
    db: Database, path: Path, *, columns: Mapping[str, str], broken: Path | None = None, dry: bool = False, now: datetime
) -> Report:
    """Take the leads of a file. columns: our field → the file's column, where they differ; broken: where bad rows go.

    Raises BrokenFolder for a file that cannot be read or has no column of messages and, without `broken`, with the first faults;
    nothing is written then.
    """
    with db.read() as session:
        today = wording.day_in(get_company(session).timezone, now)
    report = Report(dry=dry)
    good: list[tuple[Row, CheckedLead]] = []
    wanted = {name: columns.get(name, name) for name in (*COLUMNS, *MORE)}
    for row in csvfile.rows(path, list(dict.fromkeys([*columns.values(), wanted["message"]]))):
        if isinstance(row, Fault):
            if row.column is None:  # where the next row begins cannot be told: none of the file is taken
                raise BrokenFolder([row])
            report.broken.append((None, row))
            continue
        try:
            good.append((row, _checked(row, wanted, today)))
        except BrokenRow as wrong:
            report.broken.append((row, wrong.fault))
    if report.broken and broken is None and not dry:
        raise BrokenFolder([fault for _row, fault in report.broken[:MOST]])
    for at in range(0, len(good), AT_ONCE):
        some = good[at : at + AT_ONCE]
        if dry:
            report.taken += len(some)
            continue
        taken = db.run(lambda session, some=some: sum(_take(session, row, one, now) for row, one in some))  # type: ignore[misc]  # a default argument binds the loop's value
        report.taken, report.known = report.taken + taken, report.known + len(some) - taken
    if report.broken and broken is not None:
        _give_back(broken, report.broken)
    return report


def _checked(row: Row, wanted: Mapping[str, str], today: date) -> CheckedLead:
    """Return a row's lead. Raises BrokenRow naming its first wrong cell."""
    cells = {name: row.text(column) if column in row.cells else "" for name, column in wanted.items()}
    by_phone = not cells["email"]
    form = LeadForm(key="", kind="phone" if by_phone else "contact", page="csv", **cells)
    try:
        return check(form, today=today, by_phone=by_phone)
    except BadInput as error:
        name, code = next(iter(error.fields.items()))
        raise row.fault(wanted.get(name, name), _why(code)) from None


def _take(session: Session, row: Row, checked: CheckedLead, now: datetime) -> bool:
    """Write one lead, or let an open one take it in; False: this very row came before."""
    told = hashlib.sha256(repr(sorted(row.cells.items())).encode()).hexdigest()
    claimed, fresh = idempotency.claim(session, "lead.csv", told, now=now)
    if not fresh:
        return False
    if checked.email:
        party = collapsing.whose(session, checked, now=now)
    else:
        party = collapsing.who_calls(
            session, name=checked.name, phone=checked.phone, language=checked.language, country=checked.country, now=now
        )
    lead = collapsing.find_open(session, party, checked, None)
    if lead is None:
        lead = leads.insert(session, party, checked, None, now)
    else:
        collapsing.take_in(session, lead, checked, now=now)
    claimed.answer = {"lead_id": lead.id}
    session.flush()
    return True


def _give_back(path: Path, broken: list[tuple[Row | None, Fault]]) -> None:
    """Write the broken rows as they were, each with its line and what is wrong; one that has no cells as its text."""
    columns = list(dict.fromkeys(name for row, _fault in broken if row for name in row.cells))
    back: list[list[spreadsheet.Value]] = []
    for row, fault in broken:
        cells = [row.cells.get(name, "") if row else "" for name in columns]
        back.append([*cells, fault.line or 0, f"{fault.column or ''}: {fault.problem}", fault.raw])
    path.write_bytes(spreadsheet.write([*columns, LINE, PROBLEM, RAW], back))


def _why(code: str) -> str:
    words = {
        "missing": _("this must not be empty"),
        "too_long": _("this is too long"),
        "bad_email": _("this is no e-mail address"),
        "bad_date": _("this is no date like 2026-12-31"),
        "past_date": _("this day is over"),
        "bad_quantity": _("this is no whole number, 1 or more"),
        "bad_character": _("a character cannot be stored"),
    }
    return str(words.get(code, code))
