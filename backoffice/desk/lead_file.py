"""Enquiries from a CSV file at the desk: looked at first, then the good rows taken and the broken ones handed back."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, abort, render_template, request
from flask.typing import ResponseReturnValue

from backoffice.desk import context, forms
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.imports.faults import BrokenFolder, Fault
from backoffice.imports.leads import COLUMNS, MORE, Report, import_leads
from backoffice.public.errors import BadInput

bp = Blueprint("lead_file", __name__, url_prefix="/desk/sales/file")
MOST_LINES = 2_000  # what a page can wait for; longer files go by the command
SHOWN = 50


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of a file: how much of it, what is wrong with which line, and the broken rows as a file again."""

    report: Report
    faults: tuple[Fault, ...]
    broken: str


@bp.get("")
def home() -> ResponseReturnValue:
    """Show what a file must hold."""
    return _page()


@bp.post("")
def bring() -> ResponseReturnValue:
    """Look at a file, or take its good rows; a row that came before is known."""
    file = request.files.get("file")
    content = file.read() if file is not None else b""
    if not content.strip():
        return _page(wrong="missing"), 422
    if content.count(b"\n") > MOST_LINES:
        return _page(wrong="too_many_lines"), 422
    try:
        brought = _bring(content, dry=forms.text("action") != "take")
    except BrokenFolder as error:
        return _page(faults=tuple(error.faults), problem=explain(BadInput("invalid_form"))), 422
    return _page(brought)


@bp.post("/broken")
def broken() -> ResponseReturnValue:
    """Hand the broken rows back as a file: what this very page was given, and kept nowhere."""
    text = forms.text("rows")
    if not text:
        abort(404)
    answer = Response("\ufeff" + text, mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="broken-{context.today():%Y-%m-%d}.csv"'
    return answer


def _bring(content: bytes, *, dry: bool) -> Brought:
    services = context.services()
    with tempfile.TemporaryDirectory() as folder:
        path, bad = Path(folder) / _("the file"), Path(folder) / "broken.csv"
        path.write_bytes(content)
        report = import_leads(services.db, path, columns={}, broken=None if dry else bad, dry=dry, now=context.now())
        text = bad.read_text(encoding="utf-8-sig") if bad.exists() else ""
    return Brought(report, tuple(fault for _row, fault in report.broken[:SHOWN]), text)


def _page(brought: Brought | None = None, *, wrong: str = "", faults: tuple[Fault, ...] = (), problem: str = "") -> str:
    words = {
        "missing": _("Choose a file that is not empty."),
        "too_many_lines": _("More than %(most)s lines: split it, or let whoever runs the shop bring it in.", most=MOST_LINES),
    }
    return render_template(
        "desk/sales/file.html",
        brought=brought,
        faults=brought.faults if brought else faults,
        wrong=words.get(wrong, ""),
        problem_text=problem,
        columns=COLUMNS,
        more=MORE,
        most=MOST_LINES,
    )
