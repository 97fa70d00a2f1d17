"""Reports for managers: a picture and its table each, as a file, and by mail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice import spreadsheet
from backoffice.crm import kept_promises, report_mails, reports, satisfaction
from backoffice.crm.forecasting import month_of
from backoffice.crm.models import ReportMail
from backoffice.crm.reports import Span
from backoffice.desk import context, forms
from backoffice.desk.formats import month, number
from backoffice.desk.phrases import gettext as _
from backoffice.desk.phrases import language
from backoffice.desk.wording import name_of

bp = Blueprint("reports", __name__, url_prefix="/desk/reports")
MONTHS = (1, 3, 6, 12)
Row = Sequence[spreadsheet.Value]


class Bar(NamedTuple):
    """One bar of a picture. share: of the longest one, 0 to 1; said: what stands at its end."""

    name: str
    share: float
    said: str


@dataclass(frozen=True, slots=True)
class Report:
    """One report. key: its name in addresses; bars: what the picture shows; rows: the table, one more cell for each head."""

    key: str
    title: str
    about: str
    heads: Sequence[str]
    rows: Sequence[Row]
    bars: Sequence[Bar]


@bp.get("")
def home() -> ResponseReturnValue:
    """Show all reports of the last months."""
    chosen = context.read(lambda db: db.get(ReportMail, context.me().id))
    every = chosen.every if chosen else ""
    return render_template("desk/reports/home.html", found=context.read(_all), months=_months(), choices=MONTHS, every=every)


@bp.get("/export.csv")
def export() -> Response:
    """Return one report as a file; the first one if the address makes no sense."""
    found = context.read(_all)
    one = next((report for report in found if report.key == request.args.get("of")), found[0])
    answer = Response(spreadsheet.write(one.heads, one.rows), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{one.key}-{context.today():%Y-%m-%d}.csv"'
    return answer


@bp.post("/mail")
def mail() -> ResponseReturnValue:
    """Choose how often the reports come by mail."""
    every, me, now = forms.text("every"), context.me(), context.now()
    context.write(lambda db: report_mails.choose(db, me.id, every, language=language().code, now=now))
    flash(_("Saved.") if every else _("Saved. No more of these e-mails."))
    return redirect(url_for("reports.home"), 303)


def _months() -> int:
    """Return how many months the address asks for; three if it makes no sense."""
    return next((one for one in MONTHS if request.args.get("months") == str(one)), 3)


def _all(db: Session) -> Sequence[Report]:
    today = context.today()
    span = Span(month_of(today, 1 - _months()), today + timedelta(days=1), context.house().zone)
    return [
        _funnel(db, span),
        _answers(db, span),
        _losses(db, span),
        _cohorts(db),
        _kept(db, span),
        _satisfaction(db, span),
        _first_answers(db, span),
    ]


def _funnel(db: Session, span: Span) -> Report:
    found = reports.find_funnel(db, span)
    most = max((one.came for one in found), default=1)
    return Report(
        "funnel",
        _("Enquiries by source"),
        _("How many came, and how many of those that are decided became orders."),
        (_("Source"), _("Came"), _("Taken up"), _("Won"), _("Lost"), _("Won of 100 decided")),
        [(one.source or "–", one.came, one.taken, one.won, one.lost, _percent(one.rate)) for one in found],
        [Bar(one.source or "–", one.came / most, str(one.came)) for one in found],
    )


def _answers(db: Session, span: Span) -> Report:
    found = reports.find_answers(db, span, now=context.now())
    return Report(
        "answers",
        _("Answered in time"),
        _("In time: within eight open office hours. Of what is not answered yet, only what should be counts."),
        (_("Kind"), _("In time"), _("Late"), _("Not yet"), _("In time of 100")),
        [(name_of("lead", one.kind), one.in_time, one.late, one.overdue, _percent(one.rate)) for one in found],
        [Bar(name_of("lead", one.kind), one.rate or 0, f"{_percent(one.rate)} %") for one in found],
    )


def _losses(db: Session, span: Span) -> Report:
    found = reports.find_losses(db, span)
    most = max((count for _reason, count in found), default=1)
    return Report(
        "losses",
        _("Why enquiries were lost"),
        _("As it was written down when they were closed."),
        (_("Reason"), _("Enquiries")),
        [(reason or _("no reason given"), count) for reason, count in found],
        [Bar((reason or _("no reason given"))[:40], count / most, str(count)) for reason, count in found],
    )


def _cohorts(db: Session) -> Report:
    found = reports.find_cohorts(db, today=context.today(), zone=context.house().zone)
    heads = [_("After %(count)d months", count=count) if count > 1 else _("After a month") for count in range(1, reports.COHORTS)]
    rows: list[Row] = [
        (month(one.month), one.customers, *one.again, *([""] * (reports.COHORTS - 1 - len(one.again)))) for one in found
    ]
    back = [(one, max(one.again, default=0) / one.customers) for one in found]
    return Report(
        "cohorts",
        _("New customers who came back"),
        _("By the month of their first order; the picture shows the month in which most of them ordered again."),
        (_("First order"), _("Customers"), *heads),
        rows,
        [Bar(month(one.month), share, f"{_percent(share)} %") for one, share in back],
    )


def _kept(db: Session, span: Span) -> Report:
    months = kept_promises.find_kept(db, span.first, context.today(), today=context.today())
    found = [one for one in months if one.basis is None]
    return Report(
        "kept",
        _("Kept promises"),
        _("Of every 100 lines, how many arrived by the day that was promised first."),
        (_("Month"), _("Kept"), _("Not kept"), _("Arrival not noted"), _("Kept of 100")),
        [(month(one.month), one.kept, one.broken, one.unknown, _percent(one.rate)) for one in found],
        [Bar(month(one.month), one.rate or 0, f"{_percent(one.rate)} %") for one in found],
    )


def _satisfaction(db: Session, span: Span) -> Report:
    found = satisfaction.find_answers(db, span.at(span.first), span.at(span.end))
    most = max(found.of_score) or 1
    said: list[Row] = [(_("%(score)s of 5", score=score), count) for score, count in enumerate(found.of_score, 1)]
    mean = "–" if found.mean is None else number(found.mean)
    totals: list[Row] = [
        (_("Asked"), found.asked),
        (_("Answered"), found.answered),
        (_("Answered of 100"), _percent(found.share)),
    ]
    return Report(
        "satisfaction",
        _("How well service cases were settled"),
        _("What customers said whose case was solved. 1 is not at all, 5 is very well."),
        (_("Answer"), _("Customers")),
        [*said, *totals, (_("Mean"), mean)] if found.asked else [],
        [Bar(_("%(score)s of 5", score=score), count / most, str(count)) for score, count in enumerate(found.of_score, 1)],
    )


def _first_answers(db: Session, span: Span) -> Report:
    found = [one for one in satisfaction.find_first_answers(db, span.at(span.first), span.at(span.end)) if one.cases]
    most = max((one.mean or 0 for one in found), default=0) or 1
    means = [(one, "–" if one.mean is None else number(round(one.mean))) for one in found]
    return Report(
        "first-answers",
        _("First answers to service cases"),
        _("Open office minutes from the question to our first answer, by priority."),
        (_("Priority"), _("Cases"), _("Answered"), _("Mean minutes"), _("Longest")),
        [
            (name_of("priority", one.priority), one.cases, one.answered, mean, "–" if one.longest is None else one.longest)
            for one, mean in means
        ],
        [Bar(name_of("priority", one.priority), (one.mean or 0) / most, mean) for one, mean in means],
    )


def _percent(rate: float | None) -> str:
    return "–" if rate is None else number(round(100 * rate))
