"""Service at the desk: who waits for what, and answering it; of two who answer at once, one is told and keeps their words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from babel import Locale, UnknownLocaleError
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice import wording as words_of
from backoffice.crm import case_opening, cases, ready_answers
from backoffice.crm.case_opening import PhoneForm
from backoffice.crm.case_rules import KINDS, PRIORITIES
from backoffice.crm.models import MailTemplate
from backoffice.desk import case_lists, context, forms, phrases
from backoffice.desk.case_lists import Filters
from backoffice.desk.case_sheets import Sheet, get_sheet
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.public.errors import BadInput, NotFound, ShopError

bp = Blueprint("cases", __name__, url_prefix="/desk/sales/cases")
BY_PHONE = ("order", "kind", "message", "name", "phone", "email", "language")
LONGEST_TYPED = 5_100  # what a page gives back of a field at most


@dataclass(frozen=True, slots=True)
class Typed:
    """What one of the case's forms held. form: which one; stale: a colleague was faster, so the page shows what they did."""

    form: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    stale: bool = False


@bp.get("")
def home() -> ResponseReturnValue:
    """List cases."""
    filters, me, now = Filters.parse(request.args), context.me(), context.now()
    listed = context.read(lambda db: case_lists.find_cases(db, filters, staff_id=me.id, now=now))
    return render_template("desk/sales/cases.html", filters=filters, listed=listed, choices=case_lists.CHOICES)


@bp.get("/new")
def new() -> ResponseReturnValue:
    """Show the form for a case by telephone."""
    usual = {"language": context.services().shop.profile.get().language}
    return _new({name: forms.text(name)[:LONGEST_TYPED] for name in BY_PHONE if forms.text(name)} | usual)


@bp.post("/new")
def add() -> ResponseReturnValue:
    """Take down what somebody asks by telephone."""
    me, now, made = context.me(), context.now(), [0]
    typed = {name: forms.text(name)[:LONGEST_TYPED] for name in BY_PHONE}
    form = PhoneForm(key=forms.text("key")[:64], **typed)

    def work(db: Session) -> None:
        made[0] = case_opening.by_phone(db, form, staff=me, now=now).id

    try:
        context.write(work)
    except ShopError as error:
        return _new(typed, error.fields if isinstance(error, BadInput) else {}, explain(error), error.status)
    flash(_("Taken down. It is yours."))
    return redirect(url_for("cases.case", case_id=made[0]), 303)


@bp.get("/<int:case_id>")
def case(case_id: int) -> ResponseReturnValue:
    """Show one case."""
    return _page(case_id)


@bp.post("/<int:case_id>/take")
def take(case_id: int) -> ResponseReturnValue:
    """Make it mine."""
    me, version, now = context.me(), forms.version(), context.now()
    return _save(case_id, lambda db: cases.take(db, case_id, staff=me, version=version, now=now), _("You have it now."))


@bp.post("/<int:case_id>/hand")
def hand(case_id: int) -> ResponseReturnValue:
    """Give it to a colleague."""
    me, version, now, to = context.me(), forms.version(), context.now(), forms.text("to")
    to_id = int(to) if to.isdecimal() and len(to) < 12 else 0
    return _save(
        case_id,
        lambda db: cases.hand(db, case_id, to_id, staff=me, version=version, now=now),
        _("Your colleague has it now."),
        form="hand",
    )


@bp.post("/<int:case_id>/note")
def note(case_id: int) -> ResponseReturnValue:
    """Write a note that only we see."""
    me, version, now, words = context.me(), forms.version(), context.now(), forms.text("note")
    return _save(
        case_id, lambda db: cases.note(db, case_id, words, staff=me, version=version, now=now), _("Note kept."), form="note"
    )


@bp.post("/<int:case_id>/priority")
def prioritise(case_id: int) -> ResponseReturnValue:
    """Say how urgent it is."""
    me, version, now, chosen = context.me(), forms.version(), context.now(), forms.text("priority")
    return _save(
        case_id,
        lambda db: cases.prioritise(db, case_id, chosen, staff=me, version=version, now=now),
        _("Saved. Its deadlines follow."),
        form="priority",
    )


@bp.post("/<int:case_id>/answer")
def answer(case_id: int) -> ResponseReturnValue:
    """Answer by mail, and say what comes next: we wait for them, we go on, or it is solved."""
    me, version, now = context.me(), forms.version(), context.now()
    words, then, base_url = forms.text("answer"), forms.text("then"), _base_url()

    def work(db: Session) -> None:
        cases.answer(db, case_id, words, then=then, staff=me, version=version, base_url=base_url, now=now)

    return _save(case_id, work, _("Your answer is on its way by mail."), form="answer")


@bp.post("/<int:case_id>/ready")
def ready(case_id: int) -> ResponseReturnValue:
    """Put a ready answer into the field, behind what stands there; nothing is sent."""
    typed, chosen = request.form.to_dict(), forms.text("ready")
    sheet = context.read(lambda db: get_sheet(db, case_id))
    row = next((one for one in sheet.answers if str(one.id) == chosen), None)
    if row is None:
        return _page(case_id, Typed("answer", typed, {"ready": "bad_choice"}, explain(BadInput("invalid_form"))), 422)
    before, filled = typed.get("answer", "").rstrip(), ready_answers.fill(row.body, _known(sheet, row))
    typed["answer"] = f"{before}\n\n{filled}" if before else filled
    return _page(case_id, Typed("answer", typed))


@bp.post("/<int:case_id>/solve")
def solve(case_id: int) -> ResponseReturnValue:
    """Say that it is settled, without more words."""
    me, version, now, base_url = context.me(), forms.version(), context.now(), _base_url()
    return _save(
        case_id, lambda db: cases.solve(db, case_id, staff=me, version=version, base_url=base_url, now=now), _("Solved.")
    )


@bp.post("/<int:case_id>/close")
def close(case_id: int) -> ResponseReturnValue:
    """Close it for good."""
    me, version, now = context.me(), forms.version(), context.now()
    return _save(case_id, lambda db: cases.close(db, case_id, staff=me, version=version, now=now), _("Closed."))


@bp.post("/<int:case_id>/reopen")
def reopen(case_id: int) -> ResponseReturnValue:
    """Open it again."""
    me, version, now = context.me(), forms.version(), context.now()
    return _save(
        case_id, lambda db: cases.reopen(db, case_id, staff=me, version=version, now=now), _("It is open again, and yours.")
    )


def _save(case_id: int, work: Callable[[Session], object], said: str, *, form: str = "") -> ResponseReturnValue:
    """Do it and go back to the case; if it cannot be done, show the case as it is now with what was typed."""
    try:
        context.write(work)
    except ShopError as error:
        if isinstance(error, NotFound):
            raise
        wrong = error.fields if isinstance(error, BadInput) else {}
        stale = error.code == "stale" and form == "answer"
        problem = (
            _("Somebody was faster: look at what has come in between. Yours was not sent and is still here.") if stale else ""
        )
        return _page(case_id, Typed(form, request.form, wrong, problem or explain(error), stale), error.status)
    flash(said)
    return redirect(url_for("cases.case", case_id=case_id), 303)


def _page(case_id: int, typed: Typed | None = None, status: int = 200) -> ResponseReturnValue:
    sheet = context.read(lambda db: get_sheet(db, case_id))
    row = case_lists.row_of(sheet.case, sheet.party.name, sheet.owner, context.now())
    said = next((one for one in sheet.entries if one.kind in ("answer", "reply", "message")), None)
    page = render_template(
        "desk/sales/case.html", sheet=sheet, row=row, newest=said, typed=typed or Typed(), priorities=PRIORITIES
    )
    return page, status


def _new(
    typed: Mapping[str, str], wrong: Mapping[str, str] | None = None, problem: str = "", status: int = 200
) -> ResponseReturnValue:
    page = render_template(
        "desk/sales/case_new.html", typed=typed, fields=wrong or {}, problem_text=problem, kinds=KINDS, spoken=phrases.languages()
    )
    return page, status


def _known(sheet: Sheet, row: MailTemplate) -> dict[str, str]:
    """Return what a ready answer may say of this case, the day in the answer's language."""
    try:
        locale = Locale.parse(row.language, sep="-")
    except (UnknownLocaleError, ValueError):
        locale = Locale("en")
    known = {"name": sheet.party.name, "number": sheet.case.number, "shop": context.house().name, "sender": context.me().name}
    day = words_of.long_day(sheet.expected_on, locale) if sheet.expected_on else ""
    return known | {"order": sheet.case.order_ref or "", "day": day}


def _base_url() -> str:
    """Return the shop's public address, for the link in a mail; where none is set, the one that this desk is seen at."""
    return (context.services().settings.base_url or request.url_root).rstrip("/")
